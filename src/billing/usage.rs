//! What tenants used in a month, from the reports' lines.

use std::collections::BTreeMap;

use super::line::Source;
use super::price_book::PriceBook;
use crate::domain::Points;
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::report::{Line, UsageReport};
use crate::domain::workload::WorkloadType;

/// One use: the order is the one in which graduated tiers are filled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub tenant: String,
    pub unit: UnitId,
    pub server: ServerName,
    pub kind: WorkloadType,
    pub weight: Points,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    pub workloads: u64,
    pub points: Points,
    pub source: Source,
}

/// What the reports count, by who pays; lines that count nothing are left out.
pub(super) fn used(book: &PriceBook, reports: &[&UsageReport]) -> BTreeMap<Use, Used> {
    let mut uses = BTreeMap::new();
    for report in reports {
        let behind = workloads_behind(report);
        for (place, line) in (1..).zip(&report.lines) {
            if line.reported_count == 0 && line.points.is_zero() {
                continue;
            }
            let of = Use {
                tenant: book.tenant_of(line.tenant.as_deref(), &line.server).to_owned(),
                unit: report.unit.clone(),
                server: line.server.clone(),
                kind: line.kind.clone(),
                weight: line.weight,
            };
            let used: &mut Used = uses.entry(of).or_default();
            used.workloads += line.reported_count;
            used.points += line.points;
            used.source.report.clone_from(&report.id);
            used.source.revision = report.revision;
            used.source.lines.insert(place);
            let ids = behind.get(&parts_of(line)).into_iter().flatten();
            used.source.workloads.extend(ids.map(|id| (*id).to_owned()));
        }
    }
    uses
}

type LineParts<'a> = (&'a str, Option<&'a str>, &'a WorkloadType, Points);

fn parts_of(line: &Line) -> LineParts<'_> {
    (&line.server, line.tenant.as_deref(), &line.kind, line.weight)
}

fn workloads_behind(report: &UsageReport) -> BTreeMap<LineParts<'_>, Vec<&str>> {
    let mut behind: BTreeMap<LineParts<'_>, Vec<&str>> = BTreeMap::new();
    for workload in report.workloads.iter().filter(|workload| workload.counted) {
        let of = (workload.server.as_str(), workload.tenant.as_deref(), &workload.kind, workload.weight);
        behind.entry(of).or_default().push(&workload.id);
    }
    behind
}
