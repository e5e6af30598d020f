//! Orders: once by their key, on the report that was seen, and nothing that nobody reads.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Api, CSRF, READ_ONLY, Reply, at};

fn report(api: &Api) -> Value {
    api.get("/api/v1/report", "viewer").json()
}

/// Takes the so-manieth counted workload out of the report.
fn removal(report: &Value, which: usize) -> Value {
    let workloads = report["workloads"].as_array().expect("a report has workloads");
    let counted: Vec<&Value> = workloads.iter().filter(|workload| workload["counted"] == true).collect();
    json!({"target": {}, "adjustments": [{"act": "remove", "workloads": [counted[which]["id"]], "reason": "a test machine"}]})
}

fn adjust(api: &Api, headers: &[(&str, &str)], body: &Value) -> Reply {
    api.post("/api/v1/orders/adjust", "reviewer", headers, body)
}

#[test]
fn an_order_with_a_key_is_obeyed_once_and_answered_alike_each_time() {
    let api = Api::new();
    let seen = report(&api);
    let first = adjust(&api, &[("idempotency-key", "k-1")], &removal(&seen, 0));
    assert_eq!(first.status, StatusCode::OK, "{}", String::from_utf8_lossy(&first.body));
    let again = adjust(&api, &[("idempotency-key", "k-1")], &removal(&seen, 0));
    assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(report(&api)["adjustments"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_token_sets_nobodys_password() {
    let order = json!({"name": "administrator", "password": "$argon2id$mine"});
    let refused = READ_ONLY.post("/api/v1/orders/set_password", "administrator", &[], &order).refusal(403);
    assert!(refused.contains("change_user"), "{refused}");
}

#[test]
fn a_key_stands_for_one_order_of_one_person() {
    let api = Api::new();
    let seen = report(&api);
    assert_eq!(adjust(&api, &[("idempotency-key", "k-2")], &removal(&seen, 0)).status, StatusCode::OK);
    assert!(adjust(&api, &[("idempotency-key", "k-2")], &removal(&seen, 1)).refusal(422).contains("another order"));
    let anna = [("cookie", "seat=anna"), ("x-csrf-token", CSRF), ("idempotency-key", "k-2")];
    let body = Some(removal(&seen, 1).to_string());
    let another = api.send(&api.router, Method::POST, "/api/v1/orders/adjust", &anna, body);
    assert_eq!(another.status, StatusCode::OK, "another person's key is another key");
    adjust(&api, &[("idempotency-key", &"k".repeat(300))], &removal(&seen, 2)).refusal(400);
}

#[test]
fn a_refusal_for_good_is_said_again_too_and_keys_end_after_a_day() {
    let api = Api::new();
    let postpone = json!({"target": {}, "until": "2027-01-01T00:00:00Z"});
    let give = || api.post("/api/v1/orders/postpone", "reviewer", &[("idempotency-key", "k-3")], &postpone);
    let (first, again) = (give(), give());
    assert_eq!(first.refusal(422), again.refusal(422));
    assert_eq!(again.header("idempotency-replayed"), "true");
    *api.hands.0.lock().expect("a clock") = at("2026-10-03T00:00:00Z");
    assert_eq!(give().header("idempotency-replayed"), "");
}

#[test]
fn an_order_about_a_report_that_somebody_changed_meanwhile_is_refused() {
    let api = Api::new();
    let seen = report(&api);
    let tag = format!("\"{}\"", seen["digest"].as_str().expect("a digest"));
    assert_eq!(adjust(&api, &[("if-match", &tag)], &removal(&seen, 0)).status, StatusCode::OK);
    let late = adjust(&api, &[("if-match", &tag)], &removal(&seen, 1)).refusal(412);
    assert!(late.contains("changed meanwhile"), "{late}");
    api.post("/api/v1/orders/send", "approver", &[("if-match", &tag)], &json!({"target": {}})).refusal(412);
    assert_eq!(report(&api)["adjustments"].as_array().map(Vec::len), Some(1));
    let now = format!("\"{}\"", report(&api)["digest"].as_str().expect("a digest"));
    let sent = api.post("/api/v1/orders/send", "approver", &[("if-match", &now)], &json!({"target": {}}));
    assert_eq!(sent.json()["stage"], "submitted");
}

#[test]
fn a_digest_that_is_none_and_an_order_about_no_report_are_refused() {
    let api = &*READ_ONLY;
    for tag in ["W/\"sha256:1\"", "sha256:1", "\"1\""] {
        assert!(adjust(api, &[("if-match", tag)], &removal(&report(api), 0)).refusal(400).contains("digest"), "{tag}");
    }
    let tag = [("if-match", "\"sha256:1\"")];
    api.post("/api/v1/orders/sample_now", "reviewer", &tag, &json!({"server": "vbr01"})).refusal(400);
}

#[test]
fn a_misspelt_member_is_refused_instead_of_overlooked() {
    let api = &*READ_ONLY;
    let wrong = [
        (json!({"target": {"mouth": "2026-08"}}), "mouth"),
        (json!({"target": {}, "reasons": "x"}), "reasons"),
        (json!({}), "target"),
    ];
    for (body, said) in wrong {
        assert!(api.post("/api/v1/orders/reset", "reviewer", &[], &body).refusal(422).contains(said), "{body}");
    }
    let deep = json!({"target": {}, "adjustments": [{"act": "remove", "workloads": [], "reason": "x", "why": "y"}]});
    assert!(adjust(api, &[], &deep).refusal(422).contains("why"));
    api.post("/api/v1/orders/vanish", "administrator", &[], &json!({})).refusal(404);
}

#[test]
fn a_question_with_a_body_changes_nothing() {
    let api = &*READ_ONLY;
    let shown = api.post("/api/v1/queries/what_if", "viewer", &[], &removal(&report(api), 0));
    assert_eq!(shown.json()["schema"], "tidegauge.what-if/1");
    assert_eq!(report(api)["adjustments"], json!([]));
}

#[test]
fn the_command_lines_own_way_stays() {
    let api = Api::new();
    let asked = api.send(
        &api.socket,
        Method::POST,
        "/api/v1/queries?by=root",
        &[],
        Some(json!({"what": "status"}).to_string()),
    );
    assert_eq!(asked.json()["schema"], "tidegauge.status/1");
    let order = json!({"order": "postpone", "target": {"unit": null, "server": null, "month": null}, "until": null})
        .to_string();
    assert_eq!(api.send(&api.socket, Method::POST, "/api/v1/orders?by=root", &[], Some(order)).status, StatusCode::OK);
}
