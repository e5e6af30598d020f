//! The window that tells of a report which waits, in the field's words (domain.md 3.9).

use serde_json::{Value, json};

use crate::agent::{Agent, Hour};
use crate::channels::until;
use crate::domain::Month;
use crate::domain::notice::Workdays;
use crate::domain::report::UsageReport;
use crate::rules::deadlines::Due;

impl Agent {
    /// Texts, banner and buttons; null once the report is sealed, and of the second step nobody is told here.
    pub(super) fn notification_shown(&self, report: &UsageReport, due: Due, hour: Hour) -> Value {
        if !report.stage.is_open() || report.on_demand {
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
        json!({
            "text": [
                "Monthly usage report has been generated.",
                format!("Number of managed {what} for {period}: {}.", report.total_points_rounded),
                format!("Please review and submit the report {}.", until(days_left)),
            ],
            "workdays": workdays,
            "banner": format!("Warning: Please submit a monthly usage report ({})", left(days_left)),
            "acts": acts,
        })
    }
}

/// As banners say it.
fn left(days: i64) -> String {
    match days {
        2.. => format!("{days} days left"),
        1 => "1 day left".to_owned(),
        0 => "today is the last day".to_owned(),
        -1 => "1 day late".to_owned(),
        ..-1 => format!("{} days late", -days),
    }
}
