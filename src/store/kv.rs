//! The state as keys and values: one sled tree, and an overlay of what is about to be committed.
//!
//! sled 0.34.7 is trusted with nothing: it is opened and used inside `catch_unwind`, values stay small (larger ones
//! leak), batches stay small (larger ones take memory), and any error ends its use until it is opened again.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::StoreError;
use super::journal::Head;
use super::keys::About;
use super::trace::Traces;
use crate::seal::chain::Hash;

/// Records in one sled batch.
const BATCH_RECORDS_MAX: usize = 1_000;
/// Bytes of one sled value; longer ones are kept in parts.
const VALUE_BYTES_MAX: usize = 8 << 10;
/// sled's own measure; it takes several times as much memory.
const CACHE_BYTES: u64 = 16 << 20;
const FLUSH_EVERY_MS: u64 = 500;
/// sled's lock lingers for a moment after its last user let go.
const OPEN_TRIES_MAX: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(10);
/// Changes when keys or values change their form; the state is then rebuilt.
const SCHEMA: u8 = 7;

/// Keys of parts begin with this, logical keys with a letter.
const PART: u8 = b'~';
const APPLIED_KEY: &[u8] = b"_applied";
/// There while a commit of several batches is under way.
const COMMITTING_KEY: &[u8] = b"_committing";

const WHOLE: u8 = 0;
const PARTED: u8 = 1;

/// A logical key and its value.
pub(super) type Record = (Vec<u8>, Vec<u8>);
type Change = (Vec<u8>, Option<Vec<u8>>);

pub(super) struct Kv {
    db: sled::Db,
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Rows that were set, for what is worked out of them.
    traces: Traces,
    failed: AtomicBool,
}

impl Kv {
    /// Opens the folder's sled.
    ///
    /// # Errors
    /// Whatever sled says, its panics too, in words: then the folder is to be moved aside.
    pub fn open(folder: &Path) -> Result<Kv, String> {
        let config =
            sled::Config::default().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(Some(FLUSH_EVERY_MS));
        for _ in 0..OPEN_TRIES_MAX {
            match catch_unwind(AssertUnwindSafe(|| config.open())) {
                Ok(Ok(db)) => return Ok(Kv::of(db)),
                Ok(Err(sled::Error::Io(error))) if is_locked(&error) => std::thread::park_timeout(OPEN_PAUSE),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err("it panicked while opening".to_owned()),
            }
        }
        Err("it stays locked by another process".to_owned())
    }

    fn of(db: sled::Db) -> Kv {
        Kv { db, pending: BTreeMap::new(), traces: Traces::default(), failed: AtomicBool::new(false) }
    }

