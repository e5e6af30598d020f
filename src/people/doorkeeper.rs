//! The doorkeeper: who is signed in, and who tried too often. Kept in memory alone: a restart signs everybody out.

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use secrecy::SecretString;
use subtle::ConstantTimeEq;

use super::tries::{TooMany, Tries};
use crate::domain::Instant;
use crate::domain::people::{Person, Role};
use crate::seal::digest::sha256;

/// Sessions at once of one person, and of all; beyond, the one unused for longest ends.
pub const SESSIONS_OF_ONE_MAX: usize = 32;
pub const SESSIONS_MAX: usize = 2_000;
/// Longest line that is kept for the next page.
const SAID_SIGNS_MAX: usize = 2_000;

/// How long people stay signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Without a request.
    pub idle: TimeDelta,
    /// After sign-in, whatever is requested.
    pub longest: TimeDelta,
}

/// What a person gets at sign-in.
#[derive(Clone)]
pub struct Opened {
    /// The value of the session's cookie.
    pub cookie: SecretString,
    /// What every form of the session carries.
    pub csrf: String,
}

/// By what somebody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// A user of ours by his password, under the lock that he had then; his role is the agent's to say.
    Lock(u64),
    /// Somebody for whom a provider vouches, with this role.
    Provider(Role),
}

/// A session that holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub name: String,
    pub under: Under,
    pub csrf: String,
    pub since: Instant,
    /// When it ends unless something is requested before.
    pub ends_at: Instant,
}

/// A session as its person is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    pub since: Instant,
    /// The newest request.
    pub used_at: Instant,
    /// When it ends unless something is requested before.
    pub ends_at: Instant,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

struct Held {
    name: String,
    under: Under,
    csrf: String,
    since: Instant,
    touched_at: Instant,
    said: Option<String>,
}

/// By the cookie's SHA-256: finding a session takes no time that tells of other cookies.
type Sessions = BTreeMap<[u8; 32], Held>;

/// Signs people in and out; shared by all requests.
pub struct Doorkeeper {
    rules: Mutex<SessionRules>,
    sessions: Mutex<Sessions>,
    tries: Mutex<Tries>,
    /// Of tokens, whose failures keep nobody from signing in.
    tokens: Mutex<Tries>,
}

