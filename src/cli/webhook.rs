//! `webhook`: what endpoints were told, telling them again, and whether messages arrive.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::runtime;
use super::arguments::instant;
use super::patience::Patience;
use super::session::Session;
use super::table::{Column, Table, list, word};
use crate::agent::{Again, Order, Query, Refused};
use crate::ask::{Answer, Ask, Failure};
use crate::channels::hook_answer::{is_taken, words};
use crate::channels::webhook::trial;
use crate::domain::Instant;
use crate::doors::Wire;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Every endpoint as it stands, and the newest tries with what was answered
    ///
    /// Exit codes: 66 no such endpoint; 78 no [[webhook]] in the settings.
    ///
    /// Example: tidegauge webhook log --to operations --json
    Log(LogAsked),
    /// Tells endpoints again, with the same ids and in the order in which it happened
    ///
    /// One piece of news by its id, or everything since an instant. Messages that wait for their next try are tried at
    /// once. Endpoints drop by the id what they have.
    ///
    /// Exit codes: 3 nothing to tell; 8 the endpoint answered 410 Gone; 65 too much at once; 66 no such endpoint or news;
    /// 78 no [[webhook]] in the settings.
    ///
    /// Example: tidegauge webhook replay --since 2026-11-01 --to operations
    Replay(ReplayAsked),
    /// Sends a signed message of type webhook.test at once, and says what was answered
    ///
    /// Nothing is recorded. Exit codes: 0 taken; 66 no such endpoint; 69 not taken; 78 its secret cannot be read.
    ///
    /// Example: tidegauge webhook test operations --config tidegauge.toml
    Test(TestAsked),
}

#[derive(Debug, Args)]
pub struct LogAsked {
    /// Only this endpoint
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// How many tries are shown
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    last: u16,
}

#[derive(Debug, Args)]
pub struct ReplayAsked {
    /// The news, by the id in `webhook log`
    #[arg(value_name = "ID", required_unless_present = "since", conflicts_with = "since")]
    id: Option<String>,
    /// Everything since then
    #[arg(long, value_name = "T", value_parser = instant)]
    since: Option<Instant>,
    /// Only this endpoint
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}

#[derive(Debug, Args)]
pub struct TestAsked {
    /// The endpoint, as the settings call it
    #[arg(value_name = "NAME")]
    name: String,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Log(LogAsked { to, last }) => {
            session.ask_and_show(&Query::WebhookLog { to: to.clone(), last: *last }, log_text)
        }
        Act::Replay(ReplayAsked { id, since, to }) => {
            session.refuse_now("webhook replay")?;
            let what = match (id, since) {
                (Some(id), _) => Again::Id(id.clone()),
                (None, Some(since)) => Again::Since(*since),
                (None, None) => return Err(Refused::new(2, "name an id or --since T")),
            };
            session.order_and_show(Order::TellAgain { to: to.clone(), what }, replay_text)
        }
        Act::Test(TestAsked { name }) => test(session, name),
    }
}

fn test(session: &mut Session<'_>, name: &str) -> Result<(), Refused> {
    session.refuse_now("webhook test")?;
    let settings = session.settings()?;
    let Some(endpoint) = settings.webhooks.iter().find(|one| one.name == name) else {
        return Err(Refused::new(66, format!("the settings have no [[webhook]] called {name}")));
    };
    let message = trial(&endpoint.peer(), session.hour().now);
    let id = message.id.clone();
    let wire: Arc<dyn Wire> = (session.doors.wire)(&settings);
    let answer = {
        let _patience = Patience::with("asking the endpoint");
        runtime()?.block_on(wire.carry(Ask::Hook(message)))
    };
    let (taken, answered, code) = match &answer {
        Answer::Http(answer) => (is_taken(answer), words(answer), 69),
        Answer::Failed(failure @ Failure::Settings { .. }) => (false, failure.to_string(), 78),
        Answer::Failed(failure) => (false, failure.to_string(), 69),
        Answer::Mail(_) | Answer::Folder(_) => return Err(Refused::new(1, "a message had an answer of another kind")),
    };
    let shown = json!({"schema": "tidegauge.webhook-test/1", "to": name, "id": id, "taken": taken, "words": answered});
    session.show(&shown, |tested, _| {
        let end = if tested["taken"] == true { "taken" } else { "not taken" };
        format!("{}: {end}: {}\n", word(tested, "to"), word(tested, "words"))
    })?;
    if taken { Ok(()) } else { Err(Refused::new(code, format!("the message to {name} was not taken: {answered}"))) }
}

fn log_text(log: &Value, _: Instant) -> String {
    let mut endpoints = Table::new(&[Column::Left("endpoint"), Column::Left("state"), Column::Left("waiting")]);
    for endpoint in list(log, "endpoints") {
        let state = match (endpoint["gone_since"].as_str(), endpoint["slow_until"].as_str()) {
            (Some(since), _) => format!("gone since {since}"),
            (None, Some(until)) => format!("slow until {until}"),
            (None, None) => "well".to_owned(),
        };
        endpoints.row([word(endpoint, "name"), state, endpoint["waiting"].to_string()]);
    }
    let columns = ["at", "endpoint", "type", "try", "answer", "id"].map(Column::Left);
    let mut tries = Table::new(&columns);
    for tried in list(log, "tries") {
        let try_number = tried["attempt"].to_string();
        let told = [word(tried, "at"), word(tried, "endpoint"), word(tried, "type"), try_number];
        let [at, endpoint, kind, number] = told;
        tries.row([at, endpoint, kind, number, word(tried, "words"), word(tried, "id")]);
    }
    format!("{}\n{}", endpoints.text("no endpoint"), tries.text("nothing was tried yet"))
}

fn replay_text(replayed: &Value, _: Instant) -> String {
    let mut table = Table::new(&[Column::Left("at"), Column::Left("to"), Column::Left("type"), Column::Left("id")]);
    for one in list(replayed, "replayed") {
        table.row([word(one, "at"), word(one, "to"), word(one, "type"), word(one, "id")]);
    }
    table.text("nothing")
}
