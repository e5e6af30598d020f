//! The agent's paths as an axum router, the same on the control socket and over HTTPS.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query as Parameters, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tower_http::catch_panic::CatchPanicLayer;

use super::body::{self, Taken};
use super::desk::{Desk, Wish};
use super::once::Answers;
use super::openapi::{self, Variant};
use super::problem::problem;
use super::{courtesy, give, link};
use crate::agent::{Care, Query, Refused};
use crate::domain::people::Person;
use crate::doors::Clock;

/// Longest name that is noted as an order's giver.
const BY_SIGNS_MAX: usize = 64;
/// How long the owner may be busy and still count as ready.
const READY_WITHIN: Duration = Duration::from_secs(5);
/// Most parameters of a URL.
const PARAMETERS_MAX: usize = 64;

/// What the paths stand on.
#[derive(Clone)]
pub struct House {
    pub desk: Desk,
    pub clock: Arc<dyn Clock>,
    pub answers: Arc<Answers>,
}

impl House {
    pub fn new(desk: Desk, clock: Arc<dyn Clock>) -> House {
        House { desk, clock, answers: Arc::default() }
    }
}

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

/// What the control socket serves: whoever reaches it owns the machine.
pub fn router(house: House) -> Router {
    let own = Router::new().route("/care", post(care)).with_state(house.clone());
    let health = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(house.clone());
    below_v1(known(house).merge(own).layer(middleware::from_fn(as_owner))).merge(health)
}

/// Paths below `/api/v1` that want to know who asks: each request carries its [`Person`].
pub(super) fn known(house: House) -> Router {
    Router::new()
        .route("/{what}", get(question))
        .route("/queries", post(query))
        .route("/queries/{what}", post(question_with_body))
        .route("/orders", post(order))
        .route("/orders/{order}", post(order_with_body))
        .fallback(courtesy::no_such_path)
        .with_state(house)
}

/// These paths below `/api/v1` with the document that describes them, and what every answer has.
pub(super) fn below_v1(known: Router) -> Router {
    let inside = known
        .route("/openapi.json", get(|| async { Json(&*openapi::DOCUMENT) }))
        .method_not_allowed_fallback(courtesy::no_such_method)
        .layer(middleware::from_fn(courtesy::tagged))
        .layer(CatchPanicLayer::custom(courtesy::broke))
        .layer(middleware::from_fn(courtesy::named));
    Router::new().nest("/api/v1", inside)
}

async fn as_owner(mut request: Request, next: Next) -> Response {
    let by = Parameters::<By>::try_from_uri(request.uri()).map_or(By::default(), |Parameters(by)| by);
    request.extensions_mut().insert(Person::owner(&by.name()));
    next.run(request).await
}

/// `GET /api/v1/usage?month=2026-10&by=tenant` is the question `{"what":"usage","month":"2026-10","by":"tenant"}`.
async fn question(
    State(house): State<House>,
    Extension(person): Extension<Person>,
    what: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let parameters = Parameters::<Vec<(String, String)>>::try_from_uri(request.uri());
    let asked = parameters.map_err(|error| Refused::new(2, error.body_text())).and_then(|Parameters(parameters)| {
        let question = named(what, openapi::question, "question")?;
        if PARAMETERS_MAX < parameters.len() {
            return Err(Refused::new(2, format!("a question takes at most {PARAMETERS_MAX} parameters")));
        }
        let members = question.of_parameters(&parameters)?;
        let query = made::<Query>(question, "what", members).map_err(|refused| Refused { code: 2, ..refused })?;
        Ok((question, parameters, query))
    });
    let (question, parameters, query) = match asked {
        Ok(asked) => asked,
        Err(refused) => return problem(&refused),
    };
    match house.desk.ask_as(query, &person).await {
        Ok(answer) => {
            let next = link::next(question, &parameters, &answer);
            link::linked(shown(Ok(answer)), next)
        }
        Err(refused) => problem(&refused),
    }
}

