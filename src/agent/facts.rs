//! Gathering from the store and the settings what the schedule wants to know.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::config::ManagedBy;
use crate::domain::installation::{Unit, UnitId};
use crate::domain::report::{Receipt, UsageReport};
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, IsoWeek, Month};
use crate::rules::finality;
use crate::rules::renewal::{self, DecidedBy, Renewal, Switch, SwitchFacts};
use crate::rules::schedule::{Duty, Facts, Policy, ReportState, ServerFacts, UnitFacts};
use crate::seal::digest;
use crate::store::fact::{AutoUpdate, Enrolment, Fact, MessageKind, Miss, SealedMessage, SetbackRow, key};

use super::Agent;
use super::hooks::one_at_a_time;

/// After so many misses in a row the server is tried at its regular hours only.
const SAMPLE_RETRIES: u32 = 6;

impl Agent {
    /// What [`crate::rules::schedule::next_duty`] decides by.
    pub(super) fn facts(&self, now: Instant) -> Result<Facts, Trouble> {
        let mut facts = Facts { clock_suspect: self.clock_suspect()?.is_some(), ..Facts::default() };
        for server in &self.settings.servers {
            facts.servers.push(self.server_facts(&server.name, now)?);
        }
        for unit in self.units_standing()?.iter() {
            facts.units.push(self.unit_state(unit, now)?);
        }
        facts.untold = one_at_a_time(self.untold(now)?);
        facts.usage_owed = self.usage_owed(now)?;
        facts.retention = self.retention_facts()?;
        Ok(facts)
    }

    /// In what the facts that are kept differ from the same facts read afresh; `None`: in nothing. What tests ask.
    ///
    /// # Errors
    /// The state fails.
    pub fn kept_differs(&self, now: Instant) -> Result<Option<String>, Trouble> {
        let kept = self.facts(now)?;
        self.store.forget_traces();
        let read = self.facts(now)?;
        Ok((kept != read).then(|| format!("kept {kept:?}, read {read:?}")))
    }

    pub(super) fn server_facts(&self, name: &str, now: Instant) -> Result<ServerFacts, Trouble> {
        let miss: Option<Miss> = self.store.row(&key::miss(name))?;
        Ok(ServerFacts {
            name: name.to_owned(),
            offset: sample_offset(name, &self.policy()),
            watched_since: now,
            last_sample_at: self.last_seen_at(name, now)?,
            miss: miss
                .filter(|miss| miss.at <= now)
                .map(|miss| (miss.at, miss.needs_person || miss.in_a_row >= SAMPLE_RETRIES)),
        })
    }

    pub(super) fn unit_state(&self, unit: &Unit, now: Instant) -> Result<UnitFacts, Trouble> {
        let mut state = self.unit_of_rows(unit, now)?;
        let just_ended = Month::of(now).previous();
        if state.monthly && state.reports.iter().all(|report| report.month != just_ended) {
            state.basis_waits_until = self.basis_waits_until(unit, just_ended)?;
        }
        state.license_watch_at = self.license_watch_at(unit, now)?;
        Ok(state)
    }

    /// The part of it that follows from rows, kept until one of them is set. Of the hour it depends only on the week, and
    /// on whether a check was recorded later than it is.
    fn unit_of_rows(&self, unit: &Unit, now: Instant) -> Result<UnitFacts, Trouble> {
        let left_at = self.left_at(unit, now)?;
        let week = IsoWeek::of(now);
        let holds = |of: &UnitGiven| of.since <= now && of.week == week && of.left_at == left_at && of.unit == *unit;
        self.kept.units.get(&self.store, unit.id.clone(), holds, || {
            let mut state = self.unit_from_rows(unit, left_at, now)?;
            let steps = self.license_steps(unit, now)?;
            let is_hour_free = steps == self.license_steps(unit, Instant::MAX_UTC)?;
            state.license_check_at = steps.into_iter().map(Renewal::at).min();
            let given = UnitGiven { unit: unit.clone(), left_at, week, since: now };
            Ok((is_hour_free.then_some(given), state))
        })
    }

