//! The deviation gate: does the report fall so far short of the highest watermark that a renewal would be refused?
//!
//! Pure. Agent and License Update Server judge by this file (design.md section 4, "Gate"; domain.md 6).

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::calendar::{PROTECTED_FOR, midnight};
use crate::domain::gate::{Cause, CauseKind, GateVerdict, SCHEMA, Tolerance, Verdict};
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::report::{Line, Reason, ReportedWorkload, UsageReport};
use crate::domain::watermark::HighWatermark;
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};

/// Everything the verdict depends on.
#[derive(Clone, Debug)]
pub struct GateFacts {
    pub unit: UnitId,
    pub month: Month,
    /// The highest daily mark of the unit in the judged month.
    pub highest: Option<HighWatermark>,
    /// Points of the newest sent revision, else of the open report.
    pub reported: Option<Points>,
    /// The report is not sent yet.
    pub forecast: bool,
    pub tolerance: Tolerance,
    pub justification: Option<String>,
    /// What [`explain`] found; left out when the report does not fall short.
    pub causes: Vec<Cause>,
}

/// The verdict. A recorded justification opens a gate that would be held.
pub fn judge(facts: &GateFacts) -> GateVerdict {
    let (highest, reported) = (facts.highest.map(|mark| mark.points), facts.reported);
    let shortfall = match (highest, reported) {
        (Some(highest), Some(reported)) => (highest - reported).at_least_zero(),
        (None, _) | (_, None) => Points::ZERO,
    };
    let tolerance = facts.tolerance.at(highest.unwrap_or_default());
    let verdict = if highest.is_none() || reported.is_none() {
        Verdict::Undetermined
    } else if shortfall <= tolerance || facts.justification.is_some() {
        Verdict::Open
    } else {
        Verdict::Held
    };
    let causes = if shortfall.is_zero() { Vec::new() } else { facts.causes.clone() };
    let explained: Points = causes.iter().map(|cause| cause.points).sum();
    GateVerdict {
        schema: SCHEMA.to_owned(),
        unit: facts.unit.clone(),
        month: facts.month,
        verdict,
        forecast: facts.forecast,
        highest_watermark: highest,
        stood_at: facts.highest.map(|mark| mark.at),
        reported,
        shortfall,
        tolerance,
        justification: facts.justification.clone(),
        causes,
        unexplained: shortfall - explained,
        over_reported: highest.zip(reported).is_some_and(|(highest, reported)| reported - highest > tolerance),
    }
}

/// The month that is judged: the newest whose report is sent or whose deadline has passed.
///
/// `deadline_day` is the day of the following month (1 to 28) at whose 00:00 GMT the deadline has passed.
pub fn judged_month(now: Instant, deadline_day: u32, newest_sent: Option<Month>) -> Month {
    let current = Month::of(now);
    let due =
        if midnight(current.day(deadline_day)) <= now { current.previous() } else { current.previous().previous() };
    newest_sent.map_or(due, |sent| sent.max(due))
}

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
        let now = reported.remove(&(then.server.as_str(), then.id.as_str()));
        let (cause, points) = match now {
            None => (absent(then, peak, report), then.points),
            Some(now) => match now.reason {
                Reason::Removed => (CauseKind::Removed, then.points),
                Reason::Protected | Reason::Rental | Reason::New => {
                    (CauseKind::WeightChanged, then.points - now.points)
                }
            },
        };
        causes.push(Cause {
            cause,
            workload: Some(then.name.clone()),
            tenant: then.tenant.clone(),
            kind: Some(then.kind.clone()),
            points,
        });
    }
    causes.extend(reported.into_values().filter(|now| now.counted).map(|now| Cause {
        cause: CauseKind::Returned,
        workload: Some(now.name.clone()),
        tenant: now.tenant.clone(),
        kind: Some(now.kind.clone()),
        points: -now.points,
    }));
    causes
}

/// Why a workload of the peak stands in no line of the report.
fn absent(then: &PeakWorkload, peak: &Peak, report: &UsageReport) -> CauseKind {
    let aged = then.last_restore_point_at.is_some_and(|at| at + PROTECTED_FOR <= report.basis.as_of);
    if peak.left.contains(&then.server) {
        CauseKind::LeftServer
    } else if aged {
        CauseKind::AgedOut
    } else {
        CauseKind::Gone
    }
}

/// A server's tenant and type: sources that only count name no more.
type CountKey<'a> = (&'a str, Option<&'a str>, &'a WorkloadType);

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

fn between_counts(peak: &Peak, report: &UsageReport) -> Vec<Cause> {
    let counted_by_name: BTreeSet<CountKey<'_>> =
        report.workloads.iter().map(|one| (one.server.as_str(), one.tenant.as_deref(), &one.kind)).collect();
    let named_at_peak: BTreeSet<CountKey<'_>> =
        peak.workloads.iter().map(|one| (one.server.as_str(), one.tenant.as_deref(), &one.kind)).collect();
    let mut sides: BTreeMap<CountKey<'_>, (Side, Side, Points)> = BTreeMap::new();
    for then in &peak.counts {
        let key = (then.server.as_str(), then.tenant.as_deref(), &then.kind);
        sides.entry(key).or_default().0.add(then.count, then.weight);
    }
    for line in &report.lines {
        let key = (line.server.as_str(), line.tenant.as_deref(), &line.kind);
        if counted_by_name.contains(&key) || named_at_peak.contains(&key) {
            continue;
        }
        let (_, now, lowered) = sides.entry(key).or_default();
        now.add(line.initial_count, line.weight);
        *lowered += lowered_by(line);
    }
    sides.into_iter().flat_map(|(key, (then, now, lowered))| count_causes(key, &then, &now, lowered, peak)).collect()
}

/// Points a person took from the line.
fn lowered_by(line: &Line) -> Points {
    line.weight * line.initial_count - line.points
}

fn count_causes(key: CountKey<'_>, then: &Side, now: &Side, lowered: Points, peak: &Peak) -> [Cause; 3] {
    let (server, tenant, kind) = key;
    let reweighted = match (then.weight, now.weight) {
        (Some(then_weight), Some(now_weight)) if !then.mixed && !now.mixed => {
            (then_weight - now_weight) * then.count.min(now.count)
        }
        (_, _) => Points::ZERO,
    };
    let fewer = then.points - now.points - reweighted;
    let moved = if fewer.is_negative() {
        CauseKind::Returned
    } else if peak.left.contains(server) {
        CauseKind::LeftServer
    } else {
        CauseKind::Gone
    };
    [(CauseKind::Lowered, lowered), (CauseKind::WeightChanged, reweighted), (moved, fewer)].map(|(cause, points)| {
        Cause { cause, workload: None, tenant: tenant.map(str::to_owned), kind: Some(kind.clone()), points }
    })
}
