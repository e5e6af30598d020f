//! The archive of real months: what is in it, and that everything in it holds.

use expect_test::expect;
use tidegauge::rules::reporting;
use tidegauge::seal::jws;
use tidegauge::seal::keys::{SigningKey, VerifyingKey};
use tidegauge::store::Store;
use tidegauge::store::fact::{Enrolment, Fact, ReportCause};

use super::*;

#[test]
fn a_sent_month_is_proved_from_its_archive_alone() {
    let (world, _) = sent(1);
    let archive = exported(&world);
    expect![[r#"
        holds archive
        holds checksums
        note key
        holds signature
        holds journal
        holds report r1: record
        holds report r1: signature
        holds report r1: files
        holds report r1: journal
        holds report r1: adjustments
        holds report r1: samples
        holds report r1: anchor
        holds sent report-r1
        holds sent telemetry-2026-W04
        holds sent telemetry-2026-W05
    "#]]
    .assert_eq(&findings(&archive));
    let verdict = verify_evidence(&archive, None).to_string();
    for words in ["signed by the License Update Server", "1, each with a reason", "its stage is submitted"] {
        assert!(verdict.contains(words), "'{words}' is not in {verdict}");
    }
}

#[test]
fn the_same_state_gives_the_same_archive_byte_for_byte() {
    let (world, _) = sent(1);
    let archive = exported(&world);
    assert_eq!(exported(&world), archive);
    // What happens to other months changes nothing.
    let mut later = world;
    later.run_until(at("2026-02-16T09:00:00Z"));
    assert_eq!(exported(&later), archive);
}

#[test]
fn every_revision_of_the_month_is_in_it() {
    let (mut world, _) = sent(2);
    let order = Order::Correct { target: january(), reason: "a server was missing".to_owned() };
    world.order(order, "mia").expect("a sent report");
    let archive = exported(&world);
    assert_eq!(failing(&archive), Vec::<String>::new());
    let files = files(&archive);
    for name in ["reports/r1/record.jws", "reports/r2/record.jws", "reports/r2/samples.jsonl"] {
        assert!(files.contains_key(name), "{name} is not in it");
    }
    assert!(!files.contains_key("sent/report-r2.jws"));
}

#[test]
fn a_month_with_an_open_report_is_shown_as_it_stands_and_one_without_is_refused() {
    let (mut world, _) = world(3);
    world.run_until(at("2026-02-01T06:00:00Z"));
    assert_eq!(failing(&exported(&world)), Vec::<String>::new());
    let february = Query::Evidence {
        unit: None,
        server: None,
        month: Some("2026-02".parse().unwrap()),
        names: Default::default(),
    };
    let refused = world.ask(&february).expect_err("February has no report");
    assert_eq!(refused.code, 66);
    assert!(refused.why.contains("nothing to prove"), "{}", refused.why);
}

#[test]
fn samples_that_come_after_sending_leave_the_proof_as_it_was() {
    let (mut world, _) = sent(4);
    let before = files(&exported(&world));
    let late = serde_json::json!({
        "schema": "tidegauge.usage-snapshot/1", "taken_at": "2026-01-25T13:07:00Z", "server": "vbr01",
        "license": {"license_id": report(&world).license_id, "type": "Rental"}, "workloads": [],
    });
    let order = Order::ImportSamples { file: "late.json".to_owned(), text: late.to_string() };
    world.order(order, "mia").expect("a sample that is not known");
    let after = exported(&world);
    assert_eq!(failing(&after), Vec::<String>::new());
    assert_eq!(files(&after)["reports/r1/samples.jsonl"], before["reports/r1/samples.jsonl"]);
}

#[test]
fn a_week_that_is_sealed_before_the_months_first_sample_is_proved_too() {
    let (mut world, _) = world_of(WorldPlan::small(10, at("2026-01-20T09:30:00Z"), 6));
    world.wire.cut_off("vbr01", at("2026-01-31")..at("2026-02-12"));
    world.run_until(at("2026-03-12"));
    let query = Query::Evidence {
        unit: None,
        server: None,
        month: Some("2026-02".parse().unwrap()),
        names: Default::default(),
    };
    let answer = world.ask(&query).expect("there is a report");
    let text = answer["base64"].as_str().expect("an archive");
    let archive = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    assert_eq!(failing(&archive), Vec::<String>::new());
    assert!(findings(&archive).contains("holds sent telemetry-2026-W05"), "{}", findings(&archive));
    let slice = String::from_utf8(files(&archive)["journal/slice.jsonl"].clone()).expect("text");
    let of = |what: &str| slice.lines().position(|line| line.contains(what)).expect("it is there");
    assert!(of("2026-W05") < of("sample_taken"), "the story has a week sealed before the first sample");
}

#[test]
fn an_answer_of_a_server_before_the_present_one_is_proved_by_its_key() {
    let (world, disk) = sent(1);
    let now = world.now();
    drop(world);
    let (mut store, _) = Store::open(&place(), Arc::new(disk.clone())).expect("a whole journal");
    let server_key = SigningKey::from_secret(&[3; 32]).verifying().to_text();
    let enrolment = Enrolment { contract_id: "C-2026-002".to_owned(), server_key, at: now, tolerance: None };
    store.record(now, now, "user:mia", &[Fact::Enrolled { enrolment }]).expect("the disk is well");
    drop(store);
    let archive = exported(&world_at(1, now, disk));
    assert_eq!(failing(&archive), Vec::<String>::new());
    assert!(files(&archive).contains_key("keys/license-server-2.jwk"));
    assert!(verify_evidence(&archive, None).to_string().contains("signed by the License Update Server"));
}

#[test]
fn the_signature_beside_the_files_is_true_after_adjusting() {
    let (mut world, disk) = world(5);
    world.run_until(at("2026-02-02T10:00:00Z"));
    let key = world.agent().identity().key.verifying();
    for adjusted in [false, true] {
        if adjusted {
            adjust(&mut world);
        }
        let license = report(&world).license_id.expect("a license id");
        let beside = |end: &str| read(&disk, &format!("/reports/2026-01/{license}-r1.{end}"));
        let mut record: Value = serde_json::from_slice(&beside("json")).expect("the JSON file");
        record.as_object_mut().expect("an object").remove("digest");
        let signature = String::from_utf8(beside("jws")).expect("text");
        let canonical = tidegauge::seal::canonical::bytes(&record);
        jws::verify_detached(&signature, &canonical, &key).expect("signed by the agent");
        assert!(jws::verify_detached(&signature, b"{}", &key).is_err());
    }
}

#[test]
fn the_journal_in_it_names_who_ordered_what_and_why() {
    let (mut world, _) = world_of(WorldPlan::small(6, at("2026-01-25T09:30:00Z"), 6));
    world.run_until(at("2026-02-03T10:00:00Z"));
    adjust(&mut world);
    world.order(Order::SampleNow { server: "vbr01".to_owned() }, "ines").expect("the server answers");
    world.order(Order::Send { target: january() }, "mia").expect("the server takes it");
    let mut actors = Vec::new();
    let seen = world.agent().store().history(0, &mut |entry, facts| {
        actors.push((entry.actor.clone(), format!("{facts:?}")));
    });
    seen.expect("the journal is whole");
    let by = |who: &str, what: &str| actors.iter().any(|(actor, facts)| actor == who && facts.contains(what));
    assert!(by("user:mia", "a test machine") && by("user:mia", "Sealed") && by("user:mia", "Receipted"));
    assert!(by("user:ines", "SampleTaken"), "{actors:#?}");
    assert!(by("duty", "SampleTaken") && by("duty", "ReportKept"));
    let slice = String::from_utf8(files(&exported(&world))["journal/slice.jsonl"].clone()).expect("text");
    assert!(slice.contains("user:mia") && slice.contains("a test machine"));
}

#[test]
fn no_secret_is_in_the_archive() {
    let (world, disk) = sent(7);
    let archive = exported(&world);
    let mut searched = archive.clone();
    let slice = String::from_utf8(files(&archive)["journal/slice.jsonl"].clone()).expect("text");
    for line in slice.lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let Some(payload) = line["payload"].as_str() else { continue };
        let payload = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
        let facts = tidegauge::store::shown(&payload).expect("a payload of ours");
        searched.extend(Value::from(facts).to_string().into_bytes());
    }
    let pem = String::from_utf8(read(&disk, "/state/keys/agent.pem")).expect("PEM is text");
    let private = pem.lines().nth(1).expect("a key").to_owned();
    for secret in [private.as_str(), "PRIVATE KEY", "license_installed", "settings_seen", "\"enrolled\"", "password"] {
        let found = searched.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "'{secret}' is in the archive");
    }
}

