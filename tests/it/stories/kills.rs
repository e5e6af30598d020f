//! The plug is pulled between any two steps of every kind of duty, and nothing is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use tidegauge::simulation::world::{KillPoint, World};

use super::*;

const KINDS: [&str; 10] =
    ["collect", "generate", "write", "tell", "draw", "telemetry", "remind", "submit", "license", "watch"];

/// Two months and a half, with the plug pulled once a week in each kind of duty.
fn world_killed_at(point: Option<KillPoint>) -> World {
    let mut plan = calm_vbr(7, "2026-01-10T09:30:00Z", 12);
    // Exceeded from the first sample on: told daily.
    plan.servers[0].estate.license.licensed_points = Some(whole(40));
    let mut world = World::new(plan);
    let mut until = at("2026-01-12");
    while until < at("2026-03-25") {
        if let Some(point) = point {
            KINDS.into_iter().for_each(|kind| world.kill_once(kind, point));
        }
        until += chrono::TimeDelta::days(7);
        world.run_until(until);
    }
    world
}

/// What must be the same with and without kills.
fn end_state(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for one in submissions(world) {
        // The digest covers the journal's hash too, and kills leave entries of their own there.
        lines.push(format!("{} r{} {} {:?} {:?}", one.month, one.revision, one.total_points, one.lines, one.daily));
    }
    for mut one in telemetry(world) {
        one.amended_days.clear();
        lines.push(format!("{} {:?} {:?}", one.week, one.points, one.daily));
    }
    let unit = world.agent().store().units().unwrap().remove(0).id;
    let days = world.agent().store().days(&unit, at("2026-01-10").date_naive(), at("2026-03-24").date_naive());
    for day in days.unwrap() {
        lines.push(format!("{} {} {}", day.day, day.mark.points, day.mark.at));
    }
    lines
}

/// Message-IDs, each with how often its mail came.
fn letters(world: &World) -> BTreeMap<String, usize> {
    let mut letters = BTreeMap::new();
    for mail in world.wire.mails() {
        *letters.entry(header(&mail.message, "Message-ID")).or_insert(0) += 1;
    }
    letters
}

fn nothing_is_lost_when_killed_at(point: KillPoint) {
    let (whole, killed) = (world_killed_at(None), world_killed_at(Some(point)));
    assert_silent(&whole);
    assert_silent(&killed);
    let kills = killed.story().iter().filter(|line| line.contains("agent killed")).count();
    assert!(kills >= 40, "only {kills} kills");
    // Deeds of this machine alone have nothing between act and record.
    let acts_outside = |kind: &&str| ["collect", "tell", "telemetry", "submit", "license"].contains(kind);
    for kind in KINDS.into_iter().filter(|kind| point != KillPoint::AfterAct || acts_outside(kind)) {
        assert!(!told(&killed, &[&format!("killed {point:?} of {kind}")]).is_empty(), "{kind} was never killed");
    }
    assert_eq!(end_state(&killed), end_state(&whole));
    let of = |letters: &BTreeMap<String, usize>| letters.keys().cloned().collect::<BTreeSet<_>>();
    // License checks are told by the hour; a kill moves their hours.
    assert_eq!(of(&letters(&killed)), of(&letters(&whole)));
    let doubled = letters(&killed).values().filter(|times| **times > 1).count();
    assert_eq!(doubled > 0, point == KillPoint::AfterAct, "{doubled} letters came twice");
}

#[test]
fn killed_before_a_duty_begins_nothing_is_lost_or_doubled() {
    nothing_is_lost_when_killed_at(KillPoint::BeforeBegin);
}

#[test]
fn killed_after_a_duty_has_begun_nothing_is_lost_or_doubled() {
    nothing_is_lost_when_killed_at(KillPoint::AfterBegin);
}

#[test]
fn killed_between_act_and_record_nothing_is_lost_or_doubled() {
    nothing_is_lost_when_killed_at(KillPoint::AfterAct);
}

#[test]
fn killed_after_a_duty_is_recorded_nothing_is_lost_or_doubled() {
    nothing_is_lost_when_killed_at(KillPoint::AfterFinish);
}
