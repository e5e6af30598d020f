//! What is decided of a message that was heard: by the state, giving an answer and at most one fact.

use std::borrow::Cow;

use super::Policy;
use super::answer::{Answer, NotTaken};
use super::decision::{self, Decision, decide};
use super::facts::{Fact, RefusedEnrolment};
use super::hearing::{Heard, Said, not_enrolled};
use super::state::{AgentOnFile, MessageOnFile, State};
use super::unit::UnitOnFile;
use crate::domain::gate::{Tolerance, Verdict};
use crate::domain::license_key::KeyFile;
use crate::domain::report::Receipt;
use crate::domain::{Instant, Month};
use crate::protocol::{
    self, ConflictAnswer, Enrol, Enrolled, LicenseAnswer, LicenseCheck, Message, ReceiptAnswer, Submission, Telemetry,
};
use crate::seal::digest::sha256_hex;
use crate::seal::keys::SigningKey;

/// Different bytes that are kept under one id; more of them are answered and not kept.
const CONFLICTS_KEPT: usize = 20;

/// Keys that showed a used token and are kept; more of them are refused and not kept.
const REFUSED_KEPT: usize = 20;

/// What came of a question: an answer, which may leave when the entry is durable and with it everything that the state
/// it was decided by holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided<T> {
    pub entry: Option<NewFact>,
    pub answer: T,
}

/// A fact that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFact {
    pub fact: Fact,
    /// The message in the fact's body, when it was read before.
    pub said: Option<Said>,
    pub actor: String,
    pub at: Instant,
}

/// By what it is decided, beside the state.
#[derive(Clone, Copy)]
pub struct Judging<'a> {
    pub policy: Policy,
    /// Signs license keys.
    pub key: &'a SigningKey,
    pub now: Instant,
}

/// A message and who sent it, without what it says.
struct Sealed<'a> {
    agent: &'a str,
    id: &'a str,
    unit: &'a str,
    sha256: &'a str,
}

impl<T> Decided<T> {
    pub fn unchanged(answer: T) -> Decided<T> {
        Decided { entry: None, answer }
    }
}

impl NewFact {
    fn by_agent(fact: Fact, said: Option<Said>, agent: &str, at: Instant) -> NewFact {
        NewFact { fact, said, actor: format!("agent:{agent}"), at }
    }
}

/// Decides what comes of a message by this state, of which [`Heard::concern`] alone is looked at.
pub fn decided(state: &State, heard: Heard, judging: Judging<'_>) -> Decided<Answer> {
    let Heard { agent, body, sha256, said } = heard;
    let decided = match said {
        Said::Enrol(request) => enrol(state, &request, judging),
        Said::Telemetry(telemetry) => take_telemetry(state, (agent, body, sha256), telemetry, judging),
        Said::Report(submission) => take_report(state, (agent, body, sha256), submission, judging),
        Said::Check(check) => check_license(state, &agent, sha256, &check, judging),
    };
    decided.unwrap_or_else(|not_taken| Decided::unchanged(Answer::NotTaken(not_taken)))
}

fn enrol(state: &State, request: &Enrol, judging: Judging<'_>) -> Result<Decided<Answer>, NotTaken> {
    let (fingerprint, secret_sha256) = (request.key.fingerprint(), sha256_hex(request.secret.as_bytes()));
    let token = state.tokens.get(&secret_sha256).filter(|token| token.contract_id == request.contract_id);
    let token = token.ok_or_else(|| NotTaken::forbidden("no such enrolment token; ask the operator for one"))?;
    let at = judging.now;
    match &token.used_by {
        Some(used_by) if *used_by == fingerprint => {
            let agent = state.agents.get(&fingerprint).expect("the token names the agent it enrolled");
            if agent.removed.is_some() {
                return Err(NotTaken::forbidden("the operator removed this agent's key; ask the operator why"));
            }
            Ok(Decided::unchanged(enrolled(state, fingerprint, agent, judging)))
        }
        Some(_) => Ok(used_before(state, secret_sha256, request, at)),
        None if token.expires_at <= at => {
            Err(NotTaken::forbidden("the enrolment token has expired; ask the operator for another"))
        }
        None => {
            let Enrol { contract_id, agent_id, key, .. } = request.clone();
            let agent = AgentOnFile::enrolled(agent_id.clone(), contract_id.clone(), key.clone(), at);
            let answer = enrolled(state, fingerprint, &agent, judging);
            let actor = shortened(&format!("agent:{agent_id}"));
            let fact = Fact::AgentEnrolled { contract_id, secret_sha256, agent_id, key, at };
            Ok(Decided { entry: Some(NewFact { fact, said: None, actor, at }), answer })
        }
    }
}

