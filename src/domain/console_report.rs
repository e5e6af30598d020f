//! The monthly report of a Service Provider Console, as far as it is compared with ours (api.md 3.2, domain.md 3.10).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::workload::WorkloadType;
use super::{Month, Points};

/// What a console reports of one month, its provider's report and its resellers' together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleReport {
    pub month: Month,
    /// `ApprovalRequired`, `Finalization` or `Approved`, as the console spells it; each status once.
    pub statuses: Vec<String>,
    /// First and last day, in GMT.
    pub interval: Option<(NaiveDate, NaiveDate)>,
    /// Usage of backup keys: backup servers, Cloud Connect and Enterprise Manager.
    pub usage: Vec<ConsoleUsage>,
    /// Points of other products, which no backup key counts; the most that one report states.
    pub others: BTreeMap<String, Points>,
    /// Servers that the report says it leaves out.
    pub left_out: Vec<LeftOut>,
    /// What is strange about it.
    pub notes: Vec<String>,
}

/// How far a console is with its report of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// One at least waits for approval.
    Waiting,
    /// All were finalized, or are about to be.
    Finalized,
    /// It calls one by a word that is not known, or says nothing.
    Unknown,
}

impl ConsoleReport {
    /// Reads the statuses. `Approved` is the last one a report has (domain.md 3.10).
    pub fn standing(&self) -> Standing {
        let is_known = |status: &String| matches!(status.as_str(), "ApprovalRequired" | "Finalization" | "Approved");
        if self.statuses.is_empty() || !self.statuses.iter().all(is_known) {
            return Standing::Unknown;
        }
        let waits = self.statuses.iter().any(|status| status == "ApprovalRequired");
        if waits { Standing::Waiting } else { Standing::Finalized }
    }

    /// Whether both report the same, whatever they are called.
    pub fn reports_the_same(&self, other: &ConsoleReport) -> bool {
        (self.month, &self.usage, &self.others, &self.left_out)
            == (other.month, &other.usage, &other.others, &other.left_out)
    }
}

/// Usage of one license, type and weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleUsage {
    pub license_id: Option<String>,
    pub kind: WorkloadType,
    /// As collected.
    pub initial: u64,
    /// After adjusting there.
    pub reported: u64,
    pub new: u64,
    /// Points of one, when the console states it.
    pub weight: Option<Points>,
    pub points: Points,
}

/// A server that the console's report leaves out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    pub server: String,
    pub why: WhyLeftOut,
}

/// Why the console's report leaves a server out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeftOut {
    /// Its usage could not be collected.
    NotCollected,
    /// Another server shows the same installation id.
    Cloned,
    /// Its version is not supported there.
    Unsupported,
}

impl WhyLeftOut {
    /// `the console <words> vbr01`.
    pub fn words(self) -> &'static str {
        match self {
            WhyLeftOut::NotCollected => "did not collect",
            WhyLeftOut::Cloned => "leaves out, as cloned,",
            WhyLeftOut::Unsupported => "leaves out, as unsupported,",
        }
    }
}
