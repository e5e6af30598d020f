//! What comes in: verified as received, taken once, answered the same way each time.

use super::decision::{self, Decision, decide};
use super::facts::{Fact, RefusedEnrolment};
use super::state::{AgentOnFile, MessageOnFile, State};
use super::unit::UnitOnFile;
use super::{Inner, LicenseServer, LicenseServerError};
use crate::domain::Instant;
use crate::domain::gate::Verdict;
use crate::domain::report::Receipt;
use crate::protocol::{
    self, ConflictAnswer, Enrol, Enrolled, Kind, LicenseAnswer, LicenseCheck, Message, ReceiptAnswer, Refusal,
    Submission, Telemetry,
};
use crate::seal::digest::sha256_hex;
use crate::seal::jws;

/// Different bytes that are kept under one id; more of them are answered and not kept.
const CONFLICTS_KEPT: usize = 20;

/// Keys that showed a used token and are kept; more of them are refused and not kept.
const REFUSED_KEPT: usize = 20;

/// A signed answer with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// Not taken: the HTTP status says whether trying again helps, the text what to do.
struct NotTaken {
    status: u16,
    why: String,
}

impl NotTaken {
    /// The message itself is wrong.
    fn wrong(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 400, why: why.into() }
    }

    fn forbidden(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 403, why: why.into() }
    }

    /// Its period has not ended by this server's clock: later it may be taken.
    fn early(why: impl Into<String>) -> NotTaken {
        NotTaken { status: 425, why: why.into() }
    }
}

impl From<LicenseServerError> for NotTaken {
    /// The disk's troubles are the operator's; the agent only learns to come back.
    fn from(_: LicenseServerError) -> NotTaken {
        NotTaken { status: 503, why: "the server cannot record anything now; try again later".to_owned() }
    }
}

/// A sealed message of either kind.
enum Sealed {
    Telemetry(Telemetry),
    Report(Submission),
}

impl Sealed {
    fn id(&self) -> &str {
        match self {
            Sealed::Telemetry(telemetry) => &telemetry.id,
            Sealed::Report(submission) => &submission.id,
        }
    }

    fn unit(&self) -> &str {
        match self {
            Sealed::Telemetry(telemetry) => &telemetry.unit,
            Sealed::Report(submission) => &submission.unit,
        }
    }

    /// Refuses a period that is still running: its report would be judged by nothing.
    fn check_period(&self, now: Instant) -> Result<(), NotTaken> {
        let (period, ends_at) = match self {
            Sealed::Telemetry(telemetry) => (telemetry.week.to_string(), telemetry.week.ends_at()),
            Sealed::Report(submission) => (submission.month.to_string(), submission.month.ends_at()),
        };
        if now < ends_at {
            Err(NotTaken::early(format!("{period} has not ended by this server's clock")))
        } else {
            Ok(())
        }
    }
}

/// A body whose signature is that of an enrolled agent.
struct Heard<'a> {
    text: &'a str,
    sha256: String,
    payload: Vec<u8>,
    /// Fingerprint of the agent's key.
    agent: String,
}

impl LicenseServer {
    /// Takes one body of this kind and answers; the change is durable before this returns.
    pub fn take(&self, kind: Kind, body: &[u8], now: Instant) -> Reply {
        let taken = match kind {
            Kind::Enrol => self.enrol(body, now),
            Kind::Telemetry => self.take_sealed(body, now, |payload| protocol::read(payload).map(Sealed::Telemetry)),
            Kind::Report => self.take_sealed(body, now, |payload| protocol::read(payload).map(Sealed::Report)),
            Kind::LicenseCheck => self.check_license(body, now),
        };
        taken.unwrap_or_else(|NotTaken { status, why }| {
            let refusal = Refusal { schema: Refusal::SCHEMA.to_owned(), why, server_key: self.verifying_key() };
            Reply { status, body: self.signed(&refusal) }
        })
    }

    fn enrol(&self, body: &[u8], now: Instant) -> Result<Reply, NotTaken> {
        let text = text_of(body)?;
        let payload = jws::unverified_payload(text).map_err(|why| NotTaken::wrong(why.to_string()))?;
        let claimed: Enrol = protocol::read(&payload).map_err(|why| NotTaken::wrong(why.to_string()))?;
        let request: Enrol = protocol::verified(body, &claimed.key).map_err(NotTaken::wrong)?;
        let (fingerprint, secret_sha256) = (request.key.fingerprint(), sha256_hex(request.secret.as_bytes()));
        let mut inner = self.lock_to_change()?;
        let token = inner.state.tokens.get(&secret_sha256).filter(|token| token.contract_id == request.contract_id);
        let token = token.ok_or_else(|| NotTaken::forbidden("no such enrolment token; ask the operator for one"))?;
        match &token.used_by {
            Some(used_by) if *used_by == fingerprint => {}
            Some(_) => return Err(Self::used_before(&mut inner, secret_sha256, request, now)?),
            None if token.expires_at <= now => {
                return Err(NotTaken::forbidden("the enrolment token has expired; ask the operator for another"));
            }
            None => {
                let actor = format!("agent:{}", request.agent_id);
                let Enrol { contract_id, agent_id, key, .. } = request.clone();
                let fact = Fact::AgentEnrolled { contract_id, secret_sha256, agent_id, key, at: now };
                inner.record(fact, &shortened(&actor), now)?;
            }
        }
        let agent = inner.state.agents.get(&fingerprint).expect("the token names the agent it enrolled");
        if agent.removed.is_some() {
            return Err(NotTaken::forbidden("the operator removed this agent's key; ask the operator why"));
        }
        Ok(self.enrolled(&inner.state, &fingerprint, agent))
    }

