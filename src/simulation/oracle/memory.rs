//! An agent that was put back to an old backup: it cannot know what happened since, and the far side still does.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Oracle;
use super::account::Account;
use crate::agent::Agent;
use crate::domain::Instant;
use crate::domain::calendar::minute_text;
use crate::domain::installation::UnitId;
use crate::license_server::{LicenseServer, State};
use crate::rules::license_results::LicenseOutcome;
use crate::store::fact::{LicenseCheckRow, SealedMessage, key};
use crate::store::journal::Head;

/// What the oracle held of the agent when a backup was made.
#[derive(Clone)]
pub struct Memory {
    head: Head,
    heads: Vec<Head>,
    account: Account,
    samples_seen: BTreeMap<String, Instant>,
    first_seen: BTreeMap<UnitId, Instant>,
}

impl Oracle {
    /// What is known of the agent now.
    pub fn remember(&self) -> Memory {
        Memory {
            head: self.head,
            heads: self.heads.clone(),
            account: self.account.clone(),
            samples_seen: self.samples_seen.clone(),
            first_seen: self.first_seen.clone(),
        }
    }

    /// The agent is as it was then. What the far side took since stands there: other bytes of the agent come as conflicts.
    pub fn put_back_to(&mut self, memory: Memory, agent: &Agent, license_server: Option<&LicenseServer>) {
        self.put_back();
        let Memory { head, heads, account, samples_seen, first_seen } = memory;
        (self.head, self.heads, self.account) = (head, heads, account);
        (self.samples_seen, self.first_seen) = (samples_seen, first_seen);
        let messages = license_server.map(|server| server.state().messages).unwrap_or_default();
        for (id, message) in messages {
            self.arrived.entry(id.clone()).or_insert((self.life, self.looks));
            let sealed: Option<SealedMessage> = agent.store().row(&key::sealed(&id)).unwrap_or_default();
            if sealed.is_none_or(|sealed| sealed.body != message.body) {
                self.overtaken.insert(id);
            }
        }
        self.life += 1;
    }

    /// The far side knows nothing of what it took lately; the agent sends it again when it hears of it.
    pub fn far_side_put_back(&mut self, now: Instant) {
        (self.far_seq, self.messages_seen) = (0, 0);
        self.far_side_put_back_at = Some(now);
    }

    /// Whether the agent could not hear yet what the far side lost of the unit: no license check was answered since.
    pub(super) fn may_lack(&self, agent: &Agent, unit: &str) -> bool {
        let Some(put_back_at) = self.far_side_put_back_at else { return false };
        let check: Option<LicenseCheckRow> =
            agent.store().row(&key::of_unit("license_check", unit)).unwrap_or_default();
        let is_answered = |check: &LicenseCheckRow| {
            let is_own = check.server.is_none() && check.result != LicenseOutcome::InvalidAnswer.number();
            is_own && check.started_at.is_some_and(|started_at| put_back_at < started_at)
        };
        !check.is_some_and(|check| is_answered(&check))
    }

    /// Whether the far side was put back: a receipt of before it is older than the one that is on file there.
    pub(super) fn was_far_side_put_back(&self) -> bool {
        self.far_side_put_back_at.is_some()
    }

    /// Whether the far side took it before the agent was put back to a time at which it did not know it.
    pub(super) fn is_overtaken(&self, id: &str) -> bool {
        self.overtaken.contains(id)
    }

    /// What the far side had already under an id is what the agent shows once it was told, and nothing else.
    pub(super) fn check_adopted(&mut self, agent: &Agent, state: &State, now: Instant) {
        for id in self.overtaken.clone() {
            let Some(stands) = state.messages.get(&id) else { continue };
            let sealed: Option<SealedMessage> = agent.store().row(&key::sealed(&id)).unwrap_or_default();
            let answered: Option<Value> = agent.store().row(&key::receipt(&id)).unwrap_or_default();
            let (Some(sealed), Some(answered)) = (sealed, answered) else { continue };
            let adopted = answered["conflict"]["stored_body"].as_str();
            if sealed.body != stands.body && adopted != Some(stands.body.as_str()) {
                self.object(format!("{}  what the far side has under {id} was not adopted", minute_text(now)));
            }
        }
    }
}
