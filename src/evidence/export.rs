//! Writing the archive: what is in it, its checksums, and the signature over them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::archive::{self, Files};
use super::journal::Line;
use super::leaf::{Leaf, Proof, hashes};
use super::{
    ABOUT, ADJUSTMENTS, AGENT_KEY, CHECK, JOURNAL, PAGE, PROOFS, RECORD, RECORD_SIGNED, SAMPLES, SCHEMA, SERVER_KEY,
    SERVER_KEYS_MAX, STANDS, SUMS, SUMS_SIGNED, WITHHELD, canonical_of, lines_of,
};
use crate::domain::Instant;
use crate::domain::Month;
use crate::domain::adjustment::Adjustment;
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::pseudonym::Names;
use crate::seal::canonical;
use crate::seal::digest::sha256_hex;
use crate::seal::jws;
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::merkle;

pub use super::archive::TooLarge;

/// The page that says how to check the archive, and the program it names.
const PAGE_TEXT: &str = include_str!("../../templates/evidence/page.txt");
/// What stands before it where names are pseudonyms.
const PSEUDONYMS_TEXT: &str = include_str!("../../templates/evidence/pseudonyms.txt");
const CHECK_TEXT: &str = include_str!("../../templates/evidence/check.py");

/// A month of one unit as it is to be proved.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub agent: String,
    pub unit: UnitId,
    pub month: Month,
    /// Whether everything in it is under pseudonyms.
    pub names: Names,
    /// Every revision of its report, the first one first.
    pub revisions: Vec<Revision>,
    /// Entries in order, without a gap.
    pub journal: Vec<Line>,
    pub sent: Vec<SentMessage>,
    /// The keys of the License Update Servers that the agent was enrolled at, the current one first.
    pub server_keys: Vec<VerifyingKey>,
}

/// One revision of the report.
#[derive(Clone, Debug)]
pub struct Revision {
    pub revision: u32,
    /// The canonical JSON that is signed and whose SHA-256 is the digest.
    pub record: Vec<u8>,
    /// Name and bytes of each file of the Reports folder.
    pub files: Vec<(String, Vec<u8>)>,
    /// Stage, second step and verdict: what changed after it was made.
    pub stands: Value,
    pub adjustments: Vec<Adjustment>,
    /// The samples it rests on, in the order of its tree.
    pub leaves: Vec<Leaf>,
    /// The samples its servers are counted by at the month's end.
    pub counted_by: BTreeSet<(ServerName, Instant)>,
}

/// A message that left the machine.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// `report-r1`, `telemetry-2026-W40`.
    pub name: String,
    pub body: Body,
    pub receipt: Option<Value>,
    /// The answer that holds the receipt, as the server signed it.
    pub answer: Option<String>,
    /// The text the server already had under this id, when it was another.
    pub adopted: Option<String>,
}

/// What a message said.
#[derive(Clone, Debug)]
pub enum Body {
    /// The exact text.
    Whole(String),
    /// Kept back with the names in it: SHA-256 of the text, and of the one that the server already had.
    Withheld { sha256: String, adopted_sha256: Option<String> },
}

/// Writes the archive; the same month and key give the same bytes.
///
/// # Errors
/// [`TooLarge`].
pub fn pack(snapshot: &Snapshot, key: &SigningKey) -> Result<Vec<u8>, TooLarge> {
    let mut files = Files::new();
    let mut put = |name: String, bytes: Vec<u8>| {
        files.insert(name, bytes);
    };
    let before = if snapshot.names.is_plain() { "" } else { PSEUDONYMS_TEXT };
    put(PAGE.to_owned(), format!("{before}{PAGE_TEXT}").into_bytes());
    put(CHECK.to_owned(), CHECK_TEXT.as_bytes().to_vec());
    put(ABOUT.to_owned(), about(snapshot));
    put(AGENT_KEY.to_owned(), key_file(&key.verifying()));
    for (number, server) in (1..).zip(snapshot.server_keys.iter().take(SERVER_KEYS_MAX)) {
        let (begin, end) = SERVER_KEY;
        let name = if number == 1 { format!("{begin}{end}") } else { format!("{begin}-{number}{end}") };
        put(name, key_file(server));
    }
    put(JOURNAL.to_owned(), lines_of(&snapshot.journal));
    for message in &snapshot.sent {
        put_message(message, &mut put);
    }
    for revision in &snapshot.revisions {
        put_revision(revision, key, &mut put);
    }
    let sums = sums(&files).into_bytes();
    files.insert(SUMS_SIGNED.to_owned(), jws::sign_detached(key, &sums).into_bytes());
    files.insert(SUMS.to_owned(), sums);
    archive::pack(&files)
}

