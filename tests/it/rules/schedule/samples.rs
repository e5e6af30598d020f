//! When samples are due: the grid of the interval, the month's end, retries, catching up.

use proptest::prelude::*;
use tidegauge::rules::schedule::{MONTH_END_LEAD, SAMPLE_RETRY, expected_samples, next_sample_at};

use super::*;
use tidegauge::domain::Month;

fn hourly(after: &str) -> Instant {
    next_sample_at(at(after), TimeDelta::minutes(7), &policy())
}

fn due(server: ServerFacts) -> Instant {
    next(&Facts { servers: vec![server], ..Facts::default() }).expect("a server is always due again").at
}

#[test]
fn samples_stand_on_an_hourly_grid_with_the_servers_own_offset() {
    assert_eq!(hourly("2026-11-05T10:00:00Z"), at("2026-11-05T10:07:00Z"));
    assert_eq!(hourly("2026-11-05T10:07:00Z"), at("2026-11-05T11:07:00Z"));
    assert_eq!(hourly("2026-11-05T10:06:59.999Z"), at("2026-11-05T10:07:00Z"));
}

#[test]
fn one_extra_sample_runs_just_before_the_months_end() {
    assert_eq!(hourly("2026-11-30T23:07:00Z"), at("2026-11-30T23:58:00Z"));
    assert_eq!(hourly("2026-11-30T23:58:00Z"), at("2026-12-01T00:07:00Z"));
    assert_eq!(hourly("2026-11-30T22:30:00Z"), at("2026-11-30T23:07:00Z"), "beside the regular one");
}

#[test]
fn the_first_sample_is_due_at_once() {
    assert_eq!(due(server(None)), at("2026-11-01T00:00:00Z"));
}

#[test]
fn a_failed_sample_is_tried_again_after_ten_minutes_unless_a_regular_one_comes_first() {
    let missed = |miss_at: &str, needs_person| ServerFacts {
        miss: Some((at(miss_at), needs_person)),
        ..server(Some("2026-11-05T09:07:00Z"))
    };
    assert_eq!(due(missed("2026-11-05T10:07:00Z", false)), at("2026-11-05T10:17:00Z"));
    assert_eq!(due(missed("2026-11-05T11:02:00Z", false)), at("2026-11-05T11:07:00Z"));
    assert_eq!(due(missed("2026-11-05T10:07:00Z", true)), at("2026-11-05T11:07:00Z"), "a person has to act first");
    let never = ServerFacts { miss: Some((at("2026-11-05T10:07:00Z"), false)), ..server(None) };
    assert_eq!(due(never), at("2026-11-05T10:17:00Z"));
}

#[test]
fn after_days_of_downtime_one_sample_is_due_and_then_the_grid_goes_on() {
    let off_since = server(Some("2026-11-02T03:07:00Z"));
    assert_eq!(due(off_since), at("2026-11-02T04:07:00Z"), "past, so due at once");
    assert_eq!(due(server(Some("2026-11-05T10:33:00Z"))), at("2026-11-05T11:07:00Z"), "one made up for all");
}

#[test]
fn a_whole_week_expects_168_hourly_samples_and_a_begun_hour_none_yet() {
    let expected = |from: &str, to: &str| expected_samples(at(from), at(to), &policy());
    assert_eq!(expected("2026-10-26T00:00:00Z", "2026-11-02T00:00:00Z"), 168);
    assert_eq!(expected("2026-10-26T00:00:00Z", "2026-10-26T05:59:59Z"), 5);
    assert_eq!(expected("2026-10-26T00:00:00Z", "2026-10-25T00:00:00Z"), 0);
}

proptest! {
    #[test]
    fn the_next_sample_is_strictly_later_and_at_most_one_interval_later(
        seconds in 0..200_000_000i64, nanos in 0..1_000_000_000u32, minutes in 1..1440i64, offset in 0..1440i64,
    ) {
        let after = Instant::from_timestamp(1_700_000_000 + seconds, nanos).unwrap();
        let policy = Policy { sample_interval: TimeDelta::minutes(minutes), ..policy() };
        let due = next_sample_at(after, TimeDelta::minutes(offset), &policy);
        prop_assert!(after < due && due <= after + policy.sample_interval, "{after} -> {due}");
        // The month's end is never passed without its extra sample.
        let extra = Month::of(after).ends_at() - MONTH_END_LEAD;
        prop_assert!(extra <= after || due <= extra);
    }

    #[test]
    fn a_miss_is_never_tried_again_later_than_the_retry_pause(
        last in 0..1_000_000i64, later in 1..1_000_000i64,
    ) {
        let last = Instant::from_timestamp(1_700_000_000 + last, 0).unwrap();
        let missed_at = last + TimeDelta::seconds(later);
        let again = due(ServerFacts { miss: Some((missed_at, false)), last_sample_at: Some(last), ..server(None) });
        prop_assert!(missed_at < again && again <= missed_at + SAMPLE_RETRY);
    }
}

fn named(name: &str, miss: Option<(Instant, bool)>) -> ServerFacts {
    ServerFacts { name: name.to_owned(), miss, ..server(Some("2026-11-05T08:07:00Z")) }
}

#[test]
fn of_servers_that_did_not_answer_only_a_few_are_asked_at_once() {
    let missed = Some((at("2026-11-05T08:07:00Z"), true));
    let mut servers: Vec<ServerFacts> = (0..20).map(|n| named(&format!("a-silent-{n:02}"), missed)).collect();
    servers.push(named("well", None));
    let facts = Facts { servers, ..Facts::default() };
    let mut asked: Vec<Duty> = Vec::new();
    while let Some(next) = next_duty(&facts, &policy(), &|duty| asked.contains(duty)) {
        asked.push(next.duty);
    }
    let silent = asked.iter().filter(|duty| duty.key().contains("silent")).count();
    assert_eq!((silent, asked.len()), (TROUBLED_AT_ONCE_MAX, TROUBLED_AT_ONCE_MAX + 1), "{asked:?}");
    let ended = asked.remove(0);
    assert!(next_duty(&facts, &policy(), &|duty| asked.contains(duty)).is_some_and(|next| next.duty == ended));
}

#[test]
fn samples_that_have_to_wait_keep_nothing_else_waiting() {
    let facts =
        Facts { servers: vec![named("other", None)], units: vec![unit()], samples_wait: true, ..Facts::default() };
    let mut asked: Vec<Duty> = Vec::new();
    while let Some(next) = next_duty(&facts, &policy(), &|duty| asked.contains(duty)) {
        asked.push(next.duty);
    }
    assert!(asked.iter().any(|duty| matches!(duty, Duty::GenerateReport { .. })), "{asked:?}");
    assert!(!asked.iter().any(|duty| matches!(duty, Duty::Collect { .. })), "{asked:?}");
}
