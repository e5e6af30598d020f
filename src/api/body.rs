//! Bodies of requests: JSON, and no longer than they need to be.

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::openapi::Variant;
use super::problem::with_status;
use crate::agent::Refused;

/// Longest body.
pub const BYTES_MAX: usize = 1 << 20;
/// Longest body with a file's text in it: an import of many snapshots.
pub const IMPORT_BYTES_MAX: usize = 256 << 20;

/// A request whose body was read.
pub struct Taken {
    pub head: Parts,
    pub body: Bytes,
}

/// How long the body of this order or question may be.
pub fn bytes_max(variant: &Variant) -> usize {
    if variant.members.contains_key("text") { IMPORT_BYTES_MAX } else { BYTES_MAX }
}

/// Reads the body.
///
/// # Errors
/// A problem: 413 when it is too long, 415 when it is something else than JSON, 400 when it breaks off.
pub async fn taken(request: Request, bytes_max: usize) -> Result<Taken, Response> {
    let (head, body) = request.into_parts();
    let said = head.headers.get(header::CONTENT_LENGTH).and_then(|said| said.to_str().ok()?.parse::<usize>().ok());
    let too_long = || {
        let why = format!("the body is longer than {} MiB; send less at once", bytes_max >> 20);
        with_status(StatusCode::PAYLOAD_TOO_LARGE, &Refused::new(65, why))
    };
    if said.is_some_and(|said| bytes_max < said) {
        return Err(too_long());
    }
    let body = to_bytes(body, bytes_max).await.map_err(|error| {
        let broken = || with_status(StatusCode::BAD_REQUEST, &Refused::new(2, "the body broke off; send it again"));
        // axum says so with an error of its own inside.
        let is_long = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if is_long { too_long() } else { broken() }
    })?;
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !body.is_empty() && !kind.eq_ignore_ascii_case("application/json") {
        let why = "the body has to be JSON, said by Content-Type: application/json";
        return Err(with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &Refused::new(65, why)));
    }
    Ok(Taken { head, body })
}
