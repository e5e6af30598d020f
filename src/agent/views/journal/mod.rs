//! The journal, newest first, to look through: who did what, when and why.

mod kinds;
mod words;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::paging;
use crate::agent::{Agent, Refused, Trouble};
use crate::domain::Month;
use crate::domain::calendar::minute_local;
use crate::seal::digest::hex;
use crate::store::fact::Fact;
use crate::store::journal::Entry;
use crate::store::{claimed_len, facts_of};

pub use kinds::{JOURNAL_KINDS, JournalKind};

/// Most entries that one answer looks at.
const LOOKED_MAX: usize = 20_000;
/// Most bytes that one answer unpacks; the entry that exceeds it is the last.
const UNPACKED_MAX: usize = 16 << 20;
/// Most facts that are told of each entry of several, and of one alone.
const FACTS_MAX: usize = 20;
const FACTS_OF_ONE_MAX: usize = 1_000;
/// How much of an entry's hash is shown.
const HASH_SIGNS: usize = 12;

/// What is looked for in the journal; what is left out does not narrow it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct JournalSearch {
    /// Part of what happened, of the reason or of who did it; capitals or not.
    pub text: Option<String>,
    /// Part of who did it.
    pub actor: Option<String>,
    pub kind: Option<JournalKind>,
    pub month: Option<Month>,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// The one entry of this number, told in full.
    #[serde(deserialize_with = "paging::number")]
    pub seq: Option<u64>,
    /// Only entries before the one of this number: the `next` of the answer before.
    #[serde(deserialize_with = "paging::number")]
    pub after: Option<u64>,
    /// Most entries of the answer, 1 to [`paging::ROWS_MAX`].
    #[serde(deserialize_with = "paging::number")]
    pub limit: Option<u16>,
}

/// How far an answer has got.
#[derive(Default)]
struct Page {
    entries: Vec<Value>,
    looked: usize,
    unpacked: usize,
    /// The entry that was looked at last.
    last: Option<u64>,
}

impl Agent {
    /// `journal --json`: a page of entries that fit, newest first. Where looking on would take long the page ends, full
    /// or not, and `next` says from where to go on; null: everything was looked at.
    pub(in crate::agent) fn journal(&self, search: &JournalSearch) -> Result<Value, Refused> {
        let (rows, looked_max) = search.seq.map_or((paging::rows(search.limit), LOOKED_MAX), |_| (1, 1));
        let (mut page, mut odd) = (Page::default(), None);
        let before = search.seq.map_or(search.after, |seq| seq.checked_add(1)).unwrap_or(u64::MAX);
        let read = self.store.newest_first(before, &mut |entry| {
            if let Err(trouble) = self.look_at(entry, search, &mut page) {
                odd = Some(trouble);
                return ControlFlow::Break(());
            }
            let is_over = page.entries.len() >= rows || page.looked >= looked_max || page.unpacked >= UNPACKED_MAX;
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        read.map_err(Trouble::from)?;
        odd.map_or(Ok(()), Err)?;
        Ok(json!({
            "schema": "tidegauge.journal/1",
            "head": self.store.head().seq,
            "entries": page.entries,
            "looked_at": page.looked,
            "next": page.last.filter(|last| *last > 1 && search.seq.is_none()),
        }))
    }

    fn look_at(&self, entry: &Entry, search: &JournalSearch, page: &mut Page) -> Result<(), Trouble> {
        page.looked += 1;
        page.last = Some(entry.seq);
        if !search.fits_header(entry) {
            return Ok(());
        }
        page.unpacked += claimed_len(&entry.payload);
        let facts = facts_of(entry)?;
        let kinds: BTreeSet<JournalKind> = facts.iter().map(kinds::kind_of).collect();
        if search.kind.is_some_and(|kind| !kinds.contains(&kind)) {
            return Ok(());
        }
        let mut reasons: Vec<String> = facts.iter().flat_map(|fact| words::reasons(fact, entry.now)).collect();
        reasons.dedup();
        let told: Vec<String> = facts.iter().map(words::words).collect();
        if search.fits_words(&entry.actor, &told, &reasons) {
            let most = search.seq.map_or(FACTS_MAX, |_| FACTS_OF_ONE_MAX);
            let mut shown = self.entry_shown(entry, (&facts, told), &reasons, most);
            if search.seq.is_some() {
                shown["hash"] = json!(hex(&entry.hash));
                shown["previous_hash"] = json!(hex(&entry.prev));
                shown["payload_bytes"] = json!(entry.payload.len());
                shown["thinned"] = json!(entry.thinned_from.is_some());
            }
            page.entries.push(shown);
        }
        Ok(())
    }

    /// The entry with at most so many of its facts, each in the words beside it.
    fn entry_shown(
        &self,
        entry: &Entry,
        (facts, told): (&[Fact], Vec<String>),
        reasons: &[String],
        most: usize,
    ) -> Value {
        let with_kind = facts.iter().zip(told).take(most);
        let what: Vec<Value> =
            with_kind.map(|(fact, words)| json!({"kind": kinds::kind_of(fact), "words": words})).collect();
        json!({
            "seq": entry.seq,
            "recorded_at": entry.recorded_at,
            "now": entry.now,
            "now_local": minute_local(entry.now, self.settings.time_zone),
            "actor": entry.actor,
            "hash": &hex(&entry.hash)[..HASH_SIGNS],
            "what": what,
            "more": facts.len().saturating_sub(most),
            "reason": (!reasons.is_empty()).then(|| reasons.join("; ")),
        })
    }
}

impl JournalSearch {
    /// By what stands outside the payload.
    fn fits_header(&self, entry: &Entry) -> bool {
        let day = entry.now.date_naive();
        self.seq.is_none_or(|seq| seq == entry.seq)
            && self.month.is_none_or(|month| month.contains(entry.now))
            && self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|until| day <= until)
            && self.actor.as_deref().is_none_or(|actor| holds(&entry.actor, actor))
    }

    fn fits_words(&self, actor: &str, told: &[String], reasons: &[String]) -> bool {
        let Some(text) = self.text.as_deref() else { return true };
        holds(actor, text) || told.iter().chain(reasons).any(|words| holds(words, text))
    }
}

/// Whether the part stands in the words, capitals or not.
fn holds(words: &str, part: &str) -> bool {
    words.to_lowercase().contains(&part.trim().to_lowercase())
}
