//! The journal's entries as lines that anybody can hash: what binds each to the one before it, and what it says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Instant;
use crate::seal::chain::{self, Hash};
use crate::seal::digest::{from_hex, hex, sha256};

/// Lists of a kept report that its readable form leaves out; the payload beside it has them.
const TABLES: [&str; 3] = ["workloads", "lines", "daily"];

/// How the journal's bytes are read: the store knows, and whoever checks an archive is told.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub header: fn(&[u8]) -> Result<Header, String>,
    /// The facts of a payload, in the words they were recorded in.
    pub facts: fn(&[u8]) -> Result<Vec<Value>, String>,
    /// How many bytes a payload claims to hold.
    pub claimed_len: fn(&[u8]) -> usize,
}

/// What an entry's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub seq: u64,
    pub recorded_at: Instant,
    pub now: Instant,
    pub actor: String,
}

/// What binds an entry to the one before it.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    pub prev: &'a Hash,
    pub header: &'a [u8],
    /// What is there of it.
    pub payload: &'a [u8],
    /// SHA-256 of the payload as it was recorded, when it was thinned by age.
    pub thinned_from: Option<Hash>,
    pub hash: &'a Hash,
}

/// One entry: `hash = SHA-256(prev ‖ header ‖ payload_sha256)`, all as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub seq: u64,
    /// The true clock.
    pub recorded_at: Instant,
    /// The clock the deed was done by.
    pub now: Instant,
    /// Who: `duty`, `user:NAME`, `import by NAME`, `settings`.
    pub actor: String,
    /// Hex, as all hashes here.
    pub prev: String,
    /// The bytes of the header, hex: number, instants and actor.
    pub header: String,
    pub payload_sha256: String,
    pub hash: String,
    /// Base64; absent for entries about something else, whose digest keeps the chain whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The entry is about the month, but its payload was let go by age; its digest keeps the chain whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thinned: bool,
    /// The entry is about the month, but its payload is kept back with the names in it; its digest keeps the chain whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// What and why: the payload in words, without a report's long tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Vec<Value>>,
}

impl Line {
    /// An entry about something else.
    ///
    /// # Errors
    /// The header is none.
    pub fn link_only(link: &Link<'_>, reader: &Reader) -> Result<Line, String> {
        let Header { seq, recorded_at, now, actor } = (reader.header)(link.header)?;
        Ok(Line {
            seq,
            recorded_at,
            now,
            actor,
            prev: hex(link.prev),
            header: hex(link.header),
            payload_sha256: hex(&link.thinned_from.unwrap_or_else(|| sha256(link.payload))),
            hash: hex(link.hash),
            payload: None,
            thinned: false,
            withheld: false,
            facts: None,
        })
    }

    /// An entry in full, or as much as is left of it.
    ///
    /// # Errors
    /// The header or the payload is none.
    pub fn whole(link: &Link<'_>, reader: &Reader) -> Result<Line, String> {
        if link.thinned_from.is_some() {
            return Ok(Line { thinned: true, ..Line::link_only(link, reader)? });
        }
        let facts = (reader.facts)(link.payload)?.into_iter().map(without_tables).collect();
        Ok(Line { payload: Some(STANDARD.encode(link.payload)), facts: Some(facts), ..Line::link_only(link, reader)? })
    }

    /// An entry about the month without its payload, which holds names.
    ///
    /// # Errors
    /// The header is none.
    pub fn withheld(link: &Link<'_>, reader: &Reader) -> Result<Line, String> {
        let thinned = link.thinned_from.is_some();
        Ok(Line { thinned, withheld: !thinned, ..Line::link_only(link, reader)? })
    }

    /// Whether the line says what its bytes say, and its hash follows from them.
    ///
    /// # Errors
    /// One line that says what does not hold.
    pub(super) fn check(&self, reader: &Reader) -> Result<Vec<Value>, String> {
        let odd = |what: &str| format!("entry {}: {what}", self.seq);
        let header = bytes_of(&self.header).ok_or_else(|| odd("its header is not hex"))?;
        let read = (reader.header)(&header).map_err(|why| odd(&why))?;
        let shown = Header { seq: self.seq, recorded_at: self.recorded_at, now: self.now, actor: self.actor.clone() };
        if read != shown {
            return Err(odd("its number, instants or actor are not those of its header"));
        }
        let hash = |text: &str| from_hex(text).ok_or_else(|| odd("a hash is not 64 hex digits"));
        let digest = hash(&self.payload_sha256)?;
        if chain::link_by_digest(&hash(&self.prev)?, &header, &digest) != hash(&self.hash)? {
            return Err(odd("its hash does not follow from the one before it, its header and its payload"));
        }
        let (Some(payload), Some(shown)) = (&self.payload, &self.facts) else {
            return if self.payload.is_none() && self.facts.is_none() {
                Ok(Vec::new())
            } else {
                Err(odd("it has only one of payload and facts"))
            };
        };
        let payload = STANDARD.decode(payload).map_err(|_| odd("its payload is not base64"))?;
        if sha256(&payload) != digest {
            return Err(odd("its payload has another digest"));
        }
        let facts = (reader.facts)(&payload).map_err(|why| odd(&why))?;
        if facts.iter().cloned().map(without_tables).ne(shown.iter().cloned()) {
            return Err(odd("what it says in words is not what its payload says"));
        }
        Ok(facts)
    }

    /// How many bytes the payload claims to hold.
    pub(super) fn claimed_len(&self, reader: &Reader) -> usize {
        let start = self.payload.as_deref().and_then(|text| text.get(..16));
        start.and_then(|text| STANDARD.decode(text).ok()).map_or(0, |bytes| (reader.claimed_len)(&bytes))
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    (hex(&bytes) == text).then_some(bytes)
}

fn without_tables(mut fact: Value) -> Value {
    if fact["fact"] == "report_kept"
        && let Some(report) = fact["report"].as_object_mut()
    {
        report.retain(|field, _| !TABLES.contains(&field.as_str()));
    }
    fact
}
