//! The fold over one server's samples in order of time: ledger, classes, summaries.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::StoreError;
use super::kept::{self, LedgerRow, SampleRow};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::letting_go::Remains;
use super::packing::{self, KEYFRAMES_MAX, STEPS_MAX};
use super::summaries;
use crate::domain::Instant;
use crate::domain::sample::{Counted, Group, GroupTotal, Sample, Summary};
use crate::rules::counting::{AsOf, Ledger, classify, summary, unrounded};
use crate::rules::rating::Rating;
use crate::rules::standing::{Carried, Standing};
use crate::rules::unstructured::{SIZE_COUNTS_FOR, Sizes};

/// The fold after one sample.
#[derive(Clone, Default)]
pub(super) struct Fold {
    pub ledger: Arc<Ledger>,
    pub sizes: Sizes,
    pub newest: Option<summaries::Newest>,
    /// The newest sample, where its sums can be carried on.
    standing: Option<Standing>,
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
        let newest = Some(newest.ok_or_else(|| kept::odd("a summary", "it is missing"))?);
        let sizes = sizes_as_of(kv, server, at)?;
        Ok(Fold { ledger: Arc::new(ledger_as_of(kv, server, at)?), sizes, newest, standing: None, shifted: None })
    }

    /// Takes one more sample, later than all before it, and puts what follows from it.
    pub fn step(&mut self, kv: &mut Kv, taken: &Arc<Sample>, rating: &Rating) -> Result<(), StoreError> {
        let (server, at) = (taken.server.as_str(), taken.taken_at);
        if rating.mapping.is_empty()
            && self.sizes.is_empty()
            && let (Some(standing), Some(newest)) = (self.standing.as_mut(), self.newest.as_mut())
            && standing.carries_to(taken)
        {
            let Carried { groups, learnt } = standing.carry(taken, &mut self.ledger, &mut newest.summary, rating);
            self.put_ledger(kv, server, at, learnt)?;
            summaries::put_changed(kv, server, at, &mut self.newest, &groups)?;
            self.shifted = Some(groups);
            return Ok(());
        }
        let mapped = rating.mapped(taken);
        let told = || mapped.workloads.iter().map(|workload| (workload.id.as_str(), workload.first_processed_at));
        if self.ledger.first_sample_at().is_none() || told().any(|(id, stated)| self.ledger.learns(id, stated)) {
            let learnt = Arc::make_mut(&mut self.ledger).take_note(&mapped);
            self.put_ledger(kv, server, at, learnt)?;
        }
        self.put_sizes(kv, server, at, Sizes::of(&mapped));
        let sample = &*self.sizes.counted(mapped);
        let counted = classify(sample, &self.ledger, AsOf::sample(at), rating);
        (self.standing, self.shifted) = (Standing::of(taken, &counted), None);
        summaries::put(kv, server, at, &mut self.newest, unrounded(sample, &counted, rating))
    }

    /// The same for a sample of which only this is left.
    pub fn step_over(&mut self, kv: &mut Kv, server: &str, at: Instant, remains: Remains) -> Result<(), StoreError> {
        let changed = Arc::make_mut(&mut self.ledger).take_note_of(at, remains.told());
        self.put_ledger(kv, server, at, changed)?;
        let Remains { summary, sizes, .. } = remains;
        self.put_sizes(kv, server, at, sizes.sizes()?);
        let summary = summaries::resolve(kv, server, summary)?;
        (self.standing, self.shifted) = (None, None);
        summaries::put(kv, server, at, &mut self.newest, summary)
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

    /// The sample of this instant.
    pub fn sample(&mut self, kv: &Kv, server: &str, at: Moment) -> Result<Arc<Sample>, StoreError> {
        match self.known(at) {
            Some(known) => Ok(known),
            None => Ok(self.load(kv, server, at)?.0),
        }
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
