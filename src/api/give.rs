//! An order that came over HTTP: given once by its `Idempotency-Key`, and only while the report is as it was seen.

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::once::{Given, KEY_BYTES_MAX, Known, Whose};
use super::problem::{problem, with_status};
use super::routes::{House, shown};
use crate::agent::{Order, Refused};
use crate::domain::people::Person;
use crate::seal::digest::sha256_hex;

/// The header that names an order.
const KEY: &str = "idempotency-key";
/// Longest answer of an order.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Gives the order, or gives the answer that it had.
pub async fn given(house: &House, person: &Person, order: Order, head: &Parts) -> Response {
    if matches!(order, Order::SetPassword { .. }) {
        return problem(&Refused::new(77, "passwords are set at the console; administrators use change_user"));
    }
    let seen = match seen(&head.headers, &order) {
        Ok(seen) => seen,
        Err(refused) => return problem(&refused),
    };
    let key = match key(&head.headers) {
        Ok(Some(key)) => key,
        Ok(None) => return obeyed(house, person, order, seen).await,
        Err(refused) => return problem(&refused),
    };
    let whose: Whose = (person.name.clone(), key);
    match house.answers.begin(&whose, &digest_of(&order, seen.as_deref()), house.clock.now()) {
        Known::Nothing => once(house, person, order, seen, whose).await,
        Known::Answered(given) => again(given),
        Known::UnderWay => {
            let why = "the order of this Idempotency-Key is being obeyed right now; ask again in a moment";
            with_status(StatusCode::CONFLICT, &Refused::new(75, why))
        }
        Known::Differs => {
            let why = "this Idempotency-Key came with another order; each order needs a key of its own";
            with_status(StatusCode::UNPROCESSABLE_ENTITY, &Refused::new(8, why))
        }
    }
}

/// The order goes its way even when whoever gave it hangs up, so that its answer is there when he comes again.
async fn once(house: &House, person: &Person, order: Order, seen: Option<String>, whose: Whose) -> Response {
    let (answers, kept) = (house.answers.clone(), whose.clone());
    let (house, person) = (house.clone(), person.clone());
    let task = tokio::spawn(async move {
        let (head, body) = obeyed(&house, &person, order, seen).await.into_parts();
        let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else {
            house.answers.forget(&whose);
            return problem(&Refused::new(1, "the answer broke off; look whether the order was obeyed"));
        };
        let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let given = Given { status: head.status, media_type: media_type.to_owned(), body: body.clone() };
        // What failed on our side, or could not be reached, is worth another try with the same key.
        if head.status.is_server_error() {
            house.answers.forget(&whose)
        } else {
            house.answers.keep(&whose, given)
        }
        Response::from_parts(head, Body::from(body))
    });
    task.await.unwrap_or_else(|_| {
        answers.forget(&kept);
        problem(&Refused::new(1, "the agent broke off; look whether the order was obeyed"))
    })
}

fn again(given: Given) -> Response {
    let media_type = HeaderValue::from_str(&given.media_type).unwrap_or(HeaderValue::from_static("application/json"));
    let mut response = (given.status, [(header::CONTENT_TYPE, media_type)], given.body).into_response();
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

async fn obeyed(house: &House, person: &Person, order: Order, seen: Option<String>) -> Response {
    let Some(seen) = seen else { return shown(house.desk.order_as(order, person).await) };
    match house.desk.order_if(order, person, &seen).await {
        Err(refused) if refused.code == 8 => with_status(StatusCode::PRECONDITION_FAILED, &refused),
        answer => shown(answer),
    }
}

/// The digest of the report that whoever gave the order saw (`If-Match`).
fn seen(headers: &HeaderMap, order: &Order) -> Result<Option<String>, Refused> {
    let Some(given) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let given = given.to_str().unwrap_or_default().trim();
    if given == "*" {
        return Ok(None);
    }
    if order.report().is_none() {
        return Err(Refused::new(2, "If-Match is for orders about one report; leave it out here"));
    }
    let digest = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let digest = digest.filter(|digest| digest.starts_with("sha256:"));
    let why = "If-Match takes the report's `digest` in quotes, such as \"sha256:…\"";
    digest.map(|digest| Some(digest.to_owned())).ok_or_else(|| Refused::new(2, why))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    let why = || Refused::new(2, format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} visible signs, such as a UUID"));
    key.map(|key| Some(key.to_owned())).ok_or_else(why)
}

fn digest_of(order: &Order, seen: Option<&str>) -> String {
    let order = serde_json::to_vec(&(order, seen)).unwrap_or_default();
    sha256_hex(&order)
}
