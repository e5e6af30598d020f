//! Telling endpoints: what their answers do, what was tried, and telling again.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::agent::Trouble;
use crate::ask::HttpAnswer;
use crate::channels::hook_answer::{Heard, PAUSES, heard, jitter_minutes_max, words};
use crate::channels::webhook;
use crate::config::WebhookSettings;
use crate::domain::Instant;
use crate::domain::notice::Notice;
use crate::store::fact::{EndpointFact, Fact, HookTry, SetbackRow, key};

use super::notices::{refused, tell};
use super::{Agent, Hour, Refused};

/// What the slowness of an endpoint is called in setbacks.
pub(in crate::agent) const SLOW: &str = "slow ";
/// Most pieces of news that one order tells again.
const REPLAY_MAX: usize = 10_000;

/// What a person wants to be told again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// The piece of news of this id.
    Id(String),
    /// Everything since then.
    Since(chrono::DateTime<chrono::Utc>),
}

impl Agent {
    /// Who is told news of this kind; an endpoint that answered 410 is left out until its settings change.
    pub(super) fn recipients(&self, event: &str) -> Result<Vec<String>, Trouble> {
        let mut recipients = Vec::new();
        for to in self.settings.recipients(event) {
            if self.gone_since(&to)?.is_none() {
                recipients.push(to);
            }
        }
        Ok(recipients)
    }

    /// Since when an endpoint wants no more messages, by the settings that it has now.
    pub(super) fn gone_since(&self, to: &str) -> Result<Option<Instant>, Trouble> {
        let Some(digest) = self.settings.webhook_digest(to) else { return Ok(None) };
        let gone: Option<Value> = self.store.row(&key::gone(to))?;
        let same = gone.filter(|gone| gone["settings"] == digest.as_str());
        Ok(same.and_then(|gone| serde_json::from_value(gone["at"].clone()).ok()))
    }

    /// Until when all messages to a recipient wait, because it asked to be slower.
    pub(super) fn slow_until(&self, to: &str) -> Result<Option<Instant>, Trouble> {
        let slow: Option<SetbackRow> = self.store.row(&key::setback(&format!("{SLOW}{to}")))?;
        Ok(slow.map(|slow| slow.next_try_at))
    }

    /// Records what an endpoint answered.
    pub(super) fn hook_heard(&mut self, id: &str, to: &str, answer: &HttpAnswer, hour: Hour) -> Result<(), Trouble> {
        let words = words(answer);
        match heard(answer, hour.now) {
            Heard::Taken => {
                let tried = self.tried(id, to, &words, hour)?;
                let what = EndpointFact::Tried(HookTry { taken: true, ..tried });
                let mut facts = vec![Fact::Endpoint { to: to.to_owned(), what }];
                if self.slow_until(to)?.is_some() {
                    facts.push(Fact::SetbackOver { about: format!("{SLOW}{to}") });
                }
                self.told_with(id, to, words, facts, hour)
            }
            Heard::Gone => self.hook_gone(id, to, &words, hour),
            Heard::Slower { wait } => self.hook_not_taken(id, to, &words, Some(wait), hour),
            Heard::NotTaken => self.hook_not_taken(id, to, &words, None, hour),
        }
    }

    /// The endpoint wants no more: nothing waits for it any longer, and nothing is queued for it until its settings change.
    fn hook_gone(&mut self, id: &str, to: &str, words: &str, hour: Hour) -> Result<(), Trouble> {
        let tried = self.tried(id, to, words, hour)?;
        let settings = self.settings.webhook_digest(to).unwrap_or_default();
        let mut facts = vec![
            Fact::Endpoint { to: to.to_owned(), what: EndpointFact::Tried(tried) },
            Fact::Endpoint { to: to.to_owned(), what: EndpointFact::Gone { at: hour.now, settings } },
        ];
        if self.slow_until(to)?.is_some() {
            facts.push(Fact::SetbackOver { about: format!("{SLOW}{to}") });
        }
        for (pending, _) in self.store.rows::<bool>("pending/")? {
            let Some(notice) = self.store.row::<Notice>(&key::notice(pending.trim_start_matches("pending/")))? else {
                continue;
            };
            if !self.deaf(&notice)?.iter().any(|deaf| deaf == to) {
                continue;
            }
            let why = format!("{words}: it wants no more messages");
            let dropped = Fact::NoticeDropped { id: notice.id.clone(), to: to.to_owned(), at: hour.now, why };
            facts.extend(self.settled(&notice.id, to, dropped)?);
        }
        self.record(hour, "duty", facts)
    }

