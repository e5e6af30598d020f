//! `/metrics` for Prometheus: the agent's readings in its text format, computed nowhere but in the agent.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use super::desk::Desk;
use super::problem::problem;
use crate::agent::{Query, Refused};
use crate::formats::open_metrics;

/// The one path. It holds points and instants by server and unit; no tenant, no machine, no secret.
pub fn router(desk: Desk) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(desk)
}

async fn metrics(State(desk): State<Desk>) -> Response {
    match desk.ask(Query::Readings {}).await.and_then(|readings| text(&readings)) {
        Ok(text) => ([(header::CONTENT_TYPE, open_metrics::CONTENT_TYPE)], text).into_response(),
        Err(refused) => problem(&refused),
    }
}

/// The readings in the OpenMetrics text format.
///
/// # Errors
/// 1 when they cannot be written.
pub fn text(readings: &Value) -> Result<String, Refused> {
    open_metrics::text(readings).map_err(|error| Refused::new(1, format!("the metrics cannot be written: {error}")))
}
