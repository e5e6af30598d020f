//! Signing in by the provider of the settings: away to it, and back with its word for somebody.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Query as Parameters, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tracing::{info, warn};

use super::entry::{address_of, entered, internal, local, onward, open_for};
use super::forms::Fields;
use super::{House, answers, cookie, refusal};
use crate::agent::{Query, Refused, converse};
use crate::ask::Setback;
use crate::domain::Instant;
use crate::domain::people::{Person, is_same_person};
use crate::doors::Wire;
use crate::people::openid::{self, Back, Begun, Drawn, OpenId, Pending, Provider, discover, sign_in};

/// How long what a provider said of itself is taken for true, and how long its silence is.
const KNOWN_FOR: TimeDelta = TimeDelta::minutes(5);
const SILENT_FOR: TimeDelta = TimeDelta::seconds(10);

/// The way to a provider, and who is on it.
pub struct ByProvider {
    party: OpenId,
    wire: Arc<dyn Wire>,
    pending: Mutex<Pending>,
    /// Held while the provider is asked: however many want to sign in, it is asked once.
    found: tokio::sync::Mutex<Option<Found>>,
}

/// What came of asking the provider for its endpoints.
struct Found {
    at: Instant,
    provider: Result<Arc<Provider>, Setback>,
}

impl ByProvider {
    /// Nobody is asked before somebody wants to sign in.
    pub fn new(party: OpenId, wire: Arc<dyn Wire>) -> ByProvider {
        ByProvider { party, wire, pending: Mutex::default(), found: tokio::sync::Mutex::default() }
    }

    async fn provider(&self, now: Instant) -> Result<Arc<Provider>, Setback> {
        let mut found = self.found.lock().await;
        if let Some(found) = found.as_ref().filter(|found| found.holds(now)) {
            return found.provider.clone();
        }
        let provider = converse(Box::new(discover(&self.party)), self.wire.as_ref()).await.map(Arc::new);
        *found = Some(Found { at: now, provider: provider.clone() });
        provider
    }

    fn begin(&self, provider: &Arc<Provider>, drawn: Drawn, to: &str, of: (IpAddr, Instant)) -> Result<Begun, Setback> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).begin(&self.party, provider, drawn, to, of)
    }

    /// Whom the provider vouches for, and where he wanted to go.
    async fn back(&self, back: Back, cookie: Option<&str>, now: Instant) -> Result<(Person, String), Refused> {
        let returned = self.pending.lock().unwrap_or_else(PoisonError::into_inner).back(&self.party, back, cookie, now);
        let returned = returned.map_err(|why| Refused::new(77, why.to_string()))?;
        let to = returned.to.clone();
        let talk = Box::new(sign_in(&self.party, returned, now));
        let claims = converse(talk, self.wire.as_ref()).await.map_err(|setback| refused(&setback))?;
        let person = self.party.admitted(&claims).map_err(|why| Refused::new(77, why.to_string()))?;
        Ok((person, to))
    }
}

impl Found {
    fn holds(&self, now: Instant) -> bool {
        let lasts = if self.provider.is_ok() { KNOWN_FOR } else { SILENT_FOR };
        self.at <= now && now < self.at + lasts
    }
}

fn refused(setback: &Setback) -> Refused {
    match setback {
        Setback::TryAgain { why } => Refused::new(75, why.as_str()),
        Setback::AskAPerson { why } => Refused::new(77, why.as_str()),
    }
}

/// Away and back; without a provider in the settings there is no such page.
pub fn router() -> Router<Arc<House>> {
    Router::new().route(openid::BEGIN_PATH, get(begin)).route(openid::BACK_PATH, get(back))
}

/// Where somebody begins who wants to go there; `None`: there is no provider.
pub fn link(house: &House, to: &str) -> Option<String> {
    let address = house.by_provider.as_ref()?.party.begin_url();
    Some(format!("{address}?to={}", super::shown::encoded(to)))
}

fn door(house: &House) -> Result<&ByProvider, Refused> {
    let none = || Refused::new(66, "nobody signs in by a provider here; name one in [console.openid] of the settings");
    house.by_provider.as_deref().ok_or_else(none)
}

async fn begin(
    State(house): State<Arc<House>>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    Parameters(fields): Parameters<Vec<(String, String)>>,
) -> Response {
    match began(&house, local(Fields(fields).text("to")), address_of(from)).await {
        Ok(begun) => {
            let cookie = cookie::lent(begun.cookie.expose_secret(), openid::LASTS, house.manner.secure);
            with_cookie(onward(&begun.url), &cookie)
        }
        Err(refused) => {
            warn!(event = "openid.refused", error = %refused.why, "nobody can sign in by the provider");
            refusal(&refused)
        }
    }
}

async fn began(house: &House, to: &str, from: IpAddr) -> Result<Begun, Refused> {
    let (door, now) = (door(house)?, house.clock.now());
    let provider = door.provider(now).await.map_err(|setback| refused(&setback))?;
    let mut bytes = [0; Drawn::BYTES];
    house.chance.lock().expect("drawing bytes does not panic").fill(&mut bytes);
    door.begin(&provider, Drawn::of(&bytes), to, (from, now)).map_err(|setback| refused(&setback))
}

async fn back(State(house): State<Arc<House>>, headers: HeaderMap, Parameters(back): Parameters<Back>) -> Response {
    let away = cookie::taken_back(house.manner.secure);
    match admitted(&house, &headers, back).await {
        Ok((person, to)) => {
            info!(event = "session.opened", user = person.name, role = %person.role, "somebody signed in by the provider");
            with_cookie(entered(&house, &open_for(&house, &person), &to), &away)
        }
        Err(refused) => {
            warn!(event = "session.refused", error = %refused.why, "a sign-in by the provider was refused");
            with_cookie(refusal(&refused), &away)
        }
    }
}

async fn admitted(house: &House, headers: &HeaderMap, back: Back) -> Result<(Person, String), Refused> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let cookie = cookies.filter_map(|header| cookie::brought(header, house.manner.secure)).next();
    let (person, to) = door(house)?.back(back, cookie, house.clock.now()).await?;
    refuse_local(house, &person.name).await?;
    Ok((person, to))
}

#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct User {
    name: String,
}

/// Whoever may choose a name at the provider would otherwise act as the user of that name here.
async fn refuse_local(house: &House, name: &str) -> Result<(), Refused> {
    let Users { users } = answers::one(internal(house, Query::Users {}).await?)?;
    if users.iter().any(|user| is_same_person(&user.name, name)) {
        let why = format!("{name} is a user of this console, with a password of its own: sign in with that");
        return Err(Refused::new(77, why));
    }
    Ok(())
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(cookie).expect("a cookie is text"));
    response
}
