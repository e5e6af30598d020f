//! The weight of each workload as the server states it.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::domain::license::Measure;
use crate::domain::sample::Sample;
use crate::domain::workload::{Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};

/// Points of one machine by kind; `None` when the server states several.
pub type Multipliers = BTreeMap<WorkloadType, Option<Points>>;

/// Servers take new workloads over into the used ones at the month's turn, and may be so late about it.
const ROLLS_WITHIN: TimeDelta = TimeDelta::hours(1);

/// What the sample before this one knew of a workload.
enum Before {
    /// There is no sample before.
    FirstSample,
    NotSeen,
    SeenThisMonth(Option<Points>),
    SeenEarlier,
}

/// Fills in weights of Cloud Connect workloads where the list states none: the kind's multiplier, when it is one.
pub fn fill_in(workloads: &mut [Workload], multipliers: &Multipliers) {
    for workload in workloads.iter_mut().filter(|workload| workload.points.is_none_or(Points::is_zero)) {
        workload.points = multipliers.get(&workload.kind).copied().flatten();
    }
}

/// What weights are told by.
pub struct Weights<'a> {
    pub multipliers: &'a Multipliers,
    pub measure: Measure,
    pub previous: Option<&'a Sample>,
    pub now: Instant,
}

impl Weights<'_> {
    /// The weight of one workload for which the list states this, nothing or zero, and that was first processed then.
    ///
    /// The kind's multiplier answers, when it is one, for a number that is missing, and for the zero of a machine that is
    /// new this month. Else zero is zero: a revoked machine, or a file share below 500 GB (domain.md 7.2). A share that was
    /// there when sampling began is taken for such.
    pub fn of(&self, workload: &Workload, stated: Option<Points>, first: Option<Instant>) -> Option<Points> {
        let multiplier = self.multipliers.get(&workload.kind).copied().flatten();
        let is_share = workload.kind == WorkloadType::FileShare;
        // Where instances are counted, the zero of a workstation says that several share one.
        if stated.is_none() || (self.measure == Measure::Instances && !is_share) {
            return multiplier;
        }
        let month = Month::of(if is_share { self.now } else { self.now - ROLLS_WITHIN });
        let is_old = first.is_some_and(|first| first < month.starts_at());
        match self.before(workload, month) {
            Before::SeenEarlier => Some(Points::ZERO),
            _ if is_old => Some(Points::ZERO),
            Before::FirstSample if is_share => Some(Points::ZERO),
            Before::FirstSample => multiplier,
            // Another weight than the one that is filled in was stated.
            Before::SeenThisMonth(Some(points)) if multiplier.is_some_and(|multiplier| multiplier != points) => {
                Some(Points::ZERO)
            }
            Before::SeenThisMonth(points) if is_share => points.or(multiplier),
            Before::NotSeen | Before::SeenThisMonth(_) => multiplier,
        }
    }

    fn before(&self, workload: &Workload, month: Month) -> Before {
        let Some(previous) = self.previous else { return Before::FirstSample };
        match previous.workloads.position_of(&workload.id).map(|position| &previous.workloads[position]) {
            None => Before::NotSeen,
            Some(known) if month <= Month::of(previous.taken_at) => Before::SeenThisMonth(known.points),
            Some(_) => Before::SeenEarlier,
        }
    }
}
