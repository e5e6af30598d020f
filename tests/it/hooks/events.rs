//! Usage as CloudEvents.

use std::collections::BTreeSet;

use expect_test::expect;
use serde_json::Value;
use tidegauge::channels::cloud_events::{BATCH_MAX, Mode, UsageEvent, asks};
use uuid::Uuid;

use crate::formats::sample::{at, points};

pub fn event(tenant: Option<&str>, revision: u32, before: Option<&str>) -> UsageEvent {
    UsageEvent {
        tenant: tenant.map(str::to_owned),
        server: "vbr01".to_owned(),
        kind: "VM".to_owned(),
        unit: "unit".to_owned(),
        period: "2026-10".to_owned(),
        ends_at: at("2026-11-01T00:00:00Z"),
        revision,
        count: 3,
        points: points("33"),
        before: before.map(points),
    }
}

#[test]
fn an_event_is_complete_and_a_correction_names_the_difference() {
    let json = event(Some("Čapek & Söhne"), 2, Some("44")).to_json(&Uuid::nil());
    expect![[r#"
        {
          "data": {
            "count": 3,
            "delta_points": "-11",
            "period": "2026-10",
            "points": "33",
            "previous_points": "44",
            "revision": 2,
            "server": "vbr01",
            "tenant": "Čapek & Söhne",
            "type": "VM",
            "unit": "unit"
          },
          "datacontenttype": "application/json",
          "dataschema": "urn:tidegauge:schema:usage:1",
          "id": "ID",
          "partitionkey": "Čapek & Söhne",
          "source": "urn:tidegauge:00000000-0000-0000-0000-000000000000",
          "specversion": "1.0",
          "subject": "Čapek & Söhne",
          "time": "2026-11-01T00:00:00Z",
          "type": "io.tidegauge.usage.v1"
        }"#]]
    .assert_eq(&format!("{json:#}").replace(json["id"].as_str().expect("an id"), "ID"));
    let own = event(None, 1, None).to_json(&Uuid::nil());
    assert!(own.get("subject").is_none() && own["partitionkey"] == "vbr01" && own["data"]["tenant"].is_null());
    assert!(own["data"].get("delta_points").is_none());
}

#[test]
fn the_id_is_that_of_tenant_server_type_period_and_revision_alone() {
    let first = event(Some("a"), 1, None);
    let same = UsageEvent { count: 9, points: points("99"), ..first.clone() };
    assert_eq!(first.id(), same.id());
    let others = [
        event(None, 1, None),
        event(Some("b"), 1, None),
        event(Some("a"), 2, None),
        UsageEvent { server: "vbr02".to_owned(), ..first.clone() },
        UsageEvent { kind: "Server".to_owned(), ..first.clone() },
        UsageEvent { period: "2026-11".to_owned(), ..first.clone() },
        // Names that could run into each other.
        UsageEvent { tenant: Some("a\",\"vbr01".to_owned()), server: String::new(), ..first.clone() },
    ];
    let ids: BTreeSet<String> = others.iter().map(UsageEvent::id).chain([first.id()]).collect();
    assert_eq!(ids.len(), others.len() + 1);
}

#[test]
fn batches_are_bounded_and_structured_events_go_alone() {
    let many: Vec<UsageEvent> = (0..250).map(|number| event(Some(&format!("t{number}")), 1, None)).collect();
    let sizes = |mode| {
        let asks = asks("usage_sink:meter", &Uuid::nil(), &many, mode);
        let count = |body: &[u8]| match serde_json::from_slice(body).expect("JSON") {
            Value::Array(events) => events.len(),
            _ => 1,
        };
        asks.iter().map(|ask| (ask.media_type, count(&ask.body))).collect::<Vec<_>>()
    };
    let batch = "application/cloudevents-batch+json";
    assert_eq!(sizes(Mode::Batch), [(batch, BATCH_MAX), (batch, BATCH_MAX), (batch, 50)]);
    assert_eq!(sizes(Mode::Structured), [("application/cloudevents+json", 1); 250]);
}
