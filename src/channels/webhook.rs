//! Webhooks: one thin, signed message per endpoint; the types it may have are a table.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::webhook_types::{HookType, TYPES};
use super::{NotAnAddress, Telling};
use crate::ask::{Ask, HookAsk};
use crate::domain::Instant;
use crate::domain::notice::Notice;
use crate::doors::peer::WEBHOOK;

/// Longest wait for an endpoint's status.
const SECONDS_MAX: u32 = 20;
/// Most signs of one text of a message; a message stays far below the 20 kB of the specification.
const SIGNS_MAX: usize = 200;
/// The type of the message that only shows that messages arrive.
const TRIAL: &str = "webhook.test";

/// One message for each endpoint among the recipients.
pub(super) fn asks(notice: &Notice, telling: &Telling) -> Vec<Result<Ask, NotAnAddress>> {
    let endpoints = telling.to.iter().filter(|to| name_of(to).is_some());
    endpoints.map(|to| Ok(Ask::Hook(ask(to, &notice.id, body(notice))))).collect()
}

/// The name of an endpoint as the settings have it, when the recipient is one.
pub fn name_of(recipient: &str) -> Option<&str> {
    recipient.strip_prefix(WEBHOOK)
}

/// A message that only shows that messages arrive.
pub fn trial(to: &str, at: Instant) -> HookAsk {
    let id = format!("webhook-test-{}", at.timestamp());
    let text = json!({"type": TRIAL, "timestamp": stamp(at), "data": {"id": id}});
    ask(to, &id, text.to_string().into_bytes())
}

/// The body of a notice: type, timestamp and data.
pub fn body(notice: &Notice) -> Vec<u8> {
    let event = notice.news.event();
    let told = serde_json::to_value(&notice.news).unwrap_or_default();
    let mut data = Map::new();
    data.insert("id".to_owned(), json!(notice.id));
    data.insert("unit".to_owned(), json!(notice.unit));
    let fields = TYPES.iter().find(|row| row.event == event).map_or(&[][..], |row: &HookType| row.fields);
    for field in fields {
        let found = told.pointer(&format!("/{}", field.replace('.', "/"))).cloned().unwrap_or_default();
        data.insert(field.replace('.', "_"), shortened(found));
    }
    json!({"type": event, "timestamp": stamp(notice.at), "data": data}).to_string().into_bytes()
}

fn ask(to: &str, id: &str, body: Vec<u8>) -> HookAsk {
    HookAsk { peer: to.to_owned(), id: id.to_owned(), media_type: "application/json", body, seconds_max: SECONDS_MAX }
}

fn stamp(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) => {
            let plain = text.chars().filter(|sign| !sign.is_control());
            json!(plain.take(SIGNS_MAX).collect::<String>())
        }
        other => other,
    }
}
