//! The bytes of messages, their signature, and what answers mean.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use expect_test::expect;
use serde_json::Value;
use tidegauge::ask::{Ask, HttpAnswer};
use tidegauge::channels::hook_answer::{Heard, PAUSES, heard, jitter_minutes_max, words};
use tidegauge::channels::webhook::{body, name_of, trial};
use tidegauge::channels::webhook_types::TYPES;
use tidegauge::channels::{CHANNELS, channel_of};
use tidegauge::domain::events::EVENTS;
use tidegauge::domain::notice::News;
use tidegauge::seal::standard_webhooks::signature;

use crate::formats::letters::{all_news, notice, october, telling};
use crate::formats::sample::{at, points};

/// The largest message that the specification calls thin.
const BYTES_MAX: usize = 20_000;

#[test]
fn a_message_is_thin_and_says_ids_month_and_totals() {
    let held = News::GateHeld { month: october(), shortfall: points("120.5"), tolerance: points("20") };
    expect![[r#"{"data":{"id":"7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001","month":"2026-10","shortfall":"120.5","tolerance":"20","unit":"unit"},"timestamp":"2026-11-01T00:00:00Z","type":"gate.held"}"#]]
        .assert_eq(&String::from_utf8(body(&notice(held))).expect("JSON"));
}

#[test]
fn each_kind_of_news_has_its_row_and_every_field_of_the_row() {
    let rows: BTreeSet<&str> = TYPES.iter().map(|row| row.event).collect();
    assert_eq!(rows, BTreeSet::from(EVENTS), "one row of TYPES for each event");
    for news in all_news() {
        let event = news.event();
        let bytes = body(&notice(news));
        assert!(bytes.len() < BYTES_MAX, "{event}");
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(message["type"], event);
        let row = TYPES.iter().find(|row| row.event == event).expect("a row");
        for field in row.fields {
            let found = &message["data"][field.replace('.', "_")];
            let may_lack = ["tolerated_through", "grace_ended_on", "due_on", "loss.id"].contains(field);
            assert!(may_lack || !found.is_null(), "{event} has no {field}: {message}");
        }
        let text = String::from_utf8(bytes).expect("JSON");
        assert!(!text.contains("\\r") && !text.contains("\\u0000"), "{text}");
        let has_our_word = row.fields.iter().any(|field| ["result", "server"].contains(field));
        assert!(has_our_word || !text.contains("Bcc"), "texts of others do not go out: {text}");
    }
}

#[test]
fn a_recipient_names_its_channel_and_the_message_has_the_id_of_the_notice() {
    assert_eq!(channel_of("webhook:operations").name, "webhook");
    assert_eq!(channel_of("webhooks@example.net").name, "mail");
    assert_eq!(name_of("webhook:operations"), Some("operations"));
    let to = ["webhook:operations".to_owned()];
    let channel = CHANNELS.iter().find(|channel| channel.name == "webhook").expect("a row");
    let asks = (channel.asks)(&notice(News::GateOpened { month: october() }), &telling(&to, &[]));
    let [Ok(Ask::Hook(ask))] = &asks[..] else { panic!("one message: {asks:?}") };
    assert_eq!((ask.peer.as_str(), ask.id.as_str()), ("webhook:operations", "7d3c9f52-0b7e-5a58-93b4-b8d1b0d6a001"));
    assert_eq!(trial("webhook:operations", at("2026-11-01T00:00:00Z")).id, "webhook-test-1793491200");
}

#[test]
fn the_signature_is_that_of_the_specification() {
    // The example of the specification's own libraries.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into();
    let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signed.as_deref(), Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_???", ""] {
        let refused = signature(&wrong.to_owned().into(), "id", 0, b"").expect_err("no secret").to_string();
        assert!(wrong.is_empty() || !refused.contains(wrong), "{refused}");
    }
}

fn answered(status: u16, retry_after: Option<&str>) -> Heard {
    let headers = retry_after.map(|wait| ("retry-after".to_owned(), wait.to_owned())).into_iter().collect();
    heard(&HttpAnswer { status, headers, body: Vec::new() }, at("2026-11-01T00:00:00Z"))
}

#[test]
fn answers_mean_what_the_specification_says() {
    let slower = |minutes| Heard::Slower { wait: TimeDelta::minutes(minutes) };
    let cases = [
        (200, None, Heard::Taken),
        (204, Some("60"), Heard::Taken),
        (301, None, Heard::NotTaken),
        (400, None, Heard::NotTaken),
        (410, None, Heard::Gone),
        (500, None, Heard::NotTaken),
        (429, None, slower(5)),
        (429, Some("90"), slower(2)),
        (503, Some("Sun, 01 Nov 2026 01:00:00 GMT"), slower(61)),
        (502, Some("Sun, 01 Nov 2020 01:00:00 GMT"), slower(1)),
        (504, Some("99999999"), slower(24 * 60)),
        (429, Some("soon"), slower(5)),
    ];
    for (status, retry_after, expected) in cases {
        assert_eq!(answered(status, retry_after), expected, "{status} {retry_after:?}");
    }
    let redirect = HttpAnswer { status: 302, ..HttpAnswer::default() };
    assert_eq!(words(&redirect), "status 302: a redirect, which is not followed; correct the url");
    assert_eq!(PAUSES.iter().sum::<TimeDelta>(), TimeDelta::minutes(36) + TimeDelta::hours(75));
    assert!(
        PAUSES.iter().all(|pause| i64::try_from(jitter_minutes_max(*pause)).unwrap() <= pause.num_minutes().min(5))
    );
}
