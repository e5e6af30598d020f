//! Drives a conversation to its end with answers from a closure, and refuses endless ones.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request};
use secrecy::ExposeSecret;
use tidegauge::ask::{
    Answer, Ask, Body as AskBody, Conversation, Failure, FormValue, HttpAnswer, HttpAsk, Method, Setback, Step,
};
use tidegauge::domain::Instant;
use tidegauge::doors::Clock;
use tidegauge::sources::{Brief, SourceSettings, Sweep};
use tower::ServiceExt;

/// More asks than any conversation may make.
pub const ASKS_MAX: usize = 20_000;

pub fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

pub fn brief(server: &str, now: Instant) -> Brief {
    Brief { server: server.to_owned(), now, previous: None, sweep: Sweep::Since, settings: SourceSettings::default() }
}

/// What came of the conversation.
pub fn drive<C: Conversation + ?Sized>(
    talk: &mut C,
    mut answer: impl FnMut(Ask) -> Answer,
) -> Result<C::Done, Setback> {
    let mut heard = None;
    for _ in 0..ASKS_MAX {
        match talk.next(heard.take()) {
            Step::Ask(ask) => heard = Some(answer(ask)),
            Step::Done(done) => return Ok(done),
            Step::Setback(setback) => return Err(setback),
        }
    }
    panic!("the conversation did not end after {ASKS_MAX} asks");
}

/// Carries HTTP asks to a router in process, with the login `tidegauge` / `right`.
pub struct InProcess {
    router: axum::Router,
    runtime: tokio::runtime::Runtime,
}

impl InProcess {
    pub fn new(router: axum::Router) -> InProcess {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
        InProcess { router, runtime }
    }

    pub fn carry(&self, ask: Ask) -> Answer {
        let Ask::Http(ask) = ask else { panic!("a VBR server is asked over HTTP") };
        let bytes_max = usize::try_from(ask.bytes_max).expect("64 bits");
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request(&ask)).await.expect("a router never fails");
            let status = response.status().as_u16();
            let header = |(name, value): (&HeaderName, &HeaderValue)| {
                (name.to_string(), value.to_str().unwrap_or_default().to_owned())
            };
            let headers = response.headers().iter().map(header).collect();
            match to_bytes(response.into_body(), bytes_max).await {
                Ok(body) => Answer::Http(HttpAnswer { status, headers, body: body.to_vec() }),
                Err(_) => Answer::Failed(Failure::TooLarge { bytes_max: ask.bytes_max }),
            }
        })
    }
}

fn request(ask: &HttpAsk) -> Request<Body> {
    let method = match ask.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let mut request = Request::builder().method(method).uri(&ask.path);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(bearer) = &ask.bearer {
        request = request.header("authorization", format!("Bearer {}", bearer.expose_secret()));
    }
    let body = match &ask.body {
        AskBody::None => Body::empty(),
        AskBody::Bytes(kind, bytes) => {
            request = request.header("content-type", *kind);
            Body::from(bytes.clone())
        }
        AskBody::Form(fields) => {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            let field = |(name, value): &(&str, FormValue)| match value {
                FormValue::Text(text) => format!("{name}={text}"),
                FormValue::Secret(secret) => format!("{name}={}", secret.expose_secret()),
                FormValue::PeerUsername => format!("{name}=tidegauge"),
                FormValue::PeerPassword => format!("{name}=right"),
            };
            Body::from(fields.iter().map(field).collect::<Vec<_>>().join("&"))
        }
    };
    request.body(body).expect("asks are valid requests")
}

/// A clock that tests set.
pub struct SetClock(Mutex<Instant>);

impl SetClock {
    pub fn at(now: Instant) -> Arc<SetClock> {
        Arc::new(SetClock(Mutex::new(now)))
    }

    pub fn set(&self, now: Instant) {
        *self.0.lock().expect("tests do not panic with the clock in hand") = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        *self.0.lock().expect("tests do not panic with the clock in hand")
    }
}
