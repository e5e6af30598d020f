//! What stands around every page: the reporting units, and the reports that wait for somebody. Read from heads alone.

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused};
use crate::domain::Month;

impl Agent {
    /// `tidegauge.waiting/1`: each unit with the months of its reports, newest first, and what the window says of open ones.
    pub(in crate::agent) fn waiting(&self, hour: Hour) -> Result<Value, Refused> {
        let (mut units, mut open) = (Vec::new(), Vec::new());
        for unit in self.units()? {
            let months: Vec<Month> = self.report_months(&unit.id)?.into_iter().rev().map(|(month, _)| month).collect();
            for report in self.open_heads(&unit)? {
                let due = self.due_of(&unit, &report)?;
                open.push(json!({
                    "unit": unit.id,
                    "month": report.month,
                    "revision": report.revision,
                    "notification": self.notification_of(&unit, &report, due, hour),
                }));
            }
            units.push(json!({"unit": unit.id, "servers": unit.servers, "months": months}));
        }
        Ok(json!({"schema": "tidegauge.waiting/1", "units": units, "open_reports": open}))
    }
}
