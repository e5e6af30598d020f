//! The fleet in pages of whole contracts, and the pages as one.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::super::facts::RefusedEnrolment;
use super::super::state::State;
use super::figures::{Contact, KeyEnd};
use super::{CARES, Care, FleetRow, Holding, Looking, ReportStanding, rows};
use crate::domain::Instant;

/// Contracts of a page.
pub const CONTRACTS_MAX: usize = 200;
/// Rows after which a page ends with the contract that it is at.
pub const ROWS_MAX: usize = 500;
/// Pages that are asked for, hundreds of units each: more than anyone has.
pub const PAGES_MAX: usize = 100_000;

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FleetPick {
    #[default]
    All,
    NeedsCare,
}

/// What a view amounts to, whichever rows were wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetSum {
    pub contracts: u64,
    pub units: u64,
    /// Backup servers of all units.
    pub installations: u64,
    /// Agents that are heard.
    pub agents: u64,
    /// Of them those that speak for no unit yet.
    #[serde(default)]
    pub agents_without_unit: u64,
    /// Rows with any care.
    pub need_care: u64,
    /// Rows by each care; a row may have several.
    pub by_care: BTreeMap<Care, u64>,
    /// Units by how lately they were heard.
    #[serde(default)]
    pub by_contact: BTreeMap<Contact, u64>,
    /// Backup servers by the same.
    #[serde(default)]
    pub installations_by_contact: BTreeMap<Contact, u64>,
    /// Units by how the report stands, of the month by which a license check is judged.
    #[serde(default)]
    pub by_report: BTreeMap<ReportStanding, u64>,
    /// Units by the end of their newest key, where another may follow.
    #[serde(default)]
    pub by_key_end: BTreeMap<KeyEnd, u64>,
    /// Units by the version of their agent.
    pub by_version: BTreeMap<String, u64>,
    /// Units whose agent did not say its version.
    pub version_unknown: u64,
}

/// Some contracts, whole, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetPage {
    pub as_of: Instant,
    pub rows: Vec<FleetRow>,
    /// Of the contracts on this page.
    pub sum: FleetSum,
    /// Where the next page begins: the last contract of this one, as unpadded base64url over the socket; `None`: there is no further page.
    pub next: Option<String>,
}

/// The whole fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    pub schema: String,
    /// When its first page was worked out.
    pub as_of: Instant,
    pub summary: FleetSum,
    /// What needs care first, then by last contact, contract and unit.
    pub rows: Vec<FleetRow>,
}

/// The page that begins after this contract; `""`: the first.
pub fn page(state: &State, after: &str, pick: FleetPick, looking: Looking) -> FleetPage {
    let mut found = FleetPage { as_of: looking.now, rows: Vec::new(), sum: FleetSum::default(), next: None };
    let mut seen = 0;
    for holding in holdings(state, after) {
        let rows = rows(&holding, looking);
        seen += rows.len();
        found.sum.add(&holding, &rows, looking.now);
        let wanted = |row: &FleetRow| match pick {
            FleetPick::All => true,
            FleetPick::NeedsCare => !row.care.is_empty(),
        };
        found.rows.extend(rows.into_iter().filter(wanted));
        if seen >= ROWS_MAX || found.sum.contracts >= CONTRACTS_MAX as u64 {
            found.next = Some(holding.contract.id.clone());
            break;
        }
    }
    found
}

/// The contracts after this one, as many as a page takes, each with what belongs to it.
fn holdings<'a>(state: &'a State, after: &str) -> impl Iterator<Item = Holding<'a>> {
    let contracts = state.contracts.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)).take(CONTRACTS_MAX);
    let holding =
        |contract| Holding { state, contract, units: Vec::new(), agents: Vec::new(), shown_twice: Vec::new() };
    let mut found: BTreeMap<&str, Holding<'a>> =
        contracts.map(|(id, contract)| (id.as_str(), holding(contract))).collect();
    // One walk for all contracts of the page.
    for (id, unit) in &state.units {
        if let Some(holding) = found.get_mut(unit.contract_id.as_str()) {
            holding.units.push((id, unit));
        }
    }
    for (key, agent) in &state.agents {
        if let Some(holding) = found.get_mut(agent.contract_id.as_str()) {
            holding.agents.push((key, agent));
        }
    }
    for token in state.tokens.values() {
        let others = |refused: &[RefusedEnrolment]| !refused.is_empty();
        let holding = found.get_mut(token.contract_id.as_str()).filter(|_| others(&token.refused));
        if let (Some(holding), Some(agent)) = (holding, &token.used_by) {
            holding.shown_twice.push(agent);
        }
    }
    found.into_values()
}

