//! Samples as they are asked for: classified, and the newest of each server held, since it is asked for again and again.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::fold::{ClassifiedSample, Fold};
use super::kept::{self, LedgerRow};
use super::keys::{self, About, Moment};
use super::state::State;
use super::unpacking::Unpacker;
use super::{Store, StoreError};
use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::domain::sample::Sample;
use crate::rules::counting::FirstSeen;

/// Most workloads of all samples that are held; one sample is held whatever its size. A workload takes about half a
/// kilobyte here, and nothing beside what the fold of a server sampled since the start holds anyway.
const WORKLOADS_MAX: usize = 250_000;
/// Rewritten spans that are told apart in one server.
const REWRITES_MAX: usize = 1_000;

/// Which sample it is, and which state of what is known beside it. In one process, a server's samples of equal editions
/// are equal in everything: what was once computed of one holds for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edition {
    pub at: Instant,
    rewritten: u64,
}

/// Since when what samples tell is another than it was: late samples, samples let go, another rating.
#[derive(Default)]
struct Rewrites {
    count: u64,
    /// By server the last rewrite from an instant on; of two, the later one begins later.
    since: BTreeMap<ServerName, BTreeMap<Instant, u64>>,
    /// The last rewrite of everything.
    of_all: u64,
}

impl Rewrites {
    fn all(&mut self) {
        self.count += 1;
        self.of_all = self.count;
        self.since.clear();
    }

    /// What the server's samples of this instant and later ones tell is another.
    fn from(&mut self, server: &str, at: Instant) {
        self.count += 1;
        let since = self.since.entry(server.to_owned()).or_default();
        since.split_off(&at);
        since.insert(at, self.count);
        if since.len() > REWRITES_MAX {
            self.all();
        }
    }

    fn last(&self, server: &str, at: Instant) -> u64 {
        let of_server = self.since.get(server).and_then(|since| since.range(..=at).next_back());
        of_server.map_or(self.of_all, |(_, count)| *count)
    }
}

/// The sample of each server that is held: its newest, or the latest that was asked for.
#[derive(Default)]
struct Held(BTreeMap<ServerName, (Edition, ClassifiedSample)>);

impl Held {
    fn find(&self, server: &str, edition: Edition) -> Option<ClassifiedSample> {
        self.0.get(server).filter(|(held, _)| *held == edition).map(|(_, found)| found.clone())
    }

    fn hold(&mut self, server: &str, edition: Edition, found: &ClassifiedSample) {
        if self.0.get(server).is_some_and(|(held, _)| edition.at < held.at) {
            return;
        }
        self.let_go(server);
        let workloads: usize = self.0.values().map(|(_, held)| held.sample.workloads.len()).sum();
        if workloads + found.sample.workloads.len() > WORKLOADS_MAX {
            self.0.clear();
        }
        self.0.insert(server.to_owned(), (edition, found.clone()));
    }

    fn let_go(&mut self, server: &str) {
        self.0.remove(server);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// What [`State`] knows of samples that were asked for.
#[derive(Default)]
pub(super) struct Newest {
    held: RefCell<Held>,
    rewrites: Rewrites,
}

impl Store {
    /// The server's newest sample not after the instant, classified with what was known when it was taken.
    ///
    /// # Errors
    /// The state fails: [`StoreError::StateFailed`], and opening the store again heals it.
    pub fn newest_sample(&self, server: &str, not_after: Instant) -> Result<Option<ClassifiedSample>, StoreError> {
        self.noting(self.state.newest_sample(server, not_after))
    }

    /// The same sample as it was taken, unclassified.
    ///
    /// # Errors
    /// As [`Store::newest_sample`].
    pub fn newest_as_taken(&self, server: &str, not_after: Instant) -> Result<Option<Arc<Sample>>, StoreError> {
        self.noting(self.state.newest_as_taken(server, not_after))
    }

    /// When samples up to the instant showed this workload of a server for the first time, and since when they stated it.
    ///
    /// # Errors
    /// The state fails.
    pub fn first_seen(&self, server: &str, id: &str, at: Instant) -> Result<Option<FirstSeen>, StoreError> {
        self.noting(self.state.first_seen(server, id, at))
    }

    /// Which sample [`Store::newest_sample`] gives, without reading it.
    ///
    /// # Errors
    /// The state fails.
    pub fn newest_edition(&self, server: &str, not_after: Instant) -> Result<Option<Edition>, StoreError> {
        self.noting(self.state.newest_edition(server, not_after))
    }

    /// Lets go of the samples that are held.
    pub fn read_afresh(&self) {
        self.state.newest.held.borrow_mut().clear();
    }
}

impl State {
    fn first_seen(&self, server: &str, id: &str, at: Instant) -> Result<Option<FirstSeen>, StoreError> {
        let Some(bytes) = self.kv.get(&keys::named(About::Ledger, server, id))? else { return Ok(None) };
        let row: LedgerRow = kept::from_bytes("a ledger row", &bytes)?;
        Ok(row.as_of(Moment::of(at)).and_then(|row| row.first_seen()))
    }

    fn newest_edition(&self, server: &str, not_after: Instant) -> Result<Option<Edition>, StoreError> {
        let at = self.newest_sample_at(server, not_after)?;
        Ok(at.map(|at| Edition { at, rewritten: self.newest.rewrites.last(server, at) }))
    }

    fn newest_sample(&self, server: &str, not_after: Instant) -> Result<Option<ClassifiedSample>, StoreError> {
        let Some(edition) = self.newest_edition(server, not_after)? else { return Ok(None) };
        if let Some(found) = self.newest.held.borrow().find(server, edition) {
            return Ok(Some(found));
        }
        let found = self.classified(server, edition.at)?;
        self.newest.held.borrow_mut().hold(server, edition, &found);
        Ok(Some(found))
    }

    fn newest_as_taken(&self, server: &str, not_after: Instant) -> Result<Option<Arc<Sample>>, StoreError> {
        let Some(at) = self.newest_sample_at(server, not_after)? else { return Ok(None) };
        let at_hand = self.latest(server).filter(|latest| latest.at == at);
        let mut unpacker = at_hand.map(|latest| latest.unpacker.clone()).unwrap_or_default();
        unpacker.sample(&self.kv, server, Moment::of(at)).map(Some)
    }

    fn classified(&self, server: &str, at: Instant) -> Result<ClassifiedSample, StoreError> {
        let at_hand = self.latest(server).filter(|latest| latest.at == at);
        let (mut unpacker, Fold { tally, .. }) = match at_hand {
            Some(latest) => (latest.unpacker.clone(), latest.fold.clone()),
            None => (Unpacker::default(), Fold::after(&self.kv, server, at)?),
        };
        let (sample, _) = unpacker.load(&self.kv, server, Moment::of(at))?;
        let other = match tally.sizes().counted(self.rating.mapped(&sample)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(other) => Some(Arc::new(other)),
        };
        Ok(ClassifiedSample::of(other.unwrap_or(sample), Arc::clone(tally.ledger()), Arc::clone(&self.rating)))
    }

    /// What is told from this instant on is another than it was, unless nobody can have asked for it yet.
    pub(super) fn note_rewrite(&mut self, server: &str, at: Instant) -> Result<(), StoreError> {
        self.newest.held.borrow_mut().let_go(server);
        if self.newest_sample_at(server, Instant::MAX_UTC)?.is_some_and(|newest| at <= newest) {
            self.newest.rewrites.from(server, at);
        }
        Ok(())
    }

    pub(super) fn note_rewrite_of_all(&mut self) {
        self.newest.held.borrow_mut().clear();
        self.newest.rewrites.all();
    }
}
