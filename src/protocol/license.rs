//! Asking for a renewed license key, and the answer.

use serde::{Deserialize, Serialize};

use super::{Message, check_length, check_text, check_tolerance};
use crate::domain::calendar::rfc3339;
use crate::domain::gate::{GateVerdict, Justification, OperatorDecision, Tolerance};
use crate::domain::installation::UnitId;
use crate::domain::license::License;
use crate::domain::report::message_id;
use crate::domain::{Instant, IsoWeek, Month};

/// Servers of one unit.
const INSTALLATIONS_MAX: usize = 10_000;
/// Messages that a check names.
const RECEIPTED_MAX: usize = 64;

/// Why the agent asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    Scheduled,
    /// `license update`.
    ByHand,
}

/// A justification and the month whose report it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JustifiedMonth {
    pub month: Month,
    #[serde(flatten)]
    pub given: Justification,
}

/// A message that the server gave a receipt for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Receipted {
    Telemetry { week: IsoWeek },
    Report { month: Month, revision: u32 },
}

/// One license check of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseCheck {
    pub schema: String,
    /// [`LicenseCheck::id_of`] unit and instant.
    pub id: String,
    pub unit: UnitId,
    pub contract_id: Option<String>,
    pub installations: Vec<String>,
    pub asked_at: Instant,
    pub occasion: Occasion,
    /// The serial of the key from this server that is installed.
    pub serial: Option<u64>,
    /// That key's file: a server that was put back to a backup knows by its own signature that it issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The newest messages that have a receipt: a server that was put back to a backup says which of them it lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipted: Vec<Receipted>,
    /// The justification recorded for the judged month: so it arrives when it was written after the report was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified: Option<JustifiedMonth>,
    /// The license that governs the unit now.
    pub license: License,
}

impl LicenseCheck {
    /// The id of a check: the same check sent again gets the same answer.
    pub fn id_of(unit: &str, asked_at: Instant) -> String {
        message_id(unit, "license-check", &rfc3339(asked_at), 1)
    }
}

impl Message for LicenseCheck {
    const SCHEMA: &'static str = "tidegauge.license-check/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_text("unit", &self.unit)?;
        check_length("installations", self.installations.len(), INSTALLATIONS_MAX)?;
        check_length("receipted", self.receipted.len(), RECEIPTED_MAX)?;
        self.justified.as_ref().map_or(Ok(()), |one| check_text("justification", &one.given.reason))?;
        if self.id == LicenseCheck::id_of(&self.unit, self.asked_at) {
            Ok(())
        } else {
            Err("id is not that of its unit and instant".to_owned())
        }
    }
}

/// What the server answers to a license check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseAnswer {
    pub schema: String,
    /// The id of the check.
    pub id: String,
    /// A message of the table `LICENSE_RESULTS`, or words nobody knows yet.
    pub message: String,
    /// What this server can say beyond the message, such as the month that is missing.
    pub detail: Option<String>,
    /// A `.tglicense`.
    pub key: Option<String>,
    /// The server's own verdict on the judged month.
    pub gate: Option<GateVerdict>,
    /// The operator's rulings on newest revisions of this unit, as they stand.
    #[serde(default)]
    pub decisions: Vec<OperatorDecision>,
    /// Which of the check's receipted messages are not on file: the agent sends them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Receipted>,
    /// Replaces the agent's settings.
    pub tolerance: Tolerance,
    pub answered_at: Instant,
}

impl Message for LicenseAnswer {
    const SCHEMA: &'static str = "tidegauge.license-answer/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_tolerance(&self.tolerance)?;
        check_length("lost", self.lost.len(), RECEIPTED_MAX)?;
        check_text("message", &self.message)
    }
}
