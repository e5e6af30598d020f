//! Coverage hour by hour: when each server was sampled and when it was not.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeDelta, Timelike};
use serde_json::{Value, json};

use crate::agent::facts::sample_offset;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::calendar::midnight;
use crate::domain::installation::{answers_to, entry_of};
use crate::domain::{Instant, Month};
use crate::rules::schedule::{expected_samples, regular_samples};

use super::refuse_unreckoned;
use super::watermark::Watched;

/// Most days of one answer.
const DAYS_MAX: i64 = 62;
const HOURS: u32 = 24;

/// How an hour of a server went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HourState {
    /// As many samples as were due.
    Complete,
    /// Some, and fewer than were due.
    Partial,
    Missed,
    /// Sampled, and the source had nothing fresh of the server.
    Stale,
    /// No sample was due: by the interval, or because the server was not there.
    NoneExpected,
    Future,
}

impl HourState {
    fn as_str(self) -> &'static str {
        match self {
            HourState::Complete => "complete",
            HourState::Partial => "partial",
            HourState::Missed => "missed",
            HourState::Stale => "stale",
            HourState::NoneExpected => "none_expected",
            HourState::Future => "future",
        }
    }
}

/// Samples of one hour: those that count, and those that were stale.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    fresh: u32,
    stale: u32,
}

impl Agent {
    /// `coverage --json`: each server's days from the first to the last, both included; without them the running month.
    ///
    /// # Errors
    /// 2 for days in the wrong order or more than [`DAYS_MAX`], 66 for a server that nobody knows.
    pub(in crate::agent) fn coverage(
        &self,
        server: Option<&str>,
        from: Option<NaiveDate>,
        until: Option<NaiveDate>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        refuse_unreckoned([from, until])?;
        let month = Month::of(from.or(until).map_or(hour.now, midnight));
        let (first, last) = (from.unwrap_or(month.first_day()), until.unwrap_or(month.last_day()));
        if last < first || (last - first).num_days() >= DAYS_MAX {
            let why = format!("{first} to {last} is no span of 1 to {DAYS_MAX} days; name other days");
            return Err(Refused::new(2, why));
        }
        let mut names = self.known_servers(&self.units()?);
        // A source that names servers is not sampled itself: its servers are.
        names.retain(|name| !self.names_its_servers(name) && server.is_none_or(|asked| answers_to(name, asked)));
        if let (Some(server), true) = (server, names.is_empty()) {
            return Err(Refused::new(66, format!("no server named {server} is known; `status` lists them")));
        }
        let shown: Result<Vec<Value>, Trouble> =
            names.iter().map(|name| self.coverage_of(name, first, last, hour.now)).collect();
        Ok(json!({
            "schema": "tidegauge.coverage/1",
            "from": first,
            "until": last,
            "now": hour.now,
            "interval_seconds": self.policy().sample_interval.num_seconds(),
            "servers": shown?,
        }))
    }

    fn coverage_of(&self, server: &str, first: NaiveDate, last: NaiveDate, now: Instant) -> Result<Value, Trouble> {
        let end = last + Days::new(1);
        let watched = self.watched(server, first, end)?;
        let taken = self.taken_by_hour(&watched, first, end, now)?;
        let (mut expected, mut complete, mut days) = (0, 0, Vec::new());
        for day in first.iter_days().take_while(|day| *day < end) {
            let begins_at = midnight(day).max(watched.since);
            let due =
                expected_samples(begins_at, midnight(day + Days::new(1)).min(now).min(watched.until), &self.policy());
            let hours = (0..HOURS).map(|hour| midnight(day) + TimeDelta::hours(i64::from(hour)));
            let counts: Vec<Taken> = hours.clone().map(|at| taken.get(&at).copied().unwrap_or_default()).collect();
            let fresh = counts.iter().map(|taken| taken.fresh).sum::<u32>().min(due);
            let states = hours.zip(&counts).map(|(at, taken)| self.hour_state(&watched, at, *taken, now).as_str());
            let states: Vec<&str> = states.collect();
            let counts: Vec<u32> = counts.iter().map(|taken| taken.fresh + taken.stale).collect();
            days.push(json!({"day": day, "expected": due, "complete": fresh, "hours": states, "counts": counts}));
            (expected, complete) = (expected + due, complete + fresh);
        }
        Ok(json!({
            "server": server,
            "unit": self.store.unit_of(server)?,
            "expected": expected,
            "complete": complete,
            "last_miss": self.miss_of(server)?.map(|miss| json!({
                "at": miss.at, "why": miss.why, "in_a_row": miss.in_a_row, "needs_person": miss.needs_person,
            })),
            "days": days,
        }))
    }

    fn taken_by_hour(
        &self,
        watched: &Watched,
        first: NaiveDate,
        end: NaiveDate,
        now: Instant,
    ) -> Result<BTreeMap<Instant, Taken>, Trouble> {
        let mut taken: BTreeMap<Instant, Taken> = BTreeMap::new();
        let times = self.store.sample_times(&watched.server, midnight(first)..midnight(end))?;
        // `--now` looks back from its own instant.
        for at in times.into_iter().filter(|at| *at <= now) {
            let hour = midnight(at.date_naive()) + TimeDelta::hours(i64::from(at.hour()));
            let of_hour = taken.entry(hour).or_default();
            if watched.stale.binary_search(&at).is_ok() {
                of_hour.stale += 1;
            } else {
                of_hour.fresh += 1;
            }
        }
        Ok(taken)
    }

    fn hour_state(&self, watched: &Watched, begins_at: Instant, taken: Taken, now: Instant) -> HourState {
        let ends_at = begins_at + TimeDelta::hours(1);
        let offset = sample_offset(entry_of(&watched.server), &self.policy());
        let due = |until: Instant| {
            let until = until.min(watched.until);
            regular_samples(begins_at.max(watched.since), until, offset, &self.policy())
        };
        match (due(ends_at.min(now)), taken) {
            _ if now <= begins_at => HourState::Future,
            (0, Taken { fresh: 0, stale: 0 }) if due(ends_at) > 0 => HourState::Future,
            (0, Taken { fresh: 0, stale: 0 }) => HourState::NoneExpected,
            (_, Taken { fresh: 0, stale: 0 }) => HourState::Missed,
            (_, Taken { fresh: 0, .. }) => HourState::Stale,
            (due, Taken { fresh, .. }) if fresh < due => HourState::Partial,
            (..) => HourState::Complete,
        }
    }
}
