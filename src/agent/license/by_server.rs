//! Licenses that a backup server renews itself when it is asked: when it is asked, one session a server, what follows.
//!
//! Each server has its own dates and cadence; the gate, the switch and the news are its unit's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::run::ending;
use crate::agent::{Agent, Hour, Outcome, Query, Refused, Trouble, Work};
use crate::ask::{Answer, Conversation, Setback, Step};
use crate::domain::Instant;
use crate::domain::gate::Verdict;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::license::License;
use crate::rules::license_results::{self, Consequence, LicenseOutcome, LicenseResult, Pause};
use crate::rules::renewal::{self, Renewal, Window};
use crate::rules::server_update::{self, ServerAnswer};
use crate::sources::renewing::{Deed, Errand, Heard, Renewed, Talk};
use crate::store::fact::{LicenseCheckRow, SetbackRow, key};

use super::check::{LOOK_AGAIN, last_check};
use super::check_of;
use super::session::Session;

/// Servers asked in one round; the rest follows in the next.
const ROUND_MAX: usize = 100;

/// What came of asking the servers of a unit, one after the other.
#[derive(Debug)]
pub struct Round {
    /// `None` once it was taken out of its talk.
    session: Option<Session>,
    heard: Vec<(ServerName, Result<Renewed, Setback>)>,
}

/// Asks one server after the other; one that does not answer keeps nothing from the others.
struct RoundTalk {
    round: Round,
    /// The last one is under way.
    waiting: Vec<(ServerName, Talk)>,
}

impl Conversation for RoundTalk {
    type Done = Round;

    fn next(&mut self, mut heard: Option<Answer>) -> Step<Round> {
        while let Some((server, talk)) = self.waiting.last_mut() {
            let came = match talk.next(heard.take()) {
                Step::Ask(ask) => return Step::Ask(ask),
                Step::Done(renewed) => Ok(renewed),
                Step::Setback(setback) => Err(setback),
            };
            self.round.heard.push((server.clone(), came));
            self.waiting.pop();
        }
        let none = Round { session: None, heard: Vec::new() };
        Step::Done(std::mem::replace(&mut self.round, none))
    }
}

impl Agent {
    /// The unit's servers that are asked to renew their license themselves.
    pub(in crate::agent) fn asked_servers(&self, unit: &Unit) -> Vec<ServerName> {
        self.settings.asked_to_renew(&unit.servers)
    }

    /// What the license of each of these servers owes next; nothing while auto update is off.
    pub(super) fn server_steps(
        &self,
        unit: &Unit,
        servers: &[ServerName],
        now: Instant,
    ) -> Result<Vec<Renewal>, Trouble> {
        let Some(since) = self.automatic_since(unit)? else { return Ok(Vec::new()) };
        let held: Option<SetbackRow> = self.store.row(&key::setback(&check_of(unit).key()))?;
        let mut steps = Vec::new();
        for server in servers {
            let Some(step) = self.next_step_of(unit, server, since, now)? else { continue };
            let (Renewal::Check { at }, Some(held)) = (step, &held) else {
                steps.push(step);
                continue;
            };
            let anyway = self.server_window(server)?.map(|window| renewal::asks_anyway_at(&window).max(at));
            steps.push(Renewal::Check { at: anyway.map_or(held.next_try_at, |at| at.min(held.next_try_at)) });
        }
        Ok(steps)
    }

    /// What one server's license owes next; `None`: never seen, or nobody asks since it was switched off or its contract
    /// terminated. (Enterprise Manager's word stays on after that; a person's `license update` then asks.) A key that auto
    /// update does not renew is not asked for, and its window goes on.
    fn next_step_of(
        &self,
        unit: &Unit,
        server: &str,
        enabled_at: Instant,
        now: Instant,
    ) -> Result<Option<Renewal>, Trouble> {
        let Some(license) = self.store.row::<License>(&key::license_seen(server))? else { return Ok(None) };
        let last: Option<LicenseCheckRow> = self.store.row(&key::server_check(&unit.id, server))?;
        let terminated = LicenseOutcome::ContractTerminated.number();
        if last.as_ref().is_some_and(|last| last.result == terminated && enabled_at <= last.at) {
            return Ok(None);
        }
        let revoked = last.as_ref().is_some_and(|last| last.revoked);
        let last = last.and_then(|row| last_check(&row, now));
        let window = self.server_window(server)?;
        let step = match (self.eligible_with(&license, revoked)?, window) {
            (Ok(()), window) => renewal::next_step(window.as_ref(), enabled_at, last),
            (Err(_), Some(window)) => Renewal::SwitchOff { at: window.off_at().max(enabled_at) },
            (Err(_), None) => return Ok(None),
        };
        Ok(match step {
            Renewal::SwitchOff { at } if self.switched_off_since(unit, at)? => None,
            step => Some(step),
        })
    }

