//! Settings: what is in force, and where it was said.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/settings", name: Some("Settings"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/settings.html")]
struct Settings {
    frame: Frame,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Settings").await?;
    Ok(Shown::Page(html(&Settings { frame })))
}
