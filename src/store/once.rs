//! Machines that several servers of a unit show, for units that count them once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::StoreError;
use super::days::Surpluses;
use super::kept::{self, LedgerRow};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::unpacking::Unpacker;
use crate::domain::Instant;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::sample::Sample;
use crate::domain::workload::Workload;
use crate::rules::counting::{AsOf, Ledger};
use crate::rules::duplicates::{self, Copy};
use crate::rules::rating::Rating;

/// Says of a workload of one of several samples when it was processed for the first time, as its server's ledger knows it.
pub(super) type FirstOf<'a> = &'a mut dyn FnMut(usize, &Workload) -> Result<Option<Instant>, StoreError>;

/// What counting on each server gives above counting once, by these samples of the unit's servers.
pub(super) fn surplus_among(
    samples: &[&Sample],
    rating: &Rating,
    first_of: FirstOf<'_>,
) -> Result<Surpluses, StoreError> {
    let rated: Vec<Cow<'_, Sample>> = samples.iter().map(|sample| rating.mapped(sample)).collect();
    let samples: Vec<&Sample> = rated.iter().map(AsRef::as_ref).collect();
    let mut surplus = Surpluses::new();
    for places in duplicates::shared(&samples).into_values() {
        let mut copies = Vec::new();
        for (of, place) in places {
            let (sample, workload) = (samples[of], &samples[of].workloads[place]);
            let first_processed_at = first_of(of, workload)?;
            let (as_of, weighed) = (AsOf::sample(sample.taken_at), rating.weight_of(workload, sample));
            let (weight, shares) = (weighed.weight, weighed.shares());
            copies.push(Copy { sample, workload, first_processed_at, as_of, weight, shares });
        }
        for (group, more) in duplicates::surplus(&copies) {
            surplus.entry(group).or_default().add(more);
        }
    }
    Ok(surplus)
}

/// Computes what counting on each server gives above counting once, at the instants at which the unit counts once.
pub(super) struct CountingOnce<'a> {
    kv: &'a Kv,
    unit: &'a Unit,
    servers: &'a [ServerName],
    rating: &'a Rating,
    unpackers: Vec<Unpacker>,
    /// The newest answer: the samples it was for.
    known: Option<(Vec<(usize, Instant)>, Surpluses)>,
}

impl<'a> CountingOnce<'a> {
    pub fn new(kv: &'a Kv, unit: &'a Unit, servers: &'a [ServerName], rating: &'a Rating) -> CountingOnce<'a> {
        let unpackers = vec![Unpacker::default(); servers.len()];
        CountingOnce { kv, unit, servers, rating, unpackers, known: None }
    }

    /// The surplus at an instant, of the servers whose samples stand then.
    pub fn surplus_at(&mut self, at: Instant, standing: &[(usize, Instant)]) -> Result<Surpluses, StoreError> {
        if standing.len() < 2 || !self.unit.counts_once_at(at) {
            return Ok(Surpluses::new());
        }
        if let Some((_, surplus)) = self.known.as_ref().filter(|(known, _)| known == standing) {
            return Ok(surplus.clone());
        }
        let surplus = self.surplus_of(standing)?;
        self.known = Some((standing.to_vec(), surplus.clone()));
        Ok(surplus)
    }

    fn surplus_of(&mut self, standing: &[(usize, Instant)]) -> Result<Surpluses, StoreError> {
        let mut samples: Vec<Arc<Sample>> = Vec::new();
        for (server, at) in standing {
            let name = &self.servers[*server];
            match self.unpackers[*server].load(self.kv, name, Moment::of(*at)) {
                Ok((sample, _)) => samples.push(sample),
                // It was let go before its unit agreed to count once: its day stands as it was.
                Err(StoreError::Thinned { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let samples: Vec<&Sample> = samples.iter().map(AsRef::as_ref).collect();
        surplus_among(&samples, self.rating, &mut |of, workload| {
            let ledger = self.ledger_of(&samples[of].server, &workload.id, samples[of].taken_at)?;
            Ok(ledger.first_processed_at(workload))
        })
    }

    /// What the server's ledger knew of this one workload.
    fn ledger_of(&self, server: &str, id: &str, at: Instant) -> Result<Ledger, StoreError> {
        let prefix = keys::prefix(About::Sample, server);
        let first = self.kv.first_key(&prefix, &keys::end_of(&prefix))?.as_deref().and_then(keys::instant_of);
        let mut rows = BTreeMap::new();
        if let Some(bytes) = self.kv.get(&keys::named(About::Ledger, server, id))? {
            let row: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
            rows.extend(row.as_of(Moment::of(at)).and_then(|row| row.first_seen()).map(|seen| (id.to_owned(), seen)));
        }
        Ok(Ledger::of(first, rows))
    }
}
