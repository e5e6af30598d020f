//! Who decides auto update, and what follows: Enterprise Manager, the retry window, a key on its way to the disk.

use std::path::{Path, PathBuf};

use tidegauge::doors::Files;
use tidegauge::license_server::{self, ContractState};
use tidegauge::protocol::PEER;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::oracle::{Given, Oracle};
use tidegauge::simulation::world::KILL_POINTS;

use super::*;

/// A server whose key expires ten days after the beginning.
fn expiring(begins: &str, expires_on: &str) -> World {
    let mut plan = calm(8, begins, 6);
    plan.servers[0].estate.license.expires_on = Some(expires_on.parse().unwrap());
    World::new(plan)
}

fn set_contract(world: &World, state: ContractState) {
    let server = world.license_server.as_ref().expect("a closed loop");
    let order = license_server::Order::SetContractState { contract_id: "C-2026-001".to_owned(), state };
    server.obey(order, "operator", world.now(), &mut SeededChance::new(1)).expect("an operator's order");
}

fn license(world: &World) -> Value {
    world.ask(&Query::License { unit: None, server: None }).expect("one unit")
}

fn sessions(world: &World) -> Vec<Value> {
    let history = world.ask(&Query::LicenseHistory { unit: None, server: None }).expect("one unit");
    history["sessions"].as_array().expect("a list").clone()
}

#[test]
fn enterprise_managers_off_wins_over_an_order_here_which_is_told_so() {
    let mut world = expiring("2026-01-20T09:30:00Z", "2026-06-30");
    world.settings.servers[0].em_auto_update = Some(false);
    world.off_until(at("2026-01-20T10:00:00Z"));
    auto_update(&mut world, false);
    let told = world.order(Order::AutoUpdate { target: Target::default(), on: true }, "mia").expect("it is kept");
    assert_eq!(told["switched"][0]["auto_update"], false);
    assert_eq!(told["switched"][0]["decided_by"], "enterprise_manager");
    let checks = sessions(&world).len();
    world.run_until(at("2026-02-15"));
    assert_silent(&world);
    assert_eq!((sessions(&world).len(), telemetry(&world).len(), sent(&world).len()), (checks, 0, 0));
    assert!(told_of(&world, "report.overdue"), "manual mode");
}

#[test]
fn enterprise_managers_on_wins_over_an_order_here() {
    let mut world = expiring("2026-01-20T09:30:00Z", "2026-06-30");
    world.settings.servers[0].em_auto_update = Some(true);
    world.off_until(at("2026-01-20T10:00:00Z"));
    let told = world.order(Order::AutoUpdate { target: Target::default(), on: false }, "mia").expect("it is kept");
    assert_eq!(told["switched"][0]["auto_update"], true);
    world.run_until(at("2026-02-15"));
    assert_silent(&world);
    assert!(sessions(&world).len() >= 3 && !telemetry(&world).is_empty());
    assert_eq!(sent(&world).len(), 1);
}

fn told_of(world: &World, event: &str) -> bool {
    !told(world, &[event]).is_empty()
}

