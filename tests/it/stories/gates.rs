//! A held gate: what changes it, who holds it, and that it costs no day of the retry window.

use std::sync::PoisonError;

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::license_server;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::sources::snapshot_file;

use super::*;

/// A world whose report of the month was lowered by half and sent on the 3rd of the next; its key ends on 15 March.
fn halved(of: &str, sent_at: &str) -> World {
    let mut plan = calm(1, "2026-01-20T09:30:00Z", 40);
    plan.servers[0].estate.license.expires_on = Some("2026-03-15".parse().unwrap());
    let mut world = World::new(plan);
    world.run_until(at(sent_at));
    let counted = report(&world, of).workloads.into_iter().filter(|workload| workload.counted);
    let workloads = counted.take(20).map(|workload| workload.id).collect();
    let removal = AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() };
    world.order(Order::Adjust { target: target(of), adjustments: vec![removal] }, "mia").expect("an open report");
    world.order(Order::Send { target: target(of) }, "mia").expect("the server takes it");
    world
}

fn operate(world: &World, order: impl Fn(String) -> license_server::Order) {
    let unit = world.agent().store().units().unwrap().remove(0).id;
    let server = world.license_server.as_ref().expect("a closed loop");
    server.obey(order(unit), "olga", world.now(), &mut SeededChance::new(1)).expect("an operator's order");
}

fn approve(world: &World, of: &str) {
    let month = month(of);
    operate(world, |unit| license_server::Order::ApproveReport { unit, revision: None, month, why: "seen".to_owned() });
}

fn gate(world: &World, of: &str) -> Value {
    world.ask(&Query::Gate { unit: None, server: None, month: Some(month(of)) }).expect("a month")
}

#[test]
fn an_approval_at_the_server_opens_the_agents_gate_with_the_next_answer() {
    let mut world = halved("2026-01", "2026-02-03T10:00:00Z");
    world.run_until(at("2026-02-12T12:00:00Z"));
    assert_eq!(
        (&gate(&world, "2026-01")["verdict"], &gate(&world, "2026-01")["held_by"]),
        (&"held".into(), &"agent".into())
    );
    approve(&world, "2026-01");
    world.run_until(at("2026-02-23"));
    let gate = gate(&world, "2026-01");
    assert_eq!((&gate["verdict"], &gate["justified_by"]), (&"open".into(), &"olga".into()));
    assert_silent(&world);
    let ruled = "report 2026-01 r1 approved by olga at the license server: seen";
    let lines = told(&world, &[ruled, "gate of 2026-01", "license check"]);
    let after: Vec<&str> = lines.lines().skip_while(|line| !line.contains(ruled)).collect();
    assert!(after[1].contains("gate of 2026-01: open") && after[2].contains("license check: result 2"), "{lines}");
    assert_eq!(after[0].get(..10), after[2].get(..10), "asked on the same day");
}

#[test]
fn a_report_that_is_sent_back_is_told_once_with_the_operators_words_and_its_correction_says_why() {
    let mut world = halved("2026-01", "2026-02-03T10:00:00Z");
    let month = month("2026-01");
    operate(&world, |unit| license_server::Order::AskForCorrection {
        unit,
        revision: None,
        month,
        why: "where are the VMs of tenant A?".to_owned(),
    });
    world.run_until(at("2026-02-24"));
    let asked = world.wire.mails().into_iter().filter(|mail| header(&mail.message, "Subject").contains("sent back"));
    let letters: Vec<String> = asked.map(|mail| String::from_utf8_lossy(&mail.message).into_owned()).collect();
    assert_eq!(letters.len(), 1);
    assert_eq!(gate(&world, "2026-01")["ruling"]["why"], "where are the VMs of tenant A?");
    let reason = |text: &str| Order::Correct { target: target("2026-01"), reason: text.to_owned() };
    assert_eq!(world.order(reason(" "), "mia").expect_err("a reason is needed").code, 2);
    assert_eq!(world.order(reason(&"x".repeat(501)), "mia").expect_err("too long to travel").code, 2);
    world.order(reason("removed by mistake"), "mia").expect("a sent report");
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world.run_until(at("2026-02-25"));
    assert_silent(&world);
    assert_eq!(gate(&world, "2026-01")["verdict"], "open");
    assert_eq!(gate(&world, "2026-01")["ruling"], Value::Null, "the ruling was on the first revision");
    let sent = submissions(&world);
    let why = sent[1].correction.as_ref().expect("a correction says why");
    assert_eq!((why.by.as_str(), why.reason.as_str()), ("user:mia", "removed by mistake"));
}

