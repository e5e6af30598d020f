//! Reviewing a report: lowering with a reason, taking it back, postponing.

use std::ops::Range;

use chrono::Days;

use crate::domain::adjustment::{Adjustment, AdjustmentOrder};
use crate::domain::calendar::midnight;
use crate::domain::gate::REASON_CHARS_MAX;
use crate::domain::report::{Line, Reason, ReportedWorkload, Stage, UsageReport};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};

use super::finality;
use super::lowering::{Count, count_of, lower, lowered_by, name_of};
use super::named_workloads::Named;
use super::reporting::{self, NOTE_REMOVED};

/// Why an order on a report is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the report of {0} is {1}; only an open report can be changed")]
    NotOpen(Month, &'static str),
    #[error(
        "the report of {0} was entered in {1}, so it is final; begin its next revision with `report correct --month {0} --reason \
         TEXT` and change that"
    )]
    Entered(Month, String),
    #[error("a reason is needed: say why with --reason")]
    NoReason,
    #[error("the reason has {0} signs, and at most {REASON_CHARS_MAX} travel with the report: shorten it")]
    ReasonTooLong(usize),
    #[error("no workload is named")]
    NothingNamed,
    #[error("workload '{0}' does not count in the report of {1}, so it cannot be removed from it")]
    NotCounted(String, Month),
    #[error("'{0}' names {1} workloads; name one by its id: {2}")]
    Ambiguous(String, usize, String),
    #[error("counts of type {0} cannot be adjusted; only Cloud Connect VMs and replicas can")]
    TypeNotAdjustable(WorkloadType),
    #[error("tenant {0} has no {1} in the report of {2}")]
    NoSuchCount(String, WorkloadType, Month),
    #[error("tenant {0} has {1} at several weights; name one as {1}@WEIGHT: {2}")]
    SeveralWeights(String, WorkloadType, String),
    #[error("{0} is not lower than {1}; a report is only ever lowered")]
    NotLower(u64, u64),
    #[error("the count of {1} of tenant {0} was lowered already; reset the report to remove machines by name")]
    AlreadyLowered(String, WorkloadType),
    #[error("postponing until {0} is not possible: it must lie after now and not after the deadline {1}")]
    PostponedTooFar(Instant, Instant),
    #[error("an on-demand report is for looking only; it can be neither changed nor sent")]
    OnDemand,
}

/// Orders of one trial whose steps keep their lines; of more only the lines after all of them are known.
pub const STEPS_WITH_LINES_MAX: usize = 50;

/// A report as orders would leave it. Lines, workloads and totals are those after them, its digest is still the one before:
/// what is kept goes through [`adjust_all`].
#[derive(Clone, Debug)]
pub struct Tried {
    pub report: UsageReport,
    /// One for each order.
    pub steps: Vec<Step>,
}

/// What one order does.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it made, by position in the report's adjustments.
    pub adjustments: Range<usize>,
    /// The report's total before and after it.
    pub before: Points,
    pub after: Points,
    /// The lines that it leaves; `None`: one of more than [`STEPS_WITH_LINES_MAX`].
    pub lines: Option<Vec<Line>>,
}

/// The report after the order.
///
/// # Errors
/// [`Refusal`] when the report is not open or final, the reason is empty, or the order names what does not count.
pub fn adjust(report: &UsageReport, order: &AdjustmentOrder, by: &str, at: Instant) -> Result<UsageReport, Refusal> {
    adjust_all(report, std::slice::from_ref(order), by, at)
}

/// The report after several orders, each on what the one before left; one refusal refuses them all.
///
/// # Errors
/// As [`adjust`]; [`Refusal::NothingNamed`] without any order.
pub fn adjust_all(
    report: &UsageReport,
    orders: &[AdjustmentOrder],
    by: &str,
    at: Instant,
) -> Result<UsageReport, Refusal> {
    let mut adjusted = tried(report, orders, 0, (by, at))?.report;
    reporting::total(&mut adjusted);
    Ok(adjusted)
}

/// What [`adjust_all`] would do, order by order, without the cost of a digest.
///
/// # Errors
/// As [`adjust_all`].
pub fn try_all(report: &UsageReport, orders: &[AdjustmentOrder], by: &str, at: Instant) -> Result<Tried, Refusal> {
    tried(report, orders, STEPS_WITH_LINES_MAX, (by, at))
}

/// The steps keep their lines when there are at most `with_lines_max` of them.
fn tried(
    report: &UsageReport,
    orders: &[AdjustmentOrder],
    with_lines_max: usize,
    (by, at): (&str, Instant),
) -> Result<Tried, Refusal> {
    if orders.is_empty() {
        return Err(Refusal::NothingNamed);
    }
    must_be_changeable(report)?;
    let (mut tried, mut steps) = (report.clone(), Vec::new());
    for order in orders {
        let (made, before) = (tried.adjustments.len(), tried.total_points);
        obey(&mut tried, order, by, at)?;
        reporting::sum_up(&mut tried);
        let adjustments = made..tried.adjustments.len();
        let lines = (orders.len() <= with_lines_max).then(|| tried.lines.clone());
        steps.push(Step { adjustments, before, after: tried.total_points, lines });
    }
    Ok(Tried { report: tried, steps })
}

