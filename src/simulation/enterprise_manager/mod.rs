//! An Enterprise Manager that answers like the REST API v1.7: JSON and XML over an [`axum::Router`], with faults.
//!
//! Its tenants and their counters follow from the estates of the Cloud Connect servers it manages.

mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

use super::estate::Estate;
use super::wire::{PASSWORD, USERNAME, basic};
use crate::doors::Clock;
use pages::{HOST, Tenant, counted, write_xml};

const SESSION_HEADER: &str = "x-restsvcsessionid";
/// The server's part of a half answer, in percent.
const HALF_PERCENT: usize = 60;
/// Tenants on a page whose rows move.
const MOVING_ROWS: usize = 3;

/// What an Enterprise Manager can be made to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Every resource answers 500.
    ServerErrors,
    /// Every resource answers 200 with a web page.
    Html,
    /// Answers end in the middle.
    HalfAnswers,
    /// The password is another one.
    OtherPassword,
    /// The account may log in and see nothing.
    Forbidden,
    /// The session is lost after it was used once; the next one lives.
    LostSession,
    /// Answers are XML, whatever is asked for.
    OnlyXml,
    /// The query is not known: tenants have to be read one by one.
    NoQuery,
    /// Each tenant has a VM more than its server lists.
    OneVmMore,
    /// Three tenants a page, whatever is asked for; after the first page its first tenant goes and the others move up.
    MovingRows,
}

/// One simulated Enterprise Manager.
pub struct EnterpriseManager {
    /// The backup servers it manages, as it calls them.
    servers: Vec<(String, Arc<Mutex<Estate>>)>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    faults: BTreeSet<Fault>,
    sessions: BTreeSet<String>,
    sessions_made: u64,
    asked: BTreeMap<String, u32>,
}

type Shared = State<Arc<EnterpriseManager>>;

impl EnterpriseManager {
    pub fn new(servers: Vec<(String, Arc<Mutex<Estate>>)>, clock: Arc<dyn Clock>) -> Arc<EnterpriseManager> {
        Arc::new(EnterpriseManager { servers, clock, inner: Mutex::default() })
    }

    /// Has exactly these faults from here on.
    pub fn set_faults(&self, faults: &[Fault]) {
        self.inner().faults = faults.iter().copied().collect();
    }

    /// How often each path was asked, without queries.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.inner().asked.clone()
    }

    /// Sessions that were opened and not closed.
    pub fn open_sessions(&self) -> usize {
        self.inner().sessions.len()
    }

    /// Its HTTP interface.
    pub fn router(self: &Arc<EnterpriseManager>) -> Router {
        let shared = Arc::clone(self);
        Router::new()
            .route("/api/sessionMngr/", post(log_on))
            .route("/api/logonSessions/{id}", delete(log_off))
            .route("/api/query", get(query))
            .route("/api/cloud/tenants", get(references))
            .route("/api/cloud/tenants/{id}", get(tenant))
            .route("/api/cloud/tenants/{id}/freelicenseCounters", get(free_counters))
            .layer(from_fn_with_state(Arc::clone(&shared), guard))
            .with_state(shared)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, fault: Fault) -> bool {
        self.inner().faults.contains(&fault)
    }

    /// Every tenant with its counters, by server and name.
    fn tenants(&self) -> Vec<Tenant> {
        let now = self.clock.now();
        let one_more = u32::from(self.has(Fault::OneVmMore));
        let mut tenants = Vec::new();
        for (server, estate) in &self.servers {
            let mut estate = estate.lock().unwrap_or_else(PoisonError::into_inner);
            estate.advance(now);
            for (name, mut counters) in counted(&estate, now) {
                *counters.entry("BackupCount").or_default() += one_more;
                tenants.push(Tenant { server: server.clone(), name, counters });
            }
        }
        tenants
    }

    fn named(&self, id: &str) -> Option<Tenant> {
        self.tenants().into_iter().find(|tenant| tenant.id() == id)
    }
}

/// Counts, refuses, breaks: what stands before every resource.
async fn guard(State(manager): Shared, request: Request, next: Next) -> Response {
    let refused = manager.inner().refusal(&request);
    let date = manager.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = match refused {
        Some(response) => response,
        None => next.run(request).await,
    };
    if manager.has(Fault::HalfAnswers) {
        response = halved(response).await;
    }
    response.headers_mut().extend(HeaderValue::from_str(&date).map(|date| (header::DATE, date)));
    response
}

