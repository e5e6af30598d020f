//! Users: who may come in, as what, and the tokens that act for people.

use askama::Template;
use chrono::{Days, NaiveDate};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Deed, Page, Shown, html};
use crate::agent::{Order, Query, Refused};
use crate::console::forms::Fields;
use crate::console::frame::{Frame, Visit};
use crate::console::shown::When;
use crate::domain::Instant;
use crate::domain::calendar::{is_reckoned, midnight};
use crate::domain::people::{ROLES, Role, SecretHash, user_name};
use crate::people::token;

pub const PAGE: Page =
    Page { path: "/users", name: Some("Users"), needs: Role::Administrator, draw: |visit| Box::pin(drawn(visit)) };
pub const DEEDS: &[Deed] = &[
    Deed { path: "/users/add", needs: Role::Administrator, act: |visit, fields| Box::pin(add(visit, fields)) },
    Deed { path: "/users/change", needs: Role::Administrator, act: |visit, fields| Box::pin(change(visit, fields)) },
    Deed { path: "/users/invite", needs: Role::Administrator, act: |visit, fields| Box::pin(invite(visit, fields)) },
    Deed { path: "/users/token", needs: Role::Administrator, act: |visit, fields| Box::pin(add_token(visit, fields)) },
    Deed { path: "/users/revoke", needs: Role::Administrator, act: |visit, fields| Box::pin(revoke(visit, fields)) },
];

#[derive(Template)]
#[template(path = "console/people.html")]
struct People {
    frame: Frame,
    roles: [Role; 4],
    users: Vec<User>,
    tokens: Vec<Token>,
}

/// `tidegauge.users/1`.
#[derive(Deserialize)]
struct Users {
    users: Vec<UserAnswer>,
}

#[derive(Deserialize)]
struct UserAnswer {
    name: String,
    role: Role,
    active: bool,
    has_password: bool,
    invited_until: Option<Instant>,
}

struct User {
    name: String,
    role: Role,
    active: bool,
    has_password: bool,
    invited_until: Option<When>,
}

/// `tidegauge.tokens/1`.
#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<TokenAnswer>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    name: String,
    role: Role,
    by: String,
    works: bool,
    made_at: Instant,
    expires_at: Option<Instant>,
}

struct Token {
    name: String,
    role: Role,
    by: String,
    works: bool,
    made_at: When,
    expires_at: Option<When>,
}

async fn drawn(mut visit: Visit) -> Result<Shown, Refused> {
    let users: Users = visit.ask(Query::Users {}).await?;
    let tokens: Tokens = visit.ask(Query::Tokens {}).await?;
    let user = |user: UserAnswer| User {
        name: user.name,
        role: user.role,
        active: user.active,
        has_password: user.has_password,
        invited_until: user.invited_until.map(|at| visit.when(at)),
    };
    let users = users.users.into_iter().map(user).collect();
    let token = |token: TokenAnswer| Token {
        name: token.name,
        role: token.role,
        by: token.by,
        works: token.works,
        made_at: visit.when(token.made_at),
        expires_at: token.expires_at.map(|at| visit.when(at)),
    };
    let tokens = tokens.tokens.into_iter().map(token).collect();
    let frame = visit.frame(PAGE.path, "Users").await?;
    Ok(Shown::Page(html(&People { frame, roles: ROLES, users, tokens })))
}

async fn add(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let name = fields.needed("name")?.to_owned();
    let role = fields.read("role")?.unwrap_or(Role::Viewer);
    let (link, hash) = invitation(&visit);
    visit.order(Order::AddUser { name: name.clone(), role, password: None, invitation: Some(hash) }).await?;
    back(format!("{name} is {role}. Give this link to {name}; it works once, for 24 hours: {link}"))
}

async fn invite(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let name = fields.needed("name")?.to_owned();
    let (link, hash) = invitation(&visit);
    let order =
        Order::ChangeUser { name: name.clone(), role: None, active: None, password: None, invitation: Some(hash) };
    visit.order(order).await?;
    back(format!("Give this link to {name}; it works once, for 24 hours: {link}"))
}

/// A one-time link, as the person's browser reaches this console, and the hash that the agent keeps of it.
fn invitation(visit: &Visit) -> (String, SecretHash) {
    let (code, hash) = token::code(drawn_bytes(visit));
    (token::welcome_path(code.expose_secret()), hash)
}

fn drawn_bytes(visit: &Visit) -> [u8; 32] {
    let mut bytes = [0; 32];
    visit.house.chance.lock().expect("drawing bytes does not panic").fill(&mut bytes);
    bytes
}

async fn change(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let name = fields.needed("name")?.to_owned();
    let (role, active): (Option<Role>, Option<bool>) = (fields.read("role")?, fields.read("active")?);
    let order = Order::ChangeUser { name: name.clone(), role, active, password: None, invitation: None };
    visit.order(order).await?;
    if active == Some(false) {
        let kept = user_name(&name).unwrap_or_else(|| name.clone());
        visit.house.doorkeeper.close_all_of(&kept);
    }
    back(match (active, role) {
        (Some(false), _) => format!("{name} can’t sign in any more; sessions and tokens have ended."),
        (Some(true), _) => format!("{name} may sign in again."),
        (None, Some(role)) => format!("{name} is {role} now."),
        (None, None) => "Nothing was changed.".to_owned(),
    })
}

async fn add_token(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let name = fields.needed("name")?.to_owned();
    let role = fields.read("role")?.unwrap_or(Role::Viewer);
    let ends_on: Option<NaiveDate> = fields.read("expires_on")?;
    if !ends_on.is_none_or(is_reckoned) {
        return Err(Refused::new(2, "the token's last day lies in the years 1970 to 9998; name another one"));
    }
    let expires_at = ends_on.map(|day| midnight(day + Days::new(1)));
    let (secret, hash) = token::new(drawn_bytes(&visit));
    visit.order(Order::AddToken { name: name.clone(), role, expires_at, hash }).await?;
    back(format!("The token {name} is shown this once, keep it safe: {}", secret.expose_secret()))
}

async fn revoke(visit: Visit, fields: Fields) -> Result<Shown, Refused> {
    let name = fields.needed("name")?.to_owned();
    visit.order(Order::RevokeToken { name: name.clone() }).await?;
    back(format!("The token {name} works no more."))
}

fn back(said: String) -> Result<Shown, Refused> {
    Ok(Shown::Onward { to: PAGE.path.to_owned(), said })
}
