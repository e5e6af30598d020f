//! People change, postpone, send and correct reports; late samples change them too.

use std::sync::PoisonError;

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::sample::Sample;
use tidegauge::protocol::PEER;
use tidegauge::sources::snapshot_file;

use super::*;

/// The first so many counted workloads of a report, by id.
fn counted(report: &UsageReport, count: usize) -> Vec<String> {
    report
        .workloads
        .iter()
        .filter(|workload| workload.counted)
        .take(count)
        .map(|workload| workload.id.clone())
        .collect()
}

fn removal(workloads: Vec<String>) -> AdjustmentOrder {
    AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() }
}

pub fn adjust(world: &mut World, of: &str, count: usize) {
    let workloads = counted(&report(world, of), count);
    world
        .order(Order::Adjust { target: target(of), adjustments: vec![removal(workloads)] }, "mia")
        .expect("an open report");
}

#[test]
fn a_report_is_tried_lowered_reset_postponed_and_sent_by_a_person() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-03T10:00:00Z"));
    let generated = report(&world, "2026-01");
    let query = Query::WhatIf { target: target("2026-01"), adjustments: vec![removal(counted(&generated, 2))] };
    let what_if = world.ask(&query).expect("an open report");
    adjust(&mut world, "2026-01", 2);
    let lowered = report(&world, "2026-01");
    assert_eq!(what_if["total_after"], serde_json::json!(lowered.total_points));
    assert!(lowered.total_points < generated.total_points);
    world.order(Order::Reset { target: target("2026-01") }, "mia").expect("an open report");
    let reset = report(&world, "2026-01");
    assert_eq!((reset.lines, reset.workloads), (generated.lines, generated.workloads));
    adjust(&mut world, "2026-01", 1);
    world.order(Order::Postpone { target: target("2026-01"), until: None }, "mia").expect("an open report");
    world.run_until(at("2026-02-08T10:00:00Z"));
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world.run_until(at("2026-02-12"));
    check(
        &world,
        &["report"],
        expect![[r#"
            2026-01-20 09:30  auto update on: usage reporting consented to
            2026-02-01 00:00  report 2026-01 r1 generated: 411 points
            2026-02-01 00:00  notice report.generated (2026-01, 10 days left)
            2026-02-02 00:00  notice report.deadline_near (2026-01, 9 days left) (2 times)
            2026-02-03 10:00  notice report.adjusted (2026-01, 411 to 389)
            2026-02-03 10:00  report 2026-01 r1 adjusted: 389 points
            2026-02-03 10:00  notice report.adjusted (2026-01, 389 to 411)
            2026-02-03 10:00  report 2026-01 r1 reset: 411 points
            2026-02-03 10:00  notice report.adjusted (2026-01, 411 to 400)
            2026-02-03 10:00  report 2026-01 r1 adjusted: 400 points
            2026-02-03 10:00  report 2026-01 r1 postponed until 2026-02-04 00:00
            2026-02-04 00:00  notice report.deadline_near (2026-01, 7 days left) (3 times)
            2026-02-08 10:00  report 2026-01 r1 sealed
            2026-02-08 10:00  report 2026-01 r1 submitted
            2026-02-08 10:00  notice report.submitted (2026-01)
            2026-02-09 00:00  notice report.external_due (2026-01) (3 times)
        "#]],
    );
    let taken = submissions(&world).remove(0);
    assert_eq!(taken.total_points, report(&world, "2026-01").total_points);
    assert!(taken.total_points < generated.total_points);
}

#[test]
fn while_sending_and_after_it_nothing_can_be_changed() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 20));
    world.run_until(at("2026-02-03T10:00:00Z"));
    let adjustment = removal(counted(&report(&world, "2026-01"), 1));
    world.wire.cut_off(PEER, at("2026-02-03")..at("2026-02-04T12:00:00Z"));
    let refused = world.order(Order::Send { target: target("2026-01") }, "mia").expect_err("nobody answers");
    assert_eq!(refused.code, 69);
    for until in ["2026-02-04", "2026-02-06"] {
        world.run_until(at(until));
        let refused =
            world.order(Order::Adjust { target: target("2026-01"), adjustments: vec![adjustment.clone()] }, "mia");
        assert_eq!(refused.expect_err("it is sealed").code, 8);
        let refused = world.order(Order::Reset { target: target("2026-01") }, "mia");
        assert_eq!(refused.expect_err("it is sealed").code, 8);
        let refused = world.order(Order::Postpone { target: target("2026-01"), until: None }, "mia");
        assert_eq!(refused.expect_err("it is sealed").code, 8);
    }
    assert_silent(&world);
    assert_eq!(sent(&world).len(), 1);
}

