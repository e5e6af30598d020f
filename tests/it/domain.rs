//! Points, months, weeks, workload types, licenses: what things are.

use chrono::{Datelike, TimeDelta};
use proptest::prelude::*;
use tidegauge::domain::calendar::{midnight, minute_text, rfc3339};
use tidegauge::domain::license::{License, LicenseType, invalid_from};
use tidegauge::domain::report::{message_id, report_id};
use tidegauge::domain::watermark::HighWatermark;
use tidegauge::domain::workload::{WORKLOAD_TYPES, WorkloadType};
use tidegauge::domain::{Instant, IsoWeek, Month, Points};

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

fn month(text: &str) -> Month {
    text.parse().expect("tests write months as 2026-10")
}

#[test]
fn points_are_read_exactly_and_written_without_needless_zeros() {
    for (text, written) in [("11", "11"), ("1283.50", "1283.5"), ("0.000000001", "0.000000001"), ("1e3", "1000")] {
        assert_eq!(Points::stated(text).unwrap().to_string(), written);
    }
    assert_eq!(Points::stated("-0").unwrap().to_string(), "0");
}

#[test]
fn no_amount_is_read_back_that_could_not_be_added_up() {
    let largest = rust_decimal::Decimal::from(10_u64.pow(18)) * rust_decimal::Decimal::from(1_000_000);
    assert_eq!(Points::kept(-largest).map(Points::amount), Some(-largest));
    assert_eq!(Points::kept(largest + rust_decimal::Decimal::ONE), None);
    assert_eq!(Points::kept(rust_decimal::Decimal::MAX), None);
}

#[test]
fn a_stated_amount_that_cannot_be_true_is_refused_and_named() {
    let why = |text: &str| Points::stated(text).unwrap_err().to_string();
    assert_eq!(why("-1"), "-1 is negative; points are never negative");
    assert_eq!(why("1000000001"), "1000000001 is larger than any provider's points (limit 1000000000)");
    assert_eq!(why("1e30"), "'1e30' is not a decimal number");
    assert_eq!(why("0.0000000001"), "0.0000000001 has more than 9 digits after the point");
    for text in ["", " ", "eleven", "1,5", "NaN", "inf", "0x10", "1_000", "+5", "--5"] {
        assert!(Points::stated(text).is_err(), "{text:?}");
    }
}

#[test]
fn differences_are_negative_and_read_back() {
    let lower = Points::whole(3) - Points::whole(5);
    assert!(lower.is_negative() && lower.at_least_zero().is_zero());
    assert_eq!(lower.to_string().parse::<Points>(), Ok(lower));
    assert!("--2".parse::<Points>().is_err() && "-+2".parse::<Points>().is_err());
}

#[test]
fn points_are_strings_in_json_and_read_from_numbers_and_strings() {
    let half: Points = "5.5".parse().unwrap();
    assert_eq!(serde_json::to_string(&half).unwrap(), "\"5.5\"");
    for json in ["5.5", "\"5.5\""] {
        assert_eq!(serde_json::from_str::<Points>(json).unwrap(), half);
    }
    assert_eq!(serde_json::from_str::<Points>("11").unwrap(), Points::whole(11));
}

#[test]
fn rounding_up_never_lowers_and_leaves_whole_amounts() {
    for (exact, rounded) in [("10.000000001", "11"), ("10", "10"), ("0.1", "1"), ("0", "0")] {
        assert_eq!(exact.parse::<Points>().unwrap().rounded_up().to_string(), rounded);
    }
}

#[test]
fn a_month_is_half_open_in_gmt() {
    let february = month("2028-02");
    assert_eq!((february.days(), february.last_day().day()), (29, 29));
    assert!(february.contains(at("2028-02-01T00:00:00Z")) && !february.contains(at("2028-03-01T00:00:00Z")));
    assert_eq!((february.previous(), month("2027-12").next()), (month("2028-01"), month("2028-01")));
    assert_eq!(Month::of(at("2026-12-31T23:59:59.999999999Z")), month("2026-12"));
    assert_eq!(february.name(), "February 2028");
}

#[test]
fn an_iso_week_runs_from_monday_and_belongs_to_the_year_of_its_thursday() {
    let week = |text: &str| IsoWeek::of(at(text)).to_string();
    assert_eq!(week("2026-12-31T23:59:59Z"), "2026-W53");
    assert_eq!(week("2027-01-03T23:59:59Z"), "2026-W53");
    assert_eq!(week("2027-01-04T00:00:00Z"), "2027-W01");
    let last: IsoWeek = "2026-W53".parse().unwrap();
    assert_eq!((last.starts_at(), last.ends_at()), (at("2026-12-28T00:00:00Z"), at("2027-01-04T00:00:00Z")));
    assert_eq!((last.next().to_string(), last.next().previous()), ("2027-W01".to_owned(), last));
    assert_eq!(last.days().map(|day| day.day()), [28, 29, 30, 31, 1, 2, 3]);
}

#[test]
fn what_is_no_period_is_refused_with_an_example() {
    for text in ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "2026-+1", "+026-10", "1969-12", ""] {
        let why = text.parse::<Month>().unwrap_err().to_string();
        assert_eq!(why, format!("'{text}' is not a month; write it as 2026-10"));
    }
    for text in ["2026-W54", "2025-W53", "2026-W00", "2026-44", "2026-W+1", "-999-W01", "0000-W01", "2026-W1"] {
        let why = text.parse::<IsoWeek>().unwrap_err().to_string();
        assert_eq!(why, format!("'{text}' is not an ISO week; write it as 2026-W44"));
    }
}

