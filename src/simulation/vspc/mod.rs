//! A console that answers like VSPC 9.2: real JSON over an [`axum::Router`] about simulated estates, with faults.

mod pages;
mod reports;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::estate::Estate;
use crate::domain::console_report::WhyLeftOut;
use crate::domain::{Instant, Month, Points};
use crate::doors::Clock;

pub use pages::Role;

/// Longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Looks at a queued action that find it running.
const LOOKS_RUNNING: u32 = 2;
/// What read-only tokens begin with.
const READ_ONLY: &str = "reading";
/// A page without a stated limit.
const LIMIT_DEFAULT: usize = 100;

/// Rows on a page whose rows move.
const MOVING_ROWS: usize = 2;

/// What a console can be made to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Every list is queued first.
    Queues,
    /// What was queued fails.
    QueuedFails,
    /// HTTP 520 with an error that passes.
    Passing,
    /// HTTP 520 with an error that stays.
    Lasting,
    /// 200 with `data: null` and an error.
    EmptyHanded,
    /// Lists have another total on each page.
    MovingTotal,
    /// Pages hold few rows; after the first page its first row goes and another comes at the end: the total stands.
    MovingRows,
    /// A month's report is only given by its first day.
    DatedReports,
    /// Reports are given by the day on which they were made, so that only the newest is found.
    ReportsByGeneration,
    /// What is finalized is answered as a trouble of its own.
    LosesFinalizing,
    /// The report cannot be approved, and so not finalized.
    NotApprovable,
    /// The key or account may read, and nothing else.
    ReadOnly,
    /// The password is another one.
    OtherPassword,
    /// The account asks for a second factor.
    SecondFactor,
    /// The key or token is refused.
    NotLetIn,
    /// Every resource answers with a web page.
    Html,
}

/// A backup server that the console manages.
#[derive(Clone)]
pub struct Managed {
    pub uid: Uuid,
    pub name: String,
    pub role: Role,
    pub estate: Arc<Mutex<Estate>>,
    /// Since when the console has nothing fresh of it, and what it calls that.
    pub ill: Option<(Instant, &'static str)>,
    /// The console's monthly report leaves it out, and why.
    pub left_out: Option<WhyLeftOut>,
    /// Machines and the weight of one that the console states for each of its types instead of the true ones.
    pub misstated: Option<(u32, Points)>,
}

/// One simulated console.
pub struct Vspc {
    clock: Arc<dyn Clock>,
    username: String,
    password: String,
    api_key: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    servers: Vec<Managed>,
    faults: BTreeSet<Fault>,
    /// Requests that still fail in passing.
    passing: u32,
    tokens: BTreeSet<String>,
    /// Queued requests by action: what was asked, and looks that still find it running.
    queued: BTreeMap<String, (Asked, u32)>,
    /// Months whose report was finalized, and when.
    finalized: reports::Finalized,
    /// How often each path was asked.
    asked: BTreeMap<String, u32>,
    versions: BTreeSet<String>,
}

impl Vspc {
    pub fn new(clock: Arc<dyn Clock>, username: &str, password: &str, api_key: &str) -> Arc<Vspc> {
        let (username, password, api_key) = (username.to_owned(), password.to_owned(), api_key.to_owned());
        Arc::new(Vspc { clock, username, password, api_key, inner: Mutex::default() })
    }

    /// Manages one more server; its uid follows from its name and installation.
    pub fn manage(&self, name: &str, role: Role, estate: Arc<Mutex<Estate>>) {
        let installation = {
            let estate = estate.lock().unwrap_or_else(PoisonError::into_inner);
            estate.license.installation_id.clone().unwrap_or_default()
        };
        let uid = Uuid::new_v5(&Uuid::NAMESPACE_DNS, format!("{name}/{installation}").as_bytes());
        self.inner().servers.push(Managed {
            uid,
            name: name.to_owned(),
            role,
            estate,
            ill: None,
            left_out: None,
            misstated: None,
        });
    }

    /// Changes the server of this name.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Managed)) {
        let mut inner = self.inner();
        let found = inner.servers.iter_mut().find(|server| server.name == name);
        change(found.expect("the console manages the server"));
    }

    /// Manages the server of this name no longer.
    pub fn forget(&self, name: &str) {
        self.inner().servers.retain(|server| server.name != name);
    }

    /// Has exactly these faults from here on; what passes does so after two requests.
    pub fn set_faults(&self, faults: &[Fault]) {
        let mut inner = self.inner();
        inner.faults = faults.iter().copied().collect();
        inner.passing = 2;
    }

