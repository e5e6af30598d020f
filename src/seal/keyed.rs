//! HMAC-SHA-256: what only the holder of a key can compute.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The code of a text under a key.
pub fn hmac_sha256(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}
