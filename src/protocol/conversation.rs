//! The agent's side: one ask, one signed answer.

use chrono::NaiveDate;
use secrecy::ExposeSecret;

use super::{
    BODY_BYTES_MAX, CONTENT_TYPE, ConflictAnswer, Enrol, Enrolled, EnrolmentToken, Kind, LicenseAnswer, LicenseCheck,
    Message, PEER, ReceiptAnswer, Refusal, signed, verified,
};
use crate::ask::{Answer, Ask, Body, Conversation, Failure, HttpAnswer, HttpAsk, Setback, Step};
use crate::domain::gate::{OperatorDecision, Tolerance};
use crate::domain::report::Receipt;
use crate::seal::digest::sha256_hex;
use crate::seal::jws;
use crate::seal::keys::{SigningKey, VerifyingKey};

/// How the HTTP answer becomes a result.
type Reading<D> = Box<dyn FnOnce(HttpAnswer) -> Result<D, Setback> + Send>;

/// One posted body and its answer.
pub struct Exchange<D> {
    ask: Option<HttpAsk>,
    reading: Option<Reading<D>>,
}

impl<D> Exchange<D> {
    fn post(kind: Kind, body: Vec<u8>, reading: Reading<D>) -> Exchange<D> {
        let ask = HttpAsk {
            bytes_max: BODY_BYTES_MAX * 2,
            ..HttpAsk::post(PEER, kind.path(), Body::Bytes(CONTENT_TYPE, body))
        };
        Exchange { ask: Some(ask), reading: Some(reading) }
    }
}

impl<D> Conversation for Exchange<D> {
    type Done = D;

    fn next(&mut self, heard: Option<Answer>) -> Step<D> {
        if let Some(ask) = self.ask.take() {
            return Step::Ask(Ask::Http(ask));
        }
        let read = match (heard, self.reading.take()) {
            (Some(Answer::Http(answer)), Some(reading)) => reading(answer),
            (Some(Answer::Failed(failure)), _) => Err(setback_of(&failure)),
            (Some(Answer::Mail(_) | Answer::Folder(_)) | None, _) | (Some(Answer::Http(_)), None) => {
                Err(Setback::TryAgain { why: "the License Update Server was not answered over HTTP".to_owned() })
            }
        };
        read.map_or_else(Step::Setback, Step::Done)
    }
}

/// Binds the agent's key to the token's contract. The server's key must have the token's fingerprint.
pub fn enrol(token: &EnrolmentToken, agent_id: &str, agent: &SigningKey) -> Exchange<Enrolled> {
    let request = Enrol {
        schema: Enrol::SCHEMA.to_owned(),
        contract_id: token.contract_id.clone(),
        secret: token.secret.expose_secret().to_owned(),
        agent_id: agent_id.to_owned(),
        key: agent.verifying(),
    };
    let trust = Trust::Fingerprint(token.server_key.clone());
    let (contract_id, agent_key) = (token.contract_id.clone(), agent.fingerprint());
    let reading = move |answer: HttpAnswer| {
        if answer.status != 200 {
            return Err(refused(&answer, &trust));
        }
        let enrolled: Enrolled =
            trust.verified(&answer.body, |claimed: &Enrolled| &claimed.server_key).map_err(invalid)?;
        if enrolled.contract_id != contract_id || enrolled.agent_key != agent_key {
            return Err(invalid("it binds another key or contract".to_owned()));
        }
        Ok(enrolled)
    };
    Exchange::post(Kind::Enrol, signed(&request, agent).into_bytes(), Box::new(reading))
}

/// By what the server's answers are known.
enum Trust {
    Key(VerifyingKey),
    /// Before the enrolment: the key stands in the answer and must have this fingerprint.
    Fingerprint(String),
}

impl Trust {
    fn verified<M: Message>(&self, body: &[u8], key_in: fn(&M) -> &VerifyingKey) -> Result<M, String> {
        let fingerprint = match self {
            Trust::Key(key) => return verified(body, key),
            Trust::Fingerprint(fingerprint) => fingerprint,
        };
        let text = std::str::from_utf8(body).map_err(|_| "not even text".to_owned())?;
        let payload = jws::unverified_payload(text).map_err(|why| why.to_string())?;
        let claimed: M = super::read(&payload).map_err(|why| why.to_string())?;
        let key = key_in(&claimed);
        let seen = key.fingerprint();
        if seen != *fingerprint {
            return Err(format!("the server's key is {seen}, the enrolment token expects {fingerprint}"));
        }
        verified(body, key)
    }
}

