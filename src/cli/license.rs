//! `license`: the license, its checks and the gate.

use std::fmt::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::arguments::{ReportArgs, UnitArgs};
use super::session::Session;
use super::table::{Column, Table, dashed, joined, list, minute, or, word};
use crate::agent::{Order, Query, Refused, window};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// The license in force: its state, grace and limit, what the servers show, and when it is renewed
    ///
    /// Names the workloads above the limit's cap, which are not processed.
    ///
    /// Example: tidegauge license show --json
    Show(UnitArgs),
    /// Installs a key file by hand
    ///
    /// For servers without internet. Signature, serial, contract and what may differ are checked first; what changed is
    /// printed. A server with `license = "backup_server"` is given the file and judges it; each server of the unit unless
    /// one is named. Exit codes: 65 it is not ours, not newer, too different or refused by the server, and the old key
    /// stays; 66 no such file; 69 the server does not answer; 77 not enrolled; 78 `license = "none"`.
    ///
    /// Example: tidegauge license install renewed.tglicense
    Install(Install),
    /// Asks for a key now: the License Update Server, or the backup server where it renews itself
    ///
    /// Exit codes: 5 held by the gate; 69 the server does not answer; 75 it is being asked right now; 77 not enrolled; 78 the
    /// settings say that nobody renews it (`license = "none"`).
    ///
    /// Example: tidegauge license update --server vbr01
    Update(UnitArgs),
    /// Switches auto update: regular checks, and with it usage reporting, on or off
    ///
    /// "Update license automatically (enables usage reporting)": on is also the consent to usage reporting, recorded with
    /// time, user and the words that are printed. Exit codes: 65 auto update does not renew such a key, and why, or the retry
    /// window is over: get a key first.
    ///
    /// Example: tidegauge license auto-update on
    #[command(subcommand)]
    AutoUpdate(Switch),
    /// Every session of the job `License key auto-update` with its steps, the newest last
    ///
    /// Scheduled ones and those that were ordered. Exit codes: 3 no sample is kept yet.
    ///
    /// Example: tidegauge license history --server vbr01
    History(UnitArgs),
    /// Whether the gate lets the license be renewed, and what explains a shortfall
    ///
    /// Of the month that is judged now unless one is named; a forecast until the report is sent. Says who holds it, this
    /// agent or the License Update Server, and what can be done.
    ///
    /// Example: tidegauge license gate --month 2026-10
    Gate(ReportArgs),
    /// Points and gate at the month's end, and the days ahead: reports, deadlines, expiry, retries, grace
    ///
    /// Looks 90 days ahead. `--ics` writes the same days for a calendar, each with an alarm on the working day before.
    ///
    /// Exit codes: 3 no sample is kept yet; 66 no such unit or server; 73 the file cannot be written.
    ///
    /// Example: tidegauge license forecast --ics tidegauge.ics
    Forecast(super::forecast::Ahead),
    /// The retry window and the grace of any rental dates
    ///
    /// Pure arithmetic: reads no store. Several `--expires` give a row each. Exit codes: 2 not a day.
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
    /// The license's expiration day; may be given several times, and left out for a key that only its support ends
    #[arg(long, value_name = "DAY", required_unless_present = "support_expires")]
    expires: Vec<NaiveDate>,
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
            session.order_and_show(Order::LicenseInstall { target: how.unit.target(), file }, installed)
        }
        Act::Update(unit) => {
            session.refuse_now("license update")?;
            session.order_and_show(Order::LicenseUpdate { target: unit.target() }, text)
        }
        Act::AutoUpdate(Switch::On(unit)) => {
            session.order_and_show(Order::AutoUpdate { target: unit.target(), on: true }, switched)
        }
        Act::AutoUpdate(Switch::Off(unit)) => {
            session.order_and_show(Order::AutoUpdate { target: unit.target(), on: false }, switched)
        }
        Act::History(UnitArgs { unit, server }) => history(session, unit.clone(), server.clone()),
        Act::Gate(ReportArgs { unit: UnitArgs { unit, server }, month }) => {
            let query = Query::Gate { unit: unit.clone(), server: server.clone(), month: *month };
            session.ask_and_show(&query, super::gate::text)
        }
        Act::Forecast(asked) => super::forecast::license(session, asked),
        Act::Window(dates) => windows(session, dates),
    }
}

fn text(license: &Value, _: Instant) -> String {
    let block = &license["license"];
    let mut text = format!("unit {} ({})\n", word(license, "unit"), joined(license, "servers"));
    text += &super::license_state::lines(license);
    for (name, field) in
        [("licensed to", "licensed_to"), ("license id", "license_id"), ("support expires on", "support_expires_on")]
    {
        let _ = writeln!(text, "  {name}: {}", dashed(block, field));
    }
    let shown = [&block["sections"], &license["shown_by_server"]["sections"]];
    for line in shown.into_iter().find(|sections| !sections.is_null()).map(section_lines).unwrap_or_default() {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "  auto update: {}", switch_text(license));
    if license["eligibility"]["eligible"] == json!(false) {
        let _ = writeln!(text, "  not renewed automatically: {}", word(&license["eligibility"], "to_do"));
    }
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
        if !last["failing_since"].is_null() {
            let _ = writeln!(text, "  failing since: {}", minute(last, "failing_since"));
        }
    }
    text
}

/// `on`, and who decided it when it was not an order given here.
fn switch_text(license: &Value) -> String {
    let state = if license["auto_update"] == json!(true) { "on" } else { "off" };
    let by = match word(license, "auto_update_decided_by").as_str() {
        "enterprise_manager" => " (Enterprise Manager's setting, which wins over orders given here)",
        "server" => " (the server's own setting)",
        _ => "",
    };
    format!("{state}{by}")
}

