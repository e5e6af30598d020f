//! `journal`: what happened, newest first.

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use super::access::Access;
use super::session::Session;
use super::table::{list, minute, or, word};
use crate::agent::{JOURNAL_KINDS, JournalKind, JournalSearch, Query, Refused};
use crate::domain::{Instant, Month};

/// Most answers that are asked for one after another.
const ANSWERS_MAX: usize = 1_000;
/// Most entries of one answer.
const PAGE: u16 = 500;

#[derive(Debug, Args)]
pub struct Asked {
    /// Only entries that say this, or whose reason or actor does
    #[arg(long, value_name = "T")]
    text: Option<String>,
    /// Only entries of whom this is a part of the name, such as duty or a user
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only of one kind: samples, reports, messages, licenses, gate, notices, billing, settings, agent
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<JournalKind>,
    /// Only of this month, such as 2026-10
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Only from this day on
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Only up to this day
    #[arg(long, value_name = "DAY")]
    until: Option<NaiveDate>,
    /// How many entries are shown
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    last: u16,
}

fn kind(text: &str) -> Result<JournalKind, String> {
    let known = JOURNAL_KINDS.iter().find(|(_, name)| *name == text);
    let names: Vec<&str> = JOURNAL_KINDS.iter().map(|(_, name)| *name).collect();
    known.map(|(kind, _)| *kind).ok_or_else(|| format!("write one of: {}", names.join(", ")))
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let mut access = Access::open(session)?;
    let (mut found, mut after): (Vec<Value>, Option<u64>) = (Vec::new(), None);
    let wanted = usize::from(asked.last);
    for _ in 0..ANSWERS_MAX {
        let limit = u16::try_from(wanted - found.len()).unwrap_or(PAGE).min(PAGE);
        let search = JournalSearch {
            text: asked.text.clone(),
            actor: asked.actor.clone(),
            kind: asked.kind,
            month: asked.month,
            from: asked.from,
            until: asked.until,
            after,
            limit: Some(limit),
            ..JournalSearch::default()
        };
        let answer = access.ask(session, &Query::Journal(search))?;
        found.extend(list(&answer, "entries").iter().cloned());
        after = answer["next"].as_u64();
        if after.is_none() || wanted <= found.len() {
            break;
        }
    }
    let shown = json!({"schema": "tidegauge.journal/1", "entries": found, "next": after});
    session.show(&shown, text)
}

fn text(journal: &Value, _: Instant) -> String {
    let entries = list(journal, "entries");
    if entries.is_empty() {
        return "nothing that fits\n".to_owned();
    }
    entries.iter().map(entry).collect()
}

/// When, which and who, then a line each for what happened.
fn entry(entry: &Value) -> String {
    let actor = or(word(entry, "actor"), "-");
    let mut text = format!("{}  {}  {actor}  {}\n", minute(entry, "now"), word(entry, "seq"), word(entry, "hash"));
    for what in list(entry, "what") {
        text.push_str(&format!("    {}\n", word(what, "words")));
    }
    let more = entry["more"].as_u64().unwrap_or(0);
    if more > 0 {
        text.push_str(&format!("    and {more} more\n"));
    }
    if !entry["reason"].is_null() {
        text.push_str(&format!("    reason: {}\n", word(entry, "reason")));
    }
    text
}
