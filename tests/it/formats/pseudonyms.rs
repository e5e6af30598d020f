//! A report under pseudonyms: no name is left in any format, and every figure stands.

use std::io::{Cursor, Read};

use proptest::prelude::*;
use tidegauge::domain::adjustment::Adjustment;
use tidegauge::domain::gate::Justification;
use tidegauge::domain::pseudonym::NameKind;
use tidegauge::domain::report::{CountedBy, ProvisionalType, RestsOn, ServerCoverage, UsageReport};
use tidegauge::formats::FORMATS;
use tidegauge::rules::pseudonyms::{PseudonymKey, pseudonymised};
use tidegauge::rules::report_document::report_document;
use tidegauge::rules::reporting;

use super::sample::{at, sample_report};
use super::{file, table};

fn key() -> PseudonymKey {
    PseudonymKey::new([7; 32])
}

/// The sample with another name, drawn from these, wherever a report can have one.
fn named(names: &[String]) -> UsageReport {
    let mut names = names.iter().cycle().cloned();
    let mut next = || names.next().expect("there are names");
    let mut report = sample_report();
    for line in &mut report.lines {
        (line.server, line.tenant) = (next(), Some(next()));
    }
    for workload in &mut report.workloads {
        (workload.id, workload.name, workload.server) = (next(), next(), next());
        (workload.tenant, workload.job, workload.note) = (Some(next()), Some(next()), Some(next()));
    }
    let (one, other) = (report.workloads[0].server.clone(), report.workloads[1].server.clone());
    report.workloads[2].note = Some(format!("also counted on {one}, {other}"));
    report.workloads[3].note = Some(format!("counted once, on {one}"));
    let reason = next();
    report.workloads[4].note = Some(format!("removed: {reason}"));
    let removed = report.workloads[4].clone();
    report.adjustments = vec![Adjustment {
        workload: Some(removed.id),
        server: Some(removed.server),
        tenant: removed.tenant,
        note_before: Some(next()),
        reason,
        ..report.adjustments[0].clone()
    }];
    report.basis.stale[0].server = next();
    report.not_collected = vec![next()];
    let given = Justification { at: at("2026-11-03T10:00:00Z"), by: "kim".to_owned(), reason: next() };
    report.justify(given.clone());
    report.correction = Some(Justification { reason: next(), ..given });
    report.provenance.servers = vec![ServerCoverage {
        server: next(),
        expected: 744,
        complete: 720,
        month_end: "carry".to_owned(),
        counted_by: CountedBy::Carried,
        sample_at: None,
    }];
    report.provenance.provisional = vec![ProvisionalType { server: next(), kind: "Moon".to_owned(), count: 2 }];
    for row in &mut report.difference.as_mut().expect("the sample has one").rows {
        (row.tenant, row.server) = (Some(next()), Some(next()));
        row.named.iter_mut().for_each(|name| *name = next());
    }
    report.evidence = Some(RestsOn {
        servers: vec![next(), next()],
        samples: 744,
        samples_root: "11".repeat(32),
        journal_seq: 900,
        journal_hash: "00".repeat(32),
        signed_by: "sha256:00".to_owned(),
    });
    reporting::total(&mut report);
    report
}

fn under_pseudonyms(report: &UsageReport) -> UsageReport {
    let key = key();
    pseudonymised(report, Some("22".repeat(32)), &mut key.naming())
}

/// Everything that a file says, whatever it is packed in.
fn said(extension: &str, bytes: &[u8]) -> String {
    let mut said = String::from_utf8_lossy(bytes).into_owned();
    match extension {
        "xlsx" => {
            let mut package = zip::ZipArchive::new(Cursor::new(bytes)).expect("a package");
            for place in 0..package.len() {
                let mut part = package.by_index(place).expect("a part");
                said.push_str(&part.name().expect("a plain name"));
                part.read_to_string(&mut said).expect("parts are UTF-8");
            }
        }
        "pdf" => {
            let read = lopdf::Document::load_mem(bytes).expect("a PDF");
            let pages: Vec<u32> = read.get_pages().keys().copied().collect();
            said.push_str(&read.extract_text(&pages).expect("its text"));
            read.objects.values().for_each(|object| texts_of(object, &mut said));
        }
        "json" | "csv" | "html" => {}
        other => panic!("nobody reads {other} back"),
    }
    // A name that is broken over lines is a name all the same.
    said.retain(|sign| !sign.is_whitespace());
    said
}

