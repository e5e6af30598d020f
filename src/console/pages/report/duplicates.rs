//! Machines of a report that may be the same, each with the adjustment prepared.

use askama::Template;

use super::answers::{Finding, Findings, Head};
use super::place::Place;
use super::{Page, Shown, html, place};
use crate::agent::{Query, Refused};
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

/// A page of its own: to find them the month's samples are read, which takes its time.
pub const PAGE: Page =
    Page { path: "/report/duplicates", name: None, needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };

#[derive(Template)]
#[template(path = "console/report_duplicates.html")]
struct Duplicates {
    frame: Frame,
    place: Place,
    head: Head,
    findings: Vec<Finding>,
    may_review: bool,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(super::PAGE.path, "Machines that may be the same").await?;
    let Some(place) = place(&frame, &visit.asked)? else { return Err(Refused::new(66, "there is no report yet")) };
    let head: Head = visit.ask(Query::ReportHead(place.report()?)).await?;
    let (unit, month) = (Some(place.unit.clone()), Some(place.month));
    let found: Findings = visit.ask(Query::Proposals { unit, server: None, month }).await?;
    let may_review = visit.may(Role::Reviewer);
    Ok(Shown::Page(html(&Duplicates { frame, place, head, findings: found.proposals, may_review })))
}