#[test]
fn the_key_is_the_archives_own_until_it_is_pinned() {
    let (world, _) = sent(8);
    let archive = exported(&world);
    let shown = world.ask(&Query::EvidenceKey {}).expect("the agent has a key");
    let result = |key: Option<&str>| {
        let verdict = verify_evidence(&archive, key);
        assert_eq!(verdict["key"], shown["fingerprint"]);
        let findings = verdict["findings"].as_array().expect("findings").clone();
        findings.iter().find(|one| one["check"] == "key").expect("it speaks of the key")["result"].clone()
    };
    let fingerprint = shown["fingerprint"].as_str().expect("text");
    assert_eq!(result(None), "note");
    assert_eq!(result(Some(fingerprint)), "holds");
    assert_eq!(result(shown["thumbprint"].as_str()), "holds");
    assert_eq!(result(Some(&fingerprint.replace(['0', '1'], "2"))), "fails");
    assert!(VerifyingKey::from_jwk(&shown["jwk"]).is_ok_and(|key| key.fingerprint() == fingerprint));
}

#[test]
fn a_report_of_an_earlier_version_is_proved_as_far_as_it_goes() {
    let (mut world, _) = world(9);
    world.run_until(at("2026-02-02T10:00:00Z"));
    let mut report = Box::new(report(&world));
    report.evidence = None;
    reporting::total(&mut report);
    let world = with_kept(&world, vec![("duty", report)]);
    let archive = exported(&world);
    assert_eq!(failing(&archive), Vec::<String>::new());
    assert!(findings(&archive).contains("note report r1: samples"));
}

