//! The state as rows of the database: which of them a request needs, and how each is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::from_str;

use super::super::facts::{Fact, Note};
use super::super::hearing::{Heard, Said};
use super::super::operator::Order;
use super::super::state::{ConflictOnFile, MessageOnFile, State};
use super::super::unit::{DayOnFile, Told, UnitOnFile};
use crate::domain::calendar::midnight;
use crate::domain::license_key::KeyFile;
use crate::domain::report::Receipt;
use crate::domain::{Instant, IsoWeek, Month};
use crate::protocol::{LicenseCheck, Submission, Telemetry};
use crate::seal::digest::{sha256, sha256_hex};

/// A table of rows, in the order in which their locks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    Policy,
    Contract,
    Token,
    Agent,
    /// A unit without what grows.
    Unit,
    /// A unit's reports.
    Reports,
    /// A unit's newest license checks.
    Checks,
    /// A unit's days of one month; `UNIT/MONTH`.
    Days,
    Message,
}

/// Every shelf; what belongs to a unit stands after it.
pub const SHELVES: [Shelf; 9] = [
    Shelf::Policy,
    Shelf::Contract,
    Shelf::Token,
    Shelf::Agent,
    Shelf::Unit,
    Shelf::Reports,
    Shelf::Checks,
    Shelf::Days,
    Shelf::Message,
];

/// One row by its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    pub shelf: Shelf,
    pub id: String,
}

/// The rows a request is decided by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rows that its facts may change: locked, then read.
    pub changes: BTreeSet<RowKey>,
    /// Rows that are only read.
    pub reads: BTreeSet<RowKey>,
    /// An agent whose contract is read too.
    pub contract_of: Option<String>,
}

/// A row as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub contract_id: String,
    pub value: String,
}

/// A unit's row; what grows with its life stands in rows of its own, so that a week writes little.
#[derive(Serialize, Deserialize)]
struct UnitRow {
    contract_id: String,
    agent: String,
    installations: Vec<String>,
    since: Instant,
    /// The first day with a mark: whether a month's report is owed depends on it.
    #[serde(alias = "first_day")]
    seen_on: Option<NaiveDate>,
    last_week: Option<IsoWeek>,
    /// Rows of before there was one have none until the unit's next message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    key: Option<KeyFile>,
    revoked: Option<Note>,
}

/// A message's row; the bodies stand in the entries.
#[derive(Serialize, Deserialize)]
struct MessageRow {
    receipt: Receipt,
    conflicts: Vec<ConflictRow>,
}

#[derive(Serialize, Deserialize)]
struct ConflictRow {
    sha256: String,
    at: Instant,
}

impl Shelf {
    pub fn name(self) -> &'static str {
        match self {
            Shelf::Policy => "policy",
            Shelf::Contract => "contract",
            Shelf::Token => "token",
            Shelf::Agent => "agent",
            Shelf::Unit => "unit",
            Shelf::Reports => "reports",
            Shelf::Checks => "checks",
            Shelf::Days => "days",
            Shelf::Message => "message",
        }
    }

    fn named(name: &str) -> Result<Shelf, String> {
        let shelf = SHELVES.into_iter().find(|shelf| shelf.name() == name);
        shelf.ok_or_else(|| format!("no rows are called {name}"))
    }

    fn row(self, id: &str) -> RowKey {
        RowKey { shelf: self, id: id.to_owned() }
    }
}

/// The rows of a unit's days in these months.
/// The rows of a unit's days of these months.
pub fn days(unit: &str, months: impl IntoIterator<Item = Month>) -> impl Iterator<Item = RowKey> {
    let months: BTreeSet<Month> = months.into_iter().collect();
    months.into_iter().map(move |month| RowKey { shelf: Shelf::Days, id: format!("{unit}/{month}") })
}

/// The unit and the month of a row of days.
fn unit_and_month(id: &str) -> Option<(&str, Month)> {
    let (unit, month) = id.rsplit_once('/')?;
    Some((unit, month.parse().ok()?))
}

