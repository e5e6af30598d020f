//! What left the machine: each message signed as sealed, each receipt of exactly these bytes.

use serde_json::Value;

use super::super::{RECORD, WITHHELD};
use super::chain::Slice;
use super::{About, Evidence, Verdict, file, json_of, text};
use crate::domain::pseudonym::Names;
use crate::seal::digest::sha256_hex;
use crate::seal::jws;

pub(super) fn check(evidence: &Evidence<'_>, slice: &Slice, about: &About, verdict: &mut Verdict) {
    let bodies = evidence.files.keys().filter_map(|name| {
        let name = name.strip_prefix("sent/")?;
        let name = name.strip_suffix(WITHHELD).or_else(|| name.strip_suffix(".jws"))?;
        // Answers and adopted texts belong to the message before the second dot.
        (!name.contains('.')).then_some(name)
    });
    let mut count = 0;
    for name in bodies {
        count += 1;
        let message = Message { evidence, slice, about, name };
        verdict.add(format!("sent {name}"), message.check());
    }
    if count == 0 {
        verdict.note("sent", "nothing of this month was sent to a License Update Server");
    }
}

struct Message<'a> {
    evidence: &'a Evidence<'a>,
    slice: &'a Slice,
    about: &'a About,
    name: &'a str,
}

impl Message<'_> {
    fn path(&self, end: &str) -> String {
        format!("sent/{}.{end}", self.name)
    }

    fn check(&self) -> Result<String, String> {
        if self.evidence.files.contains_key(&format!("sent/{}{WITHHELD}", self.name)) {
            return self.check_withheld();
        }
        let body = text(self.evidence.files, &self.path("jws"))?;
        let payload = jws::verify(body, self.evidence.key).map_err(|why| why.to_string())?;
        let payload: Value = serde_json::from_slice(&payload).map_err(|_| "its payload is not JSON")?;
        if payload["unit"] != self.about.unit {
            return Err("it is about another unit".to_owned());
        }
        let says = match self.about.names {
            Names::Plain => {
                self.is_sealed(body)?;
                "signed by the agent's key, as sealed in the journal"
            }
            Names::Pseudonyms => "signed by the agent's key",
        };
        if let Some(revision) = self.revision() {
            self.is_that_of_the_record(&payload, revision)?;
        }
        let adopted = text(self.evidence.files, &self.path("adopted.jws")).ok();
        let answered = self.receipt(&sha256_hex(body.as_bytes()), adopted.map(|text| sha256_hex(text.as_bytes())))?;
        Ok(format!("{says}; {answered}"))
    }

    /// What can be said of a text that is not here.
    fn check_withheld(&self) -> Result<String, String> {
        if self.about.names.is_plain() {
            return Err("its text is kept back, and the archive says nothing of pseudonyms".to_owned());
        }
        let withheld = json_of(self.evidence.files, &format!("sent/{}{WITHHELD}", self.name))?;
        let sha256 = withheld["sha256"].as_str().ok_or("the SHA-256 of its text is not stated")?;
        let answered = self.receipt(sha256, withheld["adopted_sha256"].as_str().map(str::to_owned))?;
        Ok(format!("its text is kept back with the names in it, SHA-256 {sha256}; {answered}"))
    }

    /// The revision, when it is a report.
    fn revision(&self) -> Option<u32> {
        self.name.strip_prefix("report-r")?.parse().ok()
    }

    fn is_sealed(&self, body: &str) -> Result<(), String> {
        let About { unit, month, .. } = self.about;
        let sealed = match (self.revision(), self.name.strip_prefix("telemetry-")) {
            (Some(revision), _) => self.slice.sealed(unit, "report", month, revision),
            (None, Some(week)) => self.slice.sealed(unit, "telemetry", week, 1),
            (None, None) => return Err("it is neither a report nor telemetry".to_owned()),
        };
        match sealed {
            Some(sha256) if sha256 == sha256_hex(body.as_bytes()) => Ok(()),
            Some(_) => Err("the journal sealed other bytes".to_owned()),
            None => Err("the journal slice does not seal it".to_owned()),
        }
    }

    fn is_that_of_the_record(&self, payload: &Value, revision: u32) -> Result<(), String> {
        let path = format!("reports/r{revision}/{RECORD}");
        let record = json_of(self.evidence.files, &path)?;
        let digest = format!("sha256:{}", sha256_hex(file(self.evidence.files, &path)?));
        if payload["digest"] != digest {
            return Err("it names another digest than that of the record".to_owned());
        }
        for field in ["total_points", "lines", "month", "revision", "id"] {
            if payload[field] != record[field] {
                return Err(format!("its {field} is not that of the record"));
            }
        }
        Ok(())
    }

    /// The receipt of a text by its SHA-256, or of the one that the server already had.
    fn receipt(&self, sha256: &str, adopted: Option<String>) -> Result<String, String> {
        let files = self.evidence.files;
        if !files.contains_key(&self.path("receipt.json")) {
            return Ok("no receipt yet".to_owned());
        }
        let row = json_of(files, &self.path("receipt.json"))?;
        let receipt = &row["receipt"];
        let (taken, adopted) = match &adopted {
            Some(adopted) => (adopted.as_str(), " of the text it already had"),
            None => (sha256, ""),
        };
        if receipt["sha256"] != taken {
            return Err("the receipt is one of other bytes".to_owned());
        }
        let at = receipt["received_at"].as_str().unwrap_or("an hour not stated").to_owned();
        if !files.contains_key(&self.path("answer.jws")) {
            return Ok(format!("receipt{adopted} of {at}, kept without the server's signature"));
        }
        let answer = text(files, &self.path("answer.jws"))?;
        let mut verified = self.evidence.server_keys.iter().map(|server| jws::verify(answer, server));
        let first = verified.next().ok_or("the License Update Server's key is not here")?;
        // The server that answered may be one that the agent was enrolled at before.
        let answer = first.or_else(|why| verified.find_map(Result::ok).ok_or(why));
        let answer = answer.map_err(|why| format!("the answer: {why}"))?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| "the answer is not JSON")?;
        let fields = receipt.as_object().ok_or("the receipt is not an object")?;
        if fields.iter().any(|(field, value)| answer["receipt"][field] != *value) {
            return Err("the server signed another receipt".to_owned());
        }
        Ok(format!("receipt{adopted} of {at}, signed by the License Update Server"))
    }
}
