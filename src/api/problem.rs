//! Refusals as `application/problem+json` (RFC 9457), with the exit code of the command line.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::agent::Refused;

/// What every problem's `type` starts with; the exit code follows.
pub const PROBLEM_TYPE: &str = "urn:tidegauge:exit:";

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
    let unknown = (refused.code, 500, "unexpected failure");
    let (code, status, title) = CODES.into_iter().find(|(code, ..)| *code == refused.code).unwrap_or(unknown);
    let body = json!({
        "type": format!("{PROBLEM_TYPE}{code}"),
        "title": title,
        "status": status,
        "detail": refused.why,
        "code": code,
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
