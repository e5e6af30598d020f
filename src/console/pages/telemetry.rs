//! Telemetry: what was sent and will be sent, byte for byte.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/telemetry", name: Some("Telemetry"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/telemetry.html")]
struct Telemetry {
    frame: Frame,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Telemetry").await?;
    Ok(Shown::Page(html(&Telemetry { frame })))
}
