//! Queueing news with their cause, and telling each recipient once.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::channels::{Telling, mail};
use crate::domain::notice::{News, Notice};
use crate::domain::report::message_id;
use crate::rules::schedule::Duty;
use crate::store::fact::{Fact, SetbackRow, key};

use super::run::Letter;
use super::{Agent, Hour, Work};

/// Pauses between tries of one letter; the last one repeats.
const PAUSES: [TimeDelta; 5] =
    [TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::minutes(30), TimeDelta::hours(2), TimeDelta::hours(6)];
/// After so many tries a letter is given up, which is recorded.
const TRIES_MAX: u32 = 40;

impl Agent {
    /// The fact that queues a piece of news, unless it was queued before. `about` tells repeats from news.
    pub(super) fn news(&self, unit: Option<&str>, about: &str, news: News, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let subject = unit.map_or_else(|| self.identity.agent.to_string(), str::to_owned);
        let id = message_id(&subject, news.event(), about, 0);
        if self.store.row::<Notice>(&key::notice(&id))?.is_some() {
            return Ok(Vec::new());
        }
        let notice = Notice { id: id.clone(), unit: unit.map(str::to_owned), at: hour.now, news };
        let mut facts = vec![Fact::NoticeQueued { notice }];
        if self.recipients().is_empty() {
            facts.push(Fact::NoticeSettled { id });
        }
        Ok(facts)
    }

    /// News that some recipient was not told: notice, recipient, hour of the next try.
    pub(super) fn untold(&self) -> Result<Vec<(String, String, crate::domain::Instant)>, Trouble> {
        let mut untold = Vec::new();
        for (pending, _) in self.store.rows::<bool>("pending/")? {
            let id = pending.trim_start_matches("pending/");
            let queued_at = self.store.row::<Notice>(&key::notice(id))?.map(|notice| notice.at);
            for to in self.deaf(id)? {
                let retry = self.store.row::<SetbackRow>(&key::setback(&tell(id, &to).key()))?;
                let at = retry.map(|setback| setback.next_try_at).or(queued_at);
                untold.push((id.to_owned(), to, at.unwrap_or(crate::domain::Instant::MIN_UTC)));
            }
        }
        Ok(untold)
    }

    fn recipients(&self) -> &[String] {
        self.settings.mail.as_ref().map_or(&[], |mail| &mail.to)
    }

    /// The recipients that a piece of news has not reached.
    fn deaf(&self, id: &str) -> Result<Vec<String>, Trouble> {
        let mut deaf = Vec::new();
        for to in self.recipients() {
            if self.store.row::<serde_json::Value>(&key::told(id, to))?.is_none() {
                deaf.push(to.clone());
            }
        }
        Ok(deaf)
    }

    /// The facts after a recipient heard or was given up: with the last one the news is settled.
    fn settled(&self, id: &str, to: &str, done: Fact) -> Result<Vec<Fact>, Trouble> {
        let mut facts = vec![done, Fact::SetbackOver { about: tell(id, to).key() }];
        if self.deaf(id)?.iter().all(|deaf| deaf == to) {
            facts.push(Fact::NoticeSettled { id: id.to_owned() });
        }
        Ok(facts)
    }

    pub(super) fn begin_tell(&mut self, id: &str, to: &str, hour: Hour) -> Result<Work, Trouble> {
        let (Some(notice), Some(mail)) = (self.store.row::<Notice>(&key::notice(id))?, &self.settings.mail) else {
            return Ok(Work::Over);
        };
        let attachments = self.attachments(&notice)?;
        let about = self.subject_of(&notice)?;
        let telling = Telling {
            from: &mail.from,
            to: &mail.to,
            about: &about,
            files_at: &self.settings.reports_dir.display().to_string(),
            attachments: &attachments,
            time_zone: self.settings.time_zone,
        };
        match mail::mail(&notice, &telling, to) {
            Ok(letter) => Ok(Work::Talk(Box::new(Letter(Some(letter))))),
            Err(not_an_address) => {
                let setback = Setback::AskAPerson { why: not_an_address.to_string() };
                self.not_told(id, to, &setback, hour).map(|()| Work::Over)
            }
        }
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
        let delivered = Fact::NoticeDelivered { id: id.to_owned(), to: to.to_owned(), at: hour.now, words };
        let facts = self.settled(id, to, delivered)?;
        self.record(hour, "duty", facts)
    }

    pub(super) fn not_told(&mut self, id: &str, to: &str, setback: &Setback, hour: Hour) -> Result<(), Trouble> {
        let about = tell(id, to).key();
        let tries = self.store.row::<SetbackRow>(&key::setback(&about))?.map_or(1, |before| before.tries + 1);
        let for_good = matches!(setback, Setback::AskAPerson { .. });
        if for_good || tries >= TRIES_MAX {
            let why = setback.why().to_owned();
            let dropped = Fact::NoticeDropped { id: id.to_owned(), to: to.to_owned(), at: hour.now, why };
            let facts = self.settled(id, to, dropped)?;
            return self.record(hour, "duty", facts);
        }
        let pause = PAUSES[(tries as usize - 1).min(PAUSES.len() - 1)];
        self.set_back(&tell(id, to), setback, pause, hour)
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

fn tell(notice: &str, to: &str) -> Duty {
    Duty::Tell { notice: notice.to_owned(), to: to.to_owned() }
}