    /// A message that was not taken is tried again by the pauses of the specification, then given up.
    pub(super) fn hook_not_taken(
        &mut self,
        id: &str,
        to: &str,
        words: &str,
        wait: Option<TimeDelta>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let tried = self.tried(id, to, words, hour)?;
        let tries = tried.attempt;
        let mut facts = vec![Fact::Endpoint { to: to.to_owned(), what: EndpointFact::Tried(tried) }];
        let row = |next_try_at: Instant, needs_person: bool| SetbackRow {
            at: hour.now,
            why: words.to_owned(),
            tries,
            next_try_at,
            needs_person,
        };
        let slower = wait.map(|wait| hour.now + wait);
        if let Some(until) = slower {
            facts.push(Fact::Setback { about: format!("{SLOW}{to}"), setback: row(until, false) });
        }
        match PAUSES.get(tries as usize - 1) {
            Some(pause) => {
                let jitter = self.chance.below(jitter_minutes_max(*pause) + 1);
                let next = hour.now + *pause + TimeDelta::minutes(i64::try_from(jitter).unwrap_or(0));
                let about = tell(id, to).key();
                facts
                    .push(Fact::Setback { about, setback: row(slower.map_or(next, |slower| slower.max(next)), false) });
            }
            None => {
                let why = format!("{words}, {tries} times");
                let dropped = Fact::NoticeDropped { id: id.to_owned(), to: to.to_owned(), at: hour.now, why };
                facts.extend(self.settled(id, to, dropped)?);
                facts.push(Fact::Setback { about: refused(to), setback: row(hour.now, true) });
            }
        }
        self.record(hour, "duty", facts)
    }

    /// This try of a message, as one that was not taken.
    fn tried(&self, id: &str, to: &str, words: &str, hour: Hour) -> Result<HookTry, Trouble> {
        let before = self.store.row::<SetbackRow>(&key::setback(&tell(id, to).key()))?.map_or(0, |before| before.tries);
        let event = self.store.row::<Notice>(&key::notice(id))?.map_or("", |notice| notice.news.event()).to_owned();
        let (id, words) = (id.to_owned(), words.to_owned());
        Ok(HookTry { id, event, at: hour.now, attempt: before + 1, taken: false, words })
    }

    /// Orders that endpoints are told again, with the same ids and in the order in which it happened.
    pub(super) fn order_replay(
        &mut self,
        to: Option<&str>,
        what: &Again,
        actor: &str,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let endpoints = self.endpoints_named(to)?;
        for endpoint in endpoints.iter().filter(|_| to.is_some()) {
            if self.gone_since(&endpoint.peer())?.is_some() {
                let why = format!("{} answered 410 Gone; change its settings first", endpoint.peer());
                return Err(Refused::new(8, why));
            }
        }
        let (mut facts, mut shown) = (Vec::new(), Vec::new());
        for notice in self.news_again(what)? {
            let event = notice.news.event();
            let mut again = Vec::new();
            for endpoint in endpoints.iter().filter(|endpoint| endpoint.events.has(event)) {
                let to = endpoint.peer();
                if self.gone_since(&to)?.is_none() {
                    again.push(to);
                }
            }
            if !again.is_empty() {
                facts.extend(self.not_meant_for_others(&notice, &again, hour)?);
            }
            for to in again {
                let what = EndpointFact::ToldAgain { id: notice.id.clone() };
                facts.push(Fact::Endpoint { to: to.clone(), what });
                facts.push(Fact::SetbackOver { about: tell(&notice.id, &to).key() });
                shown.push(json!({"id": notice.id, "type": event, "at": notice.at, "to": to}));
            }
        }
        if shown.is_empty() {
            return Err(Refused::new(
                3,
                "there is nothing that these endpoints are told; `webhook log` lists what was tried",
            ));
        }
        self.record(hour, actor, facts)?;
        Ok(json!({"schema": "tidegauge.webhook-replay/1", "replayed": shown}))
    }

    /// News that was settled and is told some again is none for recipients that the settings named only since.
    fn not_meant_for_others(&self, notice: &Notice, again: &[String], hour: Hour) -> Result<Vec<Fact>, Trouble> {
        if self.store.row::<bool>(&key::pending(&notice.id))?.is_some() {
            return Ok(Vec::new());
        }
        let others = self.deaf(notice)?.into_iter().filter(|to| !again.contains(to));
        let dropped = |to| {
            let why = "it was news before this recipient was named".to_owned();
            Fact::NoticeDropped { id: notice.id.clone(), to, at: hour.now, why }
        };
        Ok(others.map(dropped).collect())
    }

