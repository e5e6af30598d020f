//! The published JSON Schema: every report keeps it, and nothing that is written is missing in it.

use serde_json::{Value, json};
use tidegauge::domain::gate::Justification;
use tidegauge::domain::license_sections::{CapacitySection, GiftedInstances, SocketSection};
use tidegauge::domain::report::{
    CountedBy, Provenance, ProvisionalType, Receipt, RestsOn, ServerCoverage, Stage, UsageReport, WeightNote,
};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::formats::schemas::SCHEMAS;

use super::sample::{at, points, sample_report};

fn published(name: &str) -> Value {
    let schema = SCHEMAS.iter().find(|schema| schema.name == name).unwrap_or_else(|| panic!("{name} is not published"));
    serde_json::from_str(schema.text).expect("a schema is JSON")
}

fn objections(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(schema).expect("a schema of draft 2020-12");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Ends the test when a report does not keep the published schema that it names.
pub fn check(value: &Value) {
    let name = value["schema"].as_str().expect("JSON names its schema");
    assert_eq!(objections(&published(name), value), Vec::<String>::new());
}

/// The schema with no other members than it names.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut closed: serde_json::Map<_, _> =
                members.iter().map(|(name, member)| (name.clone(), self::closed(member))).collect();
            if members.get("properties").is_some_and(Value::is_object) && members.contains_key("type") {
                closed.insert("additionalProperties".to_owned(), json!(false));
            }
            Value::Object(closed)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

/// Everything that a report can hold.
fn full_report() -> UsageReport {
    let mut report = sample_report();
    report.justify(Justification { at: at("2026-11-03T10:00:00Z"), by: "kim".to_owned(), reason: "left".to_owned() });
    report.correction =
        Some(Justification { at: at("2026-11-12T10:00:00Z"), by: "kim".to_owned(), reason: "two missed".to_owned() });
    report.provenance = Provenance {
        servers: vec![ServerCoverage {
            server: "vbr01".to_owned(),
            expected: 744,
            complete: 720,
            month_end: "wait:06:00".to_owned(),
            counted_by: CountedBy::Carried,
            sample_at: Some(at("2026-10-31T20:00:00Z")),
        }],
        weights: vec![WeightNote { kind: WorkloadType::Vm, weight: points("11"), from: "the server".to_owned() }],
        provisional: vec![ProvisionalType { server: "vbr01".to_owned(), kind: "Moon".to_owned(), count: 2 }],
    };
    report.evidence = Some(RestsOn {
        servers: vec!["vbr01".to_owned()],
        samples: 744,
        samples_root: "00".to_owned(),
        journal_seq: 900,
        journal_hash: "00".to_owned(),
        signed_by: "sha256:00".to_owned(),
    });
    report.pseudonyms_of = Some(format!("sha256:{}", "0a".repeat(32)));
    let sections = &mut report.license.sections;
    sections.sockets = Some(SocketSection::default());
    sections.capacity = Some(CapacitySection {
        used_tb_by_type: [("FileShare".to_owned(), points("1.5").amount())].into(),
        ..CapacitySection::default()
    });
    sections.gifted = Some(GiftedInstances { licensed_with_gifted: Some(points("6")), ..GiftedInstances::default() });
    let later = at("2026-11-11T00:00:00Z");
    let receipt = Receipt { id: "r".to_owned(), sha256: "00".to_owned(), received_at: later, verdict: None };
    report.stage = Stage::Submitted { at: later, receipt };
    report
}

#[test]
fn every_schema_is_named_by_an_id_and_its_file_ends_with_a_newline() {
    for schema in SCHEMAS {
        let text = published(schema.name);
        assert_eq!(text["properties"]["schema"]["const"], schema.name);
        assert!(text["$id"].is_string() && schema.text.ends_with("}\n"));
    }
}

#[test]
fn the_schema_names_every_member_that_a_report_can_have() {
    for report in [sample_report(), full_report()] {
        let value = serde_json::to_value(&report).expect("a report is plain data");
        check(&value);
        let unnamed = objections(&closed(&published(&report.schema)), &value);
        assert_eq!(unnamed, Vec::<String>::new(), "docs/schemas/usage-report-1.schema.json does not name them");
    }
}

#[test]
fn the_schema_refuses_a_rounded_number_a_missing_line_and_another_version() {
    let value = serde_json::to_value(sample_report()).expect("a report is plain data");
    let schema = published("tidegauge.usage-report/1");
    let changes: [(&str, Value); 4] = [
        ("total_points", json!(128.5)),
        ("lines", Value::Null),
        ("schema", json!("tidegauge.usage-report/2")),
        ("digest", json!("md5:00")),
    ];
    for (member, other) in changes {
        let mut changed = value.clone();
        changed[member] = other;
        assert!(!objections(&schema, &changed).is_empty(), "{member} passes");
    }
}
