//! Queueing news with their cause, and telling each recipient once.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::channels::{Telling, channel_of, webhook};
use crate::domain::Instant;
use crate::domain::notice::{News, Notice};
use crate::domain::report::message_id;
use crate::rules::schedule::Duty;
use crate::store::fact::{Fact, SetbackRow, key};

use super::run::Message;
use super::{Agent, Hour, Work};

/// Pauses between tries of one letter; the last one repeats.
const PAUSES: [TimeDelta; 5] =
    [TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::minutes(30), TimeDelta::hours(2), TimeDelta::hours(6)];

/// What letters to a recipient that was refused for good are called in setbacks.
pub(in crate::agent) const REFUSED: &str = "letters to ";

/// A piece of news that a recipient was not told.
pub(super) struct Untold {
    notice: String,
    to: String,
    queued_at: Instant,
    retry_at: Option<Instant>,
    /// Until when its recipient wants nothing.
    slow_until: Option<Instant>,
}

impl Untold {
    fn due_at(&self, now: Instant) -> Instant {
        let at = self.retry_at.unwrap_or(self.queued_at.min(now));
        self.slow_until.map_or(at, |slow_until| at.max(slow_until))
    }
}

impl Agent {
    /// The fact that queues a piece of news, unless it was queued before. `about` tells repeats from news.
    pub(super) fn news(&self, unit: Option<&str>, about: &str, news: News, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let id = self.notice_id(unit, about, &news);
        if self.store.row::<Notice>(&key::notice(&id))?.is_some() {
            return Ok(Vec::new());
        }
        let nobody = self.recipients(news.event())?.is_empty();
        let notice = Notice { id: id.clone(), unit: unit.map(str::to_owned), at: hour.now, news };
        let mut facts = vec![Fact::NoticeQueued { notice }];
        if nobody {
            facts.push(Fact::NoticeSettled { id });
        }
        Ok(facts)
    }

    /// The id of a piece of news, the same each time it is made.
    pub(super) fn notice_id(&self, unit: Option<&str>, about: &str, news: &News) -> String {
        let subject = unit.map_or_else(|| self.identity.agent.to_string(), str::to_owned);
        message_id(&subject, news.event(), about, 0)
    }

    /// News that some recipient was not told, in the order in which it happened: notice, recipient, hour of the next try.
    /// What was queued by a clock that was ahead is due now.
    pub(super) fn untold(&self, now: Instant) -> Result<Vec<(String, String, Instant)>, Trouble> {
        let gather = || Ok((Some(()), Arc::new(self.untold_of_rows()?)));
        let untold = self.kept.untold.get(&self.store, (), |()| true, gather)?;
        Ok(untold.iter().map(|untold| (untold.notice.clone(), untold.to.clone(), untold.due_at(now))).collect())
    }

    fn untold_of_rows(&self) -> Result<Vec<Untold>, Trouble> {
        let mut untold = Vec::new();
        for notice in self.pending()? {
            for to in self.deaf(&notice)? {
                let retry = self.store.row::<SetbackRow>(&key::setback(&tell(&notice.id, &to).key()))?;
                let retry_at = retry.map(|setback| setback.next_try_at);
                let slow_until = self.slow_until(&to)?;
                untold.push(Untold { notice: notice.id.clone(), to, queued_at: notice.at, retry_at, slow_until });
            }
        }
        Ok(untold)
    }

    /// News that is not settled, in the order in which it happened.
    fn pending(&self) -> Result<Vec<Notice>, Trouble> {
        let mut pending = Vec::new();
        for (row, _) in self.store.rows::<bool>("pending/")? {
            pending.extend(self.store.row::<Notice>(&key::notice(row.trim_start_matches("pending/")))?);
        }
        pending.sort_by_key(|notice| notice.at);
        Ok(pending)
    }

    /// Settles news that waits only for recipients which the settings do not name any more.
    pub(super) fn settled_for_nobody(&self) -> Result<Vec<Fact>, Trouble> {
        let mut facts = Vec::new();
        for notice in self.pending()? {
            if self.deaf(&notice)?.is_empty() {
                facts.push(Fact::NoticeSettled { id: notice.id });
            }
        }
        Ok(facts)
    }

    /// The recipients that a piece of news has not reached.
    pub(super) fn deaf(&self, notice: &Notice) -> Result<Vec<String>, Trouble> {
        let mut deaf = Vec::new();
        for to in self.recipients(notice.news.event())? {
            if self.store.row::<serde_json::Value>(&key::told(&notice.id, &to))?.is_none() {
                deaf.push(to);
            }
        }
        Ok(deaf)
    }

    /// The facts after a recipient heard or was given up: with the last one the news is settled.
    pub(super) fn settled(&self, id: &str, to: &str, done: Fact) -> Result<Vec<Fact>, Trouble> {
        let mut facts = vec![done, Fact::SetbackOver { about: tell(id, to).key() }];
        let deaf = match self.store.row::<Notice>(&key::notice(id))? {
            Some(notice) => self.deaf(&notice)?,
            None => Vec::new(),
        };
        if deaf.iter().all(|deaf| deaf == to) {
            facts.push(Fact::NoticeSettled { id: id.to_owned() });
        }
        Ok(facts)
    }

