//! The wire of the simulated world: routers in process, folders and a mailbox in memory, outages on order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body as RequestBody, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request};
use base64::Engine;
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use tower::ServiceExt;

use crate::ask::{
    Answer, Ask, Body, Failure, FolderAnswer, FolderAsk, FormValue, HeaderSecret, HookAsk, HttpAnswer, HttpAsk,
    MailAnswer, MailAsk, Method, Peer,
};
use crate::domain::Instant;
use crate::doors::{Clock, Pending, Wire};
use crate::seal::standard_webhooks::signature;

use super::clock::SimulatedClock;
use super::misbehaviour::{MailTaken, Misbehaviour, lost, told_ahead};

/// The login that simulated backup servers know.
pub const USERNAME: &str = "tidegauge";
/// Its password.
pub const PASSWORD: &str = "Password-nobody-may-see-7Qz";
/// The API key that simulated consoles know.
pub const API_KEY: &str = "Key-nobody-may-see-4Jx";

/// What messages to endpoints are signed with.
pub const HOOK_SECRET: &str = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi0zMi1ieXRlcy4u";

/// What a misbehaviour makes of an answer.
type Spoil = fn(Misbehaviour, &HttpAsk, Answer) -> Answer;

/// Everything outside the agent; clones are the same outside.
#[derive(Clone)]
pub struct SimulatedWire {
    clock: SimulatedClock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    routers: BTreeMap<Peer, Router>,
    folders: BTreeMap<Peer, BTreeMap<String, Vec<u8>>>,
    mails: Vec<MailAsk>,
    outages: Vec<(Peer, Range<Instant>)>,
    /// Recipients that the mail server does not know.
    refused_recipients: BTreeSet<String>,
    /// When the mail server refuses the login.
    locked_out: Vec<Range<Instant>>,
    /// Peers whose next answer is lost on its way back.
    deaf: BTreeSet<Peer>,
    misbehaving: Vec<(Peer, Range<Instant>, Misbehaviour)>,
    /// How far peers' clocks are ahead of the world's.
    ahead: BTreeMap<Peer, TimeDelta>,
}

/// The clock of a peer: the world's, as far ahead as [`SimulatedWire::clock_ahead`] says.
struct PeerClock {
    wire: SimulatedWire,
    peer: Peer,
}

impl Clock for PeerClock {
    fn now(&self) -> Instant {
        self.wire.clock.now() + self.wire.ahead_of(&self.peer)
    }
}

impl SimulatedWire {
    pub fn new(clock: SimulatedClock) -> SimulatedWire {
        SimulatedWire { clock, inner: Arc::default() }
    }

    /// Puts a server behind a peer's name.
    pub fn connect(&self, peer: &str, router: Router) {
        self.inner().routers.insert(peer.to_owned(), router);
    }

    /// The peer is out of reach during the span; `mail` is the mail server.
    pub fn cut_off(&self, peer: &str, span: Range<Instant>) {
        self.inner().outages.push((peer.to_owned(), span));
    }

    /// The mail server refuses this recipient for good.
    pub fn refuse_recipient(&self, address: &str) {
        self.inner().refused_recipients.insert(address.to_owned());
    }

    /// The mail server knows this recipient again.
    pub fn know_recipient(&self, address: &str) {
        self.inner().refused_recipients.remove(address);
    }

    /// The mail server refuses the login during the span, as it does with a token that has expired.
    pub fn lock_out(&self, span: Range<Instant>) {
        self.inner().locked_out.push(span);
    }

    /// The peer takes the next request, and its answer is lost.
    pub fn lose_next_answer(&self, peer: &str) {
        self.inner().deaf.insert(peer.to_owned());
    }

    /// The peer does this wrong during the span; of several at once the newest order counts. `mail` is the mail server.
    pub fn misbehave(&self, peer: &str, span: Range<Instant>, how: Misbehaviour) {
        self.inner().misbehaving.push((peer.to_owned(), span, how));
    }

    /// From here on the peer's clock is so far ahead of the world's, or behind it; zero: right.
    pub fn clock_ahead(&self, peer: &str, by: TimeDelta) {
        self.inner().ahead.insert(peer.to_owned(), by);
    }

    /// The clock that a peer goes by.
    pub fn clock_of(&self, peer: &str) -> Arc<dyn Clock> {
        Arc::new(PeerClock { wire: self.clone(), peer: peer.to_owned() })
    }

