//! The monthly usage report and its life.

use serde::{Deserialize, Serialize};

use super::adjustment::Adjustment;
use super::gate::Justification;
use super::installation::{ServerName, UnitId};
use super::license::License;
use super::month_difference::{MonthDifference, Outlook};
use super::watermark::{Coverage, Daily};
use super::workload::WorkloadType;
use super::{Instant, Month, Points};

pub const SCHEMA: &str = "tidegauge.usage-report/1";

/// The namespace of the ids we make once, before the first try.
pub const ID_NAMESPACE: uuid::Uuid = uuid::uuid!("5d1f5a34-5c0e-5b0b-9a43-7b1f2f1d7a10");

/// Where a report stands. `Submitted` is terminal and immutable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stage")]
pub enum Stage {
    AwaitingReview,
    Postponed {
        until: Instant,
    },
    /// Sealed: the exact bytes stand, and are sent until answered.
    Sending {
        sealed_at: Instant,
    },
    Submitted {
        at: Instant,
        receipt: Receipt,
    },
}

impl Stage {
    pub fn as_str(&self) -> &'static str {
        match self {
            Stage::AwaitingReview => "awaiting_review",
            Stage::Postponed { .. } => "postponed",
            Stage::Sending { .. } => "sending",
            Stage::Submitted { .. } => "submitted",
        }
    }

    /// Whether adjusting, resetting and postponing are still possible.
    pub fn is_open(&self) -> bool {
        matches!(self, Stage::AwaitingReview | Stage::Postponed { .. })
    }
}

/// What the License Update Server answered to a sealed message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub id: String,
    /// SHA-256 of the exact bytes it took.
    pub sha256: String,
    pub received_at: Instant,
    /// What it says of the gate, verbatim.
    #[serde(default)]
    pub verdict: Option<String>,
}

/// One line: server, tenant, type and weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub server: ServerName,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub weight: Points,
    /// As generated.
    pub initial_count: u64,
    /// After adjustments.
    pub reported_count: u64,
    pub new_count: u64,
    pub rental_count: u64,
    /// `reported_count × weight`.
    pub points: Points,
}

/// Why a workload stands in the report as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Protected,
    New,
    Rental,
    Removed,
}

/// One workload in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedWorkload {
    pub id: String,
    pub name: String,
    pub server: ServerName,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub platform: Option<String>,
    pub weight: Points,
    /// What it adds to the total: its weight, or zero.
    pub points: Points,
    pub job: Option<String>,
    pub last_restore_point_at: Option<Instant>,
    pub counted: bool,
    pub reason: Reason,
    pub note: Option<String>,
}

/// What the report was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The first instant after the month.
    pub as_of: Instant,
    /// Built after the month had ended, because the agent was off.
    pub late: bool,
    /// Servers whose newest sample was older than `basis_max_age`.
    pub stale: Vec<Stale>,
}

/// A server carried with an old sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub server: ServerName,
    pub sample_at: Instant,
}

/// The second step: entered in Pulse or the aggregator's portal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    pub portal: Option<String>,
    pub document: Option<String>,
    pub at: Option<Instant>,
    pub by: Option<String>,
}

/// How one server was covered in the month, and what it is counted by at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCoverage {
    pub server: ServerName,
    pub expected: u32,
    pub complete: u32,
    /// The policy of the settings for a month's end without a fresh sample: `carry`, `wait:06:00`, `exclude`.
    pub month_end: String,
    pub counted_by: CountedBy,
    /// The sample it is counted by.
    pub sample_at: Option<Instant>,
}

/// What a server is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// A sample young enough at the month's end.
    Fresh,
    /// An old one, carried.
    Carried,
    /// Nothing: the policy leaves a server without a fresh sample out.
    Excluded,
    /// Nothing: it has no sample at all.
    Nothing,
}

impl CountedBy {
    pub fn as_str(self) -> &'static str {
        match self {
            CountedBy::Fresh => "fresh",
            CountedBy::Carried => "carried",
            CountedBy::Excluded => "excluded",
            CountedBy::Nothing => "nothing",
        }
    }
}