    fn unit_from_rows(&self, unit: &Unit, left_at: Option<Instant>, now: Instant) -> Result<UnitFacts, Trouble> {
        let mut reports = Vec::new();
        for (month, revision) in self.report_months(&unit.id)? {
            reports.extend(self.report_state_kept(unit, month, revision)?);
        }
        let telemetry_through = self.telemetry_through(&unit.id)?;
        let mut state = UnitFacts {
            id: unit.id.clone(),
            servers: unit.servers.clone(),
            since: unit.since,
            left_at,
            monthly: self.is_reported_monthly(unit)?,
            automatic: self.automatic_since(unit)?,
            sends: self.sends()?,
            reviewed_elsewhere: self.is_reviewed_elsewhere(unit),
            reports,
            forgotten: self.forgotten_months(&unit.id)?,
            telemetry_through,
            telemetry_unanswered: self.telemetry_unanswered(unit, telemetry_through, now)?,
            slot: None,
            telemetry_retry_at: None,
            lost: self.lost(&unit.id)?,
            license_check_at: None,
            license_watch_at: None,
            basis_waits_until: None,
        };
        if let Some(week) = crate::rules::schedule::first_week_owed(&state) {
            let slot: Option<Instant> = self.store.row(&key::slot(&unit.id, week))?;
            state.slot = slot.map(|at| (week, at));
            state.telemetry_retry_at = self.retry_at(&Duty::SendTelemetry { unit: unit.id.clone(), week })?;
        }
        Ok(state)
    }

    /// When the newest mark of a unit stood whose last server has left, or the settings dropped its last one; `None` while it
    /// has servers.
    pub(super) fn left_at(&self, unit: &Unit, now: Instant) -> Result<Option<Instant>, Trouble> {
        if !unit.servers.is_empty() {
            return self.all_dropped_at(unit);
        }
        let Some(since) = unit.since else { return Ok(None) };
        let last = self.store.last_day(&unit.id, since.date_naive(), now.date_naive())?;
        Ok(Some(last.map_or(since, |day| day.mark.at)))
    }

    /// The months that have a report, oldest first, with the newest revision of each.
    pub(super) fn report_months(&self, unit: &str) -> Result<Vec<(Month, u32)>, Trouble> {
        let mut months: BTreeMap<Month, u32> = BTreeMap::new();
        for report_key in self.store.keys(&format!("head/{unit}/"))? {
            let mut parts = report_key.split('/').skip(2);
            let month = parts.next().and_then(|text| text.parse().ok());
            let revision = parts.next().and_then(|text| text.parse().ok());
            if let (Some(month), Some(revision)) = (month, revision) {
                months.insert(month, revision);
            }
        }
        Ok(months.into_iter().collect())
    }

    /// As [`Agent::report_state`], kept until one of its rows is set.
    pub(super) fn report_state_kept(
        &self,
        unit: &Unit,
        month: Month,
        revision: u32,
    ) -> Result<Option<ReportState>, Trouble> {
        let of = (unit.id.clone(), month, revision);
        let holds = |since: &Option<Instant>| *since == unit.since;
        let read = || Ok((Some(unit.since), self.report_state(unit, month, revision)?));
        self.kept.reports.get(&self.store, of, holds, read)
    }

    fn report_state(&self, unit: &Unit, month: Month, revision: u32) -> Result<Option<ReportState>, Trouble> {
        let of = |what: &str| key::report(what, &unit.id, month, revision);
        let Some(head) = self.store.row::<UsageReport>(&of("head"))? else { return Ok(None) };
        let head = self.as_it_stands(head)?;
        let written: Option<String> = self.store.row(&of("files"))?;
        let told: Option<Instant> = self.store.row(&key::last_told(&unit.id, month))?;
        Ok(Some(ReportState {
            month,
            revision,
            generated_at: head.generated_at,
            files_written: written.as_deref() == Some(head.digest.as_str()),
            files_retry_at: self.retry_at(&Duty::WriteFiles { unit: unit.id.clone(), month, revision })?,
            may_go_unseen: self.may_go_unseen(unit, &head),
            external_done: head.external.at.is_some(),
            final_at: finality::final_at(&head.stage, &head.external),
            last_told_at: told.unwrap_or(head.generated_at),
            retry_at: self.retry_at(&Duty::Submit { unit: unit.id.clone(), month })?,
            stage: head.stage,
        }))
    }

