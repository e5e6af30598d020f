//! What a report says of itself when it is kept: its difference to last month's, the gate, and its days.

use std::sync::Arc;

use chrono::Days;

use crate::agent::Trouble;
use crate::domain::installation::Unit;
use crate::domain::month_difference::{MonthDifference, Outlook};
use crate::domain::report::UsageReport;
use crate::domain::sample::Sample;
use crate::domain::{Instant, Month};
use crate::rules::deadlines::Due;
use crate::rules::month_difference::{self, AgedOut, LOOKS_EVERY};
use crate::rules::reporting;

use super::Agent;

impl Agent {
    /// The report with its difference and outlook as of this change; its digest covers both.
    pub(super) fn completed(&self, unit: &Unit, mut report: UsageReport) -> Result<UsageReport, Trouble> {
        report.difference = Some(self.difference_of(unit, &report)?);
        report.outlook = Some(self.outlook_of(unit, &report)?);
        reporting::total(&mut report);
        Ok(report)
    }

    /// The difference to the newest revision of last month's report.
    pub(super) fn difference_of(&self, unit: &Unit, report: &UsageReport) -> Result<MonthDifference, Trouble> {
        let Some(before) = self.newest_report(&unit.id, report.month.previous())? else {
            return Ok(MonthDifference::default());
        };
        let mut aged_out = AgedOut::new();
        for server in month_difference::servers_with_absent(&before, report) {
            let looks = self.looks(&server, report.month)?;
            aged_out.extend(month_difference::aged_out(&before, &server, &looks, report.month.ends_at()));
        }
        Ok(month_difference::difference(Some(&before), report, &aged_out))
    }

    /// A server's samples of a month at intervals, and at last the one it is counted by.
    fn looks(&self, server: &str, month: Month) -> Result<Vec<Sample>, Trouble> {
        let (mut looks, mut at): (Vec<Sample>, Instant) = (Vec::new(), month.starts_at());
        while at + LOOKS_EVERY < month.ends_at() {
            at += LOOKS_EVERY;
            let since = looks.last().map_or(month.starts_at(), |last| last.taken_at);
            let found = self.newest_still_kept(server, at)?;
            looks
                .extend(found.map(|found| Arc::unwrap_or_clone(found.sample)).filter(|sample| since < sample.taken_at));
        }
        looks.extend(self.basis(server, month)?.map(|basis| Arc::unwrap_or_clone(basis.sample)));
        Ok(looks)
    }

    fn outlook_of(&self, unit: &Unit, report: &UsageReport) -> Result<Outlook, Trouble> {
        let (deadlines, due) = (self.settings.deadlines, self.due_of(unit, report)?);
        let gate = self.judge_report(unit, report.month, Some(report))?;
        let ends_at = deadlines.ends_at(due, report.month);
        Ok(Outlook {
            verdict: gate.verdict,
            highest_watermark: gate.highest_watermark,
            shortfall: gate.shortfall,
            tolerance: gate.tolerance,
            review_until: ends_at.date_naive() - Days::new(1),
            sends_itself_at: (due == Due::AutoSubmit).then_some(ends_at),
        })
    }
}
