//! What the operator's settings decide, and what a start of a server changes of it.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::Points;
use crate::domain::gate::Tolerance;

/// What the operator's settings decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub tolerance: Tolerance,
    /// The day of the following month, 2 to 28, at whose 00:00 GMT a report is due.
    pub deadline_day: u32,
}

/// What is said anew of the policy; what is `None` stays as it was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// Zero or more.
    pub tolerance_points: Option<Points>,
    /// 0 to 100.
    pub tolerance_percent: Option<Decimal>,
    /// 2 to 28.
    pub deadline_day: Option<u32>,
}

/// The policy that was kept and the one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyKept {
    pub before: Policy,
    pub policy: Policy,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { tolerance: Tolerance::default(), deadline_day: 11 }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Policy { tolerance: Tolerance { points, percent }, deadline_day } = self;
        write!(f, "{points} points or {percent} percent, due on day {deadline_day}")
    }
}

impl From<Policy> for PolicyChange {
    /// All of it.
    fn from(policy: Policy) -> PolicyChange {
        let Policy { tolerance: Tolerance { points, percent }, deadline_day } = policy;
        PolicyChange {
            tolerance_points: Some(points),
            tolerance_percent: Some(percent),
            deadline_day: Some(deadline_day),
        }
    }
}

impl PolicyChange {
    /// The policy with what is said anew.
    pub fn made_to(self, kept: Policy) -> Policy {
        let PolicyChange { tolerance_points, tolerance_percent, deadline_day } = self;
        Policy {
            tolerance: Tolerance {
                points: tolerance_points.unwrap_or(kept.tolerance.points),
                percent: tolerance_percent.unwrap_or(kept.tolerance.percent),
            },
            deadline_day: deadline_day.unwrap_or(kept.deadline_day),
        }
    }
}