/// Titles, bookmarks and metadata, which PDF writes as UTF-16.
fn texts_of(object: &lopdf::Object, said: &mut String) {
    match object {
        lopdf::Object::String(bytes, _) => {
            let units: Vec<u16> =
                bytes.chunks(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte))).collect();
            said.push_str(&String::from_utf16_lossy(&units));
            said.push_str(&String::from_utf8_lossy(bytes));
        }
        lopdf::Object::Array(items) => items.iter().for_each(|item| texts_of(item, said)),
        lopdf::Object::Dictionary(fields) => fields.iter().for_each(|(_, field)| texts_of(field, said)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn no_format_of_a_report_under_pseudonyms_has_a_name_and_all_have_its_figures(
        names in proptest::collection::vec("[a-z]{4,9}[šж0-9]{3}[a-z]{2,4}", 20..120),
    ) {
        let report = named(&names);
        let shown = under_pseudonyms(&report);
        let (original, document) = (report_document(&report), report_document(&shown));
        for format in FORMATS {
            let (before, after) = (file(&original, format.extension), file(&document, format.extension));
            let (before, after) = (said(format.extension, &before), said(format.extension, &after));
            // The test would find them: the report with the names has those that are not replaced by later ones.
            prop_assert!(format.extension == "csv" || names.iter().filter(|name| before.contains(*name)).count() > 3);
            for name in &names {
                prop_assert!(!after.contains(name), "{} says {name}", format.extension);
            }
            prop_assert!(after.contains(shown.pseudonyms_of.as_deref().expect("it names the report's digest")));
        }
        super::schema::check(&serde_json::to_value(&shown).expect("plain data"));
        prop_assert_eq!(&shown.digest, &reporting::digest_of(&shown));
        prop_assert_eq!(shown.pseudonyms_of.as_ref(), Some(&report.digest));
        prop_assert_ne!(&shown.digest, &report.digest);
        for (one, other) in report.lines.iter().zip(&shown.lines) {
            let figures = |line: &tidegauge::domain::report::Line| {
                (line.kind.clone(), line.weight, line.initial_count, line.reported_count, line.new_count, line.rental_count, line.points)
            };
            prop_assert_eq!(figures(one), figures(other));
        }
        prop_assert_eq!((report.lines.len(), report.total_points), (shown.lines.len(), shown.total_points));
        prop_assert_eq!(table(&original, "summary").rows.clone(), table(&document, "summary").rows.clone());
        let marks = |report: &UsageReport| report.workloads.iter().map(|one| (one.counted, one.reason, one.points)).collect::<Vec<_>>();
        prop_assert_eq!(marks(&report), marks(&shown));
    }
}

#[test]
fn the_same_name_has_one_pseudonym_everywhere_and_another_under_another_key_or_of_another_kind() {
    let report = named(&["alpha".to_owned()]);
    let shown = under_pseudonyms(&report);
    let server = key().pseudonym(NameKind::Server, "alpha");
    assert_eq!(shown.lines[0].server, server);
    assert_eq!(shown.workloads[2].note, Some(format!("also counted on {server}, {server}")));
    assert_eq!(shown.workloads[3].note, Some(format!("counted once, on {server}")));
    let reason = &shown.adjustments[0].reason;
    assert_eq!(shown.workloads[4].note, Some(format!("removed: {reason}")), "a reason joins with its note");
    assert_eq!(shown.adjustments[0].workload.as_ref(), Some(&shown.workloads[4].id), "an adjustment with its machine");
    assert_ne!(server, PseudonymKey::new([8; 32]).pseudonym(NameKind::Server, "alpha"));
    let kinds = [NameKind::Tenant, NameKind::Machine, NameKind::Workload, NameKind::Job, NameKind::Text];
    assert!(kinds.iter().all(|kind| !key().pseudonym(*kind, "alpha").ends_with(&server["server".len()..])));
    assert_eq!(key().pseudonym(NameKind::Tenant, ""), "", "no name stays none");
}

#[test]
fn a_pseudonym_is_the_hmac_that_the_page_names() {
    // printf 'tenant\0Acme' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707… -binary | base32 | head -c 16
    assert_eq!(key().pseudonym(NameKind::Tenant, "Acme"), "tenant-452HI3C4UWCMTDHP");
    assert_eq!(PseudonymKey::from_text(&key().to_text()), Some(key()));
    assert_eq!(format!("{:?}", key()), "PseudonymKey(…)", "it is a secret");
}

#[test]
fn our_own_words_about_types_stay_and_the_sample_keeps_its_companys_name() {
    let mut report = sample_report();
    report.workloads[0].note = Some("no weight is known for type VM".to_owned());
    report.workloads[1].note = Some("no weight is known for type of sql01".to_owned());
    let shown = under_pseudonyms(&report);
    assert_eq!(shown.workloads[0].note, report.workloads[0].note);
    assert!(shown.workloads[1].note.as_ref().expect("a note").starts_with("text-"));
    assert_eq!(shown.license, report.license);
    assert_eq!(shown.evidence, None, "samples that were bound to no report are bound to none");
}
