//! The exchange with a console: let in, ask for one path after another, wait for what it queues, try again what passes.

use uuid::Uuid;

use super::answers::{ActionRow, Envelope, read};
use super::session::{Rights, Session};
use super::trouble::{self, Nature};
use crate::ask::{Answer, Ask, Conversation, HttpAnswer, HttpAsk, Method, Setback, Step};
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::domain::report::ID_NAMESPACE;
use crate::sources::Brief;
use crate::sources::reply::date_of;

/// Asks of one conversation, logins included.
pub const ASKS_MAX: u32 = 5_000;
/// Looks at one queued action before giving up for this time.
const LOOKS_MAX: u32 = 40;
/// Seconds between two looks, and before a request that failed is sent again.
const PAUSE_SECONDS: u32 = 3;
/// Tries of one request that fails in passing.
const TRIES_MAX: u32 = 3;

/// What is read over an exchange: it wants one path after another.
pub trait Reading: Send {
    type Done;
    /// What the login is to allow.
    const RIGHTS: Rights = Rights::Read;
    /// The next path with its query; `None` when everything is read.
    fn wants(&self) -> Option<String>;
    /// Hears a 200 to it; `path` is for the words of a setback.
    fn hear(&mut self, path: &str, answer: &HttpAnswer) -> Result<(), Setback>;
    /// The id of the deed when what it wants next is one: it is posted without a body. `None`: it is read.
    fn deed(&self) -> Option<Uuid> {
        None
    }
    /// Whether it goes on although its request was refused.
    fn has_other_way(&mut self, _refused: &HttpAnswer) -> bool {
        false
    }
    /// What was read.
    fn done(&mut self, met: Met) -> Self::Done;
}

/// What the exchange learned beside the reading.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    pub revision: &'static str,
    /// The console's clock at its first answer.
    pub server_time: Option<Instant>,
}

/// The conversation with one console.
pub struct VspcTalk<R> {
    server: String,
    begun_at: Instant,
    session: Session,
    reading: R,
    awaiting: Awaiting,
    /// The path of the reading's request under way, without its query.
    path: String,
    asks: u32,
    tries: u32,
    looks: u32,
    /// The request under way was refused with a 401 once, and is asked again after a login.
    is_second_login: bool,
    pause_seconds: u32,
    /// The id of the request under way; a console that queues it names the action so.
    request_id: Uuid,
    server_time: Option<Instant>,
}

#[derive(Clone, PartialEq, Eq)]
enum Awaiting {
    Session,
    Reading,
    /// Whether the queued action of this id has ended.
    Action(String),
    /// What it gave.
    ActionResult(String),
}

impl<R: Reading> VspcTalk<R> {
    pub fn new(brief: &Brief, reading: R) -> VspcTalk<R> {
        let settings = &brief.settings;
        VspcTalk {
            server: brief.server.clone(),
            begun_at: brief.now,
            session: Session::new(brief.server.clone(), settings.signs_in, R::RIGHTS, settings.revision.as_deref()),
            reading,
            awaiting: Awaiting::Reading,
            path: String::new(),
            asks: 0,
            tries: 0,
            looks: 0,
            is_second_login: false,
            pause_seconds: 0,
            request_id: Uuid::nil(),
            server_time: None,
        }
    }

    fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        if self.awaiting == Awaiting::Session {
            self.awaiting = Awaiting::Reading;
            return self.session.hear(answer);
        }
        let Answer::Http(http) = answer else { return Err(trouble::failed(&self.server, &self.path, answer)) };
        self.server_time = self.server_time.or_else(|| date_of(http));
        match http.status {
            401 if !std::mem::replace(&mut self.is_second_login, true) && self.session.lost() => Ok(()),
            400 if self.session.steps_down(http) => Ok(()),
            520 if trouble::nature(http) == Nature::Passing && self.tries + 1 < TRIES_MAX => {
                self.tries += 1;
                self.pause_seconds = PAUSE_SECONDS;
                Ok(())
            }
            400..=499 if self.awaiting == Awaiting::Reading && self.reading.has_other_way(http) => Ok(()),
            200 => self.hear_good(http),
            202 => self.hear_queued(http),
            _ => Err(trouble::refused(&self.server, &self.path, http)),
        }
    }

    fn hear_good(&mut self, http: &HttpAnswer) -> Result<(), Setback> {
        (self.tries, self.is_second_login) = (0, false);
        match std::mem::replace(&mut self.awaiting, Awaiting::Reading) {
            Awaiting::Action(id) => self.hear_action(id, http),
            Awaiting::Reading | Awaiting::ActionResult(_) | Awaiting::Session => {
                self.looks = 0;
                self.reading.hear(&self.path, http)
            }
        }
    }

    /// The console does it later; `Location` names the action, or our own request id does.
    fn hear_queued(&mut self, http: &HttpAnswer) -> Result<(), Setback> {
        let named = http.header("location").and_then(|location| location.trim_end_matches('/').rsplit('/').next());
        let id = named.and_then(|id| Uuid::parse_str(id).ok()).unwrap_or(self.request_id);
        self.look_later(id.to_string())
    }

    fn hear_action(&mut self, id: String, http: &HttpAnswer) -> Result<(), Setback> {
        let answer: Envelope<ActionRow> =
            read(http).map_err(|why| trouble::unreadable(&self.server, &self.path, &why))?;
        match answer.rows().first().and_then(|action| action.status.get()) {
            Some("succeed") => {
                self.awaiting = Awaiting::ActionResult(id);
                Ok(())
            }
            Some(ended @ ("failed" | "canceled")) => {
                let why = format!("{} {}: the console queued it, and it {ended}", self.server, self.path);
                Err(Setback::TryAgain { why: why.replace("it canceled", "it was canceled") })
            }
            Some(_) | None => self.look_later(id),
        }
    }

    fn look_later(&mut self, id: String) -> Result<(), Setback> {
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            let why = format!(
                "{} {}: the console queued it, and it has not ended after {} s",
                self.server,
                self.path,
                LOOKS_MAX * PAUSE_SECONDS
            );
            return Err(Setback::TryAgain { why });
        }
        self.pause_seconds = PAUSE_SECONDS;
        self.awaiting = Awaiting::Action(id);
        Ok(())
    }

    fn speak(&mut self) -> Step<R::Done> {
        if self.asks >= ASKS_MAX {
            let why = format!("{}: not read to the end within {ASKS_MAX} requests", self.server);
            return Step::Setback(Setback::TryAgain { why });
        }
        let path = match &self.awaiting {
            Awaiting::Action(id) => format!("/api/v3/asyncActions/{id}"),
            Awaiting::ActionResult(id) => format!("/api/v3/asyncActions/{id}/result"),
            Awaiting::Reading | Awaiting::Session => match self.reading.wants() {
                Some(path) => {
                    self.path = path.split('?').next().unwrap_or_default().to_owned();
                    path
                }
                None => {
                    let met = Met { revision: self.session.revision(), server_time: self.server_time };
                    return Step::Done(self.reading.done(met));
                }
            },
        };
        self.asks += 1;
        if let Some(login) = self.session.wants() {
            // What was queued is asked for again from the start after a login.
            self.awaiting = Awaiting::Session;
            return Step::Ask(Ask::Http(login));
        }
        let mut ask = HttpAsk::get(&self.server, path);
        if self.awaiting == Awaiting::Reading {
            let seed = format!("{}/{}/{}", self.server, rfc3339(self.begun_at), self.asks);
            let deed = self.reading.deed();
            self.request_id = deed.unwrap_or_else(|| Uuid::new_v5(&ID_NAMESPACE, seed.as_bytes()));
            ask.method = if deed.is_some() { Method::Post } else { Method::Get };
            ask.headers.push(("x-request-id".to_owned(), self.request_id.to_string()));
        }
        ask.pause_seconds = std::mem::take(&mut self.pause_seconds);
        Step::Ask(Ask::Http(self.session.dress(ask)))
    }
}

impl<R: Reading> Conversation for VspcTalk<R> {
    type Done = R::Done;

    fn next(&mut self, heard: Option<Answer>) -> Step<R::Done> {
        match heard.map(|answer| self.hear(&answer)) {
            Some(Err(setback)) => Step::Setback(setback),
            Some(Ok(())) | None => self.speak(),
        }
    }
}
