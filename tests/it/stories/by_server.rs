//! Servers that renew their license themselves when they are asked: `license = "backup_server"`.

use tidegauge::domain::license::License;
use tidegauge::rules::license_results::{CONTRACT_TERMINATED, GENERAL_ERROR};
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::vbr::{Fault, Issuer, key_file};
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use super::*;

const UPDATE: &str = "/api/v1/license/update";

/// One server whose key expires on that day, beside the vendor: no License Update Server, no enrolment.
fn beside_the_vendor(expires_on: &str) -> World {
    let mut plan = calm_vbr(8, "2026-01-20T09:30:00Z", 12).renewed_by_servers();
    plan.closed_loop = false;
    plan.servers[0].estate.license.expires_on = Some(expires_on.parse().unwrap());
    let mut world = World::new(plan);
    auto_update(&mut world, true);
    world
}

fn asked(world: &World, server: &str) -> u32 {
    world.servers[server].vbr.asked().get(UPDATE).copied().unwrap_or(0)
}

fn expires_on(world: &World) -> Value {
    world.ask(&Query::License { unit: None, server: None }).expect("one unit")["license"]["expires_on"].clone()
}

fn says(world: &World, server: &str, words: &str) {
    let words = words.to_owned();
    world.servers[server].vbr.set_issuer(Issuer::Says { words, is_successful: false });
}

fn install(world: &mut World, file: &str) -> Result<Value, tidegauge::agent::Refused> {
    world.order(Order::LicenseInstall { target: Target::default(), file: file.to_owned() }, "admin")
}

