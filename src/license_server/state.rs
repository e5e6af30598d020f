//! The server's state, rebuilt from its journal: facts in, maps out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Policy;
use super::contract::Contract;
use super::facts::{Fact, Grant, Note, RefusedEnrolment};
use super::hearing::Said;
use super::intake::NewFact;
use super::unit::{CheckOnFile, UnitOnFile};
use crate::domain::Instant;
use crate::domain::report::Receipt;
use crate::protocol::{Submission, Telemetry};
use crate::seal::keys::VerifyingKey;

/// Everything the server knows. The same facts make the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What the server was last run with; `None`: the defaults.
    pub policy: Option<Policy>,
    pub contracts: BTreeMap<String, Contract>,
    /// By the SHA-256 of their secret.
    pub tokens: BTreeMap<String, TokenOnFile>,
    /// By the fingerprint of their key.
    pub agents: BTreeMap<String, AgentOnFile>,
    pub units: BTreeMap<String, UnitOnFile>,
    /// Telemetry and reports by id.
    pub messages: BTreeMap<String, MessageOnFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOnFile {
    pub contract_id: String,
    pub expires_at: Instant,
    /// Fingerprint of the agent's key that used it.
    pub used_by: Option<String>,
    /// Who showed it after that.
    pub refused: Vec<RefusedEnrolment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentOnFile {
    pub agent_id: String,
    pub contract_id: String,
    pub key: VerifyingKey,
    pub enrolled_at: Instant,
    /// Why it is heard no more.
    pub removed: Option<Note>,
}

/// A sealed message as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageOnFile {
    pub body: String,
    pub receipt: Receipt,
    /// Other bytes that came under the same id.
    pub conflicts: Vec<ConflictOnFile>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictOnFile {
    pub body: String,
    pub sha256: String,
    pub at: Instant,
}

impl AgentOnFile {
    pub fn enrolled(agent_id: String, contract_id: String, key: VerifyingKey, at: Instant) -> AgentOnFile {
        AgentOnFile { agent_id, contract_id, key, enrolled_at: at, removed: None }
    }
}

impl State {
    /// Takes one fact in.
    ///
    /// # Errors
    /// One line, when the fact speaks of what is not there or its body cannot be read: the journal is of another version.
    pub fn apply(&mut self, fact: Fact) -> Result<(), String> {
        match fact {
            Fact::PolicySet { policy } => self.policy = Some(policy),
            Fact::ContractAdded { contract, grant } => {
                self.grant(&contract.id, grant);
                self.contracts.insert(contract.id.clone(), contract);
            }
            Fact::ContractStateSet { contract_id, state } => self.contract_mut(&contract_id)?.state = state,
            Fact::ContractPointsSet { contract_id, points } => self.contract_mut(&contract_id)?.points = points,
            Fact::ContractDatesSet { contract_id, ends_on, support_expires_on } => {
                let contract = self.contract_mut(&contract_id)?;
                (contract.ends_on, contract.support_expires_on) = (ends_on, support_expires_on);
            }
            Fact::TokenIssued { contract_id, grant } => self.grant(&contract_id, grant),
            Fact::AgentEnrolled { contract_id, secret_sha256, agent_id, key, at } => {
                let fingerprint = key.fingerprint();
                let token = self.tokens.get_mut(&secret_sha256).ok_or("an enrolment without its token")?;
                token.used_by = Some(fingerprint.clone());
                self.agents.insert(fingerprint, AgentOnFile::enrolled(agent_id, contract_id, key, at));
            }
            Fact::EnrolmentRefused { secret_sha256, refused } => {
                let token = self.tokens.get_mut(&secret_sha256).ok_or("a refused enrolment without its token")?;
                token.refused.push(refused);
            }
            Fact::AgentRemoved { agent, note } => {
                self.agents.get_mut(&agent).ok_or_else(|| format!("unknown agent {agent}"))?.removed = Some(note);
            }
            Fact::TelemetryTaken { agent, body, receipt } => {
                let telemetry: Telemetry = Said::in_body(&body)?;
                self.take_telemetry(&agent, &telemetry, receipt.received_at)?;
                self.keep(body, receipt);
            }
            Fact::ReportTaken { agent, body, receipt } => {
                let submission: Submission = Said::in_body(&body)?;
                self.take_report(&agent, &submission, receipt.received_at)?;
                self.keep(body, receipt);
            }
            Fact::ConflictKept { id, body, sha256, at, .. } => {
                let message = self.messages.get_mut(&id).ok_or_else(|| format!("a conflict with unknown {id}"))?;
                message.conflicts.push(ConflictOnFile { body, sha256, at });
            }
            Fact::LicenseAnswered { agent, body_sha256, unit, installations, answer, issued, justified } => {
                let unit = self.unit_of(&unit, &agent)?;
                unit.installations = installations;
                unit.take_check(CheckOnFile { body_sha256, answer: *answer }, issued);
                if let Some(justified) = justified {
                    unit.take_justification(justified);
                }
            }
            Fact::KeyRevoked { unit, note } => self.unit_mut(&unit)?.revoked = Some(note),
            Fact::ReportApproved { unit, month, revision, note } => {
                let report = self.unit_mut(&unit)?.revision_mut(month, revision);
                let report = report.ok_or("an approval without its report")?;
                (report.approved, report.correction) = (Some(note), None);
            }
            Fact::CorrectionAsked { unit, month, revision, note } => {
                let report = self.unit_mut(&unit)?.revision_mut(month, revision);
                let report = report.ok_or("a correction asked without its report")?;
                (report.approved, report.correction) = (None, Some(note));
            }
        }
        Ok(())
    }

    /// Takes a fact in whose message was read before; otherwise as [`State::apply`].
    ///
    /// # Errors
    /// As [`State::apply`].
    pub fn take(&mut self, NewFact { fact, said, .. }: NewFact) -> Result<(), String> {
        match (fact, said) {
            (Fact::TelemetryTaken { agent, body, receipt }, Some(Said::Telemetry(telemetry))) => {
                self.take_telemetry(&agent, &telemetry, receipt.received_at)?;
                self.keep(body, receipt);
                Ok(())
            }
            (Fact::ReportTaken { agent, body, receipt }, Some(Said::Report(submission))) => {
                self.take_report(&agent, &submission, receipt.received_at)?;
                self.keep(body, receipt);
                Ok(())
            }
            (fact, _) => self.apply(fact),
        }
    }

    fn take_telemetry(&mut self, agent: &str, telemetry: &Telemetry, received_at: Instant) -> Result<(), String> {
        self.unit_of(&telemetry.unit, agent)?.take_telemetry(telemetry, received_at);
        Ok(())
    }

    fn take_report(&mut self, agent: &str, submission: &Submission, received_at: Instant) -> Result<(), String> {
        self.unit_of(&submission.unit, agent)?.take_report(submission, received_at);
        Ok(())
    }

    /// The agent of this key, unless the operator removed it.
    pub fn heard_agent(&self, agent: &str) -> Option<&AgentOnFile> {
        self.agents.get(agent).filter(|agent| agent.removed.is_none())
    }

    /// Who showed the token that enrolled this key after it.
    pub fn refused_beside(&self, agent: &str) -> Vec<RefusedEnrolment> {
        let of_it = self.tokens.values().filter(|token| token.used_by.as_deref() == Some(agent));
        of_it.flat_map(|token| token.refused.clone()).collect()
    }

    /// The unit as it stands under the contract of this enrolled agent, or as it would begin it.
    pub fn unit_or_begun(&self, unit: &str, agent: &str) -> Cow<'_, UnitOnFile> {
        let on_file = self.agents.get(agent).expect("only enrolled agents are heard");
        let contract_id = &on_file.contract_id;
        match self.units.get(unit) {
            Some(known) if known.contract_id == *contract_id => Cow::Borrowed(known),
            Some(known) => Cow::Owned(UnitOnFile { contract_id: contract_id.clone(), ..known.clone() }),
            None => Cow::Owned(UnitOnFile::begun(contract_id, agent, on_file.enrolled_at)),
        }
    }

    /// The unit, begun when this agent is the first to speak for it; it is of the agent's contract from then on.
    fn unit_of(&mut self, unit: &str, agent: &str) -> Result<&mut UnitOnFile, String> {
        let on_file = self.agents.get(agent).ok_or_else(|| format!("a message of unknown agent {agent}"))?;
        let begun = || UnitOnFile::begun(&on_file.contract_id, agent, on_file.enrolled_at);
        let entry = self.units.entry(unit.to_owned()).or_insert_with(begun);
        agent.clone_into(&mut entry.agent);
        on_file.contract_id.clone_into(&mut entry.contract_id);
        Ok(entry)
    }

    fn unit_mut(&mut self, unit: &str) -> Result<&mut UnitOnFile, String> {
        self.units.get_mut(unit).ok_or_else(|| format!("unknown unit {unit}"))
    }

    fn contract_mut(&mut self, contract_id: &str) -> Result<&mut Contract, String> {
        self.contracts.get_mut(contract_id).ok_or_else(|| format!("unknown contract {contract_id}"))
    }

    fn grant(&mut self, contract_id: &str, grant: Grant) {
        let Grant { secret_sha256, expires_at } = grant;
        let token = TokenOnFile { contract_id: contract_id.to_owned(), expires_at, used_by: None, refused: Vec::new() };
        self.tokens.insert(secret_sha256, token);
    }

    fn keep(&mut self, body: String, receipt: Receipt) {
        self.messages.insert(receipt.id.clone(), MessageOnFile { body, receipt, conflicts: Vec::new() });
    }
}
