//! What a body says and whether its agent signed it: all that needs no state but the agent's key.

use super::answer::NotTaken;
use crate::protocol::{self, Enrol, Kind, LicenseCheck, Message, Submission, Telemetry};
use crate::seal::digest::sha256_hex;
use crate::seal::jws;
use crate::seal::keys::VerifyingKey;

/// A body that came in, before its signature is checked.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    kind: Kind,
    text: &'a str,
    /// Fingerprint of the key that it says it is signed by.
    agent: String,
    /// The key that an enrolment brings along.
    own_key: Option<VerifyingKey>,
}

/// A body whose signature is that of its agent's key.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Fingerprint of the agent's key; whether it is enrolled, the state knows.
    pub agent: String,
    /// As it was received.
    pub body: String,
    /// Of the body.
    pub sha256: String,
    pub said: Said,
}

/// The message in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Enrol(Box<Enrol>),
    Telemetry(Box<Telemetry>),
    Report(Box<Submission>),
    Check(Box<LicenseCheck>),
}

/// The part of a state by which a message is decided, and which alone its fact changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// This unit, with the agent that speaks for it, the contracts of both, and the message of this id.
    Unit { unit: String, agent: String, message: String },
    /// This token with its contract, and the agent of this key.
    Token { secret_sha256: String, agent: String },
    /// Anything.
    Whole,
}

impl<'a> Claim<'a> {
    /// Reads who a body says it is from.
    ///
    /// # Errors
    /// It is no signed body.
    pub fn of(kind: Kind, body: &'a [u8]) -> Result<Claim<'a>, NotTaken> {
        let text =
            std::str::from_utf8(body).map_err(|_| NotTaken::wrong("the body is not a compact JWS: not even text"))?;
        let (agent, own_key) = match kind {
            Kind::Enrol => {
                let payload = jws::unverified_payload(text).map_err(wrong)?;
                let claimed: Enrol = protocol::read(&payload).map_err(wrong)?;
                (claimed.key.fingerprint(), Some(claimed.key))
            }
            Kind::Telemetry | Kind::Report | Kind::LicenseCheck => (jws::unverified_kid(text).map_err(wrong)?, None),
        };
        Ok(Claim { kind, text, agent, own_key })
    }

    /// Fingerprint of the key that it says it is signed by: the one to give to [`Claim::heard`].
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Checks the signature by the key on file of an agent that is heard, and reads the message.
    ///
    /// # Errors
    /// No such agent, another's signature, or no message of this kind.
    pub fn heard(self, on_file: Option<&VerifyingKey>) -> Result<Heard, NotTaken> {
        let Claim { kind, text, agent, own_key } = self;
        let key = own_key.as_ref().or(on_file).ok_or_else(not_enrolled)?;
        let payload = jws::verify(text, key).map_err(wrong)?;
        let said = match kind {
            Kind::Enrol => Said::Enrol(read(&payload)?),
            Kind::Telemetry => Said::Telemetry(read(&payload)?),
            Kind::Report => Said::Report(read(&payload)?),
            Kind::LicenseCheck => Said::Check(read(&payload)?),
        };
        Ok(Heard { agent, sha256: sha256_hex(text.as_bytes()), body: text.to_owned(), said })
    }
}

impl Heard {
    /// What of the state decides it.
    pub fn concern(&self) -> Concern {
        let agent = self.agent.clone();
        let unit = |unit: &str, id: &str| (unit.to_owned(), id.to_owned());
        let (unit, message) = match &self.said {
            Said::Enrol(enrol) => {
                return Concern::Token { secret_sha256: sha256_hex(enrol.secret.as_bytes()), agent };
            }
            Said::Telemetry(telemetry) => unit(&telemetry.unit, &telemetry.id),
            Said::Report(submission) => unit(&submission.unit, &submission.id),
            Said::Check(check) => unit(&check.unit, &check.id),
        };
        Concern::Unit { unit, agent, message }
    }
}

impl Said {
    /// The message in a body that was verified and checked when it came in.
    ///
    /// # Errors
    /// One line: it is no such message.
    pub(super) fn in_body<M: Message>(body: &str) -> Result<M, String> {
        let payload = jws::unverified_payload(body).map_err(|why| why.to_string())?;
        protocol::read_kept(&payload).map_err(|why| why.to_string())
    }
}

/// The key is not that of an agent that is heard.
pub(super) fn not_enrolled() -> NotTaken {
    NotTaken::forbidden("this agent is not enrolled here; enrol it with a token of the operator")
}

fn read<M: Message>(payload: &[u8]) -> Result<Box<M>, NotTaken> {
    protocol::read(payload).map(Box::new).map_err(wrong)
}

fn wrong(why: impl ToString) -> NotTaken {
    NotTaken::wrong(why.to_string())
}
