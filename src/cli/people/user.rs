//! `user`: people who may sign in, and what each may do.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{drawn, password_in};
use crate::agent::{INVITATION_HOURS, Order, Query, Refused};
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, list as rows, minute, word};
use crate::domain::Instant;
use crate::domain::people::{Role, SecretHash};
use crate::people::token;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Makes a user; prints a one-time link unless a password is given
    ///
    /// The link works for 24 hours and lets whoever opens it set the password. A password is read from a file that only
    /// you can read; it has at least 12 signs.
    ///
    /// Exit codes: 8 there is such a user already; 65 a name or password that is not taken; 66 no such file.
    ///
    /// Example: tidegauge user add anna --role approver
    Add(Add),
    /// Everybody who may sign in
    ///
    /// Example: tidegauge user list --json
    List,
    /// Gives a user another role or password, or lets a disabled one in again
    ///
    /// Exit codes: 3 nothing changes; 8 it would leave no administrator who can sign in; 66 no such user or file.
    ///
    /// Example: tidegauge user change anna --role administrator
    Change(Change),
    /// Prints a one-time link by which a user sets another password
    ///
    /// Exit codes: 66 no such user.
    ///
    /// Example: tidegauge user invite anna
    Invite(Named),
    /// Lets a user in no more; his tokens end with him
    ///
    /// He stays in the list, because the journal names him. Exit codes: 3 he is disabled already; 8 he is the last
    /// administrator who can sign in; 66 no such user.
    ///
    /// Example: tidegauge user disable anna
    Disable(Named),
}

#[derive(Debug, Args)]
pub struct Add {
    /// The name: letters, digits and . _ - @
    #[arg(value_name = "NAME")]
    name: String,
    /// What the user may do: viewer, reviewer, approver or administrator; each may do what those before it may
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// The file that holds the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Change {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    /// What the user may do: viewer, reviewer, approver or administrator
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    /// The file that holds another password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Lets a disabled user in again
    #[arg(long)]
    enable: bool,
}

#[derive(Debug, Args)]
pub struct Named {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    session.refuse_now("user")?;
    match act {
        Act::Add(Add { name, role, password_file: Some(file) }) => {
            let password = Some(password_in(session, file, name)?);
            let order = Order::AddUser { name: name.clone(), role: *role, password, invitation: None };
            session.order_and_show(order, told)
        }
        Act::Add(Add { name, role, password_file: None }) => invited(session, |hash| Order::AddUser {
            name: name.clone(),
            role: *role,
            password: None,
            invitation: Some(hash),
        }),
        Act::List => session.ask_and_show(&Query::Users {}, users),
        Act::Change(how) => change(session, how),
        Act::Invite(Named { name }) => invited(session, |hash| changed(name, None, Some(hash))),
        Act::Disable(Named { name }) => session.order_and_show(changed(name, Some(false), None), told),
    }
}

fn change(session: &mut Session<'_>, how: &Change) -> Result<(), Refused> {
    if how.role.is_none() && how.password_file.is_none() && !how.enable {
        return Err(Refused::new(2, "say what to change: --role, --password-file or --enable"));
    }
    let file = how.password_file.as_deref();
    let password = file.map(|file| password_in(session, file, &how.name)).transpose()?;
    let active = how.enable.then_some(true);
    let order = Order::ChangeUser { name: how.name.clone(), role: how.role, active, password, invitation: None };
    session.order_and_show(order, told)
}

/// Another state or another link; all else stays.
fn changed(name: &str, active: Option<bool>, invitation: Option<SecretHash>) -> Order {
    Order::ChangeUser { name: name.to_owned(), role: None, active, password: None, invitation }
}

/// Orders with the hash of a code, and shows the link that holds the code.
fn invited(session: &mut Session<'_>, order: impl FnOnce(SecretHash) -> Order) -> Result<(), Refused> {
    let (code, hash) = token::code(drawn(session));
    let path = token::welcome_path(code.expose_secret());
    let console = session.settings()?.console;
    let mut answer = session.order(order(hash))?;
    answer["path"] = json!(path);
    answer["link"] = json!(console.map(|console| console.link(&path)));
    session.show(&answer, told)
}

fn told(user: &Value, _: Instant) -> String {
    let [name, role] = ["name", "role"].map(|field| word(user, field));
    if user["path"].is_string() {
        let link = if user["link"].is_string() { word(user, "link") } else { word(user, "path") };
        return format!(
            "{name} ({role}) sets a password within {INVITATION_HOURS} hours at\n{link}\n\
             whoever has this link becomes {name}; it works once\n"
        );
    }
    let state = if user["active"] == true { "may sign in" } else { "is disabled" };
    format!("{name} ({role}) {state}\n")
}

fn users(answer: &Value, now: Instant) -> String {
    let mut table =
        Table::new(&[Column::Left("name"), Column::Left("role"), Column::Left("state"), Column::Left("changed")]);
    for user in rows(answer, "users") {
        let row = ["name", "role"].map(|field| word(user, field));
        table.row(row.into_iter().chain([state(user, now), minute(user, "changed_at")]));
    }
    table.text("there is no user yet; make one with `user add NAME --role administrator`")
}

fn state(user: &Value, now: Instant) -> String {
    let invited_until = word(user, "invited_until").parse::<Instant>().ok();
    match (user["active"] == true, user["has_password"] == true, invited_until) {
        (false, _, _) => "disabled".to_owned(),
        (true, _, Some(end)) if now < end => format!("invited until {}", minute(user, "invited_until")),
        (true, true, _) => "may sign in".to_owned(),
        (true, false, _) => "no way in; `user invite` makes one".to_owned(),
    }
}
