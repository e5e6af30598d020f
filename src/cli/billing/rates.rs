//! `billing rates`: what workloads weigh.

use std::fmt::Write;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::agent::{Query, Refused};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, dashed, list, or, word};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Checks the points tables, lists the rows in force, and what the newest samples count without a weight
    ///
    /// A provisional row is listed and not applied. Exit codes: 7 a sampled type has no weight and counts nothing; 78 a
    /// table of the settings is wrong: file, line and what are named.
    ///
    /// Example: tidegauge billing rates check --on 2026-11-01
    Check(Asked),
}

#[derive(Debug, Args)]
pub struct Asked {
    /// The rows in force on this day; without it today
    #[arg(long, value_name = "DAY")]
    on: Option<NaiveDate>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    let Act::Check(asked) = act;
    let rates = session.ask(&Query::Rates { on: asked.on })?;
    session.show(&rates, text)?;
    let without: Vec<String> = unweighed(&rates).map(|row| word(row, "type")).collect();
    if without.is_empty() {
        return Ok(());
    }
    let why = format!("no weight is known for {}; state one in a table of `points_tables`", without.join(", "));
    Err(Refused::new(7, why))
}

/// Sampled types that count nothing because nobody names a weight.
fn unweighed(rates: &Value) -> impl Iterator<Item = &Value> {
    list(rates, "sampled").iter().filter(|row| row["weight"].is_null())
}

fn text(rates: &Value, _: Instant) -> String {
    let mut rows = Table::new(&[
        Column::Left("product"),
        Column::Left("edition"),
        Column::Left("package"),
        Column::Left("type"),
        Column::Right("points"),
        Column::Left("unit"),
        Column::Left("from"),
        Column::Left("remark"),
        Column::Left("table"),
        Column::Left("source"),
    ]);
    for row in list(rates, "rows") {
        let remark = if row["provisional"] == true { "provisional, not applied" } else { "" };
        rows.row([
            word(row, "product"),
            or(word(row, "edition"), "any"),
            or(word(row, "package"), "any"),
            word(row, "type"),
            word(row, "points"),
            or(word(row, "unit"), "machine"),
            word(row, "valid_from"),
            remark.to_owned(),
            word(row, "table"),
            word(row, "source"),
        ]);
    }
    let mut text = format!("In force on {}\n{}", word(rates, "on"), rows.text("no row"));
    let mut sampled = Table::new(&[
        Column::Left("server"),
        Column::Left("type"),
        Column::Right("count"),
        Column::Right("weight"),
        Column::Left("weight from"),
        Column::Left("row"),
    ]);
    for row in list(rates, "sampled") {
        let has_row = if row["has_row"] == true { "yes" } else { "none" };
        let cells = [word(row, "server"), word(row, "type"), word(row, "count"), dashed(row, "weight")];
        sampled.row(cells.into_iter().chain([word(row, "weight_from"), has_row.to_owned()]));
    }
    let _ = write!(text, "\nSampled types\n{}", sampled.text("nothing was sampled yet"));
    for (name, kind) in rates["mapping"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "mapped: {name} is {}", kind.as_str().unwrap_or_default());
    }
    for row in unweighed(rates) {
        let proposed = word(row, "provisional");
        let hint = if proposed.is_empty() { String::new() } else { format!("; provisionally {proposed}") };
        let _ =
            writeln!(text, "! {} of {} has no weight and counts nothing{hint}", word(row, "type"), word(row, "server"));
    }
    text
}
