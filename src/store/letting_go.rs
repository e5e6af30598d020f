//! Letting go of raw samples and told news by age: first a checkpoint carries what stays of them, then the journal is
//! rewritten without their payloads. A kill in between is healed by rewriting again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Store;
use super::StoreError;
use super::fact::{Fact, PackedSample};
use super::fold::read_row;
use super::forgetting::{self, Withheld};
use super::journal::{JournalError, Left};
use super::kept::{self, KeptSummary, LedgerRow, SampleRow};
use super::keys::{self, About, Moment};
use super::packing::{self, KEYFRAMES_MAX, Kind, STEPS_MAX, digest};
use super::payload::{self, Less};
use super::remains::Remains;
use super::rows::{self, Row, key};
use super::state::State;
use super::summaries::{newest_as_of, resolve, same_since};
use super::unpacking::Unpacker;
use crate::domain::forgetting::Forgotten;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::notice::Notice;
use crate::domain::{Instant, Month};
use crate::seal::chain::Hash;
use crate::seal::digest::hex;

/// Samples of one checkpoint, up to the end of a server's; what is behind them is left to the next one.
const SAMPLES_MAX: usize = 50_000;
/// News of one checkpoint.
const NEWS_MAX: usize = 20_000;
/// Later samples that are looked at for one that is relative to a sample to be let go: beyond them stands a whole one.
const LATER_MAX: usize = (STEPS_MAX * KEYFRAMES_MAX) as usize;

/// What samples told the ledger, by the instant of the sample: workloads, and since when as the server stated.
type LedgerTold = BTreeMap<Moment, Vec<(String, Option<Moment>)>>;

/// A deed of letting go, or what is left by one in a thinned entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum LettingGo {
    /// What is left of a sample; only thinned entries hold it.
    SampleThinned { sample: ThinnedSample },
    /// What is left of news; only thinned entries hold it.
    NoticeThinned { told: LastTold },
    /// What is let go, and what stays of it.
    Checkpoint { checkpoint: Checkpoint },
    /// A month's reports went by order, and what stays of them.
    Forgotten { forgotten: Forgotten },
    /// The journal holds nothing of it any more.
    JournalThinned { thinned: JournalThinned },
}

/// What is let go, and what stays of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Names the checkpoint.
    pub at: Instant,
    /// Raw samples before this instant are let go, but for those that something kept needs.
    pub raw_before: Instant,
    /// News before this instant that nobody still has to hear are let go.
    pub news_before: Instant,
    /// There is more to let go than one checkpoint takes.
    pub more: bool,
    /// Emptied in the journal, the last of all, once what is left stands in the samples' own entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<ThinnedSample>,
    /// Ids of the news; kept, because some stay in entries that prove a month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// What is left of a sample: that it was taken, its digest, its sums, and which workloads it showed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThinnedSample {
    pub server: ServerName,
    pub taken_at: Instant,
    /// That of the whole sample: tells a repeat from a conflict.
    pub digest: Hash,
    pub left: Vec<u8>,
}

/// What is left of news: when people were last told of a month's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTold {
    pub unit: UnitId,
    pub month: Month,
    pub at: Instant,
}

/// The journal holds nothing any more of what checkpoints up to this one let go, nor of what was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalThinned {
    /// The checkpoint's own instant.
    pub checkpoint: Option<Instant>,
    /// Months that were forgotten by then, of all units.
    #[serde(default)]
    pub forgotten: u64,
    /// Thinned entries in all.
    pub entries: u64,
    /// Over what is left of them, hex: [`Left`].
    pub digest: String,
}

impl JournalThinned {
    /// Whether this is what is left.
    pub(super) fn is_of(&self, left: &Left) -> bool {
        (self.entries, &self.digest) == (left.entries, &hex(&left.digest))
    }
}

/// From which ages on something is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub raw_before: Instant,
    pub news_before: Instant,
}

