//! Users: who may come in, and as what.

use askama::Template;

use super::{Deed, Page, Shown, html};
use crate::agent::Refused;
use crate::console::frame::{Frame, Visit};
use crate::domain::people::Role;

pub const PAGE: Page =
    Page { path: "/users", name: Some("Users"), needs: Role::Administrator, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[];

#[derive(Template)]
#[template(path = "console/people.html")]
struct Users {
    frame: Frame,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let frame = visit.frame(PAGE.path, "Users").await?;
    Ok(Shown::Page(html(&Users { frame })))
}
