//! The exchange about a VBR server's license key: log in, read the license, have it updated or a key file installed, read
//! the license again, log out (api.md 2.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::answers::{ErrorAnswer, LicenseAnswer, UpdateAnswer, read};
use super::license::facts_of;
use super::reading::{accepted, answered};
use super::session::Session;
use super::trouble;
use crate::ask::{Answer, Ask, Body, Conversation, HttpAnswer, HttpAsk, Setback, Step};
use crate::domain::installation::ServerName;
use crate::domain::license::License;
use crate::sources::renewing::{Deed, Errand, Heard, Renewed, Talk};

const LICENSE_PATH: &str = "/api/v1/license";
const UPDATE_PATH: &str = "/api/v1/license/update";
const INSTALL_PATH: &str = "/api/v1/license/install";
/// Asks of one exchange, logins and logout included.
const ASKS_MAX: u32 = 40;
/// A license block is some kilobytes, and its list of workloads some megabytes.
const ANSWER_BYTES_MAX: u64 = 32 << 20;
/// The server asks its vendor in between.
const DEED_SECONDS_MAX: u32 = 300;
/// Longest words of a server that are kept.
const WORDS_CHARS_MAX: usize = 2_000;

pub fn open(errand: Errand) -> Talk {
    Box::new(RenewTalk::new(errand))
}

/// The exchange with one VBR server.
pub struct RenewTalk {
    server: ServerName,
    session: Session,
    deed: Deed,
    chapter: Chapter,
    awaiting: Awaiting,
    asks: u32,
    /// The ask under way was refused with a 401 once, and is asked again after a login.
    is_second_try: bool,
    before: Option<License>,
    heard: Option<Heard>,
    after: Option<Result<License, String>>,
    setback: Option<Setback>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chapter {
    Before,
    Deed,
    After,
    End,
}

enum Awaiting {
    Session,
    Chapter,
    Farewell,
}

impl RenewTalk {
    pub fn new(errand: Errand) -> RenewTalk {
        RenewTalk {
            session: Session::new(errand.server.clone(), errand.settings.revision.as_deref()),
            server: errand.server,
            deed: errand.deed,
            chapter: Chapter::Before,
            awaiting: Awaiting::Session,
            asks: 0,
            is_second_try: false,
            before: None,
            heard: None,
            after: None,
            setback: None,
        }
    }

    fn hear(&mut self, answer: &Answer) {
        if let Answer::Http(http) = answer {
            self.session.note_date(http);
        }
        match self.awaiting {
            Awaiting::Farewell => {}
            Awaiting::Session => {
                if let Err(setback) = self.session.hear(answer) {
                    self.give_up(setback);
                }
            }
            Awaiting::Chapter => {
                let is_refused = matches!(answer, Answer::Http(http) if http.status == 401);
                if is_refused && !self.is_second_try {
                    self.is_second_try = true;
                    self.session.lost();
                    return;
                }
                self.is_second_try = false;
                self.hear_chapter(answer);
            }
        }
    }

    fn hear_chapter(&mut self, answer: &Answer) {
        match self.chapter {
            Chapter::Before => match self.license_in(answer) {
                Ok(license) => {
                    self.before = Some(license);
                    self.chapter = Chapter::Deed;
                }
                Err(setback) => self.give_up(setback),
            },
            Chapter::Deed => {
                self.heard = Some(self.words_in(answer));
                self.chapter = Chapter::After;
            }
            Chapter::After => {
                self.after = Some(self.license_in(answer).map_err(|setback| setback.why().to_owned()));
                self.chapter = Chapter::End;
            }
            Chapter::End => {}
        }
    }

    /// Before the deed nothing happened yet; afterwards what was heard stands without the license.
    fn give_up(&mut self, setback: Setback) {
        match self.chapter {
            Chapter::Before | Chapter::Deed => self.setback = Some(setback),
            Chapter::After => self.after = Some(Err(setback.why().to_owned())),
            Chapter::End => {}
        }
        self.chapter = Chapter::End;
    }

    fn license_in(&self, answer: &Answer) -> Result<License, Setback> {
        let http = accepted(&self.server, LICENSE_PATH, answer)?;
        let license: LicenseAnswer = read(http).map_err(|why| trouble::unreadable(&self.server, LICENSE_PATH, &why))?;
        if license.status.get().is_none() {
            return Err(trouble::unreadable(&self.server, LICENSE_PATH, "the answer is no license block"));
        }
        Ok(facts_of(&license).license)
    }

