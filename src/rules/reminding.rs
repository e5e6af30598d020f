//! When people are reminded of a report, and when it goes without them.

use chrono::{Days, TimeDelta};

use crate::domain::calendar::midnight;
use crate::domain::report::Stage;
use crate::domain::{Instant, Month};

use super::deadlines::{Deadlines, Due};
use super::schedule::{Policy, Reminder, ReportState, UnitFacts};
use super::working_days::WorkingDays;

/// The open second step is recalled so often once its deadline has passed.
const OVERDUE_STEP_PAUSE: TimeDelta = TimeDelta::days(7);

/// What decides whether a report goes without a person.
#[derive(Clone, Copy, Debug)]
pub struct Unattended {
    pub month: Month,
    /// Whether usage is reported automatically, and since when.
    pub automatic: Option<Instant>,
    /// Whether there is a License Update Server and it knows us.
    pub sends: bool,
    /// The coverage policy lets it go out unseen.
    pub may_go_unseen: bool,
    /// A correction, which is a person's alone, is a later revision than 1.
    pub revision: u32,
}

impl Unattended {
    /// The deadline that an open report is held to: it goes by itself when usage was reported automatically by then,
    /// there is someone to send to, enough coverage, and no correction.
    pub fn due(&self, deadlines: Deadlines) -> Due {
        let automatic = self.automatic.is_some_and(|since| since <= deadlines.auto_submit_at(self.month));
        let goes = automatic && self.sends && self.may_go_unseen && self.revision == 1;
        if goes { Due::AutoSubmit } else { Due::Manual }
    }
}

/// The deadline that a report is held to while it is open.
pub fn due(unit: &UnitFacts, report: &ReportState, policy: &Policy) -> Due {
    let unattended = Unattended {
        month: report.month,
        automatic: unit.automatic,
        sends: unit.sends,
        may_go_unseen: report.may_go_unseen,
        revision: report.revision,
    };
    unattended.due(policy.deadlines)
}

/// The next reminder of a report, and what it is about.
pub fn next(unit: &UnitFacts, report: &ReportState, policy: &Policy) -> Option<(Instant, Reminder)> {
    let (month, told_at, days) = (report.month, report.last_told_at, &policy.working_days);
    if let Stage::Submitted { .. } = report.stage {
        let ends_at = policy.deadlines.ends_at(Due::Portal, month);
        return (!report.external_done).then(|| (step_recalled_at(told_at, ends_at, days), Reminder::External));
    }
    let due = due(unit, report, policy);
    let ends_at = policy.deadlines.ends_at(due, month);
    // Entered elsewhere and never sent from here: the manual way has come to its end.
    if report.external_done && due != Due::AutoSubmit {
        return None;
    }
    let reminded_at = review_at(&report.stage, told_at, ends_at, days).filter(|_| !unit.reviewed_elsewhere);
    match (reminded_at, due) {
        (Some(at), _) => Some((at, Reminder::Review)),
        // What goes by itself is sent on that day; the rest is overdue until it is sent or marked.
        (None, Due::AutoSubmit) => None,
        (None, Due::Manual | Due::Portal) => {
            overdue_at(&report.stage, told_at, ends_at, days).map(|at| (at, Reminder::Overdue))
        }
    }
}

/// The next reminder of an open report before its deadline, daily on working days; `None`: that of the last working day
/// was the last one. A postponement past the last working day is still followed by one reminder.
pub fn review_at(stage: &Stage, told_at: Instant, ends_at: Instant, days: &WorkingDays) -> Option<Instant> {
    let floor = shows_from(stage, told_at)?;
    days.first_in(floor, ends_at).or(match stage {
        Stage::Postponed { until } => Some(floor).filter(|_| told_at < *until && floor < ends_at),
        Stage::AwaitingReview | Stage::Sending { .. } | Stage::Submitted { .. } => None,
    })
}

/// The midnight after the last telling, not before a postponement ends.
fn shows_from(stage: &Stage, told_at: Instant) -> Option<Instant> {
    let midnight_after = midnight(told_at.date_naive() + Days::new(1));
    match stage {
        Stage::AwaitingReview => Some(midnight_after),
        Stage::Postponed { until } => Some(midnight_after.max(*until)),
        Stage::Sending { .. } | Stage::Submitted { .. } => None,
    }
}

/// First when the deadline has passed, on whatever day; then daily on working days.
fn overdue_at(stage: &Stage, told_at: Instant, ends_at: Instant, days: &WorkingDays) -> Option<Instant> {
    let floor = shows_from(stage, told_at)?;
    Some(if told_at < ends_at { floor.max(ends_at) } else { days.first_from(floor) })
}

/// The open second step: daily on working days up to its deadline, then when that has passed, then weekly, on the
/// working day at or before.
fn step_recalled_at(told_at: Instant, ends_at: Instant, days: &WorkingDays) -> Instant {
    let tomorrow = midnight(told_at.date_naive() + Days::new(1));
    if told_at < ends_at {
        return days.first_in(tomorrow, ends_at).unwrap_or(ends_at);
    }
    let week_later = (told_at + OVERDUE_STEP_PAUSE).date_naive();
    let moved = days.last_before(midnight(week_later + Days::new(1))).unwrap_or(week_later);
    midnight(moved).max(tomorrow)
}
