//! License checks: the cadence, the gate before asking, the five results, and installing a verified key.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::Instant;
use crate::domain::gate::Verdict;
use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::domain::notice::News;
use crate::protocol::{self, LicenseAnswer, LicenseCheck, Message, Occasion};
use crate::rules::license_results::{self, Consequence, LicenseResult, Pause, Telling};
use crate::rules::renewal::{self, LastCheck, Renewal};
use crate::rules::schedule::{Duty, Since};
use crate::seal::keys::VerifyingKey;
use crate::store::fact::{AutoUpdate, Fact, InstalledKey, LicenseCheckRow, SetbackRow, key};

use crate::agent::run::ending;
use crate::agent::{Agent, Hour, Outcome, Work};

/// While the gate is held it is looked at again daily.
pub(super) const LOOK_AGAIN: TimeDelta = TimeDelta::hours(24);

/// Who caused a check, and the backup server that was asked, if one was.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `duty` or `user:NAME`.
    pub by: &'a str,
    pub server: Option<&'a str>,
}

impl Agent {
    /// When a license is asked for next; `None` when nobody can be asked or auto update is off.
    pub(in crate::agent) fn license_check_at(&self, unit: &Unit) -> Result<Option<Instant>, Trouble> {
        let servers = self.asked_servers(unit);
        if !servers.is_empty() {
            return self.server_check_at(unit, &servers);
        }
        let asks = self.settings.renews_by_license_server(&unit.servers) && self.sends()?;
        let Some(since) = self.automatic_since(unit)?.filter(|_| asks) else { return Ok(None) };
        let Some(license) = self.unit_license(unit)? else { return Ok(None) };
        let held: Option<SetbackRow> = self.store.row(&key::setback(&check_of(unit).key()))?;
        let window = renewal::window(license.expires_on, license.support_expires_on);
        if let Some(held) = held {
            let asks_anyway = window.map(|window| crate::domain::calendar::midnight(window.anchor) - LOOK_AGAIN);
            return Ok(Some(asks_anyway.map_or(held.next_try_at, |anyway| {
                if held.at < anyway { held.next_try_at.min(anyway) } else { held.next_try_at }
            })));
        }
        let enabled_at = match since {
            Since::Always => unit.since.unwrap_or(unit.formed_at),
            Since::At(at) => at,
        };
        Ok(match renewal::next_step(window.as_ref(), enabled_at, self.last_check(unit)?) {
            Renewal::Check { at } => Some(at),
            // Enterprise Manager's word stays on when ours goes off: it is said once.
            Renewal::SwitchOff { at } => (!self.switched_off_since(unit, at)?).then_some(at),
        })
    }

    pub(super) fn switched_off_since(&self, unit: &Unit, at: Instant) -> Result<bool, Trouble> {
        let ordered: Option<AutoUpdate> = self.store.row(&key::of_unit("auto_update", &unit.id))?;
        Ok(ordered.is_some_and(|ordered| !ordered.on && at <= ordered.at))
    }

    fn last_check(&self, unit: &Unit) -> Result<Option<LastCheck>, Trouble> {
        let last: Option<LicenseCheckRow> = self.store.row(&key::of_unit("license_check", &unit.id))?;
        Ok(last.map(|row| LastCheck { at: row.at, retry: row.retry_at.map(|retry| pause_between(row.at, retry)) }))
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
            return self.switch_off(&unit, &why, hour).map(|()| Work::Over);
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
        self.ask_license(&unit, license, Occasion::Scheduled, hour)
    }

    /// The conversation that asks for a key.
    pub(in crate::agent) fn ask_license(
        &self,
        unit: &Unit,
        license: License,
        occasion: Occasion,
        hour: Hour,
    ) -> Result<Work, Trouble> {
        let Some(enrolment) = self.enrolment()? else { return Ok(Work::Over) };
        let server = VerifyingKey::from_text(&enrolment.server_key)
            .map_err(|why| Trouble::Odd(format!("the kept key of the License Update Server: {why}")))?;
        let check = LicenseCheck {
            schema: LicenseCheck::SCHEMA.to_owned(),
            id: LicenseCheck::id_of(&unit.id, hour.now),
            unit: unit.id.clone(),
            contract_id: Some(enrolment.contract_id),
            installations: self.installations(unit)?,
            asked_at: hour.now,
            occasion,
            serial: self.installed_key(unit)?.map(|installed| installed.serial),
            license,
        };
        let talk = protocol::license_check(&check, &self.identity.key, &server);
        Ok(Work::Talk(ending(Box::new(talk), Outcome::License)))
    }

