//! What is asked once more before a report is sent or reset.

use askama::Template;

use super::answers::{Effect, Head, Made};
use super::place::Place;
use super::{PAGE, Page, Shown, html, place, proposals};
use crate::agent::{Query, Refused};
use crate::console::frame::{Frame, Visit};
use crate::console::words;
use crate::domain::people::Role;

pub const SEND: Page =
    Page { path: "/report/send", name: None, needs: Role::Approver, draw: |visit| Box::pin(send(visit)) };
pub const RESET: Page =
    Page { path: "/report/reset", name: None, needs: Role::Reviewer, draw: |visit| Box::pin(reset(visit)) };

/// Changes that are named one by one.
pub(super) const NAMED_MAX: usize = 200;

#[derive(Template)]
#[template(path = "console/report_send.html")]
struct Send {
    frame: Frame,
    place: Place,
    head: Head,
    proposals_open: u64,
}

#[derive(Template)]
#[template(path = "console/report_reset.html")]
struct Reset {
    frame: Frame,
    place: Place,
    effect: Effect,
    taken_back: Vec<Made>,
    not_named: usize,
}

async fn send(mut visit: Visit) -> Result<Shown, Refused> {
    let (frame, place) = start(&mut visit, "Send the report").await?;
    let head: Head = visit.ask(Query::ReportHead(place.report()?)).await?;
    let proposals_open = proposals(&visit, &place).await?.open;
    Ok(Shown::Page(html(&Send { frame, place, head, proposals_open })))
}

async fn reset(mut visit: Visit) -> Result<Shown, Refused> {
    let (frame, place) = start(&mut visit, "Reset the report").await?;
    let mut effect: Effect = visit.ask(Query::WhatIfReset(place.target())).await?;
    let mut taken_back = std::mem::take(&mut effect.taken_back);
    let not_named = taken_back.len().saturating_sub(NAMED_MAX);
    taken_back.truncate(NAMED_MAX);
    Ok(Shown::Page(html(&Reset { frame, place, effect, taken_back, not_named })))
}

async fn start(visit: &mut Visit, title: &str) -> Result<(Frame, Place), Refused> {
    let frame = visit.frame(PAGE.path, title).await?;
    let found = place(&frame, &visit.asked)?;
    found.map(|place| (frame, place)).ok_or_else(|| Refused::new(66, "there is no report yet"))
}
