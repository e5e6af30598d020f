//! Usage events: each span once, in order, through outages, kills and corrections.

use std::collections::BTreeMap;

use tidegauge::config::{Flags, Settings, Written};
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::world::{KillPoint, ServerPlan, SourceKind};

use super::*;

const METER: &str = "usage_sink:meter";

fn metered(seed: u64, begins: &str, period: &str) -> WorldPlan {
    with_sink(calm(seed, begins, 4), period)
}

fn with_sink(mut plan: WorldPlan, period: &str) -> WorldPlan {
    let text =
        format!("[[usage_sink]]\nname = \"meter\"\nurl = \"https://meter.example.net/v1\"\nperiod = \"{period}\"\n");
    let written = Written { name: "t.toml", text: &text };
    plan.settings.usage_sinks =
        Settings::read(Some(written), [], &Flags::default()).expect("good settings").usage_sinks;
    plan
}

/// The events taken, in order, doubles dropped as a sink drops them.
fn events(world: &World) -> Vec<Value> {
    let mut known = BTreeMap::new();
    let taken = world.receivers[METER].taken();
    let all = taken.iter().flat_map(|one| one.json().as_array().cloned().expect("a batch"));
    all.filter(|event| known.insert(event["id"].to_string(), ()).is_none()).collect()
}

fn periods(events: &[Value]) -> Vec<String> {
    let mut periods: Vec<String> =
        events.iter().map(|event| event["data"]["period"].as_str().expect("a period").to_owned()).collect();
    periods.dedup();
    periods
}

/// The spans that the log names as not sent any more.
fn passed_over(world: &World) -> Vec<String> {
    let said = world.story().iter().filter(|line| line.contains("is too old to be sent"));
    let spans = said.filter_map(|line| line.split_once("usage ")?.1.split_once(" was not taken"));
    spans.map(|(spans, _)| spans.to_owned()).collect()
}

fn sum(events: &[Value], period: &str, revision: u32) -> Points {
    let of = events.iter().filter(|event| event["data"]["period"] == period && event["data"]["revision"] == revision);
    of.map(|event| Points::stated(event["data"]["points"].as_str().expect("points")).expect("points")).sum()
}

#[test]
fn a_month_is_sent_when_it_is_submitted_and_a_correction_names_the_difference() {
    let mut world = World::new(metered(41, "2026-01-28T09:30:00Z", "month"));
    world.run_until(at("2026-02-10T23:00:00Z"));
    assert!(events(&world).is_empty(), "it is not final yet");
    world.run_until(at("2026-02-12"));
    let sent = events(&world);
    assert_eq!(sum(&sent, "2026-01", 1), report(&world, "2026-01").total_points);
    assert_eq!(sent[0]["time"], "2026-02-01T00:00:00Z");
    let workload = report(&world, "2026-01").workloads.iter().find(|one| one.counted).expect("one counts").id.clone();
    let correct = Order::Correct { target: target("2026-01"), reason: "a test machine".to_owned() };
    world.order(correct, "mia").expect("a sent report is corrected");
    let remove = tidegauge::domain::adjustment::AdjustmentOrder::Remove {
        workloads: vec![workload],
        reason: "a test machine".to_owned(),
    };
    world.order(Order::Adjust { target: target("2026-01"), adjustments: vec![remove] }, "mia").expect("it lowers it");
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("it is sent");
    world.run_until(at("2026-02-13"));
    let sent = events(&world);
    let second: Vec<&Value> = sent.iter().filter(|event| event["data"]["revision"] == 2).collect();
    assert_eq!(sum(&sent, "2026-01", 2), report(&world, "2026-01").total_points);
    assert!(
        second.iter().any(|event| event["data"]["delta_points"].as_str().is_some_and(|delta| delta.starts_with('-')))
    );
    assert_silent(&world);
}

#[test]
fn days_are_sent_in_order_and_caught_up_with_after_an_outage() {
    let mut world = World::new(metered(42, "2026-01-04T09:30:00Z", "day"));
    world.run_until(at("2026-01-06T12:00:00Z"));
    assert_eq!(periods(&events(&world)), ["2026-01-04", "2026-01-05"]);
    world.wire.cut_off(METER, at("2026-01-07")..at("2026-01-20"));
    world.run_until(at("2026-01-19"));
    let said = status(&world)["warnings"].to_string();
    assert!(said.contains("usage usage_sink:meter") && said.contains("2026-01-06 r1: not reachable"), "{said}");
    world.run_until(at("2026-01-22T12:00:00Z"));
    let days: Vec<String> = (4..=21).map(|day| format!("2026-01-{day:02}")).collect();
    assert_eq!(periods(&events(&world)), days);
    assert_eq!(world.receivers[METER].taken().len(), days.len(), "each once");
    assert_silent(&world);
}

#[test]
fn an_outage_of_months_is_caught_up_with_for_31_days() {
    let mut world = World::new(metered(43, "2026-01-04T09:30:00Z", "day"));
    world.wire.cut_off(METER, at("2026-01-04")..at("2026-03-10"));
    world.run_until(at("2026-03-12T12:00:00Z"));
    let sent = periods(&events(&world));
    assert_eq!(sent.last().map(String::as_str), Some("2026-03-11"));
    assert!((30..=34).contains(&sent.len()), "{sent:?}");
    assert_eq!(passed_over(&world).first().map(String::as_str), Some("2026-01-04 to 2026-01-04"));
    assert_eq!(world.agent().store().keys("setback/usage").unwrap(), Vec::<String>::new(), "none stays");
    assert_silent(&world);
}

