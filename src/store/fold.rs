//! The fold over one server's samples in order of time: ledger, classes, summaries.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::StoreError;
use super::kept::{self, KeptSummary, LedgerRow, SampleRow, SummaryRow};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::letting_go::Remains;
use super::packing::{self, KEYFRAMES_MAX, STEPS_MAX};
use crate::domain::Instant;
use crate::domain::sample::{Counted, Sample, Summary};
use crate::rules::counting::{AsOf, Ledger, classify, summary, unrounded};
use crate::rules::rating::Rating;
use crate::rules::unstructured::{SIZE_COUNTS_FOR, Sizes};

/// The fold after one sample.
#[derive(Clone, Default)]
pub(super) struct Fold {
    pub ledger: Arc<Ledger>,
    pub sizes: Sizes,
    /// The sample since which the summary is the same, and the summary.
    summary: Option<(Moment, Arc<Summary>)>,
}

/// A sample with the classes of its workloads and the ledger that told them; a copy shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassifiedSample {
    pub sample: Arc<Sample>,
    /// What was known when it was taken; classifies it for another hour too.
    pub ledger: Arc<Ledger>,
    /// In the order of the sample's workloads, by its own instant.
    pub counted: Arc<[Counted]>,
    /// What answered where the server states no weight.
    pub rating: Arc<Rating>,
}

impl ClassifiedSample {
    /// `sample` is mapped.
    pub(super) fn of(sample: Arc<Sample>, ledger: Arc<Ledger>, rating: Arc<Rating>) -> ClassifiedSample {
        let counted = classify(&sample, &ledger, AsOf::sample(sample.taken_at), &rating).into();
        ClassifiedSample { sample, ledger, counted, rating }
    }

    pub fn summary(&self) -> Summary {
        summary(&self.sample, &self.counted, &self.rating)
    }
}

impl Fold {
    /// The fold as the sample at this instant left it.
    pub fn after(kv: &Kv, server: &str, at: Instant) -> Result<Fold, StoreError> {
        let row = read_summary(kv, server, at)?.ok_or_else(|| kept::odd("a summary", "it is missing"))?;
        let whole_at = match row.summary {
            KeptSummary::SameAs(since) => since,
            KeptSummary::Whole(_) => Moment::of(at),
        };
        let whole = Arc::new(resolve(kv, server, row.summary)?);
        let sizes = sizes_as_of(kv, server, at)?;
        Ok(Fold { ledger: Arc::new(ledger_as_of(kv, server, at)?), sizes, summary: Some((whole_at, whole)) })
    }

    /// Takes one more sample, mapped and later than all before it, and puts what follows from it.
    pub fn step(&mut self, kv: &mut Kv, sample: &Sample, row: &SampleRow, rating: &Rating) -> Result<(), StoreError> {
        let (server, at) = (sample.server.as_str(), sample.taken_at);
        let changed = Arc::make_mut(&mut self.ledger).take_note(sample);
        self.put_ledger(kv, server, at, changed)?;
        self.put_sizes(kv, server, at, Sizes::of(sample));
        let sample = &*self.sizes.counted(Cow::Borrowed(sample));
        let counted = classify(sample, &self.ledger, AsOf::sample(at), rating);
        self.put_summary(kv, server, at, row, unrounded(sample, &counted, rating));
        Ok(())
    }

    /// The same for a sample of which only this is left.
    pub fn step_over(
        &mut self,
        kv: &mut Kv,
        server: &str,
        at: Instant,
        row: &SampleRow,
        remains: Remains,
    ) -> Result<(), StoreError> {
        let changed = Arc::make_mut(&mut self.ledger).take_note_of(at, remains.told());
        self.put_ledger(kv, server, at, changed)?;
        let Remains { summary, sizes, .. } = remains;
        self.put_sizes(kv, server, at, sizes.sizes()?);
        let summary = resolve(kv, server, summary)?;
        self.put_summary(kv, server, at, row, summary);
        Ok(())
    }

