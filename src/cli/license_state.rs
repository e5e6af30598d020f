//! How a license stands, in the field's words and as lines.

use std::fmt::Write;

use serde_json::Value;

use super::table::{Column, Table, dashed, list, minute, word};

/// Workloads above the cap that are listed; `--json` has all.
const LISTED_MAX: usize = 20;

/// State, the field's two lines, grace and limit of `tidegauge.license/1`.
pub fn lines(license: &Value) -> String {
    let block = &license["license"];
    let mut text = format!("  {} license, {}\n", word(block, "type"), word(license, "state").replace('_', " "));
    for name in ["points_text", "expiration_text"] {
        if let Some(line) = license[name].as_str() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let dates = &license["dates"];
    if !dates.is_null() {
        let grace = dates["grace_to"].as_str().map_or(String::new(), |to| format!(", grace to {to}"));
        let stops = minute(dates, "processing_stops_at");
        let _ = writeln!(text, "  notice from {}{grace}, processing stops: {stops}", dashed(dates, "notice_from"));
    }
    let overage = &license["overage"];
    if !overage.is_null() {
        let _ = writeln!(
            text,
            "  limit: {} exceeded by {}, {} more possible, {} not processed",
            word(overage, "licensed"),
            word(overage, "exceeded_by"),
            word(overage, "more_possible"),
            word(overage, "not_processed"),
        );
    }
    for warning in list(license, "warnings") {
        let _ = writeln!(text, "  ! {}", warning.as_str().unwrap_or_default());
    }
    text + &above_the_cap(license)
}

fn above_the_cap(license: &Value) -> String {
    let claims = list(license, "above_the_cap");
    if claims.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(&[Column::Left("not processed"), Column::Right("points"), Column::Left("first processed")]);
    for claim in claims.iter().take(LISTED_MAX) {
        table.row([word(claim, "workload"), word(claim, "points"), minute(claim, "first_processed_at")]);
    }
    let more = claims.len().saturating_sub(LISTED_MAX);
    let more = if more == 0 { String::new() } else { format!("{more} more; --json lists all\n") };
    format!("{}{more}", table.text(""))
}
