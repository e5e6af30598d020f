//! Pseudonyms: one for each name, the same in every document, and not to be undone without the key.
//!
//! Tenants, servers, machines, workload ids and jobs are replaced, and so is every text that somebody wrote in their own
//! words. What names the license stays (company, license, contract, installations, unit), and so do types, platforms and
//! who acted: the journal's headers, which the chain covers, name them.

use std::collections::BTreeSet;
use std::fmt;

use crate::domain::gate::Justification;
use crate::domain::month_difference::{DifferenceRow, MonthDifference};
use crate::domain::pseudonym::{NameKind, Naming, named};
use crate::domain::report::{
    Basis, Line, Provenance, ProvisionalType, ReportedWorkload, RestsOn, ServerCoverage, Stale, UsageReport,
};
use crate::seal::digest::{from_hex, hex};
use crate::seal::keyed::hmac_sha256;

use super::reporting::{
    self, NOTE_ALSO_COUNTED, NOTE_BETWEEN, NOTE_COUNTED_ONCE, NOTE_NO_WEIGHT, NOTE_PROVISIONAL, NOTE_REMOVED,
};

/// The signs of a pseudonym: RFC 4648 base32, which has no two that look alike.
const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Signs of a pseudonym: 80 bits, so that a million names share none.
const SIGNS_LEN: u32 = 16;
const BITS_A_SIGN: u32 = 5;

/// The key that pseudonyms are made with.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey([u8; 32]);

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

impl PseudonymKey {
    pub fn new(secret: [u8; 32]) -> PseudonymKey {
        PseudonymKey(secret)
    }

    /// Reads what [`PseudonymKey::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<PseudonymKey> {
        from_hex(text.trim()).map(PseudonymKey)
    }

    /// For its file: 64 hex digits and a newline.
    pub fn to_text(&self) -> String {
        format!("{}\n", hex(&self.0))
    }

    /// Says what stands for names.
    pub fn naming(&self) -> impl FnMut(NameKind, &str) -> String {
        |kind, name| self.pseudonym(kind, name)
    }

    /// What stands for a name: `tenant-` and 16 signs of HMAC-SHA-256 over kind and name. Nothing stays nothing.
    pub fn pseudonym(&self, kind: NameKind, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let code = hmac_sha256(&self.0, &[kind.as_str().as_bytes(), &[0], name.as_bytes()].concat());
        let number = u128::from_be_bytes(*code.first_chunk().expect("32 bytes begin with 16"));
        let sign = |place: u32| {
            let bits = number >> (u128::BITS - BITS_A_SIGN * (place + 1));
            char::from(SIGNS[usize::try_from(bits & 31).expect("five bits")])
        };
        format!("{}-{}", kind.as_str(), (0..SIGNS_LEN).map(sign).collect::<String>())
    }
}

/// The report with a name's pseudonym wherever the name stood: a document of its own, which names the report's digest.
///
/// Lines, counts and totals stay as they are and where they are. `samples_root` is the root over its leaves with the
/// servers' pseudonyms; without one nothing is said of samples.
pub fn pseudonymised(report: &UsageReport, samples_root: Option<String>, naming: &mut Naming<'_>) -> UsageReport {
    let servers = report.workloads.iter().map(|workload| workload.server.as_str()).collect();
    let rests_on = report.evidence.as_ref().zip(samples_root);
    let mut pseudonymised = UsageReport {
        basis: Basis {
            stale: report
                .basis
                .stale
                .iter()
                .map(|of| Stale { server: server(naming, &of.server), ..of.clone() })
                .collect(),
            ..report.basis.clone()
        },
        lines: report.lines.iter().map(|line| line_of(line, naming)).collect(),
        workloads: report.workloads.iter().map(|workload| workload_of(workload, &servers, naming)).collect(),
        adjustments: report.adjustments.iter().map(|one| one.under_pseudonyms(naming)).collect(),
        not_collected: report.not_collected.iter().map(|name| server(naming, name)).collect(),
        justification: named(naming, NameKind::Text, report.justification.as_deref()),
        correction: report
            .correction
            .as_ref()
            .map(|why| Justification { reason: naming(NameKind::Text, &why.reason), ..why.clone() }),
        provenance: provenance_of(&report.provenance, naming),
        difference: report.difference.as_ref().map(|difference| difference_of(difference, naming)),
        evidence: rests_on.map(|(of, samples_root)| RestsOn {
            servers: of.servers.iter().map(|name| server(naming, name)).collect(),
            samples_root,
            ..of.clone()
        }),
        pseudonyms_of: Some(report.digest.clone()),
        ..report.clone()
    };
    pseudonymised.digest = reporting::digest_of(&pseudonymised);
    pseudonymised
}