/// What `sha256sum` writes of the same files, the list itself and its signature left out.
pub(super) fn sums(files: &Files) -> String {
    let listed = files.iter().filter(|(name, _)| ![SUMS, SUMS_SIGNED].contains(&name.as_str()));
    listed.map(|(name, bytes)| format!("{}  {name}\n", sha256_hex(bytes))).collect()
}

fn about(snapshot: &Snapshot) -> Vec<u8> {
    let revisions: Vec<u32> = snapshot.revisions.iter().map(|revision| revision.revision).collect();
    let mut about = json!({
        "schema": SCHEMA,
        "agent": snapshot.agent,
        "unit": snapshot.unit,
        "month": snapshot.month,
        "revisions": revisions,
    });
    if !snapshot.names.is_plain() {
        about["names"] = json!(snapshot.names);
    }
    canonical_of(&about)
}

fn key_file(key: &VerifyingKey) -> Vec<u8> {
    let mut jwk = key.jwk();
    jwk["kid"] = json!(key.fingerprint());
    canonical::bytes(&jwk)
}

fn put_message(message: &SentMessage, put: &mut impl FnMut(String, Vec<u8>)) {
    let SentMessage { name, body, receipt, answer, adopted } = message;
    match body {
        Body::Whole(text) => put(format!("sent/{name}.jws"), text.clone().into_bytes()),
        Body::Withheld { sha256, adopted_sha256 } => {
            let digests = canonical_of(&json!({"sha256": sha256, "adopted_sha256": adopted_sha256}));
            put(format!("sent/{name}{WITHHELD}"), digests);
        }
    }
    if let Some(receipt) = receipt {
        put(format!("sent/{name}.receipt.json"), canonical::bytes(receipt));
    }
    if let Some(answer) = answer {
        put(format!("sent/{name}.answer.jws"), answer.clone().into_bytes());
    }
    if let Some(adopted) = adopted {
        put(format!("sent/{name}.adopted.jws"), adopted.clone().into_bytes());
    }
}

fn put_revision(revision: &Revision, key: &SigningKey, put: &mut impl FnMut(String, Vec<u8>)) {
    let folder = format!("reports/r{}", revision.revision);
    for (name, bytes) in &revision.files {
        put(format!("{folder}/{name}"), bytes.clone());
    }
    let mut put = |name: &str, bytes: Vec<u8>| put(format!("{folder}/{name}"), bytes);
    put(RECORD, revision.record.clone());
    put(RECORD_SIGNED, jws::sign_detached(key, &revision.record).into_bytes());
    put(STANDS, canonical::bytes(&revision.stands));
    put(ADJUSTMENTS, canonical_of(&revision.adjustments));
    put(SAMPLES, lines_of(&revision.leaves));
    put(PROOFS, lines_of(&proofs(revision)));
}

/// The proofs of the samples that the servers are counted by.
fn proofs(revision: &Revision) -> Vec<Proof> {
    let tree = merkle::Tree::over(hashes(&revision.leaves));
    let is_counted_by = |leaf: &Leaf| revision.counted_by.contains(&(leaf.server.clone(), leaf.taken_at));
    let counted = revision.leaves.iter().enumerate().filter(|(_, leaf)| is_counted_by(leaf));
    counted.filter_map(|(index, _)| Proof::of(&revision.leaves, &tree, index)).collect()
}