/// What came of a sealed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Accepted {
        receipt: Receipt,
        tolerance: Tolerance,
        /// Days on which the server has other marks by telemetry than by report; it counts the higher one.
        conflicting_days: Vec<NaiveDate>,
        decisions: Vec<OperatorDecision>,
        /// The answer as the server signed it.
        answer: String,
    },
    /// The server has other bytes under this id; the agent adopts them.
    Conflict { body: String, receipt: Receipt, tolerance: Tolerance, answer: String },
}

/// Sends sealed bytes, a signed telemetry or submission, exactly as they are.
pub fn send_sealed(kind: Kind, sealed: &[u8], id: &str, server: &VerifyingKey) -> Exchange<Sent> {
    let (server, id, sha256) = (server.clone(), id.to_owned(), sha256_hex(sealed));
    let reading = move |answer: HttpAnswer| match answer.status {
        200 => {
            let ReceiptAnswer { receipt, tolerance, conflicting_days, decisions, .. } =
                verified(&answer.body, &server).map_err(invalid)?;
            if receipt.id != id || receipt.sha256 != sha256 {
                return Err(invalid("it is the receipt of another message".to_owned()));
            }
            let answer = text_of(answer.body);
            Ok(Sent::Accepted { receipt, tolerance, conflicting_days, decisions, answer })
        }
        409 => {
            let ConflictAnswer { body, receipt, tolerance, .. } = verified(&answer.body, &server).map_err(invalid)?;
            if receipt.id != id {
                return Err(invalid("it is the receipt of another message".to_owned()));
            }
            Ok(Sent::Conflict { body, receipt, tolerance, answer: text_of(answer.body) })
        }
        _ => Err(refused(&answer, &Trust::Key(server))),
    };
    Exchange::post(kind, sealed.to_vec(), Box::new(reading))
}

/// A body whose signature was verified, which is text.
fn text_of(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap_or_default()
}

/// Asks for a renewed key. A setback is result 4, an invalid answer or no connection (domain.md 4.3).
pub fn license_check(check: &LicenseCheck, agent: &SigningKey, server: &VerifyingKey) -> Exchange<LicenseAnswer> {
    let (server, id) = (server.clone(), check.id.clone());
    let reading = move |answer: HttpAnswer| {
        if answer.status != 200 {
            return Err(refused(&answer, &Trust::Key(server)));
        }
        let answer: LicenseAnswer = verified(&answer.body, &server).map_err(invalid)?;
        if answer.id == id { Ok(answer) } else { Err(invalid("it answers another check".to_owned())) }
    };
    Exchange::post(Kind::LicenseCheck, signed(check, agent).into_bytes(), Box::new(reading))
}

fn invalid(why: String) -> Setback {
    Setback::TryAgain { why: format!("the License Update Server's answer is not valid: {why}") }
}

/// A 4xx needs a person, anything else may pass. The reason is repeated only when the server signed it.
fn refused(answer: &HttpAnswer, trust: &Trust) -> Setback {
    let why = match trust.verified(&answer.body, |claimed: &Refusal| &claimed.server_key) {
        Ok(refusal) => format!("the License Update Server refused: {}", refusal.why),
        Err(_) => format!("the License Update Server answered HTTP {}", answer.status),
    };
    match answer.status {
        408 | 425 | 429 => Setback::TryAgain { why },
        400..=499 => Setback::AskAPerson { why },
        _ => Setback::TryAgain { why },
    }
}

fn setback_of(failure: &Failure) -> Setback {
    let why = format!("License Update Server: {failure}");
    match failure {
        Failure::Untrusted { .. } | Failure::Settings { .. } => Setback::AskAPerson { why },
        Failure::Unreachable { .. }
        | Failure::TimedOut { .. }
        | Failure::TooLarge { .. }
        | Failure::Broken { .. }
        | Failure::NotLetIn { .. }
        | Failure::RefusedForGood { .. }
        | Failure::RefusedForNow { .. }
        | Failure::File { .. } => Setback::TryAgain { why },
    }
}