/// A weight that the report counts with, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeightNote {
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub weight: Points,
    pub from: String,
}

/// A type that nobody knows here: counted with what the server says, until it is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionalType {
    pub server: ServerName,
    #[serde(rename = "type")]
    pub kind: String,
    pub count: u64,
}

/// Where the report's numbers come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    pub servers: Vec<ServerCoverage>,
    pub weights: Vec<WeightNote>,
    pub provisional: Vec<ProvisionalType>,
}

impl Provenance {
    pub fn is_empty(&self) -> bool {
        *self == Provenance::default()
    }
}

/// What a report can be proved by: one hash over its samples, and where the journal stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestsOn {
    /// Servers whose samples of the month are leaves of the tree, in its order; in each the order is that of time.
    pub servers: Vec<ServerName>,
    /// How many samples.
    pub samples: u64,
    /// Root of the Merkle tree (RFC 6962) over them, hex.
    pub samples_root: String,
    /// The journal's newest entry when the report was built.
    pub journal_seq: u64,
    /// Its hash, hex: it covers everything before it.
    pub journal_hash: String,
    /// Fingerprint of the key that signs the report, `sha256:…`.
    pub signed_by: String,
}

/// The usage report of one unit and month (domain.md 3.5; shape: design.md section 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    pub schema: String,
    /// UUIDv5 of unit, month and revision.
    pub id: String,
    pub unit: UnitId,
    pub month: Month,
    pub revision: u32,
    pub license_id: Option<String>,
    pub contract_id: Option<String>,
    pub installations: Vec<String>,
    #[serde(flatten)]
    pub stage: Stage,
    pub server_verdict: Option<String>,
    pub external: External,
    pub generated_at: Instant,
    /// True for the trailing-31-days report, which can never be sent.
    #[serde(default)]
    pub on_demand: bool,
    pub basis: Basis,
    pub license: License,
    pub total_points: Points,
    pub total_points_rounded: Points,
    pub lines: Vec<Line>,
    pub workloads: Vec<ReportedWorkload>,
    pub adjustments: Vec<Adjustment>,
    pub daily: Vec<Daily>,
    pub coverage: Coverage,
    /// Servers without a usable sample.
    pub not_collected: Vec<ServerName>,
    /// Recorded justification that travels with the report and opens its own gate.
    #[serde(default)]
    pub justification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_by: Option<String>,
    /// Why a revision after the first was begun, by whom and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Justification>,
    #[serde(default, skip_serializing_if = "Provenance::is_empty")]
    pub provenance: Provenance,
    /// Why the total differs from last month's; absent in reports of earlier versions and on demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<MonthDifference>,
    /// Gate and days as of the last change; absent as the difference is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
    /// The samples and the journal that it rests on; absent in reports of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<RestsOn>,
    /// The digest of the report that this one is, when its names are pseudonyms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonyms_of: Option<String>,
    /// `sha256:` over the canonical JSON of the report without stage, external, verdict and digest.
    pub digest: String,
}

impl UsageReport {
    /// Takes a recorded justification along.
    pub fn justify(&mut self, given: Justification) {
        self.justification = Some(given.reason);
        self.justified_at = Some(given.at);
        self.justified_by = Some(given.by);
    }

    /// The justification that it carries.
    pub fn justified(&self) -> Option<Justification> {
        let (reason, at, by) = (self.justification.clone()?, self.justified_at?, self.justified_by.clone()?);
        Some(Justification { at, by, reason })
    }
}

/// The id of a report, made once before anything leaves the machine.
pub fn report_id(unit: &str, month: Month, revision: u32) -> String {
    message_id(unit, "report", &month.to_string(), revision)
}

/// UUIDv5 of reporting unit, kind, period and revision (design.md section 3, "The loop").
pub fn message_id(unit: &str, kind: &str, period: &str, revision: u32) -> String {
    let name = format!("{unit}\n{kind}\n{period}\n{revision}");
    uuid::Uuid::new_v5(&ID_NAMESPACE, name.as_bytes()).to_string()
}
