//! Binding an agent's key to a contract: the one-use token, the request and its answer.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Message, check_text, check_tolerance};
use crate::domain::Instant;
use crate::domain::gate::Tolerance;
use crate::seal::keys::VerifyingKey;

/// A token may be used for so many days.
pub const TOKEN_DAYS: i64 = 7;
/// What every token starts with, so that people and secret scanners know one.
const PREFIX: &str = "tgenrol1.";
/// Longest text that is looked at.
const TOKEN_BYTES_MAX: usize = 4 << 10;

/// What the operator hands to the person who enrols an agent.
#[derive(Clone, Debug)]
pub struct EnrolmentToken {
    pub contract_id: String,
    pub secret: SecretString,
    /// Fingerprint of the key that signs the server's answers.
    pub server_key: String,
    /// Where the server is, when the operator said so.
    pub url: Option<String>,
    pub expires_at: Instant,
}

/// Why a text is no enrolment token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an enrolment token; it is one line that starts with '{PREFIX}', as `license-server contract add` prints it"
)]
pub struct NotAToken;

#[derive(Serialize, Deserialize)]
struct Written {
    contract_id: String,
    secret: String,
    server_key: String,
    #[serde(default)]
    url: Option<String>,
    expires_at: Instant,
}

impl EnrolmentToken {
    /// The one line that holds it. It is a secret.
    pub fn to_text(&self) -> SecretString {
        let written = Written {
            contract_id: self.contract_id.clone(),
            secret: self.secret.expose_secret().to_owned(),
            server_key: self.server_key.clone(),
            url: self.url.clone(),
            expires_at: self.expires_at,
        };
        let json = serde_json::to_vec(&written).expect("texts and an instant always serialize");
        SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)))
    }

    /// Reads the line.
    ///
    /// # Errors
    /// [`NotAToken`] for anything else; the text is not repeated.
    pub fn parse(text: &str) -> Result<EnrolmentToken, NotAToken> {
        let text = text.trim();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(NotAToken);
        }
        let json = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).ok_or(NotAToken)?).map_err(|_| NotAToken)?;
        let written: Written = serde_json::from_slice(&json).map_err(|_| NotAToken)?;
        Ok(EnrolmentToken {
            contract_id: written.contract_id,
            secret: SecretString::from(written.secret),
            server_key: written.server_key,
            url: written.url,
            expires_at: written.expires_at,
        })
    }
}

/// An agent asks to be bound; signed with the key it names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    pub schema: String,
    pub contract_id: String,
    /// The token's secret.
    pub secret: String,
    pub agent_id: String,
    pub key: VerifyingKey,
}

/// Leaves the secret out.
impl fmt::Debug for Enrol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Enrol({} to {}, {:?})", self.agent_id, self.contract_id, self.key)
    }
}

impl Message for Enrol {
    const SCHEMA: &'static str = "tidegauge.enrol/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_text("contract_id", &self.contract_id)?;
        check_text("secret", &self.secret)?;
        check_text("agent_id", &self.agent_id)
    }
}

/// What the agent keeps of its enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    pub schema: String,
    pub contract_id: String,
    pub licensed_to: String,
    pub support_id: String,
    /// The key that signs every later answer.
    pub server_key: VerifyingKey,
    /// Fingerprint of the agent's key that was bound.
    pub agent_key: String,
    pub enrolled_at: Instant,
    pub tolerance: Tolerance,
}

impl Message for Enrolled {
    const SCHEMA: &'static str = "tidegauge.enrolled/1";

    fn schema(&self) -> &str {
        &self.schema
    }

    fn check(&self) -> Result<(), String> {
        check_tolerance(&self.tolerance)?;
        check_text("contract_id", &self.contract_id)?;
        check_text("licensed_to", &self.licensed_to)
    }
}
