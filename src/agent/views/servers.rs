//! Each server in one row: how it stands, what it is, what went wrong and what to do about it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::config::LicenseBy;
use crate::domain::calendar::minute_text;
use crate::domain::license::License;
use crate::domain::{Instant, installation::entry_of};
use crate::rules::schedule::{self, Duty, Facts};
use crate::store::fact::key;

use super::looks::Look;

impl Agent {
    /// Every known server as `status` shows it, with its source, its license, what was found of it and what to map.
    pub(in crate::agent) fn servers(&self, hour: Hour) -> Result<Value, Refused> {
        let units = self.units()?;
        let mut proposals: BTreeMap<String, usize> = BTreeMap::new();
        for finding in self.findings(None, hour.now)?.iter() {
            for server in &finding.servers {
                *proposals.entry(server.clone()).or_default() += 1;
            }
        }
        let tries = self.next_tries(hour.now)?;
        let mut servers = Vec::new();
        for name in self.known_servers(&units) {
            let look = self.look(&name, hour.now)?;
            let mut shown = self.server_shown(&name, look.as_deref(), hour.now)?;
            let next_sample_at = tries.get(entry_of(&name)).copied();
            self.what_it_is(&mut shown, &name, look.as_deref())?;
            shown["next_sample_at"] = json!(next_sample_at);
            shown["what_to_do"] = json!(self.what_to_do(&name, next_sample_at)?);
            shown["proposals"] = json!(proposals.get(&name).copied().unwrap_or(0));
            shown["unknown_types"] = look.iter().flat_map(|look| look.unknown_types.clone()).collect();
            servers.push(shown);
        }
        Ok(json!({"schema": "tidegauge.servers/1", "now": hour.now, "servers": servers}))
    }

    fn what_it_is(&self, shown: &mut Value, name: &str, look: Option<&Look>) -> Result<(), Trouble> {
        let settings = self.settings.server(name);
        let renewed_by = settings.map(|settings| match settings.license {
            LicenseBy::LicenseServer => "license_server",
            LicenseBy::BackupServer => "backup_server",
            LicenseBy::Nobody => "none",
        });
        let seen: Option<License> = self.store.row(&key::license_seen(name))?;
        shown["source"] = json!(settings.map(|settings| settings.source_row().name));
        shown["entry"] = json!(settings.map(|settings| &settings.name));
        shown["revision"] = json!(settings.and_then(|settings| settings.source.revision.clone()));
        shown["unit"] = json!(self.store.unit_of(name)?);
        shown["license"] = json!(seen);
        shown["renewed_by"] = json!(renewed_by);
        shown["workloads"] = json!(look.map(|look| look.workloads));
        Ok(())
    }

    /// When each server of the settings is sampled next.
    fn next_tries(&self, now: Instant) -> Result<BTreeMap<String, Instant>, Trouble> {
        let mut facts = Facts::default();
        for server in &self.settings.servers {
            facts.servers.push(self.server_facts(&server.name, now)?);
        }
        let mut tries = BTreeMap::new();
        for planned in schedule::plan(&facts, &self.policy()) {
            if let Duty::Collect { server } = planned.duty {
                tries.insert(server, planned.at.max(now));
            }
        }
        Ok(tries)
    }

    /// What helps a server that was not sampled; `None`: it was.
    fn what_to_do(&self, name: &str, next_sample_at: Option<Instant>) -> Result<Option<String>, Trouble> {
        let Some(miss) = self.miss_of(name)? else { return Ok(None) };
        let again = next_sample_at.map_or_else(String::new, |at| format!("; it is tried again {}", minute_text(at)));
        let entry = entry_of(name);
        Ok(Some(if miss.needs_person {
            format!("mend what the error says, then `sample now --server {entry}`{again}")
        } else {
            format!("nothing, if it passes{again}; else `doctor` says what is reached")
        }))
    }
}
