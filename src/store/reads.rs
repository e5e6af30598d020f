//! What the agent asks for.

use std::ops::{ControlFlow, Range};

use chrono::{Days, NaiveDate};
use serde::de::DeserializeOwned;

use super::fact::Fact;
use super::fold::read_row;
use super::journal::{self, Entry, JournalError, Verified};
use super::kept::{self, RecordedIn};
use super::keys::{self, About, Moment};
use super::payload;
use super::squeeze::unsqueeze;
use super::state::{State, SummaryAt};
use super::weeks::GroupWeeks;
use super::{Store, StoreError};
use crate::domain::Instant;
use crate::domain::installation::{ServerName, Unit, UnitId};
use crate::domain::watermark::DayMark;
use crate::rules::rating::Rating;

/// Reads fail only when the state does: [`StoreError::StateFailed`], and opening the store again heals it.
impl Store {
    /// The instant of the server's newest sample not after the instant.
    ///
    /// # Errors
    /// The state fails.
    pub fn newest_sample_at(&self, server: &str, not_after: Instant) -> Result<Option<Instant>, StoreError> {
        self.noting(self.state.newest_sample_at(server, not_after))
    }

    /// Keys of rows that begin so, in their order.
    ///
    /// # Errors
    /// The state fails.
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.state.kv.traces().read_all(prefix);
        let from = keys::row(prefix);
        let found = self.noting(self.state.kv.keys(&from, &keys::end_of(&from)))?;
        Ok(found.into_iter().map(|key| String::from_utf8_lossy(&key[1..]).into_owned()).collect())
    }

    /// What answers where a server states no weight, and what unknown types stand for.
    pub fn rating(&self) -> &Rating {
        &self.state.rating
    }

    /// Instants of the server's samples, in order.
    ///
    /// # Errors
    /// The state fails.
    pub fn sample_times(&self, server: &str, period: Range<Instant>) -> Result<Vec<Instant>, StoreError> {
        let (from, to) = (period.start, period.end.max(period.start));
        self.noting(self.state.instants(&keys::at(About::Sample, server, from), &keys::at(About::Sample, server, to)))
    }

    /// The instant of the oldest sample of all servers.
    ///
    /// # Errors
    /// The state fails.
    pub fn oldest_sample_at(&self) -> Result<Option<Instant>, StoreError> {
        self.noting(self.state.oldest_sample_at())
    }

    /// The journal entries that hold the server's samples, in order of time.
    ///
    /// # Errors
    /// The state fails.
    pub fn recorded_samples(
        &self,
        server: &str,
        period: Range<Instant>,
    ) -> Result<Vec<(Instant, RecordedIn)>, StoreError> {
        let instants = self.sample_times(server, period)?;
        let recorded = |at: Instant| Ok((at, read_row(&self.state.kv, server, Moment::of(at))?.recorded));
        self.noting(instants.into_iter().map(recorded).collect())
    }

    /// Instant, unit and summary of the server's samples, in order of time.
    ///
    /// # Errors
    /// The state fails.
    pub fn summaries(&self, server: &str, period: Range<Instant>) -> Result<Vec<SummaryAt>, StoreError> {
        self.noting(self.state.summaries(server, period.start, period.end.max(period.start)))
    }

    /// The unit's marks of the days from the first to the last, both included; days without a sample are left out.
    ///
    /// # Errors
    /// The state fails.
    pub fn days(&self, unit: &str, first: NaiveDate, last: NaiveDate) -> Result<Vec<DayMark>, StoreError> {
        self.noting(self.state.days(unit, first, last))
    }

    /// The last of them.
    ///
    /// # Errors
    /// The state fails.
    pub fn last_day(&self, unit: &str, first: NaiveDate, last: NaiveDate) -> Result<Option<DayMark>, StoreError> {
        let behind = last.checked_add_days(Days::new(1)).unwrap_or(last).max(first);
        let found = self.noting(self.state.kv.last_key(&keys::day(unit, first), &keys::day(unit, behind)))?;
        let Some(day) = found.as_deref().and_then(keys::day_of) else { return Ok(None) };
        Ok(self.days(unit, day, day)?.pop())
    }

    /// Each tenant and type group's highest points of each week, over the days from the first to the last.
    ///
    /// # Errors
    /// The state fails.
    pub fn group_weeks(&self, unit: &str, first: NaiveDate, last: NaiveDate) -> Result<GroupWeeks, StoreError> {
        self.noting(self.state.weeks(unit, first, last))
    }

    /// Reporting units, by id.
    ///
    /// # Errors
    /// The state fails.
    pub fn units(&self) -> Result<Vec<Unit>, StoreError> {
        Ok(self.rows("unit/")?.into_iter().map(|(_, unit)| unit).collect())
    }

    /// The unit the server belongs to.
    ///
    /// # Errors
    /// The state fails.
    pub fn unit_of(&self, server: &str) -> Result<Option<UnitId>, StoreError> {
        self.noting(self.state.unit_of(server))
    }

    /// The unit that the server's newest sample not after the instant belongs to; `None` before its first sample.
    ///
    /// # Errors
    /// The state fails.
    pub fn unit_as_of(&self, server: &str, not_after: Instant) -> Result<Option<UnitId>, StoreError> {
        self.noting(self.state.unit_as_of(server, not_after))
    }

    /// Servers that ever were sampled.
    ///
    /// # Errors
    /// The state fails.
    pub fn servers(&self) -> Result<Vec<ServerName>, StoreError> {
        self.noting(self.state.owners(About::Sample))
    }

    /// The row of this key ([`super::fact::key`]).
    ///
    /// # Errors
    /// The state fails, or the row is not a `T`.
    pub fn row<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.state.kv.traces().read(key);
        let bytes = self.noting(self.state.kv.get(&keys::row(key)))?;
        bytes.map(|bytes| row_from(key, &bytes)).transpose()
    }

    /// Rows whose key begins so, in the order of their keys.
    ///
    /// # Errors
    /// The state fails, or a row is not a `T`.
    pub fn rows<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, StoreError> {
        self.state.kv.traces().read_all(prefix);
        let from = keys::row(prefix);
        let records = self.noting(self.state.kv.scan(&from, &keys::end_of(&from)))?;
        let row = |(key, bytes): (Vec<u8>, Vec<u8>)| {
            let key = String::from_utf8_lossy(&key[1..]).into_owned();
            let value = row_from(&key, &bytes)?;
            Ok((key, value))
        };
        records.into_iter().map(row).collect()
    }

    /// What was recorded after this entry, oldest first: each entry with its facts. Verifies the journal on the way.
    ///
    /// # Errors
    /// Damage in the journal; a failing disk.
    pub fn history(&self, after: u64, each: &mut dyn FnMut(&Entry, Vec<Fact>)) -> Result<Verified, StoreError> {
        let verified = journal::replay(&*self.files, &self.journal_folder, &mut |entry| {
            if entry.seq > after {
                let facts = payload::decode(&entry.payload);
                let why = |error: StoreError| JournalError::NotUnderstood { seq: entry.seq, why: error.to_string() };
                each(entry, facts.map_err(why)?);
            }
            Ok(())
        });
        Ok(verified?)
    }

    /// Entries before this one, the newest first, until `each` has enough; [`facts_of`](super::facts_of) reads what they
    /// hold.
    ///
    /// # Errors
    /// Damage in the part of the journal that was read; a failing disk.
    pub fn newest_first(&self, before: u64, each: &mut dyn FnMut(&Entry) -> ControlFlow<()>) -> Result<(), StoreError> {
        Ok(journal::newest_first(&*self.files, &self.journal_folder, before, each)?)
    }

    pub(super) fn noting<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        read.inspect_err(|_| self.note_failure())
    }
}

