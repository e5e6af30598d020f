//! Refusals as `application/problem+json` (RFC 9457), with the exit code of the command line.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::agent::Refused;

/// What every problem's `type` starts with; the exit code follows.
pub const PROBLEM_TYPE: &str = "urn:tidegauge:exit:";
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// When it is worth trying again after a temporary failure, in seconds.
const AGAIN_AFTER_SECONDS: &str = "5";

/// The exit codes of `conventions.md` 1.3: HTTP status and title.
const CODES: [(u8, u16, &str); 14] = [
    (1, 500, "unexpected failure"),
    (2, 400, "wrong usage"),
    (3, 409, "nothing to do"),
    (5, 409, "held by the gate"),
    (6, 409, "refused by coverage policy"),
    (7, 500, "verification failed"),
    (8, 409, "conflict"),
    (65, 422, "bad input"),
    (66, 404, "not found"),
    (69, 502, "unavailable"),
    (73, 507, "cannot write"),
    (75, 503, "temporary failure"),
    (77, 403, "no permission"),
    (78, 409, "configuration"),
];

/// The refusal as an answer.
pub fn problem(refused: &Refused) -> Response {
    let found = CODES.into_iter().find(|(code, ..)| *code == refused.code);
    let status = found.map_or(500, |(_, status, _)| status);
    with_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), refused)
}

/// The refusal under a status that says more than its exit code.
pub fn with_status(status: StatusCode, refused: &Refused) -> Response {
    let unknown = (refused.code, 500, "unexpected failure");
    let (code, usual, title) = CODES.into_iter().find(|(code, ..)| *code == refused.code).unwrap_or(unknown);
    let said = status.canonical_reason().unwrap_or(title).to_lowercase();
    let body = json!({
        "type": format!("{PROBLEM_TYPE}{code}"),
        "title": if usual == status.as_u16() { title } else { &said },
        "status": status.as_u16(),
        "detail": refused.why,
        "code": code,
    });
    let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response();
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_AFTER_SECONDS));
    }
    response
}
