//! Reminding people of a report that waits, is overdue, or is not yet entered elsewhere.

use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::notice::{News, Workdays};
use crate::domain::report::{Stage, UsageReport};
use crate::rules::deadlines::Due;
use crate::rules::reminding::Unattended;
use crate::rules::schedule::Reminder;

use super::{Agent, Hour, Trouble};

impl Agent {
    /// Queues one reminder; after days of downtime one stands for all that were missed.
    pub(super) fn remind(&mut self, id: &str, month: Month, about: Reminder, hour: Hour) -> Result<(), Trouble> {
        let (Some(unit), Some(report)) = (self.unit(id)?, self.newest_report(id, month)?) else { return Ok(()) };
        let news = self.reminder(&unit, &report, about, hour)?;
        let facts = self.news(Some(id), &format!("{month} {}", hour.now.date_naive()), news, hour)?;
        self.record(hour, "duty", facts)
    }

    fn reminder(&self, unit: &Unit, report: &UsageReport, about: Reminder, hour: Hour) -> Result<News, Trouble> {
        let (month, total) = (report.month, report.total_points);
        let policy = self.policy();
        Ok(match about {
            Reminder::Review => {
                let due = self.due_of(unit, report)?;
                News::Reminder {
                    month,
                    total,
                    days_left: policy.deadlines.days_left(due, month, hour.now),
                    automatic: due == Due::AutoSubmit,
                    workdays: self.workdays_to(due, month, hour),
                }
            }
            Reminder::Overdue if self.is_automatic(unit)? && !self.may_go_unseen(unit, report) => {
                let why = "too few samples stand behind it to send it unseen".to_owned();
                News::WaitsForPerson { month, why }
            }
            Reminder::Overdue => News::Overdue { month, total },
            Reminder::External => {
                News::ExternalDue { month, total, due_on: Some(policy.deadlines.day(Due::Portal, month)) }
            }
        })
    }

    /// The deadline that a report is held to: while it is open that of its way out, then that of the second step.
    pub(super) fn due_of(&self, unit: &Unit, report: &UsageReport) -> Result<Due, Trouble> {
        if let Stage::Submitted { .. } = report.stage {
            return Ok(Due::Portal);
        }
        let unattended = Unattended {
            month: report.month,
            automatic: self.automatic_since(unit)?,
            sends: self.sends()?,
            may_go_unseen: self.may_go_unseen(unit, report),
            revision: report.revision,
        };
        Ok(unattended.due(self.settings.deadlines))
    }

    /// What a person should know of the working days up to a deadline.
    pub(super) fn workdays_to(&self, due: Due, month: Month, hour: Hour) -> Workdays {
        let ends_at = self.settings.deadlines.ends_at(due, month);
        self.settings.working_days.left(hour.now.date_naive(), ends_at)
    }
}
