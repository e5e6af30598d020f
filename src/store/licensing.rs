//! What is kept of licenses: the switch, sessions, keys, and verdicts of the gate.

use serde::{Deserialize, Serialize};

use crate::domain::gate::GateVerdict;
use crate::domain::installation::ServerName;
use crate::domain::license::License;
use crate::domain::{Instant, Month, Points};
use crate::protocol::Occasion;

/// The switch, with the consent it implies (domain.md 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoUpdate {
    pub on: bool,
    pub at: Instant,
    pub by: String,
    pub why: String,
    /// The words that were consented to, when it was switched on.
    #[serde(default)]
    pub consent: Option<String>,
}

/// One session of the license update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseCheckRow {
    /// When it ended.
    pub at: Instant,
    #[serde(default)]
    pub started_at: Option<Instant>,
    #[serde(default)]
    pub occasion: Option<Occasion>,
    /// 1 to 5 (domain.md 4.3).
    pub result: u8,
    /// Word for word.
    pub message: String,
    /// Each step's text, in order.
    pub steps: Vec<String>,
    /// When a failed check is tried again; `None`: the regular cadence.
    pub retry_at: Option<Instant>,
    pub by: String,
    /// The backup server that was asked; `None`: the License Update Server, or a key installed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// Since when checks have failed without one that did not.
    #[serde(default)]
    pub failing_since: Option<Instant>,
    /// The far side's newest word on the key was that it is revoked.
    #[serde(default)]
    pub revoked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledKey {
    pub at: Instant,
    pub serial: u64,
    pub license: License,
    /// The signed key file, word for word.
    pub file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRow {
    pub month: Month,
    /// `open`, `held` or `undetermined`.
    pub verdict: String,
    pub shortfall: Points,
    pub at: Instant,
}

/// The License Update Server's own verdict, as its newest license answer told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerJudgement {
    pub at: Instant,
    /// Word for word.
    pub message: String,
    pub detail: Option<String>,
    pub gate: GateVerdict,
}
