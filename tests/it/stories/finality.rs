//! A month that is entered elsewhere is final: documents and sinks follow it, and its correction.

use std::path::Path;

use tidegauge::agent::orders::{BillingWish, WhichInvoice};
use tidegauge::config::{Flags, Settings, Written};
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::pseudonym::Names;
use tidegauge::doors::Files;

use super::*;

const METER: &str = "usage_sink:meter";

/// Beside the vendor, with a price book and a sink of months.
fn beside(seed: u64) -> World {
    let mut plan = calm(seed, "2026-01-20T09:30:00Z", 12);
    plan.closed_loop = false;
    plan.settings.price_book = Some("prices.toml".into());
    let text = "[[usage_sink]]\nname = \"meter\"\nurl = \"https://meter.example.net/v1\"\nperiod = \"month\"\n";
    let written = Written { name: "t.toml", text };
    plan.settings.usage_sinks =
        Settings::read(Some(written), [], &Flags::default()).expect("good settings").usage_sinks;
    let world = World::new(plan);
    let book = b"currency = \"EUR\"\nrounding = \"invoice\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n";
    world.disk.as_ref().expect("a world has a disk").write(Path::new("prices.toml"), book).expect("it takes files");
    world
}

fn mark(world: &mut World) {
    let (portal, document) = ("Pulse".to_owned(), "U-4711".to_owned());
    world
        .order(Order::MarkExternal { target: target("2026-01"), portal, document }, "clerk")
        .expect("it can be marked");
}

fn issue(world: &mut World) -> Result<Value, tidegauge::agent::Refused> {
    issue_seen(world, None)
}

fn issue_seen(world: &mut World, seen: Option<String>) -> Result<Value, tidegauge::agent::Refused> {
    let which = WhichInvoice::Issue;
    let wish = BillingWish {
        format: "lines".to_owned(),
        out: "january.csv".to_owned(),
        ending: None,
        which,
        names: Names::default(),
        seen,
    };
    world.order(Order::ExportBilling { target: target("2026-01"), wish }, "clerk")
}

fn remove_one(world: &mut World) -> Result<Value, tidegauge::agent::Refused> {
    let report = report(world, "2026-01");
    let one = report.workloads.iter().find(|one| one.counted).expect("one counts").id.clone();
    let remove = AdjustmentOrder::Remove { workloads: vec![one], reason: "a test machine".to_owned() };
    world.order(Order::Adjust { target: target("2026-01"), adjustments: vec![remove] }, "mia")
}

/// What the sink took of a revision: points in sum, and how they differ from the revision before.
fn metered(world: &World, revision: u32) -> (Points, bool) {
    let taken = world.receivers[METER].taken();
    let all = taken.iter().flat_map(|one| one.json().as_array().cloned().expect("a batch"));
    let of: Vec<Value> = all.filter(|event| event["data"]["revision"] == revision).collect();
    let points =
        of.iter().map(|event| Points::stated(event["data"]["points"].as_str().expect("points")).expect("points"));
    (points.sum(), of.iter().any(|event| event["data"]["delta_points"].is_string()))
}

#[test]
fn an_entered_month_is_charged_and_metered_as_entered_and_its_correction_once_it_is_entered_too() {
    let mut world = beside(31);
    world.run_until(at("2026-02-03T10:00:00Z"));
    remove_one(&mut world).expect("it is open");
    assert_eq!(issue(&mut world).expect_err("nothing is final").code, 8);
    mark(&mut world);
    world.run_until(at("2026-02-04"));
    let entered = report(&world, "2026-01");
    let first = issue(&mut world).expect("it is final");
    assert_eq!(metered(&world, 1), (entered.total_points, false));

    for refused in [remove_one(&mut world), world.order(Order::Reset { target: target("2026-01") }, "mia")] {
        let refused = refused.expect_err("what was entered stands");
        assert!(refused.code == 8 && refused.why.contains("`report correct"), "{refused}");
    }
    assert_eq!(report(&world, "2026-01"), entered);

    let reason = "two machines were tests".to_owned();
    world.order(Order::Correct { target: target("2026-01"), reason }, "mia").expect("a final report is corrected");
    world.order(Order::Reset { target: target("2026-01") }, "mia").expect_err("nothing is adjusted yet");
    remove_one(&mut world).expect("a revision is open");
    remove_one(&mut world).expect("a revision is open");
    world.run_until(at("2026-02-05"));
    assert_eq!(issue(&mut world).expect("nothing final changed")["digest"], first["digest"]);
    assert_eq!(metered(&world, 2), (Points::ZERO, false), "an open revision is not metered");
    mark(&mut world);
    world.run_until(at("2026-02-06"));
    let corrected = report(&world, "2026-01");
    assert!(corrected.revision == 2 && corrected.total_points < entered.total_points);
    assert_eq!(metered(&world, 2), (corrected.total_points, true));
    let second = issue(&mut world).expect("the correction is final");
    assert_eq!((&second["document"], &second["corrects"]), (&"2026-01/2".into(), &"2026-01/1".into()));
    let owed = |of: &Value| Points::stated(of["total"]["amount"].as_str().expect("an amount").trim_start_matches('-'));
    let less = entered.total_points.amount() - corrected.total_points.amount();
    assert_eq!(owed(&second).expect("an amount").amount(), less, "one a point, less the machine that went");
    assert_silent(&world);
    world.run_until(at("2026-02-25"));
    assert_eq!(told(&world, &["report.overdue"]), "", "both were entered before the deadline");
}

#[test]
fn what_was_entered_elsewhere_names_its_portal_and_its_document() {
    let mut world = beside(34);
    world.run_until(at("2026-02-03T10:00:00Z"));
    let long = "U".repeat(501);
    for (portal, document) in [(" ", "U-4711"), ("Pulse", ""), ("Pulse", " \t"), ("Pul\nse", "U-1"), ("Pulse", &long)] {
        let order =
            Order::MarkExternal { target: target("2026-01"), portal: portal.to_owned(), document: document.to_owned() };
        let refused = world.order(order, "clerk").expect_err("something is missing");
        assert!(refused.code == 2 && refused.why.starts_with("name the "), "{refused:?}");
    }
    assert!(report(&world, "2026-01").external.portal.is_none());
}

#[test]
fn what_is_issued_is_what_was_seen() {
    let mut world = beside(35);
    world.run_until(at("2026-02-03T10:00:00Z"));
    mark(&mut world);
    let shown = world.ask(&Query::BillingMonth { month: "2026-01".parse().ok() }).expect("a month");
    let seen = shown["next"]["content"].as_str().expect("a digest").to_owned();
    let refused = issue_seen(&mut world, Some("sha256:another".to_owned())).expect_err("another one was seen");
    assert!(refused.code == 8 && refused.why.contains("nothing was issued"), "{refused:?}");
    let issued = issue_seen(&mut world, Some(seen)).expect("as it was seen");
    assert_eq!(issued["document"], "2026-01/1");
}
