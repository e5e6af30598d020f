//! Usage as CloudEvents 1.0: one event per tenant, server, type and span, with an id that never changes.

use chrono::SecondsFormat;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ask::HookAsk;
use crate::domain::report::ID_NAMESPACE;
use crate::domain::{Instant, Points};

/// The type of every event.
pub const TYPE: &str = "io.tidegauge.usage.v1";
/// The version of what `data` holds.
pub const SCHEMA: &str = "urn:tidegauge:schema:usage:1";
/// Most events of one batch.
pub const BATCH_MAX: usize = 100;
/// Longest wait for a sink's status.
const SECONDS_MAX: u32 = 60;

/// How events lie in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Up to [`BATCH_MAX`] in a request.
    Batch,
    /// One in a request.
    Structured,
}

impl Mode {
    /// As the settings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Batch => "batch",
            Mode::Structured => "structured",
        }
    }
}

/// What a tenant, or nobody's own machines, used of one type on one server in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEvent {
    pub tenant: Option<String>,
    pub server: String,
    /// The workload type.
    pub kind: String,
    pub unit: String,
    /// `2026-10-31` or `2026-10`.
    pub period: String,
    /// The first instant after the span.
    pub ends_at: Instant,
    /// Of the report; 1 for days.
    pub revision: u32,
    pub count: u64,
    pub points: Points,
    /// What the revision before said; `None`: there was none.
    pub before: Option<Points>,
}

impl UsageEvent {
    /// UUIDv5 of tenant, server, type, period and revision: the same on every try, from every restart.
    pub fn id(&self) -> String {
        let UsageEvent { tenant, server, kind, period, revision, .. } = self;
        let name = json!(["usage", tenant, server, kind, period, revision]).to_string();
        Uuid::new_v5(&ID_NAMESPACE, name.as_bytes()).to_string()
    }

    /// The event; `agent` is the installation that speaks.
    pub fn to_json(&self, agent: &Uuid) -> Value {
        let mut event = json!({
            "specversion": "1.0",
            "id": self.id(),
            "source": format!("urn:tidegauge:{agent}"),
            "type": TYPE,
            "time": self.ends_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "datacontenttype": "application/json",
            "dataschema": SCHEMA,
            "partitionkey": self.tenant.as_ref().filter(|tenant| !tenant.is_empty()).unwrap_or(&self.server),
            "data": {
                "tenant": self.tenant,
                "server": self.server,
                "type": self.kind,
                "unit": self.unit,
                "period": self.period,
                "revision": self.revision,
                "count": self.count,
                "points": self.points,
            },
        });
        if let Some(tenant) = self.tenant.as_ref().filter(|tenant| !tenant.is_empty()) {
            event["subject"] = json!(tenant);
        }
        if let Some(before) = self.before {
            event["data"]["previous_points"] = json!(before);
            event["data"]["delta_points"] = json!(self.points - before);
        }
        event
    }
}

/// The requests that send the events to a sink, in order.
pub fn asks(sink: &str, agent: &Uuid, events: &[UsageEvent], mode: Mode) -> Vec<HookAsk> {
    let ask = |media_type: &'static str, id: String, body: &Value| HookAsk {
        peer: sink.to_owned(),
        id,
        media_type,
        body: body.to_string().into_bytes(),
        seconds_max: SECONDS_MAX,
    };
    match mode {
        Mode::Structured => {
            let one = |event: &UsageEvent| ask("application/cloudevents+json", event.id(), &event.to_json(agent));
            events.iter().map(one).collect()
        }
        Mode::Batch => {
            let batch = |events: &[UsageEvent]| {
                let body = Value::Array(events.iter().map(|event| event.to_json(agent)).collect());
                ask("application/cloudevents-batch+json", events[0].id(), &body)
            };
            events.chunks(BATCH_MAX).map(batch).collect()
        }
    }
}
