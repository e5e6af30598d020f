//! Days and hours that people put into their calendars, as data; `formats` writes them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// What one calendar file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agenda {
    pub name: String,
    /// When it was written.
    pub stamped_at: DateTime<Utc>,
    pub entries: Vec<AgendaEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgendaEntry {
    /// Stays the same when the entry moves, so that importing again updates it.
    pub uid: String,
    pub when: When,
    /// One line.
    pub title: String,
    pub text: String,
    /// How long before its begin people are reminded.
    pub alarm_before: TimeDelta,
}

/// An instant of GMT, or whole days wherever one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    At(DateTime<Utc>),
    /// From the first through the last one.
    Days {
        first: NaiveDate,
        last: NaiveDate,
    },
}
