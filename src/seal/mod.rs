//! Canonical JSON, SHA-256, HMAC, Ed25519, JWS, the hash chain, the Merkle tree and signatures of webhooks.

pub mod canonical;
pub mod chain;
pub mod digest;
pub mod jws;
pub mod keyed;
pub mod keys;
pub mod merkle;
pub mod standard_webhooks;
