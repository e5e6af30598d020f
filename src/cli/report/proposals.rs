//! `report proposals` and `report accept`: machines that may be the same, and taking one out with the prepared reason.

use std::fmt::Write;

use clap::Args;
use serde_json::Value;

use super::approving::waiting;
use super::{ReportArgs, UnitArgs, text};
use crate::agent::{Order, Query, Refused};
use crate::cli::access::Access;
use crate::cli::session::Session;
use crate::cli::table::{list, word};
use crate::domain::Instant;
use crate::domain::adjustment::AdjustmentOrder;

#[derive(Debug, Args)]
pub struct Accept {
    #[command(flatten)]
    pub which: ReportArgs,
    /// The proposal, by its id or the beginning of it
    #[arg(value_name = "ID")]
    pub proposal: String,
    /// Another reason than the prepared one
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

pub fn show(session: &mut Session<'_>, which: &ReportArgs) -> Result<(), Refused> {
    let mut access = Access::open(session)?;
    let mut answer = access.ask(session, &query(which))?;
    let UnitArgs { unit, server } = which.unit.clone();
    let waiting = access.ask(session, &Query::ProposedAdjustments { unit, server, month: which.month });
    answer["proposed_adjustments"] = match waiting {
        Ok(Value::Array(several)) => Value::Array(several),
        Ok(one) => Value::Array(vec![one]),
        // Without a report nothing waits.
        Err(refused) if refused.code == 66 => Value::Array(Vec::new()),
        Err(refused) => return Err(refused),
    };
    session.show(&answer, shown)
}

pub fn accept(session: &mut Session<'_>, how: &Accept) -> Result<(), Refused> {
    let answer = session.ask(&query(&how.which))?;
    let named = |proposal: &&Value| word(proposal, "id").starts_with(&how.proposal);
    let found: Vec<&Value> = list(&answer, "proposals").iter().filter(named).collect();
    let &[proposal] = found.as_slice() else {
        let why = format!("{} proposals begin with '{}'; see `report proposals`", found.len(), how.proposal);
        return Err(Refused::new(66, why));
    };
    let workloads: Vec<String> =
        list(&proposal["adjustment"], "workloads").iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect();
    if workloads.is_empty() {
        return Err(Refused::new(3, "the open report counts nothing of it twice, so there is nothing to take out"));
    }
    let reason = how.reason.clone().unwrap_or_else(|| word(proposal, "reason"));
    let mut target = how.which.target();
    target.unit = Some(word(proposal, "unit"));
    let adjustment = AdjustmentOrder::Remove { workloads, reason };
    session.order_and_show(Order::Adjust { target, adjustments: vec![adjustment] }, text::adjusted)
}

fn query(which: &ReportArgs) -> Query {
    let UnitArgs { unit, server } = which.unit.clone();
    Query::Proposals { unit, server, month: which.month }
}

fn shown(answer: &Value, _: Instant) -> String {
    let mut text = String::new();
    for proposal in list(answer, "proposals") {
        let id: String = word(proposal, "id").chars().take(8).collect();
        let _ = writeln!(text, "{id}  {}: {}", word(proposal, "finding").replace('_', " "), word(proposal, "text"));
        if proposal["can_be_accepted"].as_bool() == Some(true) {
            let (month, points) = (word(proposal, "month"), word(proposal, "points"));
            let _ = writeln!(
                text,
                "          takes {points} points out of the report of {month}: tidegauge report accept {id}\n          \
                 reason: {}",
                word(proposal, "reason")
            );
        }
    }
    text.extend(list(answer, "proposed_adjustments").iter().map(waiting));
    if text.is_empty() { "no machine seems to be counted twice\n".to_owned() } else { text }
}
