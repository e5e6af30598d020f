//! What every answer has: the request's id again, an entity tag, problems as JSON where axum would say them in text.

use std::any::Any;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{problem, with_status};
use crate::agent::Refused;
use crate::seal::digest::sha256_hex;

/// Longest answer that is given a tag.
const TAGGED_BYTES_MAX: usize = 256 << 20;
/// Longest id of a request that is said again.
const ID_BYTES_MAX: usize = 128;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Says the caller's `X-Request-Id` again, so that both sides' logs can be laid side by side.
pub async fn named(request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    let is_short = |id: &HeaderValue| id.len() <= ID_BYTES_MAX && id.to_str().is_ok();
    if let Some(id) = id.filter(is_short) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Gives answers to `GET` an entity tag, and says `304` to whoever has this one already.
pub async fn tagged(request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let had = request.headers().get(header::IF_NONE_MATCH).and_then(|had| had.to_str().ok()).map(str::to_owned);
    let response = next.run(request).await;
    if !is_get || response.status() != StatusCode::OK {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, TAGGED_BYTES_MAX).await else {
        return problem(&Refused::new(1, "the answer broke off; ask again"));
    };
    let tag = format!("\"{}\"", &sha256_hex(&body)[..32]);
    head.headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes"));
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if had.is_some_and(|had| had.split(',').any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == tag))
    {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(body))
}

/// No such path.
pub async fn no_such_path() -> Response {
    problem(&Refused::new(66, "there is no such path; /api/v1/openapi.json lists them"))
}

/// The path is there, the method is not.
pub async fn no_such_method() -> Response {
    let why = "this path does not take that method; /api/v1/openapi.json says which";
    with_status(StatusCode::METHOD_NOT_ALLOWED, &Refused::new(2, why))
}

/// A bug, said as a problem; what went wrong stands in the log.
pub fn broke(_: Box<dyn Any + Send + 'static>) -> Response {
    problem(&Refused::new(1, "the agent broke off while answering; its log says where")).into_response()
}
