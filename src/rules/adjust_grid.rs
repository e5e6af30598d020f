//! What a person adjusts a Cloud Connect report by: a row a tenant and type, with count and note (domain.md 3.5).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::Points;
use crate::domain::adjustment::Adjustment;
use crate::domain::report::UsageReport;
use crate::domain::workload::WorkloadType;

/// One row of the grid; a tenant's type at two weights has two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GridRow {
    pub tenant: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    pub weight: Points,
    /// As generated, over all servers of the unit.
    pub initial_count: u64,
    /// After adjustments.
    pub count: u64,
    /// Not counted: processed for the first time in the month.
    pub new_count: u64,
    /// Not counted: of tenants with a rental license of their own.
    pub rental_count: u64,
    /// Whether a person may lower it: VMs and replicas only (domain.md 3.7).
    pub adjustable: bool,
    /// Why it was lowered.
    pub note: Option<String>,
}

/// Whether counts of this type can be lowered (domain.md 3.7).
pub fn is_adjustable(kind: &WorkloadType) -> bool {
    matches!(kind, WorkloadType::CloudConnectVm | WorkloadType::CloudConnectReplica)
}

/// The grid of a report; empty where nothing is Cloud Connect.
pub fn adjust_grid(report: &UsageReport) -> Vec<GridRow> {
    let mut rows: BTreeMap<(&Option<String>, &WorkloadType, Points), GridRow> = BTreeMap::new();
    for line in report.lines.iter().filter(|line| is_cloud_connect(&line.kind)) {
        let row = rows.entry((&line.tenant, &line.kind, line.weight)).or_insert_with(|| GridRow {
            tenant: line.tenant.clone(),
            kind: line.kind.clone(),
            weight: line.weight,
            initial_count: 0,
            count: 0,
            new_count: 0,
            rental_count: 0,
            adjustable: is_adjustable(&line.kind),
            note: None,
        });
        row.initial_count += line.initial_count;
        row.count += line.reported_count;
        row.new_count += line.new_count;
        row.rental_count += line.rental_count;
    }
    let noted = rows.into_values().map(|row| GridRow { note: note(&report.adjustments, &row), ..row });
    noted.collect()
}

fn is_cloud_connect(kind: &WorkloadType) -> bool {
    is_adjustable(kind) || matches!(kind, WorkloadType::CloudConnectWorkstation | WorkloadType::CloudConnectServer)
}

/// The reasons of the row's adjustments, each once, in their order.
fn note(adjustments: &[Adjustment], row: &GridRow) -> Option<String> {
    let is_of = |adjustment: &&Adjustment| {
        adjustment.tenant == row.tenant
            && adjustment.kind.as_ref() == Some(&row.kind)
            && adjustment.weight.is_none_or(|weight| weight == row.weight)
    };
    let mut reasons: Vec<&str> = Vec::new();
    for adjustment in adjustments.iter().filter(is_of) {
        if !reasons.contains(&adjustment.reason.as_str()) {
            reasons.push(&adjustment.reason);
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
