//! `report compare`: a month here beside the console's own report.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::ReportArgs;
use crate::agent::{Order, Refused};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, dashed, list, word};
use crate::domain::Instant;

#[derive(Debug, Args)]
pub struct Compare {
    #[command(flatten)]
    pub which: ReportArgs,
    /// The [[server]] of source vspc whose report is read
    #[arg(long, value_name = "ENTRY")]
    pub with: String,
}

pub fn run(session: &mut Session<'_>, how: &Compare) -> Result<(), Refused> {
    session.refuse_now("report compare")?;
    let compared = session.order(Order::CompareReport { target: how.which.target(), with: how.with.clone() })?;
    session.show(&compared, text)?;
    if compared["is_equal"].as_bool() == Some(true) {
        return Ok(());
    }
    let (month, with, by) = (word(&compared, "month"), word(&compared, "with"), word(&compared, "difference"));
    Err(Refused::new(8, format!("the reports of {month} here and in {with} differ, in sum by {by} points")))
}

/// What one report is beside the console's.
pub fn text(compared: &Value, _: Instant) -> String {
    let mut text = format!(
        "report {} r{} of unit {}: {} points here, {} in {}, difference {}\n",
        word(compared, "month"),
        word(compared, "revision"),
        word(compared, "unit"),
        word(compared, "ours_points"),
        word(compared, "theirs_points"),
        word(compared, "with"),
        word(compared, "difference"),
    );
    let _ = write!(text, "\n{}", lines(compared));
    reasons(compared, &mut text);
    for beside in list(compared, "beside") {
        let what = [word(beside, "what"), word(beside, "license_id")].join(" ");
        let (points, why) = (word(beside, "points"), word(beside, "why"));
        let _ = writeln!(text, "outside the comparison: {}, {points} points: {why}", what.trim());
    }
    for out in list(compared, "left_out_there") {
        let why = word(out, "why").replace('_', " ");
        let _ = writeln!(text, "left out there: {} ({why})", word(out, "server"));
    }
    for note in list(compared, "notes") {
        let _ = writeln!(text, "! {}", note.as_str().unwrap_or_default());
    }
    let statuses: Vec<&str> = list(compared, "their_statuses").iter().filter_map(Value::as_str).collect();
    if !statuses.is_empty() {
        let _ = writeln!(text, "{} calls its report {}", word(compared, "with"), statuses.join(", "));
    }
    text
}

fn lines(compared: &Value) -> String {
    let mut table = Table::new(&[
        Column::Left("license"),
        Column::Left("type"),
        Column::Right("here"),
        Column::Right("there"),
        Column::Right("points here"),
        Column::Right("points there"),
        Column::Right("difference"),
    ]);
    for line in list(compared, "lines") {
        let (ours, theirs) = (&line["ours"], &line["theirs"]);
        table.row([
            dashed(line, "license_id"),
            word(line, "type"),
            word(ours, "reported_count"),
            word(theirs, "reported_count"),
            word(ours, "points"),
            word(theirs, "points"),
            word(line, "difference"),
        ]);
    }
    table.text("neither report counts anything")
}

/// Below the table, line by line: the reasons that are known, and that none is.
fn reasons(compared: &Value, text: &mut String) {
    for line in list(compared, "lines") {
        let kind = word(line, "type");
        let reasons = list(line, "reasons");
        for reason in reasons {
            let _ = writeln!(text, "{kind}: {}", word(reason, "text"));
        }
        if reasons.is_empty() && line["is_equal"].as_bool() == Some(false) {
            let _ = writeln!(text, "{kind}: no reason is known; look at both with `report show` and in the console");
        }
    }
}
