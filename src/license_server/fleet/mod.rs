//! The fleet as its operator sees it: a row for each reporting unit, and what about it needs somebody's care.
//!
//! The view is worked out of one contract at a time ([`rows`]), so that a database gives a few contracts and not everything.

mod figures;
mod page;
mod sheet;

use chrono::{Days, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use super::Policy;
use super::contract::{Contract, ContractState};
use super::state::{AgentOnFile, State};
use super::unit::UnitOnFile;
use crate::domain::gate::{GateVerdict, Verdict};
use crate::domain::license::LicenseType;
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::protocol::Telemetry;

pub use figures::{Contact, Counted, KeyEnd, readings};
pub use page::{CONTRACTS_MAX, Fleet, FleetPage, FleetPick, FleetSum, PAGES_MAX, ROWS_MAX, page};

/// Two weeks' telemetry and two weekly license checks did not come.
const SILENT_DAYS: i64 = 14;
/// A key that ends within so many days is asked for daily, and was not renewed yet (domain.md 4.4).
const KEY_ENDING_DAYS: u64 = 7;
/// Percent of a week's expected samples below which its watermark may be too low.
const COVERAGE_PERCENT_MIN: u8 = 90;

/// What somebody should look after, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Care {
    /// Another key showed the token that enrolled the agent: one of the two stole it.
    TokenShownTwice,
    /// The newest key has ended and none followed.
    KeyEnded,
    /// The month's report is owed and not here.
    ReportMissing,
    /// The month's report is held, and the operator has said nothing to it.
    ReportHeld,
    /// The newest key ends within 7 days.
    KeyEnding,
    /// Nothing was taken from it for more than 14 days.
    Silent,
    /// Telemetry and report disagree on days of the month, or other bytes came under an id that was taken.
    Conflict,
    /// Less than 90 % of the newest week's samples were taken.
    CoverageLow,
}

/// Every care with how people call it, the most pressing first.
pub const CARES: [(Care, &str); 8] = [
    (Care::TokenShownTwice, "token shown twice"),
    (Care::KeyEnded, "key ended"),
    (Care::ReportMissing, "report missing"),
    (Care::ReportHeld, "report held"),
    (Care::KeyEnding, "key ends soon"),
    (Care::Silent, "silent"),
    (Care::Conflict, "conflict"),
    (Care::CoverageLow, "coverage low"),
];

/// How the report of the month stands by which a license check is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportStanding {
    /// The contract needs none, or the unit did not exist in the month.
    NotOwed,
    Missing,
    /// Taken, and its gate is open or cannot be judged.
    Taken,
    Held,
    /// The operator opened the gate for it.
    Approved,
    /// The operator sent it back.
    CorrectionAsked,
}

impl ReportStanding {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportStanding::NotOwed => "not_owed",
            ReportStanding::Missing => "missing",
            ReportStanding::Taken => "taken",
            ReportStanding::Held => "held",
            ReportStanding::Approved => "approved",
            ReportStanding::CorrectionAsked => "correction_asked",
        }
    }
}

/// A reporting unit; an agent that speaks for none yet; or a contract without an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetRow {
    /// The most pressing first; empty when all is well.
    pub care: Vec<Care>,
    pub contract_id: String,
    pub licensed_to: String,
    /// As of the day of the view.
    pub contract_state: ContractState,
    /// `None`: nothing was heard of a unit yet.
    pub unit: Option<String>,
    pub installations: Vec<String>,
    /// Fingerprint of the key of the agent that speaks for it.
    pub agent: Option<String>,
    /// As the agent calls itself.
    pub agent_id: Option<String>,
    pub agent_removed: bool,
    pub enrolled_at: Option<Instant>,
    /// When telemetry, report or license check was last taken; a repeat of one is not counted.
    pub last_contact: Option<Instant>,
    /// The agent's, as its newest telemetry says; `None`: unknown, as of agents that do not say it.
    pub version: Option<String>,
    pub last_week: Option<IsoWeek>,
    /// Of the newest week.
    pub coverage: Option<Coverage>,
    /// The month by which a license check is judged.
    pub month: Option<Month>,
    pub report: ReportStanding,
    pub reported: Option<Points>,
    /// The month's highest watermark.
    pub highest: Option<Points>,
    pub key_expires_on: Option<NaiveDate>,
    pub revoked: bool,
    /// Days of the month on which telemetry and report disagree.
    pub conflicting_days: usize,
    /// Other bytes under the ids of the month's report and the newest week's telemetry.
    pub conflicts: usize,
}

