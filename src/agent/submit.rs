//! Sending a report: sealed first, then sent until answered, then immutable.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::notice::News;
use crate::domain::report::{Stage, UsageReport, report_id};
use crate::domain::{Month, Points};
use crate::protocol::{Kind, Sent, SignedReport};
use crate::rules::deadlines::Due;
use crate::rules::schedule::Duty;
use crate::store::fact::{Fact, MessageKind, SealedMessage, SetbackRow, StageSetBy, key};

use super::on_file::points_on_file;
use super::telemetry::Unsealed;
use super::{Agent, Hour, Outcome, Work};

/// Pause between tries of a submission (domain.md 9, Q28).
const PAUSE: TimeDelta = TimeDelta::minutes(60);
/// People are told that sending fails at this try, and then once a day.
const TOLD_AT: u32 = 2;
/// Who sends a report that nobody sent until its day.
const DUTY: &str = "duty";

impl Agent {
    /// Seals the month's report unless it is sealed already, and sends it.
    pub(super) fn begin_submit(&mut self, id: &str, month: Month, hour: Hour) -> Result<Work, Trouble> {
        let Some(report) = self.newest_report(id, month)? else { return Ok(Work::Over) };
        match &report.stage {
            Stage::AwaitingReview | Stage::Postponed { .. } => {
                let facts = match self.seal_report(&report, DUTY, hour)? {
                    Ok(facts) => facts,
                    Err(why) => return self.not_sealed(id, month, why, hour).map(|()| Work::Over),
                };
                self.record(hour, DUTY, facts)?;
            }
            Stage::Sending { .. } => {}
            Stage::Submitted { .. } => return Ok(Work::Over),
        }
        self.send_report(&report)
    }

    /// Sends the sealed bytes of a report.
    fn send_report(&self, report: &UsageReport) -> Result<Work, Trouble> {
        let sealed = self.sealed(&report.unit, MessageKind::Report, &report.month.to_string(), report.revision)?;
        let (Some((message, _)), Some(enrolment)) = (sealed, self.enrolment()?) else { return Ok(Work::Over) };
        self.send(Kind::Report, &message, &enrolment)
    }

    /// A report that no License Update Server takes stays open, so that it can still be changed, and people are told.
    fn not_sealed(&mut self, id: &str, month: Month, why: String, hour: Hour) -> Result<(), Trouble> {
        let setback = Setback::AskAPerson { why };
        self.set_back(&Duty::Submit { unit: id.to_owned(), month }, &setback, PAUSE, hour)?;
        self.tell_sending_fails(id, month, &setback, hour)
    }

    /// The facts that seal a report: exact bytes with their id, and the stage that forbids further changes. What waits
    /// for a second person lapses. The inner error says why no License Update Server takes it.
    pub(super) fn seal_report(
        &self,
        report: &UsageReport,
        by: &str,
        hour: Hour,
    ) -> Result<Result<Vec<Fact>, String>, Trouble> {
        let unit = self.unit(&report.unit)?;
        let causes = match &unit {
            Some(unit) => self.judge_report(unit, report.month, Some(report))?.causes,
            None => Vec::new(),
        };
        let signed = SignedReport::of(report, &causes, self.settings.report_detail, &self.identity.key);
        let SignedReport { body, too_long_with_workloads } = match signed {
            Ok(signed) => signed,
            Err(why) => return Ok(Err(why)),
        };
        let period = report.month.to_string();
        let message = Unsealed { kind: MessageKind::Report, unit: &report.unit, period, revision: report.revision }
            .sealed(body, by, hour);
        let message = SealedMessage { too_long_with_workloads, ..message };
        let mut facts = self.lapsed_as_final(report, hour)?;
        facts.extend([Fact::Sealed { message }, stage_of(report, Stage::Sending { sealed_at: hour.now }, by, hour)]);
        Ok(Ok(facts))
    }

    pub(super) fn finish_submit(
        &mut self,
        id: &str,
        month: Month,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let duty = Duty::Submit { unit: id.to_owned(), month };
        match outcome {
            Ok(Outcome::Sent(sent)) => {
                let Some(report) = self.newest_report(id, month)? else { return Ok(()) };
                let by = self
                    .sealed(id, MessageKind::Report, &month.to_string(), report.revision)?
                    .map_or_else(|| DUTY.to_owned(), |(message, _)| message.by);
                let total = counted(&sent).unwrap_or(report.total_points);
                let (receipt, mut facts) =
                    self.receipt_facts(id, &report_id(id, month, report.revision), sent, hour)?;
                facts.push(stage_of(&report, Stage::Submitted { at: hour.now, receipt }, &by, hour));
                facts.push(Fact::SetbackOver { about: duty.key() });
                facts.push(Fact::SetbackOver { about: Duty::CheckLicense { unit: id.to_owned() }.key() });
                let external_due = report.external.at.is_none();
                let due_on = Some(self.settings.deadlines.day(Due::Portal, month));
                let news = if by == DUTY {
                    News::ReportAutoSent { month, total, external_due, due_on }
                } else {
                    News::ReportSent { month, total, by, external_due, due_on }
                };
                facts.extend(self.news(Some(id), &format!("{month} r{}", report.revision), news, hour)?);
                self.record(hour, "duty", facts)
            }
            Err(setback) => {
                self.set_back(&duty, &setback, PAUSE, hour)?;
                self.tell_sending_fails(id, month, &setback, hour)
            }
            Ok(other) => unreachable!("a submission does not end in {other:?}"),
        }
    }

    fn tell_sending_fails(&mut self, id: &str, month: Month, setback: &Setback, hour: Hour) -> Result<(), Trouble> {
        let duty = Duty::Submit { unit: id.to_owned(), month };
        let tries = self.store.row::<SetbackRow>(&key::setback(&duty.key()))?.map_or(0, |row| row.tries);
        if tries < TOLD_AT && matches!(setback, Setback::TryAgain { .. }) {
            return Ok(());
        }
        let news = News::SendFailing { month, why: setback.why().to_owned() };
        let facts = self.news(Some(id), &format!("{month} {}", hour.now.date_naive()), news, hour)?;
        self.record(hour, "duty", facts)
    }
}

/// The points that the server counts for the month, when it had other bytes under the report's id: people are told what
/// is on file there, not what was refused.
fn counted(sent: &Sent) -> Option<Points> {
    let Sent::Conflict { body, .. } = sent else { return None };
    points_on_file(body)
}

/// The fact that sets a report's stage.
pub(super) fn stage_of(report: &UsageReport, stage: Stage, by: &str, hour: Hour) -> Fact {
    let set = Some(StageSetBy { at: hour.now, by: by.to_owned() });
    Fact::StageSet { unit: report.unit.clone(), month: report.month, revision: report.revision, stage, set }
}
