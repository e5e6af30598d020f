//! The crate's calls as a conversation: each call is played again from its start with the answers heard so far.
//!
//! What the crate does between two requests is pure, so playing it again asks the same; the first request without an
//! answer is the next ask.

use std::cell::RefCell;
use std::slice::Iter;

use openidconnect::http::header::{ACCEPT, AUTHORIZATION};
use openidconnect::http::{Method, Response};
use openidconnect::url::form_urlencoded;
use openidconnect::{HttpRequest, HttpResponse, SyncHttpClient};

use crate::ask::{Answer, Ask, Body, Conversation, FormValue, HeaderSecret, HttpAnswer, HttpAsk, Setback, Step};

use super::OpenId;

/// Most requests of one exchange.
const ASKS_MAX: usize = 4;
/// Longest answer.
const BYTES_MAX: u64 = 1 << 20;
/// Longest wait for an answer; somebody waits before a browser.
const SECONDS_MAX: u32 = 10;

/// Fields of a token request (RFC 6749 section 4.1.3, RFC 7636 section 4.5), and whether they are secrets.
const FIELDS: [(&str, Seen); 5] = [
    ("grant_type", Seen::ByAll),
    ("redirect_uri", Seen::ByAll),
    ("client_id", Seen::ByAll),
    ("code", Seen::ByNobody),
    ("code_verifier", Seen::ByNobody),
];

/// Who may see a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    ByAll,
    ByNobody,
}

/// How a token request shows who asks (OpenID Connect Core 1.0 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// `client_secret_basic`: the wire writes the header.
    Basic,
    /// `client_secret_post`: the wire fills the field.
    Post,
    /// A public client names itself only.
    Nothing,
}

/// What the crate takes for its HTTP client: gives out the answers heard, in their order, and keeps the first request
/// that has none.
pub(super) struct Heard<'a> {
    answers: RefCell<Iter<'a, HttpResponse>>,
    owed: RefCell<Option<HttpRequest>>,
}

/// The request has no answer yet.
#[derive(Debug, thiserror::Error)]
#[error("not answered yet")]
pub(super) struct Unanswered;

impl SyncHttpClient for Heard<'_> {
    type Error = Unanswered;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        if let Some(answer) = self.answers.borrow_mut().next() {
            return Ok(answer.clone());
        }
        self.owed.borrow_mut().get_or_insert(request);
        Err(Unanswered)
    }
}

/// Calls of the crate, played over the answers so far.
type Play<D> = Box<dyn Fn(&Heard<'_>) -> Result<D, Setback> + Send>;

/// One exchange with the provider.
pub struct Exchange<D> {
    party: OpenId,
    proof: Proof,
    heard: Vec<HttpResponse>,
    play: Play<D>,
}

impl<D> Exchange<D> {
    pub(super) fn new(party: &OpenId, proof: Proof, play: Play<D>) -> Exchange<D> {
        Exchange { party: party.clone(), proof, heard: Vec::new(), play }
    }
}

impl<D> Conversation for Exchange<D> {
    type Done = D;

    fn next(&mut self, heard: Option<Answer>) -> Step<D> {
        match heard {
            None => {}
            Some(Answer::Http(answer)) => match response_of(answer) {
                Ok(response) => self.heard.push(response),
                Err(setback) => return Step::Setback(setback),
            },
            Some(Answer::Failed(failure)) => return again(format!("the sign-in provider: {failure}")),
            Some(Answer::Mail(_) | Answer::Folder(_)) => {
                return again("the sign-in provider was not answered over HTTP".to_owned());
            }
        }
        let client = Heard { answers: RefCell::new(self.heard.iter()), owed: RefCell::new(None) };
        let played = (self.play)(&client);
        match client.owed.into_inner() {
            None => played.map_or_else(Step::Setback, Step::Done),
            Some(_) if self.heard.len() >= ASKS_MAX => again("the sign-in provider is asked in circles".to_owned()),
            Some(request) => {
                ask_of(&self.party, self.proof, &request).map_or_else(Step::Setback, |ask| Step::Ask(Ask::Http(ask)))
            }
        }
    }
}

fn again<D>(why: String) -> Step<D> {
    Step::Setback(Setback::TryAgain { why })
}

/// The answer as the crate reads it.
fn response_of(answer: HttpAnswer) -> Result<HttpResponse, Setback> {
    let mut response = Response::builder().status(answer.status);
    if let Some(kind) = answer.header("content-type") {
        response = response.header("content-type", kind);
    }
    let odd = |_| Setback::TryAgain { why: "the sign-in provider's answer is no good HTTP".to_owned() };
    response.body(answer.body).map_err(odd)
}

/// The crate's request as an ask to a peer of the settings.
fn ask_of(party: &OpenId, proof: Proof, request: &HttpRequest) -> Result<HttpAsk, Setback> {
    let url = request.uri().to_string();
    let Some((peer, path)) = party.place_of(&url) else {
        let host = request.uri().authority().map_or("nowhere", |authority| authority.as_str());
        let why = format!(
            "the sign-in provider has an endpoint at {host}, which is not asked: add its https://… to endpoints_at of \
             [console.openid] if it is the provider's"
        );
        return Err(Setback::AskAPerson { why });
    };
    let mut ask = match *request.method() {
        Method::POST => token_ask(&peer, &path, proof, request.body()),
        _ => HttpAsk::get(&peer, path),
    };
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    ask.headers.extend(text(ACCEPT).map(|kind| ("accept".to_owned(), kind.to_owned())));
    ask.bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.into());
    Ok(HttpAsk { bytes_max: BYTES_MAX, seconds_max: SECONDS_MAX, ..ask })
}

/// The token request, its client's secret left to the wire.
fn token_ask(peer: &str, path: &str, proof: Proof, body: &[u8]) -> HttpAsk {
    let given: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let value = |name: &str| given.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let mut fields = Vec::new();
    for (name, seen) in FIELDS {
        // The header names the client already, and nobody is to name himself twice (RFC 6749 section 2.3).
        let is_said = name == "client_id" && proof == Proof::Basic;
        let Some(value) = value(name).filter(|_| !is_said) else { continue };
        let value = match seen {
            Seen::ByAll => FormValue::Text(value),
            Seen::ByNobody => FormValue::Secret(value.into()),
        };
        fields.push((name, value));
    }
    if proof == Proof::Post {
        fields.push(("client_secret", FormValue::PeerPassword));
    }
    let mut ask = HttpAsk::post(peer, path, Body::Form(fields));
    if proof == Proof::Basic {
        ask.secret_headers.push(("authorization", HeaderSecret::PeerClient));
    }
    ask
}
