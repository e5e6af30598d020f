//! The way in and out: signing in, the invitation's page, signing out, and whose request it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Form, Path, Query as Parameters, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tracing::{info, warn};

use super::forms::Fields;
use super::pages::html;
use super::{House, by_provider, cookie, refusal};
use crate::agent::{Knock, Order, Query, Refused};
use crate::domain::people::{Person, Role, SecretHash};
use crate::people::{Session, Under, password, token};

/// Longest name that is looked at.
const NAME_BYTES_MAX: usize = 256;

/// Who makes a request, and by which session.
pub struct Seat {
    pub person: Person,
    pub session: Session,
    pub secret: SecretString,
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn<'a> {
    name: &'a str,
    to: &'a str,
    refused: Option<&'a str>,
    /// Where signing in by the provider begins; `None`: there is none.
    provider: Option<String>,
}

#[derive(Template)]
#[template(path = "console/welcome.html")]
struct Welcome<'a> {
    name: &'a str,
    code: &'a str,
    refused: Option<&'a str>,
}

/// The pages that need no session.
pub fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/sign-in", get(ask_who).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/welcome/{code}", get(ask_password).post(choose_password))
}

/// Lets requests of a session through with their [`Seat`], and sends everybody else to the sign-in.
pub async fn signed_in(State(house): State<Arc<House>>, mut request: Request, next: Next) -> Response {
    if let Err(refused) = came_from_here(request.method(), request.headers()) {
        return refusal(&refused);
    }
    match seat(&house, request.headers()).await {
        Ok(Some(seat)) => {
            request.extensions_mut().insert(Arc::new(seat));
            next.run(request).await
        }
        Ok(None) if request.method() == Method::GET => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            onward(&format!("/sign-in?to={}", super::shown::encoded(path)))
        }
        Ok(None) => refusal(&Refused::new(77, "the session has ended; sign in again, then repeat what you did")),
        Err(refused) => refusal(&refused),
    }
}

/// Whose session the request's cookie names, with the role of this moment.
///
/// # Errors
/// The agent's refusal.
pub async fn seat(house: &House, headers: &HeaderMap) -> Result<Option<Seat>, Refused> {
    let Some(secret) = session_cookie(house, headers) else { return Ok(None) };
    let Some(session) = house.doorkeeper.session(&secret, house.clock.now()) else { return Ok(None) };
    let person = match session.under {
        Under::Provider(role) => Some(Person::guest(&session.name, role)),
        Under::Lock(lock) => known(house, &session.name).await?.under(lock),
    };
    let Some(person) = person else {
        house.doorkeeper.close(&secret);
        return Ok(None);
    };
    Ok(Some(Seat { person, session, secret: SecretString::from(secret) }))
}

fn session_cookie(house: &House, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    cookies.filter_map(|header| cookie::read(header, house.manner.secure)).next().map(str::to_owned)
}

