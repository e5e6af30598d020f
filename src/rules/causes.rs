//! Why a report is lower than the highest watermark: what lies between the peak and the report, cause by cause.
//!
//! Pure. With what stays unexplained the causes sum to the shortfall (design.md section 4, "Gate").

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::adjustment::Adjustment;
use crate::domain::calendar::PROTECTED_FOR;
use crate::domain::gate::{Cause, CauseKind, Known};
use crate::domain::installation::ServerName;
use crate::domain::report::{Line, Reason, ReportedWorkload, UsageReport};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Points};

/// What counted at the instant the highest mark stood.
#[derive(Clone, Debug, Default)]
pub struct Peak {
    /// Billable workloads; each server and id once.
    pub workloads: Vec<PeakWorkload>,
    /// Billable counts of sources that name no workloads.
    pub counts: Vec<PeakCount>,
    /// Servers that no longer belong to the unit's license at the month's end.
    pub left: BTreeSet<ServerName>,
}

/// One billable workload at the peak.
#[derive(Clone, Debug)]
pub struct PeakWorkload {
    pub server: ServerName,
    pub id: String,
    pub name: String,
    pub tenant: Option<String>,
    pub kind: WorkloadType,
    pub points: Points,
    /// The newest restore point known by the month's end, if any is.
    pub last_restore_point_at: Option<Instant>,
}

/// A count of one tenant and type at the peak.
#[derive(Clone, Debug)]
pub struct PeakCount {
    pub server: ServerName,
    pub tenant: Option<String>,
    pub kind: WorkloadType,
    pub weight: Points,
    pub count: u64,
}

/// Compares the peak with the report and names what lies between them; the points sum to peak less report.
pub fn explain(peak: &Peak, report: &UsageReport) -> Vec<Cause> {
    let mut causes = between_workloads(peak, report);
    causes.extend(lowered_counts(report));
    causes.extend(between_counts(peak, report));
    causes.retain(|cause| !cause.points.is_zero());
    causes
        .sort_by(|a, b| (b.points, a.cause, &a.workload, &a.tenant).cmp(&(a.points, b.cause, &b.workload, &b.tenant)));
    causes
}

fn between_workloads(peak: &Peak, report: &UsageReport) -> Vec<Cause> {
    let mut reported: BTreeMap<(&str, &str), &ReportedWorkload> =
        report.workloads.iter().map(|workload| ((workload.server.as_str(), workload.id.as_str()), workload)).collect();
    let mut causes = Vec::new();
    for then in &peak.workloads {
        let named = Cause {
            workload: Some(then.name.clone()),
            tenant: then.tenant.clone(),
            kind: Some(then.kind.clone()),
            server: Some(then.server.clone()),
            ..Cause::of(CauseKind::Gone, then.points)
        };
        causes.push(match reported.remove(&(then.server.as_str(), then.id.as_str())) {
            None => absent(named, then, peak, report),
            Some(now) => changed(named, now, report),
        });
    }
    causes.extend(reported.into_values().filter(|now| now.counted).map(|now| Cause {
        workload: Some(now.name.clone()),
        tenant: now.tenant.clone(),
        kind: Some(now.kind.clone()),
        server: Some(now.server.clone()),
        ..Cause::of(CauseKind::Returned, -now.points)
    }));
    causes
}

/// A workload of the peak that stands in no line of the report.
fn absent(gone: Cause, then: &PeakWorkload, peak: &Peak, report: &UsageReport) -> Cause {
    let ages_out_at = then.last_restore_point_at.map(|at| at + PROTECTED_FOR);
    if peak.left.contains(&then.server) {
        Cause { cause: CauseKind::LeftServer, ..gone }
    } else if report.not_collected.contains(&then.server) {
        Cause { known: Some(Known::NotCollected), ..gone }
    } else if ages_out_at.is_some_and(|at| at <= report.basis.as_of) {
        Cause { cause: CauseKind::AgedOut, at: ages_out_at, ..gone }
    } else {
        gone
    }
}

/// A workload of the peak that the report lists.
fn changed(then: Cause, now: &ReportedWorkload, report: &UsageReport) -> Cause {
    match now.reason {
        Reason::Removed => {
            let removal = report.adjustments.iter().find(|adjustment| {
                adjustment.workload.as_ref() == Some(&now.id)
                    && adjustment.server.as_ref().is_none_or(|server| *server == now.server)
            });
            Cause {
                cause: CauseKind::Removed,
                at: removal.map(|removal| removal.at),
                by: removal.map(|removal| removal.by.clone()),
                reason: removal.map(|removal| removal.reason.clone()),
                ..then
            }
        }
        Reason::Rental => Cause { known: Some(Known::TurnedRental), ..then },
        Reason::New => Cause { known: Some(Known::TurnedNew), ..then },
        Reason::Protected => {
            let points = then.points - now.points;
            Cause { cause: CauseKind::WeightChanged, points, ..then }
        }
    }
}

