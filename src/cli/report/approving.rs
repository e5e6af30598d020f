//! `report approve` and `report reject`: adjustments that wait for a second person.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::{ReportArgs, text};
use crate::agent::{Order, Refused};
use crate::cli::session::Session;
use crate::cli::table::{list, minute, word};
use crate::domain::Instant;

#[derive(Debug, Args)]
pub struct Approve {
    #[command(flatten)]
    pub which: ReportArgs,
    /// The proposed adjustment, by its id or the beginning of it
    #[arg(value_name = "ID")]
    pub proposal: String,
}

#[derive(Debug, Args)]
pub struct Reject {
    #[command(flatten)]
    pub which: ReportArgs,
    /// The proposed adjustment, by its id or the beginning of it
    #[arg(value_name = "ID")]
    pub proposal: String,
    /// Why not; the journal keeps it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

pub fn approve(session: &mut Session<'_>, how: &Approve) -> Result<(), Refused> {
    let order = Order::Approve { target: how.which.target(), proposal: how.proposal.clone() };
    session.order_and_show(order, text::adjusted)
}

pub fn reject(session: &mut Session<'_>, how: &Reject) -> Result<(), Refused> {
    let (target, proposal) = (how.which.target(), how.proposal.clone());
    session.order_and_show(Order::Reject { target, proposal, reason: how.reason.clone() }, rejected)
}

fn rejected(proposal: &Value, _: Instant) -> String {
    format!("the proposed adjustment {} is rejected; the report stays as it is\n", word(proposal, "id"))
}

/// What waits in one report, a line each.
pub fn waiting(answer: &Value) -> String {
    let mut text = String::new();
    for proposal in list(answer, "proposals").iter().filter(|one| one["state"] == "open") {
        let [id, by, month, points] = ["id", "by", "month", "lowers_by"].map(|field| word(proposal, field));
        let at = minute(proposal, "at");
        let _ = writeln!(text, "{id}  {by} would lower the report of {month} by {points} points (proposed {at})");
        for act in list(proposal, "adjustments") {
            let _ = writeln!(text, "              {}: {}", lowering(act), word(act, "reason"));
        }
        let _ = writeln!(text, "              a second person: tidegauge report approve {id}, or reject {id}");
    }
    text
}

/// What was kept as proposed.
pub fn proposed(proposal: &Value) -> String {
    let [id, points] = ["id", "lowers_by"].map(|field| word(proposal, field));
    format!(
        "proposed as {id}: it lowers the report by {points} points, which takes a second person; nothing is changed \
         until somebody else runs: tidegauge report approve {id}\n"
    )
}

fn lowering(act: &Value) -> String {
    if act["act"] == "remove" {
        let names = list(act, "workloads").iter().filter_map(Value::as_str).collect::<Vec<_>>();
        return format!("takes out {}", names.join(", "));
    }
    format!("{} {} to {}", word(act, "tenant"), word(act, "kind"), word(act, "to"))
}
