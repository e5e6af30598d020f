//! Which rows something was worked out of, so that it is worked out again only after one of them was set.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Store;

/// Names of set rows that are remembered; what is older than they are is worked out again.
const SET_MAX: usize = 16_384;

/// A row's key, or what the keys of several begin with, in short. Two that are alike by accident cost some work, and
/// nothing is taken for unchanged that is not.
type Name = u64;

/// The rows that a piece of work read, and since when none of them was set.
#[derive(Debug)]
pub struct Trace {
    /// Sorted.
    read: Vec<Name>,
    /// How many names had been set by then.
    stood_at: Cell<u64>,
    epoch: u64,
}

/// What the traces of one state are compared with.
#[derive(Default)]
pub(super) struct Traces {
    /// Rows read by the work that is being traced.
    reading: RefCell<Option<Vec<Name>>>,
    /// Whether anything was ever traced: before that, nothing needs to be remembered.
    is_asked: Cell<bool>,
    /// The newest names that were set, and how many were forgotten before them.
    set: VecDeque<Name>,
    forgotten: u64,
    /// Traces of another one do not stand.
    epoch: Cell<u64>,
}

impl Traces {
    /// The row of this key is read.
    pub fn read(&self, key: &str) {
        if let Some(reading) = self.reading.borrow_mut().as_mut() {
            reading.push(name(key.as_bytes()));
        }
    }

    /// Every row whose key begins so is read.
    pub fn read_all(&self, prefix: &str) {
        // Names are given to what ends with a slash: a shorter beginning stands for more rows.
        self.read(prefix.rfind('/').map_or("", |slash| &prefix[..=slash]));
    }

    /// The row of this key is set or deleted.
    pub fn set(&mut self, key: &[u8]) {
        if !self.is_asked.get() {
            return;
        }
        let slashes = key.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
        self.set.extend([0].into_iter().chain(slashes).chain([key.len()]).map(|end| name(&key[..end])));
        while self.set.len() > SET_MAX {
            self.set.pop_front();
            self.forgotten += 1;
        }
    }

    /// Any row may be another one.
    pub fn set_all(&self) {
        self.epoch.set(self.epoch.get() + 1);
    }

    fn count(&self) -> u64 {
        self.forgotten + self.set.len() as u64
    }

    fn stands(&self, trace: &Trace) -> bool {
        let Some(since) = trace.stood_at.get().checked_sub(self.forgotten) else { return false };
        let since = usize::try_from(since).unwrap_or(usize::MAX).min(self.set.len());
        let is_other = |set: &Name| trace.read.binary_search(set).is_err();
        let stands = trace.epoch == self.epoch.get() && self.set.range(since..).all(is_other);
        if stands {
            trace.stood_at.set(self.count());
        }
        stands
    }
}

fn name(bytes: &[u8]) -> Name {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Store {
    /// What the work gives, and which rows it was worked out of. Samples, days and files are no rows.
    pub fn traced<T>(&self, work: impl FnOnce() -> T) -> (T, Trace) {
        let traces = self.state.kv.traces();
        traces.is_asked.set(true);
        let around = traces.reading.replace(Some(Vec::new()));
        let worked_out = work();
        let mut read = traces.reading.replace(around).unwrap_or_default();
        read.sort_unstable();
        read.dedup();
        if let Some(around) = traces.reading.borrow_mut().as_mut() {
            around.extend(&read);
        }
        (worked_out, Trace { read, stood_at: Cell::new(traces.count()), epoch: traces.epoch.get() })
    }

    /// Nothing that was traced stands, and nothing is held: everything is read again.
    pub fn forget_traces(&self) {
        self.state.kv.traces().set_all();
        self.state.ends.clear();
    }

    /// Whether no row of the trace was set since. If so, whatever is being traced counts as having read them too.
    pub fn stands(&self, trace: &Trace) -> bool {
        let traces = self.state.kv.traces();
        let stands = traces.stands(trace);
        if let Some(around) = traces.reading.borrow_mut().as_mut().filter(|_| stands) {
            around.extend(&trace.read);
        }
        stands
    }
}