/// What the view is worked out by.
#[derive(Clone, Copy, Debug)]
pub struct Looking {
    pub policy: Policy,
    pub now: Instant,
}

/// A contract with what belongs to it; the state holds the messages that rows look up.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    pub state: &'a State,
    pub contract: &'a Contract,
    pub units: Vec<(&'a String, &'a UnitOnFile)>,
    /// By the fingerprint of their key.
    pub agents: Vec<(&'a String, &'a AgentOnFile)>,
    /// Agents beside whom another key showed the token.
    pub shown_twice: Vec<&'a str>,
}

/// The rows of one contract, in the order of units, then of agents without one.
pub fn rows(holding: &Holding<'_>, looking: Looking) -> Vec<FleetRow> {
    let mut rows: Vec<FleetRow> =
        holding.units.iter().map(|(unit, on_file)| unit_row(holding, unit, on_file, looking)).collect();
    let speaks = |key: &str| holding.units.iter().any(|(_, unit)| unit.agent == key);
    let idle = holding.agents.iter().filter(|(key, agent)| agent.removed.is_none() && !speaks(key));
    rows.extend(idle.map(|(key, agent)| agent_row(holding, key, agent, looking)));
    if rows.is_empty() {
        rows.push(empty_row(holding.contract, looking.now));
    }
    rows
}

fn empty_row(contract: &Contract, now: Instant) -> FleetRow {
    FleetRow {
        care: Vec::new(),
        contract_id: contract.id.clone(),
        licensed_to: contract.licensed_to.clone(),
        contract_state: contract.state_on(now.date_naive()),
        unit: None,
        installations: Vec::new(),
        agent: None,
        agent_id: None,
        agent_removed: false,
        enrolled_at: None,
        last_contact: None,
        version: None,
        last_week: None,
        coverage: None,
        month: None,
        report: ReportStanding::NotOwed,
        reported: None,
        highest: None,
        key_expires_on: None,
        revoked: false,
        conflicting_days: 0,
        conflicts: 0,
    }
}

fn agent_row(holding: &Holding<'_>, key: &str, agent: &AgentOnFile, looking: Looking) -> FleetRow {
    let row = FleetRow {
        agent: Some(key.to_owned()),
        agent_id: Some(agent.agent_id.clone()),
        agent_removed: agent.removed.is_some(),
        enrolled_at: Some(agent.enrolled_at),
        ..empty_row(holding.contract, looking.now)
    };
    FleetRow { care: cares(holding, &row, looking.now), ..row }
}

fn unit_row(holding: &Holding<'_>, unit: &str, on_file: &UnitOnFile, looking: Looking) -> FleetRow {
    let Looking { policy, now } = looking;
    let month = on_file.judged_month(now, policy.deadline_day);
    let gate = on_file.verdict(unit, month, policy.tolerance);
    let agent = holding.agents.iter().find(|(key, _)| **key == on_file.agent).map(|(_, agent)| *agent);
    let told = on_file.told.as_ref();
    let row = FleetRow {
        unit: Some(unit.to_owned()),
        installations: on_file.installations.clone(),
        agent: Some(on_file.agent.clone()),
        agent_id: agent.map(|agent| agent.agent_id.clone()),
        agent_removed: agent.is_some_and(|agent| agent.removed.is_some()),
        enrolled_at: agent.map(|agent| agent.enrolled_at),
        last_contact: on_file.last_contact(),
        version: told.and_then(|told| told.version.clone()),
        last_week: on_file.last_week,
        coverage: told.map(|told| told.coverage),
        month: Some(month),
        report: standing(holding.contract, on_file, &gate),
        reported: gate.reported,
        highest: gate.highest_watermark,
        key_expires_on: on_file.key.as_ref().map(|key| key.expires_on),
        revoked: on_file.revoked.is_some(),
        conflicting_days: on_file.conflicting_days(month).len(),
        conflicts: message_ids(unit, on_file, looking).map(|id| conflicts(holding.state, &id)).sum(),
        ..empty_row(holding.contract, now)
    };
    FleetRow { care: cares(holding, &row, now), ..row }
}

