//! The glass box: what was sent, when, byte for byte, and what leaves next.

mod message;

use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::{Query, Refused};
use crate::console::answers::{Licensed, UnitChoice, chosen};
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{When, encoded};
use crate::console::words::Tone;
use crate::domain::Instant;
use crate::domain::people::Role;
use message::Excerpt;

pub const PAGE: Page =
    Page { path: "/telemetry", name: Some("Telemetry"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/telemetry.html")]
struct Telemetry {
    frame: Frame,
    units: Vec<UnitChoice>,
    shown: Option<Unit>,
}

/// One reporting unit's messages.
struct Unit {
    id: String,
    servers: Vec<String>,
    sent: Vec<Sent>,
    /// Where older ones stand.
    older: Option<String>,
    planned: Vec<Leaving>,
    nothing_because: Option<String>,
    preview: Option<Preview>,
}

/// A message that was sealed.
struct Sent {
    sealed_at: When,
    received_at: Option<When>,
    next_try_at: Option<When>,
    message: InShort,
}

/// What leaves next.
struct Leaving {
    what: String,
    at: Option<When>,
    from: Option<When>,
    until: Option<When>,
    why: String,
}

/// What the next telemetry says.
struct Preview {
    period: String,
    as_of: When,
    /// Where it stands when it is sealed already.
    sealed: Option<String>,
    payload: Excerpt,
}

/// `tidegauge.telemetry/1`.
#[derive(Deserialize)]
struct Answer {
    unit: String,
    servers: Vec<String>,
    messages: Vec<InShort>,
    next: Option<String>,
    upcoming: Upcoming,
}

/// What is known of a message beside its bytes.
#[derive(Deserialize)]
pub struct InShort {
    id: String,
    kind: String,
    unit: String,
    period: String,
    revision: u32,
    sealed_at: Instant,
    by: String,
    bytes: u64,
    sha256: String,
    state: State,
    receipt: Option<Receipt>,
    conflicting_days: Option<Vec<NaiveDate>>,
    setback: Option<Setback>,
}

/// How far a message has got.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Taken,
    Conflict,
    Lost,
}

#[derive(Deserialize)]
struct Receipt {
    sha256: String,
    received_at: Instant,
    verdict: Option<String>,
}

#[derive(Deserialize)]
struct Setback {
    why: String,
    tries: u32,
    next_try_at: Instant,
}

#[derive(Deserialize)]
struct Upcoming {
    planned: Vec<Planned>,
    nothing_because: Option<String>,
    telemetry: Option<Foretold>,
}

#[derive(Deserialize)]
struct Planned {
    kind: String,
    period: String,
    at: Option<Instant>,
    from: Option<Instant>,
    until: Option<Instant>,
    why: String,
}

#[derive(Deserialize)]
struct Foretold {
    period: String,
    sealed_as: Option<String>,
    as_of: Instant,
    payload: Option<String>,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    match visit.asked.text("id").map(str::to_owned) {
        Some(id) => message::drawn(visit, id).await,
        None => list(visit).await,
    }
}

async fn list(mut visit: Visit) -> Result<Shown, Refused> {
    let licenses: Vec<Licensed> = visit.each(Query::License { unit: None, server: None }).await?;
    let units = UnitChoice::each(licenses.iter().map(|license| (&license.unit, &license.servers)));
    let shown = match chosen(&visit.asked, &units)? {
        Some(unit) => {
            let after = visit.asked.text("after").map(str::to_owned);
            let query = Query::Telemetry { unit: Some(unit), server: None, after, limit: None };
            visit.each(query).await?.into_iter().next().map(|answer| one_unit(&visit, answer))
        }
        None => None,
    };
    let frame = visit.frame(PAGE.path, "Telemetry").await?;
    Ok(Shown::Page(html(&Telemetry { frame, units, shown })))
}

fn one_unit(visit: &Visit, answer: Answer) -> Unit {
    let Answer { unit, servers, messages, next, upcoming } = answer;
    let Upcoming { planned, nothing_because, telemetry } = upcoming;
    let when = |at: Option<Instant>| at.map(|at| visit.when(at));
    let sent = |message: InShort| Sent {
        sealed_at: visit.when(message.sealed_at),
        received_at: when(message.receipt.as_ref().map(|receipt| receipt.received_at)),
        next_try_at: when(message.setback.as_ref().map(|setback| setback.next_try_at)),
        message,
    };
    let leaving = |planned: Planned| Leaving {
        what: what(&planned.kind, &planned.period),
        at: when(planned.at),
        from: when(planned.from),
        until: when(planned.until),
        why: planned.why,
    };
    let preview = |foretold: Foretold| Preview {
        period: foretold.period,
        as_of: visit.when(foretold.as_of),
        sealed: foretold.sealed_as.map(|id| address(&id)),
        payload: Excerpt::of_json(foretold.payload.as_deref().unwrap_or_default()),
    };
    Unit {
        older: next.map(|next| format!("{}?unit={}&after={}", PAGE.path, encoded(&unit), encoded(&next))),
        id: unit,
        servers,
        sent: messages.into_iter().map(sent).collect(),
        planned: planned.into_iter().map(leaving).collect(),
        nothing_because,
        preview: telemetry.map(preview),
    }
}

/// Where a message's bytes stand.
fn address(id: &str) -> String {
    format!("{}?id={}", PAGE.path, encoded(id))
}

/// What a message is about, for people.
fn what(kind: &str, period: &str) -> String {
    match kind {
        "telemetry" => format!("Telemetry of {period}"),
        "report" => format!("Usage report {period}"),
        other => format!("{other} {period}"),
    }
}

impl State {
    fn words(self) -> (&'static str, Tone) {
        match self {
            State::Waiting => ("waits for its receipt", Tone("care")),
            State::Taken => ("taken", Tone("good")),
            State::Conflict => ("other bytes stood there", Tone("bad")),
            State::Lost => ("lost there, is sent again", Tone("care")),
        }
    }
}

impl InShort {
    fn what(&self) -> String {
        let revision = if self.revision > 1 { format!(", revision {}", self.revision) } else { String::new() };
        format!("{}{revision}", what(&self.kind, &self.period))
    }

    fn address(&self) -> String {
        address(&self.id)
    }

    /// Who caused it: people without the word that tells them from duties.
    fn who(&self) -> &str {
        self.by.strip_prefix("user:").unwrap_or(&self.by)
    }

    /// Where all messages of its unit stand.
    fn of_unit(&self) -> String {
        format!("{}?unit={}", PAGE.path, encoded(&self.unit))
    }

    /// The beginning of its digest; the message's own page shows all of it.
    fn short_digest(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// Days on which report and telemetry disagree.
    fn odd_days(&self) -> Option<String> {
        let days: Vec<String> = self.conflicting_days.iter().flatten().map(ToString::to_string).collect();
        (!days.is_empty()).then(|| days.join(", "))
    }
}
