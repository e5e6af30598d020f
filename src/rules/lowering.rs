//! Lowering a tenant's count in a report.

use std::collections::BTreeSet;

use crate::domain::Points;
use crate::domain::adjustment::Adjustment;
use crate::domain::report::{Line, UsageReport};
use crate::domain::workload::WorkloadType;

use super::adjust_grid::is_adjustable;
use super::review::Refusal;

/// Which count of a report is lowered.
pub(super) struct Count {
    pub tenant: Option<String>,
    pub kind: WorkloadType,
    /// `None`: the only one there is.
    pub weight: Option<Points>,
}

/// Machines of a tenant and type in the report.
pub(super) fn count_of(report: &UsageReport, tenant: Option<&str>, kind: &WorkloadType, weight: Option<Points>) -> u64 {
    let lines = report.lines.iter().filter(|line| line.tenant.as_deref() == tenant && line.kind == *kind);
    lines.filter(|line| weight.is_none_or(|weight| weight == line.weight)).map(|line| line.reported_count).sum()
}

/// Lowers a tenant's count; agents' counts cannot be changed (domain.md 3.7).
pub(super) fn lower(report: &mut UsageReport, count: &Count, to: u64) -> Result<(), Refusal> {
    if !is_adjustable(&count.kind) {
        return Err(Refusal::TypeNotAdjustable(count.kind.clone()));
    }
    let (tenant, month) = (name_of(count.tenant.as_deref()), report.month);
    let fits = |line: &&mut Line| {
        line.tenant == count.tenant
            && line.kind == count.kind
            && count.weight.is_none_or(|weight| weight == line.weight)
    };
    let lines: Vec<_> = report.lines.iter_mut().filter(fits).collect();
    let weights: BTreeSet<Points> = lines.iter().map(|line| line.weight).collect();
    let reported: u64 = lines.iter().map(|line| line.reported_count).sum();
    if lines.is_empty() {
        return Err(Refusal::NoSuchCount(tenant, count.kind.clone(), month));
    }
    if weights.len() > 1 {
        let weights: Vec<String> = weights.iter().map(Points::to_string).collect();
        return Err(Refusal::SeveralWeights(tenant, count.kind.clone(), weights.join(", ")));
    }
    if reported <= to {
        return Err(Refusal::NotLower(to, reported));
    }
    // A tenant on several servers of the unit: what stays is filled up from the first server on.
    let mut left = to;
    for line in lines {
        line.reported_count = line.reported_count.min(left);
        line.points = line.weight * line.reported_count;
        left -= line.reported_count;
    }
    Ok(())
}

/// By how many machines a count was lowered.
pub(super) fn lowered_by(adjustment: &Adjustment) -> u64 {
    let count = |text: &str| text.parse::<u64>().ok();
    count(&adjustment.before).zip(count(&adjustment.after)).map_or(0, |(before, after)| before.saturating_sub(after))
}

/// What a tenant is called in refusals.
pub(super) fn name_of(tenant: Option<&str>) -> String {
    tenant.unwrap_or("(none)").to_owned()
}
