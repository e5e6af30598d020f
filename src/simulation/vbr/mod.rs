//! A backup server that answers like VBR 12.3.1 to 13.1: real JSON over an [`axum::Router`], with faults to switch on.

mod license;
mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::estate::Estate;
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::doors::Clock;
use pages::{Pages, Rows};

pub use license::{DOCUMENTED_UP_TO_DATE, Issuer, key_file};

/// Seconds a token lives unless told otherwise.
const TOKEN_SECONDS: i64 = 900;
/// The server's part of a half answer, in percent.
const HALF_PERCENT: usize = 60;

/// Rows on a page whose rows move.
const MOVING_ROWS: usize = 2;

/// What a server can be made to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Every resource answers 500.
    ServerErrors,
    /// Every resource answers 200 with a web page.
    Html,
    /// Answers end in the middle.
    HalfAnswers,
    /// The list of workloads has another total on each page.
    MovingTotal,
    /// Pages hold few rows; while the list of workloads is paged one of the first rows goes and another comes at the end:
    /// the total stands.
    MovingRows,
    /// The list of workloads names its first one twice.
    DoubledRow,
    /// The list of workloads is empty with a total of 0.
    EmptyList,
    /// The password is another one.
    OtherPassword,
    /// Each token is refused after it was used once.
    ShortTokens,
    /// There is no report.
    NoReport,
    /// There are no restore points to be had.
    NoRestorePoints,
    /// The license has no sections: nothing is said of points and dates.
    NoLicense,
    /// It was installed anew with the same key: another installation answers.
    Reinstalled,
}

/// One simulated backup server.
pub struct Vbr {
    estate: Arc<Mutex<Estate>>,
    clock: Arc<dyn Clock>,
    username: String,
    password: String,
    inner: Mutex<Inner>,
}

struct Inner {
    faults: BTreeSet<Fault>,
    /// Revisions it serves.
    revisions: Vec<String>,
    build: String,
    serves_documents: bool,
    token_seconds: i64,
    /// Tokens with their ends.
    tokens: BTreeMap<String, Instant>,
    tokens_made: u64,
    /// How often each path was asked.
    asked: BTreeMap<String, u32>,
    /// What its vendor answers to a license update.
    issuer: Issuer,
    /// Most workloads on a page, whatever is asked for.
    rows_max: usize,
    pages: Pages,
}

type Shared = State<Arc<Vbr>>;
type Parameters = Query<BTreeMap<String, String>>;

impl Vbr {
    pub fn new(estate: Arc<Mutex<Estate>>, clock: Arc<dyn Clock>, username: &str, password: &str) -> Arc<Vbr> {
        let inner = Inner {
            faults: BTreeSet::new(),
            revisions: ["1.3-rev2", "1.3-rev1", "1.3-rev0", "1.2-rev1"].map(str::to_owned).to_vec(),
            build: "13.1.0.411".to_owned(),
            serves_documents: true,
            token_seconds: TOKEN_SECONDS,
            tokens: BTreeMap::new(),
            tokens_made: 0,
            asked: BTreeMap::new(),
            issuer: Issuer::default(),
            rows_max: usize::MAX,
            pages: Pages::default(),
        };
        let (username, password) = (username.to_owned(), password.to_owned());
        Arc::new(Vbr { estate, clock, username, password, inner: Mutex::new(inner) })
    }

    /// Has exactly these faults from here on.
    pub fn set_faults(&self, faults: &[Fault]) {
        self.inner().faults = faults.iter().copied().collect();
    }

    /// Is of this build and serves these revisions.
    pub fn set_build(&self, build: &str, revisions: &[&str]) {
        let mut inner = self.inner();
        inner.build = build.to_owned();
        inner.revisions = revisions.iter().map(|revision| (*revision).to_owned()).collect();
    }

    /// Answers 404 for the documents of its revisions.
    pub fn hide_documents(&self) {
        self.inner().serves_documents = false;
    }

    pub fn set_token_seconds(&self, seconds: i64) {
        self.inner().token_seconds = seconds;
    }

    /// Has its vendor answer license updates like this from here on.
    pub fn set_issuer(&self, issuer: Issuer) {
        self.inner().issuer = issuer;
    }

    /// Gives at most so many workloads on a page from here on.
    pub fn set_rows_max(&self, rows: usize) {
        self.inner().rows_max = rows;
    }

