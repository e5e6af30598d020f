//! `report finalize`: the console's own report, compared first, then asked about twice.

use clap::Args;
use serde_json::Value;

use super::compare;
use crate::agent::{Order, Refused};
use crate::cli::access::Access;
use crate::cli::session::Session;
use crate::cli::table::word;
use crate::domain::{Instant, Month};

#[derive(Debug, Args)]
pub struct Finalize {
    /// The [[server]] of source vspc, with finalize_reports = true
    #[arg(long, value_name = "ENTRY")]
    pub with: String,
    /// The month; it must be the console's newest report
    #[arg(long, value_name = "YYYY-MM")]
    pub month: Month,
    /// Why it goes although the reports differ; it is kept
    #[arg(long, value_name = "REASON")]
    pub despite_differences: Option<String>,
    /// The answer to the first question, for scripts
    #[arg(long)]
    pub yes: bool,
    /// The answer to the second: the month once more
    #[arg(long, value_name = "YYYY-MM")]
    pub yes_finalize: Option<Month>,
}

pub fn run(session: &mut Session<'_>, how: &Finalize) -> Result<(), Refused> {
    session.refuse_now("report finalize")?;
    // One agent compares and finalizes: what it finalizes is what was printed.
    let mut access = Access::open(session)?;
    let compared = access.order(session, Order::CompareConsole { with: how.with.clone(), month: how.month })?;
    if !session.global.json {
        session.show(&compared["reports"], compare::text)?;
    }
    let confirmed = match compared["standing"].as_str() {
        Some("waiting") => {
            refuse_differences(session, how, &compared)?;
            confirmed_twice(session, how)?
        }
        // Nothing will be asked of the console: the agent says why.
        Some(_) | None => how.month,
    };
    let (with, month, despite) = (how.with.clone(), how.month, how.despite_differences.clone());
    let finalized = access.order(session, Order::FinalizeConsole { with, month, confirmed, despite })?;
    session.show(&finalized, text)
}

fn refuse_differences(session: &mut Session<'_>, how: &Finalize, compared: &Value) -> Result<(), Refused> {
    if compared["is_equal"].as_bool() == Some(true) || how.despite_differences.is_some() {
        return Ok(());
    }
    if session.global.json {
        session.show(compared, compare::text)?;
    }
    let (month, with) = (how.month, &how.with);
    let why = format!(
        "the reports of {month} here and in {with} differ; adjust one of them, or say why it goes all the same with \
         --despite-differences REASON"
    );
    Err(Refused::new(8, why))
}

/// Two questions, or the two options that answer them.
fn confirmed_twice(session: &Session<'_>, how: &Finalize) -> Result<Month, Refused> {
    let (month, with) = (how.month, &how.with);
    let declined = || Refused::new(2, format!("not confirmed; nothing was asked of {with}"));
    let first =
        format!("Finalize the report of {month} in {with}? It is sent from there and cannot be taken back. [y/N] ");
    if !how.yes && !["y", "yes"].contains(&asked(session, &first)?.to_lowercase().as_str()) {
        return Err(declined());
    }
    let second = format!("Type the month that is to be finalized in {with}: ");
    let confirmed = match how.yes_finalize {
        Some(confirmed) => Some(confirmed),
        None => asked(session, &second)?.parse().ok(),
    };
    confirmed.filter(|confirmed| *confirmed == month).ok_or_else(declined)
}

fn asked(session: &Session<'_>, question: &str) -> Result<String, Refused> {
    (session.doors.ask)(question).ok_or_else(|| {
        let why = "finalizing asks twice, and nobody is at a terminal; confirm with --yes and --yes-finalize MONTH";
        Refused::new(2, why)
    })
}

fn text(finalized: &Value, _: Instant) -> String {
    let kept = &finalized["finalization"];
    let taken = &kept["stage"]["taken"];
    let mut text = format!(
        "report {} in {}: {} ({} points there, {} here)\n",
        word(finalized, "month"),
        word(finalized, "with"),
        word(taken, "words"),
        word(kept, "theirs_points"),
        word(kept, "ours_points"),
    );
    if let Some(reason) = kept["despite"].as_str() {
        text.push_str(&format!("despite differences: {reason}\n"));
    }
    text
}
