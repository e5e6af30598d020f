//! Notice, expiration and grace of every type of license, and the days on which people are told.

use chrono::{Days, NaiveDate, TimeDelta};
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::rules::license_state::{
    Ends, Key, Standing, State, TERMS, Terms, expiration_text, life, state, terms_of, usage_text,
};

use super::made::{at, points};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

const LAST_DAY: &str = "2026-03-15";

/// A license of these terms that ends on [`LAST_DAY`].
fn ending(terms: Terms) -> License {
    let last_day = Some(day(LAST_DAY));
    let dates = match terms.ends {
        Ends::License | Ends::Never => (last_day, None),
        Ends::Support => (None, last_day),
    };
    License { kind: terms.kind, expires_on: dates.0, support_expires_on: dates.1, ..License::default() }
}

/// Type, first day of the notice, last day of grace, first instant at which nothing is processed: domain.md 5.1.
const LIVES: [(LicenseType, &str, Option<&str>, Option<&str>); 6] = [
    (LicenseType::Rental, "2026-03-08", Some("2026-05-14"), Some("2026-05-15")),
    (LicenseType::Subscription, "2026-02-13", Some("2026-04-14"), Some("2026-04-15")),
    (LicenseType::Perpetual, "2026-03-01", None, None),
    (LicenseType::Evaluation, "2026-02-13", None, Some("2026-03-16")),
    (LicenseType::Nfr, "2026-02-13", None, Some("2026-03-16")),
    (LicenseType::Promo, "2026-03-08", None, Some("2026-03-16")),
];

#[test]
fn notice_and_grace_are_as_long_as_the_type_says() {
    for (kind, notice_from, grace_to, stops_on) in LIVES {
        let life = life(&ending(terms_of(kind))).unwrap();
        assert_eq!((life.notice_from, life.last_day), (day(notice_from), day(LAST_DAY)), "{kind:?}");
        let grace = grace_to.map(|to| (day("2026-03-16"), day(to)));
        assert_eq!((life.grace, life.stops_at), (grace, stops_on.map(|on| midnight(day(on)))), "{kind:?}");
    }
}

#[test]
fn every_type_goes_through_its_states_in_order_and_to_the_second() {
    let second = TimeDelta::seconds(1);
    for terms in TERMS {
        let license = ending(terms);
        let state = |at| state(Key::Known(&license), at);
        let Some(life) = life(&license) else {
            let none = if terms.kind == LicenseType::Empty { State::NotInstalled } else { State::Valid };
            assert_eq!((terms.ends, state(at("2036-01-01T00:00:00Z"))), (Ends::Never, none));
            continue;
        };
        let (notice_at, over_at) = (midnight(life.notice_from), midnight(life.last_day + Days::new(1)));
        assert_eq!((state(notice_at - second), state(notice_at)), (State::Valid, State::Warning), "{terms:?}");
        assert_eq!(state(over_at - second), State::Warning, "a date is valid through the end of its day");
        let after = if terms.ends == Ends::Support { State::Warning } else { State::Expired };
        assert_eq!(state(over_at), after, "{terms:?}");
        if let (Some((_, to)), Some(stops_at)) = (life.grace, life.stops_at) {
            assert_eq!(midnight(to + Days::new(1)), stops_at);
            let of = i64::try_from(terms.grace_days).unwrap();
            assert_eq!(life.standing(over_at), Standing::Grace { day: 1, of });
            assert_eq!(life.standing(stops_at - second), Standing::Grace { day: of, of });
            assert_eq!((state(stops_at - second), state(stops_at)), (State::Expired, State::Error), "{terms:?}");
        }
    }
}

#[test]
fn a_perpetual_license_never_expires_and_its_support_does() {
    let license = License { expires_on: Some(day("2020-01-01")), ..ending(terms_of(LicenseType::Perpetual)) };
    let life = life(&license).unwrap();
    assert_eq!((life.ends, life.last_day, life.stops_at), (Ends::Support, day(LAST_DAY), None));
    assert_eq!(life.standing(at("2036-01-01T00:00:00Z")), Standing::SupportOver);
}

#[test]
fn what_is_no_key_or_no_valid_one_is_called_so() {
    let now = at("2026-03-01T00:00:00Z");
    assert_eq!(state(Key::None, now), State::NotInstalled);
    assert_eq!(state(Key::Invalid, now), State::Invalid);
    let undated = License { kind: LicenseType::Rental, ..License::default() };
    assert_eq!(state(Key::Known(&undated), now), State::Valid);
    assert_eq!((life(&undated), expiration_text(&undated, now)), (None, None));
    assert_eq!(State::NotInstalled.as_str(), "Not Installed");
}

