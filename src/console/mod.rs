//! One read-only web page: the open report, high watermarks, the gate, the license, servers and what comes next.
//!
//! It computes nothing and keeps nothing: every number on it is an answer of the agent, whoever owns that. It has no
//! login, so it is served on loopback only and answers no other host's name.

mod answers;
mod download;
mod guard;
mod page;
mod words;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use crate::agent::{Query, Refused};

pub use guard::guarded;

/// The agent's answer to a question, when it comes.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, Refused>> + Send>>;

/// Asks the agent, wherever its owner is.
pub type Ask = Arc<dyn Fn(Query) -> Answer + Send + Sync>;

const STYLE: &str = include_str!("../../templates/console/style.css");

/// The page, its style and the reports as files.
pub fn router(ask: Ask) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/reports/{file}", get(download::report))
        .route("/style.css", get(style))
        .fallback(no_such_page)
        .layer(middleware::from_fn(guard::guarded))
        .with_state(ask)
}

async fn home(State(ask): State<Ask>) -> Response {
    match page::drawn(&ask).await {
        Ok(html) => Html(html).into_response(),
        Err(refused) => refusal(&refused),
    }
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

async fn no_such_page() -> Response {
    let why = "there is no such page; the one page is /";
    refusal(&Refused::new(66, why))
}

/// The agent's refusal as a page of its own.
fn refusal(refused: &Refused) -> Response {
    let status = match refused.code {
        2 | 65 => StatusCode::BAD_REQUEST,
        3 | 66 => StatusCode::NOT_FOUND,
        69 | 75 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Html(page::problem(&refused.why))).into_response()
}