    /// Two keys showed one token, so one of them stole it: the operator is shown both, and each side is told.
    fn used_before(
        inner: &mut Inner,
        secret_sha256: String,
        request: Enrol,
        now: Instant,
    ) -> Result<NotTaken, NotTaken> {
        let token = &inner.state.tokens[&secret_sha256];
        let key = request.key.fingerprint();
        if token.refused.len() < REFUSED_KEPT && token.refused.iter().all(|one| one.key != key) {
            let agent_id = shortened(&request.agent_id);
            let actor = shortened(&format!("agent:{agent_id}"));
            let refused = RefusedEnrolment { agent_id, key, at: now };
            inner.record(Fact::EnrolmentRefused { secret_sha256, refused }, &actor, now)?;
        }
        let why = "the enrolment token was used by another key; was that not you, it was stolen: the operator sees both \
                   keys and can remove the wrong one; ask the operator for another token";
        Ok(NotTaken::forbidden(why))
    }

    fn enrolled(&self, state: &State, fingerprint: &str, agent: &AgentOnFile) -> Reply {
        let contract = state.contracts.get(&agent.contract_id).expect("tokens are issued for contracts on file");
        let enrolled = Enrolled {
            schema: Enrolled::SCHEMA.to_owned(),
            contract_id: contract.id.clone(),
            licensed_to: contract.licensed_to.clone(),
            support_id: contract.support_id.clone(),
            server_key: self.verifying_key(),
            agent_key: fingerprint.to_owned(),
            enrolled_at: agent.enrolled_at,
            tolerance: self.policy().tolerance,
        };
        Reply { status: 200, body: self.signed(&enrolled) }
    }

    fn take_sealed(
        &self,
        body: &[u8],
        now: Instant,
        read: impl Fn(&[u8]) -> Result<Sealed, protocol::Unreadable>,
    ) -> Result<Reply, NotTaken> {
        let mut inner = self.lock_to_change()?;
        let heard = heard(&inner.state, body)?;
        let sealed = read(&heard.payload).map_err(|why| NotTaken::wrong(why.to_string()))?;
        check_owner(&inner.state, sealed.unit(), &heard.agent)?;
        if inner.state.messages.contains_key(sealed.id()) {
            return self.repeated(&mut inner, &heard, &sealed, now);
        }
        sealed.check_period(now)?;
        let mut receipt =
            Receipt { id: sealed.id().to_owned(), sha256: heard.sha256.clone(), received_at: now, verdict: None };
        let (agent, body) = (heard.agent.clone(), heard.text.to_owned());
        let fact = match &sealed {
            Sealed::Telemetry(_) => Fact::TelemetryTaken { agent, body, receipt },
            Sealed::Report(submission) => {
                let mut unit = inner.state.unit_or_begun(&submission.unit, &agent).into_owned();
                unit.take_report(submission, now);
                receipt.verdict = Some(self.verdict_text(&unit, submission));
                Fact::ReportTaken { agent, body, receipt }
            }
        };
        inner.record(fact, &actor_of(&heard.agent), now)?;
        let on_file = inner.state.messages.get(sealed.id()).expect("the fact was just applied");
        Ok(self.receipt(&inner.state, on_file, &sealed))
    }

    /// What the receipt says of the gate.
    fn verdict_text(&self, unit: &UnitOnFile, submission: &Submission) -> String {
        let gate = unit.verdict(&submission.unit, submission.month, self.policy().tolerance);
        match gate.verdict {
            Verdict::Open | Verdict::Undetermined => gate.verdict.as_str().to_owned(),
            Verdict::Held => format!("held: {}", decision::held_text(&gate)),
        }
    }