#[test]
fn a_held_gate_is_looked_at_again_when_a_late_sample_comes() {
    let mut world = halved("2026-01", "2026-02-03T10:00:00Z");
    world.run_until(at("2026-02-12T12:00:00Z"));
    let estate = world.servers["vbr01"].estate.lock().unwrap_or_else(PoisonError::into_inner);
    let text = snapshot_file::to_json(&estate.snapshot(at("2026-01-30T13:30:00Z"))).to_string();
    drop(estate);
    let import = Order::ImportSamples { file: "late.json".to_owned(), text };
    world.order(import, "mia").expect("a sample of its own instant");
    world.run_until(at("2026-02-12T13:00:00Z"));
    let looks = told(&world, &["the gate holds"]);
    assert!(looks.lines().last().is_some_and(|line| line.starts_with("2026-02-12 12:0")), "{looks}");
    assert_silent(&world);
}

#[test]
fn a_held_gate_uses_no_day_of_the_retry_window_and_a_later_justification_travels() {
    let mut world = halved("2026-02", "2026-03-03T10:00:00Z");
    world.run_until(at("2026-03-13T23:59:00Z"));
    let before = told(&world, &["license check"]);
    assert!(!before.contains("2026-03-1"), "held, so nothing is asked: {before}");
    // A is 15 March: from the 14th it is asked anyway, and the server's own verdict is shown.
    world.run_until(at("2026-03-16T12:00:00Z"));
    let checks = told(&world, &["license check"]);
    let window: Vec<&str> = checks.lines().filter(|line| line.starts_with("2026-03-1")).collect();
    assert!(window.len() >= 2 && window[0].starts_with("2026-03-14") && window[0].contains("result 3"), "{checks}");
    let held = gate(&world, "2026-02");
    assert_eq!((&held["held_by"], &held["server"]["verdict"]), (&"agent".into(), &"held".into()));
    assert!(held["server"]["detail"].as_str().is_some_and(|why| why.contains("below the highest watermark")), "{held}");

    let justify = Order::Justify { target: target("2026-02"), reason: "a customer left".to_owned() };
    world.order(justify, "mia").expect("a reason is given");
    world.run_until(at("2026-03-18T12:00:00Z"));
    let by_server = gate(&world, "2026-02");
    assert_eq!((&by_server["verdict"], &by_server["held_by"]), (&"open".into(), &"license_server".into()));
    let server = world.license_server.as_ref().expect("a closed loop");
    let row =
        server.reports().expect("a folder's").into_iter().find(|row| row.month == month("2026-02")).expect("on file");
    assert_eq!(row.justification.as_deref(), Some("a customer left"), "it arrived with a license check");
    assert_eq!(row.justified_by.as_deref(), Some("user:mia"));

    approve(&world, "2026-02");
    world.run_until(at("2026-03-20T12:00:00Z"));
    assert_silent(&world);
    let license = world.ask(&Query::License { unit: None, server: None }).expect("one unit");
    assert_eq!(license["license"]["expires_on"], "2026-04-30");
    assert_eq!(license["auto_update"], true);
    let history = world.ask(&Query::LicenseHistory { unit: None, server: None }).expect("one unit");
    let told = history.to_string();
    assert!(told.contains("gate of 2026-02: held") && told.contains("no license is asked for before"), "{told}");
}