    fn words_in(&self, answer: &Answer) -> Heard {
        let http = match answered(&self.server, self.deed_path(), answer) {
            Ok(http) => http,
            Err(setback) => return Heard::Lost(setback),
        };
        let is_accepted = (200..300).contains(&http.status);
        match (&self.deed, is_accepted) {
            (Deed::Install { .. }, true) => Heard::Taken,
            (Deed::Update, true) => match read::<UpdateAnswer>(http) {
                Ok(said) if said.message.get().is_some() => {
                    Heard::Words { message: kept(said.message.get()), is_successful: said.is_successful == Some(true) }
                }
                Ok(_) => Heard::Lost(trouble::unreadable(&self.server, UPDATE_PATH, "the answer holds no message")),
                Err(why) => Heard::Lost(trouble::unreadable(&self.server, UPDATE_PATH, &why)),
            },
            (Deed::Update | Deed::Install { .. }, false) => match refusal_words(http) {
                Some(message) => Heard::Words { message, is_successful: false },
                None => Heard::Lost(trouble::refused(&self.server, self.deed_path(), http)),
            },
        }
    }

    fn deed_path(&self) -> &'static str {
        match self.deed {
            Deed::Update => UPDATE_PATH,
            Deed::Install { .. } => INSTALL_PATH,
        }
    }

    fn wants(&self) -> Option<HttpAsk> {
        match (self.chapter, &self.deed) {
            (Chapter::Before | Chapter::After, _) => Some(HttpAsk::get(&self.server, LICENSE_PATH)),
            (Chapter::Deed, Deed::Update) => Some(HttpAsk::post(&self.server, UPDATE_PATH, Body::None)),
            (Chapter::Deed, Deed::Install { file }) => {
                let body = json!({"license": STANDARD.encode(file)}).to_string().into_bytes();
                Some(HttpAsk::post(&self.server, INSTALL_PATH, Body::Bytes("application/json", body)))
            }
            (Chapter::End, _) => None,
        }
    }

    fn speak(&mut self) -> Step<Renewed> {
        if self.asks >= ASKS_MAX && self.chapter != Chapter::End {
            let why = format!("{}: the license exchange did not end within {ASKS_MAX} requests", self.server);
            self.give_up(Setback::TryAgain { why });
        }
        if let Some(ask) = self.wants() {
            if let Some(login) = self.session.wants() {
                return self.ask(Awaiting::Session, login);
            }
            let seconds_max = if self.chapter == Chapter::Deed { DEED_SECONDS_MAX } else { ask.seconds_max };
            let ask = HttpAsk { bytes_max: ANSWER_BYTES_MAX, seconds_max, ..self.session.dress(ask) };
            return self.ask(Awaiting::Chapter, ask);
        }
        if let Some(farewell) = self.session.logout() {
            return self.ask(Awaiting::Farewell, farewell);
        }
        match (self.setback.take(), self.before.take(), self.heard.take(), self.after.take()) {
            (None, Some(before), Some(heard), Some(after)) => Step::Done(Renewed { heard, before, after }),
            (Some(setback), ..) => Step::Setback(setback),
            (None, ..) => {
                let why = format!("{}: the license exchange ended before its end", self.server);
                Step::Setback(Setback::TryAgain { why })
            }
        }
    }

    fn ask(&mut self, awaiting: Awaiting, ask: HttpAsk) -> Step<Renewed> {
        self.awaiting = awaiting;
        self.asks += 1;
        Step::Ask(Ask::Http(ask))
    }
}

impl Conversation for RenewTalk {
    type Done = Renewed;

    fn next(&mut self, heard: Option<Answer>) -> Step<Renewed> {
        if let Some(answer) = heard {
            self.hear(&answer);
        }
        self.speak()
    }
}

/// What a refusal says of the deed itself; a path that is not known there says nothing of it.
fn refusal_words(http: &HttpAnswer) -> Option<String> {
    let error: ErrorAnswer = read(http).ok().filter(|_| http.status != 404)?;
    error.message.get().map(|message| kept(Some(message)))
}

fn kept(words: Option<&str>) -> String {
    words.unwrap_or_default().chars().take(WORDS_CHARS_MAX).collect()
}
