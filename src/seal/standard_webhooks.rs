//! The signature of a webhook by the Standard Webhooks specification 1.0.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes that a secret may have, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A text that is no webhook secret; does not say what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it holds no webhook secret: write whsec_ and 24 to 64 bytes in base64 (echo whsec_$(openssl rand -base64 32))"
)]
pub struct NotASecret;

/// `v1,` and the HMAC-SHA256 over `id.timestamp.body` in base64; `timestamp` in seconds since 1970.
///
/// # Errors
/// [`NotASecret`].
pub fn signature(secret: &SecretString, id: &str, timestamp: i64, body: &[u8]) -> Result<String, NotASecret> {
    let coded = secret.expose_secret().strip_prefix(PREFIX).ok_or(NotASecret)?;
    let key = STANDARD.decode(coded).ok().filter(|key| KEY_BYTES.contains(&key.len())).ok_or(NotASecret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| NotASecret)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
