//! Who may come in beside the control socket: the bearer of a token, or a browser that is signed in.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tracing::warn;

use super::metrics;
use super::problem::{problem, with_status};
use super::routes::{House, below_v1, known};
use crate::agent::{Knock, Query, Refused};
use crate::domain::Instant;
use crate::domain::people::Person;
use crate::people::{Doorkeeper, TooMany, token};

/// What a browser's script says to show that a page of ours sent it.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 256;

/// Somebody who is signed in at the console.
pub struct Seated {
    pub person: Person,
    pub csrf: String,
}

/// Who sits at the console by the request's cookies; `None`: nobody.
pub type Seat = Pin<Box<dyn Future<Output = Result<Option<Seated>, Refused>> + Send>>;

/// Looks who sits there; the console knows its cookies.
pub type SeatOf = Arc<dyn Fn(HeaderMap) -> Seat + Send + Sync>;

/// What the entry stands on.
#[derive(Clone)]
pub struct Entry {
    pub house: House,
    pub doorkeeper: Arc<Doorkeeper>,
    pub seat_of: SeatOf,
}

/// The API beside the console: everything but the document itself wants to know who asks.
pub fn router(entry: Entry) -> Router {
    let inside = known(entry.house.clone()).layer(middleware::from_fn_with_state(entry, let_in));
    below_v1(inside)
}

/// `/metrics` for those who may see what is known.
pub fn metrics(entry: Entry) -> Router {
    let metrics = metrics::router(entry.house.desk.clone());
    metrics.layer(middleware::from_fn_with_state(entry, let_in))
}

/// Takes the address that a proxy in front names, the one it saw itself: the last.
pub async fn told_by_proxy(mut request: Request, next: Next) -> Response {
    let said = request.headers().get_all("x-forwarded-for").iter().next_back();
    let last = said.and_then(|said| address(said.to_str().ok()?.rsplit(',').next()?.trim()));
    if let Some(address) = last {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
    }
    next.run(request).await
}

/// An address as proxies write it: some with the port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse::<IpAddr>().ok().or_else(with_port)
}

/// Lets requests through with their [`Person`], and says 401 or 403 to others.
async fn let_in(State(entry): State<Entry>, mut request: Request, next: Next) -> Response {
    let person = match request.headers().get(header::AUTHORIZATION).cloned() {
        Some(shown) => bearer(&entry, &shown, from(&request)).await,
        None => seated(&entry, request.method(), request.headers()).await,
    };
    match person {
        Ok(person) => {
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        Err(refusal) => refusal,
    }
}

/// The address of whoever asks; loopback when nobody says so, as in tests.
fn from(request: &Request) -> IpAddr {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    from.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(from)| from.ip())
}

/// Whose token it is. Failures alone are counted and limited: a token that works is let in whatever others try.
async fn bearer(entry: &Entry, shown: &HeaderValue, from: IpAddr) -> Result<Person, Response> {
    let shown = shown.to_str().unwrap_or_default();
    let (scheme, text) = shown.split_once(' ').unwrap_or((shown, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() || TOKEN_BYTES_MAX < text.len() {
        return Err(who_are_you("invalid_request", "write Authorization: Bearer tgt_…, or sign in at the console"));
    }
    let hash = token::hash_of(text.trim());
    let name = format!("token {}", &hash.expose()[..16]);
    match entry.house.desk.ask(Query::Knock(Knock::Token { hash })).await {
        Ok(holder) => serde_json::from_value(holder["person"].clone())
            .map_err(|_| problem(&Refused::new(1, "the token's holder is not understood; see the agent's log"))),
        Err(refused) if matches!(refused.code, 3 | 66 | 77) => {
            let now = entry.house.clock.now();
            entry.doorkeeper.failed_token(&name, from, now).map_err(|many| too_many(many, from, now))?;
            warn!(event = "token.refused", %from, "a token does not work");
            Err(who_are_you(
                "invalid_token",
                "this token is unknown, has expired or was revoked; make another with `tidegauge token add`",
            ))
        }
        Err(refused) => Err(problem(&refused)),
    }
}

fn too_many(many: TooMany, from: IpAddr, now: Instant) -> Response {
    warn!(event = "token.limited", %from, "too many tokens that do not work");
    let mut refusal = with_status(StatusCode::TOO_MANY_REQUESTS, &Refused::new(75, many.to_string()));
    let wait = (many.again_at - now).num_seconds().max(1).to_string();
    refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_str(&wait).expect("digits"));
    refusal
}

/// Who is signed in. What a session changes has to say its CSRF token: a cookie alone may be sent by another site's page.
async fn seated(entry: &Entry, method: &Method, headers: &HeaderMap) -> Result<Person, Response> {
    let seat = (entry.seat_of)(headers.clone()).await.map_err(|refused| problem(&refused))?;
    let Some(Seated { person, csrf }) = seat else {
        return Err(who_are_you("", "show a token (Authorization: Bearer tgt_…) or sign in at the console"));
    };
    let said = headers.get(CSRF_HEADER).and_then(|said| said.to_str().ok()).unwrap_or_default();
    if matches!(*method, Method::GET | Method::HEAD) || token::hash_of(&csrf) == token::hash_of(said) {
        return Ok(person);
    }
    let why = "this request changes something and has no X-CSRF-Token of its session; nothing was done";
    Err(problem(&Refused::new(77, why)))
}

fn who_are_you(error: &str, why: &str) -> Response {
    let mut refusal = with_status(StatusCode::UNAUTHORIZED, &Refused::new(77, why));
    let challenge = match error {
        "" => "Bearer realm=\"tidegauge\"".to_owned(),
        error => format!("Bearer realm=\"tidegauge\", error=\"{error}\""),
    };
    let challenge = HeaderValue::from_str(&challenge).expect("a challenge is text");
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    refusal
}
