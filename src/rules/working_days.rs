//! On which days people are reminded: working days only, and never later than the day itself (domain.md 8, P14).
//!
//! A reminder of a day off is moved to the last working day before it, where it merges with that day's own. What is
//! generated, sent or due never moves.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Weekday, WeekdaySet};

use crate::domain::Instant;
use crate::domain::calendar::midnight;
use crate::domain::notice::Workdays;

/// Days off in a row that are looked across; beyond them every day is as good as another.
const DAYS_OFF_MAX: u64 = 62;

/// The days of the settings on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingDays {
    pub weekend: WeekdaySet,
    pub holidays: BTreeSet<NaiveDate>,
}

impl Default for WorkingDays {
    /// Saturdays and Sundays are off, and no holiday is known.
    fn default() -> WorkingDays {
        WorkingDays { weekend: WeekdaySet::from_array([Weekday::Sat, Weekday::Sun]), holidays: BTreeSet::new() }
    }
}

impl WorkingDays {
    pub fn is_working(&self, day: NaiveDate) -> bool {
        !self.weekend.contains(day.weekday()) && !self.holidays.contains(&day)
    }

    /// The first instant of a working day in `[from, ends_at)`: `from` itself on a working day, else a midnight.
    pub fn first_in(&self, from: Instant, ends_at: Instant) -> Option<Instant> {
        let days = from.date_naive().iter_days().take(DAYS_OFF_MAX as usize);
        let day = days.into_iter().find(|day| self.is_working(*day))?;
        Some(from.max(midnight(day))).filter(|at| *at < ends_at)
    }

    /// The first instant of a working day from `from` on; `from` itself when there is none in sight.
    pub fn first_from(&self, from: Instant) -> Instant {
        self.first_in(from, Instant::MAX_UTC).unwrap_or(from)
    }

    /// The last working day of which some part lies before the instant.
    pub fn last_before(&self, at: Instant) -> Option<NaiveDate> {
        let last = (at - chrono::TimeDelta::nanoseconds(1)).date_naive();
        (0..DAYS_OFF_MAX).filter_map(|back| last.checked_sub_days(Days::new(back))).find(|day| self.is_working(*day))
    }

    /// What a person should know of the days up to a deadline that ends then.
    pub fn left(&self, today: NaiveDate, ends_at: Instant) -> Workdays {
        let days_between = midnight(today + Days::new(1)) < ends_at;
        match self.last_before(ends_at) {
            Some(last) if last == today && days_between => Workdays::TodayIsLast,
            Some(last) if last < today => Workdays::NoneLeft,
            Some(_) | None => Workdays::Enough,
        }
    }
}