/// Two keys showed one token, so one of them stole it: the operator is shown both, and each side is told.
fn used_before(state: &State, secret_sha256: String, request: &Enrol, at: Instant) -> Decided<Answer> {
    let token = &state.tokens[&secret_sha256];
    let key = request.key.fingerprint();
    let is_kept = token.refused.len() < REFUSED_KEPT && token.refused.iter().all(|one| one.key != key);
    let entry = is_kept.then(|| {
        let agent_id = shortened(&request.agent_id);
        let actor = shortened(&format!("agent:{agent_id}"));
        let refused = RefusedEnrolment { agent_id, key, at };
        NewFact { fact: Fact::EnrolmentRefused { secret_sha256, refused }, said: None, actor, at }
    });
    let why = "the enrolment token was used by another key; was that not you, it was stolen: the operator sees both keys \
               and can remove the wrong one; ask the operator for another token";
    Decided { entry, answer: Answer::NotTaken(NotTaken::forbidden(why)) }
}

fn enrolled(state: &State, fingerprint: String, agent: &AgentOnFile, judging: Judging<'_>) -> Answer {
    let contract = state.contracts.get(&agent.contract_id).expect("tokens are issued for contracts on file");
    Answer::Enrolled(Box::new(Enrolled {
        schema: Enrolled::SCHEMA.to_owned(),
        contract_id: contract.id.clone(),
        licensed_to: contract.licensed_to.clone(),
        support_id: contract.support_id.clone(),
        server_key: judging.key.verifying(),
        agent_key: fingerprint,
        enrolled_at: agent.enrolled_at,
        tolerance: judging.policy.tolerance,
    }))
}

fn take_telemetry(
    state: &State,
    (agent, body, sha256): (String, String, String),
    telemetry: Box<Telemetry>,
    judging: Judging<'_>,
) -> Result<Decided<Answer>, NotTaken> {
    let sealed = Sealed { agent: &agent, id: &telemetry.id, unit: &telemetry.unit, sha256: &sha256 };
    check_sender(state, &sealed)?;
    if let Some(on_file) = state.messages.get(sealed.id) {
        return Ok(repeated(state, on_file, (&sealed, body), None, judging));
    }
    check_ended(telemetry.week.to_string(), telemetry.week.ends_at(), judging.now)?;
    let receipt = Receipt { id: telemetry.id.clone(), sha256, received_at: judging.now, verdict: None };
    let unit = state.units.get(&telemetry.unit);
    let answer = receipt_answer(unit, receipt.clone(), None, judging.policy.tolerance);
    let fact = Fact::TelemetryTaken { agent: agent.clone(), body, receipt };
    let entry = NewFact::by_agent(fact, Some(Said::Telemetry(telemetry)), &agent, judging.now);
    Ok(Decided { entry: Some(entry), answer })
}

fn take_report(
    state: &State,
    (agent, body, sha256): (String, String, String),
    submission: Box<Submission>,
    judging: Judging<'_>,
) -> Result<Decided<Answer>, NotTaken> {
    let sealed = Sealed { agent: &agent, id: &submission.id, unit: &submission.unit, sha256: &sha256 };
    check_sender(state, &sealed)?;
    if let Some(on_file) = state.messages.get(sealed.id) {
        return Ok(repeated(state, on_file, (&sealed, body), Some(submission.month), judging));
    }
    check_ended(submission.month.to_string(), submission.month.ends_at(), judging.now)?;
    let tolerance = judging.policy.tolerance;
    let mut unit = state.unit_or_begun(&submission.unit, &agent).into_owned();
    unit.take_report(&submission, judging.now);
    let verdict = Some(verdict_text(&unit, &submission, tolerance));
    let receipt = Receipt { id: submission.id.clone(), sha256, received_at: judging.now, verdict };
    let answer = receipt_answer(Some(&unit), receipt.clone(), Some(submission.month), tolerance);
    let fact = Fact::ReportTaken { agent: agent.clone(), body, receipt };
    let entry = NewFact::by_agent(fact, Some(Said::Report(submission)), &agent, judging.now);
    Ok(Decided { entry: Some(entry), answer })
}

/// What the receipt says of the gate.
fn verdict_text(unit: &UnitOnFile, submission: &Submission, tolerance: Tolerance) -> String {
    let gate = unit.verdict(&submission.unit, submission.month, tolerance);
    match gate.verdict {
        Verdict::Open | Verdict::Undetermined => gate.verdict.as_str().to_owned(),
        Verdict::Held => format!("held: {}", decision::held_text(&gate)),
    }
}

