//! What the operator orders and sees.

use chrono::{NaiveDate, TimeDelta};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::contract::{Contract, ContractState};
use super::facts::{Fact, Grant, Note};
use super::fleet::{self, FleetPage, FleetPick, Looking};
use super::hearing::Said;
use super::intake::{Decided, NewFact, shortened};
use super::operator_rows::{AgentRow, ContractSum, InstallationRow, ReportRow, ReportView, sums};
use super::postgres::Needs;
use super::state::State;
use super::{LicenseServer, LicenseServerError, Policy};
use crate::domain::gate::REASON_CHARS_MAX;
use crate::domain::{Instant, Month, Points};
use crate::doors::Chance;
use crate::protocol::{EnrolmentToken, TOKEN_DAYS};
use crate::seal::digest::{hex, sha256_hex};

/// Everything an operator can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum Order {
    /// Prints a one-use enrolment token.
    AddContract {
        contract: Contract,
        url: Option<String>,
    },
    /// Another token for a contract on file.
    IssueToken {
        contract_id: String,
        url: Option<String>,
    },
    SetContractState {
        contract_id: String,
        state: ContractState,
    },
    SetContractPoints {
        contract_id: String,
        points: Points,
    },
    /// A renewed contract; a date that is not given stays.
    SetContractDates {
        contract_id: String,
        ends_on: Option<NaiveDate>,
        support_expires_on: Option<NaiveDate>,
    },
    /// The agent of this key is heard no more, as when its enrolment token was stolen.
    RemoveAgent {
        agent: String,
        why: String,
    },
    /// No more keys for this unit.
    RevokeKey {
        unit: String,
        why: String,
    },
    /// Opens the gate for the newest revision of the month.
    ApproveReport {
        unit: String,
        month: Month,
        /// What was looked at: another one that came meanwhile is not approved.
        #[serde(default)]
        revision: Option<u32>,
        why: String,
    },
    /// Marks the newest revision as one to be corrected.
    AskForCorrection {
        unit: String,
        month: Month,
        /// What was looked at, as for an approval.
        #[serde(default)]
        revision: Option<u32>,
        why: String,
    },
}