    pub(super) fn begin_tell(&mut self, id: &str, to: &str, hour: Hour) -> Result<Work, Trouble> {
        let Some(notice) = self.store.row::<Notice>(&key::notice(id))? else { return Ok(Work::Over) };
        let is_thin = webhook::name_of(to).is_some();
        let attachments = if is_thin { Vec::new() } else { self.attachments(&notice)? };
        let about = self.subject_of(&notice)?;
        let telling = Telling {
            from: self.settings.mail.as_ref().map_or("", |mail| &mail.from),
            to: &[to.to_owned()],
            about: &about,
            files_at: &self.settings.reports_dir.display().to_string(),
            attachments: &attachments,
            time_zone: self.settings.time_zone,
            attached_bytes_max: self.settings.mail.as_ref().map_or(0, |mail| mail.attach_bytes_max),
        };
        let channel = channel_of(to);
        let why = match (channel.asks)(&notice, &telling).pop() {
            Some(Ok(ask)) => return Ok(Work::Talk(Box::new(Message { ask: Some(ask), channel: channel.name }))),
            Some(Err(not_an_address)) => not_an_address.to_string(),
            None => format!("{to} is nobody's name; correct the settings"),
        };
        self.not_told(id, to, &Setback::AskAPerson { why }, hour).map(|()| Work::Over)
    }

    /// The license and the servers that a notice is about.
    fn subject_of(&self, notice: &Notice) -> Result<String, Trouble> {
        let unit = match &notice.unit {
            Some(unit) => self.unit(unit)?,
            None => None,
        };
        Ok(unit.map_or_else(String::new, |unit| match &unit.license_id {
            Some(license) => format!("license {license} ({})", unit.servers.join(", ")),
            None => unit.servers.join(", "),
        }))
    }

    pub(super) fn told(&mut self, id: &str, to: &str, words: String, hour: Hour) -> Result<(), Trouble> {
        self.told_with(id, to, words, Vec::new(), hour)
    }

    /// The same with what else came of it.
    pub(super) fn told_with(
        &mut self,
        id: &str,
        to: &str,
        words: String,
        mut facts: Vec<Fact>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let delivered = Fact::NoticeDelivered { id: id.to_owned(), to: to.to_owned(), at: hour.now, words };
        facts.extend(self.settled(id, to, delivered)?);
        let refused = refused(to);
        if self.store.row::<SetbackRow>(&key::setback(&refused))?.is_some() {
            facts.push(Fact::SetbackOver { about: refused });
        }
        self.record(hour, "duty", facts)
    }

    /// A letter is tried until it is taken or refused for good; a refusal stands in `status` until a later letter to the
    /// same recipient is taken.
    pub(super) fn not_told(&mut self, id: &str, to: &str, setback: &Setback, hour: Hour) -> Result<(), Trouble> {
        if webhook::name_of(to).is_some() {
            return self.hook_not_taken(id, to, setback.why(), None, hour);
        }
        match setback {
            Setback::AskAPerson { why } => {
                let dropped =
                    Fact::NoticeDropped { id: id.to_owned(), to: to.to_owned(), at: hour.now, why: why.clone() };
                let mut facts = self.settled(id, to, dropped)?;
                let setback =
                    SetbackRow { at: hour.now, why: why.clone(), tries: 1, next_try_at: hour.now, needs_person: true };
                facts.push(Fact::Setback { about: refused(to), setback });
                self.record(hour, "duty", facts)
            }
            Setback::TryAgain { .. } => {
                let about = tell(id, to).key();
                let tries = self.store.row::<SetbackRow>(&key::setback(&about))?.map_or(0, |before| before.tries);
                let pause = PAUSES[(tries as usize).min(PAUSES.len() - 1)];
                self.set_back(&tell(id, to), setback, pause, hour)
            }
        }
    }

    /// Records a setback of a duty and when it is tried again.
    pub(super) fn set_back(
        &mut self,
        duty: &Duty,
        setback: &Setback,
        pause: TimeDelta,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let about = duty.key();
        let tries = self.store.row::<SetbackRow>(&key::setback(&about))?.map_or(1, |before| before.tries + 1);
        let row = SetbackRow {
            at: hour.now,
            why: setback.why().to_owned(),
            tries,
            next_try_at: hour.now + pause,
            needs_person: matches!(setback, Setback::AskAPerson { .. }),
        };
        self.record(hour, "duty", vec![Fact::Setback { about, setback: row }])
    }
}

/// What the refusal of a recipient is recorded under.
pub(super) fn refused(to: &str) -> String {
    format!("{REFUSED}{to}")
}

pub(in crate::agent) fn tell(notice: &str, to: &str) -> Duty {
    Duty::Tell { notice: notice.to_owned(), to: to.to_owned() }
}
