//! Counts per tenant and type, from sources that name no machines.

use serde::{Deserialize, Serialize};

use super::Points;
use super::workload::WorkloadType;

/// Used, new and rental counts of one tenant and type, classified by the server at the sample's instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantCount {
    #[serde(default)]
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    /// Points of one machine; `None` lets the points table answer.
    #[serde(default)]
    pub weight: Option<Points>,
    pub used: u32,
    #[serde(default)]
    pub new: u32,
    #[serde(default)]
    pub rental: u32,
}
