//! One revision of the report: its digest and signature, its files, its samples, its adjustments.

use serde_json::Value;

use super::super::leaf::{Leaf, Proof, hashes};
use super::super::{ADJUSTMENTS, PROOFS, RECORD, RECORD_SIGNED, SAMPLES, STANDS, canonical_of};
use super::chain::Slice;
use super::{About, Evidence, Verdict, file, json_of, text};
use crate::domain::Points;
use crate::domain::calendar::rfc3339;
use crate::domain::pseudonym::Names;
use crate::domain::report::RestsOn;
use crate::seal::canonical;
use crate::seal::digest::{from_hex, hex, sha256_hex};
use crate::seal::jws;
use crate::seal::merkle;

/// Files of a revision that are no format of the report.
const OURS: [&str; 6] = [RECORD, RECORD_SIGNED, STANDS, ADJUSTMENTS, SAMPLES, PROOFS];

/// Columns of the CSV that are figures of the record's lines.
const FIGURES: [&str; 6] = ["weight", "initial_count", "reported_count", "new_count", "rental_count", "points"];

/// What makes an adjustment the same one in every build of a report; tenant and type are as of the newest build.
const SAME_BY: [&str; 4] = ["at", "by", "reason", "workload"];

/// One revision and what is known of it.
struct Revision<'a> {
    evidence: &'a Evidence<'a>,
    slice: &'a Slice,
    about: &'a About,
    number: u32,
    record: &'a Value,
    digest: &'a str,
}

pub(super) fn check(evidence: &Evidence<'_>, slice: &Slice, about: &About, number: u32, verdict: &mut Verdict) {
    let name = |what: &str| format!("report r{number}: {what}");
    let path = format!("reports/r{number}/{RECORD}");
    let record = match record_of(evidence, &path) {
        Ok(record) => record,
        Err(why) => return verdict.add(name("record"), Err(why)),
    };
    let digest = file(evidence.files, &path).map(sha256_hex).map(|hash| format!("sha256:{hash}")).unwrap_or_default();
    let revision = Revision { evidence, slice, about, number, record: &record, digest: &digest };
    verdict.add(name("record"), revision.is_that_of_the_archive());
    verdict.add(name("signature"), revision.signature());
    verdict.add(name("files"), revision.files());
    match about.names {
        Names::Plain => verdict.add(name("journal"), revision.is_recorded()),
        Names::Pseudonyms => verdict.note(name("journal"), revision.original()),
    }
    verdict.add(name("adjustments"), revision.adjustments());
    match serde_json::from_value::<RestsOn>(record["evidence"].clone()) {
        Ok(rests_on) => {
            verdict.add(name("samples"), revision.samples(&rests_on));
            verdict.add(name("anchor"), revision.anchor(&rests_on));
        }
        Err(_) if record["evidence"].is_null() => {
            verdict.note(name("samples"), "it was built by a version that bound no samples to a report");
        }
        Err(_) => verdict.add(name("samples"), Err("what it says of its samples cannot be read".to_owned())),
    }
}

fn record_of(evidence: &Evidence<'_>, path: &str) -> Result<Value, String> {
    let bytes = file(evidence.files, path)?;
    let record: Value = serde_json::from_slice(bytes).map_err(|_| format!("{path} is not JSON"))?;
    if canonical::bytes(&record) != bytes {
        return Err(format!("{path} is not canonical JSON (RFC 8785)"));
    }
    Ok(record)
}

fn figure(text: &str) -> Option<Points> {
    text.parse().ok()
}

/// Counts are JSON numbers, points are texts.
fn figure_of(value: &Value) -> Option<Points> {
    value.as_str().map_or_else(|| figure(&value.to_string()), figure)
}

