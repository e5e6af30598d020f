//! Who may come in: tokens, sessions, and what they are refused.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use axum::{Router, middleware};
use chrono::TimeDelta;
use serde_json::json;
use tidegauge::api::entry::told_by_proxy;

use super::{Api, CSRF, READ_ONLY, Reply, token_of};

fn ask(api: &Api, authorization: &str) -> Reply {
    api.send(&api.router, Method::GET, "/api/v1/status", &[("authorization", authorization)], None)
}

#[test]
fn the_address_that_a_proxy_saw_counts_with_its_port_or_without() {
    let tell = |ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.ip().to_string() };
    let router = Router::new().route("/", get(tell)).layer(middleware::from_fn(told_by_proxy));
    for (said, address) in [
        ("192.0.2.7", "192.0.2.7"),
        ("10.0.0.1, 192.0.2.7:49152", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
    ] {
        let reply = READ_ONLY.send(&router, Method::GET, "/", &[("x-forwarded-for", said)], None);
        assert_eq!(String::from_utf8_lossy(&reply.body), address, "{said}");
    }
}

#[test]
fn who_shows_nothing_is_asked_for_a_token() {
    let api = &*READ_ONLY;
    for path in ["/api/v1/status", "/api/v1/nothing", "/api/v1/report"] {
        let reply = api.send(&api.router, Method::GET, path, &[], None);
        assert!(reply.refusal(401).contains("tgt_"), "{path}");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"tidegauge\"");
    }
    let order = api.send(&api.router, Method::POST, "/api/v1/orders/send", &[], Some("{}".to_owned()));
    order.refusal(401);
}

#[test]
fn a_token_sees_what_its_role_may_see_and_orders_no_more() {
    let api = &*READ_ONLY;
    assert_eq!(api.get("/api/v1/status", "viewer").status, StatusCode::OK);
    assert!(api.get("/api/v1/users", "viewer").refusal(403).contains("viewer"));
    assert_eq!(api.get("/api/v1/users", "administrator").status, StatusCode::OK);
    let target = json!({"target": {}});
    assert!(api.post("/api/v1/orders/reset", "viewer", &[], &target).refusal(403).contains("reviewer"));
    assert!(api.post("/api/v1/orders/send", "reviewer", &[], &target).refusal(403).contains("approver"));
}

#[test]
fn a_token_that_ended_and_one_that_never_was_are_refused_alike() {
    let api = &*READ_ONLY;
    let (ended, unknown) = (ask(api, &format!("Bearer {}", token_of("brief"))), ask(api, "Bearer tgt_never"));
    assert_eq!(ended.refusal(401), unknown.refusal(401));
    assert!(unknown.header("www-authenticate").contains("invalid_token"));
    ask(api, "Basic YW5uYTphbm5h").refusal(401);
    ask(api, "Bearer ").refusal(401);
    ask(api, &format!("Bearer {}", "x".repeat(10_000))).refusal(401);
}

#[test]
fn a_script_with_a_dead_token_shuts_out_itself_alone_and_not_for_ever() {
    let api = Api::new();
    let mut refused = Vec::new();
    for _ in 0..8 {
        refused.push(ask(&api, "Bearer tgt_dead").status.as_u16());
    }
    assert_eq!(refused, [401, 401, 401, 401, 401, 429, 429, 429]);
    let limited = ask(&api, "Bearer tgt_dead");
    limited.refusal(429);
    assert!(limited.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=900).contains(&seconds)));
    assert_eq!(api.get("/api/v1/status", "viewer").status, StatusCode::OK);
    *api.hands.0.lock().expect("a clock") += TimeDelta::minutes(16);
    ask(&api, "Bearer tgt_dead").refusal(401);
}

#[test]
fn many_dead_tokens_from_one_address_are_not_looked_at_any_more() {
    let api = Api::new();
    let statuses: Vec<u16> = (0..30).map(|n| ask(&api, &format!("Bearer tgt_{n}")).status.as_u16()).collect();
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[20..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_eq!(api.get("/api/v1/status", "viewer").status, StatusCode::OK, "a token that works is let in all the same");
}

#[test]
fn a_session_reads_by_its_cookie_and_changes_by_its_csrf_token_alone() {
    let api = Api::new();
    let cookie = ("cookie", "seat=anna");
    let read = api.send(&api.router, Method::GET, "/api/v1/status", &[cookie], None);
    assert_eq!(read.status, StatusCode::OK);
    let postpone = |headers: &[(&str, &str)]| {
        let body = Some(json!({"target": {}}).to_string());
        api.send(&api.router, Method::POST, "/api/v1/orders/postpone", headers, body)
    };
    assert!(postpone(&[cookie]).refusal(403).contains("X-CSRF-Token"));
    postpone(&[cookie, ("x-csrf-token", "another")]).refusal(403);
    assert_eq!(postpone(&[cookie, ("x-csrf-token", CSRF)]).status, StatusCode::OK);
    postpone(&[("cookie", "seat=bert"), ("x-csrf-token", CSRF)]).refusal(401);
}

#[test]
fn care_for_the_store_is_for_the_control_socket_alone() {
    let api = &*READ_ONLY;
    let verify = json!({"care": "verify"}).to_string();
    let known = format!("Bearer {}", token_of("administrator"));
    let refused =
        api.send(&api.router, Method::POST, "/api/v1/care", &[("authorization", &known)], Some(verify.clone()));
    refused.refusal(405);
    assert_eq!(api.send(&api.socket, Method::POST, "/api/v1/care", &[], Some(verify)).status, StatusCode::OK);
    let prove = json!({"care": "prove_marks", "week": "2026-W44"}).to_string();
    let proof = api.send(&api.socket, Method::POST, "/api/v1/care", &[], Some(prove));
    assert_eq!((proof.status, &proof.json()["holds"]), (StatusCode::OK, &json!(true)));
}

#[test]
fn the_control_socket_wants_no_token() {
    let api = &*READ_ONLY;
    assert_eq!(api.send(&api.socket, Method::GET, "/api/v1/users", &[], None).status, StatusCode::OK);
    assert_eq!(api.send(&api.socket, Method::GET, "/livez", &[], None).body, b"alive\n");
    assert_eq!(api.send(&api.socket, Method::GET, "/readyz", &[], None).body, b"ready\n");
}
