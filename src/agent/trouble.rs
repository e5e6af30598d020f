//! Why the agent refuses an order, and what keeps it from going on.

use serde::{Deserialize, Serialize};

use crate::store::StoreError;
use crate::store::journal::JournalError;

/// A refusal for a person: the exit code of `conventions.md` 1.3 and one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    pub code: u8,
    pub why: String,
}

impl Refused {
    pub fn new(code: u8, why: impl Into<String>) -> Refused {
        Refused { code, why: why.into() }
    }
}

/// What keeps the agent from going on: the store or a file of its own. The agent then has to be opened again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot read or write {path}: {why}; free space or correct its rights")]
    File { path: String, why: String },
    #[error("{0}")]
    Odd(String),
}

impl Trouble {
    pub(super) fn file(path: &std::path::Path, error: &std::io::Error) -> Trouble {
        Trouble::File { path: path.display().to_string(), why: error.to_string() }
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Refused {
        let code = match &trouble {
            Trouble::Store(StoreError::InUse { .. }) => 75,
            Trouble::Store(StoreError::Disk { .. }) | Trouble::File { .. } => 73,
            Trouble::Store(StoreError::Journal(JournalError::Disk { .. } | JournalError::MustReopen { .. })) => 73,
            Trouble::Store(StoreError::Journal(_) | StoreError::NotVerified { .. }) => 7,
            Trouble::Store(_) | Trouble::Odd(_) => 1,
        };
        Refused::new(code, trouble.to_string())
    }
}