    pub(super) fn server_window(&self, server: &str) -> Result<Option<Window>, Trouble> {
        let license: Option<License> = self.store.row(&key::license_seen(server))?;
        Ok(license.and_then(|license| renewal::window(license.expires_on, license.support_expires_on)))
    }

    /// Asks the servers that are due, unless a window is over or the gate is held.
    pub(super) fn begin_server_check(
        &mut self,
        unit: &Unit,
        servers: &[ServerName],
        hour: Hour,
    ) -> Result<Work, Trouble> {
        let Some(since) = self.automatic_since(unit)? else { return Ok(Work::Over) };
        let mut due = Vec::new();
        for server in servers {
            match self.next_step_of(unit, server, since, hour.now)? {
                Some(Renewal::SwitchOff { at }) if at <= hour.now => {
                    let why = format!("the retry window of {server} is over without a key; update its license by hand");
                    let facts = self.switch_off(unit, &why, hour)?;
                    return self.record(hour, "duty", facts).map(|()| Work::Over);
                }
                Some(Renewal::Check { at }) if at <= hour.now => due.push(server.clone()),
                Some(Renewal::SwitchOff { .. } | Renewal::Check { .. }) | None => {}
            }
        }
        let (may_ask, why) = self.servers_let_through(unit, &due, hour)?;
        match why {
            Some(why) if may_ask.is_empty() => {
                let setback = Setback::AskAPerson { why };
                self.set_back(&check_of(unit), &setback, LOOK_AGAIN, hour).map(|()| Work::Over)
            }
            _ if may_ask.is_empty() => {
                // The gate opened again before any server is due.
                self.record(hour, "duty", vec![self.look_at_gate_again(unit)]).map(|()| Work::Over)
            }
            _ => Ok(self.ask_servers(&may_ask, &Deed::Update, Session::scheduled(hour))),
        }
    }

    /// The servers that may be asked now, and why not all of them: while the gate is held those in their last day alone.
    fn servers_let_through(
        &mut self,
        unit: &Unit,
        servers: &[ServerName],
        hour: Hour,
    ) -> Result<(Vec<ServerName>, Option<String>), Trouble> {
        let month = self.judged_month(unit, hour.now)?;
        let verdict = self.judge(unit, month)?;
        let facts = self.gate_facts(unit, &verdict, hour)?;
        self.record(hour, "duty", facts)?;
        if verdict.verdict != Verdict::Held {
            return Ok((servers.to_vec(), None));
        }
        let mut may_ask = Vec::new();
        for server in servers {
            if renewal::asks_while_held(self.server_window(server)?.as_ref(), hour.now) {
                may_ask.push(server.clone());
            }
        }
        let why = format!(
            "the gate holds: the report of {month} is {} points below the highest watermark (tolerance {})",
            verdict.shortfall, verdict.tolerance
        );
        Ok((may_ask, Some(why)))
    }

    /// `license update` for servers that renew themselves.
    ///
    /// # Errors
    /// [`Refused`] with 5 while the gate is held.
    pub(in crate::agent) fn update_by_servers(
        &mut self,
        unit: &Unit,
        servers: &[ServerName],
        actor: &str,
        hour: Hour,
    ) -> Result<Work, Refused> {
        match self.servers_let_through(unit, servers, hour)? {
            (may_ask, Some(why)) if may_ask.is_empty() => Err(Refused::new(5, format!("{why}; see `license gate`"))),
            (may_ask, _) => Ok(self.ask_servers(&may_ask, &Deed::Update, Session::ordered(actor, hour))),
        }
    }

    /// The exchanges with these servers, one after the other.
    pub(in crate::agent) fn ask_servers(&self, servers: &[ServerName], deed: &Deed, session: Session) -> Work {
        let talk_with = |server: &ServerName| {
            let settings = self.settings.server(server)?;
            let errand = Errand { server: server.clone(), settings: settings.source.clone(), deed: deed.clone() };
            Some((server.clone(), settings.source_row().renew?(errand)))
        };
        let waiting: Vec<_> = servers.iter().take(ROUND_MAX).rev().filter_map(talk_with).collect();
        let round = Round { session: Some(session), heard: Vec::new() };
        Work::Talk(ending(Box::new(RoundTalk { round, waiting }), Outcome::ServersAsked))
    }