    /// Ends every fault ordered so far, those that have not begun too.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.outages.clear();
        inner.misbehaving.clear();
        inner.locked_out.clear();
        inner.refused_recipients.clear();
        inner.deaf.clear();
        inner.ahead.clear();
    }

    /// Puts a file into a peer's folder.
    pub fn put_file(&self, peer: &str, name: &str, bytes: Vec<u8>) {
        self.inner().folders.entry(peer.to_owned()).or_default().insert(name.to_owned(), bytes);
    }

    /// Names of the files in a peer's folder and below.
    pub fn file_names(&self, peer: &str) -> Vec<String> {
        self.inner().folders.get(peer).map(|folder| folder.keys().cloned().collect()).unwrap_or_default()
    }

    /// Every mail taken so far.
    pub fn mails(&self) -> Vec<MailAsk> {
        self.inner().mails.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cut_off(&self, peer: &str) -> bool {
        let now = self.clock.now();
        self.inner().outages.iter().any(|(cut, span)| cut == peer && span.contains(&now))
    }

    fn misbehaviour(&self, peer: &str) -> Option<Misbehaviour> {
        let now = self.clock.now();
        let inner = self.inner();
        let ordered = inner.misbehaving.iter().rev().find(|(who, span, _)| who == peer && span.contains(&now));
        ordered.map(|(_, _, how)| *how)
    }

    fn ahead_of(&self, peer: &str) -> TimeDelta {
        self.inner().ahead.get(peer).copied().unwrap_or_default()
    }

    async fn http(&self, ask: HttpAsk, spoil: Spoil) -> Answer {
        if self.is_cut_off(&ask.peer) {
            return unreachable_peer(&ask.peer);
        }
        let router = self.inner().routers.get(&ask.peer).cloned();
        let Some(router) = router else {
            return Answer::Failed(Failure::Settings { why: format!("no peer is called {}", ask.peer) });
        };
        self.clock.pass(ask.pause_seconds);
        let misbehaviour = self.misbehaviour(&ask.peer);
        if let Some(answer) = misbehaviour.and_then(Misbehaviour::instead) {
            return answer;
        }
        let answer = carry_to(router, &ask).await;
        if self.inner().deaf.remove(&ask.peer) {
            return lost();
        }
        if misbehaviour == Some(Misbehaviour::Slow) {
            self.clock.pass(ask.seconds_max);
        }
        let ahead = self.ahead_of(&ask.peer);
        let answer = if ahead.is_zero() { answer } else { told_ahead(answer, ahead) };
        match misbehaviour {
            Some(how) => spoil(how, &ask, answer),
            None => answer,
        }
    }

    fn mail(&self, ask: MailAsk) -> Answer {
        if self.is_cut_off("mail") {
            return unreachable_peer("mail");
        }
        if self.inner().refused_recipients.contains(&ask.to) {
            let why = "550 5.1.1 no such user".to_owned();
            return Answer::Mail(MailAnswer { steps: Vec::new(), end: Err(Failure::RefusedForGood { why }) });
        }
        if self.inner().locked_out.iter().any(|span| span.contains(&self.clock.now())) {
            let why = "535 5.7.8 the login is refused".to_owned();
            return Answer::Mail(MailAnswer { steps: Vec::new(), end: Err(Failure::NotLetIn { why }) });
        }
        if let Some((taken, answer)) = self.misbehaviour("mail").map(Misbehaviour::of_mail) {
            if taken == MailTaken::Yes {
                self.inner().mails.push(ask);
            }
            return answer;
        }
        self.inner().mails.push(ask);
        Answer::Mail(MailAnswer { steps: Vec::new(), end: Ok("250 2.0.0 taken".to_owned()) })
    }

    /// The request that becomes of a message: stamped and signed as by a file that holds [`HOOK_SECRET`].
    fn hook(&self, ask: HookAsk) -> HttpAsk {
        let now = self.clock.now().timestamp();
        let signed = signature(&HOOK_SECRET.into(), &ask.id, now, &ask.body).expect("it is a secret");
        let headers = [("webhook-id", ask.id), ("webhook-timestamp", now.to_string()), ("webhook-signature", signed)];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let post = HttpAsk::post(&ask.peer, "/", Body::Bytes(ask.media_type, ask.body));
        HttpAsk { headers, ..post }
    }

    fn folder(&self, ask: FolderAsk) -> Answer {
        let (FolderAsk::List { peer, .. }
        | FolderAsk::Read { peer, .. }
        | FolderAsk::Move { peer, .. }
        | FolderAsk::Write { peer, .. }) = &ask;
        if self.is_cut_off(peer) {
            return Answer::Failed(Failure::File { why: format!("{peer}: host is down") });
        }
        let misbehaviour = self.misbehaviour(peer);
        let mut inner = self.inner();
        match ask {
            FolderAsk::List { peer, entries_max } => {
                let folder = inner.folders.entry(peer).or_default();
                let names = folder.keys().filter(|name| !name.contains('/')).take(entries_max).cloned();
                Answer::Folder(FolderAnswer::Listed(names.collect()))
            }
            FolderAsk::Read { peer, name, .. } => match inner.folders.entry(peer).or_default().get(&name) {
                Some(bytes) => {
                    let read = misbehaviour.map_or_else(|| Ok(bytes.clone()), |how| how.of_file(bytes.clone()));
                    read.map_or_else(Answer::Failed, |bytes| Answer::Folder(FolderAnswer::Bytes(bytes)))
                }
                None => Answer::Failed(Failure::File { why: format!("{name} is gone") }),
            },
            FolderAsk::Move { peer, name, to } => {
                let folder = inner.folders.entry(peer).or_default();
                match folder.remove(&name) {
                    Some(bytes) => {
                        folder.insert(to, bytes);
                        Answer::Folder(FolderAnswer::Done)
                    }
                    None => Answer::Failed(Failure::File { why: format!("{name} is gone") }),
                }
            }
            FolderAsk::Write { peer, name, bytes } => {
                inner.folders.entry(peer).or_default().insert(name, bytes);
                Answer::Folder(FolderAnswer::Done)
            }
        }
    }
}