#[test]
fn after_the_window_reporting_is_manual_with_all_that_follows() {
    let mut world = expiring("2026-03-20T09:30:00Z", "2026-03-28");
    set_contract(&world, ContractState::Suspended);
    world.run_until(at("2026-05-15"));
    check(
        &world,
        &["auto update", "notice license.auto_update", "report.overdue", "report.auto_submitted"],
        expect![[r#"
            2026-03-20 09:30  auto update on: usage reporting consented to
            2026-04-11 00:00  notice report.auto_submitted (2026-03)
            2026-04-29 00:00  auto update off: the retry window is over without a key; update the license by hand
            2026-04-29 00:00  notice license.auto_update_disabled
            2026-05-11 00:00  notice report.overdue (2026-04) (5 times)
        "#]],
    );
    let weeks: Vec<String> = telemetry(&world).iter().map(|one| one.week.to_string()).collect();
    assert_eq!(weeks.last().map(String::as_str), Some("2026-W16"), "the next was not sent before it went off");
    assert_eq!(license(&world)["next_check_at"], Value::Null);
    let retries = sessions(&world);
    assert!(retries.iter().all(|one| one["result"] == 3 || one["result"] == 2));
}

#[test]
fn a_check_that_recovers_is_told_once_and_the_failure_once_a_day() {
    let mut world = expiring("2026-03-05T09:30:00Z", "2026-03-15");
    world.wire.cut_off(PEER, at("2026-03-08")..at("2026-03-09T05:00:00Z"));
    world.run_until(at("2026-03-10"));
    check(
        &world,
        &["notice license"],
        expect![[r#"
            2026-03-08 00:00  notice license.result (result 4 (invalid answer))
            2026-03-08 00:00  notice license.expiring (2026-03-15, 7 days left)
            2026-03-09 01:02  notice license.result (result 4 (invalid answer))
            2026-03-09 05:14  notice license.recovered (result 1 (success))
        "#]],
    );
    let mut failed: Vec<Instant> = Vec::new();
    for session in sessions(&world).iter().filter(|one| one["result"] == 4) {
        assert_eq!((&session["occasion"], &session["steps"][0]), (&"scheduled".into(), &session["message"]));
        failed.push(at(session["ended_at"].as_str().expect("an instant")));
    }
    assert!(failed.len() >= 26, "{} tries", failed.len());
    for pair in failed.windows(2) {
        assert!((60..=65).contains(&(pair[1] - pair[0]).num_minutes()), "{} after {}", pair[1], pair[0]);
    }
    let installed = sessions(&world).into_iter().find(|one| one["result"] == 1).expect("a key came");
    let steps = [
        "New license key has been received",
        "New license key has been installed",
        "License key has been auto-updated",
    ];
    assert_eq!(installed["steps"], serde_json::json!(steps));
    assert_eq!(installed["result_name"], "success");
}

/// The serial in the journal, and what lies in the key file.
fn keys(world: &World) -> (Option<u64>, Option<Vec<u8>>) {
    let unit = world.agent().store().units().unwrap().remove(0).id;
    let path = PathBuf::from("/state/licenses").join(format!("{unit}.tglicense"));
    let file = world.disk.as_ref().expect("a simulated disk").read(Path::new(&path)).unwrap();
    (license(world)["installed"]["serial"].as_u64(), file)
}

/// A world with key 1 installed, and key 2 about to come at 00:00 on 2026-04-23; and the text of key 1.
fn with_a_key() -> (World, Vec<u8>) {
    let mut world = expiring("2026-03-05T09:30:00Z", "2026-03-10");
    world.run_until(at("2026-04-22T23:30:00Z"));
    let (serial, file) = keys(&world);
    assert_eq!(serial, Some(1));
    (world, file.expect("key 1 is on disk"))
}

#[test]
fn whatever_breaks_while_a_key_is_installed_exactly_one_of_the_two_is_everywhere() {
    let mut newer = 0;
    for operations in 0..8 {
        let (mut world, first) = with_a_key();
        let disk = world.disk.clone().expect("a simulated disk");
        disk.fill_after(operations);
        world.run_until(at("2026-04-23T00:00:00Z"));
        let (serial, file) = keys(&world);
        assert_eq!(
            serial == Some(1),
            file.as_deref() == Some(&first[..]),
            "full after {operations} writes: {serial:?}"
        );
        newer += usize::from(serial == Some(2));
        disk.heal();
        world.run_until(at("2026-04-25"));
        let (serial, file) = keys(&world);
        assert!(serial >= Some(2) && file.is_some_and(|file| file != first), "full after {operations} writes");
        assert_silent(&world);
    }
    assert!(newer > 0, "some came through");
    for point in KILL_POINTS {
        let (mut world, first) = with_a_key();
        world.kill_once("license", point);
        world.run_until(at("2026-04-25"));
        let (serial, file) = keys(&world);
        assert!(serial >= Some(2) && file.is_some_and(|file| file != first), "{point:?}");
        assert_silent(&world);
    }
}

#[test]
fn a_key_file_that_lags_behind_the_journal_is_written_at_the_next_start() {
    let (mut world, first) = with_a_key();
    world.disk.as_ref().unwrap().make_folder_read_only("/state/licenses".as_ref());
    world.run_until(at("2026-04-23T01:00:00Z"));
    let (serial, file) = keys(&world);
    assert_eq!((serial, file.as_deref()), (Some(2), Some(&first[..])), "recorded first");
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("cannot read or write /state/licenses/"), "{warnings}");
    world.disk.as_ref().unwrap().heal();
    world.off_until(world.now());
    let (_, file) = keys(&world);
    assert_ne!(file.as_deref(), Some(&first[..]));
    assert!(!status(&world)["warnings"].to_string().contains("/state/licenses/"));
}

fn install(world: &mut World, file: &str) -> Result<Value, tidegauge::agent::Refused> {
    world.order(Order::LicenseInstall { target: Target::default(), file: file.to_owned() }, "mia")
}

#[test]
fn a_key_installed_by_hand_is_newer_or_refused_with_a_clear_line() {
    let (mut world, first) = with_a_key();
    world.run_until(at("2026-04-23T01:00:00Z"));
    let (_, second) = keys(&world);
    let (first, second) = (String::from_utf8(first).unwrap(), String::from_utf8(second.unwrap()).unwrap());
    for (file, words) in [
        (first.as_str(), "only a newer key is installed"),
        (&second[..second.len() / 2], "no license key"),
        ("%PDF-1.7 an invoice", "no license key"),
        ("", "no license key"),
    ] {
        let refused = install(&mut world, file).expect_err("it is no newer key");
        assert_eq!((refused.code, refused.why.lines().count()), (65, 1));
        assert!(refused.why.contains(words), "{}", refused.why);
    }
    let (mut elsewhere, _) = with_a_key();
    auto_update(&mut elsewhere, false);
    let shown = install(&mut elsewhere, &second).expect("the same world's next key");
    assert_eq!(shown["changes"][0]["field"], "expiration");
    let offer = shown["offer"]["command"].as_str().expect("it is off, so it is offered");
    assert!(offer.starts_with("tidegauge license auto-update on --unit "), "{offer}");
    let last = sessions(&elsewhere).pop().expect("a session");
    assert_eq!((&last["occasion"], &last["by"]), (&"ad_hoc".into(), &"user:mia".into()));
}

#[test]
fn a_week_that_was_sealed_before_consent_paused_is_sent_until_it_is_answered() {
    let mut world = World::new(calm(8, "2026-01-10T09:30:00Z", 6));
    world.wire.cut_off(PEER, at("2026-02-01")..at("2026-02-14"));
    world.run_until(at("2026-02-09T10:00:00Z"));
    assert!(!told(&world, &["telemetry 2026-W05 sealed"]).is_empty(), "it is sealed and not answered");
    auto_update(&mut world, false);
    world.run_until(at("2026-02-09T11:00:00Z"));
    auto_update(&mut world, true);
    world.run_until(at("2026-02-25"));
    let weeks: Vec<String> = telemetry(&world).iter().map(|one| one.week.to_string()).collect();
    assert!(weeks.contains(&"2026-W05".to_owned()), "{weeks:?}");
    assert!(!weeks.contains(&"2026-W06".to_owned()), "not sealed, and before the consent in force: {weeks:?}");
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_week_that_was_sealed_is_owed_to_nobody_while_consent_is_taken_back() {
    let mut world = World::new(calm(8, "2026-01-10T09:30:00Z", 6));
    world.wire.cut_off(PEER, at("2026-02-01")..at("2026-02-14"));
    world.run_until(at("2026-02-09T10:00:00Z"));
    let was_sent = |world: &World| telemetry(world).iter().any(|one| one.week.to_string() == "2026-W05");
    let owed = |world: &World| {
        let mut oracle = Oracle::default();
        oracle.check_all_done(world.agent(), Given::Enough, world.now());
        oracle.objections().join("\n")
    };
    assert!(owed(&world).contains("setback/telemetry") && owed(&world).contains("1 sealed"), "{}", owed(&world));
    auto_update(&mut world, false);
    world.run_until(at("2026-02-25"));
    world.object_to_what_is_left();
    assert_silent(&world);
    assert!(!was_sent(&world), "nothing leaves without consent");
    assert_eq!(status(&world)["outbox"], 1);
    auto_update(&mut world, true);
    world.run_until(at("2026-02-25T01:00:00Z"));
    assert!(was_sent(&world), "with consent given again it goes at once");
}