#[test]
fn a_server_is_asked_weekly_and_daily_before_the_end_and_renews_itself_beside_the_vendor() {
    let mut world = beside_the_vendor("2026-03-15");
    world.run_until(at("2026-05-10"));
    check(
        &world,
        &["license check", "auto update", "license.result"],
        expect![[r#"
        2026-01-20 09:30  auto update on: usage reporting consented to
        2026-01-20 09:30  license check of vbr01: result 2 (Veeam Backup and Replication: License key is up-to-date) (7 times)
        2026-03-08 00:00  license check of vbr01: result 1 (New license key has been received)
        2026-03-08 00:00  notice license.result (result 1 (success))
        2026-03-15 00:00  license check of vbr01: result 2 (Veeam Backup and Replication: License key is up-to-date) (6 times)
        2026-04-23 00:00  license check of vbr01: result 1 (New license key has been received)
        2026-04-23 00:00  notice license.result (result 1 (success))
        2026-04-30 00:00  license check of vbr01: result 2 (Veeam Backup and Replication: License key is up-to-date) (2 times)
    "#]],
    );
    assert_eq!(expires_on(&world), "2026-05-31");
    assert_eq!(world.servers["vbr01"].vbr.open_tokens(), 0, "every session was closed");
}

#[test]
fn a_renewal_while_the_license_block_names_no_edition_leaves_new_machines_their_weights() {
    let mut world = beside_the_vendor("2026-03-15");
    world.run_until(at("2026-03-08T00:30:00Z"));
    world.servers["vbr01"].vbr.set_faults(&[Fault::NoLicense]);
    world.order(Order::LicenseUpdate { target: Target::default() }, "mia").expect("it is asked");
    world.run_until(at("2026-03-09"));
    let seen: License = world.agent().store().row("license_seen/vbr01").unwrap().expect("it was seen");
    assert_eq!((seen.edition.as_deref(), seen.expires_on), (Some("EnterprisePlus"), None), "the block said nothing");
    let newest = world.agent().store().newest_sample("vbr01", world.now()).unwrap().unwrap();
    assert_eq!(newest.sample.license.edition.as_deref(), Some("EnterprisePlus"));
    assert_silent(&world);
}

/// In the closed loop: January was lowered by half and sent, so the gate holds from the 11th on.
fn held(expires: &str) -> World {
    let mut plan = calm_vbr(1, "2026-01-20T09:30:00Z", 40).renewed_by_servers();
    plan.servers[0].estate.license.expires_on = Some(expires.parse().unwrap());
    let mut world = World::new(plan);
    world.run_until(at("2026-02-03T10:00:00Z"));
    super::adjusting::adjust(&mut world, "2026-01", 20);
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world
}

#[test]
fn a_held_gate_keeps_the_server_from_being_asked_until_it_opens_and_then_it_renews_itself() {
    let mut world = held("2026-02-20");
    let asked_before = asked(&world, "vbr01");
    world.run_until(at("2026-02-16T12:00:00Z"));
    assert_eq!(asked(&world, "vbr01"), asked_before, "a held gate is not asked through");
    let (code, why) = match world.order(Order::LicenseUpdate { target: Target::default() }, "mia") {
        Ok(shown) => panic!("asked through a held gate: {shown}"),
        Err(refused) => (refused.code, refused.why),
    };
    assert_eq!((code, why.contains("license gate")), (5, true), "{why}");
    let order = Order::Justify { target: target("2026-01"), reason: "a customer left".to_owned() };
    world.order(order, "mia").expect("a reason is given");
    world.run_until(at("2026-02-18"));
    check(
        &world,
        &["gate", "license check", "justified"],
        expect![[r#"
        2026-01-20 09:30  gate of 2025-12: undetermined
        2026-01-20 09:30  license check of vbr01: result 2 (Veeam Backup and Replication: License key is up-to-date) (3 times)
        2026-02-10 09:30  gate of 2026-01: held
        2026-02-10 09:30  notice gate.held (2026-01)
        2026-02-10 09:30  setback: the gate holds: the report of 2026-01 is 205 points below the highest watermark (tolerance 82 (7 times)
        2026-02-16 12:00  report 2026-01 justified: a customer left
        2026-02-16 12:00  gate of 2026-01: open
        2026-02-16 12:00  notice gate.opened (2026-01)
        2026-02-16 12:00  license check of vbr01: result 1 (New license key has been received)
    "#]],
    );
    assert_eq!(expires_on(&world), "2026-03-31");
}

#[test]
fn while_the_gate_is_held_the_server_is_asked_from_the_day_before_its_key_ends() {
    let mut world = held("2026-02-20");
    let asked_before = asked(&world, "vbr01");
    world.run_until(at("2026-02-18T23:59:00Z"));
    assert_eq!(asked(&world, "vbr01"), asked_before);
    world.run_until(at("2026-02-19T00:00:00Z"));
    assert_eq!((asked(&world, "vbr01"), expires_on(&world)), (asked_before + 1, Value::from("2026-03-31")));
    assert_silent(&world);
}

#[test]
fn without_a_key_the_server_is_asked_daily_until_the_window_is_over_and_auto_update_goes_off() {
    let mut world = beside_the_vendor("2026-02-15");
    says(&world, "vbr01", &format!("Veeam Backup and Replication:\n {GENERAL_ERROR}"));
    world.run_until(at("2026-04-01"));
    check(
        &world,
        &["license check", "auto update"],
        expect![[r#"
        2026-01-20 09:30  auto update on: usage reporting consented to
        2026-01-20 09:30  license check of vbr01: result 3 (Veeam Backup and Replication: General license key generation error h (55 times)
        2026-03-16 00:00  auto update off: the retry window of vbr01 is over without a key; update its license by hand
    "#]],
    );
    let license = world.ask(&Query::License { unit: None, server: None }).expect("one unit");
    assert_eq!((&license["auto_update"], &license["next_check_at"]), (&Value::Bool(false), &Value::Null));
    let on = Order::AutoUpdate { target: Target::default(), on: true };
    let refused = world.order(on.clone(), "admin").expect_err("it would go off at the next look");
    assert!(refused.code == 65 && refused.why.contains("the retry window ended on 2026-03-15"), "{}", refused.why);
    let shown = install(&mut world, &key_file("2026-06-30".parse().unwrap())).expect("a good key");
    assert!(shown["offer"]["command"].as_str().is_some_and(|line| line.contains("auto-update on")), "{shown}");
    world.order(on, "admin").expect("the key has a window ahead");
}

#[test]
fn a_terminated_contract_switches_auto_update_off_at_once_in_whatever_words() {
    for words in [CONTRACT_TERMINATED, "Veeam Backup and Replication:\n The contract 01234567 was terminated."] {
        let mut world = beside_the_vendor("2026-03-15");
        world.run_until(at("2026-01-28"));
        says(&world, "vbr01", words);
        world.run_until(at("2026-02-13"));
        assert_silent(&world);
        assert_eq!(told(&world, &["license check of vbr01: result 5"]).lines().count(), 1, "{words}");
        assert_eq!(told(&world, &["auto update off"]).lines().count(), 1, "{words}");
    }
}

#[test]
fn a_server_that_calls_its_key_invalid_in_its_own_words_shows_an_invalid_license() {
    let mut world = beside_the_vendor("2026-03-15");
    says(&world, "vbr01", "Veeam Backup and Replication:\n License key is invalid");
    world.run_until(at("2026-03-09"));
    let license = world.ask(&Query::License { unit: None, server: None }).expect("one unit");
    assert_eq!((&license["state"], &license["last_check"]["result"]), (&"invalid".into(), &3.into()));
    world.servers["vbr01"].vbr.set_issuer(Issuer::GivesAndFails { expires_on: "2026-04-30".parse().unwrap() });
    world.run_until(at("2026-03-11"));
    let license = world.ask(&Query::License { unit: None, server: None }).expect("one unit");
    assert_eq!(license["state"], "valid");
}

#[test]
fn a_terminated_contract_under_enterprise_manager_is_said_once_and_not_asked_about_again() {
    let mut world = beside_the_vendor("2026-03-15");
    world.settings.servers[0].em_auto_update = Some(true);
    world.off_until(at("2026-01-20T10:00:00Z"));
    says(&world, "vbr01", CONTRACT_TERMINATED);
    world.run_until(at("2026-02-20"));
    assert_silent(&world);
    assert_eq!(told(&world, &["auto update off"]).lines().count(), 1);
    assert_eq!(asked(&world, "vbr01"), 1);
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_again_every_hour() {
    let mut world = beside_the_vendor("2026-03-15");
    world.wire.cut_off("vbr01", at("2026-03-08")..at("2026-03-08T05:30:00Z"));
    world.run_until(at("2026-03-09"));
    check(
        &world,
        &["license check of vbr01: result 4", "license check of vbr01: result 1", "notice server."],
        expect![[r#"
            2026-03-08 00:00  license check of vbr01: result 4 (vbr01 /swagger: not reachable: vbr01: connection refused; check that (3 times)
            2026-03-08 03:06  notice server.unreachable (vbr01)
            2026-03-08 03:11  license check of vbr01: result 4 (vbr01 /swagger: not reachable: vbr01: connection refused; check that (3 times)
            2026-03-08 06:20  license check of vbr01: result 1 (New license key has been received)
            2026-03-08 06:46  notice server.recovered (vbr01)
        "#]],
    );
    assert_eq!(expires_on(&world), "2026-04-30");
}

#[test]
fn an_answer_that_is_lost_is_found_in_the_servers_license() {
    let mut world = beside_the_vendor("2026-03-15");
    let expires_on = "2026-04-30".parse().unwrap();
    world.servers["vbr01"].vbr.set_issuer(Issuer::GivesAndFails { expires_on });
    world.run_until(at("2026-01-21"));
    check(
        &world,
        &["license check"],
        expect![[r#"
            2026-01-20 09:30  license check of vbr01: result 1 (the license is renewed, and the server's answer was lost (vbr01 /api
        "#]],
    );
}

#[test]
fn two_servers_under_one_key_have_a_session_each_and_one_that_fails_loses_nothing_of_the_other() {
    let mut plan = calm_vbr(9, "2026-01-10T09:30:00Z", 10);
    let mut estate = EstatePlan::new(9, "vbr02", plan.begins_at, 10);
    estate.license.license_id.clone_from(&plan.servers[0].estate.license.license_id);
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    plan.servers.iter_mut().for_each(|server| server.estate.license.expires_on = Some("2026-03-15".parse().unwrap()));
    let mut world = World::new(plan.renewed_by_servers());
    world.run_until(at("2026-03-07T12:00:00Z"));
    world.servers["vbr02"].vbr.set_faults(&[Fault::OtherPassword]);
    world.run_until(at("2026-03-10T12:00:00Z"));
    world.servers["vbr02"].vbr.set_faults(&[]);
    world.run_until(at("2026-03-13"));
    let results = ["vbr01: result 1", "vbr01: result 4", "vbr02: result 1", "vbr02: result 4"];
    check(
        &world,
        &results,
        expect![[r#"
            2026-03-08 09:30  license check of vbr01: result 1 (New license key has been received)
            2026-03-08 09:30  license check of vbr02: result 4 (vbr02: login refused (HTTP 401, "Authentication failed"); check user (3 times)
            2026-03-11 09:39  license check of vbr02: result 1 (New license key has been received)
        "#]],
    );
    let history = world.ask(&Query::LicenseHistory { unit: None, server: None }).expect("one unit");
    let of = |server: &str| {
        let sessions = history["sessions"].as_array().expect("sessions").iter();
        sessions.filter(|session| session["server"] == server).count()
    };
    assert!(of("vbr01") > 5 && of("vbr02") > 5, "{history:#}");
}

#[test]
fn a_key_file_is_installed_on_the_server_and_a_bad_one_leaves_the_old_key() {
    let mut world = beside_the_vendor("2026-03-15");
    let refused = install(&mut world, "nonsense").expect_err("no key file");
    assert_eq!(refused.code, 65);
    expect!["vbr01: License key is invalid; the license that was installed stays"].assert_eq(&refused.why);
    assert_eq!(expires_on(&world), "2026-03-15");
    let shown = install(&mut world, &key_file("2026-06-30".parse().unwrap())).expect("a good key");
    assert_eq!(shown["license"]["expires_on"], "2026-06-30");
    assert_eq!(shown["last_check"]["by"], "user:admin");
    world.wire.cut_off("vbr01", world.now()..at("2026-01-21"));
    assert_eq!(install(&mut world, "anything").expect_err("nobody there").code, 69);
    let refused = world.order(Order::LicenseUpdate { target: Target::default() }, "admin").expect_err("nobody there");
    assert_eq!(refused.code, 69);
    assert_silent(&world);
}
