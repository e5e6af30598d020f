//! High watermarks counted again from the journal alone: of its entries only what bears on how samples count is read,
//! of samples only what changed, and nothing is kept. Whatever the state keeps of days is compared with it.

mod compared;
mod gathered;
mod walk;

use std::sync::Arc;

use chrono::NaiveDate;

use super::days::{Running, Seen, Surpluses};
use super::journal::{self, JournalError, Verified};
use super::marks::Maxima;
use super::once::surplus_among;
use super::{Store, StoreError};
use crate::domain::Instant;
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::sample::Sample;
use crate::domain::watermark::DayMark;
use crate::rules::rating::Rating;
use gathered::{Gathered, OfUnit};
use walk::Walk;

pub use compared::{MarkDiffers, WhatDiffers};

/// Takes a unit's day and the highest points of its groups on it; a unit's days come in order.
pub type EachRecounted<'a> = &'a mut dyn FnMut(&UnitId, &DayMark, &Maxima) -> Result<(), StoreError>;

/// What was counted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recounted {
    pub journal: Verified,
    pub samples: u64,
    /// Samples of which only sums are left: these were taken as they are.
    pub thinned: u64,
}

/// What was counted again, and how it differs from what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    pub recounted: Recounted,
    /// Days with a mark, of all units.
    pub days: u64,
    /// Groups' own highest points on these days.
    pub marks: u64,
    /// What differs, at most [`DIFFERENCES_MAX`] of it.
    pub differences: Vec<MarkDiffers>,
    /// How much differs.
    pub differing: u64,
}

/// So many differences are named.
pub const DIFFERENCES_MAX: usize = 1_000;

impl Store {
    /// Counts every day's marks again from the journal alone, whose checksums and links are checked on the way. How old a
    /// sample may be and what rates it are the settings' and taken from the state.
    ///
    /// # Errors
    /// Damage in the journal; a failing disk; what `each` returns.
    pub fn recount(&self, each: EachRecounted<'_>) -> Result<Recounted, StoreError> {
        let (mut gathered, mut failure) = (Gathered::default(), None);
        let replayed = journal::replay(&*self.files, &self.journal_folder, &mut |entry| {
            gathered.take(entry).map_err(|error| {
                let why = error.to_string();
                failure = Some(error);
                JournalError::NotUnderstood { seq: entry.seq, why }
            })
        });
        let journal = match failure {
            Some(error) => return Err(error),
            None => replayed?,
        };
        if journal.head != self.journal.head() {
            let what = format!("the journal ends with entry {}, not {}", journal.head.seq, self.journal.head().seq);
            return Err(StoreError::NotVerified { what });
        }
        gathered.check()?;
        let mut count = Count::of(self, &gathered);
        count.all(each)?;
        let (samples, thinned) = (count.samples, count.thinned);
        Ok(Recounted { journal, samples, thinned })
    }

    /// The same, each day compared with what is kept of it.
    ///
    /// # Errors
    /// As [`Store::recount`]; the state fails. What differs is no error.
    pub fn prove_marks(&self, each: EachRecounted<'_>) -> Result<Proved, StoreError> {
        let mut comparing = compared::Comparing::of(&self.state)?;
        let recounted = self.recount(&mut |unit, mark, maxima| {
            comparing.day(unit, mark, maxima)?;
            each(unit, mark, maxima)
        })?;
        Ok(comparing.proved(recounted))
    }
}

/// A unit as its samples are counted.
struct OfRunning<'a> {
    unit: &'a OfUnit,
    /// By the place of a server among the unit's: its place among all.
    servers: Vec<usize>,
    running: Running,
    /// Servers that were sampled at the instant that is being counted, by their places among the unit's.
    complete: Vec<usize>,
}

/// All servers' samples walked through together, in order of time.
struct Count<'a> {
    rating: &'a Rating,
    gathered: &'a Gathered,
    walks: Vec<Walk<'a>>,
    units: Vec<OfRunning<'a>>,
    /// By server the units that it is or was of, each with its place among that unit's servers.
    units_of: Vec<Vec<(usize, usize)>>,
    samples: u64,
    thinned: u64,
}

