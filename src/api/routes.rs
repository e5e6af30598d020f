//! The agent's paths as an axum router.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tower_http::catch_panic::CatchPanicLayer;

use super::desk::{Desk, Wish};
use super::problem::problem;
use crate::agent::{Query, Refused};

/// Longest body: an import of many snapshots in one file.
const BODY_BYTES_MAX: usize = 256 << 20;
/// Longest name that is noted as an order's giver.
const BY_SIGNS_MAX: usize = 64;
/// How long the owner may be busy and still count as ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// Who gives an order, as he names himself: the control socket is open to its owner alone.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct By {
    #[serde(default)]
    pub by: String,
}

impl By {
    /// The name without what would break a line, and not too long.
    pub fn name(&self) -> String {
        let name: String = self.by.chars().filter(|sign| !sign.is_control()).take(BY_SIGNS_MAX).collect();
        if name.is_empty() { "somebody".to_owned() } else { name }
    }
}

/// Every path: `GET /api/v1/{what}?…` for questions, `POST` for orders and questions with a body, and health.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/api/v1/{what}", get(question))
        .route("/api/v1/queries", post(query))
        .route("/api/v1/orders", post(order))
        .route("/api/v1/care", post(care))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::new())
        .with_state(desk)
}

/// `GET /api/v1/usage?month=2026-10&by=tenant` is the question `{"what":"usage","month":"2026-10","by":"tenant"}`.
async fn question(
    State(desk): State<Desk>,
    Path(what): Path<String>,
    Parameters(parameters): Parameters<BTreeMap<String, String>>,
) -> Response {
    let mut asked: Map<String, Value> =
        parameters.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    asked.insert("what".to_owned(), Value::String(what.clone()));
    match serde_json::from_value::<Query>(Value::Object(asked)) {
        Ok(query) => shown(desk.ask(query).await),
        Err(error) if is_unknown(&what) => problem(&Refused::new(66, format!("/api/v1/{what}: {error}"))),
        Err(error) => problem(&Refused::new(2, format!("/api/v1/{what}: {error}"))),
    }
}

/// A name that no question has fails alike with and without parameters.
fn is_unknown(what: &str) -> bool {
    let bare = serde_json::json!({"what": what});
    serde_json::from_value::<Query>(bare).is_err_and(|error| error.to_string().contains("unknown variant"))
}

async fn query(State(desk): State<Desk>, body: Bytes) -> Response {
    match read(&body) {
        Ok(query) => shown(desk.ask(query).await),
        Err(refused) => problem(&refused),
    }
}

async fn order(State(desk): State<Desk>, Parameters(by): Parameters<By>, body: Bytes) -> Response {
    match read(&body) {
        Ok(order) => shown(desk.order(order, &by.name()).await),
        Err(refused) => problem(&refused),
    }
}

async fn care(State(desk): State<Desk>, body: Bytes) -> Response {
    match read(&body) {
        Ok(care) => shown(desk.bring(Wish::Care(care), "").await),
        Err(refused) => problem(&refused),
    }
}

async fn ready(State(desk): State<Desk>) -> Response {
    match tokio::time::timeout(READY_WITHIN, desk.bring(Wish::Ping, "")).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

/// The body is not repeated in the refusal: an order may hold a secret.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => "no such order or a wrong field",
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => "no JSON",
        };
        Refused::new(65, format!("the body is not understood ({kind} at column {})", error.column()))
    })
}

pub(super) fn shown(answer: Result<Value, Refused>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(refused) => problem(&refused),
    }
}