impl LettingGo {
    /// The rows that it sets; samples and lists set theirs in [`State`].
    pub(super) fn rows(&self) -> Vec<Row> {
        match self {
            LettingGo::SampleThinned { .. } => Vec::new(),
            LettingGo::NoticeThinned { told } => rows::one(key::last_told(&told.unit, told.month), &told.at),
            LettingGo::Checkpoint { checkpoint } => {
                let head = Checkpoint { samples: Vec::new(), notices: Vec::new(), ..checkpoint.clone() };
                rows::one(key::CHECKPOINT.to_owned(), &head)
            }
            LettingGo::Forgotten { forgotten } => forgetting::rows(forgotten),
            LettingGo::JournalThinned { thinned } => rows::one(key::JOURNAL_THINNED.to_owned(), thinned),
        }
    }
}

impl Store {
    /// What may be let go now, and what stays of it; to be recorded as [`Fact::Checkpoint`].
    ///
    /// A server's newest sample before the instant stays, and what kept samples are relative to; so do all samples of
    /// units that count a machine of several servers once, because their days are found from them.
    ///
    /// # Errors
    /// The state fails.
    pub fn checkpoint(&self, at: Instant, due: Due) -> Result<Checkpoint, StoreError> {
        let Due { raw_before, news_before } = due;
        let mut checkpoint =
            Checkpoint { at, raw_before, news_before, more: false, samples: Vec::new(), notices: Vec::new() };
        let counts_once: BTreeSet<UnitId> =
            self.units()?.into_iter().filter(|unit: &Unit| !unit.counts_once.is_empty()).map(|unit| unit.id).collect();
        for server in self.servers()? {
            if SAMPLES_MAX <= checkpoint.samples.len() {
                checkpoint.more = true;
                break;
            }
            if self.unit_of(&server)?.is_none_or(|unit| !counts_once.contains(&unit)) {
                checkpoint.samples.extend(self.noting(self.state.thinned_before(&server, raw_before))?);
            }
        }
        let old = self.rows::<Notice>("notice/")?.into_iter().filter(|(_, notice)| notice.at < news_before);
        for (_, notice) in old {
            if self.row::<bool>(&key::pending(&notice.id))?.is_none() {
                checkpoint.notices.push(notice.id);
            }
        }
        checkpoint.more |= NEWS_MAX < checkpoint.notices.len();
        checkpoint.notices.truncate(NEWS_MAX);
        Ok(checkpoint)
    }

    /// Rewrites the journal without what checkpoints let go and orders had forgotten; says what to record. Safe to repeat.
    ///
    /// # Errors
    /// The journal or the state fails: open the store again.
    pub fn thin_journal(&mut self) -> Result<Option<Fact>, StoreError> {
        let checkpoint = self.row::<Checkpoint>(key::CHECKPOINT)?.map(|newest| newest.at);
        let withheld = self.withheld()?;
        let forgotten = withheld.months();
        if checkpoint.is_none() && forgotten == 0 {
            return Ok(None);
        }
        let (state, through) = (&self.state, self.journal.head().seq);
        let left = self.journal.thin(through, &mut |entry| {
            let less = payload::thinned(&entry.payload, &mut |facts| state.less_of(facts, &withheld));
            less.map_err(|error| JournalError::NotUnderstood { seq: entry.seq, why: error.to_string() })
        })?;
        let (entries, digest) = (left.entries, hex(&left.digest));
        let thinned = JournalThinned { checkpoint, forgotten, entries, digest };
        Ok(Some(Fact::LetGo { deed: LettingGo::JournalThinned { thinned } }))
    }
}

