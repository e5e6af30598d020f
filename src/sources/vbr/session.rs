//! The login at a VBR server: revision, token, refresh, logout. The token lives only in here.

use chrono::TimeDelta;
use secrecy::SecretString;

use super::answers::{TokenAnswer, read, refusal};
use super::revision::{LOWEST, REVISIONS, newest_served_by, position_of};
use super::trouble;
use crate::ask::{Answer, Body, Failure, FormValue, HttpAnswer, HttpAsk, Setback};
use crate::domain::Instant;
use crate::domain::installation::ServerName;
use crate::sources::reply::date_of;

const TOKEN_PATH: &str = "/api/oauth2/token";
const LOGOUT_PATH: &str = "/api/oauth2/logout";
/// A served revision's document is megabytes; a longer answer than this already says that it is there.
const PROBE_BYTES_MAX: u64 = 64 << 10;
/// A token is refreshed this long before it expires.
const REFRESH_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Logins by password in one conversation.
const LOGINS_MAX: u32 = 8;
/// Refreshes in one conversation; after them a token is used until it is refused.
const REFRESHES_MAX: u32 = 200;
/// The logout holds nobody up.
const LOGOUT_SECONDS_MAX: u32 = 10;

pub struct Session {
    server: ServerName,
    /// Position in [`REVISIONS`].
    revision: usize,
    /// True until the server's build has confirmed a revision that no document did.
    is_revision_guessed: bool,
    /// `Password` in place of `password`, for servers that take only what the newer documents say.
    is_grant_capitalised: bool,
    doing: Doing,
    token: Option<Token>,
    /// The newest `Date` of the server.
    heard_at: Option<Instant>,
    logins: u32,
    refreshes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Asking whether the revision at this position is served.
    Probing(usize),
    LoggingIn,
    Refreshing,
    Open,
}

struct Token {
    access: SecretString,
    refresh: Option<SecretString>,
    /// By the server's `Date`; `None` when it tells no time or no span: then a 401 tells.
    refresh_due_at: Option<Instant>,
}

impl Session {
    /// Begins with the remembered revision, or finds out.
    pub fn new(server: ServerName, remembered: Option<&str>) -> Session {
        let known = remembered.and_then(position_of);
        Session {
            server,
            revision: known.unwrap_or(LOWEST),
            is_revision_guessed: false,
            is_grant_capitalised: false,
            doing: known.map_or(Doing::Probing(0), |_| Doing::LoggingIn),
            token: None,
            heard_at: None,
            logins: 0,
            refreshes: 0,
        }
    }

