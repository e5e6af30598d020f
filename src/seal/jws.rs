//! Compact JWS (RFC 7515) with EdDSA (RFC 8037) over exact bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::canonical;
use super::keys::{SigningKey, VerifyingKey};

/// Longest text that is looked at.
pub const TEXT_MAX: usize = 48 << 20;
/// Longest payload, in bytes, that a detached text is checked against: it stands elsewhere, and is not decoded.
pub const DETACHED_MAX: usize = 256 << 20;
/// Longest header and key id that are looked at.
const HEADER_MAX: usize = 2 << 10;
const SIGNATURE_BYTES: usize = 64;
/// Longest signature, as base64url, that is looked at.
const SIGNATURE_MAX: usize = 2 * SIGNATURE_BYTES;

/// Why a text is not signed as expected. The foreign text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    #[error("longer than {0} bytes")]
    TooLong(usize),
    #[error("not a compact JWS: three parts of base64url, divided by dots, are expected")]
    NotCompact,
    #[error("the JWS header is not EdDSA with a key id and nothing critical")]
    Header,
    #[error("the signature is not that of the expected key")]
    WrongSignature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    jwk: Option<serde_json::Value>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// Signs exactly these bytes; `kid` says whose key it is.
pub fn sign(key: &SigningKey, kid: &str, payload: &[u8]) -> String {
    signed_under(key, &serde_json::json!({ "alg": "EdDSA", "kid": kid }), payload)
}

fn signed_under(key: &SigningKey, header: &serde_json::Value, payload: &[u8]) -> String {
    let header = canonical::bytes(header);
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text
}

/// Signs bytes that stand elsewhere (RFC 7515, appendix F): the part between the dots is empty. The header names the
/// public key too, so that the signature can be checked with nothing but a JWS library.
pub fn sign_detached(key: &SigningKey, payload: &[u8]) -> String {
    let header = serde_json::json!({ "alg": "EdDSA", "jwk": key.verifying().jwk(), "kid": key.fingerprint() });
    let whole = signed_under(key, &header, payload);
    let header = whole.split_once('.').map_or("", |(header, _)| header);
    let signature = whole.rsplit_once('.').map_or("", |(_, signature)| signature);
    format!("{header}..{signature}")
}

/// Whether the detached text is this key's over exactly these bytes, and its header names no other key.
///
/// # Errors
/// [`NotSigned`] for everything else, whatever the text is.
pub fn verify_detached(text: &str, payload: &[u8], key: &VerifyingKey) -> Result<(), NotSigned> {
    if payload.len() > DETACHED_MAX {
        return Err(NotSigned::TooLong(DETACHED_MAX));
    }
    let (header, signature) = text.split_once("..").ok_or(NotSigned::NotCompact)?;
    let named = Header::of(header)?;
    if named.kid != key.fingerprint() || named.jwk.is_some_and(|jwk| jwk != key.jwk()) {
        return Err(NotSigned::WrongSignature);
    }
    signed_by(key, &format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload)), signature)
}

/// The payload, when the text is signed by this key.
///
/// # Errors
/// [`NotSigned`] for everything else, whatever the text is.
pub fn verify(text: &str, key: &VerifyingKey) -> Result<Vec<u8>, NotSigned> {
    let parts = Parts::of(text)?;
    signed_by(key, parts.signed, parts.signature)?;
    decoded(parts.payload)
}

fn signed_by(key: &VerifyingKey, signed: &str, signature: &str) -> Result<(), NotSigned> {
    if signature.len() > SIGNATURE_MAX {
        return Err(NotSigned::NotCompact);
    }
    let signature: [u8; SIGNATURE_BYTES] = decoded(signature)?.try_into().map_err(|_| NotSigned::NotCompact)?;
    if key.signed(signed.as_bytes(), &signature) { Ok(()) } else { Err(NotSigned::WrongSignature) }
}

/// The key id the text claims; says nothing about who wrote it.
///
/// # Errors
/// [`NotSigned`] when the text is no compact JWS.
pub fn unverified_kid(text: &str) -> Result<String, NotSigned> {
    Ok(Parts::of(text)?.header.kid)
}

/// The payload the text claims, as when the key to verify with stands in it.
///
/// # Errors
/// [`NotSigned`] when the text is no compact JWS.
pub fn unverified_payload(text: &str) -> Result<Vec<u8>, NotSigned> {
    decoded(Parts::of(text)?.payload)
}

impl Header {
    fn of(part: &str) -> Result<Header, NotSigned> {
        if part.len() > HEADER_MAX {
            return Err(NotSigned::NotCompact);
        }
        let header: Header = serde_json::from_slice(&decoded(part)?).map_err(|_| NotSigned::Header)?;
        if header.alg != "EdDSA" || header.crit.is_some() { Err(NotSigned::Header) } else { Ok(header) }
    }
}

struct Parts<'a> {
    header: Header,
    payload: &'a str,
    signature: &'a str,
    /// Header and payload with the dot between them: what the signature covers.
    signed: &'a str,
}

impl Parts<'_> {
    fn of(text: &str) -> Result<Parts<'_>, NotSigned> {
        if text.len() > TEXT_MAX {
            return Err(NotSigned::TooLong(TEXT_MAX));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(NotSigned::NotCompact)?;
        let (header, payload) = signed.split_once('.').ok_or(NotSigned::NotCompact)?;
        if payload.contains('.') {
            return Err(NotSigned::NotCompact);
        }
        Ok(Parts { header: Header::of(header)?, payload, signature, signed })
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, NotSigned> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| NotSigned::NotCompact)
}
