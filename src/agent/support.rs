//! What a supporter needs, without secrets and names.

use serde_json::{Map, Value, json};

use crate::config::Settings;
use crate::domain::installation::{entry_of, shown_name};
use crate::domain::pseudonym::{NameKind, Names};
use crate::domain::sample::Sample;
use crate::doors::Chance;
use crate::doors::peer::{HttpPeer, PeerSettings, is_loopback};
use crate::rules::pseudonyms::PseudonymKey;
use crate::rules::scrubbing::Scrub;

use super::access::Query;
use super::views::JournalSearch;
use super::{Agent, Hour, Refused, Trouble};

/// Journal entries whose heads go along.
const ENTRIES_MAX: u16 = 1_000;
/// Settings whose values name nobody; of all others it is said only whether they are the same.
const KEPT: [&str; 32] = [
    "time_zone",
    "sample_interval",
    "basis_max_age",
    "keep_raw",
    "keep_mail",
    "count_duplicates_once",
    "report_detail",
    "auto_submit_day",
    "manual_deadline_day",
    "portal_deadline_day",
    "weekend",
    "holidays",
    "coverage_percent_min",
    "allow_package_change",
    "tolerance_points",
    "tolerance_percent",
    "source",
    "license",
    "month_end",
    "managed_by",
    "em_auto_update",
    "vspc_auto_approval",
    "revision",
    "finalize_reports",
    "tls",
    "port",
    "events",
    "attach",
    "attach_max",
    "allow_private",
    "period",
    "mode",
];
/// What is asked of the agent for it: the file's name and the question.
const QUESTIONS: [(&str, Query); 4] = [
    ("status.json", Query::Status {}),
    ("schedule.json", Query::Duties { limit: None }),
    ("servers.json", Query::Servers {}),
    ("readings.json", Query::Readings {}),
];

impl Agent {
    /// Settings, status, schedule, servers, readings and the journal's heads under pseudonyms; and `texts`, which stand
    /// beside it, with every name taken out that is known here or in `names`.
    ///
    /// # Errors
    /// [`Refused`] with 3 when there is no key for pseudonyms yet.
    pub(super) fn support(&self, names: &[String], texts: &[String], hour: Hour) -> Result<Value, Refused> {
        let key = self.pseudonym_key_for(Names::Pseudonyms)?;
        let Some(key) = key else { return Err(Refused::new(1, "pseudonyms have no key")) };
        let mut known = of_settings(&self.settings);
        known.extend(self.names_in_store(hour)?);
        known.extend(names.iter().map(|name| (NameKind::Person, name.clone())));
        let scrub = Scrub::new(key, known);
        let mut files = Map::new();
        files.insert("settings.json".to_owned(), settings_scrubbed(&self.settings, &scrub));
        for (file, question) in &QUESTIONS {
            let answer = self.answer(question, hour).unwrap_or_else(|refused| json!({"refused": refused.why}));
            files.insert((*file).to_owned(), scrub.json(&answer));
        }
        files.insert("journal.json".to_owned(), scrub.json(&self.heads()?));
        Ok(shown(files, texts, &scrub))
    }

    /// Kinds and instants of the newest entries; of what they say nothing.
    fn heads(&self) -> Result<Value, Refused> {
        let journal = self.journal(&JournalSearch { limit: Some(ENTRIES_MAX), ..JournalSearch::default() })?;
        let entries = journal["entries"].as_array().into_iter().flatten().map(|entry| {
            let what = entry["what"].as_array().into_iter().flatten();
            let kinds: Vec<&Value> = what.map(|fact| &fact["kind"]).collect();
            let [seq, now, recorded_at, more] = ["seq", "now", "recorded_at", "more"].map(|field| &entry[field]);
            json!({"seq": seq, "now": now, "recorded_at": recorded_at, "kinds": kinds, "more": more})
        });
        Ok(json!({"head": journal["head"], "entries": entries.collect::<Vec<Value>>()}))
    }

    /// Everything that the newest samples, units, users and the price book call by name.
    fn names_in_store(&self, hour: Hour) -> Result<Vec<(NameKind, String)>, Refused> {
        let mut known = Vec::new();
        for unit in self.units()? {
            known.extend(unit.license_id.into_iter().chain([unit.id]).map(|id| (NameKind::Id, id)));
            known.extend(unit.shared_license.map(|word| (NameKind::Text, word)));
            known.extend(unit.servers.iter().flat_map(|server| server_names(server)));
        }
        let people = self.users()?.into_iter().map(|user| user.name);
        let tokens = self.tokens()?.into_iter().flat_map(|token| [Some(token.name), Some(token.by), token.user]);
        known.extend(people.chain(tokens.flatten()).map(|name| (NameKind::Person, name)));
        for server in self.store.servers().map_err(Trouble::from)? {
            known.extend(server_names(&server));
            let newest = self.store.newest_sample(&server, hour.now).map_err(Trouble::from)?;
            known.extend(newest.iter().flat_map(|found| of_sample(&found.sample)));
        }
        Ok(known)
    }
}