impl Revision<'_> {
    fn path(&self, name: &str) -> String {
        format!("reports/r{}/{name}", self.number)
    }

    fn is_that_of_the_archive(&self) -> Result<String, String> {
        let About { unit, month, names: about_names, .. } = self.about;
        let (record, number) = (self.record, self.number);
        if record["unit"] != *unit || record["month"] != *month || record["revision"] != number {
            return Err(format!("it is not revision {number} of {month} of unit {unit}"));
        }
        if record["pseudonyms_of"].is_string() == about_names.is_plain() {
            return Err("it and the archive do not agree whether its names are pseudonyms".to_owned());
        }
        let lines = record["lines"].as_array().map_or(&[][..], Vec::as_slice);
        let sum: Option<Points> = lines.iter().map(|line| figure_of(&line["points"])).sum();
        let total = figure_of(&record["total_points"]).ok_or("its total is no number")?;
        if sum != Some(total) {
            return Err(format!("its lines do not add up to its total, {total}"));
        }
        Ok(format!("canonical JSON with the digest {}; its lines add up to {total}", self.digest))
    }

    fn signature(&self) -> Result<String, String> {
        let (files, key) = (self.evidence.files, self.evidence.key);
        let signed = self.path(RECORD_SIGNED);
        let record = file(files, &self.path(RECORD))?;
        jws::verify_detached(text(files, &signed)?, record, key).map_err(|why| format!("{signed}: {why}"))?;
        match self.record["evidence"]["signed_by"].as_str() {
            Some(named) if named != key.fingerprint() => {
                Err(format!("the report names {named} as its signer, and this key signed it"))
            }
            Some(_) | None => Ok("the record is signed by the agent's key".to_owned()),
        }
    }

    /// Every format that can be read here has the record's digest and total.
    fn files(&self) -> Result<String, String> {
        let folder = self.path("");
        let (mut read, mut listed) = (Vec::new(), Vec::new());
        let of_revision = self.evidence.files.keys().filter_map(|name| Some((name, name.strip_prefix(&folder)?)));
        for (path, name) in of_revision.filter(|(_, name)| !OURS.contains(name)) {
            let format = name.rsplit_once('.').map_or("", |(_, format)| format);
            let checked = match format {
                "json" => self.json(path),
                "csv" => self.csv(path),
                "html" => self.html(path),
                _ => {
                    listed.push(format);
                    continue;
                }
            };
            checked.map_err(|why| format!("{path}: {why}"))?;
            read.push(format);
        }
        for needed in ["json", "csv"] {
            if !read.contains(&needed) {
                return Err(format!("there is no file of format {needed}"));
            }
        }
        let others = if listed.is_empty() {
            String::new()
        } else {
            format!("; not read here, but as they were signed: {}", listed.join(", "))
        };
        Ok(format!("{} say the same as the record{others}", read.join(", ")))
    }

    fn json(&self, name: &str) -> Result<(), String> {
        let mut value = json_of(self.evidence.files, name)?;
        let digest = value.as_object_mut().and_then(|fields| fields.remove("digest"));
        if digest.as_ref().and_then(Value::as_str) != Some(self.digest) {
            return Err("it carries another digest".to_owned());
        }
        if value == *self.record { Ok(()) } else { Err("it is not the signed record".to_owned()) }
    }

    /// Each line has the figures of the record's line, and its digest where it carries one.
    fn csv(&self, name: &str) -> Result<(), String> {
        let odd = |_| "it is no CSV".to_owned();
        let mut reader = csv::Reader::from_reader(file(self.evidence.files, name)?);
        let header = reader.headers().map_err(odd)?.clone();
        let lines = self.record["lines"].as_array().map_or(&[][..], Vec::as_slice);
        let mut rows = 0;
        for (line, row) in lines.iter().zip(reader.records()) {
            let row = row.map_err(odd)?;
            let cell = |name: &str| header.iter().position(|column| column == name).and_then(|place| row.get(place));
            rows += 1;
            if let Some(field) = FIGURES.iter().find(|field| cell(field).and_then(figure) != figure_of(&line[**field]))
            {
                return Err(format!("line {rows} has another {field} than the record"));
            }
            if cell("digest").is_some_and(|digest| digest != self.digest) {
                return Err(format!("line {rows} carries another digest"));
            }
        }
        if rows != lines.len() || reader.records().next().is_some() {
            return Err(format!("it has not the {} lines of the record", lines.len()));
        }
        Ok(())
    }

    fn html(&self, name: &str) -> Result<(), String> {
        let carries = text(self.evidence.files, name)?.contains(self.digest);
        if carries { Ok(()) } else { Err("it does not carry the digest".to_owned()) }
    }

    /// What the journal recorded instead.
    fn original(&self) -> String {
        let original = self.record["pseudonyms_of"].as_str().unwrap_or("not stated");
        format!("what it recorded is the report with the digest {original}, which is not here")
    }

    /// The journal's newest word on this revision is this report.
    fn is_recorded(&self) -> Result<String, String> {
        let About { unit, month, .. } = self.about;
        let kept = self.slice.kept(unit, month, self.number);
        let newest = kept.last().ok_or("the journal slice does not hold it")?;
        if newest.report["digest"] != self.digest {
            return Err("the journal's newest entry about it has another digest".to_owned());
        }
        let stands = json_of(self.evidence.files, &self.path(STANDS))?;
        if let Some(Value::Object(stage)) = self.slice.stage(unit, month, self.number)
            && stage.iter().any(|(field, value)| stands[field] != *value)
        {
            return Err(format!("{} is not the stage that the journal recorded", self.path(STANDS)));
        }
        let stage = stands["stage"].as_str().unwrap_or("not stated");
        let times = if kept.len() == 1 { "once".to_owned() } else { format!("{} times, newest", kept.len()) };
        Ok(format!("recorded {times} as it is here; its stage is {stage}"))
    }

    /// Adjustments are those of the record, and each was recorded by whom it names.
    fn adjustments(&self) -> Result<String, String> {
        let listed = json_of(self.evidence.files, &self.path(ADJUSTMENTS))?;
        let stated = &self.record["adjustments"];
        if listed != *stated {
            return Err(format!("{} is not what the record says", self.path(ADJUSTMENTS)));
        }
        let stated = stated.as_array().map_or(&[][..], Vec::as_slice);
        if let Some(one) = stated.iter().find(|one| one["reason"].as_str().is_none_or(|why| why.trim().is_empty())) {
            return Err(format!("the one of {} has no reason", one["at"]));
        }
        match self.about.names {
            Names::Plain => self.are_recorded(stated)?,
            Names::Pseudonyms if stated.is_empty() => {}
            Names::Pseudonyms => {
                let count = stated.len();
                return Ok(format!("{count}, each with a reason; who recorded them cannot be checked here"));
            }
        }
        Ok(match stated.len() {
            0 => "none".to_owned(),
            count => format!("{count}, each with a reason and recorded by whom it names"),
        })
    }

    /// Each stands in the journal, recorded by whom it names.
    fn are_recorded(&self, stated: &[Value]) -> Result<(), String> {
        let About { unit, month, .. } = self.about;
        let kept = self.slice.kept(unit, month, self.number);
        let newest = kept.last().and_then(|newest| newest.report["adjustments"].as_array());
        if newest.is_none_or(|recorded| recorded != stated) {
            return Err("they are not those of the journal".to_owned());
        }
        for one in stated {
            // A report that was built again keeps its adjustments; what they take away may be another number.
            let is_same = |other: &Value| SAME_BY.iter().all(|field| one[*field] == other[*field]);
            let has = |report: &Value| report["adjustments"].as_array().is_some_and(|all| all.iter().any(is_same));
            let first = kept.iter().find(|kept| has(kept.report));
            // What took a second person was recorded by that one.
            let recorded_by = if one["approved_by"].is_null() { &one["by"] } else { &one["approved_by"] };
            if first.is_none_or(|first| *recorded_by != first.actor) {
                return Err(format!("the one of {} was not recorded by whom it names", one["at"]));
            }
        }
        Ok(())
    }

    fn samples(&self, rests_on: &RestsOn) -> Result<String, String> {
        let leaves: Vec<Leaf> = self.lines(SAMPLES)?;
        let count = leaves.len() as u64;
        let root = merkle::root(&hashes(&leaves));
        if count != rests_on.samples || hex(&root) != rests_on.samples_root {
            return Err(format!("the Merkle root over {count} samples is not the one in the report"));
        }
        let proofs: Vec<Proof> = self.lines(PROOFS)?;
        for proof in &proofs {
            let path: Option<Vec<_>> = proof.path.iter().map(|hash| from_hex(hash)).collect();
            if !path.is_some_and(|path| merkle::proves(&path, &proof.leaf.hash(), proof.index, count, &root)) {
                return Err(format!("the proof of leaf {} does not lead to the root", proof.index));
            }
        }
        if let Some(leaf) = self.slice.without(&leaves, rests_on.journal_seq).first() {
            let at = rfc3339(leaf.taken_at);
            return Err(format!("the journal does not hold the sample of {} at {at}", leaf.server));
        }
        Ok(format!("{count} samples are in the journal and under the root that the report names"))
    }

    /// The values of a file of canonical lines.
    fn lines<T: serde::de::DeserializeOwned + serde::Serialize>(&self, name: &str) -> Result<Vec<T>, String> {
        let path = self.path(name);
        let odd = |number: usize| format!("line {} of {path} is not what it must be", number + 1);
        let lines = text(self.evidence.files, &path)?.lines().enumerate();
        let read = lines.map(|(number, line)| {
            let value: T = serde_json::from_str(line).map_err(|_| odd(number))?;
            if canonical_of(&value) == line.as_bytes() { Ok(value) } else { Err(odd(number)) }
        });
        read.collect()
    }

    fn anchor(&self, rests_on: &RestsOn) -> Result<String, String> {
        let seq = rests_on.journal_seq;
        let hash = self.slice.hash_of(seq).ok_or(format!("entry {seq}, at which it was built, is not in the slice"))?;
        if from_hex(&rests_on.journal_hash) != Some(hash) {
            return Err(format!("entry {seq} has another hash than the report names"));
        }
        Ok(format!("the report names the hash of entry {seq}, so the journal up to there is under its signature"))
    }
}