    /// The revision in use.
    pub fn revision(&self) -> &'static str {
        REVISIONS[self.revision].name
    }

    /// What must be asked before anything else may be.
    pub fn wants(&mut self) -> Option<HttpAsk> {
        if self.doing == Doing::Open && self.is_refresh_due() {
            self.doing = Doing::Refreshing;
        }
        match self.doing {
            Doing::Open => None,
            Doing::Probing(position) => {
                let path = format!("/swagger/v{}/swagger.json", REVISIONS[position].name);
                Some(HttpAsk { bytes_max: PROBE_BYTES_MAX, ..HttpAsk::get(&self.server, path) })
            }
            Doing::LoggingIn => {
                let grant = if self.is_grant_capitalised { "Password" } else { "password" };
                let form = vec![
                    ("grant_type", FormValue::Text(grant.to_owned())),
                    ("username", FormValue::PeerUsername),
                    ("password", FormValue::PeerPassword),
                ];
                Some(self.dressed(HttpAsk::post(&self.server, TOKEN_PATH, Body::Form(form))))
            }
            Doing::Refreshing => {
                let grant = if self.is_grant_capitalised { "Refresh_token" } else { "refresh_token" };
                let refresh = self.token.as_mut().and_then(|token| token.refresh.take()).unwrap_or_default();
                let form = vec![
                    ("grant_type", FormValue::Text(grant.to_owned())),
                    ("refresh_token", FormValue::Secret(refresh)),
                ];
                Some(self.dressed(HttpAsk::post(&self.server, TOKEN_PATH, Body::Form(form))))
            }
        }
    }

    /// Hears the answer to what the session wanted.
    pub fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        match self.doing {
            Doing::Probing(position) => self.hear_probe(position, answer),
            Doing::LoggingIn => self.hear_login(answer),
            Doing::Refreshing => {
                self.refreshes += 1;
                match answer {
                    Answer::Http(http) if http.status == 200 && self.keep_token(http).is_ok() => {}
                    Answer::Http(_) | Answer::Failed(_) | Answer::Mail(_) | Answer::Folder(_) => {
                        self.token = None;
                        self.doing = Doing::LoggingIn;
                    }
                }
                Ok(())
            }
            Doing::Open => Ok(()),
        }
    }

    /// The ask with the token and the revision on it.
    pub fn dress(&self, ask: HttpAsk) -> HttpAsk {
        HttpAsk { bearer: self.token.as_ref().map(|token| token.access.clone()), ..self.dressed(ask) }
    }

    /// The server refused the token: the next want is a login.
    pub fn lost(&mut self) {
        self.token = None;
        self.doing = Doing::LoggingIn;
    }

    /// The server told its build: a guessed revision becomes the newest that the build serves.
    pub fn settle(&mut self, build: &str) {
        if std::mem::take(&mut self.is_revision_guessed) {
            self.revision = newest_served_by(build);
        }
    }

    pub fn note_date(&mut self, answer: &HttpAnswer) {
        self.heard_at = date_of(answer).or(self.heard_at);
    }

    /// The farewell, while a token is held.
    pub fn logout(&mut self) -> Option<HttpAsk> {
        self.token.as_ref()?;
        let ask = self.dress(HttpAsk::post(&self.server, LOGOUT_PATH, Body::None));
        self.token = None;
        Some(HttpAsk { seconds_max: LOGOUT_SECONDS_MAX, ..ask })
    }

    fn dressed(&self, ask: HttpAsk) -> HttpAsk {
        let headers = vec![
            ("x-api-version".to_owned(), self.revision().to_owned()),
            // The report comes as application/octet-stream in the official document.
            ("accept".to_owned(), "application/json, */*;q=0.8".to_owned()),
        ];
        HttpAsk { headers, ..ask }
    }

    fn is_refresh_due(&self) -> bool {
        let due_at = self.token.as_ref().filter(|token| token.refresh.is_some()).and_then(|token| token.refresh_due_at);
        let is_due = matches!((self.heard_at, due_at), (Some(heard), Some(due)) if heard >= due);
        is_due && self.refreshes < REFRESHES_MAX
    }

    fn hear_probe(&mut self, position: usize, answer: &Answer) -> Result<(), Setback> {
        let is_served = match answer {
            Answer::Http(http) => {
                http.status == 200 && http.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
            }
            Answer::Failed(Failure::TooLarge { .. }) => true,
            Answer::Failed(_) | Answer::Mail(_) | Answer::Folder(_) => {
                return Err(trouble::failed(&self.server, "/swagger", answer));
            }
        };
        let is_last = position == LOWEST;
        if is_served || is_last {
            self.revision = position;
            self.is_revision_guessed = !is_served;
            self.doing = Doing::LoggingIn;
        } else {
            self.doing = Doing::Probing(position + 1);
        }
        Ok(())
    }

    fn hear_login(&mut self, answer: &Answer) -> Result<(), Setback> {
        let Answer::Http(http) = answer else { return Err(trouble::failed(&self.server, TOKEN_PATH, answer)) };
        self.logins += 1;
        if self.logins > LOGINS_MAX {
            return Err(trouble::unreadable(&self.server, TOKEN_PATH, "too many logins in one read"));
        }
        match http.status {
            200 => self.keep_token(http).map_err(|why| trouble::unreadable(&self.server, TOKEN_PATH, &why)),
            400 if speaks_of_versions(http) && self.revision < LOWEST => {
                self.revision += 1;
                Ok(())
            }
            // A wrong password is not tried twice: accounts get locked.
            400 | 422 if !self.is_grant_capitalised && !speaks_of_the_login(http) => {
                self.is_grant_capitalised = true;
                Ok(())
            }
            400 | 401 | 403 => Err(Setback::AskAPerson {
                why: format!(
                    "{}: login refused ({}); check username and password_file, and that the account has no MFA",
                    self.server,
                    refusal(http)
                ),
            }),
            _ => Err(trouble::refused(&self.server, TOKEN_PATH, http)),
        }
    }

    fn keep_token(&mut self, answer: &HttpAnswer) -> Result<(), String> {
        let token: TokenAnswer = read(answer)?;
        let access = token.access_token.get().ok_or("the login's answer holds no access_token")?;
        // A span of a day or more, or of nothing, is no token's; then a 401 tells.
        let lives = token.expires_in.count().filter(|seconds| (1..86_400).contains(seconds));
        let refresh_due_at = date_of(answer).zip(lives).map(|(issued_at, seconds)| {
            let lives = TimeDelta::seconds(i64::try_from(seconds).expect("less than a day"));
            issued_at + lives - REFRESH_BEFORE.min(lives / 2)
        });
        let refresh = token.refresh_token.get().map(SecretString::from);
        self.token = Some(Token { access: access.into(), refresh, refresh_due_at });
        self.doing = Doing::Open;
        Ok(())
    }
}

fn speaks_of_the_login(answer: &HttpAnswer) -> bool {
    let said = refusal(answer).to_ascii_lowercase();
    ["password", "credential", "user name", "username", "invalid_grant", "access"]
        .iter()
        .any(|word| said.contains(word))
}

fn speaks_of_versions(answer: &HttpAnswer) -> bool {
    let said = refusal(answer).to_ascii_lowercase();
    said.contains("version") || said.contains("notimplemented")
}
