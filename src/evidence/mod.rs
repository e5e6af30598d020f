//! The audit snapshot of a month: one archive that proves a report, and its check without store or settings.
//!
//! Everything in the archive is listed in `SHA256SUMS`, which the agent's key signs; what the report rests on is bound to
//! it by the report's own signature: the samples by a Merkle root, the journal by its hash when the report was built.

pub mod archive;
mod export;
mod journal;
mod leaf;
mod verify;

pub use export::{Body, Revision, SentMessage, Snapshot, TooLarge, pack};
pub use journal::{Header, Line, Link, Reader};
pub use leaf::{Leaf, root};
pub use verify::{Finding, Outcome, Verdict, verify};

/// Value of the `schema` field in [`ABOUT`].
pub const SCHEMA: &str = "tidegauge.evidence/1";

/// Names of the files that stand once in every archive.
const ABOUT: &str = "evidence.json";
const SUMS: &str = "SHA256SUMS";
const SUMS_SIGNED: &str = "SHA256SUMS.jws";
const PAGE: &str = "README.txt";
const CHECK: &str = "check.py";
const AGENT_KEY: &str = "keys/agent.jwk";
/// Every key of a License Update Server begins and ends so: `keys/license-server.jwk`, `keys/license-server-2.jwk`, …
const SERVER_KEY: (&str, &str) = ("keys/license-server", ".jwk");
/// Most keys of License Update Servers: an agent is enrolled again when its server changes.
const SERVER_KEYS_MAX: usize = 32;
/// The end of the name of what stands for a message that is kept back.
const WITHHELD: &str = ".withheld.json";
const JOURNAL: &str = "journal/slice.jsonl";

/// Names of the files that stand in each revision's folder.
const RECORD: &str = "record.json";
const RECORD_SIGNED: &str = "record.jws";
const STANDS: &str = "state.json";
const ADJUSTMENTS: &str = "adjustments.json";
const SAMPLES: &str = "samples.jsonl";
const PROOFS: &str = "proofs.jsonl";

/// A value as one canonical line (RFC 8785), so that its bytes can be hashed.
fn canonical_of<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("evidence is plain data");
    crate::seal::canonical::bytes(&value)
}

/// Values as JSON Lines.
fn lines_of<T: serde::Serialize>(values: &[T]) -> Vec<u8> {
    values.iter().flat_map(|value| canonical_of(value).into_iter().chain([b'\n'])).collect()
}
