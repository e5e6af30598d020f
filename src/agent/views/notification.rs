//! The window that tells of a report which waits, in the field's words (domain.md 3.9).

use serde_json::{Value, json};

use crate::agent::{Agent, Hour};
use crate::channels::{left_or_overdue, until};
use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::notice::Workdays;
use crate::domain::report::{Stage, UsageReport};
use crate::rules::deadlines::Due;

impl Agent {
    /// Texts, banner and buttons; null when nobody has to act any more: it is sealed, or was entered elsewhere.
    ///
    /// Postponing closes the window until its time; a report that VSPC approves by itself has none (domain.md 3.10).
    pub(super) fn notification_of(&self, unit: &Unit, report: &UsageReport, due: Due, hour: Hour) -> Value {
        let open = match report.stage {
            Stage::Submitted { .. } | Stage::Sending { .. } => return Value::Null,
            Stage::AwaitingReview => true,
            Stage::Postponed { until } => until <= hour.now,
        };
        if report.on_demand || report.external.at.is_some() {
            return Value::Null;
        }
        let days_left = self.settings.deadlines.days_left(due, report.month, hour.now);
        let what = report.license.kind.measure().as_str();
        let period = if report.month == Month::of(hour.now).previous() {
            "the previous month".to_owned()
        } else {
            report.month.name()
        };
        let workdays = match self.workdays_to(due, report.month, hour) {
            Workdays::Enough => None,
            Workdays::TodayIsLast => Some("Today is the last working day before the deadline."),
            Workdays::NoneLeft => Some("No working day is left before the deadline."),
        };
        let acts = match due {
            Due::AutoSubmit => ["review", "send", "postpone"],
            Due::Manual | Due::Portal => ["review", "download", "postpone"],
        };
        let left = left_or_overdue(days_left);
        json!({
            "of": unit.servers.join(", "),
            "text": [
                "Monthly usage report has been generated.",
                format!("Number of managed {what} for {period}: {}.", report.total_points_rounded),
                format!("Please review and submit the report {}.", until(days_left)),
            ],
            "workdays": workdays,
            "banner": format!("Warning: Please submit a monthly usage report ({left})"),
            "left": left,
            "days_left": days_left,
            "window": open && !self.is_reviewed_elsewhere(unit),
            "acts": acts,
        })
    }
}