async fn question_with_body(
    State(house): State<House>,
    Extension(person): Extension<Person>,
    what: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let question = match named(what, openapi::question, "question") {
        Ok(question) => question,
        Err(refused) => return problem(&refused),
    };
    let Taken { body, .. } = match body::taken(request, body::bytes_max(question)).await {
        Ok(taken) => taken,
        Err(refusal) => return refusal,
    };
    match members(&body).and_then(|members| whole(question, "what", members)) {
        Ok(query) => shown(house.desk.ask_as(query, &person).await),
        Err(refused) => problem(&refused),
    }
}

async fn query(State(house): State<House>, Extension(person): Extension<Person>, request: Request) -> Response {
    match body::taken(request, body::IMPORT_BYTES_MAX).await {
        Ok(Taken { body, .. }) => match read::<Query>(&body) {
            Ok(query) => shown(house.desk.ask_as(query, &person).await),
            Err(refused) => problem(&refused),
        },
        Err(refusal) => refusal,
    }
}

async fn order(State(house): State<House>, Extension(person): Extension<Person>, request: Request) -> Response {
    match body::taken(request, body::IMPORT_BYTES_MAX).await {
        Ok(Taken { head, body }) => match read(&body) {
            Ok(order) => give::given(&house, &person, order, &head).await,
            Err(refused) => problem(&refused),
        },
        Err(refusal) => refusal,
    }
}

async fn order_with_body(
    State(house): State<House>,
    Extension(person): Extension<Person>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let order = match named(name, openapi::order, "order") {
        Ok(order) => order,
        Err(refused) => return problem(&refused),
    };
    let Taken { head, body } = match body::taken(request, body::bytes_max(order)).await {
        Ok(taken) => taken,
        Err(refusal) => return refusal,
    };
    match members(&body).and_then(|members| whole(order, "order", members)) {
        Ok(order) => give::given(&house, &person, order, &head).await,
        Err(refused) => problem(&refused),
    }
}

fn named(
    name: Result<Path<String>, PathRejection>,
    find: fn(&str) -> Option<&'static Variant>,
    kind: &str,
) -> Result<&'static Variant, Refused> {
    let Path(name) = name.map_err(|error| Refused::new(66, error.body_text()))?;
    find(&name).ok_or_else(|| Refused::new(66, format!("there is no {kind} `{name:.80}`; see /api/v1/openapi.json")))
}

/// The members of a body; none for an empty one.
fn members(body: &[u8]) -> Result<Map<String, Value>, Refused> {
    if body.is_empty() { Ok(Map::new()) } else { read(body) }
}

fn whole<T: DeserializeOwned>(variant: &Variant, tag: &str, members: Map<String, Value>) -> Result<T, Refused> {
    variant.refuse_unknown(&members)?;
    made(variant, tag, members)
}

/// The question or order of these members. What a member holds is not repeated: it may be a secret.
fn made<T: DeserializeOwned>(variant: &Variant, tag: &str, members: Map<String, Value>) -> Result<T, Refused> {
    if let Some(missing) = variant.required.iter().find(|name| !members.contains_key(*name)) {
        return Err(Refused::new(65, format!("{} needs `{missing}`; see /api/v1/openapi.json", variant.name)));
    }
    let given: Vec<&str> = members.keys().map(String::as_str).collect();
    let given = given.join(", ");
    let mut members = members;
    members.insert(tag.to_owned(), Value::String(variant.name.clone()));
    serde_json::from_value(Value::Object(members)).map_err(|_| {
        let name = &variant.name;
        Refused::new(
            65,
            format!("{name} does not take what {given} says; /api/v1/openapi.json shows how each is written"),
        )
    })
}

async fn care(State(house): State<House>, Extension(person): Extension<Person>, request: Request) -> Response {
    match body::taken(request, body::BYTES_MAX).await {
        Ok(Taken { body, .. }) => match read::<Care>(&body) {
            Ok(care) => shown(house.desk.bring(Wish::Care(care), &person.name).await),
            Err(refused) => problem(&refused),
        },
        Err(refusal) => refusal,
    }
}

async fn ready(State(house): State<House>) -> Response {
    match tokio::time::timeout(READY_WITHIN, house.desk.bring(Wish::Ping, "")).await {
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
