//! Renewal: keys, retries, the window's end, and what the contract says.

use tidegauge::config::LicenseBy;
use tidegauge::license_server::{self, ContractState};
use tidegauge::protocol::PEER;
use tidegauge::simulation::chance::SeededChance;

use super::*;

/// A server whose key expires on 2026-03-15.
fn expiring() -> World {
    let mut plan = calm(8, "2026-01-20T09:30:00Z", 12);
    plan.servers[0].estate.license.expires_on = Some("2026-03-15".parse().unwrap());
    World::new(plan)
}

fn operate(world: &World, order: license_server::Order) {
    let server = world.license_server.as_ref().expect("a closed loop");
    server.obey(order, "operator", world.now(), &mut SeededChance::new(1)).expect("an operator's order");
}

fn set_contract(world: &World, state: ContractState) {
    let contract_id = "C-2026-001".to_owned();
    operate(world, license_server::Order::SetContractState { contract_id, state });
}

fn license(world: &World) -> Value {
    world.ask(&Query::License { unit: None, server: None }).expect("one unit")
}

#[test]
fn a_key_is_renewed_in_the_last_week_of_its_term_each_time() {
    let mut world = expiring();
    world.run_until(at("2026-06-10"));
    check(
        &world,
        &["license key", "license check: result 1", "auto update"],
        expect![[r#"
        2026-01-20 09:30  auto update on: usage reporting consented to
        2026-01-20 09:30  license check: result 2 (Your existing license key is up to date) (7 times)
        2026-03-08 00:00  license key 1 installed, valid to 2026-04-30
        2026-03-08 00:00  license check: result 1 (New license key has been received)
        2026-03-15 00:00  license check: result 2 (Your existing license key is up to date) (6 times)
        2026-04-23 00:00  license key 2 installed, valid to 2026-05-31
        2026-04-23 00:00  license check: result 1 (New license key has been received)
        2026-04-30 00:00  license check: result 2 (Your existing license key is up to date) (4 times)
        2026-05-24 00:00  license key 3 installed, valid to 2026-06-30
        2026-05-24 00:00  license check: result 1 (New license key has been received)
        2026-05-31 00:00  license check: result 2 (Your existing license key is up to date) (2 times)
    "#]],
    );
    assert_eq!(license(&world)["license"]["expires_on"], "2026-06-30");
    assert_eq!(license(&world)["auto_update"], true);
}

#[test]
fn an_expired_contract_is_asked_daily_until_the_window_is_over_and_auto_update_goes_off() {
    let mut world = expiring();
    set_contract(&world, ContractState::Expired);
    world.run_until(at("2026-05-12"));
    check(
        &world,
        &["license check: result", "auto update"],
        expect![[r#"
        2026-01-20 09:30  auto update on: usage reporting consented to
        2026-01-20 09:30  license check: result 3 (Your contract has expired, so the license key cannot be updated automatically (86 times)
        2026-04-16 00:00  auto update off: the retry window is over without a key; update the license by hand
    "#]],
    );
    assert_eq!(license(&world)["auto_update"], false);
    let on = Order::AutoUpdate { target: Target::default(), on: true };
    let refused = world.order(on, "admin").expect_err("it would go off at the next look");
    let why = "auto update of vbr01 stays off: the retry window ended on 2026-04-15; run `license update` or `license \
               install FILE` first";
    assert_eq!((refused.code, refused.why.as_str()), (65, why));
    assert!(!is_sent(&report(&world, "2026-04")), "with auto update off reporting is manual");
    assert!(is_sent(&report(&world, "2026-02")));
}

#[test]
fn a_terminated_contract_switches_auto_update_off_at_once() {
    let mut world = expiring();
    world.run_until(at("2026-01-28"));
    set_contract(&world, ContractState::Terminated);
    world.run_until(at("2026-02-13"));
    check(
        &world,
        &["license check", "auto update"],
        expect![[r#"
        2026-01-20 09:30  auto update on: usage reporting consented to
        2026-01-20 09:30  license check: result 2 (Your existing license key is up to date) (2 times)
        2026-02-03 09:30  license check: result 5 (Your contract has been terminated, so automatic license update has been disab
        2026-02-03 09:30  auto update off: Your contract has been terminated, so automatic license update has been disabled
    "#]],
    );
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn a_revoked_key_is_said_once_and_not_asked_for_again_until_a_person_orders_it() {
    let mut world = expiring();
    world.run_until(at("2026-03-20"));
    let unit = world.agent().store().units().unwrap().remove(0).id;
    operate(&world, license_server::Order::RevokeKey { unit, why: "unpaid".to_owned() });
    world.run_until(at("2026-03-27T08:00:00Z"));
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("the key is revoked; ask its issuer"), "{warnings}");
    assert_eq!(license(&world)["eligibility"]["reason"], "revoked");
    let target = Target::default();
    world.order(Order::LicenseUpdate { target }, "mia").expect("a person may always ask");
    world.run_until(at("2026-06-05"));
    check(
        &world,
        &["license check: result 3", "license.result", "auto update off"],
        expect![[r#"
        2026-03-08 00:00  notice license.result (result 1 (success))
        2026-03-22 00:00  license check: result 3 (Your license key has been revoked. Please contact the issuer of the key.)
        2026-03-22 00:00  notice license.result (result 3 (failed to generate))
        2026-03-27 08:00  license check: result 3 (Your license key has been revoked. Please contact the issuer of the key.)
        2026-03-27 08:00  notice license.result (result 3 (failed to generate))
        2026-05-31 00:00  auto update off: the retry window is over without a key; update the license by hand
    "#]],
    );
}

#[test]
fn an_unreachable_license_server_is_asked_hourly_within_the_window() {
    let mut world = expiring();
    world.wire.cut_off(PEER, at("2026-03-14")..at("2026-03-16T05:00:00Z"));
    set_contract(&world, ContractState::Suspended);
    world.run_until(at("2026-03-15"));
    set_contract(&world, ContractState::Active);
    world.run_until(at("2026-03-18"));
    assert_silent(&world);
    let tries = told(&world, &["license check: result 4"]).lines().count();
    assert!((30..=60).contains(&tries), "{tries} tries");
    assert_eq!(license(&world)["license"]["expires_on"], "2026-04-30");
}

#[test]
fn a_second_order_while_the_first_is_under_way_is_refused_and_takes_nothing_over() {
    let mut world = expiring();
    world.run_until(at("2026-01-22"));
    let update = Order::LicenseUpdate { target: Target::default() };
    let [first, second] = world.orders_at_once(&update, ["mia", "noa"]);
    first.expect("the server answers");
    assert_eq!(second.expect_err("it is under way").code, 75);
    assert_eq!(license(&world)["last_check"]["by"], "user:mia");
    assert_eq!(license(&world)["last_check"]["occasion"], "by_hand");
}

#[test]
fn a_unit_that_nobody_renews_has_its_servers_license_and_takes_no_order_about_its_key() {
    let mut world = expiring();
    world.run_until(at("2026-03-10"));
    assert_eq!(license(&world)["license"]["expires_on"], "2026-04-30");
    world.settings.servers[0].license = LicenseBy::Nobody;
    world.off_until(at("2026-03-10T10:00:00Z"));
    assert_eq!(license(&world)["license"]["expires_on"], "2026-03-15", "the key that was installed governs no more");
    let target = Target::default;
    let orders =
        [Order::LicenseUpdate { target: target() }, Order::LicenseInstall { target: target(), file: String::new() }];
    for order in orders {
        let refused = world.order(order, "mia").expect_err("the settings say none");
        assert_eq!((refused.code, refused.why.contains("`license` of vbr01")), (78, true), "{}", refused.why);
    }
}

#[test]
fn a_key_that_is_not_renewed_has_no_next_check() {
    let mut world = expiring();
    world.run_until(at("2026-03-10"));
    let unit = world.agent().store().units().unwrap().remove(0).id;
    operate(&world, license_server::Order::RevokeKey { unit, why: "unpaid".to_owned() });
    world.run_until(at("2026-04-25"));
    assert_eq!(license(&world)["eligibility"]["reason"], "revoked");
    assert_eq!(license(&world)["next_check_at"], Value::Null);
    let forecast = world.ask(&Query::LicenseForecast { unit: None, server: None }).expect("one unit");
    let kinds: Vec<&str> =
        forecast["calendar"].as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str()).collect();
    assert!(kinds.contains(&"auto_update_off"), "{kinds:?}");
    assert!(!kinds.contains(&"checks_daily") && !kinds.contains(&"retry_window"), "{kinds:?}");
}

#[test]
fn a_key_under_enterprise_manager_goes_off_once_and_not_in_circles() {
    let mut world = expiring();
    world.settings.servers[0].em_auto_update = Some(true);
    world.off_until(at("2026-01-20T10:00:00Z"));
    set_contract(&world, ContractState::Expired);
    world.run_until(at("2026-04-20"));
    assert_silent(&world);
    assert_eq!(told(&world, &["auto update off"]).lines().count(), 1);
}
