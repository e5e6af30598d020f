//! License checks: the cadence, the gate before asking, and asking. What comes of it stands in `session`.

use chrono::{NaiveDate, TimeDelta};

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::Instant;
use crate::domain::gate::Verdict;
use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::protocol::{self, LicenseCheck, Message};
use crate::rules::license_results::LicenseOutcome;
use crate::rules::renewal::{self, LastCheck, Renewal};
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{LicenseCheckRow, SetbackRow, key};

use super::check_of;
use super::session::Session;
use crate::agent::run::ending;
use crate::agent::{Agent, Hour, Outcome, Work};

/// While the gate is held it is looked at again daily.
pub(super) const LOOK_AGAIN: TimeDelta = TimeDelta::hours(24);

impl Agent {
    /// When a unit's license is looked after next; `None` when nobody can be asked or auto update is off.
    pub(in crate::agent) fn license_check_at(&self, unit: &Unit, now: Instant) -> Result<Option<Instant>, Trouble> {
        Ok(self.license_steps(unit, now)?.into_iter().map(Renewal::at).min())
    }

    /// What the renewal of a unit owes next: one step, or one of each server that is asked.
    pub(in crate::agent) fn license_steps(&self, unit: &Unit, now: Instant) -> Result<Vec<Renewal>, Trouble> {
        let servers = self.asked_servers(unit);
        if !servers.is_empty() {
            return self.server_steps(unit, &servers, now);
        }
        Ok(self.unit_step(unit, now)?.into_iter().collect())
    }

    fn unit_step(&self, unit: &Unit, now: Instant) -> Result<Option<Renewal>, Trouble> {
        let asks = self.settings.renews_by_license_server(&unit.servers) && self.sends()?;
        let Some(enabled_at) = self.automatic_since(unit)?.filter(|_| asks) else { return Ok(None) };
        let Some(license) = self.unit_license(unit)? else { return Ok(None) };
        let window = renewal::window(license.expires_on, license.support_expires_on);
        let goes_off = |at: Instant| Ok((!self.switched_off_since(unit, at)?).then_some(Renewal::SwitchOff { at }));
        if self.is_terminated(unit, enabled_at)? {
            return Ok(None);
        }
        if self.eligible(unit)?.is_err() {
            // Nobody asks, and the window goes on.
            return window.map_or(Ok(None), |window| goes_off(window.off_at().max(enabled_at)));
        }
        let held: Option<SetbackRow> = self.store.row(&key::setback(&check_of(unit).key()))?;
        if let Some(held) = held {
            let asks_anyway = window.as_ref().map(renewal::asks_anyway_at);
            let at = asks_anyway.filter(|anyway| held.at < *anyway);
            return Ok(Some(Renewal::Check { at: at.map_or(held.next_try_at, |at| at.min(held.next_try_at)) }));
        }
        let last = self.last_session(unit)?.and_then(|row| last_check(&row, now));
        match renewal::next_step(window.as_ref(), enabled_at, last) {
            check @ Renewal::Check { .. } => Ok(Some(check)),
            // Enterprise Manager's word stays on when ours goes off: it is said once.
            Renewal::SwitchOff { at } => goes_off(at),
        }
    }

    /// The last day of a retry window that is over at the instant, where somebody would be asked.
    pub(in crate::agent) fn window_ended_on(&self, unit: &Unit, now: Instant) -> Result<Option<NaiveDate>, Trouble> {
        let servers = self.asked_servers(unit);
        let mut windows = Vec::new();
        for server in &servers {
            windows.extend(self.server_window(server)?);
        }
        if servers.is_empty() && self.settings.renews_by_license_server(&unit.servers) && self.sends()? {
            let license = self.unit_license(unit)?.unwrap_or_default();
            windows.extend(renewal::window(license.expires_on, license.support_expires_on));
        }
        Ok(windows.into_iter().filter(|window| window.off_at() <= now).map(|window| window.ends_on).min())
    }

