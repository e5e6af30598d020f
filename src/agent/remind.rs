//! Reminding people of a report that waits, is overdue, or is not yet entered elsewhere.

use crate::domain::Month;
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::UsageReport;
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
        let automatic = self.is_automatic(unit, hour.now)?;
        Ok(match about {
            Reminder::Review => {
                let days_left = self.policy().deadlines.days_left(month, hour.now);
                News::Reminder { month, total, days_left, automatic }
            }
            Reminder::Overdue if automatic && !self.may_go_unseen(unit, report) => {
                let why = "too few samples stand behind it to send it unseen".to_owned();
                News::WaitsForPerson { month, why }
            }
            Reminder::Overdue => News::Overdue { month, total },
            Reminder::External => News::ExternalDue { month, total },
        })
    }
}
