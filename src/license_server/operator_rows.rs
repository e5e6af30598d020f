//! What the operator's lists show, a row each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::facts::{Note, RefusedEnrolment};
use super::state::State;
use crate::domain::gate::{GateVerdict, Justification, Tolerance};
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::protocol::Submission;

/// The units of one contract in one month, as `contract list` shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContractSum {
    pub contract_id: String,
    pub month: Month,
    pub units: u32,
    /// An upper bound of the contract's own watermark: the units need not have stood highest at one instant.
    pub highest_at_most: Points,
    pub reported: Points,
    /// Units without a report of the month.
    pub missing: u32,
}

impl ContractSum {
    pub(super) fn of(contract_id: &str, month: Month) -> ContractSum {
        ContractSum {
            contract_id: contract_id.to_owned(),
            month,
            units: 0,
            highest_at_most: Points::ZERO,
            reported: Points::ZERO,
            missing: 0,
        }
    }
}

/// One unit as `installation list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstallationRow {
    pub unit: String,
    pub contract_id: String,
    /// Fingerprint of the agent's key.
    pub agent: String,
    pub installations: Vec<String>,
    pub key_serial: Option<u64>,
    pub key_expires_on: Option<chrono::NaiveDate>,
    pub revoked: Option<Note>,
    pub last_week: Option<IsoWeek>,
    /// The newest license check's message.
    pub last_check: Option<String>,
}

/// One agent as `agent list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentRow {
    /// Fingerprint of its key.
    pub key: String,
    /// As it calls itself.
    pub agent_id: String,
    pub contract_id: String,
    pub enrolled_at: Instant,
    pub removed: Option<Note>,
    /// Who showed the same token afterwards: one of them stole it.
    pub refused: Vec<RefusedEnrolment>,
}

/// One month as `report list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    pub unit: String,
    pub contract_id: String,
    pub month: Month,
    pub revision: u32,
    pub received_at: Instant,
    pub total_points: Points,
    pub gate: GateVerdict,
    /// What the sender recorded; it does not open the gate here.
    pub justification: Option<String>,
    pub justified_at: Option<Instant>,
    pub justified_by: Option<String>,
    /// Why the sender made this revision, when it is not the first.
    pub corrects: Option<Justification>,
    pub approved: Option<Note>,
    pub correction: Option<Note>,
    /// Days on which telemetry and report disagree; the higher mark counts.
    pub conflicting_days: Vec<chrono::NaiveDate>,
}

/// One month as `report show` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportView {
    #[serde(flatten)]
    pub row: ReportRow,
    pub submission: Submission,
    /// Other bytes that came under the same id: when, and their SHA-256.
    pub conflicts: Vec<(Instant, String)>,
}

/// What the units of each contract reported of the month, beside the sum of their watermarks.
pub(super) fn sums(state: &State, month: Month, tolerance: Tolerance) -> Vec<ContractSum> {
    let mut sums: BTreeMap<String, ContractSum> = BTreeMap::new();
    for (unit, on_file) in &state.units {
        let gate = on_file.verdict(unit, month, tolerance);
        let sum =
            sums.entry(on_file.contract_id.clone()).or_insert_with(|| ContractSum::of(&on_file.contract_id, month));
        sum.units += 1;
        sum.highest_at_most += gate.highest_watermark.unwrap_or_default();
        sum.reported += gate.reported.unwrap_or_default();
        sum.missing += u32::from(gate.reported.is_none());
    }
    sums.into_values().collect()
}
