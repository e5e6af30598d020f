//! The retry window is never shorter or longer than the rule, and a key never goes back, whatever the dates.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use proptest::prelude::*;
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::license_key::KeyFile;
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::license_results::Pause;
use tidegauge::rules::renewal::{
    Difference, LastCheck, PackageChange, Phase, Renewal, acceptable, changes, next_step, phase, retry_at, window,
};

use super::renewal::key;

fn a_day() -> impl Strategy<Value = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    (0u64..3000).prop_map(move |days| first + Days::new(days))
}

/// Counted on the calendar, not by the rule's own arithmetic.
fn days_of_month(day: NaiveDate) -> u64 {
    let mut day = day.with_day(1).unwrap();
    let month = day.month();
    let mut days = 0;
    while day.month() == month {
        days += 1;
        day = day.succ_opt().unwrap();
    }
    days
}

/// Retries until auto update goes off, each failing with its pause.
fn fails_until_off(anchor: NaiveDate, begun: Instant, pauses: &[bool]) -> (Vec<Instant>, Instant) {
    let window = window(Some(anchor), None);
    let (mut last, mut tries) = (None, Vec::new());
    for turn in 0.. {
        match next_step(window.as_ref(), begun, last) {
            Renewal::SwitchOff { at } => return (tries, at),
            Renewal::Check { at } => {
                tries.push(at);
                let pause = if pauses[turn % pauses.len()] { Pause::Hour } else { Pause::Day };
                last = Some(LastCheck { at, retry_at: Some(retry_at("unit", at, pause)) });
            }
        }
    }
    unreachable!("each turn returns or goes on")
}

proptest! {
    #[test]
    fn the_window_is_the_anchors_month_long(license in a_day(), support in proptest::option::of(a_day())) {
        let seen = window(Some(license), support).unwrap();
        let anchor = support.map_or(license, |support| support.min(license));
        prop_assert_eq!(seen.anchor, anchor);
        prop_assert_eq!(u64::from(seen.days), days_of_month(anchor));
        prop_assert_eq!(seen.ends_on, anchor + Days::new(days_of_month(anchor)));
        prop_assert_eq!(seen.grace_ends_on, Some(license + Days::new(60)));
        let days = anchor.iter_days().take(70).filter(|day| matches!(phase(Some(&seen), midnight(*day)), Phase::Retrying { .. }));
        prop_assert_eq!(days.count() as u64, days_of_month(anchor));
    }

    #[test]
    fn however_checks_fail_they_go_on_to_the_last_day_and_never_beyond(
        anchor in a_day(), lead in 0i64..40, pauses in prop::collection::vec(any::<bool>(), 1..6),
    ) {
        let end = midnight(anchor + Days::new(days_of_month(anchor) + 1));
        let (tries, off_at) = fails_until_off(anchor, midnight(anchor) - TimeDelta::days(lead), &pauses);
        prop_assert_eq!(off_at, end);
        prop_assert!(tries.iter().all(|at| *at < end));
        prop_assert!(tries.last().is_some_and(|last| end - *last <= TimeDelta::hours(24) + TimeDelta::minutes(5)));
        for pair in tries.windows(2) {
            let pause = pair[1] - pair[0];
            let fits = |span: TimeDelta| span <= pause && pause <= span + TimeDelta::minutes(5);
            prop_assert!(fits(TimeDelta::minutes(60)) || fits(TimeDelta::hours(24)), "{} after {}", pair[1], pair[0]);
        }
    }

    #[test]
    fn no_step_is_ever_at_or_after_the_windows_end(
        anchor in a_day(), enabled in -100i64..100, last in -100i64..100, retry in proptest::option::of(0i64..3000),
    ) {
        let window = window(Some(anchor), None).unwrap();
        let at = |days: i64| midnight(anchor) + TimeDelta::days(days);
        let checked = LastCheck { at: at(last), retry_at: retry.map(|minutes| at(last) + TimeDelta::minutes(minutes)) };
        for last in [None, Some(checked)] {
            match next_step(Some(&window), at(enabled), last) {
                Renewal::Check { at } => prop_assert!(at < window.off_at()),
                Renewal::SwitchOff { at } => prop_assert!(window.off_at() <= at),
            }
        }
    }

    #[test]
    fn a_key_never_goes_back(
        serials in (0u64..6, 0u64..6), days in (0u64..5, 0u64..5), points in 0i64..4, supports in proptest::option::of(a_day()),
    ) {
        let day = |number: u64| NaiveDate::from_ymd_opt(2026, 3, 1).unwrap() + Days::new(number);
        let old = KeyFile { serial: serials.0, expires_on: day(days.0), ..key() };
        let new = KeyFile {
            serial: serials.1,
            expires_on: day(days.1),
            points: Points::whole(points),
            support_expires_on: supports,
            ..key()
        };
        let accepted = acceptable(&old, &new, PackageChange::Refused);
        prop_assert_eq!(accepted.is_ok(), serials.0 < serials.1 && days.0 <= days.1, "{:?}", accepted);
        // One way at most, so keys cannot replace each other in turns.
        prop_assert!(accepted.is_err() || acceptable(&new, &old, PackageChange::Allowed).is_err());
    }

    #[test]
    fn a_package_changes_only_where_it_is_allowed(before in proptest::option::of("[a-b]"), after in proptest::option::of("[a-b]")) {
        let old = KeyFile { package: before.clone(), ..key() };
        let new = KeyFile { package: after.clone(), serial: old.serial + 1, ..key() };
        let refused = matches!(acceptable(&old, &new, PackageChange::Refused), Err(Difference::Package { .. }));
        prop_assert_eq!(refused, before != after);
        prop_assert_eq!(acceptable(&old, &new, PackageChange::Allowed), Ok(()));
        prop_assert_eq!(changes(&old, &new).len(), usize::from(before != after));
    }
}
