//! What is lowered in a report: workloads taken out, tenants' counts lowered, several of each at once.

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
    #[command(flatten)]
    pub lowering: Lowerings,
    /// Why; it stands in the report
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// The same without a reason: nothing is kept.
#[derive(Debug, Args)]
pub struct WhatIf {
    #[command(flatten)]
    pub which: ReportArgs,
    #[command(flatten)]
    pub lowering: Lowerings,
    /// Not kept; here so that the same line can be tried and then ordered
    #[arg(long, value_name = "TEXT", hide = true)]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub struct Lowerings {
    /// Workloads to take out, by id or by name
    #[arg(long = "remove", alias = "workload", value_name = "WORKLOAD", num_args = 1..)]
    workloads: Vec<String>,
    /// A tenant's count of CloudConnectVM or CloudConnectReplica to lower to N; TYPE@WEIGHT when it has several weights
    #[arg(long = "lower", value_name = "TENANT:TYPE:N", num_args = 1.., value_parser = lowering)]
    counts: Vec<Lowering>,
}

/// One lowered count.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lowering {
    tenant: Option<String>,
    kind: WorkloadType,
    weight: Option<Points>,
    to: u64,
}

/// Reads from the right, since a tenant's name may hold colons; an empty name is who has no tenant.
fn lowering(text: &str) -> Result<Lowering, String> {
    let mut parts = text.rsplitn(3, ':');
    let (Some(to), Some(kind), Some(tenant)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("write TENANT:TYPE:N, such as \"Tenant A:CloudConnectVM:8\"".to_owned());
    };
    let to = to.parse().map_err(|_| format!("'{to}' is no count; write TENANT:TYPE:N"))?;
    let (kind, weight) = match kind.split_once('@') {
        Some((kind, weight)) => (kind, Some(Points::stated(weight).map_err(|why| why.to_string())?)),
        None => (kind, None),
    };
    let Ok(kind) = kind.parse();
    Ok(Lowering { tenant: Some(tenant.to_owned()).filter(|name| !name.is_empty()), kind, weight, to })
}

impl Lowerings {
    fn orders(&self, reason: &str) -> Result<Vec<AdjustmentOrder>, Refused> {
        if self.workloads.is_empty() && self.counts.is_empty() {
            return Err(Refused::new(2, "name what to lower: --remove WORKLOAD, or --lower TENANT:TYPE:N"));
        }
        let removal = AdjustmentOrder::Remove { workloads: self.workloads.clone(), reason: reason.to_owned() };
        let lowered = self.counts.iter().cloned().map(|Lowering { tenant, kind, weight, to }| AdjustmentOrder::Lower {
            tenant,
            kind,
            weight,
            to,
            reason: reason.to_owned(),
        });
        Ok((!self.workloads.is_empty()).then_some(removal).into_iter().chain(lowered).collect())
    }
}

impl Adjusting {
    /// What the agent is asked for.
    pub fn adjustments(&self) -> Result<Vec<AdjustmentOrder>, Refused> {
        self.lowering.orders(&self.reason)
    }
}

impl WhatIf {
    /// What is tried.
    pub fn adjustments(&self) -> Result<Vec<AdjustmentOrder>, Refused> {
        self.lowering.orders("what-if")
    }
}
