//! The gate as text: `license gate`, `report explain`, `report what-if`, and what `report adjust` did.

use std::fmt::Write;

use serde_json::{Value, json};

use super::table::{Column, Table, dashed, joined, list, minute, word};
use crate::domain::Instant;

/// The verdict and what explains it; also for the License Update Server's operator.
pub fn text(gate: &Value, _: Instant) -> String {
    let mut text = format!("gate of {}: {}\n", word(gate, "month"), standing(gate));
    let mut figures = Table::new(&[Column::Left(""), Column::Right(""), Column::Left("")]);
    let stood = format!("on {} GMT", minute(gate, "stood_at"));
    let stood = if gate["stood_at"].is_null() { "no complete sample in the month".to_owned() } else { stood };
    figures.row(["  highest watermark".to_owned(), dashed(gate, "highest_watermark"), stood]);
    let forecast = if gate["forecast"] == json!(true) { "not sent yet: a forecast" } else { "as sent" };
    let missing = gate["reported"].is_null().then_some("no report of the month stands yet");
    figures.row(["  reported".to_owned(), dashed(gate, "reported"), missing.unwrap_or(forecast).to_owned()]);
    let share = if gate["shortfall_percent"].is_null() {
        String::new()
    } else {
        format!("{} %, ", word(gate, "shortfall_percent"))
    };
    let tolerated = format!("{share}tolerated are {}", word(gate, "tolerance"));
    figures.row(["  shortfall".to_owned(), word(gate, "shortfall"), tolerated]);
    text.extend(figures.text("").lines().skip(1).flat_map(|line| [line, "\n"]));
    if gate.get("money").is_some() {
        let _ = writeln!(text, "  amount: {}", money(&gate["money"], gate));
    }
    for server in list(gate, "servers") {
        let [name, complete, expected] = ["server", "complete", "expected"].map(|field| word(server, field));
        let [by, policy] = ["counted_by", "month_end"].map(|field| word(server, field));
        let _ = writeln!(text, "  {name}: {complete} of {expected} samples; month end {policy}, counted by: {by}");
    }
    text.push_str(&causes(gate));
    text.push_str(&remarks(gate));
    text
}

fn standing(gate: &Value) -> String {
    match (word(gate, "verdict").as_str(), word(gate, "held_by").as_str()) {
        ("held", _) => "held. No license is asked for with this report before the day before it ends".to_owned(),
        (open, "license_server") => format!("{open} here, held by the License Update Server"),
        ("undetermined", _) => "undetermined. Nothing is blocked, but nothing is proven either".to_owned(),
        (verdict, _) => verdict.to_owned(),
    }
}

fn causes(gate: &Value) -> String {
    let mut table =
        Table::new(&[Column::Left("cause"), Column::Left("what"), Column::Right("points"), Column::Left("known")]);
    for cause in list(gate, "causes") {
        let named = ["workload", "tenant", "type"].map(|field| word(cause, field));
        let what: Vec<String> = named.into_iter().filter(|name| !name.is_empty()).collect();
        table.row([word(cause, "cause").replace('_', " "), what.join(", "), word(cause, "points"), known(cause)]);
    }
    let unexplained = word(gate, "unexplained");
    let is_explained = unexplained.is_empty() || unexplained == "0";
    if list(gate, "causes").is_empty() && is_explained {
        return String::new();
    }
    if !is_explained {
        table.row(["unexplained".to_owned(), String::new(), unexplained, String::new()]);
    }
    format!("\n{}", table.text(""))
}

