//! Memory: the journal that is the truth, and its state in sled.
//!
//! What is recorded is one journal entry, durable before [`Store::record`] returns, and one sled commit, which needs no
//! flush: a state that lost its end catches up at the next opening, a broken one is moved aside and rebuilt.

pub mod fact;
pub mod journal;

mod backup;
mod billing;
mod days;
mod endpoint;
mod ends;
mod error;
mod fold;
mod folder;
mod forgetting;
mod intake;
mod kept;
mod keys;
mod kv;
mod letting_go;
mod licensing;
mod lost;
mod marks;
mod members;
mod newest;
mod once;
mod opening;
mod packing;
mod payload;
mod reads;
mod recount;
mod remains;
mod rows;
mod squeeze;
mod state;
mod summaries;
mod surviving;
mod trace;
mod unpacking;
mod weeks;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::domain::Instant;
use crate::domain::sample::Sample;
use crate::doors::Files;
use crate::rules::rating::Rating;
use crate::seal::digest::sha256;
use fact::Fact;
use journal::{Head, Journal, NewEntry};

pub use backup::{Checked, restore};
pub use error::StoreError;
pub use fold::ClassifiedSample;
pub use folder::Place;
pub use intake::Taken;
pub use kept::RecordedIn;
pub use letting_go::Due;
pub use marks::Maxima;
pub use newest::Edition;
pub use opening::Opening;
pub use payload::{claimed_len, facts_of, shown};
pub use recount::{DIFFERENCES_MAX, MarkDiffers, Proved, Recounted, WhatDiffers};
pub use state::{BASIS_MAX_AGE_DEFAULT, SummaryAt};
pub use surviving::SurvivingState;
pub use trace::Trace;
pub use weeks::{GroupWeeks, raise};

/// The agent's memory. One process, one `Store` per place.
pub struct Store {
    state: state::State,
    journal: Journal,
    files: Arc<dyn Files>,
    journal_folder: PathBuf,
    /// Last, so that the lock is let go of after everything else.
    held: folder::Held,
}

impl Store {
    /// Opens the store: applies what the journal has beyond the state, and rebuilds a state that is missing, does not
    /// open or is not of this journal.
    ///
    /// # Errors
    /// Another process has it; the journal is damaged inside; the disk fails.
    pub fn open(place: &Place, files: Arc<dyn Files>) -> Result<(Store, Opening), StoreError> {
        opening::open(place, files)
    }

    /// Tells each sample from repeats and conflicts and packs it, as if those before it were recorded. The facts are to
    /// be recorded together or in this order, before other samples of the same servers.
    ///
    /// # Errors
    /// The state fails.
    pub fn take(&self, samples: &[Sample]) -> Result<Vec<Taken>, StoreError> {
        let mut intake = intake::Intake::new(&self.state);
        samples.iter().map(|sample| intake.take(sample)).collect::<Result<_, _>>().inspect_err(|_| self.note_failure())
    }

    /// Records what happened as one entry; durable on return.
    ///
    /// # Errors
    /// Samples that are already there or packed against others than are there are refused, and nothing is recorded.
    /// [`StoreError::Journal`] after a failing disk, [`StoreError::StateFailed`] after a failing state: open the store
    /// again; in the latter case the entry may be recorded.
    pub fn record(
        &mut self,
        recorded_at: Instant,
        now: Instant,
        actor: &str,
        facts: &[Fact],
    ) -> Result<Head, StoreError> {
        let payload = payload::encode(facts);
        let recorded = RecordedIn { seq: self.journal.head().seq + 1, payload: sha256(&payload) };
        let applied = self.check_samples(facts).and_then(|()| self.state.apply(facts, recorded));
        let prepared = applied.and_then(|()| self.state.settle());
        let appended = prepared.and_then(|()| {
            let entry = NewEntry { recorded_at, now, actor, payload: &payload };
            self.journal.append(entry).map_err(StoreError::from)
        });
        let committed = appended.and_then(|head| self.state.commit(head).map(|()| head));
        committed.inspect_err(|_| {
            self.state.discard();
            self.note_failure();
        })
    }

    /// Up to which age a server's newest sample speaks for it in a unit's sums; kept, and all days follow it.
    ///
    /// # Errors
    /// The state fails.
    pub fn set_basis_max_age(&mut self, age: TimeDelta) -> Result<(), StoreError> {
        let head = self.journal.head();
        let set = self.state.set_basis_max_age(age).and_then(|()| self.state.settle());
        set.and_then(|()| self.state.commit(head)).inspect_err(|_| self.note_failure())
    }

    /// What answers where a server states no weight, and what unknown types stand for; kept, and the days concerned
    /// follow it. Whether it is another one than before.
    ///
    /// # Errors
    /// The state fails.
    pub fn set_rating(&mut self, rating: &Rating) -> Result<bool, StoreError> {
        let head = self.journal.head();
        let set = self.state.set_rating(rating).and_then(|is_other| self.state.settle().map(|()| is_other));
        let kept = set.and_then(|is_other| self.state.commit(head).map(|()| is_other));
        kept.inspect_err(|_| self.note_failure())
    }

    /// The newest entry.
    pub fn head(&self) -> Head {
        self.journal.head()
    }

    fn check_samples(&self, facts: &[Fact]) -> Result<(), StoreError> {
        let mut instants = std::collections::BTreeSet::new();
        for fact in facts {
            let Fact::SampleTaken { sample } = fact else { continue };
            let (server, at) = (&sample.server, sample.taken_at);
            if self.state.has_sample(server, at)? || !instants.insert((server, at)) {
                return Err(StoreError::AlreadyTaken { server: server.clone(), at });
            }
            if let Some(base_at) = sample.base_at
                && !self.state.has_sample(server, base_at)?
                && !instants.contains(&(server, base_at))
            {
                return Err(StoreError::NoBase { server: server.clone(), at, base_at });
            }
        }
        Ok(())
    }

    /// Lets the next opening rebuild a state that failed.
    fn note_failure(&self) {
        if self.state.kv.has_failed() {
            self.held.mark_suspect();
        }
    }
}
