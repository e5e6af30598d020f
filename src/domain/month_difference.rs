//! Why a month's report differs from the one before it, and what its reader should expect of it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::gate::Verdict;
use super::installation::ServerName;
use super::workload::WorkloadType;
use super::{Instant, Month, Points};

pub const SCHEMA: &str = "tidegauge.month-difference/1";

/// Workloads that a row names; the others are counted.
pub const NAMED_MAX: usize = 5;

/// Why points came or went between two months' reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceCause {
    /// Counts, and was not in last month's report at all: long processed elsewhere, or protected again.
    Added,
    /// Was in its first month, which is free, and counts.
    LeftFreeMonth,
    /// Its tenant's own license paid for it, and does so no longer.
    NoLongerRental,
    /// A person had taken it out or lowered its count last month, and did not this month.
    AdjustmentEnded,
    /// Its server was not collected last month.
    CollectedAgain,
    /// Its server was not in last month's report.
    ServerJoined,
    /// Came from another server or tenant; its pair is [`DifferenceCause::MovedAway`].
    MovedHere,
    /// Went to another server or tenant.
    MovedAway,
    /// Weighs more or less than last month.
    Reweighted,
    /// Counts as another type; the points leave the one and come to the other.
    TypeChanged,
    /// A machine of several servers counts once, or on each of them again.
    CountedOnce,
    /// No restore point for 31 days, when its server showed it no more or at the month's end.
    AgedOut,
    /// Not shown by its server any more although backed up of late: revoked, reset or deleted, which cannot be told apart over REST.
    Gone,
    /// In its first month again, as its server says.
    BecameNew,
    /// Its tenant's own license pays for it.
    BecameRental,
    /// A person took it out of the report.
    Removed,
    /// A person lowered its count.
    Lowered,
    /// Its server was not collected this month.
    NotCollected,
    /// Its server is not in this month's report.
    ServerLeft,
    /// A source that gives counts only shows more; it cannot say which machines or why.
    MoreCounted,
    /// A source that gives counts only shows fewer.
    FewerCounted,
    /// What the two reports do not tell; only of reports whose lines and workloads disagree.
    Unexplained,
}

/// Points of one cause, tenant, server and type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceRow {
    pub cause: DifferenceCause,
    pub tenant: Option<String>,
    /// Where they count, or counted when they left; `None` in sums over servers.
    pub server: Option<ServerName>,
    #[serde(rename = "type")]
    pub kind: Option<WorkloadType>,
    /// How many workloads.
    pub workloads: u64,
    /// The names of at most [`NAMED_MAX`] of them, where the source names workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// What they change the total by.
    pub points: Points,
}

/// Last month's report, as it stood when it was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousReport {
    pub id: String,
    pub month: Month,
    pub revision: u32,
    pub total_points: Points,
}

/// The difference to last month's report; the rows sum exactly to it, in total and per tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthDifference {
    /// `None`: last month has no report, so there is nothing to compare with and no row.
    pub previous: Option<PreviousReport>,
    /// One at most for each cause, tenant, server and type.
    pub rows: Vec<DifferenceRow>,
}

impl MonthDifference {
    /// This month's total less last month's.
    pub fn points(&self) -> Points {
        self.rows.iter().map(|row| row.points).sum()
    }
}

/// What a reader should expect of a report, as of its last change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// Whether the license would be renewed with it (domain.md 6).
    pub verdict: Verdict,
    pub highest_watermark: Option<Points>,
    /// Points below the highest watermark, and how many are tolerated.
    pub shortfall: Points,
    pub tolerance: Points,
    /// The last day on which it can be reviewed.
    pub review_until: NaiveDate,
    /// When it goes if nobody acts; `None`: nothing sends it but a person.
    pub sends_itself_at: Option<Instant>,
}