impl State {
    /// What stays of the server's samples that may be let go.
    fn thinned_before(&self, server: &str, before: Instant) -> Result<Vec<ThinnedSample>, StoreError> {
        let prefix = keys::prefix(About::Sample, server);
        let (here, end) = (keys::at(About::Sample, server, before), keys::end_of(&prefix));
        let mut rows = BTreeMap::new();
        for at in self.instants(&prefix, &here)? {
            rows.insert(Moment::of(at), read_row(&self.kv, server, Moment::of(at))?);
        }
        let mut needed: Vec<Moment> = rows.keys().next_back().copied().into_iter().collect();
        let mut later = 0;
        for at in self.instants(&here, &end)? {
            let base_at = read_row(&self.kv, server, Moment::of(at))?.base_at;
            needed.extend(base_at);
            later += usize::from(base_at.is_some());
            if LATER_MAX <= later {
                break;
            }
        }
        let mut stay = BTreeSet::new();
        while let Some(at) = needed.pop() {
            if let Some(row) = rows.get(&at).filter(|_| stay.insert(at)) {
                needed.extend(row.base_at);
            }
        }
        rows.retain(|at, _| !stay.contains(at));
        let told = self.told_by(server)?;
        let is_thinned = |since: Moment| rows.contains_key(&since);
        let (mut thinned, mut unpacker) = (Vec::new(), Unpacker::default());
        for (at, row) in &rows {
            if Remains::of_row(row)?.is_some() {
                continue;
            }
            let taken_at = kept::instant(*at)?;
            let left = self.left_of(server, taken_at, told.get(at).cloned().unwrap_or_default(), &is_thinned)?;
            let digest = match row.digest {
                Some(digest) => digest,
                None => digest::digest(&*unpacker.unpack(&self.kv, server, *at, row)?),
            };
            thinned.push(ThinnedSample { server: server.to_owned(), taken_at, digest, left });
        }
        Ok(thinned)
    }

    fn left_of(
        &self,
        server: &str,
        taken_at: Instant,
        told: Vec<(String, Option<Moment>)>,
        is_thinned: &dyn Fn(Moment) -> bool,
    ) -> Result<Vec<u8>, StoreError> {
        let newest = newest_as_of(&self.kv, server, taken_at)?;
        let newest = newest.ok_or_else(|| kept::odd("a summary", "it is missing"))?;
        // What a raw sample adds up to may come out otherwise by other settings; what is let go stands.
        let summary = match same_since(&self.kv, server, taken_at)?.filter(|since| is_thinned(*since)) {
            Some(since) => KeptSummary::SameAs(since),
            None => KeptSummary::whole(&newest.summary),
        };
        let sizes = self.kv.get(&keys::at(About::Sizes, server, taken_at))?;
        let sizes = sizes.map(|bytes| kept::from_bytes("sizes", &bytes)).transpose()?.unwrap_or_default();
        Ok(packing::marked(Kind::Thinned, &kept::to_bytes(&Remains { summary, sizes, told })))
    }

    /// What each sample of the server told the ledger.
    fn told_by(&self, server: &str) -> Result<LedgerTold, StoreError> {
        let prefix = keys::prefix(About::Ledger, server);
        let mut told = LedgerTold::new();
        for (key, bytes) in self.kv.scan(&prefix, &keys::end_of(&prefix))? {
            let row: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
            let id = keys::name_of(&key, &prefix).ok_or_else(|| kept::odd("a ledger key", "it is no text"))?;
            for (at, stated) in row.told() {
                told.entry(at).or_default().push((id.to_owned(), stated));
            }
        }
        Ok(told)
    }

    /// Puts what stays in the place of what is let go.
    pub(super) fn let_go(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        // Sums are compared below, so those of entries gathered before must stand.
        self.settle()?;
        for ThinnedSample { server, taken_at, digest, left } in &checkpoint.samples {
            let moment = Moment::of(*taken_at);
            let row = read_row(&self.kv, server, moment)?;
            if Remains::of_row(&row)?.is_none() {
                let (digest, bytes) = (Some(*digest), left.clone());
                let row = SampleRow { base_at: None, keyframe_at: moment, step: 0, keyframe: 0, digest, bytes, ..row };
                self.follow_remains(server, *taken_at, &row)?;
                self.kv.put(keys::at(About::Sample, server, *taken_at), kept::to_bytes(&row));
            }
        }
        self.drop_news(&checkpoint.notices)
    }

