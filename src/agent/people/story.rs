//! Lines about people: who came, what waits for a second person.

use crate::domain::people::{Token, User};
use crate::domain::proposed::{ProposalState, ProposedAdjustment};

pub(in crate::agent) fn user(user: &User) -> String {
    let User { name, role, active, password, invitation, .. } = user;
    let state = match (active, password, invitation) {
        (false, _, _) => "disabled",
        (true, _, Some(_)) => "invited",
        (true, Some(_), None) => "may sign in",
        (true, None, None) => "has no way in",
    };
    format!("user {name} ({role}) {state}")
}

pub(in crate::agent) fn token(token: &Token) -> String {
    let state = if token.revoked_at.is_some() { "revoked" } else { "made" };
    format!("token {} ({}) of {} {state}", token.name, token.role, token.by)
}

pub(in crate::agent) fn proposed(proposal: &ProposedAdjustment) -> String {
    let ProposedAdjustment { id, month, revision, by, lowers_by, state, .. } = proposal;
    let what = match state {
        ProposalState::Open => format!("waits for a second person: {by} would lower it by {lowers_by} points"),
        ProposalState::Approved { approved_by, .. } => format!("approved by {approved_by}"),
        ProposalState::Rejected { rejected_by, .. } => format!("rejected by {rejected_by}"),
        ProposalState::Lapsed { .. } => format!("of {by} lapsed: the report goes without it"),
    };
    format!("report {month} r{revision} proposal {id} {what}")
}
