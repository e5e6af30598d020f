//! The `.tglicense` file: a signed license key.

use super::{check_length, check_text};
use crate::domain::license_key::{KeyFile, SCHEMA};
use crate::seal::canonical;
use crate::seal::jws::{self, NotSigned};
use crate::seal::keys::{SigningKey, VerifyingKey};

/// Longest text that is looked at.
const KEY_BYTES_MAX: usize = 1 << 20;
const INSTALLATIONS_MAX: usize = 10_000;

/// Why a text is no key of this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKeyFile {
    #[error("longer than any license key")]
    TooLong,
    #[error("{0}")]
    Unsigned(#[from] NotSigned),
    #[error("signed, but not a {SCHEMA} key: {0}")]
    Shape(String),
}

/// The text of the key's file.
pub fn issue_key(content: &KeyFile, key: &SigningKey) -> String {
    let value = serde_json::to_value(content).expect("a key has text fields only");
    jws::sign(key, &key.fingerprint(), &canonical::bytes(&value))
}

/// Verifies and reads a key; whether it may replace another is said by `rules::renewal::acceptable`.
///
/// # Errors
/// [`NotAKeyFile`] whatever the text is.
pub fn read_key(text: &str, server: &VerifyingKey) -> Result<KeyFile, NotAKeyFile> {
    if text.len() > KEY_BYTES_MAX {
        return Err(NotAKeyFile::TooLong);
    }
    let payload = jws::verify(text.trim(), server)?;
    let key: KeyFile = serde_json::from_slice(&payload).map_err(|error| NotAKeyFile::Shape(error.to_string()))?;
    if key.schema != SCHEMA {
        return Err(NotAKeyFile::Shape(format!("its schema is '{}'", super::shortened(&key.schema))));
    }
    check_text("license_id", &key.license_id).map_err(NotAKeyFile::Shape)?;
    check_length("installation_ids", key.installation_ids.len(), INSTALLATIONS_MAX).map_err(NotAKeyFile::Shape)?;
    if key.points.is_negative() {
        return Err(NotAKeyFile::Shape("its points are negative".to_owned()));
    }
    Ok(key)
}
