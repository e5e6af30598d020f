//! What people order: reviewing, sending, licenses, imports.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::adjustment::AdjustmentOrder;
use crate::domain::gate::Verdict;
use crate::domain::installation::Unit;
use crate::domain::report::{External, Stage, UsageReport};
use crate::domain::{Instant, Month};
use crate::protocol::Occasion;
use crate::rules::license_results;
use crate::rules::renewal;
use crate::rules::review::{self, Refusal};
use crate::rules::schedule::Duty;
use crate::store::fact::{AutoUpdate, Fact, ReportCause, key};

use super::generate::kept;
use super::submit::stage_of;
use super::{Agent, Hour, Query, Refused, Talk, Work};

/// Which reporting unit, when there are several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    #[serde(default)]
    pub unit: Option<String>,
    #[serde(default)]
    pub server: Option<String>,
    /// The month; `None`: the newest with a report.
    #[serde(default)]
    pub month: Option<Month>,
}

/// A person's order. Not `Debug`: an enrolment token is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    ImportSamples { file: String, text: String },
    SampleNow { server: String },
    Generate { target: Target },
    Adjust { target: Target, adjustment: AdjustmentOrder },
    Reset { target: Target },
    Postpone { target: Target, until: Option<Instant> },
    Send { target: Target },
    Correct { target: Target },
    MarkExternal { target: Target, portal: String, document: String },
    Justify { target: Target, reason: String },
    AutoUpdate { target: Target, on: bool },
    LicenseUpdate { target: Target },
    LicenseInstall { target: Target, file: String },
    Enrol { token: String },
    ConfirmClock,
}

/// What came of an order.
pub enum Obeyed {
    /// Done and recorded; what to print.
    Done(Value),
    /// To be carried out; its outcome goes to [`Agent::finish`], then the question is answered.
    Carry { duty: Duty, talk: Talk, then: Query },
}

impl Agent {
    /// Obeys a person's order.
    ///
    /// # Errors
    /// [`Refused`] with the exit code and one line that says what to do.
    pub fn obey(&mut self, order: Order, by: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let actor = format!("user:{by}");
        match order {
            Order::ImportSamples { file, text } => self.order_import(&file, &text, hour, by),
            Order::SampleNow { server } => self.order_sample(&server, hour),
            Order::Generate { target } => self.order_generate(&target, hour),
            Order::Adjust { target, adjustment } => self.order_adjust(&target, &adjustment, &actor, hour),
            Order::Reset { target } => self.order_reset(&target, &actor, hour),
            Order::Postpone { target, until } => self.order_postpone(&target, until, &actor, hour),
            Order::Send { target } => self.order_send(&target, &actor, hour),
            Order::Correct { target } => self.order_correct(&target, &actor, hour),
            Order::MarkExternal { target, portal, document } => {
                let external =
                    External { portal: Some(portal), document: Some(document), at: Some(hour.now), by: None };
                self.order_mark(&target, external, &actor, hour)
            }
            Order::Justify { target, reason } => self.order_justify(&target, &reason, &actor, hour),
            Order::AutoUpdate { target, on } => self.order_auto_update(&target, on, &actor, hour),
            Order::LicenseUpdate { target } => self.order_license_update(&target, hour),
            Order::LicenseInstall { target, file } => self.order_license_install(&target, &file, &actor, hour),
            Order::Enrol { token } => {
                let talk = self.begin_enrol(&token, hour)?;
                self.carry(Duty::Enrol, talk, Query::Status {})
            }
            Order::ConfirmClock => {
                self.clock_agreed(hour)?;
                Ok(Obeyed::Done(json!({"confirmed": true})))
            }
        }
    }

    fn carry(&mut self, duty: Duty, talk: Talk, then: Query) -> Result<Obeyed, Refused> {
        if !self.flights.insert(duty.clone()) {
            return Err(Refused::new(75, "that is being done right now; try again in a moment"));
        }
        Ok(Obeyed::Carry { duty, talk, then })
    }

    fn order_import(&mut self, file: &str, text: &str, hour: Hour, by: &str) -> Result<Obeyed, Refused> {
        let (taken, known) = self.import(file, text, hour, by)?;
        if taken == 0 {
            return Err(Refused::new(3, format!("{file}: every sample in it is known already ({known})")));
        }
        Ok(Obeyed::Done(json!({"file": file, "taken": taken, "known_already": known})))
    }

    fn order_sample(&mut self, server: &str, hour: Hour) -> Result<Obeyed, Refused> {
        if self.settings.server(server).is_none() {
            return Err(Refused::new(78, format!("the settings name no server '{server}'")));
        }
        let duty = Duty::Collect { server: server.to_owned() };
        if self.flights.contains(&duty) {
            return Err(Refused::new(75, format!("{server} is being sampled right now")));
        }
        match self.begin(&duty, hour)? {
            Work::Talk(talk) => {
                let then = Query::Sampled { server: server.to_owned() };
                Ok(Obeyed::Carry { duty, talk, then })
            }
            Work::Over => Err(Refused::new(1, format!("{server} has no source"))),
        }
    }