impl RowKey {
    /// What the row's advisory lock is called: the same in every server. What belongs to a unit has the unit's.
    ///
    /// `None`: a message's id is bound to its unit, whose row changes with it and is locked.
    pub fn lock(&self) -> Option<i64> {
        let RowKey { shelf, id } = self;
        let (shelf, id) = match shelf {
            Shelf::Message => return None,
            Shelf::Reports | Shelf::Checks => (Shelf::Unit, id.as_str()),
            Shelf::Days => (Shelf::Unit, unit_and_month(id).map_or(id.as_str(), |(unit, _)| unit)),
            Shelf::Policy | Shelf::Contract | Shelf::Token | Shelf::Agent | Shelf::Unit => (*shelf, id.as_str()),
        };
        let digest = sha256(format!("tidegauge {} {id}", shelf.name()).as_bytes());
        Some(i64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes")))
    }
}

impl Needs {
    /// What decides the message of an agent at this instant.
    pub fn of_message(heard: &Heard, now: Instant) -> Needs {
        let mut needs = match &heard.said {
            Said::Enrol(enrol) => {
                let token = sha256_hex(enrol.secret.as_bytes());
                return Needs {
                    changes: [Shelf::Token.row(&token), Shelf::Agent.row(&heard.agent)].into(),
                    reads: [Shelf::Contract.row(&enrol.contract_id)].into(),
                    // Its key may have enrolled under another contract since it used this token.
                    contract_of: Some(heard.agent.clone()),
                };
            }
            Said::Telemetry(telemetry) => Needs::of_telemetry(telemetry),
            Said::Report(submission) => Needs::of_report(submission),
            Said::Check(check) => {
                Needs { contract_of: Some(heard.agent.clone()), ..Needs::of_check(check, Month::of(now)) }
            }
        };
        needs.reads.insert(Shelf::Agent.row(&heard.agent));
        needs
    }

    fn of_telemetry(telemetry: &Telemetry) -> Needs {
        let Telemetry { unit, id, daily, amended_days, .. } = telemetry;
        let months = daily.iter().chain(amended_days).map(|daily| Month::of(midnight(daily.day)));
        Needs {
            changes: days(unit, months).chain([Shelf::Unit.row(unit), Shelf::Message.row(id)]).collect(),
            reads: [Shelf::Reports.row(unit)].into(),
            contract_of: None,
        }
    }

    fn of_report(submission: &Submission) -> Needs {
        let Submission { unit, id, daily, month, .. } = submission;
        let months = daily.iter().map(|daily| Month::of(midnight(daily.day))).chain([*month]);
        let rows = [Shelf::Unit.row(unit), Shelf::Reports.row(unit), Shelf::Message.row(id)];
        Needs { changes: days(unit, months).chain(rows).collect(), ..Needs::default() }
    }

    /// The month that is judged is one of the two before this one, or a later one when a clock was ahead.
    fn of_check(check: &LicenseCheck, current: Month) -> Needs {
        let unit = &check.unit;
        let judged = [current.previous().previous(), current.previous(), current, current.next()];
        let mut needs = Needs {
            changes: [Shelf::Unit.row(unit), Shelf::Checks.row(unit)].into(),
            reads: days(unit, judged).collect(),
            contract_of: None,
        };
        // What was recorded after a report had been sent is written to it.
        let reports = if check.justified.is_some() { &mut needs.changes } else { &mut needs.reads };
        reports.insert(Shelf::Reports.row(unit));
        needs
    }

    /// What decides an operator's order; `secret` is that of the token it makes.
    pub fn of_order(order: &Order, secret: Option<&SecretString>) -> Needs {
        let row = match order {
            Order::AddContract { contract, .. } => Shelf::Contract.row(&contract.id),
            Order::IssueToken { contract_id, .. }
            | Order::SetContractState { contract_id, .. }
            | Order::SetContractPoints { contract_id, .. }
            | Order::SetContractDates { contract_id, .. } => Shelf::Contract.row(contract_id),
            Order::RemoveAgent { agent, .. } => Shelf::Agent.row(agent),
            Order::RevokeKey { unit, .. } => Shelf::Unit.row(unit),
            Order::ApproveReport { unit, .. } | Order::AskForCorrection { unit, .. } => {
                let (changes, reads) = ([Shelf::Reports.row(unit)].into(), [Shelf::Unit.row(unit)].into());
                return Needs { changes, reads, contract_of: None };
            }
        };
        let token = secret.map(|secret| Shelf::Token.row(&sha256_hex(secret.expose_secret().as_bytes())));
        Needs { changes: token.into_iter().chain([row]).collect(), ..Needs::default() }
    }

    /// What the policy is changed by.
    pub fn of_policy() -> Needs {
        Needs { changes: [Shelf::Policy.row("")].into(), ..Needs::default() }
    }

