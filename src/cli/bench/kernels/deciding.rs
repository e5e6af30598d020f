//! The rules that run most often: what counts, and what is due.

use chrono::TimeDelta;

use super::super::model::at;
use super::{Work, first_sample, fleet};
use crate::rules::counting::{self, AsOf, Ledger};
use crate::rules::deadlines::Deadlines;
use crate::rules::rating::Rating;
use crate::rules::retention::Keep;
use crate::rules::schedule::{self, Facts, Policy, ServerFacts};
use crate::rules::working_days::WorkingDays;

/// Every workload of a sample is classified and weighed, and their sums are made.
pub fn classify() -> Work {
    let (sample, mut ledger) = (first_sample(&fleet(1_000, 0)), Ledger::default());
    ledger.take_note(&sample);
    let rating = Rating::default();
    Box::new(move || {
        let counted = counting::classify(&sample, &ledger, AsOf::sample(sample.taken_at), &rating);
        counting::summary(&sample, &counted, &rating).groups.len()
    })
}

/// What is due next where 500 servers are sampled.
pub fn next_duty() -> Work {
    let server = |number: i64| ServerFacts {
        name: format!("vbr{number:03}"),
        offset: TimeDelta::minutes(number % 60),
        watched_since: at(0),
        last_sample_at: Some(at(48) + TimeDelta::minutes(number % 60)),
        miss: None,
    };
    let facts = Facts { servers: (0..500).map(server).collect(), ..Facts::default() };
    let days = TimeDelta::days(400);
    let policy = Policy {
        sample_interval: TimeDelta::hours(1),
        basis_max_age: TimeDelta::hours(2),
        deadlines: Deadlines::default(),
        working_days: WorkingDays::default(),
        keep: Keep { raw: days, mail: days },
    };
    Box::new(move || schedule::next_duty(&facts, &policy, &|_| false).map_or(0, |planned| planned.why.len()))
}