    /// Has the server folded again when its sums differ from what stays: a rebuilt state may have rated otherwise.
    fn follow_remains(&mut self, server: &str, at: Instant, row: &SampleRow) -> Result<(), StoreError> {
        let Some(remains) = Remains::of_row(row)? else { return Ok(()) };
        let known = newest_as_of(&self.kv, server, at)?.map(|known| known.summary);
        if known.as_deref() != Some(&resolve(&self.kv, server, remains.summary)?) {
            self.unfold(server, at);
            row.unit.iter().for_each(|unit| self.unmark(&unit.id(), at));
        }
        Ok(())
    }

    /// What is left of an entry's facts. News in an entry that proves a month stay: its payload is evidence.
    fn less_of(&self, facts: &[Fact], withheld: &Withheld) -> Result<Vec<Less>, StoreError> {
        let is_sample = |fact: &Fact| matches!(fact, Fact::SampleTaken { .. });
        let stands = facts.iter().any(|fact| proves(fact) && !withheld.takes(fact)) && !facts.iter().any(is_sample);
        let less = |fact: &Fact| match fact {
            forgotten if withheld.takes(forgotten) => Ok(Less::Gone),
            _ if stands => Ok(Less::Stands),
            other => self.less(other),
        };
        facts.iter().map(less).collect()
    }

    /// What is left of a fact of the journal.
    fn less(&self, fact: &Fact) -> Result<Less, StoreError> {
        let gone_with = |id: &str| Ok(if self.has_notice(id)? { Less::Stands } else { Less::Gone });
        match fact {
            Fact::SampleTaken { sample } => {
                let row = read_row(&self.kv, &sample.server, Moment::of(sample.taken_at))?;
                Ok(match Remains::of_row(&row)? {
                    None => Less::Stands,
                    Some(_) => {
                        let PackedSample { server, taken_at, .. } = sample.clone();
                        let digest = row.digest.ok_or_else(|| kept::odd("a thinned sample", "it has no digest"))?;
                        let sample = ThinnedSample { server, taken_at, digest, left: row.bytes };
                        Less::Is(Box::new(Fact::LetGo { deed: LettingGo::SampleThinned { sample } }))
                    }
                })
            }
            Fact::NoticeQueued { notice } if !self.has_notice(&notice.id)? => {
                Ok(match (&notice.unit, notice.news.month_told()) {
                    (Some(unit), Some(month)) => {
                        let told = LastTold { unit: unit.clone(), month, at: notice.at };
                        Less::Is(Box::new(Fact::LetGo { deed: LettingGo::NoticeThinned { told } }))
                    }
                    _ => Less::Gone,
                })
            }
            Fact::NoticeDelivered { id, .. } | Fact::NoticeDropped { id, .. } | Fact::NoticeSettled { id } => {
                gone_with(id)
            }
            Fact::Setback { about, .. } | Fact::SetbackOver { about } => match told_in(about) {
                Some(id) => gone_with(id),
                None => Ok(Less::Stands),
            },
            // It stands behind all that it names, so a rewriting that is cut short still finds it.
            Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } } if !checkpoint.samples.is_empty() => {
                let checkpoint = Checkpoint { samples: Vec::new(), ..checkpoint.clone() };
                Ok(Less::Is(Box::new(Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } })))
            }
            _ => Ok(Less::Stands),
        }
    }

    fn has_notice(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.kv.get(&keys::row(&key::notice(id)))?.is_some())
    }
}

/// Whether a month's archive shows the fact.
fn proves(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::ReportKept { .. }
            | Fact::StageSet { .. }
            | Fact::MarkedExternal { .. }
            | Fact::FilesWritten { .. }
            | Fact::Sealed { .. }
            | Fact::Receipted { .. }
            | Fact::Justified { .. }
            | Fact::OperatorRuled { .. }
            | Fact::GateChanged { .. }
    )
}

/// The id of the news whose telling a setback is about ([`crate::rules::schedule::Duty::key`]).
fn told_in(about: &str) -> Option<&str> {
    about.strip_prefix("tell ")?.split(' ').next()
}