impl<'a> Count<'a> {
    fn of(store: &'a Store, gathered: &'a Gathered) -> Count<'a> {
        let mut units_of = vec![Vec::new(); gathered.servers.len()];
        let mut units = Vec::new();
        for unit in &gathered.units {
            let servers: Vec<usize> = unit.servers.values().copied().collect();
            for (place, server) in servers.iter().enumerate() {
                units_of[*server].push((units.len(), place));
            }
            let names: Vec<ServerName> = unit.servers.keys().cloned().collect();
            let running = Running::new(NaiveDate::MIN, names, store.state.basis_max_age());
            units.push(OfRunning { unit, servers, running, complete: Vec::new() });
        }
        let walks = gathered.servers.iter().map(Walk::of).collect();
        Count { rating: &store.state.rating, gathered, walks, units, units_of, samples: 0, thinned: 0 }
    }

    fn all(&mut self, each: EachRecounted<'_>) -> Result<(), StoreError> {
        let servers = self.gathered.servers.iter().enumerate();
        let mut order: Vec<_> =
            servers.flat_map(|(place, server)| server.samples.iter().map(move |sample| (sample.at, place))).collect();
        order.sort_unstable();
        for at_once in order.chunk_by(|(one, _), (next, _)| one == next) {
            let mut now = None;
            for (_, server) in at_once {
                now = Some(self.take(*server)?);
            }
            let Some(now) = now else { continue };
            for (_, server) in at_once {
                for place in 0..self.units_of[*server].len() {
                    self.mark(self.units_of[*server][place].0, now, each)?;
                }
            }
        }
        self.units.iter().try_for_each(|of| of.tell(each))
    }

    /// Counts a server's next sample and sets what it adds to units; returns its instant.
    fn take(&mut self, server: usize) -> Result<Instant, StoreError> {
        let walk = &mut self.walks[server];
        let coming = walk.read(self.rating)?;
        let (at, owner, is_carried) = (coming.at, coming.recorded.unit, coming.is_carried());
        self.samples += 1;
        self.thinned += u64::from(coming.is_left());
        for (unit, place) in self.units_of[server].iter().filter(|(unit, _)| is_carried && owner == Some(*unit)) {
            self.units[*unit].running.release(*place);
        }
        let groups = walk.count(coming, self.rating)?;
        let summary = walk.tally.summary();
        for (unit, place) in &self.units_of[server] {
            let OfRunning { running, complete, .. } = &mut self.units[*unit];
            match summary.filter(|_| owner == Some(*unit)) {
                Some(summary) if running.stands(*place) => running.shift(*place, at, summary, &groups),
                summary => running.set(*place, &Seen { at, summary: summary.map(Arc::clone) }),
            }
            complete.extend((owner == Some(*unit)).then_some(*place));
        }
        Ok(at)
    }

    /// Counts what stands in a unit, if one of its servers was sampled.
    fn mark(&mut self, unit: usize, now: Instant, each: EachRecounted<'_>) -> Result<(), StoreError> {
        let of = &mut self.units[unit];
        if of.running.at == Some(now) {
            return Ok(());
        }
        if of.running.day != now.date_naive() {
            of.tell(each)?;
            of.running.turn_to(now.date_naive());
        }
        let OfRunning { unit, servers, running, complete } = of;
        let (walks, rating) = (&self.walks, self.rating);
        running.count(now, complete, &mut |at, standing| {
            if standing.len() < 2 || !unit.unit.counts_once_at(at) {
                return Ok(Surpluses::new());
            }
            let of_servers = standing.iter().map(|(place, _)| &walks[servers[*place]]);
            let walks: Vec<&Walk<'_>> = of_servers.filter(|walk| walk.newest.is_some()).collect();
            let samples: Vec<&Sample> = walks.iter().filter_map(|walk| walk.newest.as_deref()).collect();
            surplus_among(&samples, rating, &mut |of, workload| {
                Ok(walks[of].tally.ledger().first_processed_at(workload))
            })
        })?;
        complete.clear();
        Ok(())
    }
}

impl OfRunning<'_> {
    /// Tells of the day that is over.
    fn tell(&self, each: EachRecounted<'_>) -> Result<(), StoreError> {
        match self.running.mark() {
            Some(mark) => each(&self.unit.unit.id, mark, self.running.maxima()),
            None => Ok(()),
        }
    }
}
