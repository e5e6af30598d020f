//! The archive that proves a month's report, as a file.

use base64::Engine;

use super::answers::Archive;
use super::{Page, Shown};
use crate::agent::{Query, Refused};
use crate::console::frame::Visit;
use crate::domain::people::Role;
use crate::domain::pseudonym::Names;

pub const PAGE: Page =
    Page { path: "/report/evidence", name: None, needs: Role::Reviewer, draw: |visit| Box::pin(packed(visit)) };

async fn packed(visit: Visit) -> Result<Shown, Refused> {
    let target = visit.asked.target()?;
    let name = target.month.map_or_else(|| "evidence.zip".to_owned(), |month| format!("{month}-evidence.zip"));
    let query =
        Query::Evidence { unit: target.unit, server: target.server, month: target.month, names: Names::default() };
    let archive: Archive = visit.ask(query).await?;
    let broken = |_| Refused::new(1, "the agent's answer is not a file");
    let bytes = base64::engine::general_purpose::STANDARD.decode(&archive.base64).map_err(broken)?;
    Ok(Shown::File { name, media_type: "application/zip".to_owned(), bytes })
}
