//! The keys of the state: a letter for what it is, whose it is, and when; they sort by time.

use chrono::{DateTime, Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::Instant;

/// An instant, exact: seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Moment(i64, u32);

/// Bytes of a moment at the end of a key.
const MOMENT_BYTES: usize = 12;
const SIGN: u64 = 1 << 63;

impl Moment {
    pub fn of(at: Instant) -> Moment {
        Moment(at.timestamp(), at.timestamp_subsec_nanos())
    }

    /// So many seconds before.
    pub fn before(self, seconds: u32) -> Moment {
        Moment(self.0.saturating_sub(seconds.into()), self.1)
    }

    pub fn instant(self) -> Option<Instant> {
        DateTime::from_timestamp(self.0, self.1)
    }
}

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum About {
    /// A day's mark, of a unit.
    Day = b'd',
    /// A ledger row, of a server's workload.
    Ledger = b'l',
    /// The highest points of a unit's groups on a day.
    Maxima = b'm',
    /// A row that a small fact set.
    Row = b'r',
    /// A packed sample, of a server.
    Sample = b's',
    /// The unit a server belongs to.
    UnitOf = b'u',
    /// A server that is or was of a unit.
    ServerOf = b'v',
    /// A sample in short, of a server, where it is another than that of the sample before.
    Summary = b'y',
    /// The sizes that a sample states, of a server.
    Sizes = b'z',
}

/// Everything of one owner begins so; no owner's prefix begins another's.
pub(super) fn prefix(about: About, owner: &str) -> Vec<u8> {
    let len = u32::try_from(owner.len()).expect("names are short").to_be_bytes();
    [&[about as u8][..], &len, owner.as_bytes()].concat()
}

pub(super) fn at(about: About, owner: &str, instant: Instant) -> Vec<u8> {
    let mut key = prefix(about, owner);
    key.extend((instant.timestamp().cast_unsigned() ^ SIGN).to_be_bytes());
    key.extend(instant.timestamp_subsec_nanos().to_be_bytes());
    key
}

pub(super) fn named(about: About, owner: &str, name: &str) -> Vec<u8> {
    [&prefix(about, owner)[..], name.as_bytes()].concat()
}

pub(super) fn day(unit: &str, day: NaiveDate) -> Vec<u8> {
    on_day(About::Day, unit, day)
}

/// `about` is a day or its maxima.
pub(super) fn on_day(about: About, unit: &str, day: NaiveDate) -> Vec<u8> {
    let number = i64::from(day.num_days_from_ce()).cast_unsigned() ^ SIGN;
    [&prefix(about, unit)[..], &number.to_be_bytes()].concat()
}

pub(super) fn row(key: &str) -> Vec<u8> {
    [&[About::Row as u8][..], key.as_bytes()].concat()
}

/// The first key behind everything that begins with this.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|&byte| byte != u8::MAX).map_or(0, |last| last + 1);
    let mut end = prefix[..kept].to_vec();
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end.push(u8::MAX),
    }
    end
}

/// The instant at the end of a key.
pub(super) fn instant_of(key: &[u8]) -> Option<Instant> {
    let (_, moment) = key.split_last_chunk::<MOMENT_BYTES>()?;
    let (seconds, nanos) = moment.split_first_chunk::<8>()?;
    let seconds = (u64::from_be_bytes(*seconds) ^ SIGN).cast_signed();
    DateTime::from_timestamp(seconds, u32::from_be_bytes(nanos.try_into().ok()?))
}

/// The day at the end of a key.
pub(super) fn day_of(key: &[u8]) -> Option<NaiveDate> {
    let (_, number) = key.split_last_chunk::<8>()?;
    let number = (u64::from_be_bytes(*number) ^ SIGN).cast_signed();
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// Whose a key is.
pub(super) fn owner_of(key: &[u8]) -> Option<String> {
    let (len, rest) = key.get(1..)?.split_first_chunk::<4>()?;
    let owner = rest.get(..u32::from_be_bytes(*len) as usize)?;
    String::from_utf8(owner.to_vec()).ok()
}

/// The name at the end of an owner's key.
pub(super) fn name_of<'a>(key: &'a [u8], prefix: &[u8]) -> Option<&'a str> {
    std::str::from_utf8(key.strip_prefix(prefix)?).ok()
}
