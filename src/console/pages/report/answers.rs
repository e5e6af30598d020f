//! The agent's answers about one report, and only what the page shows of them.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use crate::console::answers::{DueName, StageName};
use crate::domain::gate::{Justification, Verdict};
use crate::domain::month_difference::Outlook;
use crate::domain::report::{Basis, External, Reason};
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::{Instant, Month, Points};

/// `tidegauge.report-head/1`.
#[derive(Deserialize)]
pub struct Head {
    pub month: Month,
    pub revision: u32,
    pub stage: StageName,
    /// Of a postponed report.
    pub until: Option<Instant>,
    pub generated_at: Instant,
    pub total_points: Points,
    pub total_points_rounded: Points,
    pub digest: String,
    pub servers: Vec<String>,
    pub basis: Basis,
    pub coverage: Coverage,
    pub not_collected: Vec<String>,
    pub daily: Vec<Daily>,
    pub external: External,
    pub justification: Option<String>,
    pub correction: Option<Justification>,
    /// As it stood when the report was built.
    pub outlook: Option<Outlook>,
    /// As it stands.
    pub gate: Gate,
    pub difference_in_words: Option<String>,
    pub totals: Totals,
    pub adjust_grid: Vec<GridRow>,
    pub workloads: Counts,
    pub due: DueName,
    pub due_on: NaiveDate,
    pub days_left: i64,
    pub acts: Acts,
    pub revisions: Vec<Revision>,
}

impl Head {
    /// The newest revision of the month, when this is an older one.
    pub fn replaced_by(&self) -> Option<u32> {
        self.revisions.iter().map(|known| known.revision).max().filter(|newest| self.revision < *newest)
    }
}

/// Sums by what people look at.
#[derive(Deserialize)]
pub struct Totals {
    pub by_type: Vec<Total>,
    pub by_tenant: Vec<Total>,
    pub by_server: Vec<Total>,
}

/// One sum.
#[derive(Clone, Deserialize)]
pub struct Total {
    pub key: Option<String>,
    pub count: u64,
    pub new_count: u64,
    pub rental_count: u64,
    pub points: Points,
    pub difference: Option<Points>,
}

/// A tenant's count of one type, as Cloud Connect reports are adjusted by.
#[derive(Clone, Deserialize)]
pub struct GridRow {
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    pub weight: Points,
    pub initial_count: u64,
    pub count: u64,
    pub adjustable: bool,
    pub note: Option<String>,
}

/// How many workloads the report names.
#[derive(Deserialize)]
pub struct Counts {
    pub removed: u64,
    pub counted_on_several_servers: u64,
}

/// What may be done with the report, whoever does it.
#[derive(Deserialize)]
pub struct Acts {
    pub adjust: bool,
    pub reset: bool,
    pub send: bool,
    pub send_why_not: Option<String>,
    pub postpone_until: Option<Instant>,
    pub correct: bool,
    pub mark_external: bool,
}

/// One revision of the month.
#[derive(Deserialize)]
pub struct Revision {
    pub revision: u32,
    pub stage: StageName,
    pub total_points: Points,
}

/// `tidegauge.workloads/1`.
#[derive(Deserialize)]
pub struct Workloads {
    pub matches: u64,
    pub points: Points,
    pub after: u64,
    pub next: Option<u64>,
    pub workloads: Vec<Workload>,
}

/// One workload.
#[derive(Deserialize)]
pub struct Workload {
    pub id: String,
    pub name: String,
    pub server: String,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    pub points: Points,
    pub last_restore_point_at: Option<Instant>,
    pub reason: Reason,
    pub note: Option<String>,
    pub can_be_removed: bool,
}

impl Workload {
    /// `server/id`, as adjustments name it.
    pub fn named(&self) -> String {
        format!("{}/{}", self.server, self.id)
    }
}

/// `tidegauge.what-if/1`.
#[derive(Deserialize)]
pub struct Effect {
    pub digest: String,
    pub total_before: Points,
    pub total_after: Points,
    pub points: Points,
    pub money_before: Option<Money>,
    pub money_after: Option<Money>,
    pub money: Option<String>,
    pub money_why: Option<String>,
    pub gate_before: Gate,
    pub gate_after: Gate,
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Whether this person may not do it alone.
    pub second_person: Option<bool>,
    /// Of a reset.
    #[serde(default)]
    pub taken_back: Vec<Made>,
}

/// A month's amount.
#[derive(Deserialize)]
pub struct Money {
    pub currency: String,
    pub amount: String,
}

/// The gate, in sums.
#[derive(Deserialize)]
pub struct Gate {
    pub verdict: Verdict,
    pub shortfall: Points,
    pub tolerance: Points,
}

/// What one order would do.
#[derive(Deserialize)]
pub struct Step {
    pub adjustments: Vec<Made>,
}

/// One change.
#[derive(Deserialize)]
pub struct Made {
    /// The name of a workload that is taken out; none where a count is lowered.
    pub name: Option<String>,
    pub server: Option<String>,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub before: String,
    pub after: String,
    pub points: Option<Points>,
    pub reason: String,
}

impl Made {
    /// What it is about: a workload's name and server, or a tenant's type.
    pub fn what(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or_default();
        match (&self.name, &self.server) {
            (Some(name), Some(server)) => format!("{name} on {server}"),
            (Some(name), None) => name.clone(),
            (None, _) => format!("{} {kind}", self.tenant.as_deref().unwrap_or("without tenant")),
        }
    }
}

/// `tidegauge.proposed-adjustments/1`.
#[derive(Default, Deserialize)]
pub struct Proposals {
    pub open: u64,
    pub proposals: Vec<Proposal>,
}

/// Adjustments that wait for a second person, or did.
#[derive(Deserialize)]
pub struct Proposal {
    pub id: String,
    pub by: String,
    pub at: Instant,
    pub lowers_by: Points,
    pub state: String,
    pub total_before: Option<Points>,
    pub total_after: Option<Points>,
    #[serde(default)]
    pub makes: Vec<Made>,
    /// Why it can be made no more.
    pub fits_no_more: Option<String>,
    pub approved_by: Option<String>,
    pub rejected_by: Option<String>,
    pub why: Option<String>,
}

/// `tidegauge.report-history/1`.
#[derive(Deserialize)]
pub struct History {
    pub left_out: u64,
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Deserialize)]
pub struct Event {
    pub at: Instant,
    pub what: String,
    pub by: Option<String>,
    pub detail: Value,
}

/// `tidegauge.proposals/1`.
#[derive(Deserialize)]
pub struct Findings {
    pub proposals: Vec<Finding>,
}

/// Machines that may be one, with the adjustment prepared.
#[derive(Deserialize)]
pub struct Finding {
    pub text: String,
    pub points: Points,
    pub machines: Vec<Machine>,
    pub adjustment: Prepared,
    pub can_be_accepted: bool,
}

/// One machine of a finding.
#[derive(Deserialize)]
pub struct Machine {
    pub server: String,
    pub name: String,
    pub points: Points,
}

/// The adjustment that a person may accept.
#[derive(Deserialize)]
pub struct Prepared {
    pub workloads: Vec<String>,
    pub reason: String,
}

/// A file.
#[derive(Deserialize)]
pub struct Archive {
    pub base64: String,
}