    fn order_generate(&mut self, target: &Target, hour: Hour) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let month = target.month.unwrap_or_else(|| Month::of(hour.now).previous());
        if hour.now < month.ends_at() {
            return Err(Refused::new(2, format!("{month} has not ended yet; see it with `usage` or --on-demand")));
        }
        if self.newest_report(&unit.id, month)?.is_some() {
            return Err(Refused::new(3, format!("the report of {month} stands already; `report show` prints it")));
        }
        self.clock_believed()?;
        self.generate_report(&unit.id, month, hour)?;
        let revision = 1;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(&unit, month)
    }

    fn order_adjust(
        &mut self,
        target: &Target,
        adjustment: &AdjustmentOrder,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let adjusted = review::adjust(&report, adjustment, actor, hour.now)?;
        self.keep_changed(&unit, ReportCause::Adjusted, adjusted, actor, hour)
    }

    fn order_reset(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        if report.adjustments.is_empty() && report.stage.is_open() {
            return Err(Refused::new(3, format!("the report of {} has no adjustments", report.month)));
        }
        self.keep_changed(&unit, ReportCause::Reset, review::reset(&report)?, actor, hour)
    }

    fn order_postpone(
        &mut self,
        target: &Target,
        until: Option<Instant>,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let stage = review::postpone(&report, until, self.policy().deadlines, hour.now)?;
        self.record(hour, actor, vec![stage_of(&report, stage)])?;
        self.shown(&unit, report.month)
    }

    fn order_send(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        if self.settings.license_server.is_none() {
            let why = "the settings name no [license_server], so nothing is sent: enter the report in Pulse or the \
                       aggregator's portal and record it with `report mark-external`";
            return Err(Refused::new(78, why));
        }
        if !self.sends()? {
            return Err(Refused::new(77, "this agent is not enrolled; run `enrol --token-file F` first"));
        }
        self.clock_believed()?;
        if self.automatic_since(&unit)?.is_none() {
            let why = "auto update is off, so reporting is manual: save the report, enter it elsewhere, and record it \
                       with `report mark-external`; or consent with `license auto-update on`";
            return Err(Refused::new(77, why));
        }
        let duty = Duty::Submit { unit: unit.id.clone(), month: report.month };
        if self.flights.contains(&duty) {
            return Err(Refused::new(75, format!("the report of {} is being sent right now", report.month)));
        }
        match &report.stage {
            Stage::Submitted { .. } => {
                return Err(Refused::new(3, format!("the report of {} was sent already", report.month)));
            }
            Stage::AwaitingReview | Stage::Postponed { .. } => {
                let facts = self.seal_report(&report, actor, hour)?;
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

    fn order_correct(&mut self, target: &Target, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        if report.stage.is_open() || matches!(report.stage, Stage::Sending { .. }) {
            let why = format!("the report of {} is not sent yet: adjust or reset it instead", report.month);
            return Err(Refused::new(2, why));
        }
        let corrected = self.build_report(&unit, report.month, report.revision + 1, hour)?;
        let (month, revision) = (corrected.month, corrected.revision);
        self.record(hour, actor, vec![kept(ReportCause::Corrected, corrected)])?;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(&unit, month)
    }

    fn order_mark(&mut self, target: &Target, external: External, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let (unit, report) = self.one_report(target)?;
        let external = External { by: Some(actor.to_owned()), ..external };
        let (month, revision) = (report.month, report.revision);
        let marked = Fact::MarkedExternal { unit: unit.id.clone(), month, revision, external };
        self.record(hour, actor, vec![marked])?;
        self.shown(&unit, month)
    }

    fn order_justify(&mut self, target: &Target, reason: &str, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Refusal::NoReason.into());
        }
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
        if report.stage.is_open() {
            report.justification = Some(reason.to_owned());
            crate::rules::reporting::total(&mut report);
            facts.push(kept(ReportCause::Adjusted, report));
        }
        self.record(hour, actor, facts)?;
        self.shown(&unit, month)
    }

    fn order_auto_update(&mut self, target: &Target, on: bool, actor: &str, hour: Hour) -> Result<Obeyed, Refused> {
        let mut switched = Vec::new();
        for unit in self.units_named(target.unit.as_deref(), target.server.as_deref())? {
            let before: Option<AutoUpdate> = self.store.row(&switch_key(&unit))?;
            // Repeating the order moves no consent: weeks and months owed since the first one stay owed.
            if before.is_some_and(|before| before.on == on) {
                switched.push(unit.id);
                continue;
            }
            let why = if on { "usage reporting consented to" } else { "switched off by hand" };
            let switch = AutoUpdate { on, at: hour.now, by: actor.to_owned(), why: why.to_owned() };
            let facts = vec![Fact::AutoUpdateSet { unit: unit.id.clone(), switch }, self.look_at_gate_again(&unit)];
            self.record(hour, actor, facts)?;
            switched.push(unit.id);
        }
        if switched.is_empty() {
            return Err(Refused::new(3, "no sample is kept yet, so there is no license to update"));
        }
        Ok(Obeyed::Done(json!({"auto_update": on, "units": switched, "enables_usage_reporting": on})))
    }

    fn order_license_update(&mut self, target: &Target, hour: Hour) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        if !self.sends()? {
            return Err(Refused::new(77, "this agent is not enrolled; run `enrol --token-file F` first"));
        }
        let license = self.unit_license(&unit)?.unwrap_or_default();
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let verdict = self.judge(&unit, self.judged_month(&unit, hour.now)?)?;
        if verdict.verdict == Verdict::Held && !renewal::asks_while_held(window.as_ref(), hour.now) {
            let why = format!(
                "held by the gate: the report of {} is {} points below the highest watermark; see `license gate`",
                verdict.month, verdict.shortfall
            );
            return Err(Refused::new(5, why));
        }
        match self.ask_license(&unit, license, Occasion::ByHand, hour)? {
            Work::Talk(talk) => {
                let then = Query::License { unit: Some(unit.id.clone()), server: None };
                self.carry(Duty::CheckLicense { unit: unit.id }, talk, then)
            }
            Work::Over => Err(Refused::new(77, "this agent is not enrolled")),
        }
    }

    fn order_license_install(
        &mut self,
        target: &Target,
        file: &str,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let installed = self.verified_key(&unit, file, hour)?.map_err(|why| Refused::new(65, why))?;
        let result = license_results::read(license_results::RECEIVED);
        let steps = vec![license_results::INSTALLED.to_owned()];
        let mut facts = vec![Fact::LicenseInstalled { unit: unit.id.clone(), license: installed }];
        facts.extend(self.check_facts(&unit, &result, steps, actor, hour)?);
        self.record(hour, actor, facts)?;
        self.keep_key_file(&unit, hour)?;
        Ok(Obeyed::Done(self.answer(&Query::License { unit: Some(unit.id), server: None }, hour)?))
    }

    /// Keeps a changed report, writes its files, and lets the gate be looked at again.
    fn keep_changed(
        &mut self,
        unit: &Unit,
        cause: ReportCause,
        report: UsageReport,
        actor: &str,
        hour: Hour,
    ) -> Result<Obeyed, Refused> {
        let (month, revision) = (report.month, report.revision);
        let facts = vec![kept(cause, report), self.look_at_gate_again(unit)];
        self.record(hour, actor, facts)?;
        self.begin_write_files(&unit.id, month, revision, hour)?;
        self.shown(unit, month)
    }

    fn look_at_gate_again(&self, unit: &Unit) -> Fact {
        Fact::SetbackOver { about: Duty::CheckLicense { unit: unit.id.clone() }.key() }
    }

    fn shown(&self, unit: &Unit, month: Month) -> Result<Obeyed, Refused> {
        let report = self.newest_report(&unit.id, month)?;
        Ok(Obeyed::Done(serde_json::to_value(report).unwrap_or_default()))
    }

    /// The unit and its report that an order speaks of; the newest month when none is named.
    pub(super) fn one_report(&self, target: &Target) -> Result<(Unit, UsageReport), Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let newest = || self.report_months(&unit.id).map(|months| months.last().map(|(month, _)| *month));
        let month = match target.month {
            Some(month) => Some(month),
            None => newest()?,
        };
        let found = month.map(|month| self.newest_report(&unit.id, month)).transpose()?.flatten();
        match (found, month) {
            (Some(report), _) => Ok((unit, report)),
            (None, Some(month)) => Err(Refused::new(66, format!("there is no report of {month}"))),
            (None, None) => Err(Refused::new(66, "there is no report yet; it is built at 00:00 GMT on the 1st")),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let code = match refusal {
            Refusal::NotOpen(..) | Refusal::OnDemand => 8,
            Refusal::NoReason | Refusal::NothingNamed => 2,
            Refusal::NotCounted(..)
            | Refusal::Ambiguous(..)
            | Refusal::TypeNotAdjustable(_)
            | Refusal::NoSuchCount(..)
            | Refusal::SeveralWeights(..)
            | Refusal::NotLower(..)
            | Refusal::AlreadyLowered(..)
            | Refusal::PostponedTooFar(..) => 65,
        };
        Refused::new(code, refusal.to_string())
    }
}

/// The key of a unit's switch, for views.
pub(super) fn switch_key(unit: &Unit) -> String {
    key::of_unit("auto_update", &unit.id)
}
