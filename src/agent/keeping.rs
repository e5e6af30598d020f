//! Care for the store's files: what an operator does with a state directory, and the window of a key's dates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::doors::Files;
use crate::store::journal::{JournalError, Verified};
use crate::store::{self, StoreError};

use super::{Agent, ProofAsked, Refused};

pub use crate::rules::renewal::{Window, window};
pub use crate::store::Place;

/// What is done with the store's files while it stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "care", rename_all = "snake_case")]
pub enum Care {
    /// Copies the journal, which is everything, into an empty folder.
    Backup { to: PathBuf },
    /// Checks the journal's chain, and that the state equals a replay.
    Verify {},
    /// Counts high watermarks again from the journal, and compares them with what is kept of every day.
    ProveMarks(ProofAsked),
}

impl Agent {
    /// Does it and says what was found.
    ///
    /// # Errors
    /// [`Refused`]: 7 when something does not hold, 8 when the target holds a journal, 73 when it cannot be written.
    pub fn care(&self, care: &Care) -> Result<Value, Refused> {
        match care {
            Care::Backup { to } => {
                let verified = self.store.backup(to).map_err(refused)?;
                Ok(copied(&to.display().to_string(), &verified))
            }
            Care::ProveMarks(asked) => self.proved_marks(asked),
            Care::Verify {} => {
                let checked = self.store.verify().map_err(refused)?;
                Ok(json!({
                    "schema": "tidegauge.store-verified/1",
                    "entries": checked.journal.entries,
                    "segments": checked.journal.segments,
                    "rows": checked.rows,
                    "head": hex(&checked.journal.head.hash),
                }))
            }
        }
    }
}

/// Copies a backup into a state directory without a journal; the next opening builds its state.
///
/// # Errors
/// [`Refused`]: 75 when another process has the directory, 8 when it holds a journal, 7 when the backup is damaged.
pub fn restore(files: &Arc<dyn Files>, from: &Path, state_dir: &Path) -> Result<Value, Refused> {
    let verified = store::restore(files, from, &Place::Folder(state_dir.to_owned())).map_err(refused)?;
    Ok(copied(&state_dir.display().to_string(), &verified))
}

fn copied(to: &str, verified: &Verified) -> Value {
    json!({
        "schema": "tidegauge.store-copied/1",
        "to": to,
        "entries": verified.entries,
        "segments": verified.segments,
        "head": hex(&verified.head.hash),
    })
}

fn refused(error: StoreError) -> Refused {
    match &error {
        StoreError::Journal(JournalError::Occupied { .. }) => Refused::new(8, error.to_string()),
        StoreError::Journal(JournalError::Disk { .. }) => Refused::new(73, error.to_string()),
        _ => error.into(),
    }
}

fn hex(hash: &crate::seal::chain::Hash) -> String {
    crate::seal::digest::hex(hash)
}