    fn put_ledger(&self, kv: &mut Kv, server: &str, at: Instant, changed: Vec<String>) -> Result<(), StoreError> {
        for id in changed {
            let seen = self.ledger.rows()[&id];
            let key = keys::named(About::Ledger, server, &id);
            let kept = match kv.get(&key)? {
                Some(bytes) => {
                    let mut kept: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
                    kept.learn(at, seen);
                    kept
                }
                None => LedgerRow::first(at, seen),
            };
            kv.put(key, kept::to_bytes(&kept));
        }
        Ok(())
    }

    fn put_sizes(&mut self, kv: &mut Kv, server: &str, at: Instant, stated: Vec<(String, Decimal)>) {
        if !stated.is_empty() {
            kv.put(keys::at(About::Sizes, server, at), kept::to_bytes(&kept::KeptSizes::of(&stated)));
        }
        self.sizes.take_note(at, stated);
    }

    fn put_summary(&mut self, kv: &mut Kv, server: &str, at: Instant, row: &SampleRow, summary: Summary) {
        let kept = match &self.summary {
            Some((since, same)) if **same == summary => KeptSummary::SameAs(*since),
            Some(_) | None => {
                let kept = KeptSummary::whole(&summary);
                self.summary = Some((Moment::of(at), Arc::new(summary)));
                kept
            }
        };
        let key = keys::at(About::Summary, server, at);
        kv.put(key, kept::to_bytes(&SummaryRow { unit: row.unit.clone(), summary: kept }));
    }
}

/// Takes back from the ledger what samples after the instant told it; all of it when there is none.
pub(super) fn rewind_ledger(kv: &mut Kv, server: &str, to: Option<Instant>) -> Result<(), StoreError> {
    let prefix = keys::prefix(About::Ledger, server);
    for (key, bytes) in kv.scan(&prefix, &keys::end_of(&prefix))? {
        let row: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
        match to.and_then(|at| row.as_of(Moment::of(at))) {
            Some(before) if before == row => {}
            Some(before) => kv.put(key, kept::to_bytes(&before)),
            None => kv.delete(key),
        }
    }
    Ok(())
}

fn ledger_as_of(kv: &Kv, server: &str, at: Instant) -> Result<Ledger, StoreError> {
    let prefix = keys::prefix(About::Ledger, server);
    let mut rows = Vec::new();
    for (key, bytes) in kv.scan(&prefix, &keys::end_of(&prefix))? {
        let row: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
        let id = keys::name_of(&key, &prefix).ok_or_else(|| kept::odd("a ledger key", "it is no text"))?;
        rows.extend(row.as_of(Moment::of(at)).and_then(|row| row.first_seen()).map(|seen| (id.to_owned(), seen)));
    }
    let samples = keys::prefix(About::Sample, server);
    let first = kv.first_key(&samples, &keys::end_of(&samples))?;
    Ok(Ledger::of(first.as_deref().and_then(keys::instant_of), rows))
}

/// The sizes that still count as the sample at this instant left them.
fn sizes_as_of(kv: &Kv, server: &str, at: Instant) -> Result<Sizes, StoreError> {
    let from = at.checked_sub_signed(SIZE_COUNTS_FOR).unwrap_or(Instant::MIN_UTC);
    let to = keys::end_of(&keys::at(About::Sizes, server, at));
    let mut sizes = Sizes::default();
    for (key, bytes) in kv.scan(&keys::at(About::Sizes, server, from), &to)? {
        let stated_at = keys::instant_of(&key).ok_or_else(|| kept::odd("a size's key", "it has no instant"))?;
        sizes.take_note(stated_at, kept::from_bytes::<kept::KeptSizes>("sizes", &bytes)?.sizes()?);
    }
    Ok(sizes)
}

