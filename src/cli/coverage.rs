//! `coverage`: which hours were sampled.

use chrono::NaiveDate;
use clap::Args;
use serde_json::Value;

use super::session::Session;
use super::table::{list, minute, word};
use crate::agent::{Query, Refused};
use crate::domain::Instant;

/// How an hour is written.
const SIGNS: [(&str, char); 6] =
    [("complete", '#'), ("partial", '+'), ("missed", 'x'), ("stale", '~'), ("none_expected", '-'), ("future", '.')];

#[derive(Debug, Args)]
pub struct Asked {
    /// Only this server
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// The first day
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// The last day
    #[arg(long, value_name = "DAY")]
    until: Option<NaiveDate>,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let Asked { server, from, until } = asked;
    session.ask_and_show(&Query::Coverage { server: server.clone(), from: *from, until: *until }, text)
}

fn text(coverage: &Value, _: Instant) -> String {
    let servers = list(coverage, "servers");
    if servers.is_empty() {
        return "no server is known yet\n".to_owned();
    }
    servers.iter().map(server).collect::<Vec<String>>().join("\n")
}

fn server(server: &Value) -> String {
    let counted = |value: &Value| format!("{} of {}", word(value, "complete"), word(value, "expected"));
    let mut text = format!("{}: {} samples\n", word(server, "server"), counted(server));
    for day in list(server, "days") {
        let sign = |state: &Value| SIGNS.iter().find(|(name, _)| state == name).map_or('?', |(_, sign)| *sign);
        let signs: String = list(day, "hours").iter().map(sign).collect();
        text.push_str(&format!("{}  {signs}  {}\n", word(day, "day"), counted(day)));
    }
    if let Some(why) = server["last_miss"]["why"].as_str() {
        text.push_str(&format!("last missed {}: {why}\n", minute(&server["last_miss"], "at")));
    }
    text
}