pub(super) fn row_from<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(&unsqueeze(bytes)?).map_err(|error| kept::odd(key, &error.to_string()))
}

impl State {
    pub(super) fn has_sample(&self, server: &str, at: Instant) -> Result<bool, StoreError> {
        Ok(self.kv.get(&keys::at(About::Sample, server, at))?.is_some())
    }

    pub(super) fn newest_sample_at(&self, server: &str, not_after: Instant) -> Result<Option<Instant>, StoreError> {
        match self.ends.newest(self, server)? {
            Some(newest) if not_after < newest => {}
            newest => return Ok(newest),
        }
        let (prefix, end) = (keys::prefix(About::Sample, server), keys::at(About::Sample, server, not_after));
        Ok(self.kv.last_key(&prefix, &keys::end_of(&end))?.as_deref().and_then(keys::instant_of))
    }

    /// Instants at the end of the keys of this range.
    pub fn instants(&self, from: &[u8], to: &[u8]) -> Result<Vec<Instant>, StoreError> {
        Ok(self.kv.keys(from, to)?.iter().filter_map(|key| keys::instant_of(key)).collect())
    }

    /// Names of an owner's rows.
    pub fn names_of(&self, about: About, owner: &str) -> Result<Vec<String>, StoreError> {
        let prefix = keys::prefix(about, owner);
        let found = self.kv.keys(&prefix, &keys::end_of(&prefix))?;
        Ok(found.iter().filter_map(|key| Some(keys::name_of(key, &prefix)?.to_owned())).collect())
    }

    /// Owners of rows of one kind, found by leaping from one to the next.
    pub fn owners(&self, about: About) -> Result<Vec<String>, StoreError> {
        let (mut from, to) = (vec![about as u8], vec![about as u8 + 1]);
        let mut owners = Vec::new();
        while let Some(key) = self.kv.first_key(&from, &to)? {
            let owner = keys::owner_of(&key).ok_or_else(|| kept::odd("a key", "it has no owner"))?;
            from = keys::end_of(&keys::prefix(about, &owner));
            owners.push(owner);
        }
        Ok(owners)
    }
}