#[test]
fn every_type_is_told_weekly_in_its_notice_weekly_then_daily_in_grace_and_once_after() {
    for terms in TERMS.into_iter().filter(|terms| terms.ends != Ends::Never) {
        let told = life(&ending(terms)).unwrap().telling_days();
        let offset = |day: &NaiveDate| (*day - self::day(LAST_DAY)).num_days();
        let notice: Vec<i64> = told.iter().map(offset).filter(|day| *day <= 0).collect();
        let first = -i64::try_from(terms.notice_days).unwrap();
        assert_eq!(notice, (first..=0).step_by(7).collect::<Vec<_>>(), "{terms:?}");
        let grace = i64::try_from(terms.grace_days).unwrap();
        let after: Vec<i64> = told.iter().map(offset).filter(|day| 0 < *day).collect();
        let weekly = (1..=grace.min(30)).step_by(7);
        let expected: Vec<i64> = weekly.chain(31..=grace).chain([grace + 1]).collect();
        assert_eq!(after, expected, "{terms:?}");
    }
}

#[test]
fn the_next_telling_is_the_first_one_after_what_was_told() {
    let life = life(&ending(terms_of(LicenseType::Rental))).unwrap();
    let next = |told: &str| life.next_telling_at(Some(at(told)));
    assert_eq!(life.next_telling_at(None), Some(at("2026-03-08T00:00:00Z")));
    assert_eq!(next("2026-03-08T00:00:00Z"), Some(at("2026-03-15T00:00:00Z")));
    assert_eq!(next("2026-03-15T00:00:00Z"), Some(at("2026-03-16T00:00:00Z")));
    assert_eq!(next("2026-03-20T12:00:00Z"), Some(at("2026-03-23T00:00:00Z")), "day 8 of grace");
    assert_eq!(next("2026-04-13T00:00:00Z"), Some(at("2026-04-15T00:00:00Z")), "day 29, then day 31");
    assert_eq!(next("2026-04-15T00:00:00Z"), Some(at("2026-04-16T00:00:00Z")));
    assert_eq!(next("2026-05-14T23:59:59Z"), Some(at("2026-05-15T00:00:00Z")), "nothing is processed any more");
    assert_eq!(next("2026-05-15T00:00:00Z"), None);
}

#[test]
fn absurd_dates_of_a_foreign_license_do_no_harm() {
    for terms in TERMS {
        for absurd in [NaiveDate::MIN, NaiveDate::MAX] {
            let dates = (Some(absurd), Some(absurd));
            let license = License { expires_on: dates.0, support_expires_on: dates.1, ..ending(terms) };
            if let Some(life) = life(&license) {
                assert!(life.telling_days().len() < 60);
                life.standing(at("2026-03-01T00:00:00Z"));
                expiration_text(&license, at("2026-03-01T00:00:00Z"));
            }
        }
    }
}

#[test]
fn usage_and_expiration_are_written_as_the_field_writes_them() {
    let rental = License {
        kind: LicenseType::Rental,
        licensed_points: Some(points("100")),
        expires_on: Some(day("2026-12-12")),
        ..License::default()
    };
    let usage = |license: &License| usage_text(license, points("74"), points("0"));
    assert_eq!(usage(&rental).as_deref(), Some("Points: 100 (74 used + 0 new)"));
    let written = |license: &License, on: &str| expiration_text(license, at(on)).unwrap();
    assert_eq!(written(&rental, "2025-11-19T10:00:00Z"), "Expiration date: 12/12/2026 (388 days left)");
    assert_eq!(written(&rental, "2026-12-11T10:00:00Z"), "Expiration date: 12/12/2026 (1 day left)");
    assert_eq!(written(&rental, "2026-12-12T23:59:59Z"), "Expiration date: 12/12/2026 (0 days left)");
    assert_eq!(written(&rental, "2026-12-14T00:00:00Z"), "Expiration date: 12/12/2026 (expired 2 days ago)");
    let instances = License { kind: LicenseType::Subscription, ..rental.clone() };
    assert_eq!(usage(&instances).as_deref(), Some("Instances: 100 (74 used + 0 new)"));
    let perpetual = License { kind: LicenseType::Perpetual, support_expires_on: rental.expires_on, ..rental.clone() };
    let support = "Support expiration date: 12/12/2026 (388 days left)";
    assert_eq!(written(&perpetual, "2025-11-19T10:00:00Z"), support);
    assert_eq!(usage(&License { licensed_points: None, ..rental }), None);
}
