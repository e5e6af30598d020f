//! Three months of one provider, each with the difference to the month before, kept, told and shown.

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::month_difference::sentence;
use tidegauge::rules::reporting::digest_of;

use super::*;

fn remove(world: &mut World, of: &str, workload: &str) {
    let adjustment =
        AdjustmentOrder::Remove { workloads: vec![workload.to_owned()], reason: "test machine".to_owned() };
    world.order(Order::Adjust { target: target(of), adjustments: vec![adjustment] }, "mia").expect("an open report");
}

fn in_words(report: &UsageReport) -> String {
    sentence(report.month, report.difference.as_ref().expect("it is kept"))
}

fn first_counted(report: &UsageReport) -> String {
    report.workloads.iter().find(|workload| workload.counted).expect("one counts").id.clone()
}

#[test]
fn each_month_says_why_it_differs_from_the_one_before() {
    let mut plan = calm(1, "2026-01-20T09:30:00Z", 20);
    (plan.servers[0].estate.appear, plan.servers[0].estate.stop) = (0, 0);
    plan.servers[0].estate.revoke = 0;
    let mut world = World::new(plan);
    world.run_until(at("2026-02-03T10:00:00Z"));
    let test_machine = first_counted(&report(&world, "2026-01"));
    remove(&mut world, "2026-01", &test_machine);
    {
        let mut estate = world.servers["vbr01"].estate.lock().unwrap();
        // One that counts from March on, one that ages out in March, one that is revoked.
        estate.add(&WorkloadType::Vm, at("2026-02-10T01:00:00Z"));
        estate.stop(12, at("2026-02-15T01:00:00Z"));
        estate.revoke(13, at("2026-02-16T01:00:00Z"));
    }
    world.run_until(at("2026-04-12"));
    assert_silent(&world);
    let told = ["2026-01", "2026-02", "2026-03"].map(|of| in_words(&report(&world, of)));
    expect![[r#"
        There is no report of December 2025 to compare with.
        As many points as in January 2026 (208): 1 no longer taken out by a person (+11), 1 gone at the source (-11).
        As many points as in February 2026 (208): 1 past the free month (+11), 1 aged out (-11)."#]]
    .assert_eq(&told.join("\n"));
    let mails: Vec<String> =
        world.wire.mails().iter().map(|mail| String::from_utf8_lossy(&mail.message).replace("=\r\n", "")).collect();
    let opening = told[1].split(':').next().expect("a sentence");
    assert!(mails.iter().any(|mail| mail.contains(opening)), "{opening} is not in a mail");
    for of in ["2026-01", "2026-02", "2026-03"] {
        let report = report(&world, of);
        assert_eq!(report.digest, digest_of(&report), "difference and outlook are digested");
    }
}

#[test]
fn an_adjustment_and_its_reset_are_seen_in_difference_and_outlook() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 20));
    world.run_until(at("2026-03-03T10:00:00Z"));
    let generated = report(&world, "2026-02");
    let outlook = generated.outlook.clone().expect("it is kept");
    assert_eq!(outlook.review_until.to_string(), "2026-03-10");
    assert_eq!(outlook.sends_itself_at, Some(at("2026-03-11")));
    let workload = first_counted(&generated);
    remove(&mut world, "2026-02", &workload);
    let lowered = report(&world, "2026-02");
    let points = |report: &UsageReport| report.difference.as_ref().expect("it is kept").points();
    assert_eq!(points(&generated) - points(&lowered), generated.total_points - lowered.total_points);
    let shortfall = |report: &UsageReport| report.outlook.as_ref().expect("it is kept").shortfall;
    assert!(shortfall(&generated) < shortfall(&lowered));
    world.order(Order::Reset { target: target("2026-02") }, "mia").expect("an open report");
    assert_eq!(report(&world, "2026-02"), generated);
}

#[test]
fn a_justification_opens_the_outlook_with_the_gate() {
    let mut world = World::new(calm(1, "2026-01-20T09:30:00Z", 20));
    world.run_until(at("2026-02-03T10:00:00Z"));
    super::adjusting::adjust(&mut world, "2026-01", 10);
    let verdict = |world: &World| report(world, "2026-01").outlook.expect("it is kept").verdict.as_str();
    assert_eq!(verdict(&world), "held");
    let order = Order::Justify { target: target("2026-01"), reason: "a customer left".to_owned() };
    world.order(order, "mia").expect("a reason is given");
    assert_eq!(verdict(&world), "open");
}
