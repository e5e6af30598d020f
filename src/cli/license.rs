//! `license`: the license, its checks and the gate.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::arguments::{ReportArgs, UnitArgs};
use super::session::Session;
use super::table::{Column, Table, dashed, joined, list, minute, short, word};
use crate::agent::{Order, Query, Refused, window};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// The license in force, what the servers show, and when it is renewed
    Show(UnitArgs),
    /// Installs a key file by hand
    ///
    /// Signature, serial and contract are checked first. A server with `license = "backup_server"` is given the file and
    /// judges it; each server of the unit unless one is named. Exit codes: 65 it is not ours, not newer, too different or
    /// refused by the server, and the old key stays; 69 the server does not answer.
    ///
    /// Example: tidegauge license install renewed.tglicense
    Install(Install),
    /// Asks for a key now: the License Update Server, or the backup server where it renews itself
    ///
    /// Exit codes: 5 held by the gate; 69 the server does not answer; 77 not enrolled.
    ///
    /// Example: tidegauge license update --server vbr01
    Update(UnitArgs),
    /// Switches auto update: regular checks, and with it usage reporting, on or off
    ///
    /// On is also the consent to usage reporting: telemetry each week and the report each month are sent.
    ///
    /// Example: tidegauge license auto-update on
    #[command(subcommand)]
    AutoUpdate(Switch),
    /// Every check with its result, the newest last
    History(UnitArgs),
    /// Whether the gate lets the license be renewed, and what explains a shortfall
    ///
    /// Of the month that is judged now unless one is named; a forecast until the report is sent.
    Gate(ReportArgs),
    /// The retry window and the grace of any rental dates
    ///
    /// Pure arithmetic: reads no store. Exit codes: 2 not a day.
    ///
    /// Example: tidegauge license window --expires 2027-01-31 --json
    Window(Dates),
}

#[derive(Debug, Args)]
pub struct Install {
    /// The .tglicense file, or the backup server's own key file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    unit: UnitArgs,
}

#[derive(Debug, Subcommand)]
pub enum Switch {
    /// Checks and reports regularly
    On(UnitArgs),
    /// Neither checks nor reports
    Off(UnitArgs),
}

#[derive(Debug, Args)]
pub struct Dates {
    /// The license's expiration day
    #[arg(long, value_name = "DAY")]
    expires: NaiveDate,
    /// The support's expiration day
    #[arg(long, value_name = "DAY")]
    support_expires: Option<NaiveDate>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Show(UnitArgs { unit, server }) => {
            session.ask_and_show(&Query::License { unit: unit.clone(), server: server.clone() }, text)
        }
        Act::Install(how) => {
            let file = session.read_text(&how.file)?;
            session.order_and_show(Order::LicenseInstall { target: how.unit.target(), file }, text)
        }
        Act::Update(unit) => {
            session.refuse_now("license update")?;
            session.order_and_show(Order::LicenseUpdate { target: unit.target() }, text)
        }
        Act::AutoUpdate(Switch::On(unit)) => {
            session.remark("auto update enables usage reporting: telemetry weekly and the monthly report are sent");
            session.order_and_show(Order::AutoUpdate { target: unit.target(), on: true }, switched)
        }
        Act::AutoUpdate(Switch::Off(unit)) => {
            session.order_and_show(Order::AutoUpdate { target: unit.target(), on: false }, switched)
        }
        Act::History(UnitArgs { unit, server }) => history(session, unit.clone(), server.clone()),
        Act::Gate(ReportArgs { unit: UnitArgs { unit, server }, month }) => {
            let query = Query::Gate { unit: unit.clone(), server: server.clone(), month: *month };
            session.ask_and_show(&query, gate_text)
        }
        Act::Window(dates) => {
            let window = window(Some(dates.expires), dates.support_expires);
            let window = serde_json::to_value(window).unwrap_or_default();
            session.show(&window, window_text)
        }
    }
}

