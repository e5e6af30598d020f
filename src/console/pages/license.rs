//! License: its state, dates, history and gate; updating it now, and auto update with its consent.

use askama::Template;
use axum::http::StatusCode;
use chrono::NaiveDate;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::orders::Target;
use crate::agent::{Order, Query, Refused};
use crate::console::answers::{Licensed, UnitChoice, chosen};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::{When, encoded};
use crate::console::words;
use crate::domain::Instant;
use crate::domain::gate::{GateVerdict, Verdict};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/license", name: Some("License"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[
    Deed { path: "/license/update", needs: Role::Approver, act: |visit, fields| Box::pin(update(visit, fields)) },
    Deed { path: "/license/auto-update", needs: Role::Approver, act: |visit, fields| Box::pin(switch(visit, fields)) },
    Deed { path: "/license/justify", needs: Role::Approver, act: |visit, fields| Box::pin(justify(visit, fields)) },
];

/// Sessions that the history shows, the newest first.
const SESSIONS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "console/license.html")]
struct License {
    frame: Frame,
    units: Vec<UnitChoice>,
    shown: Option<Box<Unit>>,
    may_act: bool,
    refused: Option<String>,
}

/// One reporting unit's license.
struct Unit {
    license: Licensed,
    gate: Option<GateVerdict>,
    stood_at: Option<When>,
    next_check: Option<When>,
    stops_at: Option<When>,
    installed_at: Option<When>,
    days: Vec<Day>,
    sessions: Vec<Session>,
}

/// A day ahead.
struct Day {
    at: When,
    /// The same as a day, of what takes days.
    first: NaiveDate,
    last_day: Option<NaiveDate>,
    what: String,
    why: String,
}

struct Session {
    started_at: When,
    occasion: String,
    by: Option<String>,
    server: Option<String>,
    result: Option<String>,
    steps: Vec<String>,
    retry_at: Option<When>,
}

/// `tidegauge.license-calendar/1`.
#[derive(Deserialize)]
struct Calendar {
    calendar: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    at: Instant,
    last_day: Option<NaiveDate>,
    what: String,
    why: String,
}

/// `tidegauge.license-history/1`.
#[derive(Deserialize)]
struct History {
    sessions: Vec<Held>,
}

#[derive(Deserialize)]
struct Held {
    started_at: Instant,
    occasion: Option<String>,
    by: Option<String>,
    server: Option<String>,
    #[serde(default)]
    steps: Vec<String>,
    result_name: Option<String>,
    retry_at: Option<Instant>,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    Ok(Shown::Page(page(visit, None).await?))
}

async fn page(mut visit: Visit, refused: Option<String>) -> Result<String, Refused> {
    let licenses: Vec<Licensed> = visit.each(Query::License { unit: None, server: None }).await?;
    let units = UnitChoice::each(licenses.iter().map(|license| (&license.unit, &license.servers)));
    let picked = chosen(&visit.asked, &units)?;
    let shown = match licenses.into_iter().find(|license| Some(&license.unit) == picked.as_ref()) {
        Some(license) => Some(Box::new(unit(&visit, license).await?)),
        None => None,
    };
    let (may_act, frame) = (visit.may(Role::Approver), visit.frame(PAGE.path, "License").await?);
    Ok(html(&License { frame, units, shown, may_act, refused }))
}

async fn unit(visit: &Visit, license: Licensed) -> Result<Unit, Refused> {
    let (unit, server) = (Some(license.unit.clone()), None);
    let gates = visit.each(Query::Gate { unit: unit.clone(), server: server.clone(), month: None }).await?;
    let ahead: Vec<Calendar> =
        visit.each(Query::LicenseCalendar { unit: unit.clone(), server: server.clone() }).await?;
    let histories: Vec<History> = visit.each(Query::LicenseHistory { unit, server }).await?;
    let day = |Entry { at, last_day, what, why }: Entry| Day {
        at: visit.when(at),
        first: at.date_naive(),
        last_day,
        what,
        why,
    };
    let session = |held: Held| Session {
        started_at: visit.when(held.started_at),
        occasion: held.occasion.unwrap_or_default().replace('_', " "),
        by: held.by,
        server: held.server,
        result: held.result_name,
        steps: held.steps,
        retry_at: held.retry_at.map(|at| visit.when(at)),
    };
    let gate: Option<GateVerdict> = gates.into_iter().next();
    let sessions = histories.into_iter().flat_map(|history| history.sessions.into_iter().rev());
    Ok(Unit {
        stood_at: gate.as_ref().and_then(|gate| gate.stood_at).map(|at| visit.when(at)),
        gate,
        next_check: license.next_check_at.map(|at| visit.when(at)),
        stops_at: license.dates.as_ref().and_then(|dates| dates.processing_stops_at).map(|at| visit.when(at)),
        installed_at: license.installed.as_ref().map(|key| visit.when(key.at)),
        days: ahead.into_iter().flat_map(|ahead| ahead.calendar).map(day).collect(),
        sessions: sessions.take(SESSIONS_MAX).map(session).collect(),
        license,
    })
}

async fn update(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let target = fields.target()?;
    let to = address(&target);
    // What came of it is said, also when nothing was installed: that is no failure of the page.
    let said = match visit.order(Order::LicenseUpdate { target }).await {
        Ok(answer) => message(&answer).unwrap_or("The license was asked for; the history says what came of it.".into()),
        Err(refused) if matches!(refused.code, 3 | 5 | 8 | 69 | 75) => refused.why,
        Err(refused) => return Err(refused),
    };
    Ok(Shown::Onward { to, said })
}

/// What the newest check said.
fn message(answer: &serde_json::Value) -> Option<String> {
    let answer = answer.as_array().and_then(|several| several.first()).unwrap_or(answer);
    answer["last_check"]["message"].as_str().map(str::to_owned)
}

async fn switch(mut visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let (target, on) = (fields.target()?, fields.needed("on")? == "true");
    if on && !fields.has("consent") {
        let why = "Auto update is not switched on without the consent to usage reporting: tick the box first.";
        visit.asked = fields;
        let html = page(visit, Some(why.to_owned())).await?;
        return Ok(Shown::Refused(StatusCode::UNPROCESSABLE_ENTITY, html));
    }
    let to = address(&target);
    visit.order(Order::AutoUpdate { target, on }).await?;
    let said = if on { "Auto update is on: usage is reported from now on." } else { "Auto update is off." };
    Ok(Shown::Onward { to, said: said.to_owned() })
}

async fn justify(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let (target, reason) = (fields.target()?, fields.needed("reason")?.to_owned());
    let to = address(&target);
    visit.order(Order::Justify { target, reason }).await?;
    Ok(Shown::Onward { to, said: "The justification is recorded; it travels with the report.".to_owned() })
}

fn address(target: &Target) -> String {
    target.unit.as_ref().map_or_else(|| PAGE.path.to_owned(), |unit| format!("{}?unit={}", PAGE.path, encoded(unit)))
}
