//! A sample's sums carried on to the next sample by what changed: the same as counting everything again, without it.

use std::sync::Arc;

use super::counting::{AsOf, Ledger, class_of, total_of};
use super::rating::Rating;
use crate::domain::calendar::PROTECTED_FOR;
use crate::domain::license::License;
use crate::domain::sample::{Counted, Group, GroupTotal, Sample, Summary};
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::workload_changes::{Difference, differences};
use crate::domain::{Instant, Month};

/// A sample whose sums are known.
#[derive(Clone)]
pub struct Standing {
    sample: Arc<Sample>,
    /// When the first of its workloads counts otherwise although nothing changed (31 days, design.md section 4).
    ages_at: Option<Instant>,
}

/// What a sample adds to what is known.
#[derive(Default)]
pub struct Carried {
    /// Groups whose totals changed, with the total before; each once, in order.
    pub groups: Vec<(Group, GroupTotal)>,
    /// Workloads whose row in the ledger changed.
    pub learnt: Vec<String>,
}

impl Standing {
    /// `counted` is the answer of [`super::counting::classify`] for it. `None`: its sums are not carried on, because
    /// sizes are summed up over several workloads, or because an id stands twice.
    pub fn of(sample: &Arc<Sample>, counted: &[Counted]) -> Option<Standing> {
        if sample.workloads.is_any_sized() || !sample.workloads.are_sorted() {
            return None;
        }
        let counts = |(_, counted): &(&Workload, &Counted)| counted.class != Class::Unprotected;
        let protected = sample.workloads.iter().zip(counted).filter(counts).map(|(workload, _)| workload);
        let ages_at = if sample.vouched { None } else { protected.filter_map(ages_at).min() };
        Some(Standing { sample: Arc::clone(sample), ages_at })
    }

    /// Whether what did not change counts in the later sample as it does in this one: the month and the license's measure
    /// are the same, no points table answers otherwise, and nothing aged meanwhile. `rating` is that of the sums.
    pub fn carries_to(&self, later: &Sample, rating: &Rating) -> bool {
        let before = &*self.sample;
        before.taken_at < later.taken_at
            && weighs_the_same(before.taken_at, later.taken_at, rating)
            && self.ages_at.is_none_or(|ages_at| later.taken_at < ages_at)
            && before.vouched == later.vouched
            && before.counts == later.counts
            && is_same_key(&before.license, &later.license)
            && !later.workloads.is_any_sized()
            && later.workloads.are_sorted()
    }

    /// Carries the sums on to a sample that [`Standing::carries_to`]. `rating` maps none of its types.
    pub fn carry(
        &mut self,
        later: &Arc<Sample>,
        ledger: &mut Arc<Ledger>,
        summary: &mut Arc<Summary>,
        rating: &Rating,
    ) -> Carried {
        let before = std::mem::replace(&mut self.sample, Arc::clone(later));
        let changed = differences(&before.workloads, &later.workloads);
        let (mut was, mut is): (Vec<&Workload>, Vec<&Workload>) = (Vec::new(), Vec::new());
        for difference in &changed {
            match difference {
                Difference::Gone { was: one, .. } => was.push(one),
                Difference::Appeared { is: one } => is.push(one),
                Difference::Changed { was: one, is: other, .. } => {
                    was.push(one);
                    is.push(other);
                }
            }
        }
        let less: Vec<GroupTotal> = was.iter().map(|one| total(one, &before, ledger, rating)).collect();
        let told = || is.iter().map(|one| (one.id.as_str(), one.first_processed_at));
        let learnt = if told().any(|(id, stated)| ledger.learns(id, stated)) {
            Arc::make_mut(ledger).take_note_of(later.taken_at, told())
        } else {
            Vec::new()
        };
        let less = was.iter().zip(less).map(|(one, total)| Shift { one, total, way: Way::Less });
        let more = is.iter().map(|one| Shift { one, total: total(one, later, ledger, rating), way: Way::More });
        let mut shifts: Vec<Shift<'_>> = less.chain(more).collect();
        if !later.vouched {
            self.ages_at = is.iter().filter_map(|one| ages_at(one)).chain(self.ages_at).min();
        }
        Carried { groups: shift(summary, &mut shifts, later), learnt }
    }
}

/// When a workload that counts is protected no longer; one whose restore points nobody knows never ages.
fn ages_at(workload: &Workload) -> Option<Instant> {
    workload.last_restore_point_at.map(|last| last + PROTECTED_FOR)
}

/// Whether neither a month nor a row of a points table begins between two instants.
fn weighs_the_same(before: Instant, later: Instant, rating: &Rating) -> bool {
    let (day, later_day) = (before.date_naive(), later.date_naive());
    day == later_day || Month::of(before) == Month::of(later) && !rating.has_row_from(day, later_day)
}

fn is_same_key(one: &License, other: &License) -> bool {
    let plain = |license: &License| License { used_points: None, new_points: None, ..license.clone() };
    one == other || plain(one) == plain(other)
}

/// What one workload adds to its group.
fn total(workload: &Workload, sample: &Sample, ledger: &Ledger, rating: &Rating) -> GroupTotal {
    let first_processed_at = ledger.first_processed_at(workload);
    let class = class_of(workload, sample, first_processed_at, AsOf::sample(sample.taken_at));
    let weighed = rating.weight_of(workload, sample);
    let (weight, shares) = (weighed.weight, weighed.shares());
    total_of(&Counted { class, weight, shares, first_processed_at })
}

/// What a workload added to its group, or adds to it now.
struct Shift<'a> {
    one: &'a Workload,
    total: GroupTotal,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Less,
    More,
}

impl Shift<'_> {
    fn group(&self) -> (Option<&str>, &WorkloadType) {
        (self.one.tenant.as_deref(), &self.one.kind)
    }
}

/// Adds and takes off; returns the groups that changed, each with its total before, in order.
fn shift(summary: &mut Arc<Summary>, shifts: &mut [Shift<'_>], sample: &Sample) -> Vec<(Group, GroupTotal)> {
    shifts.sort_by(|one, other| one.group().cmp(&other.group()));
    let mut changed = Vec::new();
    for of_group in shifts.chunk_by(|one, next| one.group() == next.group()) {
        let (tenant, kind) = of_group[0].group();
        let group: Group = (tenant.map(str::to_owned), kind.clone());
        let before = summary.groups.get(&group).copied().unwrap_or_default();
        let of_way = |way| of_group.iter().filter(move |shift| shift.way == way);
        let mut after = before;
        of_way(Way::More).for_each(|shift| after.add(shift.total));
        of_way(Way::Less).for_each(|shift| after.subtract(shift.total));
        if before != after {
            Arc::make_mut(summary).set(&group, after);
            changed.push((group, before));
        }
    }
    if !changed.is_empty() {
        // What a count states is a group, even one of nothing.
        for count in &sample.counts {
            Arc::make_mut(summary).groups.entry((count.tenant.clone(), count.kind.clone())).or_default();
        }
    }
    changed
}