fn obey(report: &mut UsageReport, order: &AdjustmentOrder, by: &str, at: Instant) -> Result<(), Refusal> {
    match order {
        AdjustmentOrder::Remove { workloads, reason } => {
            let reason = given(reason)?;
            if workloads.is_empty() {
                return Err(Refusal::NothingNamed);
            }
            let named = Named::in_report(report, workloads.iter().map(String::as_str));
            for name in workloads {
                let found = named.find(report, name)?;
                remove(report, found, reason, by, at)?;
            }
        }
        AdjustmentOrder::Lower { tenant, kind, weight, to, reason } => {
            let before = count_of(report, tenant.as_deref(), kind, *weight);
            lower(report, &Count { tenant: tenant.clone(), kind: kind.clone(), weight: *weight }, *to)?;
            report.adjustments.push(Adjustment {
                at,
                by: by.to_owned(),
                approved_by: None,
                workload: None,
                server: None,
                tenant: tenant.clone(),
                kind: Some(kind.clone()),
                weight: *weight,
                note_before: None,
                before: before.to_string(),
                after: to.to_string(),
                reason: given(reason)?.to_owned(),
            });
        }
    }
    Ok(())
}

/// The report as it was generated, without any adjustment.
///
/// # Errors
/// [`Refusal::NotOpen`], [`Refusal::Entered`].
pub fn reset(report: &UsageReport) -> Result<UsageReport, Refusal> {
    let mut fresh = try_reset(report)?;
    reporting::total(&mut fresh);
    Ok(fresh)
}

/// What [`reset`] would do, without the cost of a digest: that is still the one before.
///
/// # Errors
/// As [`reset`].
pub fn try_reset(report: &UsageReport) -> Result<UsageReport, Refusal> {
    must_be_changeable(report)?;
    let mut fresh = report.clone();
    for line in &mut fresh.lines {
        line.reported_count = line.initial_count;
        line.points = line.weight * line.initial_count;
    }
    for workload in fresh.workloads.iter_mut().filter(|workload| workload.reason == Reason::Removed) {
        let removal = fresh.adjustments.iter().find(|adjustment| is_of(adjustment, workload));
        workload.reason = Reason::Protected;
        workload.counted = true;
        workload.points = workload.weight;
        workload.note = removal.and_then(|adjustment| adjustment.note_before.clone());
    }
    fresh.adjustments.clear();
    reporting::sum_up(&mut fresh);
    Ok(fresh)
}

/// A report that was built again, with what people had decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedOver {
    pub report: UsageReport,
    /// Adjustments that could not be made again, each in words: what they name is not in the report any more.
    pub dropped: Vec<String>,
}

/// Makes the adjustments of an unsent report again on its regenerated self; what no longer counts is left out and said. A
/// count is lowered by as much as was decided, whatever it is by then: nobody decided about more.
pub fn carry_over(old: &UsageReport, mut regenerated: UsageReport) -> CarriedOver {
    let mut dropped = Vec::new();
    let removed: Vec<Option<String>> = old.adjustments.iter().map(workload_of).collect();
    let named = Named::in_report(&regenerated, removed.iter().flatten().map(String::as_str));
    for (adjustment, removed) in old.adjustments.iter().zip(&removed) {
        let again = match (removed, &adjustment.kind) {
            (Some(name), _) => named.find(&regenerated, name).and_then(|found| {
                remove(&mut regenerated, found, &adjustment.reason, &adjustment.by, adjustment.at)?;
                if let Some(made) = regenerated.adjustments.last_mut() {
                    made.approved_by.clone_from(&adjustment.approved_by);
                }
                Ok(())
            }),
            (None, Some(kind)) => {
                let count = Count { tenant: adjustment.tenant.clone(), kind: kind.clone(), weight: adjustment.weight };
                let now = count_of(&regenerated, count.tenant.as_deref(), kind, count.weight);
                let to = now.saturating_sub(lowered_by(adjustment));
                lower(&mut regenerated, &count, to).map(|()| {
                    let (before, after) = (now.to_string(), to.to_string());
                    regenerated.adjustments.push(Adjustment { before, after, ..adjustment.clone() });
                })
            }
            (None, None) => Ok(()),
        };
        if again.is_err() {
            dropped.push(in_words(adjustment));
        }
    }
    regenerated.justification.clone_from(&old.justification);
    regenerated.justified_at = old.justified_at;
    regenerated.justified_by.clone_from(&old.justified_by);
    regenerated.correction.clone_from(&old.correction);
    reporting::total(&mut regenerated);
    CarriedOver { report: regenerated, dropped }
}