/// Why an order was not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("contract {0} exists; set its state or issue another token for it")]
    ContractExists(String),
    #[error("no contract {0}; `license-server contract list` shows them")]
    NoContract(String),
    #[error("no reporting unit {0}; `license-server installation list` shows them")]
    NoUnit(String),
    #[error("no agent with the key {0}; `license-server agent list` shows them")]
    NoAgent(String),
    #[error("no report of {month} from unit {unit}; `license-server report list` shows them")]
    NoReport { unit: String, month: Month },
    #[error("the newest report of {month} from unit {unit} is revision {newest}: look at it first")]
    OtherRevision { unit: String, month: Month, newest: u32 },
    #[error("'{0}' is no page of the fleet; begin with the first one")]
    NoPage(String),
    #[error("a reason is needed")]
    NoReason,
    #[error("an id holds a NUL")]
    Nul,
    #[error("{0} is empty: name it")]
    Empty(&'static str),
    #[error("{0} points: a contract has none or more")]
    NegativePoints(Points),
    #[error(
        "--ends-on {ends_on} lies before today ({today} GMT): every agent of the contract would be refused at its next \
         check; to end a contract set its state: `license-server contract state ID terminated`"
    )]
    EndedBefore { ends_on: NaiveDate, today: NaiveDate },
    #[error("{what} has {signs} signs, and at most {REASON_CHARS_MAX} travel to the agents: shorten it")]
    TooLong { what: &'static str, signs: usize },
    #[error(transparent)]
    Server(#[from] LicenseServerError),
}

impl LicenseServer {
    /// Obeys one order of `by`; returns the token when one was made. Not within a runtime.
    ///
    /// # Errors
    /// [`Refused`]; nothing was changed then.
    pub fn obey(
        &self,
        order: Order,
        by: &str,
        now: Instant,
        chance: &mut dyn Chance,
    ) -> Result<Option<EnrolmentToken>, Refused> {
        let secret = order.makes_a_token().then(|| drawn(chance));
        let server_key = self.verifying_key().fingerprint();
        let by = by.to_owned();
        let needs = Needs::of_order(&order, secret.as_ref());
        if !needs.can_be_asked() {
            return Err(Refused::Nul);
        }
        self.asked(needs, move |state| ordered(state, order.clone(), (&by, now), (server_key.clone(), secret.clone())))?
    }

    /// Contracts by id. Like all lists: not within a runtime.
    ///
    /// # Errors
    /// The database does not answer; also of all lists.
    pub fn contracts(&self) -> Result<Vec<Contract>, LicenseServerError> {
        self.keeping.look(|state| state.contracts.values().cloned().collect())
    }

    /// What the units of each contract reported of the month, beside the sum of their watermarks.
    pub fn sums(&self, month: Month) -> Result<Vec<ContractSum>, LicenseServerError> {
        self.keeping.look(|state| sums(state, month, self.policy_of(state).tolerance))
    }

    /// Units by id.
    pub fn installations(&self) -> Result<Vec<InstallationRow>, LicenseServerError> {
        let row = |(unit, on_file): (&String, &super::UnitOnFile)| InstallationRow {
            unit: unit.clone(),
            contract_id: on_file.contract_id.clone(),
            agent: on_file.agent.clone(),
            installations: on_file.installations.clone(),
            key_serial: on_file.key.as_ref().map(|key| key.serial),
            key_expires_on: on_file.key.as_ref().map(|key| key.expires_on),
            revoked: on_file.revoked.clone(),
            last_week: on_file.last_week,
            last_check: on_file.checks.last().map(|check| check.answer.message.clone()),
        };
        self.keeping.look(|state| state.units.iter().map(row).collect())
    }

    /// The page of the fleet after this contract; `""`: the first.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn fleet(&self, after: &str, pick: FleetPick, now: Instant) -> Result<FleetPage, LicenseServerError> {
        let looking = Looking { policy: self.keeping.policy()?.unwrap_or_else(|| self.policy()), now };
        self.keeping.look_after(after, looking, |state| fleet::page(state, after, pick, looking))
    }

    /// Agents by the fingerprint of their key, with who else showed the token of each.
    pub fn agents(&self) -> Result<Vec<AgentRow>, LicenseServerError> {
        self.keeping.look(|state| {
            let row = |(key, on_file): (&String, &super::state::AgentOnFile)| AgentRow {
                key: key.clone(),
                agent_id: on_file.agent_id.clone(),
                contract_id: on_file.contract_id.clone(),
                enrolled_at: on_file.enrolled_at,
                removed: on_file.removed.clone(),
                refused: state.refused_beside(key),
            };
            state.agents.iter().map(row).collect()
        })
    }

    /// Newest revisions by unit and month, with the gate as it stands.
    pub fn reports(&self) -> Result<Vec<ReportRow>, LicenseServerError> {
        self.keeping.look(|state| {
            let of_unit = |(unit, on_file): (&String, &super::UnitOnFile)| {
                let months: Vec<Month> = on_file.reports.keys().copied().collect();
                months.into_iter().filter_map(|month| self.row(state, unit, month)).collect::<Vec<_>>()
            };
            state.units.iter().flat_map(of_unit).collect()
        })
    }

    /// One month of one unit in full.
    ///
    /// # Errors
    /// No such report, or the database does not answer.
    pub fn report(&self, unit: &str, month: Month) -> Result<ReportView, Refused> {
        let missing = || Refused::NoReport { unit: unit.to_owned(), month };
        let id = |state: &State| newest(state, unit, month).ok().map(|report| report.id.clone());
        let (row, message) = self.keeping.look_at(unit, id, |state| {
            let row = self.row(state, unit, month).ok_or_else(missing)?;
            let message = state.messages.get(&newest(state, unit, month)?.id).ok_or_else(missing)?;
            Ok::<_, Refused>((row, message.clone()))
        })??;
        let submission = Said::in_body(&message.body).map_err(|_| missing())?;
        let conflicts = message.conflicts.iter().map(|conflict| (conflict.at, conflict.sha256.clone())).collect();
        Ok(ReportView { row, submission, conflicts })
    }

    /// What was kept last by whichever server, as decisions go by it.
    fn policy_of(&self, state: &State) -> Policy {
        state.policy.unwrap_or_else(|| self.policy())
    }

    fn row(&self, state: &State, unit: &str, month: Month) -> Option<ReportRow> {
        let on_file = state.units.get(unit)?;
        let report = on_file.newest(month)?;
        Some(ReportRow {
            unit: unit.to_owned(),
            contract_id: on_file.contract_id.clone(),
            month,
            revision: report.revision,
            received_at: report.received_at,
            total_points: report.total_points,
            gate: on_file.verdict(unit, month, self.policy_of(state).tolerance),
            justification: report.justification.clone(),
            justified_at: report.justified_at,
            justified_by: report.justified_by.clone(),
            corrects: report.corrects.clone(),
            approved: report.approved.clone(),
            correction: report.correction.clone(),
            conflicting_days: on_file.conflicting_days(month),
        })
    }
}

