//! Lowering a report before it is sent, always with a reason.

use serde::{Deserialize, Serialize};

use super::pseudonym::{NameKind, Naming, named};
use super::workload::WorkloadType;
use super::{Instant, Points};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum AdjustmentOrder {
    /// Rental keys: take named workloads out of the report.
    Remove { workloads: Vec<String>, reason: String },
    /// Cloud Connect keys: lower a tenant's VM or replica count to `to`.
    Lower { tenant: Option<String>, kind: WorkloadType, weight: Option<Points>, to: u64, reason: String },
}

/// One change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    pub at: Instant,
    pub by: String,
    /// The second person, when the adjustment took one: who approved and recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    pub workload: Option<String>,
    /// The server the workload stands on, when one is named.
    #[serde(default)]
    pub server: Option<String>,
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<WorkloadType>,
    /// The line's weight, when a count with several weights was lowered.
    #[serde(default)]
    pub weight: Option<Points>,
    /// What the removed workload's note said, so that a reset can give it back.
    #[serde(default)]
    pub note_before: Option<String>,
    /// Count before and after, for a lowered count; points for a removed workload.
    pub before: String,
    pub after: String,
    pub reason: String,
}

impl Adjustment {
    /// The same under pseudonyms; who made it stays, as the journal's headers name them too.
    pub fn under_pseudonyms(&self, naming: &mut Naming<'_>) -> Adjustment {
        Adjustment {
            workload: named(naming, NameKind::Workload, self.workload.as_deref()),
            server: named(naming, NameKind::Server, self.server.as_deref()),
            tenant: named(naming, NameKind::Tenant, self.tenant.as_deref()),
            note_before: named(naming, NameKind::Text, self.note_before.as_deref()),
            reason: naming(NameKind::Text, &self.reason),
            ..self.clone()
        }
    }
}
