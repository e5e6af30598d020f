//! The glass box: what was sent, byte for byte, and what leaves next.

use axum::http::{StatusCode, header};
use serde_json::Value;
use tidegauge::agent::Query;
use tidegauge::seal::digest::sha256_hex;

use super::visitor::between;
use super::{OPEN_REPORT, asked};

/// The newest message, as the agent itself shows it.
fn newest() -> Value {
    let shown = asked(&Query::Telemetry { unit: None, server: None, after: None, limit: None });
    shown["messages"][0].clone()
}

fn text<'a>(shown: &'a Value, field: &str) -> &'a str {
    shown[field].as_str().expect("text")
}

#[test]
fn each_message_has_its_hour_its_state_its_size_and_a_link_to_its_bytes() {
    let page = OPEN_REPORT.signed_in("vera").get("/telemetry");
    let (words, newest) = (page.words(), newest());
    let (period, digest) = (text(&newest, "period"), &text(&newest, "sha256")[..12]);
    assert!(words.contains(&format!("Telemetry of {period}")), "{words}");
    assert!(words.contains("Usage report 2026-08"), "what was sent of August: {words}");
    assert!(words.contains(&format!("{} {digest}…", newest["bytes"])), "{words}");
    assert!(page.html.contains(&format!("href=\"/telemetry?id={}\"", text(&newest, "id"))), "{}", page.html);
    assert!(page.html.contains("<table>\n<caption class=\"unseen\">Sent</caption>"));
}

#[test]
fn what_leaves_next_is_told_with_its_hour_and_what_it_would_say() {
    let page = OPEN_REPORT.signed_in("vera").get("/telemetry");
    let words = page.words();
    assert!(words.contains("Next What leaves next What When, and why Telemetry of 2026-W"), "{words}");
    assert!(words.contains("Usage report 2026-09 2026-10-11 00:00"), "{words}");
    let preview = between(&page.html, "aria-label=\"Preview\">", "</pre>").replace("&#34;", "\"");
    let preview: Value = serde_json::from_str(&preview).expect("the preview is JSON");
    assert_eq!(preview["schema"], "tidegauge.telemetry/1");
}

#[test]
fn the_very_bytes_are_shown_with_their_digest_and_can_be_kept() {
    let vera = OPEN_REPORT.signed_in("vera");
    let newest = newest();
    let id = text(&newest, "id");
    let body = asked(&Query::Message { id: id.to_owned() });
    let body = text(&body, "body");
    let page = vera.get(&format!("/telemetry?id={id}"));
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(between(&page.html, "aria-label=\"Byte for byte\">", "</pre>"), body);
    let words = page.words();
    assert!(words.contains(&format!("SHA-256 {}", sha256_hex(body.as_bytes()))), "{words}");
    assert!(words.contains(&format!("Size {} bytes", body.len())) && words.contains("the very bytes"), "{words}");
    let says = between(&page.html, "aria-label=\"What it says\">", "</pre>").replace("&#34;", "\"");
    assert_eq!(serde_json::from_str::<Value>(&says).expect("JSON")["id"], id);
    let file = vera.get(&format!("/telemetry?id={id}&file=yes"));
    assert_eq!(file.html, body);
    let name = format!("attachment; filename=\"{}-{}-r1.jws\"", text(&newest, "kind"), text(&newest, "period"));
    assert_eq!(file.headers[header::CONTENT_DISPOSITION], name.as_str());
}

#[test]
fn a_message_that_was_never_sealed_is_not_found() {
    let vera = OPEN_REPORT.signed_in("vera");
    assert_eq!(vera.get("/telemetry?id=%3Cb%3E").status, StatusCode::NOT_FOUND);
    assert_eq!(vera.get("/telemetry?unit=nobody").status, StatusCode::NOT_FOUND);
}
