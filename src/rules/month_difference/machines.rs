//! Workloads that reports name, compared one by one.

use std::collections::BTreeMap;

use crate::domain::Points;
use crate::domain::month_difference::DifferenceCause;
use crate::domain::report::{Reason, ReportedWorkload, UsageReport};
use crate::domain::workload::WorkloadType;

use super::{AgedOut, Found, Home};

/// A machine by its id; a machine and its replica are two (`rules::duplicates`).
type Machine<'a> = (&'a str, bool);

/// The same on its server; the number tells apart what one report names twice.
type Standing<'a> = (&'a str, Machine<'a>, usize);

type Standings<'a> = BTreeMap<Standing<'a>, &'a ReportedWorkload>;

pub(super) fn compare(before: &UsageReport, after: &UsageReport, aged_out: &AgedOut, found: &mut Found) {
    let (counted_elsewhere_before, mut gone) = standings(before);
    let (counted_elsewhere_after, mut come) = standings(after);
    let both: Vec<Standing<'_>> = gone.keys().filter(|standing| come.contains_key(*standing)).copied().collect();
    for standing in both {
        if let (Some(one), Some(other)) = (gone.remove(&standing), come.remove(&standing)) {
            pair(one, other, found);
        }
    }
    let mut arrivals: BTreeMap<Machine<'_>, Vec<Standing<'_>>> = BTreeMap::new();
    for standing in come.keys().rev() {
        arrivals.entry(standing.1).or_default().push(*standing);
    }
    for (standing, one) in gone {
        let arrival = arrivals.get_mut(&standing.1).and_then(Vec::pop);
        if let Some(other) = arrival.and_then(|arrival| come.remove(&arrival)) {
            pair(one, other, found);
        } else if one.counted {
            let cause = if counted_elsewhere_after.contains_key(&standing) {
                DifferenceCause::CountedOnce
            } else {
                why_gone(one, aged_out, found)
            };
            book(cause, one, -one.points, found);
        }
    }
    for (standing, other) in come.into_iter().filter(|(_, other)| other.counted) {
        let cause = if counted_elsewhere_before.contains_key(&standing) {
            DifferenceCause::CountedOnce
        } else {
            found.servers.why_come(&other.server).unwrap_or(DifferenceCause::Added)
        };
        book(cause, other, other.points, found);
    }
}

/// The workloads that another server's copy stands for, and all others.
fn standings(report: &UsageReport) -> (Standings<'_>, Standings<'_>) {
    let (mut elsewhere, mut own) = (Standings::new(), Standings::new());
    for workload in &report.workloads {
        let of = if workload.reason == Reason::Protected && !workload.counted { &mut elsewhere } else { &mut own };
        let machine = (workload.id.as_str(), workload.kind == WorkloadType::CloudConnectReplica);
        let nth = (0..).find(|nth| !of.contains_key(&(&*workload.server, machine, *nth)));
        of.insert((&workload.server, machine, nth.unwrap_or_default()), workload);
    }
    (elsewhere, own)
}

/// One machine in both reports.
fn pair(before: &ReportedWorkload, after: &ReportedWorkload, found: &mut Found) {
    match (before.counted, after.counted) {
        (false, false) => {}
        (false, true) => book(why_counts(before.reason), after, after.points, found),
        (true, false) => book(why_counts_no_longer(after.reason), before, -before.points, found),
        (true, true) => {
            stand_elsewhere(before, after, found);
            if before.points != after.points {
                book(DifferenceCause::Reweighted, after, after.points - before.points, found);
            }
        }
    }
}

/// The points of last month go from one place to the other; another weight is a difference of its own.
fn stand_elsewhere(before: &ReportedWorkload, after: &ReportedWorkload, found: &mut Found) {
    if (&before.server, &before.tenant) != (&after.server, &after.tenant) {
        book(DifferenceCause::MovedAway, before, -before.points, found);
        book(DifferenceCause::MovedHere, after, before.points, found);
    } else if before.kind != after.kind {
        book(DifferenceCause::TypeChanged, before, -before.points, found);
        book(DifferenceCause::TypeChanged, after, before.points, found);
    }
}

fn why_counts(reason_before: Reason) -> DifferenceCause {
    match reason_before {
        Reason::New => DifferenceCause::LeftFreeMonth,
        Reason::Rental => DifferenceCause::NoLongerRental,
        Reason::Removed => DifferenceCause::AdjustmentEnded,
        Reason::Protected => DifferenceCause::CountedOnce,
    }
}

fn why_counts_no_longer(reason_after: Reason) -> DifferenceCause {
    match reason_after {
        Reason::New => DifferenceCause::BecameNew,
        Reason::Rental => DifferenceCause::BecameRental,
        Reason::Removed => DifferenceCause::Removed,
        Reason::Protected => DifferenceCause::CountedOnce,
    }
}

fn why_gone(workload: &ReportedWorkload, aged_out: &AgedOut, found: &Found) -> DifferenceCause {
    if let Some(server) = found.servers.why_gone(&workload.server) {
        return server;
    }
    let aged = aged_out.contains(&(workload.server.clone(), workload.id.clone()));
    if aged { DifferenceCause::AgedOut } else { DifferenceCause::Gone }
}

fn book(cause: DifferenceCause, workload: &ReportedWorkload, points: Points, found: &mut Found) {
    let home: Home<'_> = (&workload.server, workload.tenant.as_deref(), &workload.kind);
    found.book(cause, home, 1, Some(&workload.name), points);
}
