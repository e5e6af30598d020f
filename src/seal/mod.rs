//! Canonical JSON, SHA-256, Ed25519, JWS, the hash chain and the Merkle tree.

pub mod canonical;
pub mod chain;
pub mod digest;
pub mod jws;
pub mod keys;
pub mod merkle;
