//! `status`: what is known now.

use std::fmt::Write;

use serde_json::Value;

use super::session::Session;
use super::table::{Column, Table, dashed, joined, list, minute, or, short, word};
use crate::agent::{Query, Refused};
use crate::domain::Instant;

pub fn run(session: &mut Session<'_>) -> Result<(), Refused> {
    session.ask_and_show(&Query::Status {}, text)
}

pub fn text(status: &Value, _: Instant) -> String {
    let mut text = format!("As of {} GMT\n", minute(status, "now"));
    if !status["now_local"].is_null() {
        let (local, zone) = (word(status, "now_local"), word(status, "time_zone"));
        text = format!("As of {} GMT ({local} {zone}; so in brackets below)\n", minute(status, "now"));
    }
    for warning in list(status, "warnings") {
        let _ = writeln!(text, "! {}", warning.as_str().unwrap_or_default());
    }
    for unknown in list(status, "unknown_types") {
        let _ = writeln!(text, "! {}", super::usage::unknown_line(unknown));
    }
    let sections = [
        ("Open reports", reports(status)),
        ("Servers", servers(status)),
        ("Licenses", licenses(status)),
        ("Next", next(status)),
    ];
    for (title, table) in sections {
        let _ = write!(text, "\n{title}\n{table}");
    }
    let waiting = status["outbox"].as_u64().unwrap_or(0);
    if waiting > 0 {
        let _ = writeln!(text, "\n{waiting} sealed messages wait for their receipt.");
    }
    text
}

/// An instant in GMT, and in brackets in the zone of the settings where that is another one.
fn both(value: &Value, field: &str) -> String {
    let local = word(value, &format!("{field}_local"));
    let gmt = minute(value, field);
    if local.is_empty() { gmt } else { format!("{gmt} ({local})") }
}

fn reports(status: &Value) -> String {
    let mut table = Table::new(&[
        Column::Left("month"),
        Column::Left("unit"),
        Column::Left("stage"),
        Column::Right("points"),
        Column::Right("days left"),
    ]);
    for report in list(status, "open_reports") {
        table.row([
            word(report, "month"),
            short(report, "unit"),
            word(report, "stage"),
            word(report, "total_points"),
            word(report, "days_left"),
        ]);
    }
    table.text("none")
}

fn servers(status: &Value) -> String {
    let mut table =
        Table::new(&[Column::Left("name"), Column::Left("state"), Column::Left("last sample"), Column::Left("remark")]);
    for server in list(status, "servers") {
        let sums = joined(server, "sums");
        let counts = if sums.is_empty() { String::new() } else { format!("counts the tenants of {sums}") };
        let remark = or(word(server, "error"), &or(word(server, "discrepancy"), &counts));
        table.row([word(server, "name"), word(server, "state"), both(server, "last_sample_at"), remark]);
    }
    table.text("none; name some in the settings, or load samples with `sample import`")
}

fn licenses(status: &Value) -> String {
    let mut table = Table::new(&[
        Column::Left("unit"),
        Column::Left("servers"),
        Column::Left("state"),
        Column::Left("expires on"),
        Column::Left("auto update"),
        Column::Left("next check"),
    ]);
    for license in list(status, "licenses") {
        table.row([
            short(license, "unit"),
            joined(license, "servers"),
            word(license, "state"),
            dashed(&license["license"], "expires_on"),
            word(license, "auto_update"),
            minute(license, "next_check_at"),
        ]);
    }
    table.text("none")
}

fn next(status: &Value) -> String {
    let mut table = Table::new(&[Column::Left("at"), Column::Left("duty"), Column::Left("why")]);
    for planned in list(status, "next") {
        table.row([both(planned, "at"), word(planned, "duty"), word(planned, "why")]);
    }
    table.text("nothing")
}
