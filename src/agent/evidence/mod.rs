//! Proving a month: what its report rests on, the archive that shows it, and the check of one.

mod concerns;
mod slice;

use std::collections::BTreeSet;

use base64::Engine;
use serde_json::{Value, json};

use crate::agent::Trouble;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::pseudonym::{HandedOut, NameKind, Names, Naming};
use crate::domain::report::{RestsOn, UsageReport};
use crate::domain::{Instant, IsoWeek, Month};
use crate::evidence::{self, Body, Header, Leaf, Reader, Revision, SentMessage, Snapshot, root};
use crate::rules::pseudonyms;
use crate::rules::report_document::AFTER_GENERATION;
use crate::rules::reporting;
use crate::seal::digest::{hex, sha256_hex};
use crate::store::fact::{MessageKind, key};
use crate::store::journal::header_of;

use super::orders::Target;
use super::{Agent, Refused};

/// Largest archive: as text it still passes the control socket.
const ARCHIVE_BYTES_MAX: usize = 180 << 20;

/// How the journal's bytes are read, told to those who do not know the store.
const READER: Reader =
    Reader { header: read_header, facts: crate::store::shown, claimed_len: crate::store::claimed_len };

fn read_header(bytes: &[u8]) -> Result<Header, String> {
    let read = header_of(bytes)?;
    Ok(Header { seq: read.seq, recorded_at: read.recorded_at, now: read.now, actor: read.actor })
}

/// Checks an archive without store and settings; the answer is `evidence verify --json`. `key`: the fingerprint or
/// thumbprint that the agent's key must have.
pub fn verify_evidence(archive: &[u8], key: Option<&str>) -> Value {
    evidence::verify(archive, key, &READER).to_json()
}

/// A leaf and the entry that holds it.
type Recorded = (Leaf, u64);

impl Agent {
    /// The report with what it rests on: its samples and the journal as they stand.
    pub(super) fn rested(&self, mut report: UsageReport, unit: &Unit) -> Result<UsageReport, Trouble> {
        let head = self.store.head();
        let mut servers = Vec::new();
        let mut leaves = Vec::new();
        for server in &self.unit_as_of(unit, report.month)?.servers {
            let of_server = self.leaves_of(server, &report, head.seq)?;
            if !of_server.is_empty() {
                servers.push(server.clone());
                leaves.extend(of_server.into_iter().map(|(leaf, _)| leaf));
            }
        }
        report.evidence = Some(RestsOn {
            servers,
            samples: leaves.len() as u64,
            samples_root: root(&leaves),
            journal_seq: head.seq,
            journal_hash: hex(&head.hash),
            signed_by: self.identity.key.fingerprint(),
        });
        reporting::total(&mut report);
        Ok(report)
    }

    /// The server's samples of the report's month that were known at an entry, and the one it is counted by.
    fn leaves_of(&self, server: &ServerName, report: &UsageReport, through: u64) -> Result<Vec<Recorded>, Trouble> {
        let month = report.month;
        let mut found = self.store.recorded_samples(server, month.starts_at()..month.ends_at())?;
        for (_, at) in counted_by(report).into_iter().filter(|(of, at)| of == server && !month.contains(*at)) {
            found.extend(self.store.recorded_samples(server, at..at + chrono::TimeDelta::nanoseconds(1))?);
        }
        found.sort_by_key(|(at, _)| *at);
        let known = found.into_iter().filter(|(_, recorded)| recorded.seq <= through);
        let leaf = |taken_at, payload_sha256| Leaf { server: server.clone(), taken_at, payload_sha256 };
        Ok(known.map(|(at, recorded)| (leaf(at, hex(&recorded.payload)), recorded.seq)).collect())
    }

    /// The report under pseudonyms, a document of its own.
    pub(super) fn pseudonymised(&self, report: &UsageReport, naming: &mut Naming<'_>) -> Result<UsageReport, Trouble> {
        let leaves = self.leaves(report)?.into_iter().map(|(leaf, _)| leaf).collect();
        Ok(under_pseudonyms(report, leaves, naming).0)
    }

    /// The leaves of a report, in the order of its tree.
    fn leaves(&self, report: &UsageReport) -> Result<Vec<Recorded>, Trouble> {
        let Some(rests_on) = &report.evidence else { return Ok(Vec::new()) };
        let mut leaves = Vec::new();
        for server in &rests_on.servers {
            leaves.extend(self.leaves_of(server, report, rests_on.journal_seq)?);
        }
        Ok(leaves)
    }

    /// `evidence key --json`.
    pub(super) fn evidence_key(&self) -> Value {
        let key = self.identity.key.verifying();
        json!({
            "schema": "tidegauge.evidence-key/1",
            "agent": self.identity.agent,
            "fingerprint": key.fingerprint(),
            "thumbprint": key.thumbprint(),
            "jwk": key.jwk(),
        })
    }