    /// How often each path was asked, without queries.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.inner().asked.clone()
    }

    /// Months whose report was finalized here, and when.
    pub fn finalized(&self) -> BTreeMap<Month, Instant> {
        self.inner().finalized.clone()
    }

    /// Somebody finalizes the month's report in the console.
    pub fn finalize(&self, month: Month) {
        let now = self.clock.now();
        self.inner().finalized.insert(month, now);
    }

    /// The versions that clients named.
    pub fn versions(&self) -> BTreeSet<String> {
        self.inner().versions.clone()
    }

    /// The console's HTTP interface.
    pub fn router(self: &Arc<Vspc>) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(self))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the request, lets it in or not, and answers.
async fn answer(State(vspc): State<Arc<Vspc>>, request: Request) -> Response {
    let now = vspc.clock.now();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, REQUEST_BYTES_MAX).await.unwrap_or_default();
    let header_of = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let path = parts.uri.path().to_owned();
    let asked = Asked {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        bearer: header_of("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
        request_id: header_of("x-request-id").unwrap_or_else(|| Uuid::nil().to_string()),
        is_post: parts.method == Method::POST,
        path,
    };
    let mut response = {
        let mut inner = vspc.inner();
        *inner.asked.entry(asked.path.clone()).or_default() += 1;
        inner.versions.extend(header_of("x-client-version"));
        if inner.faults.contains(&Fault::Html) {
            "<!DOCTYPE html><html><body>Sign in</body></html>".into_response()
        } else if asked.path == "/api/v3/token" && parts.method == Method::POST {
            token(&vspc, &mut inner, &body)
        } else {
            resource(&vspc, &mut inner, &asked, now)
        }
    };
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// One request, its parts that matter.
#[derive(Clone)]
struct Asked {
    path: String,
    is_post: bool,
    query: String,
    bearer: Option<String>,
    request_id: String,
}

fn token(vspc: &Vspc, inner: &mut Inner, body: &[u8]) -> Response {
    let form = String::from_utf8_lossy(body).into_owned();
    let field = |name: &str| fields(&form).find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default();
    let is_right = field("username") == vspc.username && field("password") == vspc.password;
    if field("grant_type") != "password" || !is_right || inner.faults.contains(&Fault::OtherPassword) {
        let refusal =
            json!({"error": "invalid_grant", "error_description": "Wrong user name or password.", "error_uri": null});
        return (StatusCode::BAD_REQUEST, axum::Json(refusal)).into_response();
    }
    if inner.faults.contains(&Fault::SecondFactor) {
        return axum::Json(oauth(None, Some("mfa-1"))).into_response();
    }
    let kind = if field("readOnly") == "true" { READ_ONLY } else { "access" };
    let access = format!("{kind}-{}", inner.tokens.len() + 1);
    inner.tokens.insert(access.clone());
    axum::Json(oauth(Some(&access), None)).into_response()
}

fn oauth(access: Option<&str>, second_factor: Option<&str>) -> Value {
    let refresh = access.map(|access| format!("refresh-{access}"));
    json!({"access_token": access, "token_type": "bearer", "refresh_token": refresh, "mfa_token": second_factor,
           "encrypted_code": null, "expires_in": 3600})
}

fn resource(vspc: &Vspc, inner: &mut Inner, asked: &Asked, now: Instant) -> Response {
    let bearer = asked.bearer.as_deref().unwrap_or_default();
    let is_known = bearer == vspc.api_key || inner.tokens.contains(bearer);
    if !is_known || inner.faults.contains(&Fault::NotLetIn) {
        return errors(StatusCode::UNAUTHORIZED, "security", "The key or token is not valid.");
    }
    if let Some(action) = asked.path.strip_prefix("/api/v3/asyncActions/") {
        return queued_action(inner, action, now);
    }
    let server_error = StatusCode::from_u16(520).expect("three digits");
    if inner.faults.contains(&Fault::Lasting) {
        return errors(server_error, "logical", "The object is in a wrong state.");
    }
    if inner.faults.contains(&Fault::Passing) && inner.passing > 0 {
        inner.passing -= 1;
        return errors(server_error, "retryableLogical", "The database is busy.");
    }
    if asked.is_post && (bearer.starts_with(READ_ONLY) || inner.faults.contains(&Fault::ReadOnly)) {
        return errors(StatusCode::FORBIDDEN, "security", "Read-only access.");
    }
    if inner.faults.contains(&Fault::Queues) || inner.faults.contains(&Fault::QueuedFails) {
        inner.queued.insert(asked.request_id.clone(), (asked.clone(), LOOKS_RUNNING));
        let location = format!("https://vspc:1280/api/v3/asyncActions/{}", asked.request_id);
        return (StatusCode::ACCEPTED, [(header::LOCATION, location)], Body::empty()).into_response();
    }
    done(inner, asked, now)
}

/// What was asked: a page of a list, or the one deed that a console is asked here.
fn done(inner: &mut Inner, asked: &Asked, now: Instant) -> Response {
    if !asked.is_post {
        return listed(inner, &format!("{}?{}", asked.path, asked.query), now);
    }
    if asked.path != "/api/v3/licensing/reports/finalization" {
        return errors(StatusCode::NOT_FOUND, "logical", "No such resource.");
    }
    let status = if inner.faults.contains(&Fault::NotApprovable) {
        "NotApprovable"
    } else {
        inner.finalized.entry(Month::of(now).previous()).or_insert(now);
        "Finalization"
    };
    if inner.faults.contains(&Fault::LosesFinalizing) {
        return errors(StatusCode::from_u16(520).expect("three digits"), "unspecified", "The service was restarted.");
    }
    axum::Json(json!({"data": {"reportApprovalStatus": status, "message": status}, "meta": null, "errors": null}))
        .into_response()
}

/// Whether a queued action has ended, or what it gave.
fn queued_action(inner: &mut Inner, action: &str, now: Instant) -> Response {
    let (id, wants_result) = action.strip_suffix("/result").map_or((action, false), |id| (id, true));
    let fails = inner.faults.contains(&Fault::QueuedFails);
    let Some((asked, looks)) = inner.queued.get_mut(id) else {
        return errors(StatusCode::NOT_FOUND, "logical", "No such action.");
    };
    if wants_result {
        let asked = asked.clone();
        return done(inner, &asked, now);
    }
    let status = match (*looks, fails) {
        (0, true) => "failed",
        (0, false) => "succeed",
        (_, _) => "running",
    };
    *looks = looks.saturating_sub(1);
    axum::Json(json!({"data": {"id": id, "initiatorUid": Uuid::nil(), "actionName": "GetResource", "status": status,
                               "requestBody": null, "queryParameters": {}}}))
    .into_response()
}

/// A page of a list.
fn listed(inner: &Inner, target: &str, now: Instant) -> Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let number = |name: &str, otherwise| {
        fields(query).find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(otherwise)
    };
    if inner.faults.contains(&Fault::EmptyHanded) {
        let error = json!([{"message": "The database is busy.", "type": "retryableLogical", "code": 1}]);
        return axum::Json(json!({"data": null, "meta": null, "errors": error})).into_response();
    }
    let date = path.strip_prefix("/api/v3/licensing/reports/").filter(|date| *date != "latest");
    if date.is_some() && inner.faults.contains(&Fault::ReportsByGeneration) {
        return errors(StatusCode::NOT_FOUND, "logical", "No report was made then.");
    }
    if date.is_some_and(|date| date.len() < "2026-10-01".len()) && inner.faults.contains(&Fault::DatedReports) {
        return errors(StatusCode::BAD_REQUEST, "logical", "The value is no date.");
    }
    let rows = match path.strip_prefix("/api/v3/licensing/reports/") {
        Some(date) => reports::rows(&inner.servers, &inner.finalized, date, now),
        None => pages::rows(&inner.servers, path.trim_start_matches("/api/v3"), now),
    };
    let Some(rows) = rows else {
        return errors(StatusCode::NOT_FOUND, "logical", "No such resource.");
    };
    if path.ends_with("/licensing/sites") {
        return axum::Json(json!({"data": rows})).into_response();
    }
    let (offset, mut limit): (usize, usize) = (number("offset", 0), number("limit", LIMIT_DEFAULT));
    let mut rows = rows;
    if inner.faults.contains(&Fault::MovingRows) {
        limit = limit.min(MOVING_ROWS);
        pages::move_rows(&mut rows, offset);
    }
    let moving = if inner.faults.contains(&Fault::MovingTotal) { offset + 1 } else { 0 };
    let total = rows.len() + moving;
    let page: Vec<Value> = rows.into_iter().skip(offset).take(limit).collect();
    let paging = json!({"total": total, "count": page.len(), "offset": offset});
    axum::Json(json!({"data": page, "meta": {"pagingInfo": paging}})).into_response()
}

fn errors(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, axum::Json(json!({"errors": [{"message": message, "type": kind, "code": 100}]}))).into_response()
}

/// Fields of a form or query; the simulated ones need no unescaping.
fn fields(text: &str) -> impl Iterator<Item = (&str, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key, value.replace('+', " ").replace("%40", "@")))
}
