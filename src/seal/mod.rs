//! Canonical JSON (RFC 8785), SHA-256, Ed25519, JWS and the hash chain.

pub mod chain;