impl Order {
    fn makes_a_token(&self) -> bool {
        match self {
            Order::AddContract { .. } | Order::IssueToken { .. } => true,
            Order::SetContractState { .. }
            | Order::SetContractPoints { .. }
            | Order::SetContractDates { .. }
            | Order::RemoveAgent { .. }
            | Order::RevokeKey { .. }
            | Order::ApproveReport { .. }
            | Order::AskForCorrection { .. } => false,
        }
    }
}

fn drawn(chance: &mut dyn Chance) -> SecretString {
    let mut secret = [0; 32];
    chance.fill(&mut secret);
    SecretString::from(hex(&secret))
}

/// What comes of an order of `by` at that instant; with the server's fingerprint and a drawn secret for a token.
pub fn ordered(
    state: &State,
    order: Order,
    (by, at): (&str, Instant),
    (server_key, secret): (String, Option<SecretString>),
) -> Decided<Result<Option<EnrolmentToken>, Refused>> {
    let mut token = None;
    let grant = |contract_id: &str, url: Option<String>| {
        let (contract_id, secret) =
            (contract_id.to_owned(), secret.expect("an order that makes a token comes with a secret"));
        let expires_at = at + TimeDelta::days(TOKEN_DAYS);
        let grant = Grant { secret_sha256: sha256_hex(secret.expose_secret().as_bytes()), expires_at };
        token = Some(EnrolmentToken { contract_id, secret, server_key, url, expires_at });
        grant
    };
    match fact_of(order, state, (by, at), grant) {
        Ok(fact) => {
            let actor = format!("user:{}", shortened(by));
            Decided { entry: Some(NewFact { fact, said: None, actor, at }), answer: Ok(token) }
        }
        Err(refused) => Decided::unchanged(Err(refused)),
    }
}

