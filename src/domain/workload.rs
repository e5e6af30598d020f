//! A machine, share or application that a license counts.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Instant, Points};

/// What is counted, named as in the usage snapshot file. An unknown kind is kept and shown as it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadType {
    Vm,
    Server,
    Workstation,
    Application,
    CloudVm,
    FileShare,
    EntraIdUser,
    CloudConnectVm,
    CloudConnectReplica,
    CloudConnectWorkstation,
    CloudConnectServer,
    Other(String),
}

/// The known types with their spelling in files and answers.
pub const WORKLOAD_TYPES: [(WorkloadType, &str); 11] = [
    (WorkloadType::Vm, "VM"),
    (WorkloadType::Server, "Server"),
    (WorkloadType::Workstation, "Workstation"),
    (WorkloadType::Application, "Application"),
    (WorkloadType::CloudVm, "CloudVM"),
    (WorkloadType::FileShare, "FileShare"),
    (WorkloadType::EntraIdUser, "EntraIDUser"),
    (WorkloadType::CloudConnectVm, "CloudConnectVM"),
    (WorkloadType::CloudConnectReplica, "CloudConnectReplica"),
    (WorkloadType::CloudConnectWorkstation, "CloudConnectWorkstation"),
    (WorkloadType::CloudConnectServer, "CloudConnectServer"),
];

impl WorkloadType {
    pub fn as_str(&self) -> &str {
        match self {
            WorkloadType::Other(name) => name,
            known => WORKLOAD_TYPES.iter().find(|(kind, _)| kind == known).map_or("?", |(_, name)| name),
        }
    }

    pub fn is_known(&self) -> bool {
        !matches!(self, WorkloadType::Other(_))
    }
}

impl FromStr for WorkloadType {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<WorkloadType, Infallible> {
        let known = WORKLOAD_TYPES.iter().find(|(_, name)| *name == text);
        Ok(known.map_or_else(|| WorkloadType::Other(text.to_owned()), |(kind, _)| kind.clone()))
    }
}

impl fmt::Display for WorkloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for WorkloadType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for WorkloadType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WorkloadType, D::Error> {
        Ok(String::deserialize(deserializer)?.parse().expect("every text is a workload type"))
    }
}

/// One workload as a source showed it at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// The source's own id of the workload; unique on its server.
    pub id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    /// The platform as the source spells it, such as `VMware`.
    #[serde(default)]
    pub platform: Option<String>,
    #[serde(default)]
    pub tenant: Option<String>,
    #[serde(default)]
    pub job: Option<String>,
    #[serde(default)]
    pub host: Option<String>,
    /// The weight that the server stated; `None` lets the points table answer.
    #[serde(default)]
    pub points: Option<Points>,
    /// When the source says it was processed for the first time ever; `None`: the ledger answers.
    #[serde(default)]
    pub first_processed_at: Option<Instant>,
    /// The newest restore point known; `None`: none was found, and the source's own list vouches at its instant.
    #[serde(default)]
    pub last_restore_point_at: Option<Instant>,
    /// A rental machine: the tenant's own license pays for it (domain.md 1, "Rental machine").
    #[serde(default)]
    pub rental: bool,
    /// How large unstructured data is, where the source says so.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub unstructured: Option<Unstructured>,
}

/// Size of a share, bucket or server of unstructured data (domain.md 7.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unstructured {
    /// In GB.
    pub size_gb: Decimal,
    /// What is summed up before it is rounded: the share that several jobs back up, or the root that was added as one;
    /// `None`: the workload by itself.
    #[serde(default)]
    pub source: Option<String>,
}

/// What a workload is at an instant, in the order of design.md section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// No restore point within 31 × 24 h; counts nothing.
    Unprotected,
    /// Paid for by the tenant's own rental license; counts nothing.
    Rental,
    /// Processed for the first time in the calendar month; counts from the next 1st.
    New,
    /// Counts.
    Billable,
}