#[test]
fn instants_are_written_in_utc_with_as_many_digits_as_they_have() {
    assert_eq!(rfc3339(at("2026-10-31T23:00:00+01:00")), "2026-10-31T22:00:00Z");
    assert_eq!(rfc3339(at("2026-10-31T23:00:00.5Z")), "2026-10-31T23:00:00.500Z");
    assert_eq!(minute_text(at("2026-10-31T23:00:59Z")), "2026-10-31 23:00");
}

#[test]
fn every_workload_type_is_written_as_it_is_read_and_a_foreign_one_is_kept() {
    for (kind, name) in WORKLOAD_TYPES {
        assert_eq!((name.parse::<WorkloadType>(), kind.as_str(), kind.is_known()), (Ok(kind.clone()), name, true));
    }
    let foreign: WorkloadType = "EntraID".parse().unwrap();
    assert_eq!((foreign.as_str(), foreign.is_known()), ("EntraID", false));
    assert_eq!(serde_json::to_string(&foreign).unwrap(), "\"EntraID\"");
}

#[test]
fn only_a_rental_key_is_reported_monthly() {
    let reported = |text| LicenseType::parse(text).is_reported_monthly();
    assert!(reported("Rental") && reported("rental"));
    for other in ["Subscription", "Perpetual", "Evaluation", "NFR", "Free", "something"] {
        assert!(!reported(other), "{other}");
    }
}

#[test]
fn a_license_is_valid_through_its_last_day_and_anchored_at_the_earlier_date() {
    let (january, march) = (midnight_of("2027-01-31"), midnight_of("2027-03-31"));
    assert_eq!(invalid_from(january.date_naive()), at("2027-02-01T00:00:00Z"));
    let license = |expires: Option<Instant>, support: Option<Instant>| License {
        expires_on: expires.map(|at| at.date_naive()),
        support_expires_on: support.map(|at| at.date_naive()),
        ..License::default()
    };
    assert_eq!(license(Some(march), Some(january)).anchor(), Some(january.date_naive()));
    assert_eq!(license(Some(march), None).anchor(), Some(march.date_naive()));
    assert_eq!(license(None, None).anchor(), None);
}

fn midnight_of(day: &str) -> Instant {
    midnight(day.parse().expect("tests write days as 2026-10-31"))
}

#[test]
fn a_watermark_stands_at_the_first_instant_it_was_reached() {
    let (early, late) = (at("2026-10-26T01:00:00Z"), at("2026-10-27T01:00:00Z"));
    let mark = HighWatermark::raised_by(None, Points::whole(10), late);
    assert_eq!(HighWatermark::raised_by(Some(mark), Points::whole(10), early).at, early, "samples in any order");
    assert_eq!(HighWatermark::raised_by(Some(mark), Points::whole(9), early), mark);
    assert_eq!(HighWatermark::raised_by(Some(mark), Points::whole(11), early).at, early);
    assert_eq!(HighWatermark::raised_by(None, Points::ZERO, early).points, Points::ZERO);
}

#[test]
fn ids_of_what_leaves_the_machine_tell_unit_kind_period_and_revision_apart() {
    let id = report_id("u", month("2026-10"), 1);
    assert_eq!(id, report_id("u", month("2026-10"), 1));
    let others = [
        report_id("v", month("2026-10"), 1),
        report_id("u", month("2026-11"), 1),
        report_id("u", month("2026-10"), 2),
        message_id("u", "telemetry", "2026-10", 1),
    ];
    assert!(others.iter().all(|other| *other != id));
}

proptest! {
    #[test]
    fn points_never_lose_a_digit(units in 0..1_000_000_000_000u64, scale in 0..9u32) {
        let points = Points::new(rust_decimal::Decimal::new(units.cast_signed(), scale));
        prop_assert_eq!(points.to_string().parse::<Points>(), Ok(points));
        let json = serde_json::to_string(&points).unwrap();
        prop_assert_eq!(serde_json::from_str::<Points>(&json).unwrap(), points);
        prop_assert!(points <= points.rounded_up() && points.rounded_up() - points < Points::whole(1));
    }

    #[test]
    fn every_instant_is_in_its_month_and_its_week(seconds in 0..4_000_000_000i64) {
        let at = Instant::from_timestamp(seconds, 0).unwrap();
        let (month, week) = (Month::of(at), IsoWeek::of(at));
        prop_assert!(month.contains(at) && week.starts_at() <= at && at < week.ends_at());
        prop_assert_eq!(month.to_string().parse::<Month>(), Ok(month));
        if week.starts_at() >= Instant::UNIX_EPOCH {
            prop_assert_eq!(week.to_string().parse::<IsoWeek>(), Ok(week));
        }
        prop_assert_eq!(month.ends_at() - month.starts_at(), TimeDelta::days(i64::from(month.days())));
        prop_assert_eq!((month.next().previous(), week.next().previous()), (month, week));
    }
}

#[test]
fn a_license_block_without_its_type_keeps_the_type_that_was_seen_before() {
    let seen = License { kind: LicenseType::Rental, edition: Some("EnterprisePlus".to_owned()), ..License::default() };
    let mut typeless = License { kind: LicenseType::Unknown, ..seen.clone() };
    assert!(typeless.is_in_want());
    assert_eq!(typeless.stand_on(&seen).as_deref(), Some("the server names no type of its license: Rental stands"));
    assert!(typeless.kind.is_reported_monthly() && !typeless.is_in_want());
    let mut other = License { kind: LicenseType::Subscription, ..seen.clone() };
    assert_eq!(other.stand_on(&seen), None);
    assert_eq!(other.kind, LicenseType::Subscription, "a type that is stated is the type");
    let mut never = License::default();
    never.stand_on(&License::default());
    assert_eq!(never.kind, LicenseType::Unknown);
}
