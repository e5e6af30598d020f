//! What is told of a license's dates and limit, when, and that it is told once.

use chrono::TimeDelta;
use proptest::prelude::*;
use tidegauge::domain::Instant;
use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::rules::license_state::{Life, Standing, life};
use tidegauge::rules::license_watch::{Telling, Told, Watched};
use tidegauge::rules::overage::{Allowance, Overage, overage};

use super::made::at;

fn rental_to(last_day: &str) -> Option<Life> {
    let expires_on = Some(last_day.parse().unwrap());
    life(&License { kind: LicenseType::Rental, expires_on, ..License::default() })
}

fn used(points: i64) -> Overage {
    let allowance = Allowance::Rental { new_last_month: Points::ZERO };
    overage(Points::whole(100), Points::whole(points), allowance)
}

const NOTHING: Watched = Watched { life: None, limit: None };

/// Tells as an agent would that looks every hour; what was told, a line each.
fn told_between(from: &str, to: &str, seen: &dyn Fn(Instant) -> Watched) -> Vec<String> {
    let (mut now, mut told, mut lines) = (at(from), Told::default(), Vec::new());
    while now < at(to) {
        let watched = seen(now);
        if told.due_at(&watched).is_some_and(|due_at| due_at <= now) {
            let (after, tellings) = told.tell(&watched, now);
            assert!(after.due_at(&watched).is_none_or(|due_at| now < due_at), "told at {now} and due again");
            lines.extend(tellings.iter().map(|telling| format!("{} {}", now.format("%m-%d %H:%M"), line(telling))));
            told = after;
        }
        now += TimeDelta::hours(1);
    }
    lines
}

fn line(telling: &Telling) -> String {
    match telling {
        Telling::Dates { standing: Standing::Grace { day, .. }, is_first_of_standing, .. } => {
            if *is_first_of_standing {
                "grace begins".to_owned()
            } else {
                format!("grace day {day}")
            }
        }
        Telling::Dates { standing: Standing::Notice { days_left }, .. } => format!("{days_left} days left"),
        Telling::Dates { standing, .. } => format!("{standing:?}"),
        Telling::Exceeded { overage, since } => format!("{:?} since {}", overage.band, since.format("%m-%d %H:%M")),
        Telling::Back { overage } => format!("back at {}", overage.used),
    }
}

#[test]
fn a_license_that_nobody_renews_is_told_to_its_end_and_then_no_more() {
    let dates = Watched { life: rental_to("2026-03-15"), ..NOTHING };
    let told = told_between("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", &|_| dates);
    let weekly = ["03-08 00:00 7 days left", "03-15 00:00 0 days left", "03-16 00:00 grace begins"];
    assert_eq!(told[..3], weekly);
    let month_one = ["03-23 00:00 grace day 8", "03-30 00:00 grace day 15", "04-06 00:00 grace day 22"];
    assert_eq!(told[3..6], month_one);
    assert_eq!(told[6..9], ["04-13 00:00 grace day 29", "04-15 00:00 grace day 31", "04-16 00:00 grace day 32"]);
    assert_eq!(told[told.len() - 2..], ["05-14 00:00 grace day 60", "05-15 00:00 Stopped"]);
    assert_eq!(told.len(), 8 + 29 + 1);
}

#[test]
fn one_telling_stands_for_all_that_were_missed() {
    let dates = Watched { life: rental_to("2026-03-15"), ..NOTHING };
    let late = told_between("2026-03-20T09:00:00Z", "2026-03-24T00:00:00Z", &|_| dates);
    assert_eq!(late, ["03-20 09:00 grace begins", "03-23 00:00 grace day 8"]);
    let later = told_between("2026-09-01T09:00:00Z", "2026-12-01T00:00:00Z", &|_| dates);
    assert_eq!(later, ["09-01 09:00 Stopped"]);
}

#[test]
fn a_renewed_license_begins_anew() {
    let renewed = |now: Instant| {
        let last_day = if now < at("2026-03-17T12:00:00Z") { "2026-03-15" } else { "2026-04-30" };
        Watched { life: rental_to(last_day), ..NOTHING }
    };
    let told = told_between("2026-03-01T00:00:00Z", "2026-05-02T00:00:00Z", &renewed);
    let days: Vec<&str> = told.iter().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(days, ["03-08", "03-15", "03-16", "04-23", "04-30", "05-01"], "{told:?}");
}

#[test]
fn a_limit_is_told_when_it_gets_worse_then_at_its_pace_and_when_it_is_kept_again() {
    // Silent through 110, processed through 120.
    let usage = |now: Instant| {
        let used_then = match now {
            now if now < at("2026-03-02T09:00:00Z") => 100,
            now if now < at("2026-03-04T09:00:00Z") => 110,
            now if now < at("2026-03-20T09:00:00Z") => 111,
            now if now < at("2026-03-22T09:00:00Z") => 125,
            now if now < at("2026-03-31T09:00:00Z") => 115,
            _ => 105,
        };
        Watched { limit: Some((used(used_then), now)), ..NOTHING }
    };
    let told = told_between("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", &usage);
    let expected = [
        "03-04 09:00 Weekly since 03-02 09:00",
        "03-11 00:00 Weekly since 03-02 09:00",
        "03-18 00:00 Weekly since 03-02 09:00",
        "03-20 09:00 Over since 03-02 09:00",
        "03-21 00:00 Over since 03-02 09:00",
        "03-22 00:00 Over since 03-02 09:00",
        "03-29 00:00 Weekly since 03-02 09:00",
        "03-31 09:00 back at 105",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_limit_that_is_crossed_to_and_fro_is_told_once_a_day() {
    let usage = |now: Instant| {
        let hour = now.timestamp() / 3600;
        Watched { limit: Some((used(if hour % 2 == 0 { 111 } else { 100 }), now)), ..NOTHING }
    };
    let told = told_between("2026-03-01T00:00:00Z", "2026-03-11T00:00:00Z", &usage);
    assert!(told.len() <= 11, "{told:?}");
}

#[test]
fn nothing_is_due_for_a_license_without_dates_and_without_limit() {
    assert_eq!(Told::default().due_at(&NOTHING), None);
    let within = Watched { limit: Some((used(50), at("2026-03-01T00:00:00Z"))), ..NOTHING };
    assert_eq!(Told::default().due_at(&within), None);
}

proptest! {
    #[test]
    fn however_usage_moves_nothing_is_due_twice_at_once(points in prop::collection::vec(90i64..130, 1..200)) {
        let begins = at("2026-03-01T00:00:00Z");
        let usage = |now: Instant| {
            let hour = usize::try_from((now - begins).num_hours()).unwrap();
            Watched { limit: Some((used(points[hour % points.len()]), now)), life: rental_to("2026-03-05") }
        };
        let told = told_between("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z", &usage);
        let mut once = told.clone();
        once.dedup();
        prop_assert_eq!(once, told);
    }
}