    /// How often each path was asked, without queries.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.inner().asked.clone()
    }

    /// Tokens that were given and not given back.
    pub fn open_tokens(&self) -> usize {
        self.inner().tokens.len()
    }

    /// The server's HTTP interface.
    pub fn router(self: &Arc<Vbr>) -> Router {
        let vbr = Arc::clone(self);
        Router::new()
            .route("/swagger/{revision}/swagger.json", get(document))
            .route("/api/oauth2/token", post(token))
            .route("/api/oauth2/logout", post(logout))
            .route("/api/v1/serverTime", get(server_time))
            .route("/api/v1/serverInfo", get(server_info))
            .route("/api/v1/license", get(license))
            .route("/api/v1/license/update", post(license::update))
            .route("/api/v1/license/install", post(license::install))
            .route("/api/v1/license/instances", get(instances))
            .route("/api/v1/license/createReport", post(create_report))
            .route("/api/v1/restorePoints", get(restore_points))
            .layer(from_fn_with_state(Arc::clone(&vbr), guard))
            .with_state(vbr)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The estate, advanced to the hour.
    fn estate(&self) -> (MutexGuard<'_, Estate>, Instant) {
        let now = self.clock.now();
        let mut estate = self.estate.lock().unwrap_or_else(PoisonError::into_inner);
        estate.advance(now);
        (estate, now)
    }
}

