//! A license that nobody renews, and a limit that usage outgrows: what people are told, and what is shown meanwhile.

use tidegauge::domain::license::LicenseType;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use super::*;

fn license(world: &World) -> Value {
    world.ask(&Query::License { unit: None, server: None }).expect("one unit")
}

fn warnings(world: &World) -> String {
    let status = status(world);
    let warnings = status["warnings"].as_array().expect("warnings are a list");
    warnings.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

/// A server with a key of this type to 2026-03-15, that nobody renews here.
fn expiring(kind: LicenseType) -> World {
    let mut plan = calm(8, "2026-02-01T09:30:00Z", 6);
    plan.closed_loop = false;
    plan.servers[0].estate.license.kind = kind;
    plan.servers[0].estate.license.expires_on = Some("2026-03-15".parse().unwrap());
    World::new(plan)
}

/// Two servers under one key whose limit they exceed together, and the first one alone does not.
fn over_together() -> World {
    let mut plan = calm_vbr(8, "2026-02-01T09:30:00Z", 12);
    plan.closed_loop = false;
    let mut estate = EstatePlan::new(9, "vbr02", plan.begins_at, 12);
    estate.license.license_id.clone_from(&plan.servers[0].estate.license.license_id);
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    for server in &mut plan.servers {
        (server.estate.appear, server.estate.stop, server.estate.revoke) = (0, 0, 0);
    }
    let alone = Estate::new(plan.servers[0].estate.clone()).truth(plan.begins_at).billable_points;
    for server in &mut plan.servers {
        server.estate.license.licensed_points = Some(alone + whole(1));
    }
    World::new(plan)
}

#[test]
fn a_server_that_falls_silent_ends_no_overage_and_begins_none_anew() {
    let mut world = over_together();
    world.wire.cut_off("vbr02", at("2026-02-10")..at("2026-02-14"));
    world.run_until(at("2026-02-09"));
    let before = license(&world)["overage"].clone();
    assert!(before["exceeded_since"].is_string() && before["band"] == "over", "{before}");
    world.run_until(at("2026-02-12"));
    assert_eq!(license(&world)["overage"]["exceeded_since"], before["exceeded_since"]);
    world.run_until(at("2026-02-16"));
    assert_silent(&world);
    assert_eq!(license(&world)["overage"]["tolerated_through"], before["tolerated_through"]);
    assert_eq!(told(&world, &["license.limit_kept"]), "");
}

const TELLINGS: [&str; 6] =
    ["license.expiring", "license.grace", "license.in_grace", "license.processing", "license.support", "license.limit"];

#[test]
fn a_rental_key_that_nobody_renews_is_told_for_seven_days_and_sixty_days_of_grace() {
    let mut world = expiring(LicenseType::Rental);
    world.run_until(at("2026-03-10"));
    assert_eq!(license(&world)["state"], "warning");
    assert_eq!(license(&world)["expiration_text"], "Expiration date: 03/15/2026 (5 days left)");
    world.run_until(at("2026-03-18"));
    assert_eq!(license(&world)["state"], "expired");
    assert_eq!(license(&world)["expiration_text"], "Expiration date: 03/15/2026 (expired 3 days ago)");
    assert!(
        warnings(&world).contains("the license expired on 2026-03-15; day 3 of 60 of grace"),
        "{}",
        warnings(&world)
    );
    world.run_until(at("2026-07-01"));
    check(
        &world,
        &TELLINGS,
        expect![[r#"
        2026-03-08 00:00  notice license.expiring (2026-03-15, 7 days left) (2 times)
        2026-03-16 00:00  notice license.grace_started (grace to 2026-05-14)
        2026-03-23 00:00  notice license.in_grace (day 8 of 60) (34 times)
        2026-05-15 00:00  notice license.processing_stopped (2026-03-15)
    "#]],
    );
    let daily = told(&world, &["license.in_grace"]);
    assert_eq!(daily.lines().count(), 4 + 30, "weekly to day 30, then daily to day 60:\n{daily}");
    assert_eq!(license(&world)["state"], "error");
    assert_eq!(license(&world)["dates"]["processing_stops_at"], "2026-05-15T00:00:00Z");
    assert!(warnings(&world).contains("nothing is processed any more"), "{}", warnings(&world));
}

#[test]
fn an_evaluation_key_has_notice_and_no_grace() {
    let mut world = expiring(LicenseType::Evaluation);
    world.run_until(at("2026-04-01"));
    check(
        &world,
        &TELLINGS,
        expect![[r#"
        2026-02-13 00:00  notice license.expiring (2026-03-15, 30 days left) (5 times)
        2026-03-16 00:00  notice license.processing_stopped (2026-03-15)
    "#]],
    );
    assert_eq!(license(&world)["state"], "expired");
}

#[test]
fn an_agent_that_was_off_tells_one_thing_for_all_it_missed() {
    let mut world = expiring(LicenseType::Rental);
    world.run_until(at("2026-03-01"));
    world.off_until(at("2026-03-25T10:00:00Z"));
    world.run_until(at("2026-03-31"));
    check(
        &world,
        &TELLINGS,
        expect![[r#"
        2026-03-25 10:00  notice license.grace_started (grace to 2026-05-14)
        2026-03-30 00:00  notice license.in_grace (day 15 of 60)
    "#]],
    );
}

/// Adds so many VMs of 11 points, first backed up at the instant.
fn add_vms(world: &World, many: usize, first_at: &str) -> Vec<usize> {
    let mut estate = world.servers["vbr01"].estate.lock().unwrap();
    (0..many).map(|_| estate.add(&WorkloadType::Vm, at(first_at))).collect()
}

#[test]
fn a_limit_that_usage_outgrows_goes_through_every_band_and_back() {
    let mut plan = calm(8, "2026-01-20T09:30:00Z", 18);
    let estate = &mut plan.servers[0].estate;
    (estate.appear, estate.stop, estate.revoke) = (0, 0, 0);
    let used = Estate::new(estate.clone()).truth(at("2026-01-20T09:30:00Z")).billable_points;
    estate.license.licensed_points = Some(used);
    plan.closed_loop = false;
    let mut world = World::new(plan);
    add_vms(&world, 1, "2026-01-25T01:00:00Z");
    let mut added = add_vms(&world, 2, "2026-02-10T01:00:00Z");
    added.extend(add_vms(&world, 2, "2026-03-10T01:00:00Z"));
    world.run_until(at("2026-02-20"));
    assert_eq!(license(&world)["overage"]["band"], "silent", "{}", license(&world)["overage"]);
    assert_eq!(warnings(&world).matches("the limit of").count(), 0);
    world.run_until(at("2026-04-20"));
    let shown = license(&world);
    assert_eq!((&shown["overage"]["band"], &shown["overage"]["exceeded_by"]), (&"weekly".into(), &"55".into()));
    assert_eq!(shown["usage"]["new_last_month"], "22", "March's new points raise April's cap");
    world.run_until(at("2026-05-03"));
    let shown = license(&world);
    assert_eq!((&shown["overage"]["band"], &shown["usage"]["new_last_month"]), (&"over".into(), &"0".into()));
    assert_eq!(shown["overage"]["tolerated_through"], "2026-04-02", "sixty days from the first sample above the limit");
    let above = shown["above_the_cap"].as_array().unwrap();
    assert_eq!(above.len(), 2, "the newest are left out: {above:?}");
    assert!(above.iter().all(|one| one["first_processed_at"] == "2026-03-10T01:00:00Z"), "{above:?}");
    assert!(warnings(&world).contains("are not processed"), "{}", warnings(&world));
    let mut estate = world.servers["vbr01"].estate.lock().unwrap();
    added.into_iter().for_each(|vm| estate.revoke(vm, at("2026-05-05T12:00:00Z")));
    drop(estate);
    world.run_until(at("2026-06-01"));
    check(
        &world,
        &TELLINGS,
        expect![[r#"
        2026-03-01 02:46  notice license.limit_exceeded (by 33) (5 times)
        2026-04-05 00:00  notice license.limit_exceeded (by 55) (4 times)
        2026-05-01 00:00  notice license.limit_exceeded (by 55, 20 not processed) (5 times)
        2026-05-06 00:00  notice license.limit_kept (186 of 175)
    "#]],
    );
    assert_eq!(warnings(&world).matches("the limit of").count(), 0);
    let letters = subjects(&world).into_iter().filter(|subject| subject.contains("limit")).count();
    assert_eq!(letters, told(&world, &["license.limit"]).lines().count(), "each is mailed");
}
