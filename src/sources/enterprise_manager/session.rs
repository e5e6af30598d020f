//! The login at Enterprise Manager: a session id in a header, given back at the end (api.md 4).

use secrecy::SecretString;

use super::answers::{id_of, read, refusal, text};
use super::trouble;
use crate::ask::{Answer, Body, HeaderSecret, HttpAnswer, HttpAsk, Setback};
use crate::domain::installation::ServerName;

const LOGON_PATH: &str = "/api/sessionMngr/?v=latest";
/// The header that carries the session.
pub const SESSION_HEADER: &str = "x-restsvcsessionid";
/// Logins of one conversation.
const LOGINS_MAX: u32 = 4;
/// The logout holds nobody up.
const LOGOUT_SECONDS_MAX: u32 = 10;

/// One session. Its id lives only in here.
pub struct Session {
    manager: ServerName,
    open: Option<Open>,
    logins: u32,
}

struct Open {
    token: SecretString,
    /// What the logout names; a session without one ends by itself after 15 minutes.
    id: Option<String>,
}

impl Session {
    pub fn new(manager: ServerName) -> Session {
        Session { manager, open: None, logins: 0 }
    }

    /// What must be asked before anything else may be.
    pub fn wants(&self) -> Option<HttpAsk> {
        if self.open.is_some() {
            return None;
        }
        let mut ask = in_json(HttpAsk::post(&self.manager, LOGON_PATH, Body::None));
        ask.secret_headers.push(("authorization", HeaderSecret::PeerBasic));
        Some(ask)
    }

    /// Hears the answer to the login.
    pub fn hear(&mut self, answer: &Answer) -> Result<(), Setback> {
        let Answer::Http(http) = answer else { return Err(trouble::failed(&self.manager, LOGON_PATH, answer)) };
        self.logins += 1;
        if self.logins > LOGINS_MAX {
            return Err(trouble::unreadable(&self.manager, LOGON_PATH, "too many logins in one read"));
        }
        match http.status {
            200 | 201 => self.keep(http).map_err(|why| trouble::unreadable(&self.manager, LOGON_PATH, &why)),
            // A wrong password is not tried twice: accounts get locked.
            401 | 403 => Err(Setback::AskAPerson {
                why: format!(
                    "{}: login refused ({}); check username and password_file, and that the account is a Portal \
                     Administrator",
                    self.manager,
                    refusal(http)
                ),
            }),
            _ => Err(trouble::refused(&self.manager, LOGON_PATH, http)),
        }
    }

    fn keep(&mut self, http: &HttpAnswer) -> Result<(), String> {
        let token = http.header(SESSION_HEADER).filter(|token| !token.is_empty());
        let Some(token) = token else {
            // Something that is no Enterprise Manager is named by what it says.
            read(http)?;
            return Err("the login's answer holds no X-RestSvcSessionId".to_owned());
        };
        let session = read(http).ok();
        let session = session.as_ref().and_then(|session| session.as_object());
        let id = session.and_then(|session| text(session, "SessionId").map(str::to_owned).or_else(|| id_of(session)));
        let id = id.filter(|id| id.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '-'));
        self.open = Some(Open { token: token.to_owned().into(), id });
        Ok(())
    }

    /// The ask with the session on it.
    pub fn dress(&self, ask: HttpAsk) -> HttpAsk {
        let mut ask = in_json(ask);
        let token = self.open.as_ref().map(|open| HeaderSecret::Text(open.token.clone()));
        ask.secret_headers.extend(token.map(|token| (SESSION_HEADER, token)));
        ask
    }

    /// The session is refused: the next want is a login.
    pub fn lost(&mut self) {
        self.open = None;
    }

    /// The farewell, while a session is held.
    pub fn logout(&mut self) -> Option<HttpAsk> {
        let id = self.open.as_ref().and_then(|open| open.id.clone());
        let ask = id.map(|id| self.dress(HttpAsk::delete(&self.manager, format!("/api/logonSessions/{id}"))));
        self.open = None;
        ask.map(|ask| HttpAsk { seconds_max: LOGOUT_SECONDS_MAX, ..ask })
    }
}

/// JSON is asked for; what comes is read by its content type.
fn in_json(mut ask: HttpAsk) -> HttpAsk {
    ask.headers.push(("accept".to_owned(), "application/json, application/xml;q=0.8".to_owned()));
    ask
}
