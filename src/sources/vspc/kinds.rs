//! VSPC's workload types and products as the field's (api.md 3.2).

use crate::domain::workload::WorkloadType;

use WorkloadType::{
    Application, CloudConnectReplica, CloudConnectServer, CloudConnectVm, CloudConnectWorkstation, CloudVm, FileShare,
    Server, Vm, Workstation,
};

/// How a `typeId` begins, and the type it means; the first row that fits answers.
pub const TYPES: [(&str, WorkloadType); 10] = [
    ("VBR-VM-CLOUD", CloudVm),
    ("VBR-VM-", Vm),
    ("VBR-SERVER-", Server),
    ("VBR-WORKSTATION-", Workstation),
    ("VBR-APPLICATION-", Application),
    ("VBR-NAS-", FileShare),
    ("VCC-VM-BACKUP", CloudConnectVm),
    ("VCC-VM-REPLICA", CloudConnectReplica),
    ("VCC-SERVER-BACKUP", CloudConnectServer),
    ("VCC-WORKSTATION-BACKUP", CloudConnectWorkstation),
];

/// The type of a `typeId`; one that stands nowhere is kept as it came.
pub fn kind_of(type_id: &str) -> WorkloadType {
    const ROWS: &[(&str, WorkloadType)] = &TYPES;
    let known = ROWS.iter().find(|(prefix, _)| type_id.starts_with(prefix));
    known.map_or_else(|| WorkloadType::Other(type_id.to_owned()), |(_, kind)| kind.clone())
}

/// Whose points a `serverType` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A backup server's or Cloud Connect server's own key.
    Backup,
    /// Keys of other products, which are no points of a backup key; the name is for people.
    Other(&'static str),
    /// A product of a later version.
    Unknown,
}

/// The product of a `serverType`.
pub fn product_of(server_type: Option<&str>) -> Product {
    match server_type {
        Some("BackupAndReplication" | "CloudConnect") => Product::Backup,
        Some("VSPC") => Product::Other("VSPC's own agents"),
        Some("VONE") => Product::Other("Veeam ONE"),
        Some("VB365") => Product::Other("VB365"),
        Some(_) | None => Product::Unknown,
    }
}
