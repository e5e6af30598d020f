//! Checking an archive without store, settings or network: what holds and what does not, in plain words.

mod chain;
mod reports;
mod sent;
mod signed;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::archive::{self, Files};
use super::journal::Reader;
use super::{ABOUT, AGENT_KEY, SCHEMA, SERVER_KEY, SERVER_KEYS_MAX};
use crate::domain::pseudonym::Names;
use crate::seal::keys::VerifyingKey;

/// What came of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Holds,
    Fails,
    /// Nothing to check, but to be known.
    Note,
}

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: String,
    pub result: Outcome,
    /// One line.
    pub says: String,
}

/// Everything that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Fingerprint of the key in the archive.
    pub key: Option<String>,
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether nothing fails.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.result != Outcome::Fails)
    }

    /// `evidence verify --json`.
    pub fn to_json(&self) -> Value {
        json!({
            "schema": "tidegauge.evidence-verified/1",
            "holds": self.holds(),
            "key": self.key,
            "findings": self.findings,
        })
    }

    fn add(&mut self, check: impl Into<String>, found: Result<String, String>) {
        let (result, says) = match found {
            Ok(says) => (Outcome::Holds, says),
            Err(says) => (Outcome::Fails, says),
        };
        self.findings.push(Finding { check: check.into(), result, says });
    }

    fn note(&mut self, check: impl Into<String>, says: impl Into<String>) {
        self.findings.push(Finding { check: check.into(), result: Outcome::Note, says: says.into() });
    }
}

/// What the checks look at.
struct Evidence<'a> {
    files: &'a Files,
    key: &'a VerifyingKey,
    server_keys: Vec<VerifyingKey>,
    reader: &'a Reader,
}

/// Checks everything in the archive. `expected` is the fingerprint or thumbprint that the agent's key must have.
pub fn verify(bytes: &[u8], expected: Option<&str>, reader: &Reader) -> Verdict {
    let mut verdict = Verdict::default();
    let unpacked = match archive::unpack(bytes) {
        Ok(unpacked) => unpacked,
        Err(why) => {
            verdict.add("archive", Err(why));
            return verdict;
        }
    };
    verdict.add("archive", as_written(&unpacked));
    let files = unpacked.files;
    verdict.add("checksums", signed::checksums(&files));
    let key = match key_in(&files, AGENT_KEY) {
        Ok(key) => key,
        Err(why) => {
            verdict.add("key", Err(why));
            return verdict;
        }
    };
    verdict.key = Some(key.fingerprint());
    expect_key(&key, expected, &mut verdict);
    verdict.add("signature", signed::over_checksums(&files, &key));
    let is_server_key = |name: &&String| name.starts_with(SERVER_KEY.0) && name.ends_with(SERVER_KEY.1);
    let server_keys = files.keys().filter(is_server_key).take(SERVER_KEYS_MAX).map(|name| key_in(&files, name));
    let server_keys = server_keys.collect::<Result<_, _>>().unwrap_or_else(|why| {
        verdict.add("license server key", Err(why));
        Vec::new()
    });
    let evidence = Evidence { files: &files, key: &key, server_keys, reader };
    match about(&files) {
        Ok(about) => check_contents(&evidence, &about, &mut verdict),
        Err(why) => verdict.add("contents", Err(why)),
    }
    verdict
}

fn check_contents(evidence: &Evidence<'_>, about: &About, verdict: &mut Verdict) {
    let (slice, found) = chain::Slice::read(evidence.files.get(super::JOURNAL), evidence.reader);
    verdict.add("journal", found.and_then(|says| slice.withholds(about.names).map(|()| says)));
    if !about.names.is_plain() {
        verdict.note("names", PSEUDONYMS);
    }
    for revision in &about.revisions {
        reports::check(evidence, &slice, about, *revision, verdict);
    }
    sent::check(evidence, &slice, about, verdict);
}

fn as_written(unpacked: &archive::Unpacked) -> Result<String, String> {
    match &unpacked.differs {
        None => Ok(format!("{} files, each byte of the archive as it was written", unpacked.files.len())),
        Some((at, place)) => Err(format!("byte {at} is not as it was written; it belongs to {place}")),
    }
}

fn expect_key(key: &VerifyingKey, expected: Option<&str>, verdict: &mut Verdict) {
    let (fingerprint, thumbprint) = (key.fingerprint(), key.thumbprint());
    let Some(expected) = expected else {
        let says = format!(
            "the archive names its own key, {fingerprint}: compare it with what `tidegauge evidence key` prints at the \
             agent, or give it with --key"
        );
        return verdict.note("key", says);
    };
    let is_expected =
        expected == fingerprint || expected == thumbprint || Some(expected) == fingerprint.strip_prefix("sha256:");
    let found = if is_expected {
        Ok(format!("the key is the expected one, {fingerprint}"))
    } else {
        Err(format!("the key is {fingerprint}, expected was {expected}"))
    };
    verdict.add("key", found);
}

/// What cannot be checked where names are pseudonyms.
const PSEUDONYMS: &str = "they are pseudonyms, so the journal's payloads and the report as it was sent are kept back; \
                          whether they say what stands here is shown only by the evidence with the names";

/// What the archive says it is about.
struct About {
    names: Names,
    unit: String,
    month: String,
    revisions: BTreeSet<u32>,
}

fn about(files: &Files) -> Result<About, String> {
    let about = json_of(files, ABOUT)?;
    if about["schema"] != SCHEMA {
        return Err(format!("{ABOUT} is not of schema {SCHEMA}; a later version of Tidegauge may read it"));
    }
    let text = |field: &str| about[field].as_str().map(str::to_owned).ok_or(format!("{ABOUT} names no {field}"));
    let listed = about["revisions"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let revisions: BTreeSet<u32> = listed.filter_map(|one| u32::try_from(one.as_u64()?).ok()).collect();
    let folder = |name: &String| name.strip_prefix("reports/r")?.split_once('/')?.0.parse().ok();
    let there: BTreeSet<u32> = files.keys().filter_map(folder).collect();
    if revisions.is_empty() || revisions != there {
        return Err(format!("{ABOUT} does not name the revisions that are there"));
    }
    let names = match &about["names"] {
        Value::Null => Names::Plain,
        names => {
            serde_json::from_value(names.clone()).map_err(|_| format!("{ABOUT} does not say what its names are"))?
        }
    };
    Ok(About { names, unit: text("unit")?, month: text("month")?, revisions })
}

fn key_in(files: &Files, name: &str) -> Result<VerifyingKey, String> {
    VerifyingKey::from_jwk(&json_of(files, name)?).map_err(|why| format!("{name}: {why}"))
}

fn file<'a>(files: &'a Files, name: &str) -> Result<&'a [u8], String> {
    files.get(name).map(Vec::as_slice).ok_or_else(|| format!("{name} is missing"))
}

fn text<'a>(files: &'a Files, name: &str) -> Result<&'a str, String> {
    std::str::from_utf8(file(files, name)?).map_err(|_| format!("{name} is not text"))
}

fn json_of(files: &Files, name: &str) -> Result<Value, String> {
    serde_json::from_slice(file(files, name)?).map_err(|_| format!("{name} is not JSON"))
}