/// The fact an order makes; `grant` makes a token.
fn fact_of(
    order: Order,
    state: &State,
    (by, at): (&str, Instant),
    grant: impl FnOnce(&str, Option<String>) -> Grant,
) -> Result<Fact, Refused> {
    let noted = |why: String| {
        if why.trim().is_empty() {
            return Err(Refused::NoReason);
        }
        must_travel("the reason", &why)?;
        Ok(Note { at, by: by.to_owned(), why })
    };
    let known = |contract_id: String| match state.contracts.get(&contract_id) {
        Some(_) => Ok(contract_id),
        None => Err(Refused::NoContract(contract_id)),
    };
    Ok(match order {
        Order::AddContract { contract, .. } if state.contracts.contains_key(&contract.id) => {
            return Err(Refused::ContractExists(contract.id));
        }
        Order::AddContract { contract, url } => {
            must_be_named("the contract's id", &contract.id)?;
            must_be_named("--licensed-to", &contract.licensed_to)?;
            must_count(contract.points)?;
            must_travel("--support-id", &contract.support_id)?;
            must_travel("--url", url.as_deref().unwrap_or_default())?;
            Fact::ContractAdded { grant: grant(&contract.id, url), contract }
        }
        Order::IssueToken { contract_id, url } => {
            let contract_id = known(contract_id)?;
            must_travel("--url", url.as_deref().unwrap_or_default())?;
            Fact::TokenIssued { grant: grant(&contract_id, url), contract_id }
        }
        Order::SetContractState { contract_id, state } => {
            Fact::ContractStateSet { contract_id: known(contract_id)?, state }
        }
        Order::SetContractPoints { contract_id, points } => {
            must_count(points)?;
            Fact::ContractPointsSet { contract_id: known(contract_id)?, points }
        }
        Order::SetContractDates { contract_id, ends_on, support_expires_on } => {
            let contract = state.contracts.get(&contract_id).ok_or(Refused::NoContract(contract_id))?;
            let today = at.date_naive();
            if let Some(ends_on) = ends_on.filter(|day| *day < today) {
                return Err(Refused::EndedBefore { ends_on, today });
            }
            Fact::ContractDatesSet {
                contract_id: contract.id.clone(),
                ends_on: ends_on.or(contract.ends_on),
                support_expires_on: support_expires_on.or(contract.support_expires_on),
            }
        }
        Order::RemoveAgent { agent, .. } if !state.agents.contains_key(&agent) => return Err(Refused::NoAgent(agent)),
        Order::RemoveAgent { agent, why } => Fact::AgentRemoved { agent, note: noted(why)? },
        Order::RevokeKey { unit, .. } if !state.units.contains_key(&unit) => return Err(Refused::NoUnit(unit)),
        Order::RevokeKey { unit, why } => Fact::KeyRevoked { unit, note: noted(why)? },
        Order::ApproveReport { unit, month, revision, why } => {
            let revision = looked_at(state, &unit, month, revision)?;
            Fact::ReportApproved { unit, month, revision, note: noted(why)? }
        }
        Order::AskForCorrection { unit, month, revision, why } => {
            let revision = looked_at(state, &unit, month, revision)?;
            Fact::CorrectionAsked { unit, month, revision, note: noted(why)? }
        }
    })
}

fn must_be_named(what: &'static str, text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::Empty(what));
    }
    must_travel(what, text)
}

/// Agents refuse a key of negative points.
fn must_count(points: Points) -> Result<(), Refused> {
    if points < Points::ZERO { Err(Refused::NegativePoints(points)) } else { Ok(()) }
}

/// Refuses what an agent would not read in an answer or a token.
fn must_travel(what: &'static str, text: &str) -> Result<(), Refused> {
    match text.chars().count() {
        signs if signs > REASON_CHARS_MAX => Err(Refused::TooLong { what, signs }),
        _ => Ok(()),
    }
}

/// The newest revision, when it is the one that was looked at or none was named.
fn looked_at(state: &State, unit: &str, month: Month, named: Option<u32>) -> Result<u32, Refused> {
    let newest = newest(state, unit, month)?.revision;
    if named.is_some_and(|named| named != newest) {
        return Err(Refused::OtherRevision { unit: unit.to_owned(), month, newest });
    }
    Ok(newest)
}

fn newest<'a>(state: &'a State, unit: &str, month: Month) -> Result<&'a super::ReportOnFile, Refused> {
    let report = state.units.get(unit).and_then(|on_file| on_file.newest(month));
    report.ok_or_else(|| Refused::NoReport { unit: unit.to_owned(), month })
}
