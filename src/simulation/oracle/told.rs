//! That people are told of what keeps the agent from its work: in a letter, or in `status`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;

use crate::agent::{Agent, Hour, Query};
use crate::domain::Instant;
use crate::domain::calendar::minute_text;

use super::super::world::SimulatedServer;
use super::Oracle;

/// A server that was not sampled for so long is to be told of, whatever the interval.
const SILENT_FOR: TimeDelta = TimeDelta::hours(30);

impl Oracle {
    /// Once a day: every server that was silent while the agent ran is shown with its trouble.
    pub fn check_told(&mut self, agent: &Agent, servers: &BTreeMap<String, SimulatedServer>, now: Instant) {
        let today = now.date_naive();
        if self.looked_on.replace(today) == Some(today) {
            return;
        }
        let up_since = *self.up_since.get_or_insert(now);
        let is_silent = |name: &&String| {
            let last = self.samples_seen.get(*name).copied().unwrap_or(up_since);
            last.max(up_since) + SILENT_FOR < now
        };
        let silent: Vec<String> = servers.keys().filter(is_silent).cloned().collect();
        if silent.is_empty() {
            return;
        }
        let status = status(agent, now);
        for name in silent {
            let shown = status["servers"].as_array().into_iter().flatten().find(|shown| shown["name"] == name.as_str());
            // Servers that a console names and no longer has, and those that the settings do not name, are not owed.
            let Some(shown) = shown.filter(|shown| shown["left_at"].is_null()) else { continue };
            if shown["state"] == "fresh" {
                self.object(format!("{}  {name} is silent and is shown as fresh", minute_text(now)));
            }
        }
    }
}

/// Whether `status` says the word anywhere.
pub(super) fn says(agent: &Agent, word: &str, now: Instant) -> bool {
    status(agent, now).to_string().contains(word)
}

fn status(agent: &Agent, now: Instant) -> Value {
    agent.answer(&Query::Status {}, Hour::at(now)).unwrap_or_default()
}
