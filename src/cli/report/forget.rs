//! `report forget`: a month's reports deleted by order, shown first, then asked about twice.

use clap::Args;
use serde_json::Value;

use super::text;
use crate::agent::orders::Target;
use crate::agent::{Order, Query, Refused};
use crate::cli::access::Access;
use crate::cli::arguments::UnitArgs;
use crate::cli::session::Session;
use crate::cli::table::{minute, word};
use crate::domain::{Instant, Month};

#[derive(Debug, Args)]
pub struct Forget {
    #[command(flatten)]
    pub unit: UnitArgs,
    /// The month whose reports are deleted, all revisions of them
    #[arg(long, value_name = "YYYY-MM")]
    pub month: Month,
    /// Why; it is kept for good, so name nobody in it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The answer to the first question, for scripts
    #[arg(long)]
    pub yes: bool,
    /// The answer to the second: the month once more
    #[arg(long, value_name = "YYYY-MM")]
    pub yes_forget: Option<Month>,
}

pub fn run(session: &mut Session<'_>, how: &Forget) -> Result<(), Refused> {
    session.refuse_now("report forget")?;
    let mut access = Access::open(session)?;
    let UnitArgs { unit, server } = how.unit.clone();
    let (month, reason) = (how.month, how.reason.clone());
    let stands = Query::Report { unit: unit.clone(), server: server.clone(), month: Some(month) };
    let report = access.ask(session, &stands)?;
    if !session.global.json {
        session.show(&report, text::changed)?;
    }
    let confirmed = confirmed_twice(session, how)?;
    let target = Target { unit, server, month: Some(month) };
    let forgotten = access.order(session, Order::Forget { target, month, confirmed, reason })?;
    session.show(&forgotten, text)
}

/// Two questions, or the two options that answer them.
fn confirmed_twice(session: &Session<'_>, how: &Forget) -> Result<Month, Refused> {
    let month = how.month;
    let declined = || Refused::new(2, "not confirmed; nothing was forgotten".to_owned());
    let first = format!(
        "Forget every report of {month} with its files and what proves it? It cannot be brought back from here. [y/N] "
    );
    if !how.yes && !["y", "yes"].contains(&asked(session, &first)?.to_lowercase().as_str()) {
        return Err(declined());
    }
    let confirmed = match how.yes_forget {
        Some(confirmed) => Some(confirmed),
        None => asked(session, "Type the month that is to be forgotten: ")?.parse().ok(),
    };
    confirmed.filter(|confirmed| *confirmed == month).ok_or_else(declined)
}

fn asked(session: &Session<'_>, question: &str) -> Result<String, Refused> {
    (session.doors.ask)(question).ok_or_else(|| {
        let why = "forgetting asks twice, and nobody is at a terminal; confirm with --yes and --yes-forget MONTH";
        Refused::new(2, why)
    })
}

/// What is left: who, when, why, and the digests.
pub fn text(forgotten: &Value, _: Instant) -> String {
    let mut text = format!(
        "report {} forgotten on {} by {}: {}\n",
        word(forgotten, "month"),
        minute(forgotten, "at"),
        word(forgotten, "by"),
        word(forgotten, "reason"),
    );
    for revision in forgotten["revisions"].as_array().into_iter().flatten() {
        text.push_str(&format!("  revision {}: {}\n", word(revision, "revision"), word(revision, "digest")));
    }
    text
}
