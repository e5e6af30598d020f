//! The fold over one server's samples in order of time: ledger, classes, summaries.

use std::sync::Arc;

use super::StoreError;
use super::kept::{self, LedgerRow, SampleRow};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::remains::Remains;
use super::summaries::{self, Newest};
use crate::domain::Instant;
use crate::domain::sample::{Counted, Group, GroupTotal, Sample, Summary};
use crate::rules::counting::{AsOf, Ledger, classify, summary};
use crate::rules::rating::Rating;
use crate::rules::tally::{Tally, Told};
use crate::rules::unstructured::{SIZE_COUNTS_FOR, Sizes};

/// The fold after one sample.
#[derive(Clone, Default)]
pub(super) struct Fold {
    pub tally: Tally,
    /// Where the row of its sums stands.
    place: Option<summaries::Place>,
    /// In which groups the newest summary differs from the one before it, each with its total before; `None`: in any.
    pub shifted: Option<Vec<(Group, GroupTotal)>>,
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
        let newest = summaries::newest_as_of(kv, server, at)?;
        let Newest { place, summary } = newest.ok_or_else(|| kept::odd("a summary", "it is missing"))?;
        let tally = Tally::of(ledger_as_of(kv, server, at)?, sizes_as_of(kv, server, at)?, summary);
        Ok(Fold { tally, place: Some(place), shifted: None })
    }

    /// Takes one more sample, later than all before it, and puts what follows from it.
    pub fn step(&mut self, kv: &mut Kv, taken: &Arc<Sample>, rating: &Rating) -> Result<(), StoreError> {
        let (server, at) = (taken.server.as_str(), taken.taken_at);
        if self.tally.carries_to(taken, rating) {
            let told = self.tally.carry(taken, rating);
            self.put(kv, server, at, &told)?;
            self.shifted = Some(told.groups);
        } else {
            let told = self.tally.count(taken, rating);
            self.put(kv, server, at, &told)?;
            self.shifted = None;
        }
        Ok(())
    }

    /// The same for a sample of which only this is left.
    pub fn step_over(&mut self, kv: &mut Kv, server: &str, at: Instant, remains: Remains) -> Result<(), StoreError> {
        let (told, sizes) = (remains.told(), remains.sizes.sizes()?);
        let summary = Arc::new(summaries::resolve(kv, server, remains.summary)?);
        let told = self.tally.pass(at, told.iter().map(|(id, stated)| (id.as_str(), *stated)), sizes, summary);
        self.shifted = None;
        self.put(kv, server, at, &told)
    }

    fn put(&mut self, kv: &mut Kv, server: &str, at: Instant, told: &Told) -> Result<(), StoreError> {
        self.put_ledger(kv, server, at, &told.learnt)?;
        if !told.sizes.is_empty() {
            kv.put(keys::at(About::Sizes, server, at), kept::to_bytes(&kept::KeptSizes::of(&told.sizes)));
        }
        let Some(summary) = self.tally.summary() else { return Ok(()) };
        summaries::put(kv, server, at, &mut self.place, summary, &told.groups)
    }

    fn put_ledger(&self, kv: &mut Kv, server: &str, at: Instant, learnt: &[String]) -> Result<(), StoreError> {
        for id in learnt {
            let seen = self.tally.ledger().rows()[id];
            let key = keys::named(About::Ledger, server, id);
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

pub(super) fn read_row(kv: &Kv, server: &str, at: Moment) -> Result<SampleRow, StoreError> {
    let bytes = kv.get(&keys::at(About::Sample, server, kept::instant(at)?))?;
    let bytes = bytes.ok_or_else(|| kept::odd("a sample", "it is missing"))?;
    kept::from_bytes("a sample", &bytes)
}
