//! The gate as it stands: what is judged, what explains it, and saying so once.

use crate::agent::Trouble;
use crate::domain::gate::{Cause, GateVerdict, Tolerance, Verdict};
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::{Stage, UsageReport};
use crate::domain::watermark::HighWatermark;
use crate::domain::{Instant, Month};
use crate::rules::gate::{self, GateFacts};
use crate::store::fact::{Fact, GateRow, key};

use super::{Agent, Hour};

impl Agent {
    /// The month judged at `now`: the newest whose report is sent or whose deadline has passed.
    pub(super) fn judged_month(&self, unit: &Unit, now: Instant) -> Result<Month, Trouble> {
        let mut newest_sent = None;
        for (month, revision) in self.report_months(&unit.id)? {
            if self.newest_sent_revision(unit, month, revision)?.is_some() {
                newest_sent = Some(month);
            }
        }
        Ok(gate::judged_month(now, self.settings.deadlines.auto_submit_day, newest_sent))
    }

    /// The verdict on a month: H from our daily marks, R from the newest sent revision, else the open report.
    pub(super) fn judge(&self, unit: &Unit, month: Month) -> Result<GateVerdict, Trouble> {
        self.judge_head(unit, month, self.judged_head(unit, month)?.as_ref())
    }

    /// The report that a month is judged by, without its tables: its newest sent revision, else the open one.
    pub(super) fn judged_head(&self, unit: &Unit, month: Month) -> Result<Option<UsageReport>, Trouble> {
        let Some(newest) = self.newest_head(&unit.id, month)? else { return Ok(None) };
        match self.newest_sent_revision(unit, month, newest.revision)? {
            Some(revision) => self.head_of(&unit.id, month, revision),
            None => Ok(Some(newest)),
        }
    }

    /// The verdict on a report that is kept, by its head: its tables are read where they explain a shortfall.
    pub(super) fn judge_head(
        &self,
        unit: &Unit,
        month: Month,
        head: Option<&UsageReport>,
    ) -> Result<GateVerdict, Trouble> {
        let highest = self.highest_of(unit, month)?;
        let causes = match (highest, head) {
            (Some(highest), Some(head)) if head.total_points < highest.points => {
                self.explain_kept(unit, head, highest.at)?
            }
            _ => Vec::new(),
        };
        self.judged(unit, month, head, (highest, causes))
    }

    /// The newest revision of a month that was taken; a correction counts when it is sent.
    fn newest_sent_revision(&self, unit: &Unit, month: Month, newest: u32) -> Result<Option<u32>, Trouble> {
        for revision in (1..=newest).rev() {
            let stage: Option<Stage> = self.store.row(&key::report("stage", &unit.id, month, revision))?;
            if matches!(stage, Some(Stage::Submitted { .. })) {
                return Ok(Some(revision));
            }
        }
        Ok(None)
    }

    /// The verdict that a report, as it stands or as it might be adjusted, would get.
    pub(super) fn judge_report(
        &self,
        unit: &Unit,
        month: Month,
        report: Option<&UsageReport>,
    ) -> Result<GateVerdict, Trouble> {
        let highest = self.highest_of(unit, month)?;
        let causes = match (highest, report) {
            (Some(highest), Some(report)) if report.total_points < highest.points => {
                self.explain(unit, report, highest.at)?
            }
            _ => Vec::new(),
        };
        self.judged(unit, month, report, (highest, causes))
    }

    /// The same from sums alone, without what explains a shortfall: that takes the samples of the highest mark.
    pub(super) fn judge_sums(&self, unit: &Unit, report: &UsageReport) -> Result<GateVerdict, Trouble> {
        let highest = self.highest_of(unit, report.month)?;
        self.judged(unit, report.month, Some(report), (highest, Vec::new()))
    }

    fn highest_of(&self, unit: &Unit, month: Month) -> Result<Option<HighWatermark>, Trouble> {
        let mut highest: Option<HighWatermark> = None;
        for day in self.store.days(&unit.id, month.first_day(), month.last_day())? {
            highest = Some(HighWatermark::raised_by(highest, day.mark.points, day.mark.at));
        }
        Ok(highest)
    }

    fn judged(
        &self,
        unit: &Unit,
        month: Month,
        report: Option<&UsageReport>,
        (highest, causes): (Option<HighWatermark>, Vec<Cause>),
    ) -> Result<GateVerdict, Trouble> {
        let verdict = gate::judge(&GateFacts {
            unit: unit.id.clone(),
            month,
            highest,
            reported: report.map(|report| report.total_points),
            forecast: report.is_none_or(|report| report.stage.is_open()),
            tolerance: self.tolerance()?,
            justification: self.justification(unit, month, report)?,
            causes,
        });
        let servers = report.map(|report| report.provenance.servers.clone()).unwrap_or_default();
        Ok(GateVerdict { servers, ..verdict })
    }

    /// The License Update Server's tolerance when it told one, else the settings'.
    fn tolerance(&self) -> Result<Tolerance, Trouble> {
        let told = self.enrolment()?.and_then(|enrolment| enrolment.tolerance);
        Ok(match told {
            Some((points, percent)) => Tolerance { points, percent: percent.amount() },
            None => self.settings.tolerance,
        })
    }

    /// The facts when the gate's verdict on a month is another than seen before: told once each way.
    pub(super) fn gate_facts(&self, unit: &Unit, verdict: &GateVerdict, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let seen: Option<GateRow> = self.store.row(&key::of_unit("gate", &unit.id))?;
        let (month, name) = (verdict.month, verdict.verdict.as_str());
        if seen.as_ref().is_some_and(|seen| seen.month == month && seen.verdict == name) {
            return Ok(Vec::new());
        }
        let was_held = seen.is_some_and(|seen| seen.verdict == Verdict::Held.as_str());
        let row = GateRow { month, verdict: name.to_owned(), shortfall: verdict.shortfall, at: hour.now };
        let mut facts = vec![
            Fact::GateSeen { unit: unit.id.clone(), seen: row.clone() },
            Fact::GateChanged { unit: unit.id.clone(), seen: row },
        ];
        let about = format!("{month} {}", crate::domain::calendar::rfc3339(hour.now));
        match verdict.verdict {
            Verdict::Held => {
                let news = News::GateHeld { month, shortfall: verdict.shortfall, tolerance: verdict.tolerance };
                facts.extend(self.news(Some(&unit.id), &about, news, hour)?);
            }
            Verdict::Open if was_held => {
                facts.extend(self.news(Some(&unit.id), &about, News::GateOpened { month }, hour)?);
            }
            Verdict::Open | Verdict::Undetermined => {}
        }
        Ok(facts)
    }
}