impl FleetSum {
    fn add(&mut self, holding: &Holding<'_>, rows: &[FleetRow], now: Instant) {
        self.contracts += 1;
        self.units += holding.units.len() as u64;
        self.installations += holding.units.iter().map(|(_, unit)| unit.installations.len() as u64).sum::<u64>();
        self.agents += holding.agents.iter().filter(|(_, agent)| agent.removed.is_none()).count() as u64;
        for row in rows {
            self.need_care += u64::from(!row.care.is_empty());
            self.agents_without_unit += u64::from(row.unit.is_none() && row.agent.is_some());
            for care in &row.care {
                count(&mut self.by_care, *care, 1);
            }
            if let Some(contact) = row.contact() {
                self.add_unit(row, contact, now);
            }
        }
    }

    fn add_unit(&mut self, row: &FleetRow, contact: Contact, now: Instant) {
        count(&mut self.by_contact, contact, 1);
        count(&mut self.installations_by_contact, contact, row.installations.len() as u64);
        count(&mut self.by_report, row.report, 1);
        if let Some(end) = row.key_end(now) {
            count(&mut self.by_key_end, end, 1);
        }
        match &row.version {
            Some(version) => count(&mut self.by_version, version.clone(), 1),
            None => self.version_unknown += 1,
        }
    }

    /// Takes the sum of further contracts in.
    pub fn join(&mut self, other: FleetSum) {
        self.contracts += other.contracts;
        self.units += other.units;
        self.installations += other.installations;
        self.agents += other.agents;
        self.agents_without_unit += other.agents_without_unit;
        self.need_care += other.need_care;
        self.version_unknown += other.version_unknown;
        join(&mut self.by_care, other.by_care);
        join(&mut self.by_contact, other.by_contact);
        join(&mut self.installations_by_contact, other.installations_by_contact);
        join(&mut self.by_report, other.by_report);
        join(&mut self.by_key_end, other.by_key_end);
        join(&mut self.by_version, other.by_version);
    }

    /// The sum in one line.
    pub fn in_words(&self) -> String {
        let FleetSum { contracts, units, installations, agents, need_care, .. } = self;
        let begin = format!(
            "contracts: {contracts}, units: {units}, installations: {installations}, agents: {agents}; \
             {need_care} need care"
        );
        let each = CARES.iter().filter_map(|(care, name)| Some(format!("{name} {}", self.by_care.get(care)?)));
        let each: Vec<String> = each.collect();
        if each.is_empty() { begin } else { format!("{begin}: {}", each.join(", ")) }
    }
}

fn count<K: Ord>(by: &mut BTreeMap<K, u64>, key: K, more: u64) {
    *by.entry(key).or_default() += more;
}

fn join<K: Ord>(by: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    other.into_iter().for_each(|(key, more)| count(by, key, more));
}

impl Fleet {
    /// Value of its `schema` field.
    pub const SCHEMA: &'static str = "tidegauge.license-server-fleet/1";

    /// A fleet of which no page has come yet.
    pub fn begun(as_of: Instant) -> Fleet {
        Fleet { schema: Fleet::SCHEMA.to_owned(), as_of, summary: FleetSum::default(), rows: Vec::new() }
    }

    /// Takes a further page in.
    pub fn take(&mut self, page: FleetPage) {
        self.summary.join(page.sum);
        self.rows.extend(page.rows);
    }

    /// With what needs care first.
    pub fn sorted(mut self) -> Fleet {
        let place = |row: &FleetRow| (row.care.is_empty(), row.care.first().copied(), row.last_contact);
        self.rows.sort_by(|one, other| {
            let names = |row: &FleetRow| (row.contract_id.clone(), row.unit.clone(), row.agent.clone());
            place(one).cmp(&place(other)).then_with(|| names(one).cmp(&names(other)))
        });
        self
    }
}
