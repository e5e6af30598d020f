//! What happened to a report, in words.

use serde_json::Value;

use super::answers::Event;
use crate::console::frame::Visit;
use crate::console::shown::When;
use crate::console::words;

/// One line of the history.
pub struct Line {
    pub at: When,
    pub who: Option<String>,
    pub what: String,
    /// The reason, in the words of who gave it.
    pub why: Option<String>,
}

/// The newest first; changes of one act are one line.
pub fn lines(visit: &Visit, events: Vec<Event>) -> Vec<Line> {
    let acts = events.chunk_by(is_one_act);
    let line = |act: &[Event]| {
        let event = act.first()?;
        let (what, why) = told(event, act);
        let who = event.by.as_deref().map(|by| words::person(by).to_owned());
        Some(Line { at: visit.when(event.at), who, what, why })
    };
    let mut lines: Vec<Line> = acts.filter_map(line).collect();
    lines.reverse();
    lines
}

fn is_one_act(one: &Event, other: &Event) -> bool {
    let is_adjusted = one.what == "adjusted" && other.what == "adjusted";
    is_adjusted && (one.at, &one.by, &one.detail["reason"]) == (other.at, &other.by, &other.detail["reason"])
}

fn told(event: &Event, act: &[Event]) -> (String, Option<String>) {
    let of = |field: &str| text(&event.detail[field]);
    let revision = || event.detail["revision"].as_u64().filter(|revision| *revision > 1);
    let of_revision = revision().map(|revision| format!(", revision {revision}")).unwrap_or_default();
    let what = match event.what.as_str() {
        "generated" => format!("Built{of_revision}: {} points", of("total_points")),
        "correction_begun" => format!("Correction begun{of_revision}: {} points", of("total_points")),
        "adjusted" => adjusted(act),
        "entered_elsewhere" => format!("Entered in {}, document {}", of("portal"), of("document")),
        "sealed" => format!("Sealed to be sent: {} bytes, SHA-256 {}", of("bytes"), of("sha256")),
        "receipt" => format!("Taken by the License Update Server, receipt {}", text(&event.detail["receipt"]["id"])),
        "postponed" => format!("Postponed until {} GMT", of("until").replace('T', " ").trim_end_matches('Z')),
        "awaiting_review" => "Awaits review".to_owned(),
        "submitted" => "Sent".to_owned(),
        "justified" => "Shortfall justified".to_owned(),
        "ruled" => format!("The issuer’s operator decided: {}", of("ruling").replace('_', " ")),
        "news" => news(&event.detail),
        other => other.replace('_', " "),
    };
    let why = ["reason", "why"].iter().find_map(|field| event.detail[*field].as_str()).filter(|why| !why.is_empty());
    (what, why.map(str::to_owned))
}

/// How many workloads were taken out, or which count was lowered, and by whose consent.
fn adjusted(act: &[Event]) -> String {
    let workloads = act.iter().filter(|event| event.detail["workload"].is_string()).count();
    let lowered = act.iter().filter(|event| event.detail["workload"].is_null()).map(|event| {
        let of = |field: &str| text(&event.detail[field]);
        format!("{} {} lowered from {} to {}", of("tenant"), of("type"), of("before"), of("after"))
    });
    let taken_out = match workloads {
        0 => None,
        1 => Some("1 workload taken out".to_owned()),
        many => Some(format!("{many} workloads taken out")),
    };
    let mut said: Vec<String> = taken_out.into_iter().chain(lowered).collect();
    let approved_by = act.first().and_then(|event| event.detail["approved_by"].as_str());
    said.extend(approved_by.map(|by| format!("approved by {}", words::person(by))));
    format!("Adjusted: {}", said.join(", "))
}

/// The news by its event name, and whom it reached.
fn news(detail: &Value) -> String {
    let told = detail["told"].as_array().map(Vec::as_slice).unwrap_or_default();
    let to: Vec<&str> = told.iter().filter_map(|told| told["to"].as_str()).collect();
    let event = text(&detail["event"]);
    if to.is_empty() { format!("News {event}") } else { format!("News {event} told to {}", to.join(", ")) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { "–".to_owned() } else { value.to_string() }, str::to_owned)
}