/// The same of the settings alone, for when the store does not open; its pseudonyms are of this one time.
pub fn support_of_settings(settings: &Settings, names: &[String], texts: &[String], chance: &mut dyn Chance) -> Value {
    let mut secret = [0; 32];
    chance.fill(&mut secret);
    let mut known = of_settings(settings);
    known.extend(names.iter().map(|name| (NameKind::Person, name.clone())));
    let scrub = Scrub::new(PseudonymKey::new(secret), known);
    let files = Map::from_iter([("settings.json".to_owned(), settings_scrubbed(settings, &scrub))]);
    shown(files, texts, &scrub)
}

fn shown(files: Map<String, Value>, texts: &[String], scrub: &Scrub) -> Value {
    // JSON beside it is taken apart, so that its fields are known for what they are.
    let beside = texts.iter().map(|text| match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => scrub.json(&value).to_string(),
        Ok(_) | Err(_) => scrub.text(text),
    });
    json!({"schema": "tidegauge.support/1", "files": files, "texts": beside.collect::<Vec<String>>()})
}

fn settings_scrubbed(settings: &Settings, scrub: &Scrub) -> Value {
    let lines = settings.in_force().into_iter().map(|one| {
        let last = one.key.rsplit(['.', ' ']).next().unwrap_or_default();
        let is_plain = ["true", "false"].contains(&one.value.as_str()) || one.value.parse::<f64>().is_ok();
        let value = if KEPT.contains(&last) || is_plain { scrub.text(&one.value) } else { scrub.pseudonym(&one.value) };
        // Names stand behind a space: `server vbr01.url`.
        let key = if one.key.contains(' ') { scrub.text(&one.key) } else { one.key.clone() };
        json!({"key": key, "value": value, "from": scrub.text(&one.from)})
    });
    lines.collect()
}

fn of_sample(sample: &Sample) -> Vec<(NameKind, String)> {
    let license = &sample.license;
    let ids = [&license.license_id, &license.support_id, &license.installation_id, &license.licensed_to];
    let ids = ids.into_iter().flatten().map(|id| (NameKind::Id, id.clone()));
    let tenants = sample.counts.iter().filter_map(|count| count.tenant.clone()).map(|name| (NameKind::Tenant, name));
    let machines = sample.workloads.iter().flat_map(|workload| {
        [
            Some((NameKind::Machine, workload.name.clone())),
            Some((NameKind::Workload, workload.id.clone())),
            workload.tenant.clone().map(|name| (NameKind::Tenant, name)),
            workload.job.clone().map(|name| (NameKind::Job, name)),
            workload.host.clone().map(|name| (NameKind::Host, name)),
        ]
    });
    ids.chain(tenants).chain(machines.flatten()).collect()
}

/// A server, and the parts that it is called by.
fn server_names(server: &str) -> [(NameKind, String); 3] {
    [server, entry_of(server), shown_name(server)].map(|name| (NameKind::Server, name.to_owned()))
}

fn of_settings(settings: &Settings) -> Vec<(NameKind, String)> {
    let mut known = Vec::new();
    for server in settings.servers.iter().chain(&settings.managers) {
        known.extend(server_names(&server.name));
        // A host by its first label too: servers call each other so.
        let hosts = server.known_as().into_iter().filter(|host| !is_loopback(host));
        known.extend(hosts.flat_map(|host| {
            let label = host.split('.').next().filter(|_| host.parse::<core::net::IpAddr>().is_err());
            label
                .map(str::to_owned)
                .into_iter()
                .chain([host.clone()])
                .map(|name| (NameKind::Host, name))
                .collect::<Vec<_>>()
        }));
        known.extend(server.shared_license.clone().map(|word| (NameKind::Text, word)));
    }
    for (peer, reach) in settings.peers() {
        // `webhook:NAME`, `usage_sink:NAME`.
        known.extend(peer.split_once(':').map(|(_, name)| (NameKind::Text, name.to_owned())));
        match &reach {
            PeerSettings::Http(peer) => known.extend(of_peer(peer)),
            PeerSettings::Hook(hook) => known.extend(of_peer(&hook.server)),
            PeerSettings::Mail(mail) => {
                known.push((NameKind::Host, mail.host.clone()));
                known.extend(mail.login.iter().map(|login| (NameKind::Person, login.username.clone())));
            }
            PeerSettings::Folder(_) => {}
        }
    }
    let names = settings.console.iter().flat_map(|console| console.names.clone());
    known.extend(names.map(|name| (NameKind::Host, name)));
    known.extend(settings.billing_profiles.iter().map(|profile| (NameKind::Text, profile.name.clone())));
    known
}

/// Host, and who logs in there.
fn of_peer(peer: &HttpPeer) -> Vec<(NameKind, String)> {
    let rest = peer.base_url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let hosts = [host].into_iter().filter(|host| !is_loopback(host)).map(|name| (NameKind::Host, name.to_owned()));
    hosts.chain(peer.login.iter().map(|login| (NameKind::Person, login.username.clone()))).collect()
}