fn text(license: &Value, _: Instant) -> String {
    let block = &license["license"];
    let mut text = format!("unit {} ({})\n", word(license, "unit"), joined(license, "servers"));
    let left = license["days_left"].as_i64().map_or(String::new(), |days| format!(", {days} days left"));
    let _ = writeln!(text, "  {} license, {}{left}", word(block, "type"), word(license, "state"));
    for (name, field) in [
        ("licensed to", "licensed_to"),
        ("license id", "license_id"),
        ("points", "licensed_points"),
        ("expires on", "expires_on"),
        ("support expires on", "support_expires_on"),
    ] {
        let _ = writeln!(text, "  {name}: {}", dashed(block, field));
    }
    let _ = writeln!(text, "  auto update: {}", word(license, "auto_update"));
    let _ = writeln!(text, "  next check: {}", minute(license, "next_check_at"));
    let last = &license["last_check"];
    if !last.is_null() {
        let _ = writeln!(
            text,
            "  last check: {} result {} ({})",
            minute(last, "at"),
            word(last, "result"),
            word(last, "message")
        );
    }
    text
}

fn switched(done: &Value, _: Instant) -> String {
    let consent = match done["auto_update"].as_bool() {
        Some(true) => "on; usage reporting is enabled with it",
        Some(false) | None => "off; nothing is reported or renewed by itself",
    };
    format!("auto update is {consent} ({})\n", joined(done, "units"))
}

fn history(session: &mut Session<'_>, unit: Option<String>, server: Option<String>) -> Result<(), Refused> {
    let answer = session.ask(&Query::LicenseHistory { unit, server })?;
    if session.global.json {
        return session.print(&format!("{answer:#}\n"));
    }
    let mut table = Table::new(&[
        Column::Left("at"),
        Column::Left("unit"),
        Column::Left("result"),
        Column::Left("message"),
        Column::Left("next try"),
    ]);
    for row in answer.as_array().into_iter().flatten() {
        let check = &row["session"];
        table.row([
            minute(check, "at"),
            short(row, "unit"),
            word(check, "result"),
            word(check, "message"),
            minute(check, "retry_at"),
        ]);
    }
    session.print(&table.text("no check was made yet"))
}

/// The verdict and what explains it, also for `report explain`.
pub fn gate_text(gate: &Value, _: Instant) -> String {
    let forecast = if gate["forecast"] == json!(true) { "forecast for" } else { "gate of" };
    let mut text = format!("{forecast} {}: {}\n", word(gate, "month"), word(gate, "verdict"));
    let _ = writeln!(
        text,
        "  highest watermark {} (stood at {})",
        dashed(gate, "highest_watermark"),
        minute(gate, "stood_at")
    );
    let _ = writeln!(text, "  reported          {}", dashed(gate, "reported"));
    let _ = writeln!(text, "  shortfall         {} of {} tolerated", word(gate, "shortfall"), word(gate, "tolerance"));
    if !gate["justification"].is_null() {
        let _ = writeln!(text, "  justified: {}", word(gate, "justification"));
    }
    let mut table = Table::new(&[Column::Left("cause"), Column::Left("what"), Column::Right("points")]);
    for cause in list(gate, "causes") {
        let named = ["workload", "tenant", "type"].map(|field| word(cause, field));
        let what: Vec<String> = named.into_iter().filter(|name| !name.is_empty()).collect();
        table.row([word(cause, "cause").replace('_', " "), what.join(", "), word(cause, "points")]);
    }
    if !list(gate, "causes").is_empty() {
        let _ = write!(text, "\n{}", table.text(""));
        let _ = writeln!(text, "unexplained: {}", word(gate, "unexplained"));
    }
    text
}

fn window_text(window: &Value, _: Instant) -> String {
    format!(
        "anchor {}, {} days of retries to {}, grace to {}\n",
        word(window, "anchor"),
        word(window, "days"),
        word(window, "ends_on"),
        dashed(window, "grace_ends_on"),
    )
}
