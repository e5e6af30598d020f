//! What the License Update Server knows, as text.

use std::fmt::Write;

use serde_json::Value;

use super::super::table::{Column, Table, dashed, joined, minute, word};
use crate::domain::Instant;

pub fn contracts(rows: &[Value]) -> String {
    let mut table = Table::new(&[
        Column::Left("contract"),
        Column::Left("licensed to"),
        Column::Left("support id"),
        Column::Left("type"),
        Column::Right("points"),
        Column::Left("state"),
        Column::Left("ends on"),
    ]);
    for row in rows {
        let fields = ["id", "licensed_to", "support_id", "type", "points", "state", "ends_on"];
        table.row(fields.map(|field| dashed(row, field)));
    }
    table.text("no contract; add one with `license-server contract add`")
}

pub fn agents(rows: &[Value]) -> String {
    let mut table = Table::new(&[
        Column::Left("key"),
        Column::Left("agent"),
        Column::Left("contract"),
        Column::Left("enrolled"),
        Column::Left("removed"),
    ]);
    let mut others = String::new();
    for row in rows {
        let (key, removed) = (word(row, "key"), dashed(&row["removed"], "why"));
        table.row([key.clone(), word(row, "agent_id"), word(row, "contract_id"), minute(row, "enrolled_at"), removed]);
        for other in row["refused"].as_array().into_iter().flatten() {
            let (at, other) = (minute(other, "at"), word(other, "key"));
            let _ = writeln!(others, "! {other} showed the token of {key} at {at} GMT: one of them stole it");
        }
    }
    table.text("no agent has enrolled yet") + &others
}

pub fn installations(rows: &[Value]) -> String {
    let mut table = Table::new(&[
        Column::Left("unit"),
        Column::Left("contract"),
        Column::Right("key"),
        Column::Left("valid to"),
        Column::Left("last week"),
        Column::Left("last check"),
        Column::Left("revoked"),
    ]);
    for row in rows {
        let fields = ["unit", "contract_id", "key_serial", "key_expires_on", "last_week", "last_check"];
        let revoked = dashed(&row["revoked"], "why");
        table.row(fields.map(|field| dashed(row, field)).into_iter().chain([revoked]));
    }
    table.text("no installation has spoken yet")
}

pub fn reports(rows: &[Value]) -> String {
    let mut table = Table::new(&[
        Column::Left("unit"),
        Column::Left("month"),
        Column::Left("rev"),
        Column::Right("points"),
        Column::Right("watermark"),
        Column::Left("gate"),
        Column::Left("received"),
    ]);
    for row in rows {
        let gate = &row["gate"];
        table.row([
            word(row, "unit"),
            word(row, "month"),
            word(row, "revision"),
            word(row, "total_points"),
            dashed(gate, "highest_watermark"),
            word(gate, "verdict"),
            minute(row, "received_at"),
        ]);
    }
    table.text("no report has come in yet")
}

pub fn report(view: &Value, now: Instant) -> String {
    let mut text = format!(
        "unit {}, contract {}, r{}, received {} GMT\n",
        word(view, "unit"),
        word(view, "contract_id"),
        word(view, "revision"),
        minute(view, "received_at"),
    );
    text.push_str(&super::super::gate::text(&view["gate"], now));
    if !view["justification"].is_null() {
        let by = said(view, "justified_by", "justified_at");
        let _ = writeln!(text, "sender's justification{by}: {}", word(view, "justification"));
    }
    let corrects = &view["corrects"];
    if !corrects.is_null() {
        let _ = writeln!(text, "this revision corrects{}: {}", said(corrects, "by", "at"), word(corrects, "reason"));
    }
    for (name, field) in [("approved", "approved"), ("correction asked for", "correction")] {
        let note = &view[field];
        if !note.is_null() {
            let _ = writeln!(text, "{name} by {} at {}: {}", word(note, "by"), minute(note, "at"), word(note, "why"));
        }
    }
    let days = joined(view, "conflicting_days");
    if !days.is_empty() {
        let _ = writeln!(text, "! telemetry and report disagree on {days}; the higher mark counts");
    }
    for conflict in view["conflicts"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "! other bytes came under the same id: {conflict}");
    }
    text
}

/// ` (user:mia, 2026-11-03 10:00 GMT)`, as far as it is known.
fn said(of: &Value, by: &str, at: &str) -> String {
    if of[by].is_null() { String::new() } else { format!(" ({}, {} GMT)", word(of, by), minute(of, at)) }
}
