//! The console: what the agent knows as pages, and orders as forms, for people who are signed in.
//!
//! It computes nothing and keeps nothing but sessions: every number on a page is an answer of the agent, every change
//! an order in somebody's name. A page is one file of [`pages`] and one row of its table.

mod answers;
mod by_provider;
mod cookie;
mod download;
mod entry;
mod forms;
mod frame;
mod guard;
mod pages;
mod shown;
mod words;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chrono_tz::Tz;
use serde_json::Value;

use crate::agent::{Order, Query, Refused};
use crate::domain::people::{Person, Role};
use crate::doors::{Chance, Clock};
use crate::people::Doorkeeper;

pub use by_provider::ByProvider;
pub use entry::{Seat, seat};

/// The agent's answer, when it comes.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, Refused>> + Send>>;

/// How the agent is reached, wherever its owner is.
#[derive(Clone)]
pub struct Back {
    pub ask: Arc<dyn Fn(Query, Person) -> Answer + Send + Sync>,
    pub order: Arc<dyn Fn(Order, Person) -> Answer + Send + Sync>,
    /// The order, if its report still has this digest; refused with 8 when it was changed meanwhile.
    pub order_if: Arc<dyn Fn(Order, String, Person) -> Answer + Send + Sync>,
}

/// How the console behaves.
#[derive(Clone, Debug)]
pub struct Manner {
    /// For showing times.
    pub time_zone: Tz,
    /// Whether browsers reach it over TLS, its own or a proxy's.
    pub secure: bool,
    /// Host names that it answers to, beside those of this machine itself.
    pub names: Vec<String>,
}

/// What every page has at hand.
pub struct House {
    pub back: Back,
    pub doorkeeper: Arc<Doorkeeper>,
    pub clock: Arc<dyn Clock>,
    pub chance: Mutex<Box<dyn Chance>>,
    pub manner: Manner,
    /// By whom people sign in besides local users.
    pub by_provider: Option<Arc<ByProvider>>,
    /// What programs may ask and order, as HTML of our own without a frame.
    pub reference: fn() -> &'static str,
}

const STYLE: &str = include_str!("../../templates/console/style.css");
const SCRIPT: &str = include_str!("../../templates/console/console.js");

/// Every page, what signing in needs, the style and the reports as files.
pub fn router(house: Arc<House>) -> Router {
    let inside = pages::router()
        .route("/reports/{file}", get(download::report))
        .fallback(no_such_page)
        .layer(middleware::from_fn_with_state(Arc::clone(&house), entry::signed_in));
    Router::new()
        .merge(entry::router())
        .merge(by_provider::router())
        .route("/style.css", get(|| fixed("text/css; charset=utf-8", STYLE)))
        .route("/console.js", get(|| fixed("text/javascript; charset=utf-8", SCRIPT)))
        .merge(inside)
        .layer(DefaultBodyLimit::max(forms::FORM_BYTES_MAX))
        .with_state(house)
}

/// The address of every page, and the role that it needs.
pub fn addresses() -> impl Iterator<Item = (&'static str, Role)> {
    pages::PAGES.iter().map(|page| (page.path, page.needs))
}

/// The address of every form of somebody who is signed in, and the role that it needs.
pub fn forms() -> impl Iterator<Item = (&'static str, Role)> {
    pages::DEEDS.iter().flat_map(|deeds| deeds.iter()).map(|deed| (deed.path, deed.needs))
}

/// Everything that the console's listener serves: only for known host names, and with the headers of a page.
pub fn guarded(house: Arc<House>, router: Router) -> Router {
    router.layer(middleware::from_fn_with_state(house, guard::guarded))
}

async fn fixed(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn no_such_page() -> Response {
    refusal(&Refused::new(66, "there is no such page"))
}

/// The agent's refusal as a page of its own.
fn refusal(refused: &Refused) -> Response {
    let status = match refused.code {
        2 | 65 => StatusCode::BAD_REQUEST,
        3 | 66 => StatusCode::NOT_FOUND,
        5 | 6 | 8 | 78 => StatusCode::CONFLICT,
        69 | 75 => StatusCode::SERVICE_UNAVAILABLE,
        77 => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Html(pages::problem(&refused.why))).into_response()
}
