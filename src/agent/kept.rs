//! What was worked out of rows, kept until one of them is set, or until what else it was worked out of is another.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Trouble;
use super::facts::UnitGiven;
use super::license::WatchGiven;
use super::metering::Owed;
use super::notices::Untold;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::{Instant, Month};
use crate::rules::retention::RetentionFacts;
use crate::rules::schedule::{ReportState, UnitFacts};
use crate::store::{Store, Trace};

/// What follows from rows, each kept until one of its rows is set.
#[derive(Default)]
pub(super) struct KeptRows {
    pub all_units: Kept<(), (), Arc<Vec<Unit>>>,
    pub units: Kept<UnitId, UnitGiven, UnitFacts>,
    pub reports: Kept<(UnitId, Month, u32), Option<Instant>, Option<ReportState>>,
    pub license_watches: Kept<UnitId, WatchGiven, Option<Instant>>,
    pub untold: Kept<(), (), Arc<Vec<Untold>>>,
    pub retention: Kept<(), (), RetentionFacts>,
    pub revisions_owed: Kept<(String, UnitId, Month), u32, Option<Owed>>,
    pub clock_suspect: Kept<(), (), Option<String>>,
}

/// By key what was worked out last, what it was given beside the rows, and its trace.
pub(super) struct Kept<K, G, T>(RefCell<BTreeMap<K, (G, T, Trace)>>);

impl<K, G, T> Default for Kept<K, G, T> {
    fn default() -> Self {
        Kept(RefCell::default())
    }
}

impl<K: Ord, G, T: Clone> Kept<K, G, T> {
    /// What is kept, if what it was given holds and its rows stand; else what `work` gives, which is kept with what it
    /// was given. `None` there: it may not be kept.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn get(
        &self,
        store: &Store,
        key: K,
        holds: impl FnOnce(&G) -> bool,
        work: impl FnOnce() -> Result<(Option<G>, T), Trouble>,
    ) -> Result<T, Trouble> {
        if let Some((given, kept, trace)) = self.0.borrow().get(&key)
            && holds(given)
            && store.stands(trace)
        {
            return Ok(kept.clone());
        }
        let (worked_out, trace) = store.traced(work);
        let (given, value) = worked_out?;
        match given {
            Some(given) => self.0.borrow_mut().insert(key, (given, value.clone(), trace)),
            None => self.0.borrow_mut().remove(&key),
        };
        Ok(value)
    }
}
