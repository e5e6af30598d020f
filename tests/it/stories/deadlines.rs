//! Deadlines by the vendor's days, and reminders that people read while they work.

use tidegauge::rules::deadlines::preset;

use super::*;

/// A world that begins in the month before, with the day of a preset and these holidays.
fn with_preset(name: &str, begins: &str, holidays: &[&str]) -> World {
    let mut plan = calm(2, begins, 12);
    plan.settings.deadlines.auto_submit_day = preset(name).expect("a preset of the table").day;
    let holidays = holidays.iter().map(|day| day.parse().expect("a day"));
    plan.settings.working_days.holidays = holidays.collect();
    World::new(plan)
}

const WORDS: [&str; 2] = ["report 20", "notice report"];

/// The letter with this subject, on lines as they were written.
fn letter(world: &World, subject: &str) -> String {
    let mails = world.wire.mails();
    let unfolded = |message: &[u8]| String::from_utf8_lossy(message).replace("=\r\n", "").replace("\r\n ", " ");
    let subject = format!("Subject: {subject}");
    let found = mails.iter().map(|mail| unfolded(&mail.message)).find(|letter| letter.contains(&subject));
    found.unwrap_or_else(|| panic!("no letter '{subject}' among {:#?}", subjects(world)))
}

#[test]
fn preset_2026_over_a_new_years_weekend_leaves_the_letter_of_the_1st_which_says_so() {
    let mut world = with_preset("2026", "2026-12-20T09:30:00Z", &["2027-01-01"]);
    world.run_until(at("2027-01-04"));
    check(
        &world,
        &WORDS,
        expect![[r#"
            2027-01-01 00:00  report 2026-12 r1 generated: 131 points
            2027-01-01 00:00  notice report.generated (2026-12, 2 days left)
            2027-01-03 00:00  report 2026-12 r1 sealed
            2027-01-03 00:00  report 2026-12 r1 submitted
            2027-01-03 00:00  notice report.auto_submitted (2026-12)
            2027-01-04 00:00  notice report.external_due (2026-12)
        "#]],
    );
    let letter = letter(&world, "Usage report December 2026");
    for line in [
        "Please review and submit the report within the next 2 days.",
        "No working day is left before the deadline.",
        "If nobody acts, it is sent as it stands on 2027-01-03 at 00:00 GMT.",
    ] {
        assert!(letter.contains(line), "{letter}");
    }
}

#[test]
fn preset_2021_sends_on_the_6th_and_reminds_on_the_working_days_before() {
    let mut world = with_preset("2021", "2026-12-20T09:30:00Z", &["2027-01-01"]);
    world.run_until(at("2027-01-07"));
    check(
        &world,
        &WORDS,
        expect![[r#"
            2027-01-01 00:00  report 2026-12 r1 generated: 131 points
            2027-01-01 00:00  notice report.generated (2026-12, 5 days left)
            2027-01-04 00:00  notice report.deadline_near (2026-12, 2 days left) (2 times)
            2027-01-06 00:00  report 2026-12 r1 sealed
            2027-01-06 00:00  report 2026-12 r1 submitted
            2027-01-06 00:00  notice report.auto_submitted (2026-12)
            2027-01-07 00:00  notice report.external_due (2026-12)
        "#]],
    );
}

#[test]
fn preset_2025_sends_on_the_11th_and_a_holiday_before_it_is_announced_on_the_last_working_day() {
    // Thursday the 10th of September is a holiday here; the report goes on Friday the 11th.
    let mut world = with_preset("2025", "2026-08-20T09:30:00Z", &["2026-09-10"]);
    world.run_until(at("2026-09-12"));
    check(
        &world,
        &WORDS,
        expect![[r#"
            2026-09-01 00:00  report 2026-08 r1 generated: 131 points
            2026-09-01 00:00  notice report.generated (2026-08, 10 days left)
            2026-09-02 00:00  notice report.deadline_near (2026-08, 9 days left) (6 times)
            2026-09-11 00:00  report 2026-08 r1 sealed
            2026-09-11 00:00  report 2026-08 r1 submitted
            2026-09-11 00:00  notice report.auto_submitted (2026-08)
        "#]],
    );
    let letter = letter(&world, "Reminder: usage report August 2026 waits, submit it within the next 2 days");
    assert!(letter.contains("Number of managed points for the previous month: "), "{letter}");
    assert!(letter.contains("Today is the last working day before the deadline."), "{letter}");
}

#[test]
fn postponing_in_manual_mode_ends_at_the_manual_deadline_and_not_at_the_auto_submit_day() {
    let mut world = with_preset("2026", "2026-10-20T09:30:00Z", &[]);
    auto_update(&mut world, false);
    world.run_until(at("2026-11-05T09:00:00Z"));
    let postpone = |world: &mut World, until: &str| {
        let until = Some(at(until));
        world.order(Order::Postpone { target: target("2026-10"), until }, "clerk")
    };
    let refused = postpone(&mut world, "2026-11-11T00:00:01Z").expect_err("the deadline is the end of the 10th");
    assert!(refused.why.contains("not after the deadline 2026-11-11"), "{}", refused.why);
    postpone(&mut world, "2026-11-10T06:00:00Z").expect("the auto-submit day is long past and counts for nothing");
    world.run_until(at("2026-11-12"));
    let open = &status(&world)["open_reports"][0];
    assert_eq!((&open["due"], &open["due_on"]), (&"manual".into(), &"2026-11-10".into()));
    check(
        &world,
        &WORDS,
        expect![[r#"
        2026-11-01 00:00  report 2026-10 r1 generated: 131 points
        2026-11-01 00:00  notice report.generated (2026-10, 9 days left)
        2026-11-02 00:00  notice report.deadline_near (2026-10, 8 days left) (4 times)
        2026-11-05 09:00  report 2026-10 r1 postponed until 2026-11-10 06:00
        2026-11-10 06:00  notice report.deadline_near (2026-10, 0 days left)
        2026-11-11 00:00  notice report.overdue (2026-10) (2 times)
    "#]],
    );
}

#[test]
fn the_second_step_in_the_portal_has_its_own_date_and_is_called_overdue_after_it() {
    let mut plan = calm(2, "2026-10-20T09:30:00Z", 12);
    plan.settings.deadlines.portal_deadline_day = 5;
    let mut world = World::new(plan);
    world.run_until(at("2026-11-02T09:00:00Z"));
    world.order(Order::Send { target: target("2026-10") }, "clerk").expect("automatic");
    world.run_until(at("2026-11-14"));
    check(
        &world,
        &["submitted", "external_due"],
        expect![[r#"
        2026-11-02 09:00  report 2026-10 r1 submitted
        2026-11-02 09:00  notice report.submitted (2026-10)
        2026-11-03 00:00  notice report.external_due (2026-10) (5 times)
    "#]],
    );
    assert!(letter(&world, "Usage report October 2026 sent").contains("portal by 2026-11-05"));
    let by_then = "Usage report October 2026: enter it in Pulse or your aggregator's portal by";
    assert!(letter(&world, by_then).contains("When it is entered"));
    let overdue = letter(&world, "Overdue: usage report October 2026 is not in Pulse");
    assert!(overdue.contains("and the day for that has passed"), "{overdue}");
}

#[test]
fn status_warns_when_a_server_reports_itself_to_its_vendor_before_our_day() {
    let warned = |day: u32| {
        let mut plan = calm_vbr(2, "2026-10-20T09:30:00Z", 4);
        plan.settings.deadlines.auto_submit_day = day;
        plan.servers[0].estate.license.auto_update = Some(true);
        let mut world = World::new(plan);
        world.run_until(at("2026-10-21"));
        status(&world)["warnings"].to_string().contains("policy.auto_submit_day = \\\"2026\\\"")
    };
    assert_eq!((warned(3), warned(11)), (false, true));
}
