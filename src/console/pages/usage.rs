//! Usage: any period by tenant, type, server and workload.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/usage", name: Some("Usage"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/usage.html")]
struct Usage {
    frame: Frame,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Usage").await?;
    Ok(Shown::Page(html(&Usage { frame })))
}
