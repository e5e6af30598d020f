//! `watermark`: the high watermark of a week or a month.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::arguments::UnitArgs;
use super::session::Session;
use super::table::{Column, Table, dashed, list, minute, or, word};
use super::watermark_proof;
use crate::agent::{ProofAsked, Query, Refused};
use crate::domain::{Instant, IsoWeek, Month};

/// What `watermark` is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// The ISO week, such as 2026-W44
    #[arg(long, value_name = "WEEK", conflicts_with = "month")]
    week: Option<IsoWeek>,
    /// The month, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Counts every mark again from the journal alone, and compares it with what is kept
    ///
    /// Reads the whole journal, checks its checksums and links, and counts its samples by the same rules into nothing that
    /// stays: every day's mark, its instant, its points by type, its samples, and the highest points of each tenant and
    /// type, of all units. Shows the weeks, or the week or month that is named by tenant and type. What is kept and is not
    /// what follows from the journal is named with unit, week, day, tenant and type, and the exit code is 7.
    #[arg(long)]
    from_journal: bool,
    #[command(flatten)]
    unit: UnitArgs,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let UnitArgs { unit, server } = asked.unit.clone();
    if asked.from_journal {
        let (week, month) = (asked.week, asked.month);
        return watermark_proof::run(session, ProofAsked { unit, server, week, month });
    }
    session.ask_and_show(&Query::Watermark { unit, server, week: asked.week, month: asked.month }, text)
}

pub fn text(mark: &Value, _: Instant) -> String {
    let mut text = format!("unit {}, {}: ", word(mark, "unit"), word(mark, "period"));
    let _ = match mark["points"].is_null() {
        true => writeln!(text, "no complete sample"),
        false => {
            let counted_in = or(word(mark, "counted_in"), "points");
            writeln!(text, "{} {counted_in} at {} GMT", word(mark, "points"), minute(mark, "at"))
        }
    };
    for (kind, points) in mark["by_type"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "  {kind}: {}", points.as_str().unwrap_or_default());
    }
    let coverage = &mark["coverage"];
    let _ = writeln!(text, "samples: {} of {} expected\n", word(coverage, "complete"), word(coverage, "expected"));
    let servers = mark["coverage_by_server"].as_object().filter(|servers| servers.len() > 1);
    for (server, coverage) in servers.into_iter().flatten() {
        let (complete, expected) = (word(coverage, "complete"), word(coverage, "expected"));
        let _ = writeln!(text, "  {server}: {complete} of {expected}");
    }
    text.push_str(&days(list(mark, "daily")));
    text
}

/// A row a day, also for a report.
pub fn days(daily: &[Value]) -> String {
    let mut table =
        Table::new(&[Column::Left("day"), Column::Right("points"), Column::Left("at"), Column::Right("samples")]);
    for day in daily {
        let time = or(word(day, "at").get(11..16).unwrap_or_default().to_owned(), "-");
        let samples = format!("{}/{}", word(day, "complete"), word(day, "expected"));
        table.row([word(day, "day"), dashed(day, "points"), time, samples]);
    }
    table.text("no day has begun")
}
