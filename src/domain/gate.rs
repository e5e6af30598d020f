//! The deviation gate's verdict, shown by the agent, told by the License Update Server.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::installation::{ServerName, UnitId};
use super::report::ServerCoverage;
use super::workload::WorkloadType;
use super::{Instant, Month, Points};

pub const SCHEMA: &str = "tidegauge.gate/1";

/// Longest reason of a person that travels to the License Update Server, in signs.
pub const REASON_CHARS_MAX: usize = 500;

/// How far the report may fall short of the highest watermark: the larger of the two (design.md section 4, "Gate").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Zero or more points.
    pub points: Points,
    /// Percent of the highest watermark, 0 to 100.
    pub percent: Decimal,
}

/// 20 points or 20 %: the overage allowance of the field (domain.md 5.3 and 6, recommended reading).
impl Default for Tolerance {
    fn default() -> Tolerance {
        Tolerance { points: Points::whole(20), percent: Decimal::from(20) }
    }
}

impl Tolerance {
    /// What it amounts to at this highest watermark.
    pub fn at(self, highest: Points) -> Points {
        self.points.max(highest.percent(self.percent))
    }
}

/// Open lets the license be renewed; Undetermined does not block either, and is said loudly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Open,
    Held,
    Undetermined,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Open => "open",
            Verdict::Held => "held",
            Verdict::Undetermined => "undetermined",
        }
    }
}

/// Why the report is lower than the watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// No restore point within 31 days at the month's end.
    AgedOut,
    /// No longer billable: revoked, reset or deleted, which cannot be told apart over REST, or what [`Known`] says.
    Gone,
    /// Taken out of the report by a person.
    Removed,
    /// A count lowered by a person.
    Lowered,
    /// Another weight at the month's end; negative when raised.
    WeightChanged,
    /// Its server reports elsewhere at the month's end.
    LeftServer,
    /// Counted at the month's end and not at the peak; always negative.
    Returned,
}

/// What is known of a cause beyond its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is a rental machine at the month's end: it counts under its owner's own key.
    TurnedRental,
    /// It is in its first month at the month's end, so its points are not due yet.
    TurnedNew,
    /// Its server has no usable sample for the month's end.
    NotCollected,
}

/// One reason and the points it explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    pub cause: CauseKind,
    /// The workload's name, when the source names workloads.
    pub workload: Option<String>,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<WorkloadType>,
    pub points: Points,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// When it aged out (31 days after its newest restore point), or when a person took it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// Who lowered the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it was lowered, in that person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Cause {
    /// A cause of which nothing else is known.
    pub fn of(cause: CauseKind, points: Points) -> Cause {
        Cause {
            cause,
            workload: None,
            tenant: None,
            kind: None,
            points,
            server: None,
            known: None,
            at: None,
            by: None,
            reason: None,
        }
    }
}

/// A reason that a person gave, with who and when: why a report may be lower than the watermark, or is corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Justification {
    pub at: Instant,
    pub by: String,
    pub reason: String,
}

/// What the License Update Server's operator decided on a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The gate is open for this revision.
    Approved,
    /// The report is to be corrected.
    CorrectionAsked,
}

/// An operator's ruling on one revision of a month's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorDecision {
    pub month: Month,
    pub revision: u32,
    pub ruling: Ruling,
    pub at: Instant,
    pub by: String,
    pub why: String,
}

/// What the gate says of one unit and month (shape: design.md section 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateVerdict {
    pub schema: String,
    pub unit: UnitId,
    pub month: Month,
    pub verdict: Verdict,
    /// The report is not sent yet.
    pub forecast: bool,
    /// The highest daily mark of the month; `None`: no complete sample.
    pub highest_watermark: Option<Points>,
    pub stood_at: Option<Instant>,
    pub reported: Option<Points>,
    pub shortfall: Points,
    /// In points, at this watermark.
    pub tolerance: Points,
    /// In the words of who recorded it.
    pub justification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justified_by: Option<String>,
    /// With `unexplained` they sum to the shortfall.
    pub causes: Vec<Cause>,
    pub unexplained: Points,
    /// The report exceeds the watermark by more than the tolerance: open, and worth a look.
    #[serde(default)]
    pub over_reported: bool,
    /// How each server was covered in the month, and what the report counts it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerCoverage>,
}

impl GateVerdict {
    /// The shortfall in percent of the highest watermark, with one decimal; `None` without a watermark above zero.
    pub fn shortfall_percent(&self) -> Option<Decimal> {
        let highest = self.highest_watermark.filter(|highest| !highest.is_zero())?;
        Some((self.shortfall.amount() * Decimal::ONE_HUNDRED / highest.amount()).round_dp(1).normalize())
    }
}