impl Wire for SimulatedWire {
    fn carry(&self, ask: Ask) -> Pending<'_> {
        Box::pin(async move {
            match ask {
                Ask::Http(ask) => self.http(ask, Misbehaviour::spoil).await,
                Ask::Mail(ask) => self.mail(ask),
                Ask::Hook(ask) => self.http(self.hook(ask), Misbehaviour::spoil_status).await,
                Ask::Folder(ask) => self.folder(ask),
            }
        })
    }
}

fn unreachable_peer(peer: &str) -> Answer {
    Answer::Failed(Failure::Unreachable { why: format!("{peer}: connection refused") })
}

/// One request to a router in process, with the limits of the ask.
pub async fn carry_to(router: Router, ask: &HttpAsk) -> Answer {
    let Ok(request) = request(ask) else {
        return Answer::Failed(Failure::Broken { why: format!("{} is no valid request", ask.path) });
    };
    let Ok(response) = router.oneshot(request).await;
    let status = response.status().as_u16();
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), value.to_str().unwrap_or_default().to_owned());
    let headers = response.headers().iter().map(header).collect();
    match to_bytes(response.into_body(), usize::try_from(ask.bytes_max).unwrap_or(usize::MAX)).await {
        Ok(body) => Answer::Http(HttpAnswer { status, headers, body: body.to_vec() }),
        Err(_) => Answer::Failed(Failure::TooLarge { bytes_max: ask.bytes_max }),
    }
}

/// The header value of a Basic login.
pub fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}

fn request(ask: &HttpAsk) -> Result<Request<RequestBody>, axum::http::Error> {
    let method = match ask.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    let mut request = Request::builder().method(method).uri(&ask.path);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    for (name, secret) in &ask.secret_headers {
        request = match secret {
            HeaderSecret::Text(text) => request.header(*name, text.expose_secret()),
            HeaderSecret::PeerBasic | HeaderSecret::PeerClient => request.header(*name, basic(USERNAME, PASSWORD)),
            HeaderSecret::PeerKey => request.header(*name, format!("Bearer {API_KEY}")),
        };
    }
    if let Some(bearer) = &ask.bearer {
        request = request.header("authorization", format!("Bearer {}", bearer.expose_secret()));
    }
    let body = match &ask.body {
        Body::None => RequestBody::empty(),
        Body::Bytes(kind, bytes) => {
            request = request.header("content-type", *kind);
            RequestBody::from(bytes.clone())
        }
        Body::Form(fields) => {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            let field = |(name, value): &(&str, FormValue)| match value {
                FormValue::Text(text) => format!("{name}={text}"),
                FormValue::Secret(secret) => format!("{name}={}", secret.expose_secret()),
                FormValue::PeerUsername => format!("{name}={USERNAME}"),
                FormValue::PeerPassword => format!("{name}={PASSWORD}"),
            };
            RequestBody::from(fields.iter().map(field).collect::<Vec<_>>().join("&"))
        }
    };
    request.body(body)
}
