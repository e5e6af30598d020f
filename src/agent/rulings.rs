//! What the License Update Server says of the gate: its own verdict, and what its operator ruled.

use crate::agent::Trouble;
use crate::domain::gate::{Justification, OperatorDecision, Ruling};
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::UsageReport;
use crate::domain::{Instant, Month};
use crate::protocol::{JustifiedMonth, LicenseAnswer};
use crate::rules::schedule::Duty;
use crate::store::fact::{Fact, ServerJudgement, SetbackRow, key};

use super::{Agent, Hour};

impl Agent {
    /// The facts of rulings that an answer tells: each is kept once, lets a held gate be looked at again, and a report
    /// that is sent back is told to people.
    pub(super) fn rulings_told(&self, unit: &str, told: &[OperatorDecision], hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let mut facts = Vec::new();
        for decision in told {
            let known: Option<OperatorDecision> = self.store.row(&key::ruled(unit, decision.month))?;
            if known.as_ref() == Some(decision) || self.forgotten(unit, decision.month)?.is_some() {
                continue;
            }
            facts.push(Fact::OperatorRuled { unit: unit.to_owned(), decision: decision.clone() });
            facts.push(Fact::SetbackOver { about: Duty::CheckLicense { unit: unit.to_owned() }.key() });
            if decision.ruling == Ruling::CorrectionAsked {
                let OperatorDecision { month, by, why, .. } = decision.clone();
                let about = format!("{month} r{} {}", decision.revision, crate::domain::calendar::rfc3339(decision.at));
                facts.extend(self.news(Some(unit), &about, News::CorrectionAsked { month, by, why }, hour)?);
            }
        }
        Ok(facts)
    }

    /// The operator's ruling on this revision of a report, when one is known.
    pub(super) fn ruling_on(&self, unit: &Unit, report: &UsageReport) -> Result<Option<OperatorDecision>, Trouble> {
        let ruled: Option<OperatorDecision> = self.store.row(&key::ruled(&unit.id, report.month))?;
        Ok(ruled.filter(|ruled| ruled.revision == report.revision && !report.stage.is_open()))
    }

    pub(super) fn recorded_justification(&self, unit: &Unit, month: Month) -> Result<Option<Justification>, Trouble> {
        Ok(self.store.row(&key::justified(&unit.id, month))?)
    }

    /// What opens the agent's own gate for the month: a recorded justification, else the operator's approval.
    pub(super) fn justification(
        &self,
        unit: &Unit,
        month: Month,
        report: Option<&UsageReport>,
    ) -> Result<Option<Justification>, Trouble> {
        let carried = report.and_then(UsageReport::justified);
        let recorded = self.recorded_justification(unit, month)?.or(carried);
        let Some(report) = report.filter(|_| recorded.is_none()) else { return Ok(recorded) };
        let approved = self.ruling_on(unit, report)?.filter(|ruled| ruled.ruling == Ruling::Approved);
        Ok(approved.map(|OperatorDecision { at, by, why, .. }| {
            let reason = format!("approved by {by} at the License Update Server: {why}");
            Justification { at, by, reason }
        }))
    }

    /// The justification that a license check tells: of the judged month.
    pub(super) fn justified_month(&self, unit: &Unit, now: Instant) -> Result<Option<JustifiedMonth>, Trouble> {
        let month = self.judged_month(unit, now)?;
        let recorded = self.recorded_justification(unit, month)?;
        Ok(recorded.map(|given| JustifiedMonth { month, given }))
    }

    /// What a license answer says of the gate: the server's own verdict, and rulings.
    pub(super) fn gate_told(&self, unit: &Unit, answer: &LicenseAnswer, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let mut facts = self.rulings_told(&unit.id, &answer.decisions, hour)?;
        facts.extend(answer.gate.clone().map(|gate| Fact::ServerJudged {
            unit: unit.id.clone(),
            judged: ServerJudgement {
                at: hour.now,
                message: answer.message.clone(),
                detail: answer.detail.clone(),
                gate,
            },
        }));
        Ok(facts)
    }

    /// A sample of a month that has ended may move its watermark: a held gate is looked at again.
    pub(super) fn look_after_late_sample(
        &self,
        server: &str,
        taken_at: Instant,
        now: Instant,
    ) -> Result<Option<Fact>, Trouble> {
        if Month::of(now) <= Month::of(taken_at) {
            return Ok(None);
        }
        let Some(unit) = self.store.unit_of(server)? else { return Ok(None) };
        let about = Duty::CheckLicense { unit }.key();
        let held: Option<SetbackRow> = self.store.row(&key::setback(&about))?;
        Ok(held.map(|_| Fact::SetbackOver { about }))
    }
}
