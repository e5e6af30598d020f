//! The weight of each workload as the server states it.

use std::collections::BTreeMap;

use crate::domain::sample::Sample;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

/// What the sample before this one knew of a workload.
enum Before {
    /// There is no sample before.
    FirstSample,
    NotSeen,
    SeenThisMonth(Option<Points>),
    SeenEarlier,
}

/// Fills in weights where the list states 0, as it does for machines that are new this month.
///
/// The kind's multiplier answers, when it is one. A file share below 500 GB truly weighs 0 (domain.md 7.2): one that
/// has been there before this month, or was there when sampling began, is taken for such.
pub fn state(
    workloads: &mut [Workload],
    multipliers: &BTreeMap<WorkloadType, Option<Points>>,
    previous: Option<&Sample>,
    now: Instant,
) {
    for workload in workloads.iter_mut().filter(|workload| workload.points.is_none_or(Points::is_zero)) {
        workload.points = weight_of(workload, workload.points, multipliers, previous, now);
    }
}

/// The weight of one workload for which the list states this: nothing, or zero.
pub fn weight_of(
    workload: &Workload,
    stated: Option<Points>,
    multipliers: &BTreeMap<WorkloadType, Option<Points>>,
    previous: Option<&Sample>,
    now: Instant,
) -> Option<Points> {
    let multiplier = multipliers.get(&workload.kind).copied().flatten();
    let is_empty_share = workload.kind == WorkloadType::FileShare && stated.is_some();
    match before(workload, previous, now) {
        Before::SeenThisMonth(points) if is_empty_share => points.or(multiplier),
        Before::FirstSample | Before::SeenEarlier if is_empty_share => Some(Points::ZERO),
        Before::FirstSample | Before::NotSeen | Before::SeenThisMonth(_) | Before::SeenEarlier => multiplier,
    }
}

fn before(workload: &Workload, previous: Option<&Sample>, now: Instant) -> Before {
    let Some(previous) = previous else { return Before::FirstSample };
    match previous.workloads.position_of(&workload.id).map(|position| &previous.workloads[position]) {
        None => Before::NotSeen,
        Some(known) if Month::of(previous.taken_at) == Month::of(now) => Before::SeenThisMonth(known.points),
        Some(_) => Before::SeenEarlier,
    }
}
