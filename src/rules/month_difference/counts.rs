//! What the lines say beyond the workloads that are named: counts of tenants, and counts that a person lowered.

use std::collections::BTreeMap;

use crate::domain::Points;
use crate::domain::month_difference::DifferenceCause;
use crate::domain::report::{Reason, ReportedWorkload, UsageReport};

use super::{Found, Home};

/// One line without its named workloads.
#[derive(Clone, Copy, Default)]
struct Unnamed {
    /// As generated; below zero only where lines and workloads disagree.
    used: i64,
    new: i64,
    rental: i64,
    /// How many a person lowered the count by.
    lowered: i64,
}

/// The lines of one place by weight.
type ByWeight = BTreeMap<Points, Unnamed>;

/// So many workloads of each weight.
#[derive(Default)]
struct Units(Vec<(Points, u64)>);

pub(super) fn compare(before: &UsageReport, after: &UsageReport, found: &mut Found) {
    let mut homes: BTreeMap<Home<'_>, [ByWeight; 2]> = BTreeMap::new();
    for (of, report) in [before, after].into_iter().enumerate() {
        for (home, weights) in unnamed(report) {
            homes.entry(home).or_default()[of] = weights;
        }
    }
    for (home, [before, after]) in homes {
        compare_lowered(home, &before, &after, found);
        compare_used(home, &before, &after, found);
    }
}

/// Everything the lines say, less what the workloads say by name.
fn unnamed(report: &UsageReport) -> BTreeMap<Home<'_>, ByWeight> {
    let mut homes: BTreeMap<Home<'_>, ByWeight> = BTreeMap::new();
    for line in &report.lines {
        let home = (line.server.as_str(), line.tenant.as_deref(), &line.kind);
        let unnamed = homes.entry(home).or_default().entry(line.weight).or_default();
        unnamed.used += signed(line.initial_count);
        unnamed.new += signed(line.new_count);
        unnamed.rental += signed(line.rental_count);
        unnamed.lowered += signed(line.initial_count) - signed(line.reported_count);
    }
    for workload in &report.workloads {
        let home = (workload.server.as_str(), workload.tenant.as_deref(), &workload.kind);
        let line = homes.get_mut(&home).and_then(|weights| weights.get_mut(&workload.weight));
        if let Some(unnamed) = line {
            take_out(workload, unnamed);
        }
    }
    homes
}

fn take_out(workload: &ReportedWorkload, unnamed: &mut Unnamed) {
    match workload.reason {
        Reason::Protected if workload.counted => unnamed.used -= 1,
        // Another server's copy stands for it: it is in no line.
        Reason::Protected => {}
        Reason::New => unnamed.new -= 1,
        Reason::Rental => unnamed.rental -= 1,
        Reason::Removed => {
            unnamed.used -= 1;
            unnamed.lowered -= 1;
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count is lowered further than last month, or less far.
fn compare_lowered(home: Home<'_>, before: &ByWeight, after: &ByWeight, found: &mut Found) {
    let (mut less, mut more) = changes(before, after, |unnamed| unnamed.lowered);
    let (_, heavier) = reweighted(&mut less, &mut more);
    if !heavier.is_zero() {
        // The workloads are booked with what they count.
        found.book(DifferenceCause::Reweighted, home, 0, None, -heavier);
    }
    match found.servers.why_gone(home.0) {
        Some(_) if less.count() == 0 => {}
        Some(cause) => found.book(cause, home, 0, None, less.points()),
        None => book(DifferenceCause::AdjustmentEnded, home, less, found, |points| points),
    }
    book(DifferenceCause::Lowered, home, more, found, |points| -points);
}

/// More or fewer are counted: those that were new or rental last month explain as many as they can.
fn compare_used(home: Home<'_>, before: &ByWeight, after: &ByWeight, found: &mut Found) {
    let (mut fewer, mut more) = changes(before, after, |unnamed| unnamed.used);
    let (both, heavier) = reweighted(&mut fewer, &mut more);
    if both > 0 {
        found.book(DifferenceCause::Reweighted, home, both, None, heavier);
    }
    let sum = |weights: &ByWeight, of: fn(&Unnamed) -> i64| weights.values().map(of).sum::<i64>();
    let (new_before, rental_before) = (sum(before, |unnamed| unnamed.new), sum(before, |unnamed| unnamed.rental));
    let rental_more = sum(after, |unnamed| unnamed.rental) - rental_before;
    let came = found.servers.why_come(home.0);
    if came.is_none() {
        book(DifferenceCause::LeftFreeMonth, home, more.take(new_before), found, |points| points);
        book(DifferenceCause::NoLongerRental, home, more.take(-rental_more), found, |points| points);
    }
    book(came.unwrap_or(DifferenceCause::MoreCounted), home, more, found, |points| points);
    let went = found.servers.why_gone(home.0);
    if went.is_none() {
        book(DifferenceCause::BecameRental, home, fewer.take(rental_more), found, |points| -points);
    }
    book(went.unwrap_or(DifferenceCause::FewerCounted), home, fewer, found, |points| -points);
}

/// How many fewer and how many more there are, by weight.
fn changes(before: &ByWeight, after: &ByWeight, count: fn(&Unnamed) -> i64) -> (Units, Units) {
    let mut changes: BTreeMap<Points, i64> = after.iter().map(|(weight, unnamed)| (*weight, count(unnamed))).collect();
    for (weight, unnamed) in before {
        *changes.entry(*weight).or_default() -= count(unnamed);
    }
    let of = |sign: i64| {
        let units = changes.iter().map(|(weight, change)| (*weight, u64::try_from(change * sign).unwrap_or(0)));
        Units(units.filter(|(_, count)| *count > 0).collect())
    };
    (of(-1), of(1))
}

/// As many of one weight less as of another more weigh differently: how many, and by how much. What is left changed in
/// number.
fn reweighted(fewer: &mut Units, more: &mut Units) -> (u64, Points) {
    let both = fewer.count().min(more.count());
    let (from, to) = (fewer.take(both), more.take(both));
    (u64::try_from(both).unwrap_or(0), to.points() - from.points())
}

fn book(cause: DifferenceCause, home: Home<'_>, units: Units, found: &mut Found, sign: fn(Points) -> Points) {
    let count = u64::try_from(units.count()).unwrap_or(0);
    if count > 0 {
        found.book(cause, home, count, None, sign(units.points()));
    }
}

impl Units {
    fn count(&self) -> i64 {
        self.0.iter().map(|(_, count)| signed(*count)).sum()
    }

    fn points(&self) -> Points {
        self.0.iter().map(|(weight, count)| *weight * *count).sum()
    }

    /// The first so many of them, or all there are; none for a number below zero.
    fn take(&mut self, wanted: i64) -> Units {
        let mut left = u64::try_from(wanted).unwrap_or(0);
        let mut taken = Units::default();
        for (weight, count) in &mut self.0 {
            let some = left.min(*count);
            *count -= some;
            left -= some;
            taken.0.push((*weight, some));
        }
        taken
    }
}
