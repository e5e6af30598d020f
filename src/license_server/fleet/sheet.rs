//! The fleet as rows of fields, for a CSV file; columns are added at the end and never renamed.

use super::page::Fleet;
use super::{CARES, FleetRow};
use crate::document::Cell;
use crate::document::delimited::{Delimited, Dialect};
use crate::domain::calendar::rfc3339;

type Column = (&'static str, fn(&FleetRow) -> Cell);

/// The columns with their names; the contract of the file.
const COLUMNS: [Column; 23] = [
    ("care", |row| Cell::Text(row.care_in_words())),
    ("contract_id", |row| Cell::Text(row.contract_id.clone())),
    ("licensed_to", |row| Cell::Text(row.licensed_to.clone())),
    ("contract_state", |row| Cell::Text(row.contract_state.as_str().to_owned())),
    ("unit", |row| text(row.unit.as_ref())),
    ("installations", |row| Cell::Text(row.installations.join(" "))),
    ("agent", |row| text(row.agent.as_ref())),
    ("agent_id", |row| text(row.agent_id.as_ref())),
    ("agent_removed", |row| Cell::Text(if row.agent_removed { "yes" } else { "no" }.to_owned())),
    ("enrolled_at", |row| date(row.enrolled_at.map(rfc3339))),
    ("last_contact", |row| date(row.last_contact.map(rfc3339))),
    ("version", |row| Cell::Text(row.version.clone().unwrap_or_else(|| "unknown".to_owned()))),
    ("last_week", |row| date(row.last_week)),
    ("samples_expected", |row| number(row.coverage.map(|coverage| coverage.expected))),
    ("samples_complete", |row| number(row.coverage.map(|coverage| coverage.complete))),
    ("month", |row| date(row.month)),
    ("report", |row| Cell::Text(row.report.as_str().to_owned())),
    ("reported", |row| number(row.reported)),
    ("highest", |row| number(row.highest)),
    ("key_expires_on", |row| date(row.key_expires_on)),
    ("revoked", |row| Cell::Text(if row.revoked { "yes" } else { "no" }.to_owned())),
    ("conflicting_days", |row| number(Some(row.conflicting_days))),
    ("conflicts", |row| number(Some(row.conflicts))),
];

fn text(value: Option<&String>) -> Cell {
    value.map_or(Cell::Empty, |text| Cell::Text(text.clone()))
}

fn number(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, |number| Cell::Number(number.to_string()))
}

fn date(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, |date| Cell::Date(date.to_string()))
}

impl FleetRow {
    /// Its cares in words, the most pressing first; empty when all is well.
    pub fn care_in_words(&self) -> String {
        let names = CARES.iter().filter(|(care, _)| self.care.contains(care)).map(|(_, name)| *name);
        names.collect::<Vec<&str>>().join(", ")
    }
}

impl Fleet {
    /// A row a unit under the names of the columns.
    pub fn fields(&self) -> Delimited {
        Delimited {
            dialect: Dialect::PLAIN,
            heads: Some(COLUMNS.map(|(name, _)| name.to_owned()).to_vec()),
            rows: self.rows.iter().map(|row| COLUMNS.map(|(_, cell)| cell(row)).to_vec()).collect(),
        }
    }
}
