//! `telemetry`: what was sent, byte for byte, and what is sent next.

use std::fmt::Write;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::arguments::UnitArgs;
use super::session::Session;
use super::table::{Column, Table, dashed, joined, list, minute, word};
use crate::agent::{Query, Refused};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Weeks and reports as they were sealed and sent, and what leaves next
    ///
    /// Exit codes: 3 no sample is kept yet; 66 no such unit or server.
    ///
    /// Example: tidegauge telemetry list --last 10
    List(Listed),
    /// One message: exactly what was sent, and what the server answered
    ///
    /// Exit codes: 66 no such message.
    ///
    /// Example: tidegauge telemetry show 7c0b6f0e-5f57-5d0c-8f7e-2f4b8a2f7d11
    Show(Shown),
}

#[derive(Debug, Args)]
pub struct Listed {
    #[command(flatten)]
    unit: UnitArgs,
    /// How many messages are shown
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
    last: u16,
}

#[derive(Debug, Args)]
pub struct Shown {
    /// The message, by the id in `telemetry list`
    #[arg(value_name = "ID")]
    id: String,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::List(Listed { unit: UnitArgs { unit, server }, last }) => {
            let query =
                Query::Telemetry { unit: unit.clone(), server: server.clone(), after: None, limit: Some(*last) };
            session.ask_and_show(&query, listed)
        }
        Act::Show(Shown { id }) => session.ask_and_show(&Query::Message { id: id.clone() }, shown),
    }
}

fn listed(telemetry: &Value, _: Instant) -> String {
    let columns = ["period", "what", "sealed at", "state"].map(Column::Left);
    let mut table = Table::new(&[&columns[..], &[Column::Right("bytes"), Column::Left("id")]].concat());
    for message in list(telemetry, "messages") {
        let what = format!("{} r{}", word(message, "kind"), word(message, "revision"));
        let [period, state, bytes, id] = ["period", "state", "bytes", "id"].map(|field| word(message, field));
        table.row([period, what, minute(message, "sealed_at"), state, bytes, id]);
    }
    let mut text = format!("Unit {} ({})\n", word(telemetry, "unit"), joined(telemetry, "servers"));
    text.push_str(&table.text("nothing was sealed yet"));
    text.push_str("\nNext\n");
    let upcoming = &telemetry["upcoming"];
    let mut next = Table::new(&["at", "what", "period", "why"].map(Column::Left));
    for planned in list(upcoming, "planned") {
        let at = match planned["at"].as_str() {
            Some(_) => minute(planned, "at"),
            None => format!("{} to {}", minute(planned, "from"), minute(planned, "until")),
        };
        next.row([at, word(planned, "kind"), word(planned, "period"), word(planned, "why")]);
    }
    text.push_str(&next.text("nothing"));
    if let Some(why) = upcoming["nothing_because"].as_str() {
        let _ = writeln!(text, "{why}");
    }
    let preview = &upcoming["telemetry"];
    if let Some(payload) = preview["payload"].as_str() {
        let _ = writeln!(text, "\n{} as of {}:\n{payload}", word(preview, "period"), minute(preview, "as_of"));
    }
    text
}

fn shown(message: &Value, _: Instant) -> String {
    let mut text = format!(
        "{} {} r{}, sealed {} by {}, {}\n{} bytes, SHA-256 {}\n",
        word(message, "kind"),
        word(message, "period"),
        word(message, "revision"),
        minute(message, "sealed_at"),
        word(message, "by"),
        word(message, "state"),
        word(message, "bytes"),
        word(message, "sha256"),
    );
    if !message["receipt"].is_null() {
        let receipt = &message["receipt"];
        let _ = writeln!(text, "taken {}, verdict {}", minute(receipt, "received_at"), dashed(receipt, "verdict"));
    }
    for (title, field) in [
        ("What it says", "payload"),
        ("As it was sent", "body"),
        ("What was answered", "answer_payload"),
        ("What the server had under this id", "adopted_body"),
    ] {
        if !message[field].is_null() {
            let _ = writeln!(text, "\n{title}\n{}", word(message, field));
        }
    }
    text
}