    /// Whether the database can hold these keys: its texts have no NUL.
    pub fn can_be_asked(&self) -> bool {
        let ids = self.changes.iter().chain(&self.reads).map(|row| &row.id);
        ids.chain(&self.contract_of).all(|id| !id.contains('\0'))
    }
}

/// Puts a row that was read into the state. A message comes with the fact that its body stands in.
///
/// # Errors
/// One line: the row is of another version.
pub fn put(state: &mut State, (shelf, id): (&str, String), value: &str, fact: Option<&str>) -> Result<(), String> {
    let failed = |error: serde_json::Error| format!("the {shelf} row {id} is not understood: {error}");
    match Shelf::named(shelf)? {
        Shelf::Policy => state.policy = from_str(value).map_err(failed)?,
        Shelf::Contract => drop(state.contracts.insert(id.clone(), from_str(value).map_err(failed)?)),
        Shelf::Token => drop(state.tokens.insert(id.clone(), from_str(value).map_err(failed)?)),
        Shelf::Agent => drop(state.agents.insert(id.clone(), from_str(value).map_err(failed)?)),
        Shelf::Unit => drop(state.units.insert(id.clone(), unit(from_str(value).map_err(failed)?))),
        Shelf::Reports => unit_of(state, shelf, &id)?.reports = from_str(value).map_err(failed)?,
        Shelf::Checks => unit_of(state, shelf, &id)?.checks = from_str(value).map_err(failed)?,
        Shelf::Days => {
            let (unit, _) = unit_and_month(&id).ok_or_else(|| format!("the {shelf} row {id} is of no month"))?;
            let days: BTreeMap<NaiveDate, DayOnFile> = from_str(value).map_err(failed)?;
            unit_of(state, shelf, unit)?.days.extend(days);
        }
        Shelf::Message => {
            let MessageRow { receipt, conflicts } = from_str(value).map_err(failed)?;
            // Without its entry, as when that month's partition was put away, its id and receipt still stand.
            let body = fact.map(body_in).transpose()?.unwrap_or_default();
            let kept = |ConflictRow { sha256, at }| ConflictOnFile { body: String::new(), sha256, at };
            let conflicts = conflicts.into_iter().map(kept).collect();
            state.messages.insert(id, MessageOnFile { body, receipt, conflicts });
        }
    }
    Ok(())
}

/// The unit that rows of this shelf belong to; its own row stands before them.
fn unit_of<'a>(state: &'a mut State, shelf: &str, unit: &str) -> Result<&'a mut UnitOnFile, String> {
    state.units.get_mut(unit).ok_or_else(|| format!("a {shelf} row belongs to unit {unit}, which has none"))
}

/// The unit without its other rows.
fn unit(row: UnitRow) -> UnitOnFile {
    let UnitRow { contract_id, agent, installations, since, seen_on, last_week, told, key, revoked } = row;
    let begun = UnitOnFile::begun(&contract_id, &agent, since);
    UnitOnFile { installations, seen_on, last_week, told, key, revoked, ..begun }
}

fn unit_row(unit: &UnitOnFile) -> UnitRow {
    let UnitOnFile { contract_id, agent, installations, since, seen_on, last_week, told, key, revoked, .. } =
        unit.clone();
    UnitRow { contract_id, agent, installations, since, seen_on, last_week, told, key, revoked }
}

fn body_in(fact: &str) -> Result<String, String> {
    match from_str(fact).map_err(|error| format!("an entry is not understood: {error}"))? {
        Fact::TelemetryTaken { body, .. } | Fact::ReportTaken { body, .. } => Ok(body),
        _ => Err("an entry that should hold a message holds none".to_owned()),
    }
}

/// The row as the state has it; `None`: it has none.
pub fn written(state: &State, RowKey { shelf, id }: &RowKey) -> Option<Written> {
    let row = |contract_id: &str, value: String| Written { contract_id: contract_id.to_owned(), value };
    Some(match shelf {
        Shelf::Policy => row("", text(state.policy.as_ref()?)),
        Shelf::Contract => row(id, text(state.contracts.get(id)?)),
        Shelf::Token => state.tokens.get(id).map(|token| row(&token.contract_id, text(token)))?,
        Shelf::Agent => state.agents.get(id).map(|agent| row(&agent.contract_id, text(agent)))?,
        Shelf::Unit => state.units.get(id).map(|unit| row(&unit.contract_id, text(&unit_row(unit))))?,
        Shelf::Reports => {
            let unit = state.units.get(id).filter(|unit| !unit.reports.is_empty())?;
            row(&unit.contract_id, text(&unit.reports))
        }
        Shelf::Checks => {
            let unit = state.units.get(id).filter(|unit| !unit.checks.is_empty())?;
            row(&unit.contract_id, text(&unit.checks))
        }
        Shelf::Days => {
            let (unit, month) = unit_and_month(id)?;
            let unit = state.units.get(unit)?;
            let days: BTreeMap<_, _> = unit.days.range(month.first_day()..month.next().first_day()).collect();
            row(&unit.contract_id, (!days.is_empty()).then(|| text(&days))?)
        }
        Shelf::Message => {
            let MessageOnFile { receipt, conflicts, .. } = state.messages.get(id)?;
            let kept = |one: &ConflictOnFile| ConflictRow { sha256: one.sha256.clone(), at: one.at };
            let conflicts = conflicts.iter().map(kept).collect();
            row("", text(&MessageRow { receipt: receipt.clone(), conflicts }))
        }
    })
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("rows have text keys and no binary floats")
}