#[test]
fn days_that_grew_too_old_while_nothing_ran_are_named_and_their_setback_goes() {
    let mut world = World::new(metered(45, "2026-01-04T09:30:00Z", "day"));
    world.wire.cut_off(METER, at("2026-01-07")..at("2026-01-10"));
    world.run_until(at("2026-01-09"));
    assert_eq!(world.agent().store().keys("setback/usage").unwrap().len(), 1);
    world.off_until(at("2026-03-10T12:00:00Z"));
    world.run_until(at("2026-03-11T12:00:00Z"));
    assert_eq!(passed_over(&world), ["2026-01-06 to 2026-02-06"]);
    assert_eq!(world.agent().store().keys("setback/usage").unwrap(), Vec::<String>::new(), "none stays");
    assert_eq!(periods(&events(&world)).last().map(String::as_str), Some("2026-03-10"));
    assert_silent(&world);
}

#[test]
fn a_clock_that_comes_up_months_ahead_passes_no_day_over() {
    let mut world = World::new(with_sink(calm_vbr(47, "2026-01-04T09:30:00Z", 4), "day"));
    world.run_until(at("2026-01-06T12:00:00Z"));
    world.off_until_with_clock_ahead(at("2026-01-07T06:00:00Z"), chrono::TimeDelta::days(60));
    world.run_until(at("2026-01-07T09:00:00Z"));
    assert_eq!(passed_over(&world), [""; 0]);
    world.off_until_with_clock_ahead(at("2026-01-07T10:00:00Z"), chrono::TimeDelta::zero());
    world.run_until(at("2026-01-09T12:00:00Z"));
    let days: Vec<String> = (4..=8).map(|day| format!("2026-01-{day:02}")).collect();
    assert_eq!(periods(&events(&world)), days);
    assert_silent(&world);
}

#[test]
fn a_month_that_nobody_took_for_a_hundred_days_is_named_and_its_setback_goes() {
    let mut world = World::new(metered(46, "2026-01-28T09:30:00Z", "month"));
    world.wire.cut_off(METER, at("2026-02-01")..at("2026-05-20"));
    world.run_until(at("2026-05-22"));
    assert_eq!(passed_over(&world), ["2026-01 to 2026-01"]);
    assert_eq!(world.agent().store().keys("setback/usage").unwrap(), Vec::<String>::new(), "none stays");
    assert_eq!(periods(&events(&world)), ["2026-02", "2026-03", "2026-04"]);
    assert_silent(&world);
}

#[test]
fn what_was_tried_by_day_is_owed_no_more_when_the_sink_wants_months() {
    let mut world = World::new(metered(47, "2026-01-28T09:30:00Z", "day"));
    world.wire.cut_off(METER, at("2026-01-29")..at("2026-02-05"));
    world.run_until(at("2026-01-30T12:00:00Z"));
    world.settings.usage_sinks = metered(47, "2026-01-28T09:30:00Z", "month").settings.usage_sinks;
    world.off_until(at("2026-01-30T13:00:00Z"));
    world.run_until(at("2026-02-13"));
    assert_eq!(passed_over(&world), ["2026-01-28 to 2026-01-28"]);
    assert_eq!(world.agent().store().keys("setback/usage").unwrap(), Vec::<String>::new(), "none stays");
    assert_eq!(periods(&events(&world)).last().map(String::as_str), Some("2026-01"));
    assert_silent(&world);
}

#[test]
fn what_was_tried_of_a_sink_that_the_settings_name_no_more_is_forgotten() {
    let mut world = World::new(metered(48, "2026-01-28T09:30:00Z", "day"));
    world.wire.cut_off(METER, at("2026-01-29")..at("2026-02-05"));
    world.run_until(at("2026-01-30T12:00:00Z"));
    world.settings.usage_sinks.clear();
    world.off_until(at("2026-01-30T13:00:00Z"));
    assert_eq!(world.agent().store().keys("setback/usage").unwrap(), Vec::<String>::new(), "none stays");
    assert_silent(&world);
}

#[test]
fn a_server_that_fell_silent_in_the_evening_has_its_day() {
    let mut plan = calm_vbr(49, "2026-01-04T09:30:00Z", 4);
    plan.settings.usage_sinks = metered(49, "2026-01-04T09:30:00Z", "day").settings.usage_sinks;
    plan.settings.basis_max_age = chrono::TimeDelta::hours(4);
    let mut estate = EstatePlan::new(50, "vbr02", plan.begins_at, 4);
    estate.license = plan.servers[0].estate.license.clone();
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    let mut world = World::new(plan);
    world.wire.cut_off("vbr02", at("2026-01-06T14:00:00Z")..at("2026-01-07T09:00:00Z"));
    world.run_until(at("2026-01-07T12:00:00Z"));
    let sent = events(&world);
    let of_day = sent.iter().filter(|event| event["data"]["period"] == "2026-01-06");
    assert!(of_day.clone().any(|event| event["data"]["server"] == "vbr02"), "{sent:?}");
}

#[test]
fn a_kill_and_a_lost_answer_send_the_same_events_again() {
    let mut world = World::new(metered(44, "2026-01-04T09:30:00Z", "day"));
    world.kill_once("usage", KillPoint::AfterAct);
    world.run_until(at("2026-01-05T12:00:00Z"));
    assert_eq!(world.kills_left(), 0);
    world.wire.lose_next_answer(METER);
    world.run_until(at("2026-01-06T12:00:00Z"));
    let taken = world.receivers[METER].taken();
    assert_eq!(taken.len(), 4, "both days twice");
    assert_eq!((&taken[0].body, &taken[2].body), (&taken[1].body, &taken[3].body));
    assert_eq!(periods(&events(&world)), ["2026-01-04", "2026-01-05"]);
    assert_silent(&world);
}
