//! The days ahead: reports, deadlines, and the turns of the license.

use expect_test::{Expect, expect};
use tidegauge::document::agenda::When;
use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::rules::deadline_calendar::{CalendarFacts, Entry, Owed, agenda_entries, calendar};
use tidegauge::rules::deadlines::{Deadlines, Due};
use tidegauge::rules::overage::Usage;
use tidegauge::rules::renewal::{Switch, window};
use tidegauge::rules::working_days::WorkingDays;

use super::made::{at, month};

fn rental(expires_on: &str) -> License {
    License {
        kind: LicenseType::Rental,
        licensed_points: Some(Points::whole(100)),
        expires_on: Some(expires_on.parse().expect("a day")),
        ..License::default()
    }
}

fn facts(now: &str, license: License) -> CalendarFacts {
    CalendarFacts {
        now: at(now),
        reports_go: Some(Due::AutoSubmit),
        owed: Vec::new(),
        deadlines: Deadlines { portal_deadline_day: 15, ..Deadlines::default() },
        asks: window(license.expires_on, license.support_expires_on),
        unasked: None,
        usage: None,
        exceeded_since: None,
        license,
    }
}

fn told(entry: &Entry) -> String {
    let when = match entry.when {
        When::At(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        When::Days { first, last } if first == last => first.to_string(),
        When::Days { first, last } => format!("{first} to {last}"),
    };
    format!("{when}  {} ({})\n", entry.what, entry.why)
}

fn check(facts: &CalendarFacts, expected: Expect) {
    expected.assert_eq(&calendar(facts).iter().map(told).collect::<String>());
}

#[test]
fn in_automatic_mode_the_next_90_days_hold_reports_expiry_retries_and_grace() {
    let license = License { support_expires_on: "2027-01-10".parse().ok(), ..rental("2026-12-20") };
    check(
        &facts("2026-11-22T06:00:00Z", license),
        expect![[r#"
        2026-12-01 00:00  Usage report of 2026-11 is built (at 00:00 GMT on the 1st, from the newest samples)
        2026-12-11 00:00  Usage report of 2026-11 is sent as it stands (policy.auto_submit_day = 11; review it before)
        2026-12-13 00:00  License checks become daily (from 7 days before 2026-12-20, when license or support ends)
        2026-12-13  Notice of the license's end begins (its last day is 2026-12-20)
        2026-12-15  Last day to enter the sent usage report of 2026-11 in Pulse or the portal (policy.portal_deadline_day = 15; sending never replaces it)
        2026-12-20  Last day of the Rental license (then everything is still processed for its grace, to 2027-02-18)
        2026-12-21 to 2027-01-20  Renewal is tried again, day 1 to 31, unless a key has come (31 days after 2026-12-20, as many as its month has)
        2027-01-01 00:00  Usage report of 2026-12 is built (at 00:00 GMT on the 1st, from the newest samples)
        2027-01-10  Last day of the license's support (the earlier of license and support expiration begins the retry window)
        2027-01-11 00:00  Usage report of 2026-12 is sent as it stands (policy.auto_submit_day = 11; review it before)
        2027-01-15  Last day to enter the sent usage report of 2026-12 in Pulse or the portal (policy.portal_deadline_day = 15; sending never replaces it)
        2027-01-21 00:00  Auto update switches itself off unless a key has come (the retry window ends on 2027-01-20; reporting is manual from then on)
        2027-02-01 00:00  Usage report of 2027-01 is built (at 00:00 GMT on the 1st, from the newest samples)
        2027-02-11 00:00  Usage report of 2027-01 is sent as it stands (policy.auto_submit_day = 11; review it before)
        2027-02-15  Last day to enter the sent usage report of 2027-01 in Pulse or the portal (policy.portal_deadline_day = 15; sending never replaces it)
        2027-02-18  Last day of grace: without a new key nothing is processed after it (the license ended on 2026-12-20)
    "#]],
    );
}

#[test]
fn in_manual_mode_a_person_is_expected_and_nobody_asks_for_a_license() {
    let owed = vec![Owed { month: month("2026-10"), due: Due::Manual }];
    let manual = CalendarFacts {
        reports_go: Some(Due::Manual),
        owed,
        asks: None,
        ..facts("2026-11-05T06:00:00Z", rental("2027-06-30"))
    };
    check(
        &manual,
        expect![[r#"
        2026-11-10  Last day to enter the usage report of 2026-10 in Pulse or the portal (policy.manual_deadline_day = 10; nothing sends it by itself)
        2026-12-01 00:00  Usage report of 2026-11 is built (at 00:00 GMT on the 1st, from the newest samples)
        2026-12-10  Last day to enter the usage report of 2026-11 in Pulse or the portal (policy.manual_deadline_day = 10; nothing sends it by itself)
        2027-01-01 00:00  Usage report of 2026-12 is built (at 00:00 GMT on the 1st, from the newest samples)
        2027-01-10  Last day to enter the usage report of 2026-12 in Pulse or the portal (policy.manual_deadline_day = 10; nothing sends it by itself)
        2027-02-01 00:00  Usage report of 2027-01 is built (at 00:00 GMT on the 1st, from the newest samples)
    "#]],
    );
}

#[test]
fn a_limit_that_is_exceeded_now_and_more_on_the_1st_stands_twice_and_only_the_date_is_kept_in_calendars() {
    let usage = Usage {
        used: Points::whole(115),
        new: Points::whole(50),
        new_last_month: Points::ZERO,
        auto_update: Switch::On,
    };
    let over = CalendarFacts {
        reports_go: None,
        asks: None,
        usage: Some(usage),
        exceeded_since: Some(at("2026-11-20T10:00:00Z")),
        ..facts("2026-11-22T06:00:00Z", rental("2027-06-30"))
    };
    check(
        &over,
        expect![[r#"
        2026-11-22 06:00  115 points of 100 licensed are used (exceeded by 15; all is processed up to 120)
        2026-12-01 00:00  165 points of 100 licensed are used (exceeded by 65; all is processed up to 170)
        2027-01-19  Last day on which the exceeded limit is tolerated (after it all above what is licensed may be left out at any time)
    "#]],
    );
    let last = "2027-01-19".parse().expect("a day");
    let kept = agenda_entries("u", "Servers: vbr01", &calendar(&over), &WorkingDays::default(), over.now);
    assert_eq!(
        kept.iter().map(|entry| entry.when).collect::<Vec<_>>(),
        [When::At(at("2026-12-01T00:00:00Z")), When::Days { first: last, last }]
    );
}

#[test]
fn ids_stay_when_a_date_moves_and_differ_by_month_and_unit() {
    let entries = |unit: &str, expires_on: &str| {
        let found = calendar(&facts("2026-11-22T06:00:00Z", rental(expires_on)));
        agenda_entries(unit, "", &found, &WorkingDays::default(), at("2026-11-22T06:00:00Z"))
    };
    let ids = |unit: &str, expires_on: &str| {
        let mut ids: Vec<String> = entries(unit, expires_on).into_iter().map(|entry| entry.uid).collect();
        ids.sort();
        ids
    };
    let one = ids("u", "2026-12-20");
    assert_eq!(one, ids("u", "2026-12-12"));
    let mut both = [one.clone(), ids("v", "2026-12-20")].concat();
    both.sort();
    both.dedup();
    assert_eq!(both.len(), one.len() * 2);
}

#[test]
fn alarms_come_on_the_morning_of_the_working_day_before() {
    let found = calendar(&facts("2026-11-22T06:00:00Z", rental("2027-06-30")));
    let kept = agenda_entries("u", "", &found, &WorkingDays::default(), at("2026-11-22T06:00:00Z"));
    let sent = found.iter().position(|entry| entry.when == When::At(at("2027-01-11T00:00:00Z"))).expect("December's");
    // Monday the 11th at 00:00 less Friday the 8th at 09:00.
    assert_eq!(kept[sent].alarm_before, chrono::TimeDelta::hours(63));
}
