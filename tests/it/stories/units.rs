//! Which servers stand under one license, and counts that a source gives without machines.

use chrono::TimeDelta;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use super::*;

/// Two servers; the second one's estate is made as if it were called so.
pub(super) fn two_servers(second_estate: &str, same_license: bool) -> World {
    let mut plan = calm_vbr(9, "2026-01-10T09:30:00Z", 10);
    let begins = plan.begins_at;
    let mut estate = EstatePlan::new(9, second_estate, begins, 10);
    if same_license {
        estate.license.license_id.clone_from(&plan.servers[0].estate.license.license_id);
    }
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    World::new(plan)
}

pub(super) fn truth_of_both(world: &World, of: &str) -> Points {
    let of = month(of);
    let truth = |server: &tidegauge::simulation::world::SimulatedServer| {
        server.estate.lock().unwrap_or_else(std::sync::PoisonError::into_inner).truth_of_report(of).billable_points
    };
    world.servers.values().map(truth).sum()
}

#[test]
fn two_servers_under_one_license_are_one_unit_with_one_watermark() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    assert_eq!(units.iter().map(|unit| unit.servers.clone()).collect::<Vec<_>>(), [["vbr01", "vbr02"]]);
    let taken = submissions(&world);
    assert_eq!((taken.len(), taken[0].total_points), (1, truth_of_both(&world, "2026-01")));
    assert_eq!(taken[0].installations.len(), 2);
    for week in telemetry(&world) {
        let highest = week.daily.iter().filter_map(|day| day.points).max();
        assert_eq!(week.points, highest);
        assert!(week.points > Some(whole(150)), "{:?} is not of both", week.points);
    }
}

