//! This month's report against last month's: what came, what went and why, summing exactly, per tenant and in total.
//!
//! Workloads that both reports name are compared one by one. Where a source gives counts only, the counts say what they
//! can and the rest is called more or fewer.

mod aged_out;
mod counts;
mod machines;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Points;
use crate::domain::installation::ServerName;
use crate::domain::month_difference::{DifferenceCause, DifferenceRow, MonthDifference, NAMED_MAX, PreviousReport};
use crate::domain::report::UsageReport;
use crate::domain::workload::WorkloadType;

pub use aged_out::{AgedOut, LOOKS_EVERY, aged_out, servers_with_absent};
pub use words::{cause_name, sentence, signed};

/// The difference between a report and last month's; `before` is its newest revision.
pub fn difference(before: Option<&UsageReport>, after: &UsageReport, aged_out: &AgedOut) -> MonthDifference {
    let Some(before) = before else { return MonthDifference::default() };
    let mut found = Found { servers: Servers::of(before, after), rows: BTreeMap::new() };
    machines::compare(before, after, aged_out, &mut found);
    counts::compare(before, after, &mut found);
    found.name_the_rest(before, after);
    let previous = PreviousReport {
        id: before.id.clone(),
        month: before.month,
        revision: before.revision,
        total_points: before.total_points,
    };
    MonthDifference { previous: Some(previous), rows: found.rows.into_values().collect() }
}

/// The rows of a difference by cause alone, the largest change first.
pub fn by_cause(difference: &MonthDifference) -> Vec<DifferenceRow> {
    let mut sums = summed(&difference.rows, |row| Place { tenant: None, ..Place::of_cause(row.cause) });
    sums.sort_by_key(|row| (std::cmp::Reverse(row.points.amount().abs()), row.cause));
    sums
}

/// The rows by tenant and cause, in the tenants' order.
pub fn by_tenant(difference: &MonthDifference) -> Vec<DifferenceRow> {
    let mut sums = summed(&difference.rows, |row| Place { tenant: row.tenant.clone(), ..Place::of_cause(row.cause) });
    sums.sort_by(|one, other| (&one.tenant, one.cause).cmp(&(&other.tenant, other.cause)));
    sums
}

fn summed(rows: &[DifferenceRow], place: impl Fn(&DifferenceRow) -> Place) -> Vec<DifferenceRow> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let place = place(row);
        let sum = sums.entry(place.clone()).or_insert_with(|| place.empty());
        sum.workloads += row.workloads;
        sum.points += row.points;
    }
    sums.into_values().collect()
}

/// Where a difference is booked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    cause: DifferenceCause,
    tenant: Option<String>,
    server: Option<ServerName>,
    kind: Option<WorkloadType>,
}

impl Place {
    fn of_cause(cause: DifferenceCause) -> Place {
        Place { cause, tenant: None, server: None, kind: None }
    }

    fn empty(self) -> DifferenceRow {
        let Place { cause, tenant, server, kind } = self;
        DifferenceRow { cause, tenant, server, kind, workloads: 0, named: Vec::new(), points: Points::ZERO }
    }
}

/// Server, tenant and type: where a workload counts.
type Home<'a> = (&'a str, Option<&'a str>, &'a WorkloadType);

/// The rows found so far.
struct Found {
    servers: Servers,
    rows: BTreeMap<Place, DifferenceRow>,
}

impl Found {
    /// Books so many workloads, of which one may be named.
    fn book(&mut self, cause: DifferenceCause, home: Home<'_>, workloads: u64, name: Option<&str>, points: Points) {
        let (server, tenant, kind) = home;
        let place = Place {
            cause,
            tenant: tenant.map(str::to_owned),
            server: Some(server.to_owned()),
            kind: Some(kind.clone()),
        };
        let row = self.rows.entry(place.clone()).or_insert_with(|| place.empty());
        row.workloads += workloads;
        row.points += points;
        row.named.extend(name.filter(|_| row.named.len() < NAMED_MAX).map(str::to_owned));
    }

    /// A report whose lines and workloads disagree leaves something over; it is said, tenant by tenant.
    fn name_the_rest(&mut self, before: &UsageReport, after: &UsageReport) {
        let mut rest: BTreeMap<Option<String>, Points> = BTreeMap::new();
        for line in &after.lines {
            *rest.entry(line.tenant.clone()).or_default() += line.points;
        }
        for line in &before.lines {
            *rest.entry(line.tenant.clone()).or_default() += -line.points;
        }
        for row in self.rows.values() {
            *rest.entry(row.tenant.clone()).or_default() += -row.points;
        }
        rest.retain(|_, points| !points.is_zero());
        for (tenant, points) in rest {
            let place = Place { tenant, ..Place::of_cause(DifferenceCause::Unexplained) };
            self.rows.insert(place.clone(), DifferenceRow { points, ..place.empty() });
        }
    }
}

/// Servers that only one of the two reports could count.
struct Servers {
    /// `None`: a report of an earlier version does not list its servers.
    known_before: Option<BTreeSet<ServerName>>,
    known_after: Option<BTreeSet<ServerName>>,
    missed_before: BTreeSet<ServerName>,
    missed_after: BTreeSet<ServerName>,
}

impl Servers {
    fn of(before: &UsageReport, after: &UsageReport) -> Servers {
        Servers {
            known_before: servers_of(before),
            known_after: servers_of(after),
            missed_before: before.not_collected.iter().cloned().collect(),
            missed_after: after.not_collected.iter().cloned().collect(),
        }
    }

    /// Why nothing of a server counts any more, when the server as a whole is missing.
    fn why_gone(&self, server: &str) -> Option<DifferenceCause> {
        if self.missed_after.contains(server) {
            return Some(DifferenceCause::NotCollected);
        }
        self.known_after.as_ref().is_some_and(|known| !known.contains(server)).then_some(DifferenceCause::ServerLeft)
    }

    /// Why everything of a server counts for the first time.
    fn why_come(&self, server: &str) -> Option<DifferenceCause> {
        if self.missed_before.contains(server) {
            return Some(DifferenceCause::CollectedAgain);
        }
        self.known_before.as_ref().is_some_and(|known| !known.contains(server)).then_some(DifferenceCause::ServerJoined)
    }
}

fn servers_of(report: &UsageReport) -> Option<BTreeSet<ServerName>> {
    report.provenance.servers.first()?;
    let covered = report.provenance.servers.iter().map(|covered| &covered.server);
    Some(covered.chain(report.lines.iter().map(|line| &line.server)).cloned().collect())
}