    /// The same database with nothing pending, as a process finds it that opens it after another one was killed.
    pub fn reopened(&self) -> Kv {
        Kv::of(self.db.clone())
    }

    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// The newest journal entry whose rows are in; `None` when they are of another schema, or a commit was broken off.
    pub fn applied(&self) -> Result<Option<Head>, StoreError> {
        if self.sled(|| self.db.contains_key(COMMITTING_KEY))? {
            return Ok(None);
        }
        let Some(value) = self.sled(|| self.db.get(APPLIED_KEY))? else { return Ok(None) };
        let fields = value.split_first_chunk::<8>().and_then(|(seq, rest)| {
            let (hash, schema) = rest.split_first_chunk::<32>()?;
            (schema == [SCHEMA]).then(|| Head { seq: u64::from_le_bytes(*seq), hash: Hash::from(*hash) })
        });
        Ok(fields)
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.pending.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.stored(key),
        }
    }

    pub fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        match self.pending.get(key) {
            Some(change) => Ok(change.is_some()),
            None => self.sled(|| self.db.contains_key(key)),
        }
    }

    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.note(&key);
        self.pending.insert(key, Some(value));
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.note(&key);
        self.pending.insert(key, None);
    }

    fn note(&mut self, key: &[u8]) {
        if let Some((_, row)) = key.split_first().filter(|(about, _)| **about == About::Row as u8) {
            self.traces.set(row);
        }
    }

    /// Records with `from <= key < to`, in the order of their keys.
    pub fn scan(&self, from: &[u8], to: &[u8]) -> Result<Vec<Record>, StoreError> {
        let stored = self.sled(|| self.db.range(from..to).collect::<Result<Vec<_>, _>>())?;
        let range = (Bound::Included(from), Bound::Excluded(to));
        let mut pending = self.pending.range::<[u8], _>(range).peekable();
        let mut records = Vec::with_capacity(stored.len());
        let changed = |(key, change): (&Vec<u8>, &Option<Vec<u8>>)| Some((key.clone(), change.clone()?));
        for (key, value) in stored {
            while let Some(before) = pending.next_if(|(before, _)| before.as_slice() < key.as_ref()) {
                records.extend(changed(before));
            }
            match pending.next_if(|(same, _)| same.as_slice() == key.as_ref()) {
                Some(same) => records.extend(changed(same)),
                None => records.push((key.to_vec(), self.whole(&key, &value)?)),
            }
        }
        records.extend(pending.filter_map(changed));
        Ok(records)
    }

    /// Keys with `from <= key < to`, in order.
    pub fn keys(&self, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let stored = self.sled(|| self.db.range(from..to).keys().collect::<Result<Vec<_>, _>>())?;
        let mut keys: BTreeMap<Vec<u8>, ()> = stored.into_iter().map(|key| (key.to_vec(), ())).collect();
        for (key, change) in self.pending.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to))) {
            match change {
                Some(_) => keys.insert(key.clone(), ()),
                None => keys.remove(key),
            };
        }
        Ok(keys.into_keys().collect())
    }

    /// The greatest key with `from <= key < to`.
    pub fn last_key(&self, from: &[u8], to: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let range = (Bound::Included(from), Bound::Excluded(to));
        let pending = self.pending.range::<[u8], _>(range).rev().find(|(_, change)| change.is_some());
        let stored = self.sled(|| {
            let mut keys = self.db.range(from..to).keys().rev();
            keys.find(|key| !key.as_ref().is_ok_and(|key| self.pending.contains_key(key.as_ref()))).transpose()
        })?;
        Ok(pending.map(|(key, _)| key.clone()).max(stored.map(|key| key.to_vec())))
    }

    /// The least key with `from <= key < to`.
    pub fn first_key(&self, from: &[u8], to: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let range = (Bound::Included(from), Bound::Excluded(to));
        let pending = self.pending.range::<[u8], _>(range).find(|(_, change)| change.is_some());
        let stored = self.sled(|| {
            let mut keys = self.db.range(from..to).keys();
            keys.find(|key| !key.as_ref().is_ok_and(|key| self.pending.contains_key(key.as_ref()))).transpose()
        })?;
        let both = pending.map(|(key, _)| key.clone()).into_iter().chain(stored.map(|key| key.to_vec()));
        Ok(both.min())
    }

    /// Forgets what was put and not committed.
    pub fn discard(&mut self) {
        self.pending.clear();
        self.traces.set_all();
    }

    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Writes the overlay: in one batch, or in several with a mark over them, so that a broken commit is noticed.
    pub fn commit(&mut self, applied: Head) -> Result<(), StoreError> {
        let mut changes: Vec<Change> = Vec::new();
        for (key, value) in std::mem::take(&mut self.pending) {
            self.expand(key, value, &mut changes)?;
        }
        let mark = [&applied.seq.to_le_bytes()[..], &applied.hash, &[SCHEMA]].concat();
        if changes.len() >= BATCH_RECORDS_MAX {
            changes.insert(0, (COMMITTING_KEY.to_vec(), Some(Vec::new())));
            changes.push((COMMITTING_KEY.to_vec(), None));
        }
        changes.push((APPLIED_KEY.to_vec(), Some(mark)));
        for part in changes.chunks(BATCH_RECORDS_MAX) {
            let mut batch = sled::Batch::default();
            for (key, value) in part {
                match value {
                    Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                    None => batch.remove(key.as_slice()),
                }
            }
            self.sled(|| self.db.apply_batch(batch.clone()))?;
        }
        Ok(())
    }

    /// A logical change as physical ones: long values in parts, parts of the value before it removed.
    fn expand(&self, key: Vec<u8>, value: Option<Vec<u8>>, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        let before = self.sled(|| self.db.get(&key))?;
        let parts_before = before.as_deref().and_then(parts_of).unwrap_or(0);
        let mut parts_now = 0;
        match value {
            None => changes.push((key.clone(), None)),
            Some(value) if value.len() < VALUE_BYTES_MAX => {
                changes.push((key.clone(), Some([&[WHOLE][..], &value].concat())));
            }
            Some(value) => {
                for part in value.chunks(VALUE_BYTES_MAX) {
                    changes.push((part_key(&key, parts_now), Some(part.to_vec())));
                    parts_now += 1;
                }
                changes.push((key.clone(), Some([&[PARTED][..], &parts_now.to_be_bytes()].concat())));
            }
        }
        changes.extend((parts_now..parts_before).map(|part| (part_key(&key, part), None)));
        Ok(())
    }

    fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.sled(|| self.db.get(key))?;
        value.map(|value| self.whole(key, &value)).transpose()
    }

    /// The logical value of a stored one.
    fn whole(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        match (value.first(), parts_of(value)) {
            (Some(&WHOLE), _) => Ok(value[1..].to_vec()),
            (Some(&PARTED), Some(parts)) => {
                let mut whole = Vec::new();
                for part in 0..parts {
                    let bytes = self.sled(|| self.db.get(part_key(key, part)))?;
                    whole
                        .extend_from_slice(&bytes.ok_or_else(|| self.fail("a part of a value is missing".to_owned()))?);
                }
                Ok(whole)
            }
            _ => Err(self.fail("a value has no known form".to_owned())),
        }
    }

    /// Runs one sled operation; an error or panic ends the use of this handle.
    fn sled<T>(&self, operation: impl Fn() -> sled::Result<T>) -> Result<T, StoreError> {
        if self.has_failed() {
            return Err(StoreError::StateFailed { why: "it failed before".to_owned() });
        }
        match catch_unwind(AssertUnwindSafe(&operation)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.fail(error.to_string())),
            Err(_) => Err(self.fail("sled panicked".to_owned())),
        }
    }

    fn fail(&self, why: String) -> StoreError {
        self.failed.store(true, Ordering::Relaxed);
        StoreError::StateFailed { why }
    }

    /// Whether an operation failed: the state is then rebuilt at the next opening.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

fn is_locked(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

fn part_key(key: &[u8], part: u32) -> Vec<u8> {
    [&[PART][..], key, &part.to_be_bytes()].concat()
}

fn parts_of(value: &[u8]) -> Option<u32> {
    match value.split_first() {
        Some((&PARTED, parts)) => parts.try_into().ok().map(u32::from_be_bytes),
        _ => None,
    }
}
