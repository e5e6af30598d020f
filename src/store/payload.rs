//! Facts as the payload of a journal entry, and back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::StoreError;
use super::fact::{Fact, PackedSample};
use super::keys::Moment;
use super::squeeze::{self, squeeze, unsqueeze};
use crate::seal::chain::Hash;
use crate::seal::digest::hex;

const VERSION: u8 = 1;

/// Facts are kept as JSON, which outlives this program; samples as their packed bytes.
#[derive(Serialize, Deserialize)]
enum Line {
    Fact(String),
    Sample { server: String, taken_at: Moment, base_at: Option<Moment>, digest: Hash, bytes: Vec<u8> },
}

pub(super) fn encode(facts: &[Fact]) -> Vec<u8> {
    let lines: Vec<Line> = facts.iter().map(line_of).collect();
    let plain = postcard::to_stdvec(&lines).expect("facts are plain data");
    [&[VERSION][..], &squeeze(&plain)].concat()
}

/// # Errors
/// A payload that [`encode`] did not make, or one of a later version of this program.
pub(super) fn decode(payload: &[u8]) -> Result<Vec<Fact>, StoreError> {
    lines_of(payload)?.into_iter().map(|line| fact_of(line).map_err(odd)).collect()
}

fn lines_of(payload: &[u8]) -> Result<Vec<Line>, StoreError> {
    let [VERSION, squeezed @ ..] = payload else {
        return Err(odd("a later version of this program wrote it, or another program".to_owned()));
    };
    postcard::from_bytes(&unsqueeze(squeezed)?).map_err(|error| odd(error.to_string()))
}

fn odd(why: String) -> StoreError {
    StoreError::Odd { what: "an entry's payload".to_owned(), why }
}

/// The facts of a payload as JSON, in the words they were recorded in; a sample without its bytes.
///
/// # Errors
/// One line, whatever the bytes are.
pub fn shown(payload: &[u8]) -> Result<Vec<Value>, String> {
    lines_of(payload).map_err(|error| error.to_string())?.into_iter().map(shown_line).collect()
}

/// How many bytes a payload claims to hold, so that foreign ones are not unpacked without a bound.
pub fn claimed_len(payload: &[u8]) -> usize {
    squeeze::claimed_len(payload.get(1..).unwrap_or_default())
}

fn shown_line(line: Line) -> Result<Value, String> {
    match line {
        Line::Fact(json) => serde_json::from_str(&json).map_err(|error| error.to_string()),
        Line::Sample { server, taken_at, base_at, digest, bytes } => Ok(json!({
            "fact": "sample_taken",
            "server": server,
            "taken_at": taken_at.instant(),
            "base_at": base_at.and_then(Moment::instant),
            "digest": hex(&digest),
            "bytes": bytes.len(),
        })),
    }
}

fn line_of(fact: &Fact) -> Line {
    match fact {
        Fact::SampleTaken { sample } => Line::Sample {
            server: sample.server.clone(),
            taken_at: Moment::of(sample.taken_at),
            base_at: sample.base_at.map(Moment::of),
            digest: sample.digest,
            bytes: sample.bytes.clone(),
        },
        other => Line::Fact(serde_json::to_string(other).expect("facts are plain data")),
    }
}

fn fact_of(line: Line) -> Result<Fact, String> {
    match line {
        Line::Fact(json) => serde_json::from_str(&json).map_err(|error| error.to_string()),
        Line::Sample { server, taken_at, base_at, digest, bytes } => {
            let instant = |moment: Moment| moment.instant().ok_or("an instant that is none");
            let (taken_at, base_at) = (instant(taken_at)?, base_at.map(instant).transpose()?);
            Ok(Fact::SampleTaken { sample: PackedSample { server, taken_at, base_at, digest, bytes } })
        }
    }
}
