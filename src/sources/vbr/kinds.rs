//! The VBR spellings of workload kinds and platforms, as tables.

use crate::domain::workload::WorkloadType;

/// One value of `platformType` (1.3-rev0 and later) and what it stands for.
pub struct PlatformRow {
    pub platform: &'static str,
    pub kind: WorkloadType,
    /// The values of a restore point's `platformName` that its restore points may carry.
    pub restore_platforms: &'static [&'static str],
}

const VMWARE: &[&str] = &["VMware", "CloudDirector", "Vcd"];
const CUSTOM: &[&str] = &["CustomPlatform"];
const WINDOWS: &[&str] = &["WindowsPhysical"];
const LINUX: &[&str] = &["LinuxPhysical", "LinuxPhysicalPpc"];
const SHARES: &[&str] = &["UnstructuredData", "Tape"];
const APPLICATIONS: &[&str] = &["ApplicationBackupRepository", "MongoDb", "Iris", "WindowsPhysical", "LinuxPhysical"];
/// Restore points of cloud tenants carry the platform of the tenant's machine.
const ANY: &[&str] = &[];

const fn row(platform: &'static str, kind: WorkloadType, restore_platforms: &'static [&'static str]) -> PlatformRow {
    PlatformRow { platform, kind, restore_platforms }
}

use WorkloadType::{
    Application, CloudConnectReplica, CloudConnectServer, CloudConnectVm, CloudConnectWorkstation, CloudVm,
    EntraIdUser, FileShare, Server, Vm, Workstation,
};

/// Known platforms; a kind that stands nowhere here is kept as it came.
pub const PLATFORMS: [PlatformRow; 39] = [
    row("VMware", Vm, VMWARE),
    row("HyperV", Vm, &["HyperV"]),
    row("NutanixAhv", Vm, &["Nutanix", "CustomPlatform"]),
    row("Proxmox", Vm, &["Proxmox", "CustomPlatform"]),
    row("Kvm", Vm, CUSTOM),
    row("Scp", Vm, CUSTOM),
    row("XcpNg", Vm, CUSTOM),
    row("XenServer", Vm, CUSTOM),
    row("HpeVme", Vm, CUSTOM),
    row("WindowsWorkstation", Workstation, WINDOWS),
    row("LinuxWorkstation", Workstation, LINUX),
    row("MacWorkstation", Workstation, CUSTOM),
    row("WindowsServer", Server, WINDOWS),
    row("LinuxServer", Server, LINUX),
    row("LinuxPpcServer", Server, LINUX),
    row("UnixServer", Server, LINUX),
    row("MacServer", Server, CUSTOM),
    row("OracleSolaris", Server, LINUX),
    row("IbmAix", Server, LINUX),
    row("UniversalCdpWindows", Server, WINDOWS),
    row("UniversalCdpLinux", Server, LINUX),
    row("Application", Application, APPLICATIONS),
    row("MongoDB", Application, APPLICATIONS),
    row("Iris", Application, APPLICATIONS),
    row("UnstructuredData", FileShare, SHARES),
    row("UnstructuredDataServer", FileShare, SHARES),
    row("File2TapeShare", FileShare, SHARES),
    row("File2TapeServer", FileShare, SHARES),
    row("AzureFileShare", FileShare, SHARES),
    row("AwsEfs", FileShare, SHARES),
    row("AwsFsx", FileShare, SHARES),
    row("AzureEntraId", EntraIdUser, &["EntraID", "AzureEntraId"]),
    row("AwsEc2", CloudVm, &["AWSEC2"]),
    row("AzureVm", CloudVm, &["AzureCompute"]),
    row("GcpVm", CloudVm, &["GCE"]),
    row("CloudBackup", CloudConnectVm, ANY),
    row("CloudBackupWorkstation", CloudConnectWorkstation, ANY),
    row("CloudBackupServer", CloudConnectServer, ANY),
    row("CloudReplica", CloudConnectReplica, ANY),
];

/// Display texts of `type` and of `objects[].type`, which changed between documents (api.md 2.5).
const DISPLAYED: [(&str, WorkloadType); 27] = [
    ("VM", Vm),
    ("VMs", Vm),
    ("Virtual Machine", Vm),
    ("Virtual Machines", Vm),
    ("AHVVM", Vm),
    ("Server", Server),
    ("Servers", Server),
    ("Workstation", Workstation),
    ("Workstations", Workstation),
    ("Application", Application),
    ("Applications", Application),
    ("FileShare", FileShare),
    ("File Share", FileShare),
    ("File Shares", FileShare),
    ("Unstructured Data", FileShare),
    ("Cloud VM", CloudVm),
    ("Cloud VMs", CloudVm),
    ("Cloud Machines", CloudVm),
    ("Cloud Connect VMs", CloudConnectVm),
    ("Cloud Connect Replicas", CloudConnectReplica),
    ("Cloud Connect Servers", CloudConnectServer),
    ("Cloud Connect Workstations", CloudConnectWorkstation),
    ("CloudMachine", CloudVm),
    ("CloudConnectBackupVM", CloudConnectVm),
    ("CloudConnectReplicationVM", CloudConnectReplica),
    ("CloudConnectBackupWorkstation", CloudConnectWorkstation),
    ("CloudConnectBackupServer", CloudConnectServer),
];

/// The kind of a license workload: by platform, else by its displayed type, else as it came.
pub fn kind_of(platform: Option<&str>, displayed: Option<&str>) -> WorkloadType {
    let known = platform.and_then(row_of).map(|row| row.kind.clone());
    let shown = || displayed.map(kind_displayed_as);
    let as_it_came = || platform.map(|platform| WorkloadType::Other(platform.to_owned()));
    match known.or_else(shown) {
        Some(WorkloadType::Other(other)) => as_it_came().unwrap_or(WorkloadType::Other(other)),
        Some(kind) => kind,
        None => as_it_came().unwrap_or_else(|| WorkloadType::Other("Unknown".to_owned())),
    }
}

/// The kind that a display text means.
pub fn kind_displayed_as(text: &str) -> WorkloadType {
    let known = DISPLAYED.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(text));
    known.map_or_else(|| text.parse().expect("every text is a workload type"), |(_, kind)| kind.clone())
}

/// Whether a restore point of this platform may belong to a workload of that one.
pub fn may_join(workload_platform: Option<&str>, restore_platform: &str) -> bool {
    match workload_platform.map(|platform| (platform, row_of(platform))) {
        None => true,
        Some((_, Some(row))) => row.restore_platforms.is_empty() || row.restore_platforms.contains(&restore_platform),
        Some((platform, None)) => platform == restore_platform || restore_platform == "CustomPlatform",
    }
}

fn row_of(platform: &str) -> Option<&'static PlatformRow> {
    const ROWS: &[PlatformRow] = &PLATFORMS;
    ROWS.iter().find(|row| row.platform == platform)
}
