//! API: what programs may ask and order, to read.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/api", name: Some("API"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/api.html")]
struct Reference {
    frame: Frame,
    /// Markup of our own, whatever is foreign in it escaped where it was drawn.
    reference: &'static str,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let reference = (visit.house.reference)();
    let frame = visit.frame(PAGE.path, "API").await?;
    Ok(Shown::Page(html(&Reference { frame, reference })))
}
