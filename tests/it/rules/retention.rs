//! When something is let go by age, and what is still owed.

use chrono::TimeDelta;
use tidegauge::rules::retention::{CheckpointFacts, Keep, RetentionFacts, planned, raw_before};
use tidegauge::rules::schedule::{Duty, Policy};

use super::made::at;

const KEEP: Keep = Keep { raw: TimeDelta::days(400), mail: TimeDelta::days(500) };

fn next(facts: &RetentionFacts) -> Option<(String, Duty)> {
    let policy = Policy { keep: KEEP, ..tidegauge::config::Settings::default().policy() };
    planned(facts, &policy).map(|planned| (planned.at.to_rfc3339(), planned.duty))
}

fn after(more: bool, is_journal_thinned: bool) -> RetentionFacts {
    let checkpoint = CheckpointFacts { at: at("2026-11-16T00:00:00Z"), more, is_journal_thinned };
    RetentionFacts { checkpoint: Some(checkpoint), ..RetentionFacts::default() }
}

#[test]
fn the_first_time_is_the_monday_after_the_oldest_sample_came_of_age_and_then_each_monday() {
    assert_eq!(next(&RetentionFacts::default()), None, "nothing was ever sampled");
    let oldest_at = Some(at("2025-10-15T09:00:00Z"));
    let first = next(&RetentionFacts { oldest_at, ..RetentionFacts::default() });
    assert_eq!(first, Some(("2026-11-23T00:00:00+00:00".to_owned(), Duty::LetGo)), "400 days end on 2026-11-19");
    assert_eq!(next(&after(false, true)), Some(("2026-11-23T00:00:00+00:00".to_owned(), Duty::LetGo)));
}

#[test]
fn a_journal_that_still_holds_what_was_let_go_comes_first_and_too_much_at_once_goes_on_at_once() {
    let last = "2026-11-16T00:00:00+00:00".to_owned();
    assert_eq!(next(&after(true, false)), Some((last.clone(), Duty::ThinJournal)));
    assert_eq!(next(&after(true, true)), Some((last, Duty::LetGo)));
}

#[test]
fn whole_weeks_go_by_the_longer_age() {
    let now = at("2026-11-23T00:00:00Z");
    assert_eq!(raw_before(now, KEEP, &[]), at("2025-10-13T00:00:00Z"), "400 days before is the 19th, a Sunday");
}

#[test]
fn a_forgotten_month_leaves_the_journal_at_once_whatever_else_is_to_go() {
    let forgotten_at = Some(at("2026-11-20T10:00:00Z"));
    let expected = Some(("2026-11-20T10:00:00+00:00".to_owned(), Duty::ThinJournal));
    for facts in [RetentionFacts::default(), after(true, true), after(false, false)] {
        assert_eq!(next(&RetentionFacts { forgotten_at, ..facts }), expected, "{facts:?}");
    }
}