/// A world whose January was lowered by half and sent on the 3rd.
fn halved() -> World {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-03T10:00:00Z"));
    adjust(&mut world, "2026-01", 20);
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world.run_until(at("2026-02-14T12:00:00Z"));
    world
}

#[test]
fn a_report_far_below_the_watermark_holds_the_license_check_until_it_is_justified() {
    let mut world = halved();
    let order = Order::Justify { target: target("2026-01"), reason: "a customer left".to_owned() };
    world.order(order, "mia").expect("a reason is given");
    world.run_until(at("2026-02-16"));
    check(
        &world,
        &["gate", "license check", "justified", "next try"],
        expect![[r#"
        2026-01-20 09:30  gate of 2025-12: undetermined
        2026-01-20 09:30  license check: result 2 (Your existing license key is up to date) (3 times)
        2026-02-10 09:30  gate of 2026-01: held
        2026-02-10 09:30  notice gate.held (2026-01)
        2026-02-10 09:30  setback: the gate holds: the report of 2026-01 is 205 points below the highest watermark (tolerance 82 (5 times)
        2026-02-14 12:00  report 2026-01 justified: a customer left
        2026-02-14 12:00  gate of 2026-01: open
        2026-02-14 12:00  notice gate.opened (2026-01)
        2026-02-14 12:00  license check: result 2 (Your existing license key is up to date)
    "#]],
    );
    let held = subjects(&world).iter().filter(|subject| subject.contains("held")).count();
    assert_eq!(held, 1, "{:?}", subjects(&world));
}

#[test]
fn a_correction_makes_a_second_revision_that_counts_when_it_is_sent() {
    let mut world = halved();
    let gate =
        |world: &World| world.ask(&Query::Gate { unit: None, server: None, month: Some(month("2026-01")) }).unwrap();
    assert_eq!(gate(&world)["verdict"], "held");
    world
        .order(Order::Correct { target: target("2026-01"), reason: "halved by mistake".to_owned() }, "mia")
        .expect("a sent report can be corrected");
    assert_eq!(gate(&world)["verdict"], "held", "the correction is not sent yet");
    world.run_until(at("2026-02-16"));
    assert_eq!(sent(&world).len(), 1, "a correction never goes by itself");
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world.run_until(at("2026-02-17"));
    assert_eq!(gate(&world)["verdict"], "open");
    check(
        &world,
        &["report 2026-01", "gate"],
        expect![[r#"
        2026-01-20 09:30  gate of 2025-12: undetermined
        2026-02-01 00:00  report 2026-01 r1 generated: 411 points
        2026-02-03 10:00  report 2026-01 r1 adjusted: 206 points
        2026-02-03 10:00  report 2026-01 r1 sealed
        2026-02-03 10:00  report 2026-01 r1 submitted
        2026-02-10 09:30  gate of 2026-01: held
        2026-02-10 09:30  notice gate.held (2026-01)
        2026-02-10 09:30  setback: the gate holds: the report of 2026-01 is 205 points below the highest watermark (tolerance 82 (5 times)
        2026-02-14 12:00  report 2026-01 r2 corrected: 411 points
        2026-02-14 12:00  setback: the gate holds: the report of 2026-01 is 205 points below the highest watermark (tolerance 82 (2 times)
        2026-02-16 00:00  report 2026-01 r2 sealed
        2026-02-16 00:00  report 2026-01 r2 submitted
        2026-02-16 00:00  gate of 2026-01: open
        2026-02-16 00:00  notice gate.opened (2026-01)
    "#]],
    );
    assert_eq!(sent(&world).len(), 2);
}

/// The server's usage half a minute before the month's end, with so many machines less.
fn late_sample(world: &World, fewer: usize) -> Sample {
    let estate = world.servers["vbr01"].estate.lock().unwrap_or_else(PoisonError::into_inner);
    let mut sample = estate.snapshot(at("2026-01-31T23:59:30Z"));
    sample.workloads = sample.workloads.shared().skip(fewer).cloned().collect();
    sample
}

fn import(world: &mut World, sample: &Sample) {
    let text = snapshot_file::to_json(sample).to_string();
    world
        .order(Order::ImportSamples { file: "late.json".to_owned(), text }, "mia")
        .expect("a sample of its own instant");
}

#[test]
fn a_late_sample_changes_an_unsent_report_and_keeps_its_adjustments() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-03T10:00:00Z"));
    let last = report(&world, "2026-01").workloads.iter().rev().find(|workload| workload.counted).unwrap().id.clone();
    let adjustment = removal(vec![last.clone()]);
    world
        .order(Order::Adjust { target: target("2026-01"), adjustments: vec![adjustment] }, "mia")
        .expect("an open report");
    let before = report(&world, "2026-01");
    let sample = late_sample(&world, 3);
    import(&mut world, &sample);
    let after = report(&world, "2026-01");
    assert!(after.total_points < before.total_points);
    assert!(!after.basis.late, "it was first built in time");
    let kept = after.adjustments.iter().map(|one| (one.workload.clone(), one.reason.clone()));
    assert_eq!(kept.collect::<Vec<_>>(), [(Some(last), "test machines".to_owned())]);
    world.run_until(at("2026-02-12"));
    check(
        &world,
        &["report 2026-01", "late_sample"],
        expect![[r#"
        2026-02-01 00:00  report 2026-01 r1 generated: 411 points
        2026-02-03 10:00  report 2026-01 r1 adjusted: 400 points
        2026-02-03 10:00  notice report.late_sample (2026-01)
        2026-02-03 10:00  report 2026-01 r1 generated again, a late sample changed it: 367 points
        2026-02-11 00:00  report 2026-01 r1 sealed
        2026-02-11 00:00  report 2026-01 r1 submitted
    "#]],
    );
    assert_eq!(submissions(&world)[0].total_points, after.total_points);
}

#[test]
fn a_late_sample_is_told_for_a_sent_report_and_amends_the_next_telemetry() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-13T10:00:00Z"));
    let before = report(&world, "2026-01");
    assert!(is_sent(&before));
    // Twenty machines that no sample had shown.
    let mut sample = late_sample(&world, 0);
    let copies: Vec<_> = sample.workloads.iter().take(20).cloned().collect();
    for (n, mut copy) in copies.into_iter().enumerate() {
        copy.id = format!("found-{n}");
        copy.name = format!("found-{n}");
        sample.workloads.change(|workloads| workloads.push(copy));
    }
    import(&mut world, &sample);
    assert_eq!(report(&world, "2026-01"), before, "what was sent stays as it was");
    world.run_until(at("2026-02-25"));
    check(
        &world,
        &["late_sample"],
        expect![[r#"
        2026-02-13 10:00  notice report.late_sample (2026-01)
    "#]],
    );
    let amended: Vec<String> = telemetry(&world)
        .iter()
        .flat_map(|one| {
            one.amended_days.iter().map(|day| format!("{} amends {}", one.week, day.day)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(amended, ["2026-W06 amends 2026-01-31"]);
}

#[test]
fn a_late_sample_is_told_for_a_report_that_was_entered_elsewhere_and_leaves_it_as_it_is() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-03T10:00:00Z"));
    let (portal, document) = ("Pulse".to_owned(), "U-4711".to_owned());
    world.order(Order::MarkExternal { target: target("2026-01"), portal, document }, "clerk").expect("it is marked");
    let entered = report(&world, "2026-01");
    let sample = late_sample(&world, 3);
    import(&mut world, &sample);
    assert_eq!(report(&world, "2026-01"), entered, "what was entered stays as it was");
    assert_ne!(told(&world, &["report.late_sample"]), "");
    world.run_until(at("2026-02-12"));
    assert_eq!(submissions(&world)[0].total_points, entered.total_points, "and goes as it was entered");
    assert_silent(&world);
}
