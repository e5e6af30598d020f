//! The fleet as figures for monitoring: counts by closed sets, and never a unit, a contract or a name.

use std::collections::BTreeMap;
use std::fmt::Display;

use chrono::{Days, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CARES, Care, FleetRow, FleetSum, KEY_ENDING_DAYS, ReportStanding, key_days};
use crate::domain::Instant;
use crate::license_server::ContractState;

/// Versions of agents that have a figure of their own, the most frequent ones; all others are one figure.
pub const VERSIONS_MAX: usize = 8;
/// A key that ends within so many days is renewed in these weeks (domain.md 4.4).
const KEY_MONTH_DAYS: u64 = 30;

/// How lately a unit was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    Heard,
    /// Nothing was taken from it for more than 14 days.
    Silent,
    /// Its contract is terminated: nothing is expected of it any more.
    Ended,
}

const CONTACTS: [Contact; 3] = [Contact::Heard, Contact::Silent, Contact::Ended];

/// When the newest key of a unit ends, while another may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyEnd {
    #[serde(rename = "past")]
    Past,
    #[serde(rename = "within_7_days")]
    WithinAWeek,
    /// Later than in 7 days.
    #[serde(rename = "within_30_days")]
    WithinAMonth,
    #[serde(rename = "later")]
    Later,
}

const KEY_ENDS: [KeyEnd; 4] = [KeyEnd::Past, KeyEnd::WithinAWeek, KeyEnd::WithinAMonth, KeyEnd::Later];

const REPORT_STANDINGS: [ReportStanding; 6] = [
    ReportStanding::NotOwed,
    ReportStanding::Missing,
    ReportStanding::Taken,
    ReportStanding::Held,
    ReportStanding::Approved,
    ReportStanding::CorrectionAsked,
];

/// As of when the fleet was counted.
const AS_OF: &str = "fleet_view_timestamp_seconds";

/// A family: its name, what it says, and its readings.
type Family = (&'static str, &'static str, fn(&Counted) -> Vec<Value>);

const FAMILIES: [Family; 12] = [
    (AS_OF, "As of when the fleet was counted; 0: not yet", |counted| one(counted.as_of.timestamp())),
    ("fleet_view_duration_seconds", "How long that count took", |counted| one(counted.took.as_seconds_f64())),
    ("fleet_contracts", "Contracts", |counted| one(counted.sum.contracts)),
    ("fleet_agents", "Agents that are heard", |counted| one(counted.sum.agents)),
    ("fleet_agents_without_unit", "Agents that are heard and speak for no unit yet", |counted| {
        one(counted.sum.agents_without_unit)
    }),
    ("fleet_units", "Units: heard, silent for more than 14 days, ended with their contract", |counted| {
        each("contact", &CONTACTS, &counted.sum.by_contact)
    }),
    ("fleet_installations", "Backup servers by the contact of their unit", |counted| {
        each("contact", &CONTACTS, &counted.sum.installations_by_contact)
    }),
    ("fleet_reports", "Units by how the report of the month stands by which a license check is judged", |counted| {
        each("state", &REPORT_STANDINGS, &counted.sum.by_report)
    }),
    ("fleet_keys", "Units by the end of their newest key, where another may follow", |counted| {
        each("ends", &KEY_ENDS, &counted.sum.by_key_end)
    }),
    ("fleet_need_care", "Units, and agents without one, that need care", |counted| one(counted.sum.need_care)),
    ("fleet_care", "The same by each care; one may have several", |counted| {
        each("care", &CARES.map(|(care, _)| care), &counted.sum.by_care)
    }),
    ("fleet_agent_versions", "Units by the version of their agent: the 8 most frequent, other, unknown", |counted| {
        versions(&counted.sum)
    }),
];

impl FleetRow {
    /// `None`: it is no unit.
    pub(super) fn contact(&self) -> Option<Contact> {
        self.unit.as_ref()?;
        Some(match self.contract_state {
            ContractState::Terminated => Contact::Ended,
            ContractState::Active | ContractState::Suspended | ContractState::Expired => {
                if self.care.contains(&Care::Silent) { Contact::Silent } else { Contact::Heard }
            }
        })
    }

    /// `None`: it has no key, or none may follow.
    pub(super) fn key_end(&self, now: Instant) -> Option<KeyEnd> {
        let (ends_on, today) = key_days(self, now)?;
        Some(match () {
            () if ends_on < today => KeyEnd::Past,
            () if ends_on <= today + Days::new(KEY_ENDING_DAYS) => KeyEnd::WithinAWeek,
            () if ends_on <= today + Days::new(KEY_MONTH_DAYS) => KeyEnd::WithinAMonth,
            () => KeyEnd::Later,
        })
    }
}

/// The whole fleet as it was counted.
#[derive(Clone, Debug)]
pub struct Counted {
    pub as_of: Instant,
    pub took: TimeDelta,
    pub sum: FleetSum,
}

/// As `tidegauge.readings/1`; `None`: nothing was counted yet.
pub fn readings(counted: Option<&Counted>) -> Value {
    let uncounted = |name: &str| if name == AS_OF { one(0) } else { Vec::new() };
    let family = |(name, help, of): &Family| json!({"name": name, "help": help, "readings": counted.map_or_else(|| uncounted(name), of)});
    let families: Vec<Value> = FAMILIES.iter().map(family).collect();
    json!({"schema": "tidegauge.readings/1", "version": env!("CARGO_PKG_VERSION"), "families": families})
}

fn one(value: impl Display) -> Vec<Value> {
    vec![json!({"labels": {}, "value": value.to_string()})]
}

/// A reading for each of the set, also where nothing was counted: an alert must see the zero.
fn each<K: Copy + Ord + Serialize>(label: &str, set: &[K], counted: &BTreeMap<K, u64>) -> Vec<Value> {
    let value = |key: &K| counted.get(key).copied().unwrap_or_default().to_string();
    set.iter().map(|key| json!({"labels": {label: key}, "value": value(key)})).collect()
}

fn versions(sum: &FleetSum) -> Vec<Value> {
    let mut frequent: Vec<(&String, u64)> = sum.by_version.iter().map(|(version, units)| (version, *units)).collect();
    frequent.sort_by(|(one, of_one), (other, of_other)| of_other.cmp(of_one).then(one.cmp(other)));
    let mut shown = BTreeMap::from([("unknown", sum.version_unknown), ("other", 0)]);
    for (at, (version, units)) in frequent.into_iter().enumerate() {
        let label = if at < VERSIONS_MAX { version } else { "other" };
        // An agent may call its version "other", too.
        *shown.entry(label).or_default() += units;
    }
    shown.iter().map(|(version, units)| json!({"labels": {"version": version}, "value": units.to_string()})).collect()
}
