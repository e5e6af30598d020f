//! What the server answers to sealed messages, and to what it does not take.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Message, check_text, check_tolerance};
use crate::domain::gate::{OperatorDecision, Tolerance};
use crate::domain::report::Receipt;
use crate::seal::keys::VerifyingKey;

/// Taken; also the answer to a repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptAnswer {
    pub schema: String,
    pub receipt: Receipt,
    /// Replaces the agent's settings.
    pub tolerance: Tolerance,
    /// Days on which report and telemetry disagree.
    #[serde(default)]
    pub conflicting_days: Vec<NaiveDate>,
    /// The operator's rulings on newest revisions of this unit, as they stand.
    #[serde(default)]
    pub decisions: Vec<OperatorDecision>,
}

impl Message for ReceiptAnswer {
    const SCHEMA: &'static str = "tidegauge.receipt/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_tolerance(&self.tolerance)?;
        check_text("receipt.id", &self.receipt.id)
    }
}

/// The id was taken before with other bytes: here they are, with their receipt (HTTP 409).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictAnswer {
    pub schema: String,
    /// The body as it was taken, a compact JWS.
    pub body: String,
    pub receipt: Receipt,
    pub tolerance: Tolerance,
}

impl Message for ConflictAnswer {
    const SCHEMA: &'static str = "tidegauge.conflict/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_tolerance(&self.tolerance)?;
        if self.receipt.sha256 == crate::seal::digest::sha256_hex(self.body.as_bytes()) {
            Ok(())
        } else {
            Err("the receipt is not that of the stored body".to_owned())
        }
    }
}

/// Not taken, and why (HTTP 4xx).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub schema: String,
    /// What, why and what to do, in one line.
    pub why: String,
    /// The key that signs this, so that an agent not yet enrolled can compare it with its token.
    pub server_key: VerifyingKey,
}

impl Message for Refusal {
    const SCHEMA: &'static str = "tidegauge.refusal/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_text("why", &self.why)
    }
}

/// `GET /v1/status`, plain JSON: the server is up, and this is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub schema: String,
    pub server_key: String,
    /// Number of the newest journal entry.
    pub journal_seq: u64,
}

impl Status {
    pub const SCHEMA: &'static str = "tidegauge.license-server-status/1";
}