pub(super) fn read_summary(kv: &Kv, server: &str, at: Instant) -> Result<Option<SummaryRow>, StoreError> {
    let bytes = kv.get(&keys::at(About::Summary, server, at))?;
    bytes.map(|bytes| kept::from_bytes("a summary", &bytes)).transpose()
}

/// The summary itself, wherever it is kept.
pub(super) fn resolve(kv: &Kv, server: &str, summary: KeptSummary) -> Result<Summary, StoreError> {
    let groups = match summary {
        KeptSummary::Whole(groups) => groups,
        KeptSummary::SameAs(since) => match read_summary(kv, server, kept::instant(since)?)?.map(|row| row.summary) {
            Some(KeptSummary::Whole(groups)) => groups,
            Some(KeptSummary::SameAs(_)) | None => return Err(kept::odd("a summary", "what it repeats is missing")),
        },
    };
    kept::summary_of(groups)
}

/// Unpacks samples of one server and remembers the ones that others are relative to.
#[derive(Clone, Default)]
pub(super) struct Unpacker {
    newest: Option<(Moment, Arc<Sample>)>,
    keyframe: Option<(Moment, Arc<Sample>)>,
}

/// A sample is at most so many steps away from a whole one.
const CHAIN_MAX: u32 = STEPS_MAX + KEYFRAMES_MAX;

impl Unpacker {
    fn known(&self, at: Moment) -> Option<Arc<Sample>> {
        let both = self.newest.iter().chain(&self.keyframe);
        both.filter(|(known, _)| *known == at).map(|(_, sample)| Arc::clone(sample)).next()
    }

    /// The sample of this instant, and its row.
    pub fn load(&mut self, kv: &Kv, server: &str, at: Moment) -> Result<(Arc<Sample>, SampleRow), StoreError> {
        let row = read_row(kv, server, at)?;
        Ok((self.unpack(kv, server, at, &row)?, row))
    }

    /// The sample of this instant, whose row this is.
    pub fn unpack(&mut self, kv: &Kv, server: &str, at: Moment, row: &SampleRow) -> Result<Arc<Sample>, StoreError> {
        if Remains::of_row(row)?.is_some() {
            return Err(StoreError::Thinned { server: server.to_owned(), at: kept::instant(at)? });
        }
        if let Some(sample) = self.known(at) {
            return Ok(sample);
        }
        let mut chain: BTreeMap<Moment, SampleRow> = BTreeMap::from([(at, row.clone())]);
        let mut base_at = row.base_at;
        let mut base = None;
        while let Some(needed) = base_at {
            base = self.known(needed);
            if base.is_some() {
                break;
            }
            let row = read_row(kv, server, needed)?;
            base_at = row.base_at;
            chain.insert(needed, row);
            if chain.len() > CHAIN_MAX as usize {
                return Err(kept::odd("a sample", "it is too many steps away from a whole one"));
            }
        }
        // A base is always earlier, so the order of time is the order of unpacking.
        for (moment, row) in chain {
            let taken_at = kept::instant(moment)?;
            let unpacked = packing::unpack(&row.bytes, server, taken_at, base.take());
            let sample = Arc::new(unpacked.map_err(|error| kept::odd("a sample", &error.to_string()))?);
            if row.keyframe_at == moment {
                self.keyframe = Some((moment, Arc::clone(&sample)));
            }
            base = Some(sample);
        }
        let sample = base.ok_or_else(|| kept::odd("a sample", "it is missing"))?;
        self.newest = Some((at, Arc::clone(&sample)));
        Ok(sample)
    }
}

pub(super) fn read_row(kv: &Kv, server: &str, at: Moment) -> Result<SampleRow, StoreError> {
    let bytes = kv.get(&keys::at(About::Sample, server, kept::instant(at)?))?;
    let bytes = bytes.ok_or_else(|| kept::odd("a sample", "it is missing"))?;
    kept::from_bytes("a sample", &bytes)
}
