//! Canonical JSON (RFC 8785), SHA-256, Ed25519, JWS and the hash chain.

pub mod canonical;
pub mod chain;
pub mod digest;
pub mod jws;
pub mod keys;