fn server(naming: &mut Naming<'_>, name: &str) -> String {
    naming(NameKind::Server, name)
}

fn line_of(line: &Line, naming: &mut Naming<'_>) -> Line {
    Line {
        server: server(naming, &line.server),
        tenant: named(naming, NameKind::Tenant, line.tenant.as_deref()),
        ..line.clone()
    }
}

fn workload_of(workload: &ReportedWorkload, servers: &BTreeSet<&str>, naming: &mut Naming<'_>) -> ReportedWorkload {
    ReportedWorkload {
        id: naming(NameKind::Workload, &workload.id),
        name: naming(NameKind::Machine, &workload.name),
        server: server(naming, &workload.server),
        tenant: named(naming, NameKind::Tenant, workload.tenant.as_deref()),
        job: named(naming, NameKind::Job, workload.job.as_deref()),
        note: workload.note.as_deref().map(|note| note_of(note, workload, servers, naming)),
        ..workload.clone()
    }
}

/// Our own words stay, with the servers in them replaced; anything else is a text.
fn note_of(note: &str, of: &ReportedWorkload, servers: &BTreeSet<&str>, naming: &mut Naming<'_>) -> String {
    let kind = of.kind.as_str();
    let about_type = [format!("{NOTE_NO_WEIGHT}{kind}"), format!("{NOTE_PROVISIONAL}{kind} is not known; map it")];
    if about_type.iter().any(|own| own == note) {
        return note.to_owned();
    }
    if let Some(name) = note.strip_prefix(NOTE_COUNTED_ONCE) {
        return format!("{NOTE_COUNTED_ONCE}{}", server(naming, name));
    }
    if let Some(reason) = note.strip_prefix(NOTE_REMOVED) {
        return format!("{NOTE_REMOVED}{}", naming(NameKind::Text, reason));
    }
    let others = note.strip_prefix(NOTE_ALSO_COUNTED).map(|names| names.split(NOTE_BETWEEN).collect::<Vec<_>>());
    match others.filter(|others| others.iter().all(|name| servers.contains(name))) {
        Some(others) => {
            let others: Vec<String> = others.into_iter().map(|name| server(naming, name)).collect();
            format!("{NOTE_ALSO_COUNTED}{}", others.join(NOTE_BETWEEN))
        }
        None => naming(NameKind::Text, note),
    }
}

fn provenance_of(provenance: &Provenance, naming: &mut Naming<'_>) -> Provenance {
    let servers = provenance.servers.iter();
    let provisional = provenance.provisional.iter();
    Provenance {
        servers: servers.map(|of| ServerCoverage { server: server(naming, &of.server), ..of.clone() }).collect(),
        weights: provenance.weights.clone(),
        provisional: provisional
            .map(|of| ProvisionalType { server: server(naming, &of.server), ..of.clone() })
            .collect(),
    }
}

fn difference_of(difference: &MonthDifference, naming: &mut Naming<'_>) -> MonthDifference {
    let row = |row: &DifferenceRow| DifferenceRow {
        tenant: named(naming, NameKind::Tenant, row.tenant.as_deref()),
        server: named(naming, NameKind::Server, row.server.as_deref()),
        named: row.named.iter().map(|name| naming(NameKind::Machine, name)).collect(),
        ..row.clone()
    };
    MonthDifference { rows: difference.rows.iter().map(row).collect(), ..difference.clone() }
}