fn in_words(adjustment: &Adjustment) -> String {
    let Adjustment { by, reason, before, after, .. } = adjustment;
    let what = match (workload_of(adjustment), &adjustment.kind) {
        (Some(workload), _) => format!("{workload} removed"),
        (None, Some(kind)) => {
            format!("{} {kind} lowered from {before} to {after}", name_of(adjustment.tenant.as_deref()))
        }
        (None, None) => format!("{before} lowered to {after}"),
    };
    format!("{what} by {by} ({reason})")
}

/// The stage of a postponed report. `until` defaults to the next 00:00 GMT and is cut at the deadline by default only;
/// the deadline is the one the report is held to, the manual one where nothing sends it.
///
/// # Errors
/// [`Refusal::PostponedTooFar`], [`Refusal::NotOpen`].
pub fn postpone(
    report: &UsageReport,
    until: Option<Instant>,
    deadline: Instant,
    now: Instant,
) -> Result<Stage, Refusal> {
    must_be_open(report)?;
    let until = until.unwrap_or_else(|| midnight(now.date_naive() + Days::new(1)).min(deadline));
    if until <= now || deadline < until {
        return Err(Refusal::PostponedTooFar(until, deadline));
    }
    Ok(Stage::Postponed { until })
}

fn must_be_open(report: &UsageReport) -> Result<(), Refusal> {
    if report.on_demand {
        return Err(Refusal::OnDemand);
    }
    if !report.stage.is_open() {
        return Err(Refusal::NotOpen(report.month, report.stage.as_str()));
    }
    Ok(())
}

/// What was entered elsewhere stands as it was entered, as what was sent stands as it was sent.
fn must_be_changeable(report: &UsageReport) -> Result<(), Refusal> {
    must_be_open(report)?;
    if !finality::may_change(report) {
        let portal = report.external.portal.as_deref().unwrap_or("a portal");
        return Err(Refusal::Entered(report.month, portal.to_owned()));
    }
    Ok(())
}

/// The reason as it is kept: trimmed, not empty, short enough to travel with the report.
///
/// # Errors
/// [`Refusal::NoReason`], [`Refusal::ReasonTooLong`].
pub fn given(reason: &str) -> Result<&str, Refusal> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(Refusal::NoReason),
        length if length > REASON_CHARS_MAX => Err(Refusal::ReasonTooLong(length)),
        _ => Ok(reason),
    }
}

/// How a removed workload is named again.
fn workload_of(adjustment: &Adjustment) -> Option<String> {
    let workload = adjustment.workload.as_ref()?;
    Some(adjustment.server.as_ref().map_or_else(|| workload.clone(), |server| format!("{server}/{workload}")))
}

fn is_of(adjustment: &Adjustment, workload: &ReportedWorkload) -> bool {
    adjustment.workload.as_ref() == Some(&workload.id) && adjustment.server.as_ref() == Some(&workload.server)
}

/// Whether a person may take this workload out of the report as it stands, were the report open.
pub fn is_removable(report: &UsageReport, workload: &ReportedWorkload) -> bool {
    workload.counted && must_be_removable(report, workload).is_ok()
}

/// Only VM and replica counts of Cloud Connect are changed, never those of its agents (domain.md 3.7).
fn must_be_removable(report: &UsageReport, workload: &ReportedWorkload) -> Result<(), Refusal> {
    if matches!(workload.kind, WorkloadType::CloudConnectWorkstation | WorkloadType::CloudConnectServer) {
        return Err(Refusal::TypeNotAdjustable(workload.kind.clone()));
    }
    let lowered = |adjustment: &Adjustment| {
        adjustment.workload.is_none()
            && adjustment.tenant == workload.tenant
            && adjustment.kind.as_ref() == Some(&workload.kind)
            && adjustment.weight.is_none_or(|weight| weight == workload.weight)
    };
    if report.adjustments.iter().any(lowered) {
        return Err(Refusal::AlreadyLowered(name_of(workload.tenant.as_deref()), workload.kind.clone()));
    }
    Ok(())
}

fn remove(report: &mut UsageReport, found: usize, reason: &str, by: &str, at: Instant) -> Result<(), Refusal> {
    must_be_removable(report, &report.workloads[found])?;
    let workload = &mut report.workloads[found];
    let before = workload.points;
    workload.counted = false;
    workload.reason = Reason::Removed;
    workload.points = Points::ZERO;
    let note_before = workload.note.replace(format!("{NOTE_REMOVED}{reason}"));
    let workload = workload.clone();
    let line = report.lines.iter_mut().find(|line| {
        line.server == workload.server
            && line.tenant == workload.tenant
            && line.kind == workload.kind
            && line.weight == workload.weight
    });
    let line = line.expect("every counted workload has its line");
    line.reported_count -= 1;
    line.points = line.weight * line.reported_count;
    report.adjustments.push(Adjustment {
        at,
        by: by.to_owned(),
        approved_by: None,
        workload: Some(workload.id),
        server: Some(workload.server),
        tenant: workload.tenant,
        kind: Some(workload.kind),
        weight: Some(workload.weight),
        note_before,
        before: before.to_string(),
        after: Points::ZERO.to_string(),
        reason: reason.to_owned(),
    });
    Ok(())
}
