//! Endpoints that are down, gone, slow, or told twice.

use tidegauge::agent::Again;
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::seal::standard_webhooks::signature;
use tidegauge::simulation::receiver::{Received, Receiver};
use tidegauge::simulation::wire::HOOK_SECRET;
use tidegauge::simulation::world::KillPoint;

use tidegauge::store::fact::Fact;

use super::*;

const OPS: &str = "webhook:ops";

/// A plan with one endpoint for these events.
fn hooked(seed: u64, url: &str, events: &str) -> WorldPlan {
    let mut plan = calm(seed, "2026-01-28T09:30:00Z", 4);
    plan.settings.webhooks = webhooks(url, events);
    plan
}

fn webhooks(url: &str, events: &str) -> Vec<tidegauge::config::WebhookSettings> {
    let text = format!("[[webhook]]\nname = \"ops\"\nurl = \"{url}\"\nsecret_files = [\"s\"]\nevents = [{events}]\n");
    let written = Written { name: "t.toml", text: &text };
    Settings::read(Some(written), [], &Flags::default()).expect("good settings").webhooks
}

fn ops(world: &World) -> Receiver {
    world.receivers[OPS].clone()
}

fn types(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.json()["type"].as_str().expect("a type").to_owned()).collect()
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.id.clone()).collect()
}

fn warnings(world: &World) -> String {
    status(world)["warnings"].to_string()
}

fn log(world: &World) -> Value {
    world.ask(&Query::WebhookLog { to: None, last: 1000 }).expect("there is an endpoint")
}

#[test]
fn an_endpoint_is_told_what_it_wants_in_order_and_signed() {
    let mut world = World::new(hooked(31, "https://hooks.example.net/x", "\"report.*\""));
    world.run_until(at("2026-02-12"));
    let taken = ops(&world).taken();
    let mut expected = vec!["report.generated".to_owned()];
    expected.extend(vec!["report.deadline_near".to_owned(); taken.len() - 2]);
    expected.push("report.auto_submitted".to_owned());
    assert_eq!(types(&taken), expected);
    for one in &taken {
        let timestamp: i64 = one.timestamp.parse().expect("seconds");
        let signed = signature(&HOOK_SECRET.to_owned().into(), &one.id, timestamp, &one.body).expect("a secret");
        assert_eq!(one.signature, signed);
        assert_eq!(one.json()["data"]["id"], one.id.as_str());
    }
    let generated = taken[0].json();
    let total = report(&world, "2026-01").total_points.to_string();
    assert_eq!((&generated["data"]["month"], &generated["data"]["total"]), (&"2026-01".into(), &total.into()));
    assert_silent(&world);
}

