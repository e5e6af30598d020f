//! Settings: what is in force and where it was said, who one is here, one's sessions and password.

use std::net::{IpAddr, Ipv4Addr};

use askama::Template;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::{Order, Query, Refused};
use crate::console::entry::{known, new_password};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::When;
use crate::domain::people::Role;
use crate::people::password;

pub const PAGE: Page =
    Page { path: "/settings", name: Some("Settings"), needs: Role::Viewer, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[
    Deed {
        path: "/settings/password",
        needs: Role::Viewer,
        act: |visit, fields| Box::pin(set_password(visit, fields)),
    },
    Deed { path: "/settings/sessions", needs: Role::Viewer, act: |visit, _| Box::pin(end_others(visit)) },
];

/// Settings that one page shows; a fleet has thousands.
const SHOWN_MAX: usize = 400;
/// Where tries inside a session are counted: not among those of any address, so that nobody outside can use them up.
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Template)]
#[template(path = "console/settings.html")]
struct Settings {
    frame: Frame,
    search: String,
    settings: Vec<InForce>,
    /// Settings that fit beyond those that are shown.
    more: usize,
    sessions: Vec<Session>,
    has_password: bool,
    /// Why the password was not changed.
    refused: Option<String>,
}

/// `tidegauge.settings/1`.
#[derive(Deserialize)]
struct Answer {
    settings: Vec<InForce>,
}

/// A setting; secrets are named by their place.
#[derive(Deserialize)]
struct InForce {
    key: String,
    value: String,
    note: Option<String>,
    from: String,
}

struct Session {
    since: When,
    used_at: When,
    ends_at: When,
    is_this: bool,
}

async fn drawn(visit: Visit) -> Result<Shown, Refused> {
    Ok(Shown::Page(page(visit, None).await?))
}

async fn page(mut visit: Visit, refused: Option<String>) -> Result<String, Refused> {
    let Answer { mut settings } = visit.ask(Query::Settings {}).await?;
    let search = visit.asked.text("search").unwrap_or_default().to_owned();
    let wanted = search.to_lowercase();
    settings.retain(|one| [&one.key, &one.value, &one.from].iter().any(|text| text.to_lowercase().contains(&wanted)));
    let more = settings.len().saturating_sub(SHOWN_MAX);
    settings.truncate(SHOWN_MAX);
    let has_password = known(&visit.house, &visit.person.name).await?.password.is_some();
    let sessions = sessions(&visit);
    let frame = visit.frame(PAGE.path, "Settings").await?;
    Ok(html(&Settings { frame, search, settings, more, sessions, has_password, refused }))
}

fn sessions(visit: &Visit) -> Vec<Session> {
    let own = visit.house.doorkeeper.sessions_of(&visit.person.name, &visit.csrf, visit.now);
    let shown = own.into_iter().map(|own| Session {
        since: visit.when(own.since),
        used_at: visit.when(own.used_at),
        ends_at: visit.when(own.ends_at),
        is_this: own.is_this,
    });
    shown.collect()
}

async fn set_password(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    match changed(&visit, &fields).await {
        Ok(lock) => {
            visit.house.doorkeeper.keep_under(lock, &visit.person.name, &visit.csrf);
            visit.house.doorkeeper.close_others(&visit.person.name, &visit.csrf);
            back("Your password is changed; your other sessions have ended.")
        }
        Err(refused) => {
            let status = match refused.code {
                65 | 77 => StatusCode::UNPROCESSABLE_ENTITY,
                75 => StatusCode::TOO_MANY_REQUESTS,
                _ => return Err(refused),
            };
            Ok(Shown::Refused(status, page(visit, Some(refused.why)).await?))
        }
    }
}

/// The person's own password in place of the current one, which he must know. Gives his lock from then on.
async fn changed(visit: &Visit, fields: &Fields) -> Result<u64, Refused> {
    let (house, name) = (&visit.house, &visit.person.name);
    let hash = known(house, name).await?.password;
    let hash = hash.ok_or_else(|| Refused::new(77, "no password is kept of you here; you sign in elsewhere"))?;
    if let Err(many) = house.doorkeeper.may_try(name, INSIDE, visit.now) {
        return Err(Refused::new(75, many.to_string()));
    }
    // Counted before it is checked, so that tries side by side are counted too.
    house.doorkeeper.failed(name, INSIDE, visit.now);
    let current = SecretString::from(fields.all("current").next().unwrap_or_default().to_owned());
    let fits = tokio::task::spawn_blocking(move || password::verify(&current, Some(&hash))).await;
    if !fits.unwrap_or(false) {
        return Err(Refused::new(77, "the current password is another one; nothing was changed"));
    }
    house.doorkeeper.passed(name, INSIDE);
    let password = new_password(house, name, fields).await?;
    visit.order(Order::SetPassword { name: name.clone(), password, invitation: None }).await?;
    Ok(known(house, name).await?.lock)
}

async fn end_others(visit: Visit) -> Result<Shown, Refused> {
    visit.house.doorkeeper.close_others(&visit.person.name, &visit.csrf);
    back("Your other sessions have ended.")
}

fn back(said: &str) -> Result<Shown, Refused> {
    Ok(Shown::Onward { to: PAGE.path.to_owned(), said: said.to_owned() })
}
