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
use crate::store::fact::{SealedMessage, key};
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