    pub(in crate::agent) fn finish_license_check(
        &mut self,
        id: &str,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(()) };
        let mut facts = vec![Fact::SetbackOver { about: check_of(&unit).key() }];
        let (result, steps) = match outcome {
            Ok(Outcome::License(answer)) => {
                facts.extend(self.tolerance_told(&answer.tolerance)?);
                let (result, steps, installed) = self.judge_answer(&unit, &answer, hour)?;
                if let Some(installed) = installed {
                    facts.push(Fact::LicenseInstalled { unit: unit.id.clone(), license: installed });
                }
                (result, steps)
            }
            Err(setback) => (license_results::invalid(setback.why()), Vec::new()),
            Ok(other) => unreachable!("a license check does not end in {other:?}"),
        };
        facts.extend(self.check_facts(&unit, &result, steps, Asked { by: "duty", server: None }, hour)?);
        self.record(hour, "duty", facts)?;
        self.keep_key_file(&unit, hour)?;
        if result.consequence == Consequence::SwitchOff {
            self.switch_off(&unit, &result.message, hour)?;
        }
        Ok(())
    }

    /// What an answer means; a key that is not ours, not newer or too different is an invalid answer.
    fn judge_answer(
        &self,
        unit: &Unit,
        answer: &LicenseAnswer,
        hour: Hour,
    ) -> Result<(LicenseResult, Vec<String>, Option<InstalledKey>), Trouble> {
        let result = license_results::read(&answer.message);
        let mut steps = vec![answer.message.clone()];
        steps.extend(answer.detail.clone());
        if result.consequence != Consequence::Install {
            return Ok((result, steps, None));
        }
        match self.verified_key(unit, answer.key.as_deref().unwrap_or_default(), hour)? {
            Ok(installed) => {
                steps.push(license_results::INSTALLED.to_owned());
                steps.push(license_results::AUTO_UPDATED.to_owned());
                Ok((result, steps, Some(installed)))
            }
            Err(why) => {
                steps.push(why.clone());
                Ok((license_results::invalid(&why), steps, None))
            }
        }
    }

    /// The row of the session history, and the news it makes.
    pub(in crate::agent) fn check_facts(
        &self,
        unit: &Unit,
        result: &LicenseResult,
        steps: Vec<String>,
        Asked { by, server }: Asked<'_>,
        hour: Hour,
    ) -> Result<Vec<Fact>, Trouble> {
        let row = LicenseCheckRow {
            at: hour.now,
            result: result.outcome.number(),
            message: result.message.clone(),
            steps,
            retry_at: result.consequence.retry().map(|pause| hour.now + pause.span()),
            by: by.to_owned(),
            server: server.map(str::to_owned),
        };
        let newest =
            server.map_or_else(|| key::of_unit("license_check", &unit.id), |name| key::server_check(&unit.id, name));
        let before: Option<LicenseCheckRow> = self.store.row(&newest)?;
        let mut facts = vec![Fact::LicenseChecked { unit: unit.id.clone(), check: row }];
        // The same failure is told once a day, not at every retry.
        let repeated = before
            .is_some_and(|before| before.message == result.message && before.at.date_naive() == hour.now.date_naive());
        if result.telling == Telling::Notice && !repeated {
            let name = format!("{} ({})", result.outcome.number(), outcome_name(result));
            let said_by = server.map_or(String::new(), |server| format!("{server}: "));
            let news = News::License { result: name, message: format!("{said_by}{}", result.message) };
            let about = format!("{said_by}{}", crate::domain::calendar::rfc3339(hour.now));
            facts.extend(self.news(Some(&unit.id), &about, news, hour)?);
        }
        Ok(facts)
    }

    /// Auto update off by itself, loudly: reporting becomes manual with it.
    pub(super) fn switch_off(&mut self, unit: &Unit, why: &str, hour: Hour) -> Result<(), Trouble> {
        let switch = AutoUpdate { on: false, at: hour.now, by: "duty".to_owned(), why: why.to_owned() };
        let mut facts = vec![Fact::AutoUpdateSet { unit: unit.id.clone(), switch }];
        let about = crate::domain::calendar::rfc3339(hour.now);
        facts.extend(self.news(Some(&unit.id), &about, News::AutoUpdateOff { why: why.to_owned() }, hour)?);
        self.record(hour, "duty", facts)
    }
}

pub(in crate::agent) fn check_of(unit: &Unit) -> Duty {
    Duty::CheckLicense { unit: unit.id.clone() }
}

pub(super) fn pause_between(at: Instant, retry_at: Instant) -> Pause {
    if retry_at - at <= Pause::Hour.span() { Pause::Hour } else { Pause::Day }
}

fn outcome_name(result: &LicenseResult) -> String {
    let value = serde_json::to_value(result.outcome).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}
