//! What a license check ends in: one of the five results, a verified key, the row of the history, and the news of it.

use crate::agent::{Agent, Hour, Outcome, Trouble};
use crate::ask::Setback;
use crate::domain::Instant;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::notice::News;
use crate::protocol::{LicenseAnswer, Occasion};
use crate::rules::license_results::{self, Consequence, LicenseOutcome, LicenseResult, Telling};
use crate::rules::renewal;
use crate::store::fact::{AutoUpdate, Fact, InstalledKey, LicenseCheckRow, key};

use super::by_server::unanswered;
use super::check_of;

/// A run of the job `License key auto-update`, from its first ask on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Session {
    pub occasion: Occasion,
    pub started_at: Instant,
    /// Who caused it: `duty` or `user:NAME`.
    pub by: String,
    /// The backup server that was asked, if one was.
    pub server: Option<ServerName>,
}

impl Session {
    pub fn scheduled(hour: Hour) -> Session {
        Session { occasion: Occasion::Scheduled, started_at: hour.now, by: "duty".to_owned(), server: None }
    }

    /// Ad hoc: a person ordered it.
    pub fn ordered(by: &str, hour: Hour) -> Session {
        Session { occasion: Occasion::ByHand, started_at: hour.now, by: by.to_owned(), server: None }
    }

    /// The part of it in which this server was asked.
    pub fn with(&self, server: &str) -> Session {
        Session { server: Some(server.to_owned()), ..self.clone() }
    }
}

impl Agent {
    /// Records what came of a check in one entry: history, key, news, and auto update going off with a terminated contract.
    pub(in crate::agent) fn finish_license_check(
        &mut self,
        id: &str,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(()) };
        let session = self.license_sessions.remove(id).unwrap_or_else(|| Session::scheduled(hour));
        let mut facts = vec![Fact::SetbackOver { about: check_of(&unit).key() }];
        let (result, steps) = match outcome {
            Ok(Outcome::License(answer)) => {
                facts.extend(self.tolerance_told(&answer.tolerance)?);
                facts.extend(self.gate_told(&unit, &answer, hour)?);
                facts.extend(self.lost_there(&unit, &answer.lost, hour)?);
                let (result, steps, installed) = self.judge_answer(&unit, &answer, hour)?;
                if let Some(installed) = installed {
                    facts.push(Fact::LicenseInstalled { unit: unit.id.clone(), license: installed });
                }
                (result, steps)
            }
            Err(setback) => (unanswered(&setback), vec![license_results::kept(setback.why())]),
            Ok(other) => unreachable!("a license check does not end in {other:?}"),
        };
        facts.extend(self.check_facts(&unit, &result, steps, &session, hour)?);
        if result.consequence == Consequence::SwitchOff && self.automatic_since(&unit)?.is_some() {
            facts.extend(self.switch_off(&unit, &result.message, hour)?);
        }
        self.record(hour, &session.by, facts)?;
        self.keep_key_file(&unit, hour)
    }

    /// What an answer means; a key that is not ours, not newer or too different is an invalid answer.
    fn judge_answer(
        &self,
        unit: &Unit,
        answer: &LicenseAnswer,
        hour: Hour,
    ) -> Result<(LicenseResult, Vec<String>, Option<InstalledKey>), Trouble> {
        let result = license_results::read(&answer.message);
        let mut steps = vec![result.message.clone()];
        steps.extend(answer.detail.as_deref().map(license_results::kept));
        if result.consequence != Consequence::Install {
            return Ok((result, steps, None));
        }
        match self.verified_key(unit, answer.key.as_deref().unwrap_or_default(), hour)? {
            Ok(installed) => {
                steps.push(license_results::INSTALLED.to_owned());
                steps.push(license_results::AUTO_UPDATED.to_owned());
                Ok((result, steps, Some(installed)))
            }
            Err(refused) => {
                steps.push(refused.why.clone());
                Ok((license_results::invalid(&refused.why), steps, None))
            }
        }
    }

    /// The row of the session history, and the news it makes.
    pub(in crate::agent) fn check_facts(
        &self,
        unit: &Unit,
        result: &LicenseResult,
        steps: Vec<String>,
        session: &Session,
        hour: Hour,
    ) -> Result<Vec<Fact>, Trouble> {
        let server = session.server.as_deref();
        let before = match server {
            Some(server) => self.store.row(&key::server_check(&unit.id, server))?,
            None => self.last_session(unit)?,
        };
        let failed = result.outcome.is_failure();
        let failing_since = before.as_ref().and_then(|before: &LicenseCheckRow| before.failing_since);
        // No answer takes nothing back: a key that was revoked stays so until the far side says otherwise.
        let unanswered = result.outcome == LicenseOutcome::InvalidAnswer;
        let revoked = result.consequence == Consequence::AwaitOrder
            || unanswered && before.as_ref().is_some_and(|before| before.revoked);
        let row = LicenseCheckRow {
            at: hour.now,
            started_at: Some(session.started_at),
            occasion: Some(session.occasion),
            result: result.outcome.number(),
            message: result.message.clone(),
            steps,
            retry_at: result.consequence.retry().map(|pause| renewal::retry_at(&unit.id, hour.now, pause)),
            by: session.by.clone(),
            failing_since: failed.then(|| failing_since.unwrap_or(hour.now)),
            revoked,
            server: session.server.clone(),
        };
        let mut facts = vec![Fact::LicenseChecked { unit: unit.id.clone(), check: row }];
        let name = format!("{} ({})", result.outcome.number(), result.outcome.name());
        let said_by = server.map_or(String::new(), |server| format!("{server}: "));
        let message = format!("{said_by}{}", result.message);
        // The same is told once a day, not at every retry.
        let about = format!("{} {message}", hour.now.date_naive());
        if let (false, Some(failing_since)) = (failed, failing_since) {
            let news = News::LicenseRecovered { result: name, message, failing_since };
            facts.extend(self.news(Some(&unit.id), &about, news, hour)?);
        } else if result.telling == Telling::Notice {
            let news = News::License { result: name, message, to_do: result.to_do.to_owned() };
            facts.extend(self.news(Some(&unit.id), &about, news, hour)?);
        }
        Ok(facts)
    }

    /// Auto update goes off by itself, loudly: reporting becomes manual with it.
    pub(super) fn switch_off(&self, unit: &Unit, why: &str, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let why = why.to_owned();
        let switch = AutoUpdate { on: false, at: hour.now, by: "duty".to_owned(), why: why.clone(), consent: None };
        let mut facts = vec![Fact::AutoUpdateSet { unit: unit.id.clone(), switch }];
        let about = crate::domain::calendar::rfc3339(hour.now);
        facts.extend(self.news(Some(&unit.id), &about, News::AutoUpdateOff { why }, hour)?);
        Ok(facts)
    }
}
