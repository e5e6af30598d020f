//! A usage report as a document: what people read, and the record behind it (domain.md 3.5).
//!
//! A report's files are written once per revision and adjustment. Nothing here depends on where the report stands, so
//! that the same files come out of the store months later, byte for byte.

mod cloud_connect;
mod cover;
mod daily;
mod difference;
mod provenance;
mod tables;

use crate::document::{Block, Cell, Document, Part, Section, Table};
use crate::domain::Instant;
use crate::domain::calendar::{minute_text, rfc3339};
use crate::domain::report::{CountedBy, Reason, UsageReport};
use crate::seal::canonical;

/// What changes after a report was generated; the digest leaves these out, and so do its files.
pub const AFTER_GENERATION: [&str; 7] = ["stage", "until", "sealed_at", "at", "receipt", "server_verdict", "external"];

/// What a report says of itself whose names are pseudonyms.
const PSEUDONYMS: &str = "Names of tenants, servers, machines, workload ids and jobs, and texts that people wrote, are \
                          pseudonyms: the same name has the same one in every document. This is a document of its own; \
                          the report with the names has the digest under \"Pseudonyms of\". Its holder can say which is \
                          which (`tidegauge report pseudonyms`).";

/// Makes the document of a report: a cover for who has ten seconds, then every number behind it.
pub fn report_document(report: &UsageReport) -> Document {
    report_document_of(report, &Part::ALL)
}

/// The same with these parts alone; the others are empty.
pub fn report_document_of(report: &UsageReport, parts: &[Part]) -> Document {
    let has = |part| parts.contains(&part);
    Document {
        title: format!("Usage report {}", report.month.name()),
        subtitle: subtitle(report),
        language: "en".to_owned(),
        digest: report.digest.clone(),
        generated_at: rfc3339(report.generated_at),
        record: if has(Part::Record) { canonical::lines_without(report, &AFTER_GENERATION) } else { Vec::new() },
        lines: if has(Part::Lines) { tables::lines(report) } else { Table::default() },
        sections: if has(Part::Sections) { sections(report) } else { Vec::new() },
    }
}

fn subtitle(report: &UsageReport) -> String {
    let company = report.license.licensed_to.as_deref().unwrap_or("company not stated");
    let license = report.license_id.as_deref().unwrap_or("not stated");
    let names = if report.pseudonyms_of.is_some() { " · names are pseudonyms" } else { "" };
    format!("{company} · license {license} · revision {}{names}", report.revision)
}

fn sections(report: &UsageReport) -> Vec<Section> {
    let mut sections = vec![cover::cover(report, warnings(report))];
    sections.extend(daily::chart(report));
    sections.push(tables::summary(report));
    sections.extend(tables::tenants(report));
    sections.extend(tables::servers(report));
    sections.extend(difference::difference(report));
    sections.push(license(report));
    sections.extend(cloud_connect::grid(report));
    sections.extend(tables::counted_workloads(report));
    sections.extend(tables::adjustments(report));
    sections.extend(tables::left_out(report, Reason::New));
    sections.extend(tables::left_out(report, Reason::Rental));
    sections.extend(tables::left_out(report, Reason::Removed));
    sections.extend(provenance::coverage(report));
    sections.push(daily::days(report));
    sections.extend(provenance::weights(report));
    sections.push(evidence(report));
    sections
}

/// What a reader must not overlook, worst first.
fn warnings(report: &UsageReport) -> Vec<String> {
    let mut warnings = Vec::new();
    if report.on_demand {
        warnings.push("Made on demand over the 31 days before it; for information, it can't be submitted.".to_owned());
    }
    for server in &report.not_collected {
        warnings.push(format!("Not collected: {server}. Its workloads are missing from every number here."));
    }
    for stale in &report.basis.stale {
        let at = minute_text(stale.sample_at);
        warnings.push(format!("Stale: {} is counted by its last complete sample of {at} GMT.", stale.server));
    }
    if report.basis.late {
        let (made, due) = (minute_text(report.generated_at), minute_text(report.basis.as_of));
        warnings.push(format!("Late: built {made} GMT from what was sampled until {due} GMT."));
    }
    if report.coverage.is_short() {
        let (complete, expected) = (report.coverage.complete, report.coverage.expected);
        warnings.push(format!(
            "Coverage: {complete} of {expected} expected samples are complete; a peak between them was not seen."
        ));
    }
    if let Some(why) = &report.correction {
        warnings.push(format!("Correction, revision {}: {}", report.revision, why.reason));
    }
    for server in report.provenance.servers.iter().filter(|server| server.counted_by != CountedBy::Fresh) {
        let (name, policy) = (&server.server, &server.month_end);
        let by = server.counted_by.as_str();
        warnings
            .push(format!("Month end of {name}: no fresh sample; by its policy ({policy}) it is counted by: {by}."));
    }
    warnings.extend(provenance::provisional(report));
    if let Some(reason) = &report.justification {
        warnings.push(format!("Justification for the difference to the high watermark: {reason}"));
    }
    warnings
}

