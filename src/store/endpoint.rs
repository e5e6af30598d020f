//! What happened with webhook endpoints and usage sinks.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rows::{Row, key};
use crate::domain::Instant;
use crate::domain::installation::UnitId;

/// One thing that happened with an endpoint, which is named beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointFact {
    /// A try of a message; at most ten of each, and ten more each time it is told again.
    Tried(HookTry),
    /// It wants no more messages as long as its settings have this digest.
    Gone { at: Instant, settings: String },
    /// A person wants it to be told this notice again.
    ToldAgain { id: String },
    /// A sink took the usage of a span.
    UsageTaken { unit: UnitId, taken: UsageTaken },
    /// Spans that a sink did not take grew too old to be sent.
    UsagePassedOver { unit: UnitId, passed: UsagePassedOver },
}

/// One try of a message to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookTry {
    /// The notice's.
    pub id: String,
    pub event: String,
    pub at: Instant,
    /// 1 to 10.
    pub attempt: u32,
    pub taken: bool,
    /// The status, or why there was none.
    pub words: String,
}

/// What a sink took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageTaken {
    /// `2026-10-31` or `2026-10`.
    pub period: String,
    pub revision: u32,
    pub at: Instant,
    pub events: usize,
}

/// What a sink is not sent any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePassedOver {
    /// `2026-10-31` or `2026-10`.
    pub first: String,
    /// The newest of them; of months the same.
    pub through: String,
    pub revision: u32,
    pub at: Instant,
}

impl EndpointFact {
    /// The rows that the fact sets for the endpoint.
    pub(super) fn rows(&self, to: &str) -> Vec<Row> {
        match self {
            EndpointFact::Tried(tried) => vec![(key::tried(to, tried.at, &tried.id), Some(json!(tried)))],
            EndpointFact::Gone { at, settings } => {
                vec![(key::gone(to), Some(json!({"at": at, "settings": settings})))]
            }
            EndpointFact::ToldAgain { id } => {
                vec![(key::told(id, to), None), (key::pending(id), Some(Value::Bool(true)))]
            }
            EndpointFact::UsageTaken { unit, taken } => vec![usage_row(to, unit, taken)],
            EndpointFact::UsagePassedOver { unit, passed } => match passed.through.parse::<NaiveDate>() {
                Ok(day) => vec![(key::usage_through(to, unit), Some(json!(day)))],
                Err(_) => Vec::new(),
            },
        }
    }
}

/// Of days only the newest is kept: they are sent in order.
fn usage_row(sink: &str, unit: &str, taken: &UsageTaken) -> Row {
    match taken.period.parse::<NaiveDate>() {
        Ok(day) => (key::usage_through(sink, unit), Some(json!(day))),
        Err(_) => (key::usage_taken(sink, unit, &taken.period, taken.revision), Some(json!(taken))),
    }
}
