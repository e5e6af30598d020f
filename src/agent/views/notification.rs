//! The field's notification window of a report that waits, as it words it (domain.md 3.9).

use serde_json::{Value, json};

use crate::agent::{Agent, Trouble};
use crate::channels;
use crate::domain::Instant;
use crate::domain::installation::Unit;
use crate::domain::report::{Stage, UsageReport};
use crate::rules::deadlines::Due;

impl Agent {
    /// What people are told of a report that is not sent yet; `None` when nobody has to act on it.
    ///
    /// Postponing closes the window until its time; a report that VSPC approves by itself has none (domain.md 3.10).
    pub(super) fn notification_of(
        &self,
        unit: &Unit,
        report: &UsageReport,
        now: Instant,
    ) -> Result<Option<Value>, Trouble> {
        let window = match report.stage {
            Stage::Submitted { .. } | Stage::Sending { .. } => return Ok(None),
            Stage::AwaitingReview => true,
            Stage::Postponed { until } => until <= now,
        };
        if report.external.at.is_some() {
            return Ok(None);
        }
        let due = self.due_of(unit, report)?;
        let days_left = self.settings.deadlines.days_left(due, report.month, now);
        let left = channels::left_or_overdue(days_left);
        Ok(Some(json!({
            "of": unit.servers.join(", "),
            "lines": [
                "Monthly usage report has been generated.",
                format!("Number of managed points for the previous month: {}.", report.total_points_rounded),
                format!("Please review and submit the report {}.", channels::until(days_left)),
            ],
            "banner": format!("Please submit a monthly usage report ({left})"),
            "left": left,
            "days_left": days_left,
            "window": window && !self.is_reviewed_elsewhere(unit),
            "sends": due == Due::AutoSubmit,
        })))
    }
}
