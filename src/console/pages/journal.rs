//! Journal: who did what, when and why, to look through; newest first.

use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::{JOURNAL_KINDS, JournalKind, JournalSearch, Query, Refused};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{When, encoded};
use crate::domain::Instant;
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/journal", name: Some("Journal"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

/// What the form asks for; an older page asks for the same.
const SEARCHED: [&str; 5] = ["search", "actor", "kind", "from", "until"];

#[derive(Template)]
#[template(path = "console/journal.html")]
struct Journal {
    frame: Frame,
    /// What stands in the form.
    search: Typed,
    entries: Vec<Entry>,
    looked_at: u64,
    /// Where older entries stand.
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "console/journal_entry.html")]
struct One {
    frame: Frame,
    entry: Entry,
    /// The entries beside it, by their numbers.
    before: Option<u64>,
    after: Option<u64>,
}

struct Typed {
    text: String,
    actor: String,
    kind: Option<JournalKind>,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

/// An entry, and when it was made by the clock of the deed and by the machine's.
struct Entry {
    at: When,
    /// When the deed was done as of another hour.
    recorded_at: Option<When>,
    shown: EntryAnswer,
}

/// `tidegauge.journal/1`.
#[derive(Deserialize)]
struct Answer {
    head: u64,
    entries: Vec<EntryAnswer>,
    looked_at: u64,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct EntryAnswer {
    seq: u64,
    recorded_at: Instant,
    now: Instant,
    actor: String,
    hash: String,
    what: Vec<Happened>,
    /// Things beyond those that are told.
    more: usize,
    reason: Option<String>,
    /// Only of an entry that is asked for alone.
    previous_hash: Option<String>,
    payload_bytes: Option<u64>,
    thinned: Option<bool>,
}

#[derive(Deserialize)]
struct Happened {
    kind: JournalKind,
    words: String,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    match visit.asked.read("seq")? {
        Some(seq) => one(visit, seq).await,
        None => page(visit).await,
    }
}

async fn page(mut visit: Visit) -> Result<Shown, Refused> {
    let search = Typed::of(&visit.asked)?;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let query = JournalSearch {
        text: given(&search.text),
        actor: given(&search.actor),
        kind: search.kind,
        from: search.from,
        until: search.until,
        after: visit.asked.read("after")?,
        ..JournalSearch::default()
    };
    let Answer { entries, looked_at, next, .. } = visit.ask(Query::Journal(query)).await?;
    let older = next.map(|next| older(&visit.asked, next));
    let entries = entries.into_iter().map(|entry| with_hours(&visit, entry)).collect();
    let frame = visit.frame(PAGE.path, "Journal").await?;
    Ok(Shown::Page(html(&Journal { frame, search, entries, looked_at, older })))
}

async fn one(mut visit: Visit, seq: u64) -> Result<Shown, Refused> {
    let query = JournalSearch { seq: Some(seq), ..JournalSearch::default() };
    let Answer { head, entries, .. } = visit.ask(Query::Journal(query)).await?;
    let entry = entries.into_iter().next();
    let entry = entry.ok_or_else(|| Refused::new(66, format!("the journal has no entry {seq}")))?;
    let (before, after) = (seq.checked_sub(1).filter(|seq| *seq > 0), Some(seq + 1).filter(|seq| *seq <= head));
    let entry = with_hours(&visit, entry);
    let frame = visit.frame(PAGE.path, format!("Entry {seq} · Journal")).await?;
    Ok(Shown::Page(html(&One { frame, entry, before, after })))
}

fn with_hours(visit: &Visit, shown: EntryAnswer) -> Entry {
    let is_of_its_hour = (shown.recorded_at - shown.now).abs().num_minutes() == 0;
    Entry { at: visit.when(shown.now), recorded_at: (!is_of_its_hour).then(|| visit.when(shown.recorded_at)), shown }
}

fn older(asked: &Fields, next: u64) -> String {
    let pair = |name: &str| Some(format!("{name}={}&", encoded(asked.text(name)?)));
    let search: String = SEARCHED.into_iter().filter_map(pair).collect();
    format!("{}?{search}after={next}", PAGE.path)
}

impl Typed {
    fn of(asked: &Fields) -> Result<Typed, Refused> {
        let text = |name: &str| asked.text(name).unwrap_or_default().to_owned();
        let kind = match asked.text("kind") {
            Some(name) => Some(kind_named(name)?),
            None => None,
        };
        Ok(Typed {
            text: text("search"),
            actor: text("actor"),
            kind,
            from: asked.read("from")?,
            until: asked.read("until")?,
        })
    }
}

fn kind_named(name: &str) -> Result<JournalKind, Refused> {
    let found = JOURNAL_KINDS.iter().find(|(_, known)| *known == name);
    found.map(|(kind, _)| *kind).ok_or_else(|| Refused::new(65, "the journal has no such kind; choose one of the list"))
}

impl Journal {
    /// Every kind: its name, and whether it is chosen.
    fn kinds(&self) -> Vec<(&'static str, bool)> {
        JOURNAL_KINDS.iter().map(|(kind, name)| (*name, self.search.kind == Some(*kind))).collect()
    }
}

impl EntryAnswer {
    /// What the entry is about.
    fn kinds(&self) -> String {
        let mut kinds: Vec<&str> = self.what.iter().map(Happened::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(", ")
    }

    /// Who did it: people without the word that tells them from duties.
    fn who(&self) -> &str {
        self.actor.strip_prefix("user:").unwrap_or(&self.actor)
    }
}

impl Happened {
    fn kind(&self) -> &'static str {
        JOURNAL_KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name)
    }
}