/// Counts, refuses, breaks: what stands before every resource.
async fn guard(State(vbr): Shared, request: Request, next: Next) -> Response {
    let now = vbr.clock.now();
    let path = request.uri().path().to_owned();
    let refused = vbr.inner().refusal(&request, &path, now);
    let response = match refused {
        Some(response) => response,
        None => next.run(request).await,
    };
    let is_broken = vbr.inner().faults.contains(&Fault::HalfAnswers) && path.starts_with("/api/v1/");
    let mut response = if is_broken { halved(response).await } else { response };
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

impl Inner {
    fn installation(&self, estate: &Estate) -> Option<String> {
        let first = estate.license.installation_id.clone()?;
        let is_another = self.faults.contains(&Fault::Reinstalled);
        Some(if is_another { Uuid::new_v5(&Uuid::NAMESPACE_OID, first.as_bytes()).to_string() } else { first })
    }

    fn refusal(&mut self, request: &Request, path: &str, now: Instant) -> Option<Response> {
        *self.asked.entry(path.to_owned()).or_default() += 1;
        if self.faults.contains(&Fault::ServerErrors) {
            return Some(error(StatusCode::INTERNAL_SERVER_ERROR, "UnknownError", "Unexpected server error"));
        }
        if self.faults.contains(&Fault::Html) {
            return Some("<!DOCTYPE html><html><body>Sign in</body></html>".into_response());
        }
        if path.starts_with("/swagger/") {
            return None;
        }
        let header_of = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let revision = header_of("x-api-version").unwrap_or_default();
        if !self.revisions.iter().any(|served| served == revision) {
            let message =
                format!("Unsupported RESTAPI version. The following versions are supported: {:?}.", self.revisions);
            return Some(error(StatusCode::BAD_REQUEST, "NotImplemented", &message));
        }
        if matches!(path, "/api/oauth2/token" | "/api/v1/serverTime") {
            return None;
        }
        let token = header_of("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let is_valid = self.tokens.get(token).is_some_and(|ends_at| now < *ends_at);
        if self.faults.contains(&Fault::ShortTokens) {
            self.tokens.remove(token);
        }
        (!is_valid).then(|| error(StatusCode::UNAUTHORIZED, "ExpiredToken", "The access token is expired"))
    }
}

async fn document(State(vbr): Shared, Path(revision): Path<String>) -> Response {
    let inner = vbr.inner();
    let is_served = inner.revisions.iter().any(|served| revision.strip_prefix('v') == Some(served));
    if is_served && inner.serves_documents {
        axum::Json(json!({"openapi": "3.0.1", "info": {"title": "REST API", "version": revision}})).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

async fn token(State(vbr): Shared, axum::Form(form): axum::Form<BTreeMap<String, String>>) -> Response {
    let now = vbr.clock.now();
    let mut inner = vbr.inner();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let is_allowed = match field("grant_type").to_ascii_lowercase().as_str() {
        "password" => {
            let is_right = field("username") == vbr.username && field("password") == vbr.password;
            is_right && !inner.faults.contains(&Fault::OtherPassword)
        }
        "refresh_token" => inner.tokens.remove(field("refresh_token").trim_start_matches("refresh-")).is_some(),
        _ => false,
    };
    if !is_allowed {
        return error(StatusCode::UNAUTHORIZED, "AccessDenied", "Authentication failed");
    }
    inner.tokens_made += 1;
    let access = format!("access-{}", inner.tokens_made);
    let ends_at = now + TimeDelta::seconds(inner.token_seconds);
    inner.tokens.insert(access.clone(), ends_at);
    axum::Json(json!({
        "access_token": access, "token_type": "bearer", "refresh_token": format!("refresh-{access}"),
        "expires_in": inner.token_seconds, ".issued": rfc3339(now), ".expires": rfc3339(ends_at),
    }))
    .into_response()
}

async fn logout(State(vbr): Shared, request: Request) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    vbr.inner().tokens.remove(token);
    axum::Json(json!({})).into_response()
}

async fn server_time(State(vbr): Shared) -> Response {
    let now = vbr.clock.now();
    let server_time = now.format("%Y-%m-%dT%H:%M:%S.%6f0+00:00").to_string();
    axum::Json(
        json!({"serverTime": server_time, "timeZone": "(UTC) Coordinated Universal Time", "ianaTimeZoneId": "Etc/UTC"}),
    )
    .into_response()
}

async fn server_info(State(vbr): Shared) -> Response {
    let build = vbr.inner().build.clone();
    let (estate, _) = vbr.estate();
    let vbr_id = vbr.inner().installation(&estate);
    axum::Json(json!({
        "vbrId": vbr_id, "name": estate.plan.server, "buildVersion": build, "patches": [],
        "databaseVendor": "PostgreSql", "sqlServerEdition": "", "sqlServerVersion": "17.2",
        "databaseSchemaVersion": "13.1.0.411", "databaseContentVersion": "13.1.0.411", "platform": "Linux",
        "veeamRegistration": {"isRegistered": false},
    }))
    .into_response()
}

async fn license(State(vbr): Shared) -> Response {
    let (estate, now) = vbr.estate();
    let mut shown = pages::license(&estate, now);
    if vbr.inner().faults.contains(&Fault::NoLicense) {
        shown = json!({"status": "Invalid", "type": shown["type"]});
    }
    axum::Json(shown).into_response()
}

async fn instances(State(vbr): Shared, Query(parameters): Parameters) -> Response {
    let (estate, now) = vbr.estate();
    let mut inner = vbr.inner();
    let (skip, limit) = window(&parameters);
    if inner.faults.contains(&Fault::EmptyList) {
        return in_json(br#"{"data":[],"pagination":{"total":0,"count":0,"skip":0,"limit":null}}"#.to_vec());
    }
    let moving = u64::from(inner.faults.contains(&Fault::MovingTotal)) * (skip as u64 + 1);
    let (rows, rows_max) = if inner.faults.contains(&Fault::MovingRows) {
        (Rows::Moving, inner.rows_max.min(MOVING_ROWS))
    } else if inner.faults.contains(&Fault::DoubledRow) {
        (Rows::Doubled, inner.rows_max)
    } else {
        (Rows::Still, inner.rows_max)
    };
    let limit = limit.min(rows_max);
    in_json(inner.pages.instances(&estate, now, (skip, limit), moving, rows))
}

async fn create_report(State(vbr): Shared) -> Response {
    if vbr.inner().faults.contains(&Fault::NoReport) {
        return error(StatusCode::FORBIDDEN, "AccessDenied", "Reports are disabled");
    }
    let (estate, now) = vbr.estate();
    let report: Value = pages::report(&estate, now, vbr.inner().installation(&estate));
    ([(header::CONTENT_TYPE, "application/octet-stream")], report.to_string()).into_response()
}

async fn restore_points(State(vbr): Shared, Query(parameters): Parameters) -> Response {
    let (estate, now) = vbr.estate();
    let mut inner = vbr.inner();
    if inner.faults.contains(&Fault::NoRestorePoints) {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "UnknownError", "The database is busy");
    }
    let (skip, limit) = window(&parameters);
    let after = parameters.get("createdAfterFilter").and_then(|text| text.parse().ok()).unwrap_or(Instant::UNIX_EPOCH);
    in_json(inner.pages.restore_points(&estate, now, after, parameters.get("nameFilter"), (skip, limit)))
}

fn window(parameters: &BTreeMap<String, String>) -> (usize, usize) {
    let number = |name: &str, otherwise| parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    (number("skip", 0), number("limit", 200))
}

fn in_json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, axum::Json(json!({"errorCode": code, "message": message}))).into_response()
}

/// The first part of an answer, as if the connection had been closed in good order.
async fn halved(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() * HALF_PERCENT / 100)))
}