#[test]
fn an_endpoint_that_is_down_for_a_day_gets_everything_once_with_the_same_ids() {
    let mut world = World::new(hooked(32, "https://hooks.example.net/x", "\"*\""));
    world.wire.cut_off(OPS, at("2026-01-31")..at("2026-02-02"));
    world.run_until(at("2026-02-01T12:00:00Z"));
    assert!(warnings(&world).contains("webhook messages not taken: 1: webhook: not reachable"), "{}", warnings(&world));
    world.run_until(at("2026-02-12"));
    let taken = ops(&world).taken();
    let once: std::collections::BTreeSet<String> = ids(&taken).into_iter().collect();
    assert_eq!(once.len(), taken.len(), "nothing came twice");
    let tries = log(&world)["tries"].as_array().expect("tries").clone();
    let of_first: Vec<&Value> = tries.iter().filter(|one| one["type"] == "report.generated").collect();
    let times: Vec<&str> = of_first.iter().map(|one| &one["at"].as_str().expect("an hour")[5..16]).collect();
    assert_eq!(times[..4], ["02-01T00:00", "02-01T00:01", "02-01T00:06", times[3]], "now, 1 min, 5 min, …");
    assert!(of_first.last().is_some_and(|one| one["taken"] == true));
    assert!(!warnings(&world).contains("webhook"), "{}", warnings(&world));
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn an_endpoint_that_answers_410_is_left_alone_until_its_settings_change() {
    let mut world = World::new(hooked(33, "https://hooks.example.net/x", "\"report.*\""));
    ops(&world).says(410, None);
    world.run_until(at("2026-02-05"));
    assert_eq!(ops(&world).heard().len(), 1, "one 410 is enough");
    let said = warnings(&world);
    assert!(said.contains("webhook ops answered 410 Gone on 2026-02-01 00:00: nothing is sent"), "{said}");
    assert_eq!(status(&world)["untold"], 0);
    ops(&world).takes();
    let again = Order::TellAgain { to: Some("ops".to_owned()), what: Again::Since(at("2026-01-01")) };
    assert_eq!(world.order(again.clone(), "mia").expect_err("it is gone").code, 8);
    world.settings.webhooks = webhooks("https://hooks.example.net/y", "\"report.*\"");
    world.off_until(at("2026-02-05T01:00:00Z"));
    assert!(!warnings(&world).contains("410"), "{}", warnings(&world));
    world.order(again, "mia").expect("it is told again");
    world.run_until(at("2026-02-12"));
    let taken = types(&ops(&world).taken());
    assert_eq!(
        (taken.first().map(String::as_str), taken.last().map(String::as_str)),
        (Some("report.generated"), Some("report.auto_submitted"))
    );
    assert_silent(&world);
}

#[test]
fn an_endpoint_that_asks_to_be_slower_and_then_for_nothing_leaves_no_setback() {
    let mut world = World::new(hooked(36, "https://hooks.example.net/x", "\"report.*\""));
    ops(&world).says(429, Some("90000"));
    world.run_until(at("2026-02-01T10:00:00Z"));
    ops(&world).says(410, None);
    world.run_until(at("2026-02-02T23:00:00Z"));
    assert_eq!(ops(&world).heard().len(), 2);
    assert_eq!(world.agent().store().keys("setback/").expect("a state"), [""; 0]);
    assert_silent(&world);
}

#[test]
fn a_kill_between_sending_and_recording_sends_the_same_id_again() {
    let mut world = World::new(hooked(34, "https://hooks.example.net/x", "\"report.generated\""));
    world.settings.mail = None;
    world.off_until(at("2026-01-28T10:00:00Z"));
    world.kill_once("tell", KillPoint::AfterAct);
    world.run_until(at("2026-02-03"));
    assert_eq!(world.kills_left(), 0);
    let heard = ops(&world).heard();
    assert_eq!(heard.len(), 2);
    assert_eq!((&heard[0].id, &heard[0].body), (&heard[1].id, &heard[1].body));
    assert_silent(&world);
}

#[test]
fn an_endpoint_that_asks_to_be_slower_holds_all_its_messages_back() {
    let mut world = World::new(hooked(35, "https://hooks.example.net/x", "\"report.*\""));
    ops(&world).says(429, Some("90000"));
    world.run_until(at("2026-02-01T10:00:00Z"));
    assert_eq!(ops(&world).heard().len(), 1);
    assert!(
        warnings(&world).contains("slow webhook:ops: status 429; next try 2026-02-02 00:00"),
        "{}",
        warnings(&world)
    );
    ops(&world).takes();
    world.run_until(at("2026-02-02T23:00:00Z"));
    assert_eq!(types(&ops(&world).taken())[0], "report.generated");
    assert!(!warnings(&world).contains("slow"), "{}", warnings(&world));
    assert_silent(&world);
}

#[test]
fn a_message_that_nobody_takes_is_given_up_after_ten_tries_and_told_again_by_order() {
    let mut world = World::new(hooked(36, "https://hooks.example.net/x", "\"report.generated\""));
    ops(&world).says(500, None);
    world.run_until(at("2026-02-10"));
    let heard = ops(&world).heard();
    assert_eq!(heard.len(), 10);
    let said = warnings(&world);
    assert!(
        said.contains("a message to webhook:ops was given up on 2026-02-04") && said.contains("status 500"),
        "{said}"
    );
    ops(&world).takes();
    let again = |id: &str| Order::TellAgain { to: None, what: Again::Id(id.to_owned()) };
    assert_eq!(world.order(again("nothing"), "mia").expect_err("no such news").code, 66);
    let shown = world.order(again(&heard[0].id), "mia").expect("it is told again");
    assert_eq!(shown["replayed"][0]["type"], "report.generated");
    world.run_until(at("2026-02-11"));
    assert_eq!(ids(&ops(&world).taken()), [heard[0].id.clone()]);
    assert!(!warnings(&world).contains("given up"), "{}", warnings(&world));
    world.order(again(&heard[0].id), "mia").expect("a third time");
    world.run_until(at("2026-02-11T01:00:00Z"));
    assert_eq!(ops(&world).taken().len(), 2);
    let tries = log(&world)["tries"].as_array().map(Vec::len);
    assert_eq!(tries, Some(12));
    let since = |from: &str| Order::TellAgain { to: None, what: Again::Since(at(from)) };
    assert_eq!(world.order(since("2026-03-01"), "mia").expect_err("nothing then").code, 3);
    assert_silent(&world);
}

#[test]
fn telling_one_again_tells_no_recipient_that_was_named_since() {
    let mut world = World::new(hooked(37, "https://hooks.example.net/x", "\"report.generated\""));
    let mail = world.settings.mail.take();
    world.off_until(at("2026-01-28T10:00:00Z"));
    world.run_until(at("2026-02-02"));
    let taken = ops(&world).taken();
    assert_eq!(taken.len(), 1);
    world.settings.mail = mail;
    world.off_until(at("2026-02-02T01:00:00Z"));
    let again = Order::TellAgain { to: Some("ops".to_owned()), what: Again::Id(taken[0].id.clone()) };
    world.order(again, "mia").expect("it is told again");
    world.run_until(at("2026-02-03"));
    assert_eq!(ops(&world).taken().len(), 2);
    let mut told = Vec::new();
    let seen = world.agent().store().history(0, &mut |_, facts| {
        for fact in facts {
            if let Fact::NoticeDelivered { id, to, .. } = fact
                && id == taken[0].id
            {
                told.push(to);
            }
        }
    });
    seen.expect("the journal is whole");
    assert_eq!(told, [OPS, OPS]);
    assert_eq!(status(&world)["untold"], 0);
}

#[test]
fn an_endpoint_that_left_the_settings_leaves_no_warning_and_nothing_that_waits() {
    let mut world = World::new(hooked(38, "https://hooks.example.net/x", "\"report.*\""));
    world.settings.mail = None;
    world.off_until(at("2026-01-28T10:00:00Z"));
    ops(&world).says(429, Some("90000"));
    world.run_until(at("2026-02-01T10:00:00Z"));
    assert!(warnings(&world).contains("slow webhook:ops"), "{}", warnings(&world));
    assert!(!world.agent().store().keys("pending/").expect("keys").is_empty());
    world.settings.webhooks = Vec::new();
    world.off_until(at("2026-02-01T11:00:00Z"));
    assert!(!warnings(&world).contains("webhook"), "{}", warnings(&world));
    assert_eq!(world.agent().store().keys("pending/").expect("keys"), Vec::<String>::new());
}

#[test]
fn after_a_slow_down_messages_come_in_the_order_in_which_it_happened() {
    for seed in 40..44 {
        let mut world = World::new(hooked(seed, "https://hooks.example.net/x", "\"*\""));
        world.wire.cut_off("vbr01", at("2026-02-01T12:00:00Z")..at("2026-02-03"));
        ops(&world).says(429, Some("500000"));
        world.run_until(at("2026-02-06T10:00:00Z"));
        ops(&world).takes();
        world.run_until(at("2026-02-12"));
        let hours: Vec<String> = ops(&world)
            .taken()
            .iter()
            .map(|one| one.json()["timestamp"].as_str().expect("an hour").to_owned())
            .collect();
        assert!(hours.len() > 2 && hours.is_sorted(), "seed {seed}: {hours:?}");
    }
}

#[test]
fn what_waits_for_an_endpoint_since_a_wrong_clock_is_told_when_it_is_right() {
    let mut world = World::new(hooked(38, "https://hooks.example.net/x", "\"*\""));
    world.run_until(at("2026-02-03T09:00:00Z"));
    world.wire.cut_off(OPS, at("2026-02-03T09:00:00Z")..at("2026-02-03T15:00:00Z"));
    world.off_until_with_clock_ahead(at("2026-02-03T10:00:00Z"), chrono::TimeDelta::days(40));
    world.run_until(at("2026-02-03T12:00:00Z"));
    assert!(status(&world)["untold"].as_u64() > Some(1), "only the first of them was tried");
    world.off_until_with_clock_ahead(at("2026-02-03T16:00:00Z"), chrono::TimeDelta::zero());
    world.run_until(at("2026-02-03T18:00:00Z"));
    assert_eq!(status(&world)["untold"], 0, "{}", warnings(&world));
}
