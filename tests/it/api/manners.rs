//! What every answer has: tags, ids, problems for whatever is wrong.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{READ_ONLY, Reply, token_of};

fn with(method: Method, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Reply {
    let bearer = format!("Bearer {}", token_of("administrator"));
    let all: Vec<(&str, &str)> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
    READ_ONLY.send(&READ_ONLY.router, method, path, &all, body.map(str::to_owned))
}

#[test]
fn an_answer_that_one_has_already_is_not_sent_again() {
    let path = "/api/v1/watermark?month=2026-09";
    let first = with(Method::GET, path, &[], None);
    let tag = first.header("etag").to_owned();
    assert!(tag.len() == 34 && tag.starts_with('"'), "{tag}");
    let weak = format!("\"other\", W/{tag}");
    for had in [tag.as_str(), weak.as_str(), "*"] {
        let again = with(Method::GET, path, &[("if-none-match", had)], None);
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{had}");
        assert_eq!(again.header("etag"), tag);
    }
    let another = with(Method::GET, "/api/v1/watermark?month=2026-08", &[("if-none-match", &tag)], None);
    assert_eq!(another.status, StatusCode::OK);
}

#[test]
fn the_callers_id_of_a_request_is_said_again_also_in_refusals() {
    for path in ["/api/v1/evidence_key", "/api/v1/nothing", "/api/v1/usage?month=x"] {
        assert_eq!(with(Method::GET, path, &[("x-request-id", "r-17")], None).header("x-request-id"), "r-17");
    }
    let long = "x".repeat(500);
    assert_eq!(with(Method::GET, "/api/v1/evidence_key", &[("x-request-id", &long)], None).header("x-request-id"), "");
    assert_eq!(with(Method::GET, "/api/v1/evidence_key", &[], None).header("x-request-id"), "");
    let stranger = READ_ONLY.send(&READ_ONLY.router, Method::GET, "/api/v1/status", &[("x-request-id", "r-18")], None);
    assert_eq!((stranger.status, stranger.header("x-request-id")), (StatusCode::UNAUTHORIZED, "r-18"));
}

#[test]
fn whatever_is_wrong_is_said_as_a_problem() {
    with(Method::GET, "/api/v1/nothing", &[], None).refusal(404);
    with(Method::GET, "/api/v1/orders/send/now", &[], None).refusal(404);
    with(Method::GET, "/api/v1/%ff", &[], None).refusal(404);
    with(Method::DELETE, "/api/v1/status", &[], None).refusal(405);
    with(Method::GET, "/api/v1/orders/send", &[], None).refusal(405);
    with(Method::POST, "/api/v1/orders/send", &[("content-type", "text/plain")], Some("{}")).refusal(415);
    with(Method::POST, "/api/v1/orders/send", &[], Some("{")).refusal(422);
    with(Method::POST, "/api/v1/orders/send", &[], Some("[]")).refusal(422);
    with(Method::GET, "/api/v1/usage?month=%ff", &[], None).refusal(400);
}

#[test]
fn a_parameter_that_nobody_reads_or_that_is_wrong_is_refused() {
    let refused = [
        ("/api/v1/usage?mouth=2026-10", "mouth"),
        ("/api/v1/usage?month=2026-10&month=2026-09", "twice"),
        ("/api/v1/usage?by=colour", "by"),
        ("/api/v1/usage?month=2026-13", "month"),
        ("/api/v1/webhook_log?last=many", "whole number"),
        ("/api/v1/webhook_log?last=-1", "last"),
        ("/api/v1/webhook_log", "last"),
    ];
    for (path, said) in refused {
        assert!(with(Method::GET, path, &[], None).refusal(400).contains(said), "{path}");
    }
    let understood = with(Method::GET, "/api/v1/webhook_log?last=5", &[], None);
    assert!(understood.status == StatusCode::OK || understood.json()["code"] != 2, "a number of a URL is a number");
}

#[test]
fn a_body_is_at_most_a_mebibyte_unless_it_is_an_import() {
    let long = json!({"target": {}, "reason": "x".repeat(2 << 20)}).to_string();
    assert!(with(Method::POST, "/api/v1/orders/correct", &[], Some(&long)).refusal(413).contains("1 MiB"));
    let import = json!({"file": "long.json", "text": "x".repeat(2 << 20)}).to_string();
    let taken = with(Method::POST, "/api/v1/orders/import_samples", &[], Some(&import));
    assert_ne!(taken.status, StatusCode::PAYLOAD_TOO_LARGE);
    taken.refusal(taken.status.as_u16());
}
