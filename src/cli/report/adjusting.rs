//! What is lowered in a report, and why: either workloads or a tenant's count.

use clap::Args;

use super::ReportArgs;
use crate::agent::Refused;
use crate::domain::Points;
use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::workload::WorkloadType;

#[derive(Debug, Args)]
pub struct Adjusting {
    #[command(flatten)]
    pub which: ReportArgs,
    /// Workloads to take out, by id or by name
    #[arg(long = "workload", value_name = "ID", num_args = 1.., conflicts_with_all = ["tenant", "kind", "to", "weight"])]
    workloads: Vec<String>,
    /// The tenant whose count is lowered
    #[arg(long, value_name = "NAME", requires = "kind")]
    tenant: Option<String>,
    /// The type whose count is lowered: CloudConnectVM or CloudConnectReplica
    #[arg(long = "type", id = "kind", value_name = "TYPE", requires = "to")]
    kind: Option<WorkloadType>,
    /// The count to report
    #[arg(long, value_name = "N", requires = "kind")]
    to: Option<u64>,
    /// Which line, when the tenant has several weights of that type
    #[arg(long, value_name = "POINTS", requires = "kind")]
    weight: Option<Points>,
    /// Why; it stands in the report
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Adjusting {
    /// What the agent is asked for.
    pub fn adjustment(&self) -> Result<AdjustmentOrder, Refused> {
        let reason = self.reason.clone();
        match (&self.kind, self.to) {
            (Some(kind), Some(to)) => Ok(AdjustmentOrder::Lower {
                tenant: self.tenant.clone(),
                kind: kind.clone(),
                weight: self.weight,
                to,
                reason,
            }),
            _ if self.workloads.is_empty() => {
                Err(Refused::new(2, "name what to lower: --workload ID, or --tenant NAME --type TYPE --to N"))
            }
            _ => Ok(AdjustmentOrder::Remove { workloads: self.workloads.clone(), reason }),
        }
    }
}
