//! Copies of the store, and the proof that its state is what follows from its journal.

use std::path::Path;
use std::sync::Arc;

use super::folder::{Held, Place};
use super::journal::{self, Head, Verified};
use super::opening::Replay;
use super::state::State;
use super::{Store, StoreError};
use crate::doors::Files;

/// What a verification found in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub journal: Verified,
    /// Rows of the state, equal to a replay of the journal.
    pub rows: u64,
}

impl Store {
    /// Checks every checksum and link of the journal, and that the state equals a replay into a fresh one.
    ///
    /// # Errors
    /// [`StoreError::NotVerified`] or [`StoreError::Journal`], with what does not hold and where.
    pub fn verify(&self) -> Result<Checked, StoreError> {
        let fresh = Held::beside()?;
        let mut state = State::new(fresh.anew()?)?;
        state.set_basis_max_age(self.state.basis_max_age())?;
        state.set_rating(&self.state.rating)?;
        let mut replay = Replay::after(Head::EMPTY, state);
        let replayed = journal::replay(&*self.files, &self.journal_folder, &mut |entry| replay.take(entry));
        let journal = match replay.failure.take() {
            Some(error) => return Err(error),
            None => replayed?,
        };
        if journal.head != self.journal.head() {
            let what = format!("the journal ends with entry {}, not {}", journal.head.seq, self.journal.head().seq);
            return Err(StoreError::NotVerified { what });
        }
        let state = replay.finish(journal.head)?;
        let rows = state.kv.keys(b"a", b"{")?.len() as u64;
        if state.digest()? != self.state.digest()? {
            let what = format!("the state is not what follows from the journal's {} entries", journal.entries);
            return Err(StoreError::NotVerified { what });
        }
        Ok(Checked { journal, rows })
    }

    /// SHA-256 over every row of the state.
    ///
    /// # Errors
    /// The state fails.
    pub fn state_digest(&self) -> Result<crate::seal::chain::Hash, StoreError> {
        self.state.digest().inspect_err(|_| self.note_failure())
    }

    /// Copies the journal, which is everything, into an empty folder; consistent while the store is in use.
    ///
    /// # Errors
    /// The folder already holds a journal; the disk fails; the journal is damaged.
    pub fn backup(&self, to: &Path) -> Result<Verified, StoreError> {
        Ok(journal::copy(&*self.files, &self.journal_folder, &to.join("journal"))?)
    }
}

/// Copies a backup into a state directory that holds no journal; the next opening builds its state.
///
/// # Errors
/// Another process has the directory; it already holds a journal; the backup is damaged or holds nothing.
pub fn restore(files: &Arc<dyn Files>, from: &Path, to: &Place) -> Result<Verified, StoreError> {
    let held = to.hold(files)?;
    let verified = journal::copy(&**files, &from.join("journal"), &to.journal())?;
    if verified.entries == 0 {
        return Err(StoreError::NotVerified { what: format!("{} holds no journal entry", from.display()) });
    }
    held.quarantine()?;
    Ok(verified)
}
