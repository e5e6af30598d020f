//! Where the server's memory is: a journal in its own folder, or a database that other servers work on too.

use std::sync::Arc;

use super::fleet::Looking;
use super::ledger::Ledger;
use super::postgres::{Postgres, Verified};
use super::state::State;
use super::{LicenseServerError, Policy};
use crate::doors::FileLock;

/// The two lives of the store.
pub enum Keeping {
    Folder { ledger: Arc<Ledger>, _lock: FileLock },
    Database(Box<Postgres>),
}

impl Keeping {
    /// Looks at contracts, tokens, agents and units; a folder's state holds the messages too. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.look(look)),
            Keeping::Database(database) => Ok(look(&database.wait(database.accounts())?)),
        }
    }

    /// What was kept last to judge by. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn policy(&self) -> Result<Option<Policy>, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.look(|state| state.policy)),
            // Every part of the state has it, and this one nothing else: a start must not read all accounts.
            Keeping::Database(database) => Ok(database.wait(database.part("", None))?.policy),
        }
    }

    /// Looks at the contracts of a page of the fleet, with what belongs to them. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn look_after<T>(
        &self,
        contract: &str,
        looking: Looking,
        look: impl FnOnce(&State) -> T,
    ) -> Result<T, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.look(look)),
            Keeping::Database(database) => Ok(look(&database.wait(database.fleet_after(contract, looking))?)),
        }
    }

    /// Looks at one unit, and at the message that `id` finds in its state. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn look_at<T>(
        &self,
        unit: &str,
        id: impl Fn(&State) -> Option<String>,
        look: impl FnOnce(&State) -> T,
    ) -> Result<T, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.look(look)),
            Keeping::Database(database) => {
                let part = database.wait(database.part(unit, None))?;
                match id(&part) {
                    Some(id) => Ok(look(&database.wait(database.part(unit, Some(&id)))?)),
                    None => Ok(look(&part)),
                }
            }
        }
    }

    /// Everything, with every body. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn whole(&self) -> Result<State, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.look(State::clone)),
            Keeping::Database(database) => Ok(database.wait(database.whole())?),
        }
    }

    /// Number of the newest entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn newest_entry(&self) -> Result<u64, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(ledger.seq()),
            Keeping::Database(database) => Ok(database.newest_entry().await?),
        }
    }

    /// Checks entries and rows. A folder's journal was followed when it was opened. Not within a runtime.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn verify(&self) -> Result<Verified, LicenseServerError> {
        match self {
            Keeping::Folder { ledger, .. } => Ok(Verified { entries: ledger.seq(), chains: 1, wrong: Vec::new() }),
            Keeping::Database(database) => Ok(database.wait(database.verify())?),
        }
    }
}