    /// `evidence export`: the archive of a month, all revisions; the same state gives the same bytes.
    pub(super) fn evidence_file(&self, target: &Target, names: Names) -> Result<Value, Refused> {
        let names = self.names_for(HandedOut::Evidence, names);
        let key = self.pseudonym_key_for(names)?;
        let (unit, newest) = self.one_report(target).map_err(|refused| match refused.code {
            66 => Refused::new(66, format!("{}; without a report there is nothing to prove", refused.why)),
            _ => refused,
        })?;
        let month = newest.month;
        let mut reports = Vec::new();
        for revision in 1..=newest.revision {
            reports.extend(self.report_revision(&unit.id, month, revision)?);
        }
        let mut revisions = Vec::new();
        let mut leaves = BTreeSet::new();
        for report in &reports {
            let of_report = self.leaves(report)?;
            leaves.extend(of_report.iter().cloned());
            let of_report = of_report.into_iter().map(|(leaf, _)| leaf).collect();
            revisions.push(match &key {
                None => self.revision(report, of_report),
                Some(key) => {
                    let (report, of_report) = under_pseudonyms(report, of_report, &mut key.naming());
                    self.revision(&report, of_report)
                }
            });
        }
        let slice = self.journal_slice(&unit, month, names, &reports, &leaves)?;
        let snapshot = Snapshot {
            agent: self.identity.agent.to_string(),
            unit: unit.id.clone(),
            month,
            names,
            revisions,
            journal: slice.lines,
            sent: self.sent_messages(&unit, month, names, newest.revision)?,
            server_keys: slice.server_keys,
        };
        let archive =
            evidence::pack(&snapshot, &self.identity.key).map_err(|error| Refused::new(1, error.to_string()))?;
        if ARCHIVE_BYTES_MAX < archive.len() {
            let (mebibytes, limit) = (archive.len() >> 20, ARCHIVE_BYTES_MAX >> 20);
            return Err(Refused::new(1, format!("the archive has {mebibytes} MiB, and at most {limit} are written")));
        }
        Ok(json!({
            "schema": "tidegauge.evidence-file/1",
            "unit": unit.id,
            "month": month,
            "revisions": newest.revision,
            "names": names,
            "key": self.identity.key.fingerprint(),
            "base64": base64::engine::general_purpose::STANDARD.encode(archive),
        }))
    }

    fn revision(&self, report: &UsageReport, leaves: Vec<Leaf>) -> Revision {
        let mut stands = serde_json::to_value(report).unwrap_or_default();
        if let Some(fields) = stands.as_object_mut() {
            fields.retain(|field, _| AFTER_GENERATION.contains(&field.as_str()));
        }
        Revision {
            revision: report.revision,
            record: reporting::record_of(report),
            files: self.files_of(report).collect(),
            stands,
            adjustments: report.adjustments.clone(),
            counted_by: counted_by(report),
            leaves,
        }
    }

    /// Reports and telemetry of the month as they were sent, with what came back.
    fn sent_messages(
        &self,
        unit: &Unit,
        month: Month,
        names: Names,
        revisions: u32,
    ) -> Result<Vec<SentMessage>, Trouble> {
        let reports = (1..=revisions).map(|revision| (MessageKind::Report, month.to_string(), revision));
        let telemetry = weeks_of(month).into_iter().map(|week| (MessageKind::Telemetry, week.to_string(), 1));
        let mut found = Vec::new();
        for (kind, period, revision) in reports.chain(telemetry) {
            let Some((message, _)) = self.sealed(&unit.id, kind, &period, revision)? else { continue };
            let mut row: Option<Value> = self.store.row(&key::receipt(&message.id))?;
            let mut take = |field: &str| row.as_mut()?.as_object_mut()?.remove(field);
            let answer = take("answer").and_then(|answer| answer.as_str().map(str::to_owned));
            let conflict = take("conflict");
            let adopted = conflict.and_then(|conflict| conflict["stored_body"].as_str().map(str::to_owned));
            let name = match kind {
                MessageKind::Report => format!("report-r{revision}"),
                MessageKind::Telemetry => format!("telemetry-{period}"),
            };
            // Telemetry has no names, a report has.
            let (body, adopted) = match (names, kind) {
                (Names::Pseudonyms, MessageKind::Report) => {
                    let adopted_sha256 = adopted.map(|adopted| sha256_hex(adopted.as_bytes()));
                    (Body::Withheld { sha256: sha256_hex(message.body.as_bytes()), adopted_sha256 }, None)
                }
                (Names::Plain, _) | (Names::Pseudonyms, MessageKind::Telemetry) => (Body::Whole(message.body), adopted),
            };
            found.push(SentMessage { name, body, receipt: row, answer, adopted });
        }
        Ok(found)
    }
}

/// The report and its leaves under pseudonyms; it names the root over these.
fn under_pseudonyms(report: &UsageReport, leaves: Vec<Leaf>, naming: &mut Naming<'_>) -> (UsageReport, Vec<Leaf>) {
    let leaf = |leaf: Leaf| Leaf { server: naming(NameKind::Server, &leaf.server), ..leaf };
    let leaves: Vec<Leaf> = leaves.into_iter().map(leaf).collect();
    (pseudonyms::pseudonymised(report, Some(root(&leaves)), naming), leaves)
}

/// The samples that the report's servers are counted by.
fn counted_by(report: &UsageReport) -> BTreeSet<(ServerName, Instant)> {
    let servers = report.provenance.servers.iter();
    servers.filter_map(|server| Some((server.server.clone(), server.sample_at?))).collect()
}

/// The ISO weeks that have a day in the month.
fn weeks_of(month: Month) -> Vec<IsoWeek> {
    let mut weeks = vec![IsoWeek::of_day(month.first_day())];
    let last = IsoWeek::of_day(month.last_day());
    while let Some(week) = weeks.last().filter(|week| **week < last) {
        weeks.push(week.next());
    }
    weeks
}
