//! Points per workload where the server states none: data with source and date, never the last word.
//!
//! The weight that a server states always wins (domain.md 2.2).

use crate::domain::Points;
use crate::domain::license::License;
use crate::domain::workload::WorkloadType;

/// One row: points of a type under an edition, and where the figure comes from.
#[derive(Clone, Debug)]
pub struct PointsRow {
    pub kind: WorkloadType,
    /// `None`: any edition.
    pub edition: Option<&'static str>,
    /// As a decimal text.
    pub points: &'static str,
    /// Page and date of the figure.
    pub source: &'static str,
}

/// The rows of domain.md 2.1 that name one figure; ranges and uncertain figures are left out on purpose.
pub static POINTS_TABLE: [PointsRow; 10] = [
    row(WorkloadType::CloudConnectVm, None, "5", "RG-VCC"),
    row(WorkloadType::CloudConnectReplica, None, "10", "RG-VCC"),
    row(WorkloadType::CloudConnectServer, None, "7", "RG-VCC"),
    row(WorkloadType::CloudConnectWorkstation, None, "3", "RG-VCC"),
    row(WorkloadType::Vm, Some("Enterprise"), "9", "VSPC-VIEW, December 2022"),
    row(WorkloadType::Vm, Some("EnterprisePlus"), "11", "RG-EXC"),
    row(WorkloadType::Server, Some("EnterprisePlus"), "11", "VSPC-VIEW, December 2022"),
    row(WorkloadType::Workstation, Some("EnterprisePlus"), "4", "VSPC-VIEW, December 2022"),
    row(WorkloadType::Application, Some("EnterprisePlus"), "11", "VSPC-VIEW, December 2022"),
    row(WorkloadType::CloudVm, None, "11", "VSPC-VIEW, December 2022"),
];

const fn row(
    kind: WorkloadType,
    edition: Option<&'static str>,
    points: &'static str,
    source: &'static str,
) -> PointsRow {
    PointsRow { kind, edition, points, source }
}

/// The table's row for a type under this license; `None` when no source names one figure.
pub fn row_for(kind: &WorkloadType, license: &License) -> Option<&'static PointsRow> {
    let edition = license.edition.as_deref().map(|edition| edition.replace(' ', ""));
    POINTS_TABLE
        .iter()
        .find(|row| row.kind == *kind && row.edition.is_none_or(|named| edition.as_deref() == Some(named)))
}

/// The weight of one workload: as stated, else the table's, else nothing, which callers must show.
pub fn weight(stated: Option<Points>, kind: &WorkloadType, license: &License) -> Option<Points> {
    stated.or_else(|| row_for(kind, license).map(|row| Points::stated(row.points).expect("the table holds decimals")))
}
