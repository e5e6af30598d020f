//! The store, what `status` warns of, and what is due.

use serde_json::Value;

use super::Check;
use crate::agent::{Query, Refused};
use crate::cli::access::Access;
use crate::cli::session::Session;
use crate::cli::table::{list, minute, word};

const MEND_IT: &str = "`tidegauge store verify` says what is damaged; `store restore` puts a backup back";
const READ_IT: &str = "`tidegauge status` says more";
const START_IT: &str = "start the agent: systemctl start tidegauge, or `tidegauge agent`";

/// What was asked of the agent.
struct Answers {
    how: &'static str,
    runs: bool,
    status: Value,
    typefaces: Value,
}

/// The store opens or an agent answers; what `status` warns of is told too.
pub fn checks(session: &mut Session<'_>) -> Vec<Check> {
    match asked(session) {
        Ok(answers) => {
            let told = [&answers.status, &answers.typefaces].into_iter().flat_map(|answer| list(answer, "warnings"));
            let told = told.map(|warning| Check::warning("warning", warning.as_str().unwrap_or_default(), READ_IT));
            [Check::well("store", answers.how), due(session, &answers)].into_iter().chain(told).collect()
        }
        Err(refused) => vec![Check::failed("store", refused, MEND_IT)],
    }
}

fn asked(session: &mut Session<'_>) -> Result<Answers, Refused> {
    let mut access = Access::open(session)?;
    let status = access.ask(session, &Query::Status {})?;
    let (how, runs) = match access {
        Access::Direct { .. } => ("it opens; no agent runs on it", false),
        Access::Remote { .. } => ("an agent runs on it and answers", true),
    };
    let typefaces = access.ask(session, &Query::Typefaces {})?;
    Ok(Answers { how, runs, status, typefaces })
}

/// What is due next; without an agent nobody does it.
fn due(session: &Session<'_>, answers: &Answers) -> Check {
    let Some(next) = list(&answers.status, "next").first() else {
        return Check::well("schedule", "nothing is planned: the settings name no server");
    };
    let planned = format!("{} at {} GMT: {}", word(next, "duty"), minute(next, "at"), word(next, "why"));
    let is_due = word(next, "at").parse().is_ok_and(|at: crate::domain::Instant| at <= session.hour().now);
    if is_due && !answers.runs {
        return Check::warning("schedule", format!("due, and no agent runs: {planned}"), START_IT);
    }
    Check::well("schedule", planned)
}
