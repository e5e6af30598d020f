//! `usage forecast` and `license forecast`: what is coming, before it comes.

use std::fmt::Write;
use std::path::PathBuf;

use base64::Engine;
use clap::Args;
use serde_json::{Value, json};

use super::arguments::UnitArgs;
use super::session::Session;
use super::table::{Column, Table, dashed, joined, list, minute, or, word};
use crate::agent::{Query, Refused};
use crate::domain::Instant;

/// What `license forecast` is asked.
#[derive(Debug, Args)]
pub struct Ahead {
    #[command(flatten)]
    unit: UnitArgs,
    /// Writes the days ahead as a calendar, too; importing it again updates what moved
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
}

pub fn usage(session: &mut Session<'_>, which: &UnitArgs) -> Result<(), Refused> {
    let UnitArgs { unit, server } = which.clone();
    session.ask_and_show(&Query::UsageForecast { unit, server }, usage_text)
}

pub fn license(session: &mut Session<'_>, asked: &Ahead) -> Result<(), Refused> {
    let UnitArgs { unit, server } = asked.unit.clone();
    session.ask_and_show(&Query::LicenseForecast { unit: unit.clone(), server: server.clone() }, license_text)?;
    let Some(path) = &asked.ics else { return Ok(()) };
    let file = session.ask(&Query::CalendarFile { unit, server })?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(word(&file, "base64"))
        .map_err(|error| Refused::new(76, format!("the agent's answer is no file: {error}")))?;
    session.write(path, &bytes)?;
    session.remark(&format!("{} entries written to {}", word(&file, "entries"), path.display()));
    Ok(())
}

fn usage_text(forecast: &Value, _: Instant) -> String {
    let mut text = format!("unit {} ({})", word(forecast, "unit"), joined(forecast, "servers"));
    let _ = writeln!(text, ", as of {} GMT", minute(forecast, "as_of"));
    let first = day(forecast, "first");
    let mut figures = Table::new(&[Column::Right("points"), Column::Left("")]);
    figures.row([word(forecast, "points"), "count today".to_owned()]);
    figures.row([
        word(forecast, "report_points"),
        format!("in the report of {}, built on {first}", word(forecast, "month")),
    ]);
    figures.row([word(forecast, "points_on_first"), format!("count from {first} on")]);
    text.push_str(&figures.text(""));
    changes(
        &mut text,
        forecast,
        "starting",
        &format!("new this month, counting from {first} on"),
        "nothing new begins to count",
    );
    let aging = "without a restore point for 31 days by then, if not backed up again";
    changes(&mut text, forecast, "aging_out", aging, "nothing ages out by then");
    for stale in list(forecast, "stale") {
        let _ = writeln!(
            text,
            "! {} is counted as last sampled, {} GMT",
            word(stale, "server"),
            minute(stale, "sample_at")
        );
    }
    for server in list(forecast, "not_collected") {
        let _ = writeln!(text, "! {} is left out: no fresh sample", server.as_str().unwrap_or_default());
    }
    text
}

fn changes(text: &mut String, forecast: &Value, field: &str, heading: &str, none: &str) {
    let rows = list(forecast, field);
    if rows.is_empty() {
        let _ = writeln!(text, "\n{none}");
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    let columns = ["day", "workload", "type", "tenant", "server"].map(Column::Left);
    let mut table = Table::new(&[&columns[..], &[Column::Right("count"), Column::Right("points")]].concat());
    for row in rows {
        let name = or(word(row, "name"), "(counts)");
        let cells =
            [dashed(row, "type"), dashed(row, "tenant"), word(row, "server"), word(row, "count"), word(row, "points")];
        table.row([day(row, "at"), name].into_iter().chain(cells));
    }
    text.push_str(&table.text(""));
}

fn license_text(forecast: &Value, _: Instant) -> String {
    let mut text = format!("unit {} ({})\n", word(forecast, "unit"), joined(forecast, "servers"));
    let licensed = dashed(forecast, "licensed_points");
    let _ = writeln!(
        text,
        "  points: {} today, {} in the report of {}, {} after it; licensed: {licensed}",
        word(forecast, "points"),
        word(forecast, "report_points"),
        word(forecast, "month"),
        word(forecast, "points_on_first"),
    );
    verdict(&mut text, &forecast["gate"], "expected gate of");
    for gate in list(forecast, "open_reports") {
        verdict(&mut text, gate, "open report of");
    }
    let mut table = Table::new(&[Column::Left("when, GMT"), Column::Left("what"), Column::Left("why")]);
    for entry in list(forecast, "calendar") {
        let when = if entry["last_day"] == Value::Null { minute(entry, "at") } else { span(entry) };
        table.row([when, word(entry, "what"), word(entry, "why")]);
    }
    let _ = write!(text, "\n{}", table.text("nothing is due within 90 days"));
    text
}

fn verdict(text: &mut String, gate: &Value, of: &str) {
    let _ = writeln!(
        text,
        "  {of} {}: {} (highest watermark {}, reported {}, shortfall {} of {} tolerated)",
        word(gate, "month"),
        word(gate, "verdict"),
        dashed(gate, "highest_watermark"),
        dashed(gate, "reported"),
        word(gate, "shortfall"),
        word(gate, "tolerance")
    );
}

/// The day of an instant.
fn day(value: &Value, field: &str) -> String {
    word(value, field).chars().take("2026-12-01".len()).collect()
}

/// One day, or the first and last of several.
fn span(entry: &Value) -> String {
    let (first, last) = (day(entry, "at"), word(entry, "last_day"));
    if json!(first) == entry["last_day"] { first } else { format!("{first} to {last}") }
}