/// What is known of a cause, in a few words.
fn known(cause: &Value) -> String {
    let said = match word(cause, "known").as_str() {
        "turned_rental" => "became a rental machine".to_owned(),
        "turned_new" => "in its first month".to_owned(),
        "not_collected" => format!("{} was not collected", word(cause, "server")),
        _ => String::new(),
    };
    let when = if cause["at"].is_null() { String::new() } else { minute(cause, "at") };
    let by = if cause["by"].is_null() { String::new() } else { format!("by {}", word(cause, "by")) };
    let why = word(cause, "reason");
    let parts = [when, by, why, said];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn remarks(gate: &Value) -> String {
    let mut text = String::new();
    if !gate["justification"].is_null() {
        let by =
            if gate["justified_by"].is_null() { String::new() } else { format!(" by {}", word(gate, "justified_by")) };
        let _ = writeln!(text, "justified{by}: {}", word(gate, "justification"));
    }
    let ruling = &gate["ruling"];
    if word(ruling, "ruling") == "correction_asked" {
        let (by, why) = (word(ruling, "by"), word(ruling, "why"));
        let _ = writeln!(text, "the License Update Server's operator {by} asks for a correction: {why}");
    }
    let server = &gate["server"];
    if !server.is_null() {
        let detail = if server["detail"].is_null() { String::new() } else { format!(": {}", word(server, "detail")) };
        let _ = writeln!(
            text,
            "the License Update Server on {} GMT: {}{detail}",
            minute(server, "at"),
            word(server, "message")
        );
    }
    let days = joined(gate, "conflicting_days");
    if !days.is_empty() {
        let _ = writeln!(text, "! telemetry and report disagree on {days}; the server counts the higher mark");
    }
    if gate["over_reported"] == json!(true) {
        let _ = writeln!(text, "! the report is far above the watermark: worth a look before it is sent");
    }
    if word(gate, "verdict") == "held" && gate.get("held_by").is_some() {
        text.push_str(&ways_out(gate));
    }
    text
}

fn ways_out(gate: &Value) -> String {
    let month = word(gate, "month");
    let again = minute(gate, "looked_at_again_at");
    let again = if again == "-" { String::new() } else { format!(" and at {again} GMT") };
    let change = if gate["forecast"] == json!(true) { "report reset  " } else { "report correct" };
    let reason = if gate["forecast"] == json!(true) { "" } else { " --reason TEXT" };
    format!(
        "\nIt is looked at again when report or samples change{again}. What can be done:\n  \
         {change} --month {month}{reason}   if the report is wrong\n  \
         report justify --month {month} --reason TEXT   if it is right\n"
    )
}

/// `390.45 EUR (cost 200.00)`, or why it is not known.
fn money(money: &Value, of: &Value) -> String {
    if money.is_null() {
        return if of["money_why"].is_null() { "-".to_owned() } else { format!("- ({})", word(of, "money_why")) };
    }
    let cost = if money["cost"].is_null() { String::new() } else { format!(" (cost {})", word(money, "cost")) };
    let tax = if money["tax_note"].is_null() { String::new() } else { format!(", {}", word(money, "tax_note")) };
    format!("{} {}{cost}{tax}", word(money, "amount"), word(money, "currency"))
}

/// The effect of adjustments, tried or made.
pub fn what_if(effect: &Value, now: Instant) -> String {
    let of = ["month", "revision", "unit"].map(|field| word(effect, field));
    format!("report {} r{} of unit {}\n{}", of[0], of[1], of[2], self::effect(effect, now))
}

/// What lowering a report changes: points, money, gate.
pub fn effect(effect: &Value, _: Instant) -> String {
    let (before, after) = (&effect["gate_before"], &effect["gate_after"]);
    let mut table = Table::new(&[Column::Left(""), Column::Left("before"), Column::Left("after")]);
    table.row(["  points".to_owned(), word(effect, "total_before"), word(effect, "total_after")]);
    if !effect["money_before"].is_null() || !effect["money_after"].is_null() {
        let both = ["money_before", "money_after"].map(|side| money(&effect[side], effect));
        table.row(std::iter::once("  amount".to_owned()).chain(both));
    }
    let short = |gate: &Value| format!("{} ({} %)", word(gate, "shortfall"), dashed(gate, "shortfall_percent"));
    table.row(["  shortfall".to_owned(), short(before), short(after)]);
    table.row(["  gate".to_owned(), word(before, "verdict"), word(after, "verdict")]);
    let mut text = table.text("");
    let _ = writeln!(
        text,
        "  {} points below the highest watermark of {} are tolerated",
        word(after, "tolerance"),
        dashed(after, "highest_watermark")
    );
    if effect["money_after"].is_null() {
        let _ = writeln!(text, "  amount: - ({})", word(effect, "money_why"));
    }
    if word(after, "verdict") == "held" {
        let _ = writeln!(
            text,
            "! with this report the license is not asked for before the day before it ends, unless `report justify` says why it is \
             right"
        );
    }
    text
}