fn license(report: &UsageReport) -> Section {
    let license = &report.license;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not stated".to_owned());
    let day = |value: Option<chrono::NaiveDate>| value.map_or_else(|| "none".to_owned(), |day| day.to_string());
    let mut facts = vec![
        ("Company", text(&license.licensed_to)),
        ("Edition", text(&license.edition)),
        ("License type", license.kind.as_str().to_owned()),
        ("License expiration", day(license.expires_on)),
        ("Support ID", text(&license.support_id)),
        ("License ID", text(&report.license_id)),
        ("Installation ID", report.installations.join(", ")),
        ("Month", format!("{}, counted at {} GMT", report.month, minute_text(report.basis.as_of))),
    ];
    if let Some(points) = license.licensed_points {
        facts.insert(4, ("Licensed points", points.to_string()));
    }
    if let Some(day) = license.support_expires_on {
        facts.insert(4, ("Support expiration", day.to_string()));
    }
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Section { heading: "License".to_owned(), blocks: vec![Block::Facts(facts)] }
}

fn evidence(report: &UsageReport) -> Section {
    let mut facts = vec![
        ("Report ID", report.id.clone()),
        ("Revision", report.revision.to_string()),
        ("Reporting unit", report.unit.clone()),
        ("Contract ID", report.contract_id.clone().unwrap_or_else(|| "not stated".to_owned())),
        ("Generated", format!("{} GMT", minute_text(report.generated_at))),
        ("Counted as of", format!("{} GMT", minute_text(report.basis.as_of))),
        ("Samples", format!("{} complete of {} expected", report.coverage.complete, report.coverage.expected)),
        ("Digest", report.digest.clone()),
    ];
    if let Some(original) = &report.pseudonyms_of {
        facts.push(("Pseudonyms of", original.clone()));
    }
    let mut paragraphs = vec![
        "The digest is the SHA-256 of the report's canonical JSON (RFC 8785); the JSON file beside this one holds that \
         record. Times are GMT.",
    ];
    if let Some(rests_on) = &report.evidence {
        facts.extend([
            ("Root of its samples", rests_on.samples_root.clone()),
            ("Samples under it", rests_on.samples.to_string()),
            ("Journal entry", rests_on.journal_seq.to_string()),
            ("Hash of that entry", rests_on.journal_hash.clone()),
            ("Signed by", rests_on.signed_by.clone()),
        ]);
        paragraphs.push(match report.pseudonyms_of {
            None => {
                "The .jws file beside this one is the signature over the record. `tidegauge evidence export` writes \
                 everything that proves it into one archive, `tidegauge evidence verify` checks that."
            }
            Some(_) => {
                "`tidegauge evidence export --pseudonyms` writes this record with its signature into one archive, \
                 `tidegauge evidence verify` checks that."
            }
        });
    }
    if report.pseudonyms_of.is_some() {
        paragraphs.push(PSEUDONYMS);
    }
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let blocks = std::iter::once(Block::Facts(facts));
    let blocks = blocks.chain(paragraphs.into_iter().map(|text| Block::Paragraph(text.to_owned())));
    Section { heading: "Evidence".to_owned(), blocks: blocks.collect() }
}

fn text(value: impl Into<String>) -> Cell {
    let value = value.into();
    if value.is_empty() { Cell::Empty } else { Cell::Text(value) }
}

fn number(value: impl ToString) -> Cell {
    Cell::Number(value.to_string())
}

/// The minute, when there is one.
fn minute(at: impl Into<Option<Instant>>) -> Cell {
    at.into().map_or(Cell::Empty, |at| Cell::Date(minute_text(at)))
}