#[test]
fn a_removal_is_the_same_when_its_machine_has_another_tenant_in_a_later_build() {
    let (mut world, _) = world(11);
    world.run_until(at("2026-02-03T10:00:00Z"));
    adjust(&mut world);
    let mut ordered = Box::new(report(&world));
    ordered.evidence = None;
    reporting::total(&mut ordered);
    let mut built_again = ordered.clone();
    built_again.adjustments[0].tenant = Some("another".to_owned());
    reporting::total(&mut built_again);
    let world = with_kept(&world, vec![("user:mia", ordered), ("duty", built_again)]);
    assert_eq!(failing(&exported(&world)), Vec::<String>::new());
}

#[test]
fn an_archive_of_a_very_long_license_id_can_be_read() {
    let (mut world, _) = world(12);
    world.run_until(at("2026-02-02T10:00:00Z"));
    let mut long = Box::new(report(&world));
    (long.evidence, long.license_id) = (None, Some("L".repeat(400)));
    reporting::total(&mut long);
    let world = with_kept(&world, vec![("duty", long)]);
    assert_eq!(failing(&exported(&world)), Vec::<String>::new());
}

fn place() -> Place {
    Place::Temporary { journal: "/state/journal".into() }
}

/// The world that goes on from a disk.
fn world_at(seed: u64, now: Instant, disk: SimulatedDisk) -> World {
    let mut plan = WorldPlan::small(seed, now, 6).from_files();
    plan.settings.state_dir = "/state".into();
    plan.settings.reports_dir = "/reports".into();
    World::on(plan, Arc::new(disk.clone()), place(), Some(disk))
}

/// A world whose journal holds the unit of another and these reports, by whom they were recorded.
fn with_kept(of: &World, reports: Vec<(&str, Box<UsageReport>)>) -> World {
    let unit = of.agent().store().units().expect("units").remove(0);
    let disk = SimulatedDisk::new();
    let (mut store, _) = Store::open(&place(), Arc::new(disk.clone())).expect("an empty disk");
    let kept = |(actor, report)| (actor, Fact::ReportKept { cause: ReportCause::Generated, report });
    let formed = [("duty", Fact::UnitFormed { unit })];
    for (actor, fact) in formed.into_iter().chain(reports.into_iter().map(kept)) {
        store.record(at("2026-02-01"), at("2026-02-01"), actor, &[fact]).expect("the disk is well");
    }
    drop(store);
    world_at(of.seed, at("2026-02-02T10:00:00Z"), disk)
}