    fn endpoints_named(&self, name: Option<&str>) -> Result<Vec<WebhookSettings>, Refused> {
        let named = self.settings.webhooks.iter().filter(|one| name.is_none_or(|name| one.name == name));
        let found: Vec<WebhookSettings> = named.cloned().collect();
        match (found.is_empty(), name) {
            (true, Some(name)) => Err(Refused::new(66, format!("the settings have no [[webhook]] called {name}"))),
            (true, None) => {
                Err(Refused::new(78, "the settings have no [[webhook]]; `config init` shows what stands in one"))
            }
            (false, _) => Ok(found),
        }
    }

    fn news_again(&self, what: &Again) -> Result<Vec<Notice>, Refused> {
        let mut found: Vec<Notice> = match what {
            Again::Id(id) => self.store.row(&key::notice(id))?.into_iter().collect(),
            Again::Since(since) => {
                let all = self.store.rows::<Notice>("notice/")?.into_iter().map(|(_, notice)| notice);
                all.filter(|notice| *since <= notice.at).collect()
            }
        };
        if found.len() > REPLAY_MAX {
            let why = format!(
                "that is {} pieces of news, and at most {REPLAY_MAX} are told again; name a later --since",
                found.len()
            );
            return Err(Refused::new(65, why));
        }
        if let (Again::Id(id), true) = (what, found.is_empty()) {
            return Err(Refused::new(66, format!("there is no news with the id {id}; `webhook log` lists them")));
        }
        found.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        Ok(found)
    }

    /// `webhook log`: every endpoint as it stands, and the newest tries, newest last.
    pub(super) fn hook_log(&self, to: Option<&str>, tries_max: usize, now: Instant) -> Result<Value, Refused> {
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        for (_, to, _) in self.untold(now)? {
            *waiting.entry(to).or_default() += 1;
        }
        let (mut endpoints, mut tries) = (Vec::new(), Vec::new());
        for endpoint in self.endpoints_named(to)? {
            let peer = endpoint.peer();
            endpoints.push(json!({
                "name": endpoint.name,
                "gone_since": self.gone_since(&peer)?,
                "slow_until": self.slow_until(&peer)?,
                "waiting": waiting.get(&peer).copied().unwrap_or(0),
            }));
            for (_, tried) in self.store.rows::<HookTry>(&key::tries(&peer))? {
                tries.push((tried, endpoint.name.clone()));
            }
        }
        tries.sort_by(|(one, _), (other, _)| (one.at, &one.id, one.attempt).cmp(&(other.at, &other.id, other.attempt)));
        let newest = tries.split_off(tries.len().saturating_sub(tries_max));
        let shown = newest.iter().map(|(tried, name)| {
            let HookTry { id, event, at, attempt, taken, words } = tried;
            json!({"at": at, "endpoint": name, "id": id, "type": event, "attempt": attempt, "taken": taken, "words": words})
        });
        Ok(json!({"schema": "tidegauge.webhook-log/1", "endpoints": endpoints, "tries": shown.collect::<Vec<Value>>()}))
    }

    /// What people should know of endpoints.
    pub(super) fn hook_warnings(&self) -> Result<Vec<String>, Trouble> {
        let mut warnings = Vec::new();
        for endpoint in &self.settings.webhooks {
            if let Some(since) = self.gone_since(&endpoint.peer())? {
                warnings.push(format!(
                    "webhook {} answered 410 Gone on {}: nothing is sent to it until its settings change, or take it out",
                    endpoint.name,
                    crate::domain::calendar::minute_text(since)
                ));
            }
        }
        Ok(warnings)
    }
}

/// Of what waits for an endpoint only the earliest is told at a time, of those that are due at once the one that happened
/// first, so that its messages come in order; while one waits for its next try, the others go on.
pub(super) fn one_at_a_time(untold: Vec<(String, String, Instant)>) -> Vec<(String, String, Instant)> {
    let (endpoints, mut others): (Vec<_>, Vec<_>) =
        untold.into_iter().partition(|(_, to, _)| webhook::name_of(to).is_some());
    let mut earliest: BTreeMap<String, (Instant, String)> = BTreeMap::new();
    for (id, to, at) in endpoints {
        if earliest.get(&to).is_none_or(|(known, _)| at < *known) {
            earliest.insert(to, (at, id));
        }
    }
    others.extend(earliest.into_iter().map(|(to, (at, id))| (id, to, at)));
    others
}
