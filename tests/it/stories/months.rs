//! Months that the agent did not see.

use tidegauge::config::MonthEnd;

use super::*;

#[test]
fn months_owed_after_a_long_absence_are_generated_late_and_in_order() {
    let mut world = World::new(calm_vbr(5, "2026-01-10T09:30:00Z", 12));
    world.run_until(at("2026-02-20"));
    world.off_until(at("2026-06-05T08:00:00Z"));
    world.run_until(at("2026-07-20"));
    world.object_to_what_is_left();
    let words = [" r1 ", "agent switched"];
    check(
        &world,
        &words,
        expect![[r#"
        2026-02-01 00:00  report 2026-01 r1 generated: 124 points
        2026-02-11 00:00  report 2026-01 r1 sealed
        2026-02-11 00:00  report 2026-01 r1 submitted
        2026-02-20 00:00  agent switched off
        2026-06-05 08:00  report 2026-02 r1 generated late: 135 points
        2026-06-05 08:00  report 2026-03 r1 generated late: 135 points
        2026-06-05 08:00  report 2026-04 r1 generated late: 135 points
        2026-06-05 08:00  report 2026-05 r1 generated late: 135 points
        2026-06-05 08:00  report 2026-02 r1 sealed
        2026-06-05 08:00  report 2026-02 r1 submitted
        2026-07-01 00:00  report 2026-06 r1 generated: 135 points
        2026-07-11 00:00  report 2026-06 r1 sealed
        2026-07-11 00:00  report 2026-06 r1 submitted
    "#]],
    );
    let february = report(&world, "2026-02");
    assert!(is_sent(&february) && february.basis.late && february.basis.stale.len() == 1);
    for unseen in ["2026-03", "2026-04", "2026-05"] {
        let report = report(&world, unseen);
        assert!(!is_sent(&report) && report.basis.late, "{unseen}");
        assert_eq!(report.coverage.complete, 0, "{unseen}");
        assert_eq!(report.total_points, february.total_points, "{unseen} is never zero by absence");
        assert!(told(&world, &[&format!("waits_for_person ({unseen})")]).lines().count() > 20, "{unseen}");
    }
    let weeks = telemetry(&world);
    let unseen: Vec<_> = weeks.iter().filter(|one| one.points.is_none()).map(|one| one.week.to_string()).collect();
    assert_eq!(unseen.len(), 14, "{unseen:?}");
    assert!(weeks.windows(2).all(|pair| pair[0].week.next() == pair[1].week));
}

#[test]
fn an_excluded_server_is_named_as_not_collected_and_keeps_the_report_for_a_person() {
    let mut world = World::new(calm_vbr(6, "2026-01-10T09:30:00Z", 12));
    world.settings.servers[0].month_end = MonthEnd::Exclude;
    world.off_until(at("2026-01-10T10:00:00Z"));
    world.wire.cut_off("vbr01", at("2026-01-31T12:00:00Z")..at("2026-02-02T12:00:00Z"));
    world.run_until(at("2026-02-13"));
    assert_silent(&world);
    let report = report(&world, "2026-01");
    assert_eq!(report.not_collected, ["vbr01"]);
    assert_eq!(report.total_points, Points::ZERO);
    assert!(!is_sent(&report), "a server that is missing is not reported as nothing by itself");
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn a_carried_server_is_marked_stale() {
    let mut world = World::new(calm_vbr(6, "2026-01-10T09:30:00Z", 12));
    world.wire.cut_off("vbr01", at("2026-01-31T03:00:00Z")..at("2026-02-02T12:00:00Z"));
    world.run_until(at("2026-02-13"));
    let report = report(&world, "2026-01");
    assert_eq!(report.basis.stale.len(), 1);
    assert_eq!(report.generated_at, at("2026-02-01T08:00:00Z"), "a fresh sample was waited for");
    check(
        &world,
        &["report 2026-01"],
        expect![[r#"
        2026-02-01 08:00  report 2026-01 r1 generated late: 118 points
        2026-02-11 00:00  report 2026-01 r1 sealed
        2026-02-11 00:00  report 2026-01 r1 submitted
    "#]],
    );
}
