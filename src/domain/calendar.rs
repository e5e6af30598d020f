//! Months, ISO weeks and days in GMT, half open.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in GMT.
pub type Instant = DateTime<Utc>;

/// The hour in which a workload counts as protected after a restore point: 31 × 24 h (domain.md 7.3).
pub const PROTECTED_FOR: TimeDelta = TimeDelta::hours(31 * 24);

/// A calendar month in GMT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

/// An ISO 8601 week in GMT, Monday to Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoWeek {
    year: i32,
    week: u32,
}

/// Why a text is no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPeriod {
    #[error("'{0}' is not a month; write it as 2026-10")]
    Month(String),
    #[error("'{0}' is not an ISO week; write it as 2026-W44")]
    Week(String),
}

/// Midnight GMT at the start of the day.
pub fn midnight(day: NaiveDate) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Whether a day is one that is reckoned with, in the years 1970 to 9998: days beside it exist too, while a parsed day
/// may be the last that there is.
pub fn is_reckoned(day: NaiveDate) -> bool {
    (1970..=9998).contains(&day.year())
}

/// RFC 3339 in UTC with whole seconds, or as many digits as the instant has.
pub fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `2026-10-31 23:00`, for stories and lines that people read.
pub fn minute_text(at: Instant) -> String {
    minute_shown(at).to_string()
}

/// The same to be written somewhere.
pub fn minute_shown(at: Instant) -> impl std::fmt::Display {
    MinuteShown(at)
}

struct MinuteShown(Instant);

impl std::fmt::Display for MinuteShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.0;
        match u32::try_from(at.year()) {
            // A report has many of them, and a pattern is read anew each time.
            Ok(year @ 0..=9_999) => {
                let mut shown = *b"0000-00-00 00:00";
                let numbers = [year / 100, year % 100, at.month(), at.day(), at.hour(), at.minute()];
                for (place, number) in [0, 2, 5, 8, 11, 14].into_iter().zip(numbers) {
                    shown[place] += (number / 10) as u8;
                    shown[place + 1] += (number % 10) as u8;
                }
                f.write_str(std::str::from_utf8(&shown).unwrap_or_default())
            }
            Ok(_) | Err(_) => at.format("%Y-%m-%d %H:%M").fmt(f),
        }
    }
}

/// The same in the zone that people live in; `None` where that is GMT itself.
pub fn minute_local(at: Instant, zone: Tz) -> Option<String> {
    let is_gmt = matches!(zone, Tz::UTC | Tz::Etc__UTC | Tz::GMT | Tz::Etc__GMT);
    (!is_gmt).then(|| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
}

/// `2026-10-31 23:00 GMT`, and behind it the same in a zone that is another one: ` (2026-11-01 00:00 Europe/Prague)`.
pub fn minute_beside(at: Instant, zone: Tz) -> String {
    let local = minute_local(at, zone).map(|local| format!(" ({local} {zone})"));
    format!("{} GMT{}", minute_text(at), local.unwrap_or_default())
}

impl Month {
    /// The month; `None` when there is no such month or the year is outside 1970 to 9998.
    pub fn new(year: i32, month: u32) -> Option<Month> {
        ((1970..=9998).contains(&year) && (1..=12).contains(&month)).then_some(Month { year, month })
    }

    /// The month that contains the instant.
    pub fn of(at: Instant) -> Month {
        Month { year: at.year().clamp(1970, 9998), month: at.month() }
    }

    pub fn year(self) -> i32 {
        self.year
    }

    /// 1 to 12.
    pub fn number(self) -> u32 {
        self.month
    }

    /// `October 2026`, for people.
    pub fn name(self) -> String {
        self.first_day().format("%B %Y").to_string()
    }

    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).expect("a Month is a month of the calendar")
    }

    pub fn last_day(self) -> NaiveDate {
        self.next().first_day() - Days::new(1)
    }

    /// The first instant of the month.
    pub fn starts_at(self) -> Instant {
        midnight(self.first_day())
    }

    /// The first instant after the month.
    pub fn ends_at(self) -> Instant {
        self.next().starts_at()
    }

    pub fn next(self) -> Month {
        if self.month == 12 {
            Month { year: self.year + 1, month: 1 }
        } else {
            Month { year: self.year, month: self.month + 1 }
        }
    }

    pub fn previous(self) -> Month {
        if self.month == 1 {
            Month { year: self.year - 1, month: 12 }
        } else {
            Month { year: self.year, month: self.month - 1 }
        }
    }

    /// 28 to 31.
    pub fn days(self) -> u32 {
        u32::try_from((self.next().first_day() - self.first_day()).num_days()).expect("a month has 28 to 31 days")
    }

    /// The given day of the month, 1 to 28.
    pub fn day(self, day: u32) -> NaiveDate {
        self.first_day() + Days::new(u64::from(day.clamp(1, 28)) - 1)
    }

    pub fn contains(self, at: Instant) -> bool {
        self.starts_at() <= at && at < self.ends_at()
    }
}

impl IsoWeek {
    /// The week that contains the instant.
    pub fn of(at: Instant) -> IsoWeek {
        IsoWeek::of_day(at.date_naive())
    }

    pub fn of_day(day: NaiveDate) -> IsoWeek {
        let week = day.iso_week();
        IsoWeek { year: week.year(), week: week.week() }
    }

    /// Monday.
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_isoywd_opt(self.year, self.week, Weekday::Mon).expect("an IsoWeek is a week of the calendar")
    }

    pub fn starts_at(self) -> Instant {
        midnight(self.first_day())
    }

    /// The first instant after Sunday.
    pub fn ends_at(self) -> Instant {
        midnight(self.first_day() + Days::new(7))
    }

    pub fn next(self) -> IsoWeek {
        IsoWeek::of_day(self.first_day() + Days::new(7))
    }

    pub fn previous(self) -> IsoWeek {
        IsoWeek::of_day(self.first_day() - Days::new(7))
    }

    /// Its seven days, Monday first.
    pub fn days(self) -> [NaiveDate; 7] {
        std::array::from_fn(|n| self.first_day() + Days::new(n as u64))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Display for IsoWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.week)
    }
}

impl FromStr for Month {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Month, NotAPeriod> {
        let refused = || NotAPeriod::Month(text.chars().take(20).collect());
        let (year, month) = text.split_once('-').ok_or_else(refused)?;
        if !are_digits(year, 4) || !are_digits(month, 2) {
            return Err(refused());
        }
        let (year, month) = (year.parse().map_err(|_| refused())?, month.parse().map_err(|_| refused())?);
        Month::new(year, month).ok_or_else(refused)
    }
}

impl FromStr for IsoWeek {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<IsoWeek, NotAPeriod> {
        let refused = || NotAPeriod::Week(text.chars().take(20).collect());
        let (year, week) = text.split_once("-W").ok_or_else(refused)?;
        if !are_digits(year, 4) || !are_digits(week, 2) || !("1970"..="9998").contains(&year) {
            return Err(refused());
        }
        let (year, week) = (year.parse().map_err(|_| refused())?, week.parse().map_err(|_| refused())?);
        NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).ok_or_else(refused)?;
        Ok(IsoWeek { year, week })
    }
}

fn are_digits(text: &str, many: usize) -> bool {
    text.len() == many && text.bytes().all(|sign| sign.is_ascii_digit())
}

macro_rules! as_text {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(Month);
as_text!(IsoWeek);