impl Inner {
    fn refusal(&mut self, request: &Request) -> Option<Response> {
        let path = request.uri().path();
        *self.asked.entry(path.to_owned()).or_default() += 1;
        if self.faults.contains(&Fault::ServerErrors) {
            return Some(error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"));
        }
        if self.faults.contains(&Fault::Html) {
            return Some("<!DOCTYPE html><html><body>Sign in</body></html>".into_response());
        }
        if path == "/api/sessionMngr/" {
            return None;
        }
        let session = request.headers().get(SESSION_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !self.sessions.contains(session) {
            return Some(error(StatusCode::UNAUTHORIZED, "The session is not known"));
        }
        if self.faults.remove(&Fault::LostSession) {
            self.sessions.remove(session);
        }
        let is_forbidden = self.faults.contains(&Fault::Forbidden) && !path.starts_with("/api/logonSessions/");
        is_forbidden.then(|| error(StatusCode::FORBIDDEN, "Access is denied"))
    }
}

async fn log_on(State(manager): Shared, request: Request) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let is_right = authorization == Some(basic(USERNAME, PASSWORD).as_str());
    if !is_right || manager.has(Fault::OtherPassword) {
        return error(StatusCode::UNAUTHORIZED, "The user name or password is incorrect");
    }
    let token = {
        let mut inner = manager.inner();
        inner.sessions_made += 1;
        let token = format!("session-{}", inner.sessions_made);
        inner.sessions.insert(token.clone());
        token
    };
    let href = format!("{HOST}/api/logonSessions/{token}");
    let session = json!({
        "Links": [{"Rel": "Delete", "Href": href, "Type": "LogonSession"}],
        "UserName": USERNAME, "SessionId": token, "Href": href, "Type": "LogonSession",
    });
    let mut response = answered(&manager, &request, "LogonSession", &session);
    *response.status_mut() = StatusCode::CREATED;
    response
        .headers_mut()
        .extend(HeaderValue::from_str(&token).map(|token| (header::HeaderName::from_static(SESSION_HEADER), token)));
    response
}

async fn log_off(State(manager): Shared, Path(id): Path<String>) -> StatusCode {
    manager.inner().sessions.remove(&id);
    StatusCode::NO_CONTENT
}

async fn query(
    State(manager): Shared,
    Query(parameters): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    let is_known = parameters.get("type").is_some_and(|kind| kind == "CloudTenant");
    if !is_known || manager.has(Fault::NoQuery) {
        return error(StatusCode::BAD_REQUEST, "The type is not known");
    }
    let number = |name: &str| parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(1_usize).max(1);
    let (page, mut size) = (number("page"), number("pageSize"));
    let mut tenants = manager.tenants();
    tenants.sort_by(|one, other| one.name.cmp(&other.name));
    if manager.has(Fault::MovingRows) {
        size = size.min(MOVING_ROWS);
        tenants.drain(..usize::from(page > 1).min(tenants.len()));
    }
    let pages = tenants.len().div_ceil(size).max(1);
    let shown: Vec<Value> =
        tenants.iter().skip((page - 1) * size).take(size).map(|tenant| Value::Object(tenant.entity())).collect();
    let result = json!({
        "Entities": {"CloudTenants": {"CloudTenants": shown}},
        "PagingInfo": {"Links": [], "PageNum": page, "PageSize": size, "PagesCount": pages},
    });
    answered(&manager, &request, "QueryResult", &result)
}

async fn references(State(manager): Shared, request: Request) -> Response {
    let references: Vec<Value> = manager.tenants().iter().map(|tenant| Value::Object(tenant.reference())).collect();
    answered(&manager, &request, "EntityReferences", &json!({"Refs": references}))
}

async fn tenant(State(manager): Shared, Path(id): Path<String>, request: Request) -> Response {
    match manager.named(&id) {
        Some(tenant) => answered(&manager, &request, "CloudTenant", &Value::Object(tenant.entity())),
        None => error(StatusCode::NOT_FOUND, "No such tenant"),
    }
}

async fn free_counters(State(manager): Shared, Path(id): Path<String>, request: Request) -> Response {
    match manager.named(&id) {
        Some(tenant) => {
            answered(&manager, &request, "CloudTenantFreeLicenseCounters", &Value::Object(tenant.free_counters()))
        }
        None => error(StatusCode::NOT_FOUND, "No such tenant"),
    }
}

/// XML is the default; JSON is asked for.
fn answered(manager: &EnterpriseManager, request: &Request, name: &str, value: &Value) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("json") && !manager.has(Fault::OnlyXml) {
        return ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], value.to_string()).into_response();
    }
    let mut xml = r#"<?xml version="1.0" encoding="utf-8"?>"#.to_owned();
    write_xml(&mut xml, name, value);
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], xml).into_response()
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"Message": message, "FirstChanceExceptionMessage": null, "StackTrace": null})))
        .into_response()
}

/// The first part of an answer, as if the connection had been closed in good order.
async fn halved(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, axum::body::Body::from(bytes.slice(..bytes.len() * HALF_PERCENT / 100)))
}
