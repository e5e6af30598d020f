//! `watermark --from-journal`: the marks counted again from the journal, and whether they are the ones that are kept.

use std::fmt::Write;

use serde_json::Value;

use super::access::Access;
use super::session::Session;
use super::table::{Column, Table, dashed, list, minute, or, word};
use crate::agent::{Care, ProofAsked, Refused};
use crate::domain::Instant;

/// What no tenant's workloads are called.
const NO_TENANT: &str = "(none)";

pub fn run(session: &mut Session<'_>, asked: ProofAsked) -> Result<(), Refused> {
    session.refuse_now("watermark --from-journal")?;
    let proof = Access::open(session)?.care(session, &Care::ProveMarks(asked))?;
    session.show(&proof, text)?;
    if proof["holds"] == true {
        return Ok(());
    }
    let first = list(&proof, "differences").first().map(about).unwrap_or_default();
    let differing = word(&proof, "differing");
    Err(Refused::new(
        7,
        format!(
            "{differing} of the marks that are kept are not what follows from the journal, the first: {first}; the journal \
             decides: stop the agent and move state/ aside, the next start builds it again"
        ),
    ))
}

fn text(proof: &Value, _: Instant) -> String {
    let word = |name: &str| word(proof, name);
    let mut text = format!(
        "counted again from the journal: {} samples in {} entries, every checksum and link checked\nhead {}\n",
        word("samples"),
        word("entries"),
        word("head")
    );
    if word("thinned_samples") != "0" {
        let _ = writeln!(
            text,
            "of {} samples only their sums are left, which were added as they are",
            word("thinned_samples")
        );
    }
    text += &match proof["holds"] == true {
        true => {
            format!("what is kept is equal: {} days, {} marks by tenant and type\n", word("days"), word("marks"))
        }
        false => format!("NOT equal to what is kept, in {} places:\n{}", word("differing"), differences(proof)),
    };
    for unit in list(proof, "units") {
        text += &unit_text(unit);
    }
    text
}

fn unit_text(unit: &Value) -> String {
    let mut periods = Table::new(&[Column::Left("period"), Column::Right("points"), Column::Left("at, GMT")]);
    for period in list(unit, "periods") {
        periods.row([word(period, "period"), dashed(period, "points"), minute(period, "at")]);
    }
    let mut text = format!("\nunit {}\n{}", word(unit, "unit"), periods.text("no complete sample"));
    if unit["groups"].is_array() {
        let mut groups = Table::new(&[Column::Left("tenant"), Column::Left("type"), Column::Right("highest")]);
        for group in list(unit, "groups") {
            groups.row([or(word(group, "tenant"), NO_TENANT), word(group, "type"), word(group, "points")]);
        }
        text += &format!("\n{}", groups.text("no points"));
    }
    text
}

fn differences(proof: &Value) -> String {
    let columns = ["unit", "week", "day", "what", "kept", "from the journal"].map(Column::Left);
    let mut table = Table::new(&columns);
    for found in list(proof, "differences") {
        let word = |name: &str| word(found, name);
        let (kept, recounted) = (dashed(found, "kept"), dashed(found, "recounted"));
        table.row([word("unit"), word("week"), word("day"), what(found), kept, recounted]);
    }
    table.text("none")
}

fn what(found: &Value) -> String {
    match word(found, "what").as_str() {
        "group" => format!("{}, {}", or(word(found, "tenant"), NO_TENANT), word(found, "type")),
        "by_type" => format!("{} in the mark", word(found, "type")),
        "samples" => format!("samples of {}", word(found, "server")),
        "at" => "the mark's instant".to_owned(),
        _ => "the day's mark".to_owned(),
    }
}

fn about(found: &Value) -> String {
    format!(
        "unit {}, {}, {}, {}: {} kept, {} from the journal",
        word(found, "unit"),
        word(found, "week"),
        word(found, "day"),
        what(found),
        dashed(found, "kept"),
        dashed(found, "recounted")
    )
}
