//! What can go wrong with a journal, each with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot {doing} {}: {source}; nothing recorded before is lost, mend the disk and open again", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is damaged at byte {offset}: {what}; nothing was skipped, restore the journal from a backup", file.display())]
    Damaged { file: PathBuf, offset: u64, what: String },
    #[error("{} does not hold entry {known_seq} as it is known here: {what}; rebuild what was derived from it", folder.display())]
    Apart { folder: PathBuf, known_seq: u64, what: String },
    #[error("an append to {} failed before, and what reached the disk is unknown; open the journal again", folder.display())]
    MustReopen { folder: PathBuf },
    #[error(
        "the entry is too large for the journal: {what} of {bytes} bytes, the limit is {limit}; nothing was written"
    )]
    TooLarge { what: &'static str, bytes: usize, limit: usize },
    #[error("{} already holds a journal; choose an empty folder, or move this one aside", folder.display())]
    Occupied { folder: PathBuf },
    #[error("entry {seq} cannot be understood: {why}")]
    NotUnderstood { seq: u64, why: String },
}

impl JournalError {
    /// Whether the disk is full: making room and opening again heals it.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, JournalError::Disk { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}