/// The license after a key was installed by hand, what changed with it, and the offer of auto update.
fn installed(license: &Value, now: Instant) -> String {
    let mut told = text(license, now);
    for change in list(license, "changes") {
        let _ = writeln!(
            told,
            "  changed: {} {} -> {}",
            word(change, "field"),
            word(change, "before"),
            word(change, "after")
        );
    }
    let offer = &license["offer"];
    if !offer.is_null() {
        let _ = writeln!(told, "\nAuto update is off. {}", word(offer, "consent"));
        let _ = writeln!(told, "To switch it on: {}", word(offer, "command"));
    }
    told
}

fn switched(done: &Value, _: Instant) -> String {
    let mut text = String::new();
    let ordered = done["auto_update"] == json!(true);
    for unit in list(done, "switched") {
        let on = unit["auto_update"] == json!(true);
        let what = match (on, on == ordered) {
            (true, true) => "on; usage reporting is enabled with it",
            (false, true) => "off; nothing is reported or renewed by itself",
            (true, false) => "still on: Enterprise Manager's setting wins; change it there and in `em_auto_update`",
            (false, false) => {
                "still off: Enterprise Manager's setting wins; the order stands and holds once that setting is on or gone"
            }
        };
        let _ = writeln!(text, "auto update of {} is {what} ({})", joined(unit, "servers"), word(unit, "unit"));
    }
    for unit in list(done, "not_eligible") {
        let _ = writeln!(text, "auto update of {} stays off: {}", joined(unit, "servers"), word(unit, "to_do"));
    }
    let consent = word(done, "consent");
    if !consent.is_empty() {
        let _ = writeln!(text, "{consent}");
    }
    text
}

fn history(session: &mut Session<'_>, unit: Option<String>, server: Option<String>) -> Result<(), Refused> {
    session.ask_and_show(&Query::LicenseHistory { unit, server }, history_text)
}

fn history_text(history: &Value, _: Instant) -> String {
    let mut text =
        format!("{} of {} (unit {})\n", word(history, "job"), joined(history, "servers"), word(history, "unit"));
    for one in list(history, "sessions") {
        let occasion = or(word(one, "occasion").replace('_', " "), "-");
        let result = format!("{} {}", word(one, "result"), word(one, "result_name"));
        let _ = writeln!(text, "\n{}  {occasion}  result {result}  by {}", minute(one, "started_at"), word(one, "by"));
        if !one["server"].is_null() {
            let _ = writeln!(text, "  asked {}", word(one, "server"));
        }
        if list(one, "steps").is_empty() {
            let _ = writeln!(text, "  {}", word(one, "message"));
        }
        for step in list(one, "steps") {
            let _ = writeln!(text, "  {}", step.as_str().unwrap_or_default());
        }
        if !one["retry_at"].is_null() {
            let _ = writeln!(text, "  tried again at {}", minute(one, "retry_at"));
        }
    }
    if list(history, "sessions").is_empty() {
        text.push_str("no check was made yet\n");
    }
    for change in list(history, "gate") {
        let _ = write!(text, "\n{}  {}", minute(change, "at"), word(change, "message"));
    }
    if !list(history, "gate").is_empty() {
        text.push('\n');
    }
    text
}

/// One window as design.md has it, several as a list; a table for people.
fn windows(session: &mut Session<'_>, dates: &Dates) -> Result<(), Refused> {
    let days: Vec<Option<NaiveDate>> =
        if dates.expires.is_empty() { vec![None] } else { dates.expires.iter().copied().map(Some).collect() };
    let windows: Vec<Value> = days
        .iter()
        .map(|expires_on| serde_json::to_value(window(*expires_on, dates.support_expires)).unwrap_or_default())
        .collect();
    if session.global.json {
        let shown = if let [one] = windows.as_slice() { one.clone() } else { Value::Array(windows) };
        return session.print(&format!("{shown:#}\n"));
    }
    let mut table = Table::new(&[
        Column::Left("expires on"),
        Column::Left("anchor"),
        Column::Right("days"),
        Column::Left("asked through"),
        Column::Left("grace through"),
    ]);
    for (expires_on, window) in days.iter().zip(&windows) {
        table.row([
            expires_on.map_or("-".to_owned(), |day| day.to_string()),
            word(window, "anchor"),
            word(window, "days"),
            word(window, "ends_on"),
            dashed(window, "grace_ends_on"),
        ]);
    }
    session.print(&table.text(""))
}

/// Sockets, terabytes and gifted instances of a key, a line each.
pub fn section_lines(sections: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let (sockets, capacity, gifted) = (&sections["sockets"], &sections["capacity"], &sections["gifted"]);
    if !sockets.is_null() {
        let [licensed, used, left] = ["licensed", "used", "remaining"].map(|field| word(sockets, field));
        lines.push(format!("sockets: {used} of {licensed} used, {left} left"));
    }
    if !capacity.is_null() {
        let [licensed, used] = ["licensed_tb", "used_tb"].map(|field| word(capacity, field));
        let by_type = capacity["used_tb_by_type"].as_object().into_iter().flatten();
        let by_type: Vec<String> =
            by_type.map(|(kind, used)| format!("{kind} {}", used.as_str().unwrap_or_default())).collect();
        let parts = if by_type.is_empty() { String::new() } else { format!(" ({})", by_type.join(", ")) };
        lines.push(format!("capacity: {used} of {licensed} TB used{parts}; unstructured data takes no instances"));
    }
    if !gifted.is_null() {
        let until = or(word(gifted, "expires_on"), "no date");
        lines.push(format!("gifted instances: {} until {until}", word(gifted, "instances")));
    }
    lines
}
