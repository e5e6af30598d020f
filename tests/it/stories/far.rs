//! Thirteen months with everything that goes wrong between here and the far sides.

use chrono::TimeDelta;
use tidegauge::domain::IsoWeek;
use tidegauge::protocol::PEER;

use super::*;

/// The instant that was drawn last for telemetry.
fn newest_slot(world: &World) -> Instant {
    let line = world.story().iter().rev().find(|line| line.contains("drawn for")).expect("a slot was drawn");
    let text = line.rsplit("drawn for ").next().unwrap();
    at(&format!("{}:00Z", text.replace(' ', "T")))
}

fn thirteen_months() -> World {
    let mut world = World::new(calm_vbr(3, "2025-12-10T09:30:00Z", 14));
    // Off over a month's end.
    world.run_until(at("2026-02-27T11:00:00Z"));
    world.off_until(at("2026-03-02T05:10:00Z"));
    // A backup server is away for days, the License Update Server over an 11th.
    world.wire.cut_off("vbr01", at("2026-04-13T03:00:00Z")..at("2026-04-16T20:00:00Z"));
    world.wire.cut_off(PEER, at("2026-05-10T12:00:00Z")..at("2026-05-12T06:30:00Z"));
    // A receipt is lost at a submission, and one at a week's telemetry.
    world.run_until(at("2026-06-10T23:59:00Z"));
    world.wire.lose_next_answer(PEER);
    world.run_until(at("2026-07-06T00:01:00Z"));
    let slot = newest_slot(&world);
    world.run_until(slot - TimeDelta::minutes(1));
    world.wire.lose_next_answer(PEER);
    // The clock jumps three days forward, over an auto-submit day, and back.
    world.run_until(at("2026-09-09T12:30:00Z"));
    world.clock_jumps(TimeDelta::days(3));
    world.run_until(at("2026-09-09T23:00:00Z"));
    world.clock_jumps(TimeDelta::days(-3));
    // It comes up an hour and a half before a month's end that it has already seen, and is set right.
    world.run_until(at("2026-10-01T01:00:00Z"));
    world.off_until_with_clock_ahead(at("2026-10-01T01:10:00Z"), TimeDelta::hours(-3));
    world.run_until(at("2026-10-01T09:00:00Z"));
    world.clock_jumps(TimeDelta::hours(3));
    world.run_until(at("2027-01-20"));
    world
}

#[test]
fn thirteen_months_of_faults_submit_each_month_once_and_each_week_in_order() {
    let mut world = thirteen_months();
    let words = ["generated late", "r1 submitted", "setback", "switched off", "clock", "answers again", "unreachable"];
    world.object_to_what_is_left();
    check(
        &world,
        &words,
        expect![[r#"
            2026-01-11 00:00  report 2025-12 r1 submitted
            2026-02-11 00:00  report 2026-01 r1 submitted
            2026-02-27 11:00  agent switched off
            2026-03-02 05:10  report 2026-02 r1 generated late: 142 points
            2026-03-11 00:00  report 2026-02 r1 submitted
            2026-04-11 00:00  report 2026-03 r1 submitted
            2026-04-13 07:06  notice server.unreachable (vbr01)
            2026-04-16 22:46  vbr01 answers again
            2026-05-11 00:00  setback: License Update Server: not reachable: license_server: connection refused; next try 2026-05-11 (31 times)
            2026-05-12 07:00  report 2026-04 r1 submitted
            2026-06-11 00:00  setback: License Update Server: the connection broke: the answer was lost on its way; next try 2026-06
            2026-06-11 01:00  report 2026-05 r1 submitted
            2026-07-06 14:55  setback: License Update Server: the connection broke: the answer was lost on its way; next try 2026-07
            2026-07-11 00:00  report 2026-06 r1 submitted
            2026-08-11 00:00  report 2026-07 r1 submitted
            2026-09-12 12:30  clock doubted: the clock jumped by 4320 minutes; it is believed again when a server agrees
            2026-09-12 12:30  notice clock.suspect
            2026-09-12 12:30  vbr01 not sampled: this machine's clock (2026-09-12T12:30:00Z) and the server's (2026-09-09T12:30:00Z)
            2026-09-12 12:50  notice server.unreachable (vbr01)
            2026-09-09 23:00  clock agreed again
            2026-09-09 23:00  vbr01 answers again
            2026-09-11 00:00  report 2026-08 r1 submitted
            2026-10-01 01:00  agent switched off
            2026-10-01 02:46  clock doubted: this machine's clock (2026-10-01T02:46:00Z) and the server's (2026-10-01T05:46:00Z) are
            2026-10-01 02:46  notice clock.suspect
            2026-10-01 02:46  vbr01 not sampled: this machine's clock (2026-10-01T02:46:00Z) and the server's (2026-10-01T05:46:00Z)
            2026-10-01 03:06  notice server.unreachable (vbr01)
            2026-10-01 09:00  clock agreed again
            2026-10-01 09:00  vbr01 answers again
            2026-10-11 00:00  report 2026-09 r1 submitted
            2026-11-11 00:00  report 2026-10 r1 submitted
            2026-12-11 00:00  report 2026-11 r1 submitted
            2027-01-11 00:00  report 2026-12 r1 submitted
        "#]],
    );
    each_month_and_week_came_once(&world);
}

fn each_month_and_week_came_once(world: &World) {
    let months: Vec<String> = submissions(world).iter().map(|one| one.month.to_string()).collect();
    let expected: Vec<String> = std::iter::successors(Some(month("2025-12")), |month| Some(month.next()))
        .take(13)
        .map(|month| month.to_string())
        .collect();
    assert_eq!(months, expected);
    let weeks: Vec<IsoWeek> = telemetry(world).iter().map(|one| one.week).collect();
    assert!(weeks.windows(2).all(|pair| pair[0].next() == pair[1]), "a week is missing: {weeks:?}");
    assert_eq!(weeks[0].to_string(), "2025-W50");
    let late: Vec<String> = submissions(world).iter().filter(|one| one.late).map(|one| one.month.to_string()).collect();
    assert_eq!(late, ["2026-02"]);
}
