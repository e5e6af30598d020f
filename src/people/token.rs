//! API tokens and one-time codes: random text for a person to keep, and its hash for us to keep.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use crate::domain::people::SecretHash;
use crate::seal::digest::sha256_hex;

/// What every token begins with, so that people and scanners of leaked secrets know it.
pub const PREFIX: &str = "tgt_";

/// A token made of random bytes, and its hash.
pub fn new(bytes: [u8; 32]) -> (SecretString, SecretHash) {
    hashed(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A one-time code for a link, made of random bytes, and its hash.
pub fn code(bytes: [u8; 32]) -> (SecretString, SecretHash) {
    hashed(URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash of a token or code as somebody showed it.
pub fn hash_of(shown: &str) -> SecretHash {
    SecretHash::new(sha256_hex(shown.as_bytes()))
}

/// The page that takes an invitation's code.
pub fn welcome_path(code: &str) -> String {
    format!("/welcome/{code}")
}

fn hashed(text: String) -> (SecretString, SecretHash) {
    let hash = hash_of(&text);
    (SecretString::from(text), hash)
}
