//! The hash chain: each entry's hash covers the one before it, so nothing inside can change unseen.

use sha2::{Digest, Sha256};

use super::digest::sha256;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// What the first entry names as the one before it.
pub const GENESIS: Hash = [0; 32];

/// The hash of an entry: SHA-256(previous ‖ header ‖ SHA-256(payload)).
pub fn link(previous: &Hash, header: &[u8], payload: &[u8]) -> Hash {
    link_by_digest(previous, header, &sha256(payload))
}

/// The same for an entry whose payload was thinned away and only its digest kept.
pub fn link_by_digest(previous: &Hash, header: &[u8], payload_digest: &Hash) -> Hash {
    Sha256::new().chain_update(previous).chain_update(header).chain_update(payload_digest).finalize().into()
}
