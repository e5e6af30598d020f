//! Finalizing a console's own report: switched on, compared, asked once, and remembered.

use chrono::TimeDelta;
use tidegauge::domain::console_report::WhyLeftOut;
use tidegauge::simulation::vspc::Fault;

use serde_json::json;

use super::consoles::console;
use super::*;

/// A month with both reports, and finalizing switched on.
fn january(seed: u64) -> World {
    let mut world = console(seed, "2026-01-10T09:30:00Z");
    world.settings.servers[0].finalize_reports = true;
    world.off_until(at("2026-01-10T09:40:00Z"));
    world.run_until(at("2026-02-02"));
    world
}

fn compare(world: &mut World) -> Result<Value, (u8, String)> {
    let order = Order::CompareConsole { with: "vspc".to_owned(), month: month("2026-01") };
    world.order(order, "licensing").map_err(|refused| (refused.code, refused.why))
}

fn finalize(world: &mut World, despite: Option<&str>) -> Result<Value, (u8, String)> {
    let (with, of) = ("vspc".to_owned(), month("2026-01"));
    let order = Order::FinalizeConsole { with, month: of, confirmed: of, despite: despite.map(str::to_owned) };
    world.order(order, "licensing").map_err(|refused| (refused.code, refused.why))
}

fn posts(world: &World) -> u32 {
    world.consoles["vspc"].asked().get("/api/v3/licensing/reports/finalization").copied().unwrap_or(0)
}

#[test]
fn it_is_off_until_the_settings_switch_it_on() {
    let mut world = console(3, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-02"));
    for refused in [compare(&mut world), finalize(&mut world, None)] {
        let (code, why) = refused.expect_err("it is off");
        assert_eq!(code, 78, "{why}");
        assert!(why.contains("finalize_reports = true"), "{why}");
    }
    world.run_until(at("2026-03-05"));
    assert_eq!(posts(&world), 0, "nothing is finalized by itself");
}

#[test]
fn a_compared_report_is_finalized_once_and_who_did_it_is_kept() {
    let mut world = january(3);
    assert_eq!(finalize(&mut world, None).expect_err("nothing was compared").0, 75);
    let compared = compare(&mut world).expect("both reports are there");
    assert_eq!((&compared["is_equal"], &compared["standing"]), (&json!(true), &json!("waiting")), "{compared:#}");
    assert_eq!(compared["reports"].as_array().map(Vec::len), Some(1));
    let other = Order::FinalizeConsole {
        with: "vspc".to_owned(),
        month: month("2026-01"),
        confirmed: month("2025-01"),
        despite: None,
    };
    assert_eq!(world.order(other, "licensing").expect_err("another month was confirmed").code, 2);
    assert_eq!(posts(&world), 0);
    let done = finalize(&mut world, None).expect("the console takes it");
    let kept = &done["finalization"];
    assert_eq!((&kept["by"], &kept["asks"], &kept["despite"]), (&json!("user:licensing"), &json!(1), &Value::Null));
    assert_eq!(kept["ours_points"], json!(report(&world, "2026-01").total_points));
    assert_eq!(kept["stage"]["taken"]["words"], "Finalization");
    for again in [compare(&mut world), finalize(&mut world, None)] {
        assert_eq!(again.expect_err("it is done").0, 3);
    }
    world.off_until(at("2026-02-02T03:00:00Z"));
    assert_eq!(compare(&mut world).expect_err("it is remembered").0, 3);
    assert_eq!(posts(&world), 1);
    check(
        &world,
        &["in vspc"],
        expect![[r#"
            2026-02-02 00:00  report 2026-01 in vspc is asked to be finalized
            2026-02-02 00:00  report 2026-01 in vspc finalized (Finalization)
        "#]],
    );
    assert_silent(&world);
}

#[test]
fn differing_reports_go_only_with_a_reason_which_is_kept() {
    let mut world = january(4);
    world.consoles["vspc"].change("vbr02", |server| server.left_out = Some(WhyLeftOut::NotCollected));
    assert_eq!(compare(&mut world).expect("both reports are there")["is_equal"], false);
    let (code, why) = finalize(&mut world, None).expect_err("they differ");
    assert_eq!(code, 8, "{why}");
    assert!(why.contains("--despite-differences"), "{why}");
    assert_eq!(finalize(&mut world, Some("  ")).expect_err("no reason").0, 2);
    assert_eq!(posts(&world), 0);
    let done = finalize(&mut world, Some("vbr02 is reported by hand")).expect("the console takes it");
    assert_eq!(done["finalization"]["despite"], "vbr02 is reported by hand");
    assert_eq!(posts(&world), 1);
}

#[test]
fn a_report_that_somebody_finalized_in_the_console_is_left_alone() {
    let mut world = january(5);
    let finalized_there = |world: &World| world.consoles["vspc"].finalize(month("2026-01"));
    compare(&mut world).expect("both reports are there");
    finalized_there(&world);
    let (code, why) = finalize(&mut world, None).expect_err("it was done meanwhile");
    assert_eq!(code, 8, "{why}");
    assert!(why.contains("calls its report Finalization already"), "{why}");
    assert_eq!(compare(&mut world).expect("it is shown all the same")["standing"], "finalized");
    assert_eq!(finalize(&mut world, Some("again")).expect_err("it is done").0, 3);
    assert_eq!(posts(&world), 0);
}

#[test]
fn a_console_that_refuses_is_asked_again_under_another_id() {
    let mut world = january(6);
    let mut ids = Vec::new();
    for fault in [Fault::ReadOnly, Fault::NotApprovable] {
        world.consoles["vspc"].set_faults(&[fault]);
        compare(&mut world).expect("both reports are there");
        let (_, why) = finalize(&mut world, None).expect_err("the console refuses");
        assert!(why.contains("vspc"), "{why}");
        ids.extend(world.agent().store().rows::<Value>("finalization/").expect("rows").pop());
    }
    assert_ne!(ids[0].1["request_id"], ids[1].1["request_id"]);
    assert_eq!(ids[1].1["attempt"], 2);
    world.consoles["vspc"].set_faults(&[]);
    compare(&mut world).expect("both reports are there");
    finalize(&mut world, None).expect("now it takes it");
    assert_silent(&world);
}

#[test]
fn after_a_lost_answer_and_a_kill_the_state_is_read_before_anything_is_asked() {
    for arrived in [true, false] {
        let mut world = january(7);
        compare(&mut world).expect("both reports are there");
        if arrived {
            world.consoles["vspc"].set_faults(&[Fault::LosesFinalizing]);
        } else {
            world.wire.lose_next_answer("vspc");
        }
        assert_eq!(finalize(&mut world, None).expect_err("no answer").0, 69);
        let asked_before = posts(&world);
        world.consoles["vspc"].set_faults(&[]);
        let later = world.now() + TimeDelta::hours(2);
        world.off_until(later);
        let warned = status(&world)["warnings"].to_string();
        assert!(warned.contains("vspc was asked to finalize its report of 2026-01 and no answer is known"), "{warned}");
        let standing = compare(&mut world).expect("both reports are there")["standing"].clone();
        assert_eq!(standing, if arrived { "finalized" } else { "waiting" });
        let done = finalize(&mut world, None).expect("it ends");
        let words = if arrived { "found Approved" } else { "Finalization" };
        assert_eq!(done["finalization"]["stage"]["taken"]["words"], words);
        assert_eq!(posts(&world) - asked_before, u32::from(!arrived));
        assert_eq!(world.consoles["vspc"].finalized().len(), 1);
        assert!(!status(&world)["warnings"].to_string().contains("no answer is known"));
        assert_silent(&world);
    }
}
