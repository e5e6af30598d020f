//! What the journal of the License Update Server holds: one fact an entry.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::contract::{Contract, ContractState};
use crate::domain::license_key::KeyFile;
use crate::domain::report::Receipt;
use crate::domain::{Instant, Month, Points};
use crate::protocol::{JustifiedMonth, LicenseAnswer};
use crate::seal::keys::VerifyingKey;

/// Something that happened. Bodies stand as they were received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum Fact {
    /// What the server judges by, when it was started with other flags than before.
    PolicySet {
        policy: Policy,
    },
    ContractAdded {
        contract: Contract,
        grant: Grant,
    },
    ContractStateSet {
        contract_id: String,
        state: ContractState,
    },
    ContractPointsSet {
        contract_id: String,
        points: Points,
    },
    /// Its dates as they are from then on.
    ContractDatesSet {
        contract_id: String,
        ends_on: Option<NaiveDate>,
        support_expires_on: Option<NaiveDate>,
    },
    TokenIssued {
        contract_id: String,
        grant: Grant,
    },
    AgentEnrolled {
        contract_id: String,
        secret_sha256: String,
        agent_id: String,
        key: VerifyingKey,
        at: Instant,
    },
    /// Somebody else showed a token that was used.
    EnrolmentRefused {
        secret_sha256: String,
        refused: RefusedEnrolment,
    },
    /// An agent's key is heard no more.
    AgentRemoved {
        agent: String,
        note: Note,
    },
    TelemetryTaken {
        agent: String,
        body: String,
        receipt: Receipt,
    },
    ReportTaken {
        agent: String,
        body: String,
        receipt: Receipt,
    },
    /// Other bytes under an id that was taken before.
    ConflictKept {
        agent: String,
        id: String,
        body: String,
        sha256: String,
        at: Instant,
    },
    LicenseAnswered {
        agent: String,
        body_sha256: String,
        unit: String,
        installations: Vec<String>,
        answer: Box<LicenseAnswer>,
        /// The unit's key from then on: a new one, or the one that its agent showed and that was not on file any more.
        issued: Option<KeyFile>,
        /// What the check told of a report sent before.
        #[serde(default)]
        justified: Option<JustifiedMonth>,
    },
    KeyRevoked {
        unit: String,
        note: Note,
    },
    ReportApproved {
        unit: String,
        month: Month,
        revision: u32,
        note: Note,
    },
    CorrectionAsked {
        unit: String,
        month: Month,
        revision: u32,
        note: Note,
    },
}

/// An enrolment token; only its secret's digest is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub secret_sha256: String,
    pub expires_at: Instant,
}

/// Who showed a token that another key had used: one of the two stole it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedEnrolment {
    /// As it calls itself.
    pub agent_id: String,
    /// Fingerprint of its key.
    pub key: String,
    pub at: Instant,
}

/// Who did it when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub at: Instant,
    pub by: String,
    pub why: String,
}
