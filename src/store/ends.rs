//! The first and the last sample of each server, held: they are asked for before every duty. No sample is ever taken away.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::StoreError;
use super::keys::{self, About};
use super::state::State;
use crate::domain::Instant;
use crate::domain::installation::ServerName;

/// What was asked for once.
#[derive(Default)]
pub(super) struct Ends {
    /// `None`: the server has no sample.
    newest: RefCell<BTreeMap<ServerName, Option<Instant>>>,
    /// Of all servers; the outer `None`: nobody asked yet.
    oldest: Cell<Option<Option<Instant>>>,
}

impl Ends {
    /// A sample is there.
    pub fn add(&mut self, server: &str, at: Instant) {
        if let Some(newest) = self.newest.get_mut().get_mut(server) {
            *newest = (*newest).max(Some(at));
        }
        if let Some(oldest) = self.oldest.get_mut() {
            *oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }

    pub fn newest(&self, state: &State, server: &str) -> Result<Option<Instant>, StoreError> {
        if let Some(known) = self.newest.borrow().get(server) {
            return Ok(*known);
        }
        let prefix = keys::prefix(About::Sample, server);
        let last = state.kv.last_key(&prefix, &keys::end_of(&prefix))?;
        let newest = last.as_deref().and_then(keys::instant_of);
        self.newest.borrow_mut().insert(server.to_owned(), newest);
        Ok(newest)
    }

    /// Samples that were added are there no more.
    pub fn clear(&self) {
        self.newest.borrow_mut().clear();
        self.oldest.set(None);
    }
}

impl State {
    /// The instant of the oldest sample of all servers.
    pub(super) fn oldest_sample_at(&self) -> Result<Option<Instant>, StoreError> {
        if let Some(known) = self.ends.oldest.get() {
            return Ok(known);
        }
        let mut oldest = None;
        for server in self.owners(About::Sample)? {
            let prefix = keys::prefix(About::Sample, &server);
            let first = self.kv.first_key(&prefix, &keys::end_of(&prefix))?;
            oldest = oldest.into_iter().chain(first.as_deref().and_then(keys::instant_of)).min();
        }
        self.ends.oldest.set(Some(oldest));
        Ok(oldest)
    }
}
