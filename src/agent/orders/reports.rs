//! Orders about monthly reports: generating, reviewing, sending, correcting, justifying.

use crate::agent::generate::kept;
use crate::agent::submit::stage_of;
use crate::agent::{Agent, Hour, Query, Refused, Trouble, Work};
use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::calendar::rfc3339;
use crate::domain::gate::{Justification, REASON_CHARS_MAX};
use crate::domain::installation::Unit;
use crate::domain::notice::News;
use crate::domain::report::{External, Stage, UsageReport};
use crate::domain::{Instant, Month};
use crate::rules::four_eyes::{self, Verdict};
use crate::rules::schedule::Duty;
use crate::rules::{finality, review};
use crate::store::fact::{Fact, ReportCause};

use super::{Obeyed, Target};

/// A report that somebody changed, and what is recorded in the same entry.
pub(super) struct Changed {
    pub cause: ReportCause,
    pub report: UsageReport,
    pub beside: Vec<Fact>,
}

impl Changed {
    fn alone(cause: ReportCause, report: UsageReport) -> Changed {
        Changed { cause, report, beside: Vec::new() }
    }
}

impl Agent {
    pub(super) fn order_generate(&mut self, target: &Target, hour: Hour) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let month = target.month.unwrap_or_else(|| Month::of(hour.now).previous());
        if hour.now < month.ends_at() {
            return Err(Refused::new(2, format!("{month} has not ended yet; see it with `usage` or --on-demand")));
        }
        if self.newest_report(&unit.id, month)?.is_some() {
            return Err(Refused::new(3, format!("the report of {month} stands already; `report show` prints it")));
        }
        self.not_forgotten(&unit, month)?;
        self.clock_believed()?;
        self.must_be_reportable(&unit, month)?;
        self.generate_report(&unit.id, month, hour)?;
        let revision = 1;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(&unit, month)
    }

    /// A month before the unit's first sample, or under a key that is not reported monthly, has no report: nothing of it is
    /// owed, and it would be charged.
    fn must_be_reportable(&self, unit: &Unit, month: Month) -> Result<(), Refused> {
        if !self.is_reported_monthly(unit)? {
            let why = format!("{} stands under a key that is not reported monthly", unit.servers.join(", "));
            return Err(Refused::new(3, why));
        }
        for server in &self.unit_as_of(unit, month)?.servers {
            if self.store.newest_sample_at(server, month.ends_at() + self.span_after(server))?.is_some() {
                return Ok(());
            }
        }
        Err(Refused::new(3, format!("no sample of {month} or before it is kept; import one with `sample import`")))
    }

    pub(super) fn order_adjust(
        &mut self,
        target: &Target,
        adjustments: &[AdjustmentOrder],
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let adjusted = review::adjust_all(&report, adjustments, actor, hour.now)?;
        let effect = self.effect(&unit, &report, &adjusted)?;
        let mut done = match four_eyes::judge(&report, &adjusted, actor, self.settings.four_eyes()) {
            Verdict::Keep => self.keep_changed(&unit, Changed::alone(ReportCause::Adjusted, adjusted), actor, hour)?,
            Verdict::Propose { lowers_by } => self.propose(&report, adjustments, lowers_by, actor, hour)?,
        };
        if let Obeyed::Done(shown) = &mut done {
            shown["effect"] = effect;
        }
        Ok(done)
    }

    pub(super) fn order_reset(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        if report.adjustments.is_empty() && report.stage.is_open() {
            return Err(Refused::new(3, format!("the report of {} has no adjustments", report.month)));
        }
        self.keep_changed(&unit, Changed::alone(ReportCause::Reset, review::reset(&report)?), actor, hour)
    }

    pub(super) fn order_postpone(
        &mut self,
        target: &Target,
        until: Option<Instant>,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let deadline = self.settings.deadlines.ends_at(self.due_of(&unit, &report)?, report.month);
        let stage = review::postpone(&report, until, deadline, hour.now)?;
        self.record(hour, actor, vec![stage_of(&report, stage, actor, hour)])?;
        self.shown(&unit, report.month)
    }

    pub(super) fn order_send(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let duty = Duty::Submit { unit: unit.id.clone(), month: report.month };
        self.may_send(&unit)?;
        if self.flights.contains(&duty) {
            return Err(Refused::new(75, format!("the report of {} is being sent right now", report.month)));
        }
        match &report.stage {
            Stage::Submitted { .. } => {
                return Err(Refused::new(3, format!("the report of {} was sent already", report.month)));
            }
            Stage::AwaitingReview | Stage::Postponed { .. } => {
                let facts = self.seal_report(&report, actor, hour)?.map_err(|why| Refused::new(65, why))?;
                self.record(hour, actor, facts)?;
            }
            Stage::Sending { .. } => {}
        }
        let then = Query::Report { unit: Some(unit.id), server: None, month: Some(report.month) };
        match self.begin(&duty, hour)? {
            Work::Talk(talk) => Ok(Obeyed::Carry { duty, talk, then }),
            Work::Over => Err(Refused::new(1, "there is nothing to send")),
        }
    }

    /// Whether a person may send the unit's reports from here.
    ///
    /// # Errors
    /// 77 or 78 with what is missing.
    pub(in crate::agent) fn may_send(&self, unit: &Unit) -> Result<(), Refused> {
        if self.settings.license_server.is_none() {
            let why = "the settings name no [license_server], so nothing is sent: enter the report in Pulse or the \
                       aggregator's portal and record it with `report mark-external`";
            return Err(Refused::new(78, why));
        }
        if !self.sends()? {
            return Err(Refused::new(77, "this agent is not enrolled; run `enrol --token-file F` first"));
        }
        self.clock_believed()?;
        if self.automatic_since(unit)?.is_none() {
            let why = "auto update is off, so reporting is manual: save the report, enter it elsewhere, and record it \
                       with `report mark-external`; or consent with `license auto-update on`";
            return Err(Refused::new(77, why));
        }
        Ok(())
    }

    pub(super) fn order_correct(
        &mut self,
        target: &Target,
        reason: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let reason = review::given(reason)?.to_owned();
        self.clock_believed()?;
        let (unit, report) = self.one_report(target)?;
        if matches!(report.stage, Stage::Sending { .. }) {
            let why = format!("the report of {} is sealed and being sent: correct it once it was taken", report.month);
            return Err(Refused::new(2, why));
        }
        if !finality::is_final(&report) {
            let why = format!("the report of {} is neither sent nor entered: adjust or reset it instead", report.month);
            return Err(Refused::new(2, why));
        }
        let mut corrected = self.build_report(&unit, report.month, report.revision + 1, hour)?;
        if corrected.provenance.servers.iter().all(|server| server.sample_at.is_none()) {
            let why = format!("no sample of {} is kept that its report could be corrected from", report.month);
            return Err(Refused::new(3, why));
        }
        corrected.correction = Some(Justification { at: hour.now, by: actor.to_owned(), reason });
        if let Some(given) = self.recorded_justification(&unit, report.month)? {
            corrected.justify(given);
        }
        let corrected = self.completed(&unit, self.rested(corrected, &unit)?)?;
        let (month, revision) = (corrected.month, corrected.revision);
        self.record(hour, actor, vec![kept(ReportCause::Corrected, corrected), self.look_at_gate_again(&unit)])?;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(&unit, month)
    }

    pub(super) fn order_mark(
        &mut self,
        target: &Target,
        external: External,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let portal = named(external.portal.as_deref(), "the portal in which the report was entered")?;
        let document = named(external.document.as_deref(), "the document that the portal gave for the report")?;
        let external = External { portal: Some(portal), document: Some(document), ..external };
        // Other words mend the first ones; it stays final as of the first.
        let at = report.external.at.or(external.at);
        let external = External { by: Some(actor.to_owned()), at, ..external };
        let (month, revision) = (report.month, report.revision);
        let mut facts = self.lapsed_as_final(&report, hour)?;
        facts.push(Fact::MarkedExternal { unit: unit.id.clone(), month, revision, external });
        self.record(hour, actor, facts)?;
        self.shown(&unit, month)
    }

    pub(super) fn order_justify(
        &mut self,
        target: &Target,
        reason: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let reason = review::given(reason)?;
        let (unit, mut report) = self.one_report(target)?;
        let month = report.month;
        let justified = Fact::Justified {
            unit: unit.id.clone(),
            month,
            by: actor.to_owned(),
            reason: reason.to_owned(),
            at: hour.now,
        };
        let mut facts = vec![justified, self.look_at_gate_again(&unit)];
        if finality::may_change(&report) {
            report.justify(Justification { at: hour.now, by: actor.to_owned(), reason: reason.to_owned() });
            facts.push(kept(ReportCause::Adjusted, self.completed(&unit, report)?));
        }
        self.record(hour, actor, facts)?;
        self.shown(&unit, month)
    }

    /// Keeps a changed report, writes its files, and lets the gate be looked at again.
    pub(super) fn keep_changed(
        &mut self,
        unit: &Unit,
        changed: Changed,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let Changed { cause, report, beside } = changed;
        let (month, revision) = (report.month, report.revision);
        let report = self.completed(unit, report)?;
        let mut facts = beside;
        facts.extend(self.adjusted_news(&unit.id, &report, actor, hour)?);
        facts.extend([kept(cause, report), self.look_at_gate_again(unit)]);
        self.record(hour, actor, facts)?;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(unit, month)
    }

    /// The news that a person changed a report; every change is one of its own.
    fn adjusted_news(&self, id: &str, after: &UsageReport, by: &str, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let Some(before) = self.newest_report(id, after.month)? else { return Ok(Vec::new()) };
        let news = News::ReportAdjusted {
            month: after.month,
            by: by.to_owned(),
            before: before.total_points,
            after: after.total_points,
            adjustments: after.adjustments.len().saturating_sub(before.adjustments.len()),
            reason: after.adjustments.last().map_or_else(String::new, |adjustment| adjustment.reason.clone()),
        };
        self.news(
            Some(id),
            &format!("{} r{} {} {}", after.month, after.revision, after.digest, rfc3339(hour.now)),
            news,
            hour,
        )
    }

    pub(super) fn shown(&self, unit: &Unit, month: Month) -> Result<Obeyed, Refused> {
        let report = self.newest_report(&unit.id, month)?;
        let shown = report.map(|report| self.with_proposals(&report)).transpose()?;
        Ok(Obeyed::Done(shown.unwrap_or_default()))
    }

    /// The unit and its report that an order speaks of; the newest month when none is named.
    pub(in crate::agent) fn one_report(&self, target: &Target) -> Result<(Unit, UsageReport), Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let newest = || self.report_months(&unit.id).map(|months| months.last().map(|(month, _)| *month));
        let month = match target.month {
            Some(month) => Some(month),
            None => newest()?,
        };
        let found = month.map(|month| self.newest_report(&unit.id, month)).transpose()?.flatten();
        match (found, month) {
            (Some(report), _) => Ok((unit, report)),
            (None, Some(month)) => {
                self.not_forgotten(&unit, month)?;
                Err(Refused::new(66, format!("there is no report of {month}")))
            }
            (None, None) => Err(Refused::new(66, "there is no report yet; it is built at 00:00 GMT on the 1st")),
        }
    }
}

/// Words that stand in pages, errors and evidence: one line, not blank, and no longer than a reason.
fn named(words: Option<&str>, what: &str) -> Result<String, Refused> {
    let words = words.unwrap_or_default().trim();
    if words.is_empty() {
        return Err(Refused::new(2, format!("name {what}")));
    }
    if REASON_CHARS_MAX < words.chars().count() || words.chars().any(char::is_control) {
        return Err(Refused::new(2, format!("name {what} in one line of at most {REASON_CHARS_MAX} signs")));
    }
    Ok(words.to_owned())
}
