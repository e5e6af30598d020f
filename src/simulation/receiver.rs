//! An endpoint that takes messages, or answers what it is told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

/// Requests kept; older ones go.
const HEARD_MAX: usize = 10_000;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// `webhook-id`; empty for usage events.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    pub media_type: String,
    pub body: Vec<u8>,
    /// What was answered.
    pub status: u16,
}

impl Received {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An endpoint; clones are the same one.
#[derive(Clone, Default)]
pub struct Receiver(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    heard: Vec<Received>,
    /// What it answers with; `None`: 204.
    says: Option<(u16, Option<&'static str>)>,
}

impl Receiver {
    /// From here on it answers with this status, and perhaps this `Retry-After`.
    pub fn says(&self, status: u16, retry_after: Option<&'static str>) {
        self.inner().says = Some((status, retry_after));
    }

    /// From here on it takes everything.
    pub fn takes(&self) {
        self.inner().says = None;
    }

    /// Every request so far.
    pub fn heard(&self) -> Vec<Received> {
        self.inner().heard.clone()
    }

    /// Those that were taken.
    pub fn taken(&self) -> Vec<Received> {
        self.heard().into_iter().filter(|one| one.status == 204).collect()
    }

    pub fn router(&self) -> Router {
        Router::new().route("/", post(hear)).with_state(self.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut inner = receiver.inner();
    let (status, retry_after) = inner.says.unwrap_or((204, None));
    if inner.heard.len() >= HEARD_MAX {
        inner.heard.remove(0);
    }
    inner.heard.push(Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        media_type: header("content-type"),
        body: body.to_vec(),
        status,
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match retry_after {
        Some(wait) => (status, [("retry-after", wait)]).into_response(),
        None => status.into_response(),
    }
}
