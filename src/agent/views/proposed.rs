//! Adjustments that wait for a second person, and what became of those that did.

use serde_json::{Value, json};

use crate::agent::orders::Target;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::Month;
use crate::domain::report::UsageReport;

use super::usage::one_or_all;

impl Agent {
    /// Of the newest report, unless a month is named: what was proposed for its newest revision, in order.
    pub(in crate::agent) fn proposed(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let (mut answers, mut missing) = (Vec::new(), None);
        for unit in self.units_named(unit, server)? {
            let target = Target { unit: Some(unit.id), server: None, month };
            match self.looked_at(&target, None, hour.now) {
                Ok(looked) => answers.push(self.proposed_for(looked.table.report(), hour)?),
                Err(refused) => missing = Some(refused),
            }
        }
        match missing {
            Some(refused) if answers.is_empty() => Err(refused),
            Some(_) | None => one_or_all(answers),
        }
    }

    fn proposed_for(&self, report: &UsageReport, hour: Hour) -> Result<Value, Refused> {
        let proposals = self.proposals_of(report)?;
        let shown: Vec<Value> = proposals.iter().map(|proposal| self.proposal_shown(report, proposal, hour)).collect();
        Ok(json!({
            "schema": "tidegauge.proposed-adjustments/1",
            "unit": report.unit,
            "month": report.month,
            "revision": report.revision,
            "four_eyes_points": self.settings.four_eyes(),
            "open": shown.iter().filter(|one| one["state"] == "open").count(),
            "proposals": shown,
        }))
    }
}
