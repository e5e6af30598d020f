//! What can go wrong with the store, each with what to do about it.

use std::path::PathBuf;

use super::journal::JournalError;
use crate::domain::Instant;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{} is in use by another process; stop it, or speak to the running agent", folder.display())]
    InUse { folder: PathBuf },
    #[error("cannot {doing} {}: {source}", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state failed; the journal has everything, and opening the store again heals it.
    #[error("the state failed ({why}); nothing recorded is lost, open the store again to rebuild it from the journal")]
    StateFailed { why: String },
    /// Bytes that we wrote do not read back.
    #[error("{what} cannot be read: {why}")]
    Odd { what: String, why: String },
    #[error("{server} already has a sample of {at}; it was not recorded again")]
    AlreadyTaken { server: String, at: Instant },
    #[error("the sample of {server} at {at} differs from one at {base_at} that is not there; pack it again")]
    NoBase { server: String, at: Instant, base_at: Instant },
    #[error(
        "the sample of {server} at {at} is older than keep_raw and its workloads are not kept any more; its day's marks are in `watermark`, its month's figures in `report show`"
    )]
    Thinned { server: String, at: Instant },
    #[error("the store does not verify: {what}; open it once to rebuild the state, or restore a backup")]
    NotVerified { what: String },
}

impl StoreError {
    /// Whether the disk is full: making room and opening again heals it.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, StoreError::Journal(error) if error.is_disk_full())
    }
}