    /// The id was taken before: the same bytes get the same receipt, others a conflict, which is kept.
    fn repeated(&self, inner: &mut Inner, heard: &Heard<'_>, sealed: &Sealed, now: Instant) -> Result<Reply, NotTaken> {
        let id = sealed.id();
        let on_file = &inner.state.messages[id];
        if on_file.receipt.sha256 == heard.sha256 {
            return Ok(self.receipt(&inner.state, on_file, sealed));
        }
        let seen = on_file.conflicts.iter().any(|conflict| conflict.sha256 == heard.sha256);
        if !seen && on_file.conflicts.len() < CONFLICTS_KEPT {
            let fact = Fact::ConflictKept {
                agent: heard.agent.clone(),
                id: id.to_owned(),
                body: heard.text.to_owned(),
                sha256: heard.sha256.clone(),
                at: now,
            };
            inner.record(fact, &actor_of(&heard.agent), now)?;
        }
        let MessageOnFile { body, receipt, .. } = inner.state.messages[id].clone();
        let schema = ConflictAnswer::SCHEMA.to_owned();
        let answer = ConflictAnswer { schema, body, receipt, tolerance: self.policy().tolerance };
        Ok(Reply { status: 409, body: self.signed(&answer) })
    }

    fn receipt(&self, state: &State, on_file: &MessageOnFile, sealed: &Sealed) -> Reply {
        let conflicting_days = match sealed {
            Sealed::Telemetry(_) => Vec::new(),
            Sealed::Report(report) => {
                state.units.get(&report.unit).map(|unit| unit.conflicting_days(report.month)).unwrap_or_default()
            }
        };
        let answer = ReceiptAnswer {
            schema: ReceiptAnswer::SCHEMA.to_owned(),
            receipt: on_file.receipt.clone(),
            tolerance: self.policy().tolerance,
            conflicting_days,
            decisions: state.units.get(sealed.unit()).map(UnitOnFile::decisions).unwrap_or_default(),
        };
        Reply { status: 200, body: self.signed(&answer) }
    }

    fn check_license(&self, body: &[u8], now: Instant) -> Result<Reply, NotTaken> {
        let mut inner = self.lock_to_change()?;
        let heard = heard(&inner.state, body)?;
        let check: LicenseCheck = protocol::read(&heard.payload).map_err(|why| NotTaken::wrong(why.to_string()))?;
        check_owner(&inner.state, &check.unit, &heard.agent)?;
        let unit = inner.state.unit_or_begun(&check.unit, &heard.agent);
        if let Some(before) = unit.checks.iter().find(|one| one.answer.id == check.id) {
            return if before.body_sha256 == heard.sha256 {
                Ok(Reply { status: 200, body: self.signed(&before.answer) })
            } else {
                Err(NotTaken { status: 409, why: "another check was asked at that instant; ask again".to_owned() })
            };
        }
        let contract = inner.state.contracts.get(&unit.contract_id).expect("units belong to contracts on file");
        let Decision { message, detail, gate, issue } = decide(contract, &unit, &check, &self.policy(), now);
        let answer = LicenseAnswer {
            schema: LicenseAnswer::SCHEMA.to_owned(),
            id: check.id.clone(),
            message: message.to_owned(),
            detail,
            key: issue.as_ref().map(|key| protocol::issue_key(key, &self.key)),
            gate,
            decisions: unit.decisions(),
            tolerance: self.policy().tolerance,
            answered_at: now,
        };
        let reply = Reply { status: 200, body: self.signed(&answer) };
        let fact = Fact::LicenseAnswered {
            agent: heard.agent.clone(),
            body_sha256: heard.sha256,
            unit: check.unit,
            installations: check.installations,
            answer: Box::new(answer),
            issued: issue,
            justified: check.justified,
        };
        inner.record(fact, &actor_of(&heard.agent), now)?;
        Ok(reply)
    }
}

fn text_of(body: &[u8]) -> Result<&str, NotTaken> {
    std::str::from_utf8(body).map_err(|_| NotTaken::wrong("the body is not a compact JWS: not even text"))
}

fn heard<'a>(state: &State, body: &'a [u8]) -> Result<Heard<'a>, NotTaken> {
    let text = text_of(body)?;
    let agent = jws::unverified_kid(text).map_err(|why| NotTaken::wrong(why.to_string()))?;
    let on_file =
        state.agents.get(&agent).filter(|agent| agent.removed.is_none()).ok_or_else(|| {
            NotTaken::forbidden("this agent is not enrolled here; enrol it with a token of the operator")
        })?;
    let payload = jws::verify(text, &on_file.key).map_err(|why| NotTaken::wrong(why.to_string()))?;
    Ok(Heard { text, sha256: sha256_hex(body), payload, agent })
}

/// A unit of another contract is none of the agent's business.
fn check_owner(state: &State, unit: &str, agent: &str) -> Result<(), NotTaken> {
    let contract_id = state.agents.get(agent).map(|agent| &agent.contract_id);
    match state.units.get(unit) {
        Some(known) if Some(&known.contract_id) != contract_id => {
            Err(NotTaken::forbidden("the reporting unit belongs to another contract"))
        }
        Some(_) | None => Ok(()),
    }
}

fn actor_of(agent: &str) -> String {
    format!("agent:{agent}")
}

/// An actor the journal takes.
fn shortened(actor: &str) -> String {
    actor.chars().take(40).collect()
}
