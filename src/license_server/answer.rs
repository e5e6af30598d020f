//! What is answered: decided on a state, signed apart from it.

use super::LicenseServerError;
use crate::protocol::{self, ConflictAnswer, Enrolled, LicenseAnswer, Message, ReceiptAnswer, Refusal};
use crate::seal::keys::SigningKey;

/// A signed answer with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// An answer that is not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Enrolled(Box<Enrolled>),
    Receipt(Box<ReceiptAnswer>),
    Conflict(Box<ConflictAnswer>),
    License(Box<LicenseAnswer>),
    NotTaken(NotTaken),
}

/// Not taken: the HTTP status says whether trying again helps, the text what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    pub status: u16,
    pub why: String,
}

impl Answer {
    /// The answer as it leaves.
    pub fn signed(&self, key: &SigningKey) -> Reply {
        match self {
            Answer::Enrolled(enrolled) => Reply { status: 200, body: protocol::signed(&**enrolled, key) },
            Answer::Receipt(receipt) => Reply { status: 200, body: protocol::signed(&**receipt, key) },
            Answer::Conflict(conflict) => Reply { status: 409, body: protocol::signed(&**conflict, key) },
            Answer::License(license) => Reply { status: 200, body: protocol::signed(&**license, key) },
            Answer::NotTaken(NotTaken { status, why }) => {
                let (schema, server_key) = (Refusal::SCHEMA.to_owned(), key.verifying());
                let refusal = Refusal { schema, why: why.clone(), server_key };
                Reply { status: *status, body: protocol::signed(&refusal, key) }
            }
        }
    }
}

impl NotTaken {
    /// The message itself is wrong.
    pub(super) fn wrong(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 400, why: why.into() }
    }

    pub(super) fn forbidden(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 403, why: why.into() }
    }

    /// Its period has not ended by this server's clock: later it may be taken.
    pub(super) fn early(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 425, why: why.into() }
    }
}

impl From<LicenseServerError> for NotTaken {
    /// The disk's troubles are the operator's; the agent only learns to come back.
    fn from(_: LicenseServerError) -> NotTaken {
        NotTaken { status: 503, why: "the server cannot record anything now; try again later".to_owned() }
    }
}