/// Messages whose conflicts a unit's row counts: the judged month's report and the newest week's telemetry.
pub fn message_ids(unit: &str, on_file: &UnitOnFile, looking: Looking) -> impl Iterator<Item = String> {
    let month = on_file.judged_month(looking.now, looking.policy.deadline_day);
    let report = on_file.newest(month).map(|report| report.id.clone());
    let telemetry = on_file.last_week.map(|week| Telemetry::id_of(unit, week));
    report.into_iter().chain(telemetry)
}

fn conflicts(state: &State, id: &str) -> usize {
    state.messages.get(id).map_or(0, |message| message.conflicts.len())
}

/// As a license check would find it: only rental needs reports.
fn standing(contract: &Contract, unit: &UnitOnFile, gate: &GateVerdict) -> ReportStanding {
    let is_rental = contract.kind == LicenseType::Rental;
    let Some(report) = unit.newest(gate.month) else {
        return if is_rental && unit.owes(gate.month) { ReportStanding::Missing } else { ReportStanding::NotOwed };
    };
    if report.approved.is_some() {
        return ReportStanding::Approved;
    }
    if report.correction.is_some() {
        return ReportStanding::CorrectionAsked;
    }
    match gate.verdict {
        Verdict::Held if is_rental => ReportStanding::Held,
        Verdict::Held | Verdict::Open | Verdict::Undetermined => ReportStanding::Taken,
    }
}

fn cares(holding: &Holding<'_>, row: &FleetRow, now: Instant) -> Vec<Care> {
    let needs = |care| match care {
        Care::TokenShownTwice => row.agent.as_deref().is_some_and(|agent| holding.shown_twice.contains(&agent)),
        Care::KeyEnded => key_days(row, now).is_some_and(|(ends_on, today)| ends_on < today),
        Care::ReportMissing => row.report == ReportStanding::Missing,
        Care::ReportHeld => row.report == ReportStanding::Held,
        Care::KeyEnding => key_days(row, now)
            .is_some_and(|(ends_on, today)| today <= ends_on && ends_on <= today + Days::new(KEY_ENDING_DAYS)),
        Care::Silent => {
            let heard = row.last_contact.max(row.enrolled_at);
            heard.is_some_and(|heard| heard + TimeDelta::days(SILENT_DAYS) < now)
        }
        Care::Conflict => row.conflicting_days + row.conflicts > 0,
        Care::CoverageLow => row.coverage.is_some_and(|coverage| coverage.is_below(COVERAGE_PERCENT_MIN)),
    };
    match row.contract_state {
        // Nothing is expected of it any more.
        ContractState::Terminated => Vec::new(),
        ContractState::Active | ContractState::Suspended | ContractState::Expired => {
            CARES.map(|(care, _)| care).into_iter().filter(|care| needs(*care)).collect()
        }
    }
}

/// The day on which the unit's key ends, and this one, while another could follow it.
fn key_days(row: &FleetRow, now: Instant) -> Option<(NaiveDate, NaiveDate)> {
    let may_follow = row.contract_state == ContractState::Active && !row.revoked;
    row.key_expires_on.filter(|_| may_follow).map(|ends_on| (ends_on, now.date_naive()))
}