    /// The coverage policy: a month without any complete sample never goes by itself, nor one covered too thinly, nor one
    /// that misses a server (design.md section 4).
    pub(crate) fn may_go_unseen(&self, unit: &Unit, report: &UsageReport) -> bool {
        let sampled = report.daily.iter().any(|day| day.points.is_some());
        let since = unit.since.map_or(report.month.first_day(), |since| since.date_naive());
        let mut coverage = Coverage::default();
        for day in report.daily.iter().filter(|day| since < day.day) {
            coverage.add(Coverage { expected: day.expected, complete: day.complete });
        }
        sampled && !coverage.is_below(self.settings.coverage_percent_min) && report.not_collected.is_empty()
    }

    pub(super) fn retry_at(&self, duty: &Duty) -> Result<Option<Instant>, Trouble> {
        let setback: Option<SetbackRow> = self.store.row(&key::setback(&duty.key()))?;
        Ok(setback.map(|setback| setback.next_try_at))
    }

    /// The newest week whose telemetry was taken.
    pub(super) fn telemetry_through(&self, unit: &UnitId) -> Result<Option<IsoWeek>, Trouble> {
        Ok(self.store.row(&key::of_unit("telemetry_through", unit))?)
    }

    /// The oldest week after those whose telemetry is sealed and not answered.
    pub(super) fn telemetry_unanswered(
        &self,
        unit: &Unit,
        through: Option<IsoWeek>,
        now: Instant,
    ) -> Result<Option<IsoWeek>, Trouble> {
        let mut week = through.map(IsoWeek::next).or_else(|| unit.since.map(IsoWeek::of));
        while let Some(sealed) = week.filter(|week| week.starts_at() <= now) {
            if let Some((_, None)) = self.sealed(&unit.id, MessageKind::Telemetry, &sealed.to_string(), 1)? {
                return Ok(Some(sealed));
            }
            week = Some(sealed.next());
        }
        Ok(None)
    }

    pub(super) fn enrolment(&self) -> Result<Option<Enrolment>, Trouble> {
        Ok(self.store.row("enrolment")?)
    }

    /// Whether there is a License Update Server that knows us.
    pub(super) fn sends(&self) -> Result<bool, Trouble> {
        Ok(self.settings.license_server.is_some() && self.enrolment()?.is_some())
    }

    /// The sealed message of a kind and period, and its receipt if it was answered.
    pub(super) fn sealed(
        &self,
        unit: &str,
        kind: MessageKind,
        period: &str,
        revision: u32,
    ) -> Result<Option<(SealedMessage, Option<Receipt>)>, Trouble> {
        let id = crate::domain::report::message_id(unit, kind.as_str(), period, revision);
        let Some(message) = self.store.row::<SealedMessage>(&key::sealed(&id))? else { return Ok(None) };
        let answered: Option<serde_json::Value> = self.store.row(&key::receipt(&id))?;
        let receipt = answered.and_then(|row| serde_json::from_value(row["receipt"].clone()).ok());
        Ok(Some((message, receipt)))
    }

    /// Why the clock is doubted, if it is.
    pub(super) fn clock_suspect(&self) -> Result<Option<String>, Trouble> {
        self.kept.clock_suspect.get(
            &self.store,
            (),
            |()| true,
            || {
                let judged: Option<serde_json::Value> = self.store.row("clock")?;
                Ok((Some(()), judged.and_then(|row| row["suspect"].as_str().map(str::to_owned))))
            },
        )
    }

    /// Since when usage is reported automatically; `None`: not.
    pub(super) fn automatic_since(&self, unit: &Unit) -> Result<Option<Instant>, Trouble> {
        Ok(match self.switch_decided(unit)? {
            (Switch::Off, _) => None,
            (Switch::On, DecidedBy::EnterpriseManager) => self.seen_since(unit, by_manager)?,
            (Switch::On, DecidedBy::OrderHere) => self.ordered_switch(unit)?.map(|ordered| ordered.at),
            (Switch::On, DecidedBy::Server | DecidedBy::Default) => self.seen_since(unit, str::to_owned)?,
        })
    }