/// A page of another site may send a form here; browsers say where it came from.
fn came_from_here(method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let elsewhere = match (said("sec-fetch-site"), said("origin"), said("host")) {
        (Some(site), _, _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin.split_once("://").map(|(_, rest)| rest) != Some(host),
        (None, Some(_) | None, _) => false,
    };
    if elsewhere {
        return Err(Refused::new(77, "this form was sent from another site; nothing was done"));
    }
    Ok(())
}

/// What signing in needs of a user: both are missing when there is none, or none who may come in.
#[derive(Default, Deserialize)]
pub struct Known {
    person: Option<Person>,
    pub password: Option<SecretHash>,
    /// Under which sessions are opened; those of another one have ended.
    #[serde(default)]
    pub lock: u64,
}

impl Known {
    /// Who he is, if his sessions of this lock hold.
    fn under(self, lock: u64) -> Option<Person> {
        self.person.filter(|_| self.lock == lock)
    }
}

/// Why somebody is not signed in.
enum Shut {
    /// Too many tries.
    Limited(String),
    /// What he gave is not right, or came from elsewhere.
    Wrong(String),
    /// Nobody could say whether it is.
    Unanswered(Refused),
}

/// What is known of a name.
///
/// # Errors
/// The agent's refusal, but not that there is no such user.
pub async fn known(house: &House, name: &str) -> Result<Known, Refused> {
    let found: Option<Known> = read(internal(house, Query::Knock(Knock::SignIn { name: name.to_owned() })).await)?;
    Ok(found.unwrap_or_default())
}

/// Asks what only the program itself may know.
pub(super) async fn internal(house: &House, query: Query) -> Result<Value, Refused> {
    (house.back.ask)(query, Person::owner("console")).await
}

fn read<T: serde::de::DeserializeOwned>(answer: Result<Value, Refused>) -> Result<Option<T>, Refused> {
    match answer {
        Ok(found) => super::answers::one(found).map(Some),
        Err(refused) if matches!(refused.code, 3 | 66) => Ok(None),
        Err(refused) => Err(refused),
    }
}

async fn ask_who(State(house): State<Arc<House>>, Parameters(fields): Parameters<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let to = local(fields.text("to"));
    let provider = by_provider::link(&house, to);
    Html(html(&SignIn { name: "", to, refused: None, provider })).into_response()
}

async fn sign_in(
    State(house): State<Arc<House>>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let (name, to) = (fields.text("name").unwrap_or_default(), local(fields.text("to")));
    let from = address_of(from);
    let tried = match came_from_here(&Method::POST, &headers) {
        Ok(()) => tried(&house, name, fields.all("password").next().unwrap_or_default(), from).await,
        Err(refused) => Err(Shut::Wrong(refused.why)),
    };
    let page =
        |why: &str| Html(html(&SignIn { name, to, refused: Some(why), provider: by_provider::link(&house, to) }));
    match tried {
        Ok(secret) => entered(&house, &secret, to),
        Err(Shut::Wrong(why)) => (StatusCode::UNAUTHORIZED, page(&why)).into_response(),
        Err(Shut::Limited(why)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], page(&why)).into_response()
        }
        Err(Shut::Unanswered(refused)) => refusal(&refused),
    }
}

/// Where a browser is; loopback when nobody says so, as in tests.
pub(super) fn address_of(from: Option<Extension<ConnectInfo<SocketAddr>>>) -> IpAddr {
    from.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(ConnectInfo(from))| from.ip())
}

/// Checks name and password, and opens a session.
async fn tried(house: &House, name: &str, secret: &str, from: IpAddr) -> Result<SecretString, Shut> {
    let wrong = || Shut::Wrong("Name or password is wrong.".to_owned());
    if NAME_BYTES_MAX < name.len() || password::BYTES_MAX < secret.len() {
        return Err(wrong());
    }
    let now = house.clock.now();
    if let Err(many) = house.doorkeeper.may_try(name, from, now) {
        warn!(event = "session.limited", %from, "too many tries to sign in");
        return Err(Shut::Limited(many.to_string()));
    }
    // Counted before it is checked, so that tries side by side are counted too.
    house.doorkeeper.failed(name, from, now);
    let Known { person, password: hash, lock } = known(house, name).await.map_err(|refused| {
        house.doorkeeper.passed(name, from);
        Shut::Unanswered(refused)
    })?;
    // People type a password where the name belongs: what is no user's name is not logged.
    let shown = person.as_ref().map_or_else(|| "nobody known".to_owned(), |person| person.name.clone());
    let secret = SecretString::from(secret.to_owned());
    let fits = tokio::task::spawn_blocking(move || password::verify(&secret, hash.as_ref())).await;
    match person.filter(|_| fits.unwrap_or(false)) {
        Some(person) => {
            house.doorkeeper.passed(name, from);
            info!(event = "session.opened", user = person.name, %from, "somebody signed in");
            Ok(open(house, &person.name, lock))
        }
        None => {
            warn!(event = "session.refused", user = shown, %from, "a sign-in was refused");
            Err(wrong())
        }
    }
}

/// A session of a person who has shown who it is, under his lock of that moment.
fn open(house: &House, name: &str, lock: u64) -> SecretString {
    house.doorkeeper.opened(name, lock, session_bytes(house), house.clock.now()).cookie
}

/// A session of somebody for whom the provider vouches.
pub(super) fn open_for(house: &House, guest: &Person) -> SecretString {
    house.doorkeeper.opened_for(guest, session_bytes(house), house.clock.now()).cookie
}

fn session_bytes(house: &House) -> [u8; 64] {
    let mut bytes = [0_u8; 64];
    house.chance.lock().expect("drawing bytes does not panic").fill(&mut bytes);
    bytes
}

