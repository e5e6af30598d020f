//! Two people lower a report together: what one proposes waits for another, and lapses when nobody looks.

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::people::{Person, Role};
use tidegauge::simulation::world::{KILL_POINTS, KillPoint};

use super::*;

/// Whoever lowers a report by more than 20 points needs another.
fn guarded(seed: u64) -> World {
    let mut plan = calm(seed, "2026-01-20T09:30:00Z", 40);
    let console = plan.settings.console.get_or_insert_default();
    console.four_eyes = Some(whole(20));
    let mut world = World::new(plan);
    world.run_until(at("2026-02-03T10:00:00Z"));
    world
}

/// The first machines that count, taken out.
fn without(world: &World, count: usize) -> Order {
    let report = report(world, "2026-01");
    let counted = report.workloads.iter().filter(|workload| workload.counted).take(count);
    let workloads = counted.map(|workload| workload.id.clone()).collect();
    let adjustments = vec![AdjustmentOrder::Remove { workloads, reason: "test machines".to_owned() }];
    Order::Adjust { target: target("2026-01"), adjustments }
}

fn approve(id: &str) -> Order {
    Order::Approve { target: target("2026-01"), proposal: id.to_owned() }
}

fn reject(id: &str) -> Order {
    Order::Reject { target: target("2026-01"), proposal: id.to_owned(), reason: None }
}

/// Proposes to take machines out, in anna's name; the proposal's id.
fn propose(world: &mut World, count: usize) -> String {
    let order = without(world, count);
    let shown = world.order(order, "anna").expect("an open report");
    assert_eq!(shown["schema"], "tidegauge.proposed-adjustment/1", "{shown}");
    shown["id"].as_str().expect("an id").to_owned()
}

fn proposals(world: &World) -> Value {
    let query = Query::ProposedAdjustments { unit: None, server: None, month: Some(month("2026-01")) };
    world.ask(&query).expect("there is a report")
}

#[test]
fn what_one_may_not_lower_alone_waits_for_another_and_survives_a_restart() {
    let mut world = guarded(1);
    let generated = report(&world, "2026-01").total_points;
    let order = without(&world, 1);
    world.order(order, "anna").expect("11 points are hers to lower");
    let alone = report(&world, "2026-01").total_points;
    assert_eq!(alone, generated - whole(11));
    let id = propose(&mut world, 1);
    assert_eq!(report(&world, "2026-01").total_points, alone, "nothing is changed yet");
    world.off_until(at("2026-02-03T12:00:00Z"));
    let waiting = proposals(&world);
    assert_eq!((&waiting["open"], &waiting["proposals"][0]["id"]), (&1.into(), &id.as_str().into()));
    assert_eq!(waiting["proposals"][0]["total_after"], serde_json::json!(alone - whole(11)));

    let same = world.order(approve(&id), "Anna").expect_err("four eyes are two people");
    assert_eq!(same.code, 77, "{same}");
    let reviewer = Person::ours("ben", Role::Reviewer);
    let refused = world.order_as(approve(&id), &reviewer).expect_err("a reviewer approves nothing");
    assert_eq!(refused.code, 77, "{refused}");
    assert_eq!(world.order_as(reject(&id), &reviewer).expect_err("nor rejects what is another's").code, 77);
    let ben = Person { role: Role::Approver, ..reviewer };
    world.order_as(approve(&id[..6]), &ben).expect("another person approves");
    let lowered = report(&world, "2026-01");
    assert_eq!(lowered.total_points, alone - whole(11));
    let both = lowered.adjustments.last().expect("it was made");
    assert_eq!((both.by.as_str(), both.approved_by.as_deref()), ("user:anna", Some("user:ben")));
    assert_eq!(world.order_as(approve(&id), &ben).expect_err("once is enough").code, 3);

    world.order(Order::Send { target: target("2026-01") }, "anna").expect("the server takes it");
    assert_eq!(submissions(&world).remove(0).total_points, lowered.total_points);
    check(
        &world,
        &["proposal", "adjusted:"],
        expect![[r#"
            2026-02-03 10:00  report 2026-01 r1 adjusted: 400 points
            2026-02-03 10:00  report 2026-01 r1 proposal f94fc5a17068 waits for a second person: user:anna would lower it by 11 poin
            2026-02-03 12:00  report 2026-01 r1 proposal f94fc5a17068 approved by user:ben
            2026-02-03 12:00  report 2026-01 r1 adjusted: 389 points
        "#]],
    );
}

#[test]
fn what_is_rejected_or_taken_back_changes_nothing() {
    let mut world = guarded(2);
    let generated = report(&world, "2026-01").total_points;
    let (first, second) = (propose(&mut world, 3), propose(&mut world, 4));
    world.order(reject(&first), "ben").expect("another rejects");
    let anna = Person::ours("anna", Role::Reviewer);
    world.order_as(reject(&second), &anna).expect("whoever proposed takes it back");
    assert_eq!(world.order(approve(&first), "ben").expect_err("it is rejected").code, 3);
    assert_eq!(world.order(approve("none"), "ben").expect_err("there is none").code, 66);
    assert_eq!(report(&world, "2026-01").total_points, generated);
    assert_eq!(proposals(&world)["open"], 0);
    assert_silent(&world);
}

#[test]
fn what_waits_lapses_when_the_report_is_entered_in_a_portal() {
    let mut world = guarded(4);
    let id = propose(&mut world, 3);
    let (portal, document) = ("Pulse".to_owned(), "U-4711".to_owned());
    world.order(Order::MarkExternal { target: target("2026-01"), portal, document }, "ben").expect("it can be marked");
    let shown = proposals(&world);
    assert_eq!((&shown["open"], &shown["proposals"][0]["state"]), (&0.into(), &"lapsed".into()));
    assert_eq!(world.order(approve(&id), "ben").expect_err("it lapsed").code, 3);
}

#[test]
fn whoever_decides_decides_about_the_report_that_was_seen() {
    let mut world = guarded(5);
    let id = propose(&mut world, 3);
    let seen = report(&world, "2026-01").digest;
    let decisions = [approve(&id), reject(&id)];
    assert!(decisions.iter().all(|order| world.agent().unchanged(order, &seen).is_ok()));
    let order = without(&world, 1);
    world.order(order, "carl").expect("11 points are his to lower");
    for order in &decisions {
        assert_eq!(world.agent().unchanged(order, &seen).expect_err("it is another report").code, 8);
    }
}

/// Nobody looked until the 11th, and the plug was pulled while the report went.
fn lapsed(point: Option<KillPoint>) -> World {
    let mut world = guarded(3);
    propose(&mut world, 5);
    if let Some(point) = point {
        world.kill_once("submit", point);
    }
    world.run_until(at("2026-02-12"));
    assert_eq!(world.kills_left(), 0);
    world
}

#[test]
fn the_report_goes_without_what_nobody_approved_whenever_the_plug_is_pulled() {
    for point in [None].into_iter().chain(KILL_POINTS.map(Some)) {
        let world = lapsed(point);
        assert_silent(&world);
        let report = report(&world, "2026-01");
        assert!(is_sent(&report) && report.adjustments.is_empty(), "{point:?}");
        assert_eq!(told(&world, &["lapsed"]).lines().count(), 1, "{point:?}: {}", told(&world, &["lapsed"]));
        let shown = proposals(&world);
        assert_eq!((&shown["open"], &shown["proposals"][0]["state"]), (&0.into(), &"lapsed".into()), "{point:?}");
        world.agent().store().verify().expect("the state follows from the journal");
    }
}
