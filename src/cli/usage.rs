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
    let mut table = Table::new(&[
        Column::Left("group"),
        Column::Right("count"),
        Column::Right("points"),
        Column::Right("new"),
        Column::Right("new points"),
        Column::Right("rental machines"),
    ]);
    let groups = list(usage, "groups");
    for group in groups {
        let name = or(word(group, "name"), &word(group, "key"));
        let numbers = ["count", "points", "new_count", "new_points", "rental_count"];
        table.row(std::iter::once(name).chain(numbers.map(|number| word(group, number))));
    }
    text.push_str(&table.text("nothing counts"));
    let _ = writeln!(
        text,
        "total: {} points, {} new, {} rental machines",
        word(usage, "points"),
        word(usage, "new_points"),
        word(usage, "rental_count")
    );
    for discrepancy in list(usage, "discrepancies") {
        let _ = writeln!(text, "! {}", discrepancy.as_str().unwrap_or_default());
    }
    text
}
