//! A state that outlives its store, as one on a disk outlives the process: what a simulated machine opens again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::StoreError;
use super::folder::temporary;
use super::kv::Kv;

/// A state in a temporary directory, there until the last clone is let go.
#[derive(Clone, Default)]
pub struct SurvivingState(Arc<Mutex<Option<Stands>>>);

struct Stands {
    kv: Kv,
    has_failed: bool,
    /// After the database, which still writes while it is let go.
    _folder: TempDir,
}

impl SurvivingState {
    /// The next opening makes the state anew, from the journal.
    pub fn forget(&self) {
        *self.inner() = None;
    }

    /// What the store before left committed, unless it failed.
    pub(super) fn survived(&self) -> Option<Kv> {
        self.inner().as_ref().filter(|stands| !stands.has_failed).map(|stands| stands.kv.reopened())
    }

    /// An empty one in its place.
    pub(super) fn anew(&self) -> Result<Kv, StoreError> {
        self.forget();
        let folder = temporary()?;
        let kv = Kv::open(folder.path()).map_err(|why| StoreError::StateFailed { why })?;
        let opened = kv.reopened();
        *self.inner() = Some(Stands { kv, has_failed: false, _folder: folder });
        Ok(opened)
    }

    pub(super) fn mark_suspect(&self) {
        if let Some(stands) = self.inner().as_mut() {
            stands.has_failed = true;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Option<Stands>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for SurvivingState {
    fn eq(&self, other: &SurvivingState) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SurvivingState {}

impl fmt::Debug for SurvivingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SurvivingState")
    }
}
