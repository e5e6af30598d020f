//! How a VSPC console lets us in: by API key, or by a login that gives a token, read-only unless a deed needs more. The token lives only in here.

use secrecy::SecretString;

use super::answers::{TokenAnswer, read, refusal};
use super::revision::{LOWEST, REVISIONS, position_of};
use super::trouble;
use crate::ask::{Answer, Body, FormValue, HeaderSecret, HttpAnswer, HttpAsk, Setback};
use crate::domain::installation::ServerName;
use crate::sources::SignsIn;

const TOKEN_PATH: &str = "/api/v3/token";
/// Logins by password in one conversation.
const LOGINS_MAX: u32 = 4;

/// What a login is to allow; an API key allows what the console gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    Read,
    Act,
}

pub struct Session {
    server: ServerName,
    signs_in: SignsIn,
    rights: Rights,
    /// Position in [`REVISIONS`].
    revision: usize,
    token: Option<SecretString>,
    logins: u32,
}

impl Session {
    pub fn new(server: ServerName, signs_in: SignsIn, rights: Rights, revision: Option<&str>) -> Session {
        let revision = revision.and_then(position_of).unwrap_or(0);
        Session { server, signs_in, rights, revision, token: None, logins: 0 }
    }

    /// The version in use.
    pub fn revision(&self) -> &'static str {
        REVISIONS[self.revision].name
    }

    /// The login, when one is needed before anything else is asked.
    pub fn wants(&self) -> Option<HttpAsk> {
        if self.signs_in == SignsIn::ApiKey || self.token.is_some() {
            return None;
        }
        let mut form = vec![
            ("grant_type", FormValue::Text("password".to_owned())),
            ("username", FormValue::PeerUsername),
            ("password", FormValue::PeerPassword),
        ];
        if self.rights == Rights::Read {
            form.push(("readOnly", FormValue::Text("true".to_owned())));
        }
        Some(self.dressed(HttpAsk::post(&self.server, TOKEN_PATH, Body::Form(form))))
    }

    /// Hears the answer to the login.
    pub fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        let Answer::Http(http) = answer else { return Err(trouble::failed(&self.server, TOKEN_PATH, answer)) };
        self.logins += 1;
        if self.logins > LOGINS_MAX {
            return Err(trouble::unreadable(&self.server, TOKEN_PATH, "too many logins in one read"));
        }
        match http.status {
            200 => self.keep_token(http),
            400 if self.steps_down(http) => Ok(()),
            400 | 401 | 403 => Err(Setback::AskAPerson {
                why: format!(
                    "{}: login refused ({}); check username and password_file, or give VSPC's API key by api_key_file",
                    self.server,
                    refusal(http)
                ),
            }),
            _ => Err(trouble::refused(&self.server, TOKEN_PATH, http)),
        }
    }

    fn keep_token(&mut self, answer: &HttpAnswer) -> Result<(), Setback> {
        let token: TokenAnswer = read(answer).map_err(|why| trouble::unreadable(&self.server, TOKEN_PATH, &why))?;
        match (token.access_token.get(), token.mfa_token.get()) {
            (Some(access), _) => {
                self.token = Some(access.into());
                Ok(())
            }
            (None, Some(_)) => Err(Setback::AskAPerson {
                why: format!(
                    "{}: the account asks for a second factor, which an agent cannot give; make an API key in VSPC \
                     and name its file by api_key_file",
                    self.server
                ),
            }),
            (None, None) => {
                Err(trouble::unreadable(&self.server, TOKEN_PATH, "the login's answer holds no access_token"))
            }
        }
    }

    /// Whether the refusal was about our version, and there is an older one to try.
    pub fn steps_down(&mut self, answer: &HttpAnswer) -> bool {
        let is_about_version = refusal(answer).to_ascii_lowercase().contains("version") && self.revision < LOWEST;
        self.revision += usize::from(is_about_version);
        is_about_version
    }

    /// The token is not accepted any more. False when only a person can give another one.
    pub fn lost(&mut self) -> bool {
        self.token.take().is_some()
    }

    /// The ask with what lets us in and the version on it.
    pub fn dress(&self, ask: HttpAsk) -> HttpAsk {
        let ask = self.dressed(ask);
        match self.signs_in {
            SignsIn::ApiKey => HttpAsk { secret_headers: vec![("authorization", HeaderSecret::PeerKey)], ..ask },
            SignsIn::Password => HttpAsk { bearer: self.token.clone(), ..ask },
        }
    }

    fn dressed(&self, ask: HttpAsk) -> HttpAsk {
        let mut headers = ask.headers;
        headers.push(("x-client-version".to_owned(), self.revision().to_owned()));
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        HttpAsk { headers, ..ask }
    }
}
