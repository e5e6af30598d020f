//! The server's gate: the same rule as the agent's, its own tolerance, rulings that change.

use proptest::prelude::*;
use rust_decimal::Decimal;
use tidegauge::domain::Points;
use tidegauge::domain::gate::{Ruling, Tolerance, Verdict};
use tidegauge::domain::watermark::HighWatermark;
use tidegauge::license_server::{Order, Policy, PolicyChange, UnitOnFile};
use tidegauge::protocol::Kind;
use tidegauge::rules::gate::{GateFacts, judge};

use super::{Office, UNIT, at, daily, license, month, submission, telemetry};

proptest! {
    #[test]
    fn agent_and_server_say_the_same_of_the_same_facts(
        marks in prop::collection::btree_map(1..=31u32, 1..500i64, 0..12),
        reported in 0..500i64,
        points in 0..60i64,
        percent in 0..=100i64,
    ) {
        let tolerance = Tolerance { points: Points::whole(points), percent: Decimal::from(percent) };
        let mut report = submission("2026-10", 1, reported);
        report.daily = marks.iter().map(|(day, mark)| daily(&format!("2026-10-{day:02}"), *mark)).collect();
        let mut unit = UnitOnFile::begun("C-100", "agent", at("2026-10-01T00:00:00Z"));
        unit.take_report(&report, at("2026-11-02T00:00:00Z"));
        let of_server = unit.verdict(UNIT, month("2026-10"), tolerance);
        let marks = report.daily.iter().filter_map(|one| one.points.zip(one.at));
        let of_agent = judge(&GateFacts {
            unit: UNIT.to_owned(),
            month: month("2026-10"),
            highest: marks.fold(None, |mark, (points, at)| Some(HighWatermark::raised_by(mark, points, at))),
            reported: Some(Points::whole(reported)),
            forecast: false,
            tolerance,
            justification: None,
            causes: Vec::new(),
        });
        prop_assert_eq!(of_server, of_agent);
    }
}

#[test]
fn the_tolerance_the_server_ran_with_is_also_that_of_the_operators_lists_offline() {
    let office = Office::with_october(104, 59);
    let strict = Policy { deadline_day: 12, ..Policy::default() };
    let generous = Tolerance { points: Points::whole(50), percent: Decimal::from(20) };
    let policy = Policy { tolerance: generous, ..strict };
    office.server.keep_policy(policy.into(), at("2026-11-03T00:00:00Z")).unwrap();
    let seq = office.server.journal_seq();
    office.server.keep_policy(policy.into(), at("2026-11-04T00:00:00Z")).unwrap();
    assert_eq!(office.server.journal_seq(), seq, "said once");
    assert_eq!(office.server.reports().unwrap()[0].gate.verdict, Verdict::Open);
    let offline = office.offline();
    assert_eq!(offline.reports().unwrap()[0].gate.tolerance, Points::whole(50));
}

#[test]
fn a_start_that_says_nothing_of_the_policy_leaves_it_as_it_is_kept() {
    let mut office = Office::enrolled();
    let change = PolicyChange { tolerance_points: Some(Points::whole(50)), ..PolicyChange::default() };
    office.server.keep_policy(change, at("2026-11-03T00:00:00Z")).unwrap();
    office.restart();
    let change = PolicyChange { deadline_day: Some(5), ..PolicyChange::default() };
    let kept = office.server.keep_policy(change, at("2026-11-04T00:00:00Z")).unwrap();
    assert_eq!((kept.before.tolerance.points, kept.before.deadline_day), (Points::whole(50), 11));
    assert_eq!((kept.policy.tolerance.points, kept.policy.deadline_day), (Points::whole(50), 5));
    office.restart();
    let seq = office.server.journal_seq();
    let again = office.server.keep_policy(PolicyChange::default(), at("2026-11-05T00:00:00Z")).unwrap();
    assert_eq!((again.policy, office.server.policy()), (kept.policy, kept.policy));
    assert_eq!(office.server.journal_seq(), seq, "nothing changed");
}

#[test]
fn the_newest_ruling_counts_and_is_told_in_every_answer() {
    let mut office = Office::with_october(104, 59);
    let (unit, month) = (UNIT.to_owned(), month("2026-10"));
    office.order(Order::ApproveReport { unit: unit.clone(), revision: None, month, why: "seen".to_owned() });
    assert_eq!(office.server.reports().unwrap()[0].gate.verdict, Verdict::Open);
    office.order(Order::AskForCorrection { unit, revision: None, month, why: "where are the VMs?".to_owned() });
    assert_eq!(office.server.reports().unwrap()[0].gate.verdict, Verdict::Held, "the approval is taken back");
    let answer = office.ask(None, license("2026-11-05"));
    let ruling = &answer.decisions[0];
    assert_eq!((ruling.ruling, ruling.by.as_str()), (Ruling::CorrectionAsked, "olga"));
    office.now("2026-11-10T06:00:00Z");
    let sent = office.send(Kind::Telemetry, &telemetry("2026-W44", "2026-10-27", 60)).unwrap();
    let tidegauge::protocol::Sent::Accepted { decisions, .. } = sent else { panic!("telemetry is taken") };
    assert_eq!(decisions, answer.decisions);
}

#[test]
fn days_on_which_telemetry_and_report_disagree_are_told_and_the_higher_mark_counts() {
    let office = Office::with_october(104, 99);
    office.now("2026-11-04T06:00:00Z");
    let mut corrected = submission("2026-10", 2, 99);
    corrected.daily = vec![daily("2026-10-20", 90)];
    let sent = office.send(Kind::Report, &corrected).unwrap();
    let tidegauge::protocol::Sent::Accepted { conflicting_days, .. } = sent else { panic!("it is taken") };
    assert_eq!(conflicting_days, ["2026-10-20".parse().unwrap()]);
    assert_eq!(office.server.reports().unwrap()[0].gate.highest_watermark, Some(Points::whole(104)));
}