    /// The effective switch of a unit's auto update, and who decided it.
    pub(super) fn switch_decided(&self, unit: &Unit) -> Result<(Switch, DecidedBy), Trouble> {
        let switch = |on: bool| if on { Switch::On } else { Switch::Off };
        Ok(renewal::effective_switch(SwitchFacts {
            enterprise_manager: self.manager_switch(unit).map(switch),
            ordered: self.ordered_switch(unit)?.map(|ordered| switch(ordered.on)),
            server: self.seen_since(unit, str::to_owned)?.map(|_| Switch::On),
        }))
    }

    /// The newest order about the unit's switch, a person's or our own.
    pub(super) fn ordered_switch(&self, unit: &Unit) -> Result<Option<AutoUpdate>, Trouble> {
        Ok(self.store.row(&key::of_unit("auto_update", &unit.id))?)
    }

    /// Since when a server of the unit showed its own auto update on, or was under Enterprise Manager's word: what came
    /// on after a deadline sends nothing that this deadline left to a person.
    fn seen_since(&self, unit: &Unit, kept_as: fn(&str) -> String) -> Result<Option<Instant>, Trouble> {
        let mut earliest: Option<Instant> = None;
        for server in &unit.servers {
            let seen: Option<Instant> = self.store.row(&key::auto_update_seen(&kept_as(server)))?;
            earliest = [earliest, seen].into_iter().flatten().min();
        }
        Ok(earliest)
    }

    pub(super) fn is_automatic(&self, unit: &Unit) -> Result<bool, Trouble> {
        Ok(self.automatic_since(unit)?.is_some() && self.sends()?)
    }

    /// What a sample shows of Enterprise Manager's word in the settings, when it is another than before.
    pub(super) fn manager_seen(&self, server: &str, at: Instant) -> Result<Option<Fact>, Trouble> {
        let is_on = self.settings.server(server).and_then(|settings| settings.em_auto_update) == Some(true);
        let server = by_manager(server);
        let was_on = self.store.row::<Instant>(&key::auto_update_seen(&server))?.is_some();
        Ok((was_on != is_on).then(|| Fact::AutoUpdateSeen { server, since: is_on.then_some(at) }))
    }

    /// Enterprise Manager's word, when it manages a server of the unit.
    fn manager_switch(&self, unit: &Unit) -> Option<bool> {
        unit.servers.iter().find_map(|name| self.settings.server(name)?.em_auto_update)
    }

    /// Whether VSPC manages every server of the unit and approves their reports by itself (domain.md 3.10).
    pub(super) fn is_reviewed_elsewhere(&self, unit: &Unit) -> bool {
        let by_vspc = |name: &String| {
            let server = self.settings.server(name);
            server.is_some_and(|server| server.managed_by == Some(ManagedBy::Vspc) && server.vspc_auto_approval)
        };
        !unit.servers.is_empty() && unit.servers.iter().all(by_vspc)
    }

    pub(super) fn is_reported_monthly(&self, unit: &Unit) -> Result<bool, Trouble> {
        Ok(self.unit_license(unit)?.is_some_and(|license| license.kind.is_reported_monthly()))
    }
}

/// What Enterprise Manager's word on a server is kept as, beside the server's own.
fn by_manager(server: &str) -> String {
    format!("Enterprise Manager for {server}")
}

/// What the rows of a unit were read with.
pub(super) struct UnitGiven {
    unit: Unit,
    left_at: Option<Instant>,
    week: IsoWeek,
    /// What holds then holds later too.
    since: Instant,
}

/// Whole minutes into the interval, drawn from the server's name so that servers are not asked all at once.
pub(super) fn sample_offset(server: &str, policy: &Policy) -> TimeDelta {
    let hash = digest::sha256(server.as_bytes());
    let minutes = policy.sample_interval.num_minutes().max(1);
    // The last minutes of an interval are left free: a report's instant is a whole hour.
    let span = (minutes - minutes / 6).max(1);
    TimeDelta::minutes(i64::from(u16::from_be_bytes([hash[0], hash[1]])) % span)
}
