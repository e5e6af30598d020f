//! Days off, and the last working day before a deadline.

use chrono::{NaiveDate, Weekday, WeekdaySet};
use tidegauge::domain::notice::Workdays;
use tidegauge::rules::working_days::WorkingDays;

use super::made::at;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("tests write days as 2026-12-25")
}

/// Christmas and New Year.
fn feast() -> WorkingDays {
    let holidays = ["2026-12-25", "2027-01-01"].into_iter().map(day).collect();
    WorkingDays { holidays, ..WorkingDays::default() }
}

#[test]
fn saturdays_sundays_and_holidays_are_off() {
    let off = ["2026-12-25", "2026-12-26", "2026-12-27", "2027-01-01"].map(|text| feast().is_working(day(text)));
    assert_eq!((off, feast().is_working(day("2026-12-28"))), ([false; 4], true));
    let friday = WorkingDays { weekend: WeekdaySet::single(Weekday::Fri), ..WorkingDays::default() };
    assert!(!friday.is_working(day("2026-12-18")) && friday.is_working(day("2026-12-19")));
}

#[test]
fn the_next_working_instant_is_the_hour_itself_or_the_midnight_after_the_days_off() {
    let first = |from: &str, ends: &str| feast().first_in(at(from), at(ends));
    assert_eq!(first("2026-12-24T15:00:00Z", "2027-01-11T00:00:00Z"), Some(at("2026-12-24T15:00:00Z")));
    assert_eq!(first("2026-12-25T15:00:00Z", "2027-01-11T00:00:00Z"), Some(at("2026-12-28T00:00:00Z")));
    assert_eq!(first("2026-12-25T15:00:00Z", "2026-12-28T00:00:00Z"), None, "the deadline is not moved");
}

#[test]
fn the_last_working_day_before_a_midnight_is_a_day_before_it() {
    let last = |ends: &str| feast().last_before(at(ends));
    assert_eq!(last("2027-01-03T00:00:00Z"), Some(day("2026-12-31")));
    assert_eq!(last("2026-12-31T00:00:00Z"), Some(day("2026-12-30")));
    assert_eq!(last("2026-12-31T00:00:01Z"), Some(day("2026-12-31")));
}

#[test]
fn people_are_told_when_only_days_off_lie_between_them_and_the_deadline() {
    let left = |today: &str, ends: &str| feast().left(day(today), at(ends));
    assert_eq!(left("2026-12-23", "2026-12-28T00:00:00Z"), Workdays::Enough);
    assert_eq!(left("2026-12-24", "2026-12-28T00:00:00Z"), Workdays::TodayIsLast);
    assert_eq!(left("2026-12-25", "2026-12-28T00:00:00Z"), Workdays::NoneLeft);
    assert_eq!(left("2026-12-24", "2026-12-25T00:00:00Z"), Workdays::Enough, "until tomorrow says as much");
}

#[test]
fn where_no_day_is_a_working_day_every_day_is_as_good_as_another() {
    let idle = WorkingDays { weekend: WeekdaySet::ALL, ..WorkingDays::default() };
    assert_eq!(idle.first_from(at("2026-12-24T15:00:00Z")), at("2026-12-24T15:00:00Z"));
    assert_eq!(idle.last_before(at("2026-12-24T15:00:00Z")), None);
}
