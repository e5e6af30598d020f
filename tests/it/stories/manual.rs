//! Nobody sends by itself: manual mode, and beside the vendor.

use tidegauge::config::ManagedBy;

use super::*;

fn mark_external(world: &mut World, of: &str) {
    let (portal, document) = ("Pulse".to_owned(), "U-4711".to_owned());
    world.order(Order::MarkExternal { target: target(of), portal, document }, "clerk").expect("a report can be marked");
}

#[test]
fn in_manual_mode_people_are_reminded_to_the_tenth_and_alarmed_after_it() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    auto_update(&mut world, false);
    world.run_until(at("2026-02-13T12:00:00Z"));
    mark_external(&mut world, "2026-01");
    world.run_until(at("2026-02-20"));
    check(
        &world,
        &["report", "auto update"],
        expect![[r#"
            2026-01-20 09:30  auto update on: usage reporting consented to
            2026-01-20 09:30  auto update off: switched off by hand
            2026-02-01 00:00  report 2026-01 r1 generated: 131 points
            2026-02-01 00:00  notice report.generated (2026-01, 9 days left)
            2026-02-02 00:00  notice report.deadline_near (2026-01, 8 days left) (7 times)
            2026-02-11 00:00  notice report.overdue (2026-01) (3 times)
            2026-02-13 12:00  report 2026-01 entered in Pulse
        "#]],
    );
    assert_eq!(sent(&world), [""; 0]);
    assert!(telemetry(&world).is_empty(), "no telemetry without consent");
}

#[test]
fn a_month_entered_elsewhere_early_is_not_called_to_mind_again() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    auto_update(&mut world, false);
    world.run_until(at("2026-02-03T12:00:00Z"));
    mark_external(&mut world, "2026-01");
    let mails = world.wire.mails().len();
    world.run_until(at("2026-02-25"));
    assert_silent(&world);
    assert_eq!(subjects(&world)[mails..], [""; 0]);
}

#[test]
fn switched_on_after_the_deadline_the_month_is_still_a_persons() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    auto_update(&mut world, false);
    world.run_until(at("2026-02-15"));
    auto_update(&mut world, true);
    world.run_until(at("2026-03-12"));
    assert_silent(&world);
    assert!(!is_sent(&report(&world, "2026-01")));
    assert!(is_sent(&report(&world, "2026-02")));
    let first = telemetry(&world).remove(0).week;
    assert_eq!(first.to_string(), "2026-W07", "telemetry begins with the consent");
}

#[test]
fn what_was_a_persons_before_enterprise_managers_word_stays_a_persons() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    auto_update(&mut world, false);
    world.settings.servers[0].em_auto_update = Some(false);
    world.off_until(at("2026-01-20T09:30:00Z"));
    world.run_until(at("2026-02-15"));
    world.settings.servers[0].em_auto_update = Some(true);
    world.off_until(at("2026-02-15"));
    world.run_until(at("2026-03-12"));
    assert!(!is_sent(&report(&world, "2026-01")));
    assert!(is_sent(&report(&world, "2026-02")));
    let first = telemetry(&world).remove(0).week;
    assert_eq!(first.to_string(), "2026-W07", "telemetry begins with the word");
}

#[test]
fn a_second_mark_mends_the_words_and_moves_nothing() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    auto_update(&mut world, false);
    world.run_until(at("2026-02-03T12:00:00Z"));
    mark_external(&mut world, "2026-01");
    world.run_until(at("2026-02-04T12:00:00Z"));
    let mark = |portal: &str| Order::MarkExternal {
        target: target("2026-01"),
        portal: portal.to_owned(),
        document: "U-4712".to_owned(),
    };
    assert_eq!(world.order(mark(" "), "clerk").expect_err("it names no portal").code, 2);
    world.order(mark("Pulse"), "clerk").expect("a document is mended");
    let external = report(&world, "2026-01").external;
    assert_eq!(external.document.as_deref(), Some("U-4712"));
    assert_eq!(external.at, Some(at("2026-02-03T12:00:00Z")), "final as of the first");
}

#[test]
fn ordering_auto_update_again_moves_no_consent() {
    let mut world = World::new(calm(2, "2026-01-20T09:30:00Z", 12));
    world.wire.cut_off(tidegauge::protocol::PEER, at("2026-02-01")..at("2026-03-01"));
    world.run_until(at("2026-02-28"));
    auto_update(&mut world, true);
    world.run_until(at("2026-03-12"));
    assert_silent(&world);
    let weeks = telemetry(&world);
    assert!(weeks.windows(2).all(|pair| pair[0].week.next() == pair[1].week), "a week was skipped");
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn beside_the_vendor_nothing_is_sent_and_people_are_alarmed_until_it_is_marked() {
    let mut plan = calm(4, "2026-01-20T09:30:00Z", 12);
    plan.closed_loop = false;
    let mut world = World::new(plan);
    world.run_until(at("2026-02-14T12:00:00Z"));
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("no [license_server]"), "{warnings}");
    let refused =
        world.order(Order::Send { target: target("2026-01") }, "admin").expect_err("there is nobody to send to");
    assert_eq!(refused.code, 78);
    mark_external(&mut world, "2026-01");
    world.run_until(at("2026-02-25"));
    check(
        &world,
        &["report"],
        expect![[r#"
            2026-02-01 00:00  report 2026-01 r1 generated: 111 points
            2026-02-01 00:00  notice report.generated (2026-01, 9 days left)
            2026-02-02 00:00  notice report.deadline_near (2026-01, 8 days left) (7 times)
            2026-02-11 00:00  notice report.overdue (2026-01) (3 times)
            2026-02-14 12:00  report 2026-01 entered in Pulse
        "#]],
    );
}

#[test]
fn where_vspc_waits_for_a_person_its_servers_are_reminded_of() {
    let mut world = World::new(calm(4, "2026-01-20T09:30:00Z", 6));
    world.settings.servers[0].managed_by = Some(ManagedBy::Vspc);
    world.settings.servers[0].vspc_auto_approval = false;
    world.off_until(at("2026-01-20T10:00:00Z"));
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    assert_ne!(told(&world, &["deadline_near"]), "");
}

#[test]
fn where_vspc_approves_reports_there_is_no_reminder_window() {
    let mut world = World::new(calm(4, "2026-01-20T09:30:00Z", 6));
    world.settings.servers[0].managed_by = Some(ManagedBy::Vspc);
    world.off_until(at("2026-01-20T10:00:00Z"));
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    assert_eq!(told(&world, &["deadline_near"]), "");
    assert_eq!(sent(&world).len(), 1);
}
