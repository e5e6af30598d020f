//! Adjustments that wait for a second person.

use serde::{Deserialize, Serialize};

use super::adjustment::AdjustmentOrder;
use super::installation::UnitId;
use super::{Instant, Month, Points};

/// What a person wants to lower, and may not alone. It changes nothing until another approves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedAdjustment {
    /// Hex digits over all that was proposed, by whom and when.
    pub id: String,
    pub unit: UnitId,
    pub month: Month,
    /// The revision it would change; it lapses when that is sent.
    pub revision: u32,
    /// `user:NAME`.
    pub by: String,
    pub at: Instant,
    pub adjustments: Vec<AdjustmentOrder>,
    /// By how much it would have lowered the report as it stood then.
    pub lowers_by: Points,
    #[serde(flatten)]
    pub state: ProposalState,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProposalState {
    Open,
    Approved {
        approved_by: String,
        approved_at: Instant,
    },
    Rejected {
        rejected_by: String,
        rejected_at: Instant,
        #[serde(default)]
        why: Option<String>,
    },
    /// The report went without it.
    Lapsed {
        lapsed_at: Instant,
    },
}

impl ProposalState {
    /// As people read it.
    pub fn as_str(&self) -> &'static str {
        match self {
            ProposalState::Open => "open",
            ProposalState::Approved { .. } => "approved",
            ProposalState::Rejected { .. } => "rejected",
            ProposalState::Lapsed { .. } => "lapsed",
        }
    }
}
