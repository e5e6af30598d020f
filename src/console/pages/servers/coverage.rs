//! One server's month, hour by hour.

use chrono::NaiveDate;
use serde::Deserialize;

use super::ServerAnswer;
use crate::agent::{Query, Refused};
use crate::console::answers::ServerState;
use crate::console::frame::Visit;
use crate::console::shown::encoded;
use crate::domain::Month;

/// Every way an hour goes: its class in the style sheet, its word, and what that means.
pub const LEGEND: [(&str, &str, &str); 5] = [
    ("complete", "complete", "every sample that was due"),
    ("partial", "partial", "fewer samples than were due"),
    ("stale", "stale", "sampled, but nothing fresh of the server"),
    ("missed", "missed", "no sample"),
    ("none", "not due", "no sample was due"),
];

/// What the page shows of it.
pub struct Coverage {
    pub server: String,
    /// Servers that can be looked at.
    pub servers: Vec<String>,
    pub month: Month,
    pub previous: Month,
    /// None of the running month.
    pub next: Option<Month>,
    pub expected: u32,
    pub complete: u32,
    pub days: Vec<Day>,
}

/// `tidegauge.coverage/1`.
#[derive(Deserialize)]
struct Answer {
    servers: Vec<Hours>,
}

#[derive(Deserialize)]
struct Hours {
    server: String,
    expected: u32,
    complete: u32,
    days: Vec<Day>,
}

#[derive(Deserialize)]
pub struct Day {
    pub day: NaiveDate,
    pub expected: u32,
    pub complete: u32,
    hours: Vec<HourState>,
    /// Samples of each hour.
    counts: Vec<u32>,
}

/// How an hour went.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HourState {
    Complete,
    Partial,
    Missed,
    Stale,
    NoneExpected,
    Future,
}

impl HourState {
    /// Its class in the style sheet, and its word.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            HourState::Complete => ("complete", "complete"),
            HourState::Partial => ("partial", "partial"),
            HourState::Missed => ("missed", "missed"),
            HourState::Stale => ("stale", "stale"),
            HourState::NoneExpected => ("none", "not due"),
            HourState::Future => ("future", "to come"),
        }
    }
}

impl Day {
    /// Each hour's class and words.
    pub fn cells(&self) -> Vec<(&'static str, String)> {
        let cell = |(hour, count): (&HourState, &u32)| {
            let (class, word) = hour.words();
            (class, if *count > 1 { format!("{word}, {count} samples") } else { word.to_owned() })
        };
        self.hours.iter().zip(&self.counts).map(cell).collect()
    }
}

impl Coverage {
    /// Where another month of the same server stands.
    pub fn of_month(&self, month: &Month) -> String {
        format!("/servers?server={}&month={month}#coverage", encoded(&self.server))
    }
}

/// The hours of the server and month that the address names: without a month the running one, without a server the first
/// that is not fresh, else the first. A source that only names servers has none.
pub async fn asked(visit: &Visit, servers: &[ServerAnswer]) -> Result<Option<Coverage>, Refused> {
    let running = Month::of(visit.now);
    let month = visit.asked.read("month")?.unwrap_or(running);
    let mut own: Vec<&ServerAnswer> = servers.iter().filter(|server| !server.names_others(servers)).collect();
    let Some(server) = picked(visit.asked.text("server"), servers, &own)? else { return Ok(None) };
    let query =
        Query::Coverage { server: Some(server.clone()), from: Some(month.first_day()), until: Some(month.last_day()) };
    let answer: Answer = match visit.ask(query).await {
        Ok(answer) => answer,
        Err(refused) if refused.code == 66 => return Ok(None),
        Err(refused) => return Err(refused),
    };
    let Some(hours) = answer.servers.into_iter().find(|hours| hours.server == server) else { return Ok(None) };
    own.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(Coverage {
        server,
        servers: own.into_iter().map(|server| server.name.clone()).collect(),
        month,
        previous: month.previous(),
        next: (month < running).then(|| month.next()),
        expected: hours.expected,
        complete: hours.complete,
        days: hours.days,
    }))
}

fn picked(asked: Option<&str>, servers: &[ServerAnswer], own: &[&ServerAnswer]) -> Result<Option<String>, Refused> {
    let Some(name) = asked else {
        let sampled = || own.iter().filter(|server| server.unit.is_some());
        let odd = sampled().find(|server| server.state != ServerState::Fresh);
        let first = odd.or_else(|| sampled().next()).or_else(|| own.first());
        return Ok(first.map(|server| server.name.clone()));
    };
    if !servers.iter().any(|server| server.name == name) {
        return Err(Refused::new(66, format!("there is no server named {name}")));
    }
    // A source is asked for after it was sampled: its servers have the hours.
    let of_source = own.iter().find(|server| server.name == name || server.entry.as_deref() == Some(name));
    Ok(of_source.map(|server| server.name.clone()))
}
