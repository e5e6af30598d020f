//! `token`: API tokens, each with a role and an end.

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::drawn;
use crate::agent::{Order, Query, Refused};
use crate::cli::arguments::instant;
use crate::cli::session::Session;
use crate::cli::table::{Column, Table, list as rows, minute, word};
use crate::domain::Instant;
use crate::domain::people::Role;
use crate::people::token;

/// How long a token works without --expires.
const WORKS_FOR: TimeDelta = TimeDelta::days(90);

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Makes a token and prints it, once
    ///
    /// Programs send it as `Authorization: Bearer tgt_…`. It acts in your name, with at most your role. Only its hash is
    /// kept: who loses it makes another.
    ///
    /// Exit codes: 8 such a token works already; 65 a name that is not taken, or an end that is past; 77 a role above
    /// your own.
    ///
    /// Example: tidegauge token add billing --role viewer --expires 2027-01-01
    Add(Add),
    /// Every token, without the tokens themselves
    ///
    /// Example: tidegauge token list --json
    List,
    /// Ends a token at once
    ///
    /// Exit codes: 3 it works no more already; 66 no such token.
    ///
    /// Example: tidegauge token revoke billing
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub struct Add {
    /// What it is for: letters, digits and . _ - @
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do: viewer, reviewer, approver or administrator
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Until when it works: an instant, a day, or never; without it 90 days
    #[arg(long, value_name = "T", value_parser = end)]
    expires: Option<End>,
}

#[derive(Debug, Args)]
pub struct Revoke {
    /// The token, by its name
    #[arg(value_name = "NAME")]
    name: String,
}

/// When a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Never,
    At(Instant),
}

fn end(text: &str) -> Result<End, String> {
    if text == "never" { Ok(End::Never) } else { instant(text).map(End::At) }
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    session.refuse_now("token")?;
    match act {
        Act::Add(how) => add(session, how),
        Act::List => session.ask_and_show(&Query::Tokens {}, tokens),
        Act::Revoke(Revoke { name }) => session
            .order_and_show(Order::RevokeToken { name: name.clone() }, |token, _| {
                format!("the token {} works no more\n", word(token, "name"))
            }),
    }
}

fn add(session: &mut Session<'_>, how: &Add) -> Result<(), Refused> {
    let expires_at = match how.expires {
        None => Some(session.hour().now + WORKS_FOR),
        Some(End::At(at)) => Some(at),
        Some(End::Never) => None,
    };
    let (token, hash) = token::new(drawn(session));
    let order = Order::AddToken { name: how.name.clone(), role: how.role, expires_at, hash };
    let mut answer = session.order(order)?;
    answer["token"] = json!(token.expose_secret());
    session.show(&answer, made)
}

fn made(token: &Value, _: Instant) -> String {
    let [name, role, by] = ["name", "role", "by"].map(|field| word(token, field));
    let end = if token["expires_at"].is_null() { "it is revoked".to_owned() } else { minute(token, "expires_at") };
    format!("{}\ntoken {name} acts as {role} for {by} until {end}; it is shown this once\n", word(token, "token"))
}

fn tokens(answer: &Value, _: Instant) -> String {
    let columns = ["name", "role", "by", "state", "made", "ends"].map(Column::Left);
    let mut table = Table::new(&columns);
    for token in rows(answer, "tokens") {
        let state = match (token["works"] == true, token["revoked_at"].is_null()) {
            (true, _) => "works",
            (false, false) => "revoked",
            (false, true) => "ended",
        };
        let row = ["name", "role", "by"].map(|field| word(token, field));
        let dates = [state.to_owned(), minute(token, "made_at"), minute(token, "expires_at")];
        table.row(row.into_iter().chain(dates));
    }
    table.text("there is no token yet; make one with `token add NAME --role viewer`")
}
