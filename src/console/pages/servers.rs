//! Servers: how each stands, and its samples by the hour.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/servers", name: Some("Servers"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/servers.html")]
struct Servers {
    frame: Frame,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Servers").await?;
    Ok(Shown::Page(html(&Servers { frame })))
}
