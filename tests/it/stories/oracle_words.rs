//! The oracle bites where a word is owed: of a gate that is held, of what the far side had already, of why a report is lower.

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::gate::Verdict;
use tidegauge::simulation::oracle::Oracle;

use super::*;

/// A world whose January was lowered by more than any tolerance and sent on 3 February.
fn halved() -> World {
    let mut world = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", 40));
    world.run_until(at("2026-02-03T10:00:00Z"));
    let counted = report(&world, "2026-01").workloads.into_iter().filter(|workload| workload.counted);
    let workloads = counted.take(20).map(|workload| workload.id).collect();
    let removal = AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() };
    world
        .order(Order::Adjust { target: target("2026-01"), adjustments: vec![removal] }, "mia")
        .expect("an open report");
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the server takes it");
    world
}

#[test]
fn a_gate_that_is_held_without_a_word_is_objected_to() {
    let mut world = halved();
    world.run_until(at("2026-04-15"));
    let gate = world.ask(&Query::Gate { unit: None, server: None, month: Some(month("2026-01")) }).unwrap();
    assert_eq!(gate["verdict"], Verdict::Held.as_str());
    let state = world.license_server.as_ref().expect("a closed loop").state();
    let said = |story: &[String]| {
        let mut oracle = Oracle::default();
        oracle.check_far_side_whole(world.agent(), &state, story, world.now());
        oracle.objections().join("\n")
    };
    assert!(!said(world.story()).contains("nobody was told"), "{}", said(world.story()));
    assert!(said(&[]).contains("the gate of 2026-01 is held and nobody was told"), "{}", said(&[]));
}

#[test]
fn a_report_that_was_lowered_without_a_reason_is_objected_to() {
    let world = halved();
    let mut report = report(&world, "2026-01");
    let said = |report: &UsageReport| {
        let mut oracle = Oracle::default();
        oracle.check_lowering((report.total_points, report.total_points + whole(1)), report, world.now());
        oracle.objections().join("\n")
    };
    assert_eq!(said(&report), "");
    report.adjustments[0].reason = " ".to_owned();
    assert!(said(&report).contains("2026-01 r1 was lowered without a reason"), "{}", said(&report));
}

#[test]
fn what_the_far_side_had_under_an_id_and_the_agent_did_not_adopt_is_objected_to() {
    let play = |machines: u32| {
        let mut world = World::new(calm_vbr(51, "2026-01-20T09:30:00Z", machines));
        world.run_until(at("2026-02-23"));
        world
    };
    let (here, there) = (play(5), play(6));
    let state = there.license_server.as_ref().expect("a closed loop").state();
    let mut oracle = Oracle::default();
    let memory = oracle.remember();
    oracle.put_back_to(memory, here.agent(), there.license_server.as_deref());
    oracle.check_messages(here.agent(), &state, here.now());
    let said = oracle.objections().join("\n");
    assert!(said.contains("was not adopted"), "{said}");
}