/// Sends a browser on with its new session.
pub fn entered(house: &House, secret: &SecretString, to: &str) -> Response {
    let mut response = onward(to);
    let cookie = cookie::given(secret.expose_secret(), house.manner.secure);
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("a cookie is text"));
    response
}

/// Only a path of this console: nobody is sent elsewhere after signing in.
pub(super) fn local(to: Option<&str>) -> &str {
    let is_path = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.bytes().all(|b| b' ' < b && b < 127)
    };
    to.filter(is_path).unwrap_or("/")
}

async fn sign_out(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let checked = came_from_here(&Method::POST, &headers);
    let seat = match checked {
        Ok(()) => seat(&house, &headers).await,
        Err(refused) => Err(refused),
    };
    match seat {
        Ok(Some(seat)) if seat.session.csrf_fits(fields.text("csrf").unwrap_or_default()) => {
            house.doorkeeper.close(seat.secret.expose_secret());
            info!(event = "session.closed", user = seat.person.name, "somebody signed out");
        }
        Ok(Some(_)) => return refusal(&Refused::new(77, "the form is not of this session; nothing was done")),
        Ok(None) => {}
        Err(refused) => return refusal(&refused),
    }
    let mut response = onward("/sign-in");
    let gone = HeaderValue::from_str(&cookie::taken(house.manner.secure)).expect("a cookie is text");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

/// Whom an invitation is for.
async fn invited(house: &House, code: &str) -> Result<String, Refused> {
    #[derive(Deserialize)]
    struct Invited {
        person: Person,
    }
    let hash = token::hash_of(code);
    let found: Option<Invited> = read(internal(house, Query::Knock(Knock::Invitation { hash })).await)?;
    let gone = "this link was used, has ended or never was; ask an administrator for another";
    found.map(|found| found.person.name).ok_or_else(|| Refused::new(66, gone))
}

async fn ask_password(State(house): State<Arc<House>>, Path(code): Path<String>) -> Response {
    match invited(&house, &code).await {
        Ok(name) => Html(html(&Welcome { name: &name, code: &code, refused: None })).into_response(),
        Err(refused) => refusal(&refused),
    }
}

async fn choose_password(
    State(house): State<Arc<House>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let name = match came_from_here(&Method::POST, &headers).map(|()| invited(&house, &code)) {
        Ok(invited) => invited.await,
        Err(refused) => Err(refused),
    };
    let name = match name {
        Ok(name) => name,
        Err(refused) => return refusal(&refused),
    };
    match chosen(&house, &name, &code, &fields).await {
        Ok(lock) => {
            house.doorkeeper.close_all_of(&name);
            entered(&house, &open(&house, &name, lock), "/")
        }
        Err(refused) => {
            let page = Welcome { name: &name, code: &code, refused: Some(&refused.why) };
            (StatusCode::UNPROCESSABLE_ENTITY, Html(html(&page))).into_response()
        }
    }
}

/// The invited person's own password is kept as its hash; the invitation ends with it. Gives the lock from then on.
async fn chosen(house: &House, name: &str, code: &str, fields: &Fields) -> Result<u64, Refused> {
    let hash = new_password(house, name, fields).await?;
    let order = Order::SetPassword { name: name.to_owned(), password: hash, invitation: Some(token::hash_of(code)) };
    (house.back.order)(order, Person::ours(name, Role::Viewer)).await?;
    Ok(known(house, name).await?.lock)
}

/// The hash of a password that was typed twice.
///
/// # Errors
/// 65 with what is wrong with it.
pub async fn new_password(house: &House, name: &str, fields: &Fields) -> Result<SecretHash, Refused> {
    let typed = fields.all("password").next().unwrap_or_default();
    if typed != fields.all("again").next().unwrap_or_default() {
        return Err(Refused::new(65, "the two passwords differ; type the same one twice"));
    }
    let secret = SecretString::from(typed.to_owned());
    password::refuse_weak(&secret, name).map_err(|why| Refused::new(65, why.to_string()))?;
    let mut salt = [0_u8; 16];
    house.chance.lock().expect("drawing bytes does not panic").fill(&mut salt);
    let hashed = tokio::task::spawn_blocking(move || password::hash(&secret, salt)).await;
    hashed.map_err(|_| Refused::new(1, "the password could not be kept; try again"))
}

/// `303 See Other`.
pub fn onward(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}
