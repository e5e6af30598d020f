//! A License Update Server that is put back to a backup: its agents send again what it lost, and no license is refused. And a
//! contract in another one's place.

use secrecy::ExposeSecret;
use tidegauge::domain::license_key::KeyFile;
use tidegauge::license_server::{self, Contract};
use tidegauge::protocol;
use tidegauge::simulation::chance::SeededChance;

use super::*;

/// A world whose License Update Server loses a month: the backup is of 20 January, the loss on 20 February.
fn forgetful(put_back_at: &str) -> World {
    let mut plan = calm(3, "2026-01-05T09:30:00Z", 40);
    plan.servers[0].estate.license.expires_on = Some("2026-02-28".parse().unwrap());
    let mut world = World::new(plan);
    world.run_until(at("2026-01-20"));
    let backup = world.back_up_far_side().expect("a closed loop");
    world.run_until(at(put_back_at));
    world.put_far_side_back(backup);
    world
}

fn installed(world: &World) -> KeyFile {
    let unit = world.agent().store().units().unwrap().remove(0).id;
    let path = format!("/state/licenses/{unit}.tglicense");
    let files = world.disk.as_ref().expect("a simulated disk").files();
    let (_, text) = files.into_iter().find(|(at, _)| at.display().to_string() == path).expect("a key file");
    let server = world.license_server.as_ref().expect("a closed loop").verifying_key();
    protocol::read_key(std::str::from_utf8(&text).unwrap(), &server).expect("a key of this server")
}

fn state_of_january(world: &World) -> String {
    let query = Query::Telemetry { unit: None, server: None, after: None, limit: None };
    let list = world.ask(&query).expect("one unit");
    let messages = list["messages"].as_array().expect("a list");
    let report = messages.iter().find(|message| message["period"] == "2026-01").expect("it was sealed");
    report["state"].as_str().expect("a word").to_owned()
}

#[test]
fn what_a_server_lost_is_sent_again_byte_for_byte_and_its_license_is_renewed() {
    let mut world = forgetful("2026-02-20T12:00:00Z");
    let before = (submissions(&world).len(), telemetry(&world).len());
    assert!(submissions(&world).is_empty() && telemetry(&world).len() < 4, "the report and weeks are gone: {before:?}");
    let report_before = report(&world, "2026-01");
    world.run_until(at("2026-03-02"));
    let sent: Vec<Month> = submissions(&world).iter().map(|submission| submission.month).collect();
    assert_eq!(sent, [month("2026-01")]);
    assert_eq!(report(&world, "2026-01"), report_before, "nothing of the report changed here");
    let weeks: Vec<String> = telemetry(&world).iter().map(|one| one.week.to_string()).collect();
    assert!(weeks.is_sorted() && weeks.len() >= 7, "{weeks:?}");
    assert_eq!(installed(&world).expires_on, "2026-03-31".parse().unwrap());
    let lines = told(&world, &["no more: it is sent again", "was taken again"]);
    assert!(lines.contains("the server has report 2026-01 no more"), "{lines}");
    assert_eq!(lines.matches("no more").count(), lines.matches("taken again").count(), "{lines}");
    world.object_to_what_is_wrong();
    assert_silent(&world);
}

#[test]
fn a_key_that_a_server_issued_and_forgot_is_renewed_all_the_same() {
    let mut world = forgetful("2026-02-27T12:00:00Z");
    let serial = installed(&world).serial;
    world.run_until(at("2026-04-02"));
    let key = installed(&world);
    assert!(key.serial > serial && key.expires_on == "2026-04-30".parse().unwrap(), "{key:?}");
    assert_eq!(told(&world, &["License key is invalid"]), "");
    world.object_to_what_is_wrong();
    assert_silent(&world);
}

#[test]
fn what_a_server_lost_is_not_sent_again_while_consent_is_taken_back() {
    let mut world = forgetful("2026-02-20T12:00:00Z");
    auto_update(&mut world, false);
    let _ = world.order(Order::LicenseUpdate { target: Target::default() }, "mia");
    world.run_until(at("2026-02-24"));
    assert!(told(&world, &["no more: it is sent again"]).contains("report 2026-01"));
    assert!(submissions(&world).is_empty());
    assert_eq!(state_of_january(&world), "lost");
    auto_update(&mut world, true);
    world.run_until(at("2026-02-25"));
    assert_eq!(submissions(&world).len(), 1);
    assert_eq!(state_of_january(&world), "taken");
    assert_silent(&world);
}

#[test]
fn a_contract_in_the_place_of_another_gives_the_next_key_after_its_token_was_used() {
    let mut plan = calm(5, "2026-01-05T09:30:00Z", 40);
    plan.servers[0].estate.license.expires_on = Some("2026-01-31".parse().unwrap());
    let mut world = World::new(plan);
    world.run_until(at("2026-02-05"));
    let before = installed(&world);
    assert_eq!(before.expires_on, "2026-02-28".parse().unwrap());
    let server = world.license_server.clone().expect("a closed loop");
    let contract = server.contracts().unwrap().remove(0);
    let next = Contract { id: "C-2026-002".to_owned(), ..contract };
    let order = license_server::Order::AddContract { contract: next, url: None };
    let token = server.obey(order, "olga", world.now(), &mut SeededChance::new(9)).unwrap().expect("a token");
    world.order(Order::Enrol { token: token.to_text().expose_secret().to_owned() }, "admin").expect("a fresh token");
    world.run_until(at("2026-03-02"));
    let after = installed(&world);
    assert_eq!((after.contract_id.as_str(), after.serial), ("C-2026-002", before.serial + 1));
    assert_eq!(after.expires_on, "2026-03-31".parse().unwrap());
    assert_eq!(told(&world, &["belongs to another contract"]), "");
    world.object_to_what_is_wrong();
    assert_silent(&world);
}