#[test]
fn a_server_whose_license_changes_leaves_its_unit() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-20"));
    let other = Some("another-license".to_owned());
    world.servers["vbr02"].estate.lock().unwrap().license.license_id = other;
    world.run_until(at("2026-03-12"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    let servers: Vec<_> = units.iter().map(|unit| unit.servers.join(" ")).collect();
    assert!(servers.contains(&"vbr01".to_owned()) && servers.contains(&"vbr02".to_owned()), "{servers:?}");
    let february = report_of(&world, Some("vbr01"), "2026-02");
    assert!(is_sent(&february));
    assert!(february.lines.iter().all(|line| line.server == "vbr01"));
    assert!(!is_sent(&report_of(&world, Some("vbr02"), "2026-02")), "nobody consented for the other license");
}

#[test]
fn a_unit_whose_last_server_left_owes_nothing_further() {
    let mut world = two_servers("vbr02", false);
    world.run_until(at("2026-02-20"));
    let first = world.servers["vbr01"].estate.lock().unwrap().license.license_id.clone();
    world.servers["vbr02"].estate.lock().unwrap().license.license_id = first;
    world.run_until(at("2026-05-01"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    let left = units.iter().find(|unit| unit.servers.is_empty()).expect("one unit was left");
    let of_left: Vec<_> = telemetry(&world).into_iter().filter(|one| one.unit == left.id).map(|one| one.week).collect();
    assert_eq!(of_left.last().map(ToString::to_string), Some("2026-W08".to_owned()), "{of_left:?}");
    let months: Vec<_> =
        submissions(&world).into_iter().filter(|one| one.unit == left.id).map(|one| one.month).collect();
    assert_eq!(months, [month("2026-01")]);
}

#[test]
fn servers_that_share_a_license_by_the_settings_are_one_unit() {
    let mut world = two_servers("vbr02", false);
    world.settings.servers.iter_mut().for_each(|server| server.shared_license = Some("pool".to_owned()));
    world.off_until(world.now() + TimeDelta::minutes(10));
    world.run_until(at("2026-01-12"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    let of_both = units.iter().filter(|unit| unit.servers.len() == 2).count();
    assert_eq!(of_both, 1, "{units:?}");
}

#[test]
fn the_same_machine_on_two_servers_counts_on_each_and_is_named() {
    let mut world = two_servers("vbr01", true);
    world.run_until(at("2026-02-02"));
    assert_silent(&world);
    let report = report(&world, "2026-01");
    assert_eq!(report.total_points, truth_of_both(&world, "2026-01"));
    let named = report.workloads.iter().filter(|one| one.note.as_deref() == Some("also counted on vbr02")).count();
    assert!(named >= 9, "{named} duplicates are named");
    let duplicate = report.workloads.iter().find(|one| one.note.is_some()).expect("duplicates are named");
    let workloads = vec![format!("{}/{}", duplicate.server, duplicate.id)];
    let adjustment = AdjustmentOrder::Remove { workloads, reason: "the same machine".to_owned() };
    world
        .order(Order::Adjust { target: target("2026-01"), adjustments: vec![adjustment] }, "mia")
        .expect("an open report");
    world.order(Order::Reset { target: target("2026-01") }, "mia").expect("an open report");
    assert_eq!(super::report(&world, "2026-01").workloads, report.workloads, "resetting names them again");
}

#[test]
fn where_it_is_agreed_the_same_machine_on_two_servers_is_sent_once() {
    let mut world = two_servers("vbr01", true);
    world.settings.count_duplicates_once = true;
    world.off_until(world.now() + TimeDelta::minutes(10));
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let report = report_of(&world, Some("vbr01"), "2026-01");
    let once = report.workloads.iter().filter(|one| one.note.as_deref() == Some("counted once, on vbr01"));
    assert!(once.count() >= 9, "the second server's machines are shown and not counted");
    let names: std::collections::BTreeSet<_> =
        report.workloads.iter().filter(|one| one.counted).map(|one| &one.id).collect();
    assert_eq!(names.len(), report.workloads.iter().filter(|one| one.counted).count(), "each id once");
    let taken = submissions(&world);
    assert_eq!((taken.len(), taken[0].total_points), (1, report.total_points));
    assert!(report.total_points < truth_of_both(&world, "2026-01"));
}

/// Tenants of a Cloud Connect server, as a script counts them.
fn counts(taken_at: &str) -> String {
    serde_json::json!({
        "schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": "cc01",
        "license": {"license_id": "cc-license", "type": "Rental", "cloud_connect": true, "support_id": "01234567"},
        "counts": [
            {"tenant": "Tenant A", "type": "CloudConnectVM", "weight": "5", "used": 20, "new": 2, "rental": 1},
            {"tenant": "Tenant B", "type": "CloudConnectWorkstation", "weight": "2", "used": 7, "new": 0, "rental": 0},
        ],
    })
    .to_string()
}

#[test]
fn a_tenants_count_is_lowered_with_a_reason_and_never_raised() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 5));
    world.run_until(at("2026-02-02"));
    let import = Order::ImportSamples { file: "cc.json".to_owned(), text: counts("2026-01-31T23:30:00Z") };
    world.order(import, "mia").expect("a sample of another server");
    let cc01 = || Target { server: Some("cc01".to_owned()), month: Some(month("2026-01")), unit: None };
    world.order(Order::Generate { target: cc01() }, "mia").expect("the month has ended");
    let total = |world: &World| report_of(world, Some("cc01"), "2026-01").total_points;
    assert_eq!(total(&world), whole(20 * 5 + 7 * 2));
    let lower = |kind: WorkloadType, tenant: &str, to: u64| Order::Adjust {
        target: cc01(),
        adjustments: vec![AdjustmentOrder::Lower {
            tenant: Some(tenant.to_owned()),
            kind,
            weight: None,
            to,
            reason: "a test of the tenant".to_owned(),
        }],
    };
    world.order(lower(WorkloadType::CloudConnectVm, "Tenant A", 18), "mia").expect("two fewer");
    assert_eq!(total(&world), whole(18 * 5 + 7 * 2));
    let raised = world.order(lower(WorkloadType::CloudConnectVm, "Tenant A", 19), "mia").expect_err("never raised");
    assert!(raised.why.contains("not lower"), "{raised}");
    let agents = world.order(lower(WorkloadType::CloudConnectWorkstation, "Tenant B", 1), "mia");
    assert!(agents.expect_err("agents' counts stay").why.contains("cannot be adjusted"));
    world.order(Order::Reset { target: cc01() }, "mia").expect("an open report");
    assert_eq!(total(&world), whole(20 * 5 + 7 * 2));
    assert_silent(&world);
}