    /// Records a session for each server: its words, its license as it now stands, the news.
    pub(in crate::agent) fn finish_server_check(&mut self, id: &str, round: Round, hour: Hour) -> Result<(), Trouble> {
        let Some(unit) = self.unit(id)? else { return Ok(()) };
        let session = round.session.unwrap_or_else(|| Session::scheduled(hour));
        let mut facts = vec![self.look_at_gate_again(&unit)];
        let mut switch_off = None;
        for (server, came) in round.heard {
            let Judged { result, steps, license } = judged(came);
            if result.consequence == Consequence::SwitchOff {
                switch_off = Some(format!("{server}: {}", result.message));
            }
            if let Some(license) = license {
                facts.extend(self.license_now_seen(&server, license, hour.now)?);
            }
            facts.extend(self.check_facts(&unit, &result, steps, &session.with(&server), hour)?);
        }
        if let (Some(why), Some(_)) = (switch_off, self.automatic_since(&unit)?) {
            facts.extend(self.switch_off(&unit, &why, hour)?);
        }
        self.record(hour, &session.by, facts)
    }

    /// The answer to an order that had these servers asked: the unit's license, or why it came to nothing.
    ///
    /// # Errors
    /// [`Refused`] with 69 when a server did not answer, with 65 when it refused the key file.
    pub(in crate::agent) fn servers_asked(
        &self,
        unit: &str,
        servers: &[ServerName],
        wish: Wish,
        hour: Hour,
    ) -> Result<Value, Refused> {
        for server in servers {
            let check: Option<LicenseCheckRow> =
                self.store.row(&key::server_check(unit, server)).map_err(Trouble::from)?;
            let Some(check) = check else { continue };
            let why = format!("{server}: {}", check.message);
            match (wish, check.result) {
                (Wish::Update | Wish::Install, 1 | 2) => {}
                (Wish::Install, _) if !check.steps.is_empty() => {
                    return Err(Refused::new(65, format!("{why}; the license that was installed stays")));
                }
                (Wish::Update | Wish::Install, 4) => return Err(Refused::new(69, why)),
                (Wish::Update | Wish::Install, _) => {}
            }
        }
        let mut shown = self.answer(&Query::License { unit: Some(unit.to_owned()), server: None }, hour)?;
        if let (Wish::Install, Some(unit)) = (wish, self.unit(unit)?) {
            shown["offer"] = self.offer(&unit)?;
        }
        Ok(shown)
    }
}

/// What an order wished of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    Update,
    Install,
}

/// What one server's answer means.
struct Judged {
    result: LicenseResult,
    steps: Vec<String>,
    /// Its license as it now stands.
    license: Option<License>,
}

fn judged(came: Result<Renewed, Setback>) -> Judged {
    let renewed = match came {
        Ok(renewed) => renewed,
        Err(setback) => return Judged { result: unanswered(&setback), steps: Vec::new(), license: None },
    };
    let license = renewed.after.as_ref().ok();
    let is_later = license.is_some_and(|after| server_update::is_later(&renewed.before, after));
    let (result, mut steps) = match &renewed.heard {
        Heard::Words { message, is_successful } => {
            let answer =
                ServerAnswer { words: message, is_successful: *is_successful, before: &renewed.before, after: license };
            let lines = message.lines().map(server_update::one_line).filter(|line| !line.is_empty());
            (server_update::read(&answer), lines.collect())
        }
        Heard::Taken => (license_results::read(license_results::INSTALLED), Vec::new()),
        Heard::Lost(setback) if is_later => {
            let message = format!("the license is renewed, and the server's answer was lost ({})", setback.why());
            (LicenseResult { message, ..license_results::read(license_results::INSTALLED) }, Vec::new())
        }
        Heard::Lost(setback) => {
            return Judged { result: unanswered(setback), steps: Vec::new(), license: license.cloned() };
        }
    };
    steps.push(match &renewed.after {
        Ok(after) => format!("the server's license is valid to {}, before to {}", day(after), day(&renewed.before)),
        Err(why) => format!("the server's license could not be read afterwards: {why}"),
    });
    Judged { result, steps, license: license.cloned() }
}

/// No answer: tried again after an hour; what needs a person, such as a wrong password, after a day.
pub(super) fn unanswered(setback: &Setback) -> LicenseResult {
    let pause = match setback {
        Setback::TryAgain { .. } => Pause::Hour,
        Setback::AskAPerson { .. } => Pause::Day,
    };
    LicenseResult { consequence: Consequence::RetryAfter(pause), ..license_results::invalid(setback.why()) }
}

fn day(license: &License) -> String {
    license.expires_on.map_or_else(|| "no date".to_owned(), |day| day.to_string())
}