/// The id was taken before: the same bytes get the same receipt, others a conflict, which is kept.
fn repeated(
    state: &State,
    on_file: &MessageOnFile,
    (sealed, body): (&Sealed<'_>, String),
    month: Option<Month>,
    judging: Judging<'_>,
) -> Decided<Answer> {
    let Sealed { agent, id, unit, sha256 } = *sealed;
    let tolerance = judging.policy.tolerance;
    if on_file.receipt.sha256 == sha256 {
        let unit = state.units.get(unit);
        return Decided::unchanged(receipt_answer(unit, on_file.receipt.clone(), month, tolerance));
    }
    let seen = on_file.conflicts.iter().any(|conflict| conflict.sha256 == sha256);
    let entry = (!seen && on_file.conflicts.len() < CONFLICTS_KEPT).then(|| {
        let (agent, id, sha256) = (agent.to_owned(), id.to_owned(), sha256.to_owned());
        let fact = Fact::ConflictKept { agent: agent.clone(), id, body, sha256, at: judging.now };
        NewFact::by_agent(fact, None, &agent, judging.now)
    });
    let MessageOnFile { body, receipt, .. } = on_file.clone();
    let answer = ConflictAnswer { schema: ConflictAnswer::SCHEMA.to_owned(), body, receipt, tolerance };
    Decided { entry, answer: Answer::Conflict(Box::new(answer)) }
}

/// The receipt; for a report with the days of its month on which it and telemetry disagree.
fn receipt_answer(unit: Option<&UnitOnFile>, receipt: Receipt, month: Option<Month>, tolerance: Tolerance) -> Answer {
    let conflicting_days = unit.zip(month).map(|(unit, month)| unit.conflicting_days(month)).unwrap_or_default();
    let decisions = unit.map(UnitOnFile::decisions).unwrap_or_default();
    let schema = ReceiptAnswer::SCHEMA.to_owned();
    Answer::Receipt(Box::new(ReceiptAnswer { schema, receipt, tolerance, conflicting_days, decisions }))
}

fn check_license(
    state: &State,
    agent: &str,
    body_sha256: String,
    check: &LicenseCheck,
    judging: Judging<'_>,
) -> Result<Decided<Answer>, NotTaken> {
    check_sender(state, &Sealed { agent, id: &check.id, unit: &check.unit, sha256: &body_sha256 })?;
    let unit: Cow<'_, UnitOnFile> = state.unit_or_begun(&check.unit, agent);
    if let Some(before) = unit.checks.iter().find(|one| one.answer.id == check.id) {
        return if before.body_sha256 == body_sha256 {
            Ok(Decided::unchanged(Answer::License(Box::new(before.answer.clone()))))
        } else {
            Err(NotTaken { status: 409, why: "another check was asked at that instant; ask again".to_owned() })
        };
    }
    let contract = state.contracts.get(&unit.contract_id).expect("units belong to contracts on file");
    let shown = key_not_on_file(&unit, check, judging.key);
    let unit = match &shown {
        Some(shown) => Cow::Owned(UnitOnFile { key: Some(shown.clone()), ..unit.into_owned() }),
        None => unit,
    };
    let Decision { message, detail, gate, issue } = decide(contract, &unit, check, &judging.policy, judging.now);
    let answer = Box::new(LicenseAnswer {
        schema: LicenseAnswer::SCHEMA.to_owned(),
        id: check.id.clone(),
        message: message.to_owned(),
        detail,
        key: issue.as_ref().map(|key| protocol::issue_key(key, judging.key)),
        gate,
        decisions: unit.decisions(),
        lost: unit.lacks(&check.receipted, judging.now),
        tolerance: judging.policy.tolerance,
        answered_at: judging.now,
    });
    let fact = Fact::LicenseAnswered {
        agent: agent.to_owned(),
        body_sha256,
        unit: check.unit.clone(),
        installations: check.installations.clone(),
        answer: answer.clone(),
        issued: issue.or(shown),
        justified: check.justified.clone(),
    };
    let entry = NewFact::by_agent(fact, None, agent, judging.now);
    Ok(Decided { entry: Some(entry), answer: Answer::License(answer) })
}

/// The key that the agent shows, when this server's signature proves that it issued it and it is not on file any more: the
/// server was put back to a backup, or a standby that was behind took its place.
fn key_not_on_file(unit: &UnitOnFile, check: &LicenseCheck, own: &SigningKey) -> Option<KeyFile> {
    let shown = protocol::read_key(check.key.as_deref()?, &own.verifying()).ok()?;
    (check.serial == Some(shown.serial) && unit.lacks_key(&shown)).then_some(shown)
}

/// Refuses an agent that is not heard, or no more, and one that speaks for a unit of another contract. The units of an agent
/// that enrolled anew go with it.
fn check_sender(state: &State, sealed: &Sealed<'_>) -> Result<(), NotTaken> {
    let agent = state.heard_agent(sealed.agent).ok_or_else(not_enrolled)?;
    match state.units.get(sealed.unit) {
        Some(known) if known.contract_id != agent.contract_id && known.agent != sealed.agent => {
            Err(NotTaken::forbidden("the reporting unit belongs to another contract"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses a period that is still running: its report would be judged by nothing.
fn check_ended(period: String, ends_at: Instant, now: Instant) -> Result<(), NotTaken> {
    if now < ends_at { Err(NotTaken::early(format!("{period} has not ended by this server's clock"))) } else { Ok(()) }
}

/// An actor the journal takes.
pub(super) fn shortened(actor: &str) -> String {
    actor.chars().take(40).collect()
}