/// A server's tenant and type: sources that only count name no more.
type CountKey<'a> = (&'a str, Option<&'a str>, &'a WorkloadType);

fn key_of(line: &Line) -> CountKey<'_> {
    (line.server.as_str(), line.tenant.as_deref(), &line.kind)
}

fn key_of_named(named: &ReportedWorkload) -> CountKey<'_> {
    (named.server.as_str(), named.tenant.as_deref(), &named.kind)
}

/// Counts that a person lowered, machines taken out by name aside.
fn lowered_counts(report: &UsageReport) -> Vec<Cause> {
    let mut lowered: BTreeMap<CountKey<'_>, Points> = BTreeMap::new();
    for line in &report.lines {
        *lowered.entry(key_of(line)).or_default() += line.weight * line.initial_count - line.points;
    }
    for removed in report.workloads.iter().filter(|workload| workload.reason == Reason::Removed) {
        if let Some(points) = lowered.get_mut(&key_of_named(removed)) {
            *points = *points - removed.weight;
        }
    }
    let cause = |((server, tenant, kind), points): (CountKey<'_>, Points)| {
        let orders: Vec<&Adjustment> = report.adjustments.iter().filter(|one| lowers(one, tenant, kind)).collect();
        Cause {
            tenant: tenant.map(str::to_owned),
            kind: Some(kind.clone()),
            server: Some(server.to_owned()),
            at: orders.last().map(|last| last.at),
            by: each_once(&orders, |order| &order.by),
            reason: each_once(&orders, |order| &order.reason),
            ..Cause::of(CauseKind::Lowered, points)
        }
    };
    lowered.into_iter().map(cause).collect()
}

fn lowers(adjustment: &Adjustment, tenant: Option<&str>, kind: &WorkloadType) -> bool {
    adjustment.workload.is_none() && adjustment.tenant.as_deref() == tenant && adjustment.kind.as_ref() == Some(kind)
}

/// What several orders say, in their order and without repeats.
fn each_once(orders: &[&Adjustment], word: impl Fn(&Adjustment) -> &String) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    for order in orders {
        let said = word(order).as_str();
        if !words.contains(&said) {
            words.push(said);
        }
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// One side of a comparison of counts.
#[derive(Default)]
struct Side {
    points: Points,
    count: u64,
    /// The weight, while there is only one.
    weight: Option<Points>,
    mixed: bool,
}

impl Side {
    fn add(&mut self, count: u64, weight: Points) {
        self.mixed |= self.weight.is_some_and(|known| known != weight);
        self.weight = Some(weight);
        self.count += count;
        self.points += weight * count;
    }
}

/// Counts as generated beside those of the peak; lines made of named workloads are compared by name.
fn between_counts(peak: &Peak, report: &UsageReport) -> Vec<Cause> {
    let named: BTreeSet<CountKey<'_>> = report.workloads.iter().map(key_of_named).collect();
    let mut sides: BTreeMap<CountKey<'_>, (Side, Side)> = BTreeMap::new();
    for then in &peak.counts {
        let key = (then.server.as_str(), then.tenant.as_deref(), &then.kind);
        sides.entry(key).or_default().0.add(then.count, then.weight);
    }
    for line in report.lines.iter().filter(|line| !named.contains(&key_of(line))) {
        sides.entry(key_of(line)).or_default().1.add(line.initial_count, line.weight);
    }
    sides.into_iter().flat_map(|(key, (then, now))| count_causes(key, &then, &now, peak, report)).collect()
}

fn count_causes(key: CountKey<'_>, then: &Side, now: &Side, peak: &Peak, report: &UsageReport) -> [Cause; 2] {
    let (server, tenant, kind) = key;
    let reweighted = match (then.weight, now.weight) {
        (Some(then_weight), Some(now_weight)) if !then.mixed && !now.mixed => {
            (then_weight - now_weight) * then.count.min(now.count)
        }
        (_, _) => Points::ZERO,
    };
    let fewer = then.points - now.points - reweighted;
    let of = |cause, points| Cause {
        tenant: tenant.map(str::to_owned),
        kind: Some(kind.clone()),
        server: Some(server.to_owned()),
        ..Cause::of(cause, points)
    };
    let moved = if fewer.is_negative() {
        of(CauseKind::Returned, fewer)
    } else if peak.left.contains(server) {
        of(CauseKind::LeftServer, fewer)
    } else {
        let absent = report.not_collected.iter().any(|name| name == server);
        Cause { known: absent.then_some(Known::NotCollected), ..of(CauseKind::Gone, fewer) }
    };
    [of(CauseKind::WeightChanged, reweighted), moved]
}
