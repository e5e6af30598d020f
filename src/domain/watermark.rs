//! High watermarks of days, weeks and months, and the coverage behind them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::license::Measure;
use super::sample::Group;
use super::workload::WorkloadType;
use super::{Instant, Points};

/// The highest total seen and the first instant at which it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighWatermark {
    pub points: Points,
    pub at: Instant,
}

impl HighWatermark {
    /// The mark after seeing this total: raised when higher, or when as high but earlier.
    pub fn raised_by(mark: Option<HighWatermark>, points: Points, at: Instant) -> HighWatermark {
        match mark {
            Some(mark) if mark.points > points || (mark.points == points && mark.at <= at) => mark,
            Some(_) | None => HighWatermark { points, at },
        }
    }
}

/// Samples expected by the interval, and complete ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub expected: u32,
    pub complete: u32,
}

impl Coverage {
    pub fn add(&mut self, other: Coverage) {
        self.expected += other.expected;
        self.complete += other.complete;
    }

    /// Whether less than this share of the expected samples was taken, 0 to 100.
    pub fn is_below(self, percent: u8) -> bool {
        u64::from(self.complete) * 100 < u64::from(self.expected) * u64::from(percent)
    }

    /// Whether samples are missing.
    pub fn is_short(self) -> bool {
        self.complete < self.expected
    }
}

/// One day of one reporting unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayMark {
    pub day: NaiveDate,
    pub mark: HighWatermark,
    /// Points by type when the mark stood.
    pub by_type: BTreeMap<WorkloadType, Points>,
    /// Each tenant and type group's own maximum of the day.
    pub group_maxima: Vec<(Group, Points)>,
    /// Complete samples of the day, per server.
    pub samples: BTreeMap<String, u32>,
}

/// The watermark of a week or month, as `watermark --json` prints it (design.md section 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub schema: String,
    pub unit: String,
    /// An ISO week or a month.
    pub period: String,
    pub from: Instant,
    /// The first instant after the period.
    pub to: Instant,
    /// `None` when there was no complete sample: never zero by absence.
    pub points: Option<Points>,
    pub at: Option<Instant>,
    pub by_type: BTreeMap<WorkloadType, Points>,
    pub coverage: Coverage,
    /// What the points are: instances under Subscription and Perpetual keys.
    #[serde(default, skip_serializing_if = "Measure::is_points")]
    pub counted_in: Measure,
    /// Each server's own coverage; `coverage` is the worst day by day.
    #[serde(default)]
    pub coverage_by_server: BTreeMap<String, Coverage>,
    pub daily: Vec<Daily>,
}

/// One day in a watermark or report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daily {
    pub day: NaiveDate,
    pub points: Option<Points>,
    pub at: Option<Instant>,
    pub expected: u32,
    pub complete: u32,
}