    /// Whether the contract was terminated since auto update was switched on. (Enterprise Manager's word stays on after
    /// that; a person's `license update` then asks.)
    fn is_terminated(&self, unit: &Unit, enabled_at: Instant) -> Result<bool, Trouble> {
        let terminated = LicenseOutcome::ContractTerminated.number();
        let last = self.last_session(unit)?;
        Ok(last.is_some_and(|last| last.result == terminated && enabled_at <= last.at))
    }

    pub(super) fn switched_off_since(&self, unit: &Unit, at: Instant) -> Result<bool, Trouble> {
        Ok(self.ordered_switch(unit)?.is_some_and(|ordered| !ordered.on && at <= ordered.at))
    }

    pub(in crate::agent) fn last_session(&self, unit: &Unit) -> Result<Option<LicenseCheckRow>, Trouble> {
        Ok(self.store.row(&key::of_unit("license_check", &unit.id))?)
    }

    /// Asks, unless the window is over (then auto update goes off) or the gate is held (then it is said once).
    pub(in crate::agent) fn begin_license_check(&mut self, id: &str, hour: Hour) -> Result<Work, Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(Work::Over) };
        let servers = self.asked_servers(&unit);
        if !servers.is_empty() {
            return self.begin_server_check(&unit, &servers, hour);
        }
        let license = self.unit_license(&unit)?.unwrap_or_default();
        let window = renewal::window(license.expires_on, license.support_expires_on);
        if window.as_ref().is_some_and(|window| window.off_at() <= hour.now) {
            let why = "the retry window is over without a key; update the license by hand".to_owned();
            let facts = self.switch_off(&unit, &why, hour)?;
            return self.record(hour, "duty", facts).map(|()| Work::Over);
        }
        let month = self.judged_month(&unit, hour.now)?;
        let verdict = self.judge(&unit, month)?;
        let facts = self.gate_facts(&unit, &verdict, hour)?;
        self.record(hour, "duty", facts)?;
        if verdict.verdict == Verdict::Held && !renewal::asks_while_held(window.as_ref(), hour.now) {
            let why = format!(
                "the gate holds: the report of {month} is {} points below the highest watermark (tolerance {})",
                verdict.shortfall, verdict.tolerance
            );
            let setback = Setback::AskAPerson { why };
            return self.set_back(&check_of(&unit), &setback, LOOK_AGAIN, hour).map(|()| Work::Over);
        }
        self.ask_license(&unit, license, Session::scheduled(hour))
    }

    /// The conversation that asks for a key; what comes of it is recorded under this session.
    pub(in crate::agent) fn ask_license(
        &mut self,
        unit: &Unit,
        license: License,
        session: Session,
    ) -> Result<Work, Trouble> {
        let Some(enrolment) = self.enrolment()? else { return Ok(Work::Over) };
        let server = VerifyingKey::from_text(&enrolment.server_key)
            .map_err(|why| Trouble::Odd(format!("the kept key of the License Update Server: {why}")))?;
        let installed = self.installed_key(unit)?;
        // A key that another server gave is none of this one's.
        let own = self.content(installed.as_ref(), &server).map(|key| key.serial);
        let own = own.zip(installed.map(|installed| installed.file));
        let check = LicenseCheck {
            schema: LicenseCheck::SCHEMA.to_owned(),
            id: LicenseCheck::id_of(&unit.id, session.started_at),
            unit: unit.id.clone(),
            contract_id: Some(enrolment.contract_id),
            installations: self.installations(unit)?,
            asked_at: session.started_at,
            occasion: session.occasion,
            serial: own.as_ref().map(|(serial, _)| *serial),
            key: own.map(|(_, file)| file),
            receipted: self.receipted(unit, &server)?,
            justified: self.justified_month(unit, session.started_at)?,
            license,
        };
        let talk = protocol::license_check(&check, &self.identity.key, &server);
        self.license_sessions.insert(unit.id.clone(), session);
        Ok(Work::Talk(ending(Box::new(talk), Outcome::License)))
    }
}

/// The check that the cadence goes on from: one that was recorded later than it is, which no true clock does, is none.
pub(super) fn last_check(row: &LicenseCheckRow, now: Instant) -> Option<LastCheck> {
    (row.at <= now).then_some(LastCheck { at: row.at, retry_at: row.retry_at })
}
