//! `usage`: points by type, tenant, server or workload.

use std::fmt::Write;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::arguments::UnitArgs;
use super::forecast;
use super::session::Session;
use super::table::{Column, Table, joined, list, minute, or, word};
use crate::agent::access::By;
use crate::agent::{Query, Refused};
use crate::domain::{Instant, Month};

/// What `usage` is asked.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Asked {
    #[command(subcommand)]
    act: Option<Act>,
    /// The month, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// How it is grouped
    #[arg(long, value_enum, default_value_t = Grouped::Type)]
    by: Grouped,
    #[command(flatten)]
    unit: UnitArgs,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Points on the next 1st: what begins to count, and what ages out if it is not backed up again
    ///
    /// Counted from each server's newest sample, as the report of the month and the month after it will count.
    ///
    /// Exit codes: 3 no sample is kept yet; 66 no such unit or server.
    ///
    /// Example: tidegauge usage forecast --json
    Forecast(UnitArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Grouped {
    Tenant,
    Type,
    Server,
    Workload,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    if let Some(Act::Forecast(which)) = &asked.act {
        return forecast::usage(session, which);
    }
    let by = match asked.by {
        Grouped::Tenant => By::Tenant,
        Grouped::Type => By::Type,
        Grouped::Server => By::Server,
        Grouped::Workload => By::Workload,
    };
    let UnitArgs { unit, server } = asked.unit.clone();
    session.ask_and_show(&Query::Usage { unit, server, month: asked.month, by }, text)
}

pub fn text(usage: &Value, _: Instant) -> String {
    let mut text = format!("unit {} ({})", word(usage, "unit"), joined(usage, "servers"));
    let _ = writeln!(text, ", as of {} GMT", minute(usage, "as_of"));
    let counted_in = or(word(usage, "counted_in"), "points");
    let mut table = Table::new(&[
        Column::Left("group"),
        Column::Right("count"),
        Column::Right(if counted_in == "instances" { "instances" } else { "points" }),
        Column::Right("new"),
        Column::Right(if counted_in == "instances" { "new instances" } else { "new points" }),
        Column::Right("rental machines"),
        Column::Right("weight"),
        Column::Left("weight from"),
    ]);
    let numbers = ["count", "points", "new_count", "new_points", "rental_count", "weight", "weight_from"];
    for group in list(usage, "groups") {
        let name = or(word(group, "name"), &word(group, "key"));
        table.row(std::iter::once(name).chain(numbers.map(|number| word(group, number))));
        for part in list(group, "by_weight") {
            let name = format!("  at {}", word(part, "weight"));
            table.row(std::iter::once(name).chain(numbers.map(|number| word(part, number))));
        }
    }
    text.push_str(&table.text("nothing counts"));
    let _ = writeln!(
        text,
        "total: {} {counted_in}, {} new, {} rental machines",
        word(usage, "points"),
        word(usage, "new_points"),
        word(usage, "rental_count")
    );
    for (server, sections) in usage["sections"].as_object().into_iter().flatten() {
        for line in super::license::section_lines(sections) {
            let _ = writeln!(text, "{server}: {line}");
        }
    }
    for unknown in list(usage, "unknown_types") {
        let _ = writeln!(text, "! {}", unknown_line(unknown));
    }
    for discrepancy in list(usage, "discrepancies") {
        let _ = writeln!(text, "! {}", discrepancy.as_str().unwrap_or_default());
    }
    text
}

/// An unknown type in one line: what is counted, and how it is mapped.
pub fn unknown_line(unknown: &Value) -> String {
    format!(
        "{}: {} of type {} (not known here) are counted provisionally with weight {} ({}) since {}; map it in the \
         settings:\n{}",
        word(unknown, "server"),
        word(unknown, "count"),
        word(unknown, "type"),
        joined(unknown, "weights"),
        word(unknown, "weight_from"),
        minute(unknown, "since"),
        word(unknown, "map_with")
    )
}