impl Doorkeeper {
    pub fn new(rules: SessionRules) -> Doorkeeper {
        Doorkeeper {
            rules: Mutex::new(rules),
            sessions: Mutex::default(),
            tries: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    /// Other rules hold from now on, for open sessions too.
    pub fn obey(&self, rules: SessionRules) {
        *held(&self.rules) = rules;
    }

    fn rules(&self) -> SessionRules {
        *held(&self.rules)
    }

    /// Whether a password is looked at. Asked before each try.
    ///
    /// # Errors
    /// [`TooMany`] says from when on it may be tried again.
    pub fn may_try(&self, name: &str, from: IpAddr, now: Instant) -> Result<(), TooMany> {
        held(&self.tries).may_try(name, from, now)
    }

    /// Notes a failed try.
    pub fn failed(&self, name: &str, from: IpAddr, now: Instant) {
        held(&self.tries).failed(name, from, now);
    }

    /// Takes back the newest [`Doorkeeper::failed`]: the password was right.
    pub fn passed(&self, name: &str, from: IpAddr) {
        held(&self.tries).passed(name, from);
    }

    /// Notes a token that does not work. One that works is never asked about here: failures of others behind the same
    /// address do not shut it out.
    ///
    /// # Errors
    /// [`TooMany`] when too many did not work already; this one is not counted then.
    pub fn failed_token(&self, name: &str, from: IpAddr, now: Instant) -> Result<(), TooMany> {
        let mut tokens = held(&self.tokens);
        tokens.may_try(name, from, now)?;
        tokens.failed(name, from, now);
        Ok(())
    }

    /// Names and addresses whose failures are remembered.
    pub fn remembered(&self) -> usize {
        held(&self.tries).len()
    }

    /// Opens a session with a cookie of its own, made of the random bytes; one that the browser brought is never kept.
    /// It is opened under the user's lock of this moment.
    pub fn opened(&self, name: &str, lock: u64, bytes: [u8; 64], now: Instant) -> Opened {
        self.open(name, Under::Lock(lock), bytes, now)
    }

    /// The same for somebody for whom a provider vouches, with the role of this moment until the session ends.
    pub fn opened_for(&self, guest: &Person, bytes: [u8; 64], now: Instant) -> Opened {
        self.open(&guest.name, Under::Provider(guest.role), bytes, now)
    }

    fn open(&self, name: &str, under: Under, bytes: [u8; 64], now: Instant) -> Opened {
        held(&self.tries).forgive(name);
        let (cookie, csrf) = bytes.split_at(32);
        let (cookie, csrf) = (URL_SAFE_NO_PAD.encode(cookie), URL_SAFE_NO_PAD.encode(csrf));
        let mut sessions = held(&self.sessions);
        sessions.retain(|_, session| now < self.rules().end_of(session));
        let of_one = sessions.values().filter(|session| session.name == name).count();
        if SESSIONS_OF_ONE_MAX <= of_one {
            end_unused(&mut sessions, |session| session.name == name);
        } else if SESSIONS_MAX <= sessions.len() {
            end_unused(&mut sessions, |_| true);
        }
        let session =
            Held { name: name.to_owned(), under, csrf: csrf.clone(), since: now, touched_at: now, said: None };
        sessions.insert(sha256(cookie.as_bytes()), session);
        Opened { cookie: SecretString::from(cookie), csrf }
    }

    /// The session of a cookie, if it holds; being asked for keeps it from falling idle.
    pub fn session(&self, cookie: &str, now: Instant) -> Option<Session> {
        let key = sha256(cookie.as_bytes());
        let mut sessions = held(&self.sessions);
        let session = sessions.get_mut(&key)?;
        if self.rules().end_of(session) <= now {
            sessions.remove(&key);
            return None;
        }
        // A clock that went back never shortens a session that was asked for.
        session.touched_at = session.touched_at.max(now);
        let ends_at = self.rules().end_of(session);
        let (name, csrf) = (session.name.clone(), session.csrf.clone());
        Some(Session { name, under: session.under, csrf, since: session.since, ends_at })
    }

    /// Ends one session.
    pub fn close(&self, cookie: &str) {
        held(&self.sessions).remove(&sha256(cookie.as_bytes()));
    }

    /// Ends every session of a person: after another password, another role, or when he was disabled.
    pub fn close_all_of(&self, name: &str) {
        held(&self.sessions).retain(|_, session| session.name != name);
    }

    /// Ends every session of people for whom a provider vouched: after another word on whom it lets in.
    pub fn close_all_by_provider(&self) {
        held(&self.sessions).retain(|_, session| matches!(session.under, Under::Lock(_)));
    }

    /// A person's sessions, the one that was used last first; `csrf` tells which of them asks.
    pub fn sessions_of(&self, name: &str, csrf: &str, now: Instant) -> Vec<OwnSession> {
        let sessions = held(&self.sessions);
        let own = sessions.values().filter(|session| session.name == name && now < self.rules().end_of(session));
        let shown = own.map(|session| OwnSession {
            since: session.since,
            used_at: session.touched_at,
            ends_at: self.rules().end_of(session),
            is_this: session.csrf == csrf,
        });
        let mut shown: Vec<OwnSession> = shown.collect();
        shown.sort_by_key(|session| std::cmp::Reverse((session.is_this, session.used_at, session.since)));
        shown
    }

    /// Ends a person's sessions but the one that asks: after another password, or when he wants it.
    pub fn close_others(&self, name: &str, csrf: &str) {
        held(&self.sessions).retain(|_, session| session.name != name || session.csrf == csrf);
    }

    /// Keeps the session in which its person chose another password, and with it this lock.
    pub fn keep_under(&self, lock: u64, name: &str, csrf: &str) {
        let mut sessions = held(&self.sessions);
        for session in sessions.values_mut().filter(|session| session.name == name && session.csrf == csrf) {
            session.under = Under::Lock(lock);
        }
    }

    /// Keeps one line for the session's next page; the newest counts.
    pub fn say(&self, cookie: &str, text: &str) {
        if let Some(session) = held(&self.sessions).get_mut(&sha256(cookie.as_bytes())) {
            session.said = Some(text.chars().take(SAID_SIGNS_MAX).collect());
        }
    }

    /// Takes the line that was kept.
    pub fn take_said(&self, cookie: &str) -> Option<String> {
        held(&self.sessions).get_mut(&sha256(cookie.as_bytes()))?.said.take()
    }
}

impl Session {
    /// Whether a form was drawn for this session; takes the same time for every wrong value of a length.
    pub fn csrf_fits(&self, given: &str) -> bool {
        self.csrf.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl SessionRules {
    fn end_of(&self, session: &Held) -> Instant {
        (session.touched_at + self.idle).min(session.since + self.longest)
    }
}

fn end_unused(sessions: &mut Sessions, may_end: impl Fn(&Held) -> bool) {
    let candidates = sessions.iter().filter(|(_, session)| may_end(session));
    let unused = candidates.min_by_key(|(_, session)| session.touched_at).map(|(key, _)| *key);
    unused.map(|key| sessions.remove(&key));
}

/// A request that panicked leaves sessions whole: each change is one step.
fn held<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
