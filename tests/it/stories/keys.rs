//! Keys that count instances beside rental keys; month ends without a fresh sample; types that nobody knows.

use tidegauge::agent::access::By;
use tidegauge::config::{LicenseBy, MonthEnd};
use tidegauge::domain::license::{LicenseType, Measure};
use tidegauge::domain::report::CountedBy;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use super::*;

/// A rental server, and a second one under this kind of key.
fn rental_beside(kind: LicenseType) -> World {
    let mut plan = calm_vbr(17, "2026-01-10T09:30:00Z", 12);
    let mut estate = EstatePlan::new(17, "vbr02", plan.begins_at, 20);
    estate.license.kind = kind;
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    let mut world = World::new(plan);
    // The contract of the simulated provider is for rental keys.
    world.settings.servers[1].license = LicenseBy::Nobody;
    world.off_until(at("2026-01-10T09:45:00Z"));
    world
}

fn usage_of(world: &World, server: &str) -> Value {
    let query = Query::Usage { unit: None, server: Some(server.to_owned()), month: None, by: By::Type };
    world.ask(&query).expect("it was sampled")
}

#[test]
fn a_subscription_key_beside_a_rental_one_tells_instances_and_has_no_monthly_report() {
    let mut world = rental_beside(LicenseType::Subscription);
    world.run_until(at("2026-02-13"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    let unit_of = |server: &str| units.iter().find(|unit| unit.servers == [server]).unwrap().id.clone();
    let (rental, subscription) = (unit_of("vbr01"), unit_of("vbr02"));
    let reported: Vec<_> = submissions(&world).into_iter().map(|one| one.unit).collect();
    assert_eq!(reported, std::slice::from_ref(&rental), "one monthly report, of the rental key");
    let weeks = telemetry(&world);
    let of = |unit: &str| weeks.iter().filter(|week| week.unit == unit).collect::<Vec<_>>();
    assert!(of(&rental).iter().all(|week| week.counted_in == Measure::Points));
    assert!(of(&subscription).len() >= 3 && of(&subscription).iter().all(|week| week.counted_in == Measure::Instances));
    let truth = world.servers["vbr02"].estate.lock().unwrap().truth(world.now()).billable_points;
    let usage = usage_of(&world, "vbr02");
    assert_eq!((&usage["counted_in"], &usage["points"]), (&serde_json::json!("instances"), &serde_json::json!(truth)));
    assert_eq!((&usage["new_points"], &usage["rental_count"]), (&serde_json::json!("0"), &serde_json::json!(0)));
    assert!(truth < whole(30), "{truth}: instances, no points");
    let workstations = usage["groups"].as_array().unwrap().iter().find(|group| group["key"] == "Workstation").unwrap();
    let count = workstations["count"].as_u64().unwrap();
    assert_eq!(workstations["points"], count.div_ceil(3).to_string(), "{count} workstations");
    let none = Query::Report { unit: Some(subscription.clone()), server: None, month: None };
    assert!(world.ask(&none).is_err());
    let gate = Query::Gate { unit: Some(subscription), server: None, month: Some(month("2026-01")) };
    assert_ne!(world.ask(&gate).unwrap()["verdict"], "held", "no report, no gate");
}

/// A world whose only server has no fresh sample at the end of January.
fn silent_at_month_end(month_end: MonthEnd, back_at: &str) -> World {
    let mut world = World::new(calm_vbr(6, "2026-01-10T09:30:00Z", 12));
    world.settings.servers[0].month_end = month_end;
    world.off_until(at("2026-01-10T10:00:00Z"));
    world.wire.cut_off("vbr01", at("2026-01-31T03:00:00Z")..at(back_at));
    world.run_until(at("2026-02-13"));
    assert_silent(&world);
    world
}

/// What report and gate say of the server, and what telemetry says of its policy.
fn said_of_coverage(world: &World) -> (CountedBy, String) {
    let report = report(world, "2026-01");
    let [server] = report.provenance.servers.as_slice() else { panic!("one server") };
    assert!(server.complete < server.expected && server.expected == report.coverage.expected, "{server:?}");
    let document = tidegauge::rules::report_document::report_document(&report);
    assert!(document.sections.iter().any(|section| section.heading == "Coverage by server"));
    let query = Query::Gate { unit: None, server: None, month: Some(month("2026-01")) };
    let gate = world.ask(&query).unwrap();
    assert_eq!(gate["servers"][0], serde_json::to_value(server).unwrap());
    for week in telemetry(world) {
        let [told] = week.coverage_by_installation.as_slice() else { panic!("one installation") };
        assert_eq!((&told.installation, &told.month_end), (&week.installations[0], &server.month_end));
        assert_eq!((told.complete, told.expected), (week.coverage.complete, week.coverage.expected));
    }
    (server.counted_by, server.month_end.clone())
}

#[test]
fn carry_is_printed_in_report_gate_and_telemetry() {
    let world = silent_at_month_end(MonthEnd::Carry, "2026-02-02T12:00:00Z");
    assert_eq!(said_of_coverage(&world), (CountedBy::Carried, "carry".to_owned()));
    assert!(is_sent(&report(&world, "2026-01")));
}

#[test]
fn exclude_is_printed_in_report_gate_and_telemetry_and_keeps_the_report_for_a_person() {
    let world = silent_at_month_end(MonthEnd::Exclude, "2026-02-02T12:00:00Z");
    assert_eq!(said_of_coverage(&world), (CountedBy::Excluded, "exclude".to_owned()));
    assert!(!is_sent(&report(&world, "2026-01")));
}

#[test]
fn wait_takes_a_sample_that_comes_in_time_and_carries_when_none_does() {
    let until = MonthEnd::Wait(chrono::NaiveTime::from_hms_opt(18, 0, 0).unwrap());
    let in_time = silent_at_month_end(until, "2026-02-01T05:00:00Z");
    let waited = report(&in_time, "2026-01");
    let [server] = waited.provenance.servers.as_slice() else { panic!("one server") };
    assert_eq!((server.counted_by, server.month_end.as_str()), (CountedBy::Fresh, "wait:18:00"));
    assert!(waited.generated_at < at("2026-02-01T18:00:00Z"), "{}", waited.generated_at);
    let never = silent_at_month_end(until, "2026-02-02T12:00:00Z");
    assert_eq!(said_of_coverage(&never), (CountedBy::Carried, "wait:18:00".to_owned()));
    assert_eq!(report(&never, "2026-01").generated_at, at("2026-02-01T18:00:00Z"));
}

#[test]
fn wait_takes_a_sample_that_is_later_than_the_age_of_a_basis() {
    let mut plan = calm_vbr(31, "2026-01-10T09:30:00Z", 8);
    plan.settings.basis_max_age = chrono::TimeDelta::hours(4);
    let mut world = World::new(plan);
    world.settings.servers[0].month_end = MonthEnd::Wait(chrono::NaiveTime::from_hms_opt(18, 0, 0).unwrap());
    world.off_until(at("2026-01-10T09:30:00Z"));
    world.wire.cut_off("vbr01", at("2026-01-31T10:00:00Z")..at("2026-02-01T09:00:00Z"));
    world.run_until(at("2026-02-02"));
    let waited = report(&world, "2026-01");
    let [server] = waited.provenance.servers.as_slice() else { panic!("one server") };
    assert_eq!(server.counted_by, CountedBy::Fresh);
    assert!(waited.generated_at < at("2026-02-01T18:00:00Z"), "{}", waited.generated_at);
}

#[test]
fn a_file_from_soon_after_a_months_end_builds_its_unsent_report_again() {
    let mut world = World::new(calm_vbr(32, "2026-01-10T09:30:00Z", 8));
    world.wire.cut_off("vbr01", at("2026-01-31T03:00:00Z")..at("2026-02-05"));
    world.run_until(at("2026-02-02"));
    let counted_by = |world: &World| report(world, "2026-01").provenance.servers[0].counted_by;
    assert_eq!(counted_by(&world), CountedBy::Carried);
    let sample = world.servers["vbr01"].estate.lock().unwrap().snapshot(at("2026-02-01T00:30:00Z"));
    let text = tidegauge::sources::snapshot_file::to_json(&sample).to_string();
    world.order(Order::ImportSamples { file: "s.json".to_owned(), text }, "mia").expect("a good snapshot");
    assert_eq!(counted_by(&world), CountedBy::Fresh);
    assert_eq!(told(&world, &["report.late_sample"]).lines().count(), 1, "and people are told");
}

#[test]
fn mapping_an_unknown_type_rates_the_kept_days_again_and_leaves_sent_reports_alone() {
    let mut world = World::new(calm(21, "2026-01-10T09:30:00Z", 6));
    world.run_until(at("2026-01-20T12:00:00Z"));
    world.off_until(at("2026-01-20T12:00:00Z"));
    let snapshot = |taken_at: &str| {
        let mut sample = world.servers["vbr01"].estate.lock().unwrap().snapshot(at(taken_at));
        let mut workload = sample.workloads[0].clone();
        workload.id = "zz-cloud".to_owned();
        workload.points = None;
        workload.kind = WorkloadType::Other("AwsEc2Next".to_owned());
        workload.platform = Some("AwsEc2Next".to_owned());
        workload.first_processed_at = Some(at("2025-06-01"));
        sample.workloads.change(|workloads| workloads.push(workload));
        sample.server = "vbr09".to_owned();
        sample.license.license_id = Some("own".to_owned());
        tidegauge::sources::snapshot_file::to_json(&sample).to_string()
    };
    for text in ["2026-01-18T10:00:00Z", "2026-01-19T10:00:00Z"].map(snapshot) {
        world.order(Order::ImportSamples { file: "s.json".to_owned(), text }, "mia").expect("good snapshots");
    }
    let marks = |world: &World| -> Vec<Points> {
        let unit = world.agent().store().unit_of("vbr09").unwrap().unwrap();
        let day = |text: &str| text.parse().unwrap();
        let days = world.agent().store().days(&unit, day("2026-01-18"), day("2026-01-19")).unwrap();
        days.iter().map(|day| day.mark.points).collect()
    };
    let before = marks(&world);
    let unknown = status(&world)["unknown_types"].clone();
    assert_eq!((&unknown[0]["type"], &unknown[0]["count"]), (&"AwsEc2Next".into(), &1.into()), "{unknown}");
    assert_eq!(unknown[0]["since"], "2026-01-18T10:00:00Z");
    assert_eq!(unknown[0]["map_with"], "[[map]]\nplatform = \"AwsEc2Next\"\ntype = \"VM\" # or what it is");
    world.settings.rating.mapping = [("AwsEc2Next".to_owned(), WorkloadType::CloudVm)].into();
    world.off_until(at("2026-01-20T13:00:00Z"));
    world.run_until(at("2026-01-20T13:00:00Z"));
    let after = marks(&world);
    assert_eq!(after, before.iter().map(|points| *points + whole(11)).collect::<Vec<_>>(), "both kept days follow");
    assert_eq!(status(&world)["unknown_types"], serde_json::json!([]));
    world.agent().store().verify().expect("the state is what follows from the journal, rated so");
    world.settings.rating.mapping.clear();
    world.off_until(at("2026-01-20T14:00:00Z"));
    world.run_until(at("2026-01-20T14:00:00Z"));
    assert_eq!(marks(&world), before, "and back");
}
