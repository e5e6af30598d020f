//! Messages that the far side gave a receipt for and lost, as when it was put back to a backup.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fact::MessageKind;
use super::rows::Row;
use crate::domain::Instant;
use crate::domain::report::Receipt;

/// What is known of such a message, whose unit and id are named beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostFact {
    /// The far side said that it has it no more.
    Told(LostRow),
    /// It has it again, or other bytes under its id by now.
    TakenAgain { receipt: Receipt, differs: bool },
    /// Nothing is left here to send, as after its report was forgotten.
    NotKept,
}

/// A message that is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRow {
    /// When the far side said so.
    pub at: Instant,
    pub kind: MessageKind,
    /// An ISO week or a month.
    pub period: String,
}

impl LostFact {
    pub(super) fn rows(&self, unit: &str, id: &str) -> Vec<Row> {
        let row = match self {
            LostFact::Told(row) => Some(json!(row)),
            LostFact::TakenAgain { .. } | LostFact::NotKept => None,
        };
        vec![(LostRow::key(unit, id), row)]
    }
}

impl LostRow {
    /// What the keys of a unit's lost messages begin with.
    pub fn keys(unit: &str) -> String {
        format!("lost/{unit}/")
    }

    pub fn key(unit: &str, id: &str) -> String {
        format!("{}{id}", LostRow::keys(unit))
    }
}
