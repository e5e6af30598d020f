//! Samples into the store and back, on a disk in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;

use super::super::model::at;
use super::{Work, first_sample, fleet};
use crate::domain::installation::Unit;
use crate::domain::sample::Sample;
use crate::simulation::disk::SimulatedDisk;
use crate::store::fact::Fact;
use crate::store::journal::{self, Journal, NewEntry};
use crate::store::{Place, Store, Taken};

const PAYLOAD_BYTES: usize = 300;

fn place() -> Place {
    Place::Temporary { journal: PathBuf::from("journal") }
}

fn opened(disk: &SimulatedDisk) -> Store {
    Store::open(&place(), Arc::new(disk.clone())).expect("a disk in memory is well").0
}

/// A store with one sample; its next one an hour later.
fn begun(sample: &Sample) -> Store {
    let mut store = opened(&SimulatedDisk::new());
    let unit = Unit {
        id: "unit".to_owned(),
        shared_license: None,
        servers: vec![sample.server.clone()],
        license_id: None,
        formed_at: sample.taken_at,
        since: Some(sample.taken_at),
        counts_once: Vec::new(),
    };
    recorded(&mut store, sample, vec![Fact::UnitFormed { unit }]);
    store
}

fn recorded(store: &mut Store, sample: &Sample, mut facts: Vec<Fact>) {
    facts.extend(taken(store, sample));
    store.record(sample.taken_at, sample.taken_at, "bench", &facts).expect("a disk in memory is well");
}

fn taken(store: &Store, sample: &Sample) -> Option<Fact> {
    let mut taken = store.take(std::slice::from_ref(sample)).expect("the state is well");
    match taken.pop()? {
        Taken::Fresh(fact) => Some(*fact),
        Taken::Repeat | Taken::Conflict => None,
    }
}

/// The next hour shows the same: told from a repeat, compared, packed.
pub fn take_unchanged() -> Work {
    let mut sample = first_sample(&fleet(1_000, 0));
    let store = begun(&sample);
    sample.taken_at += TimeDelta::hours(1);
    Box::new(move || usize::from(taken(&store, &sample).is_some()))
}

/// In the next hour 1 in 10 workloads has other points.
pub fn take_changed() -> Work {
    let fleet = fleet(1_000, 10);
    let store = begun(&first_sample(&fleet));
    let next = fleet.sample(super::SERVER, &fleet.sweep(1));
    Box::new(move || usize::from(taken(&store, &next).is_some()))
}

/// One hour after the other that shows the same, taken and recorded: journal, ledger, watermarks, sled.
pub fn record_unchanged() -> Work {
    let mut sample = first_sample(&fleet(1_000, 0));
    let mut store = begun(&sample);
    Box::new(move || {
        sample.taken_at += TimeDelta::hours(1);
        recorded(&mut store, &sample, Vec::new());
        1
    })
}

/// A journal of a week is opened, and the state made of it.
pub fn replay_week() -> Work {
    let disk = SimulatedDisk::new();
    let fleet = fleet(1_000, 0);
    let mut sweeps = fleet.sweeps().map(|sweep| fleet.sample(super::SERVER, &sweep));
    let mut store = opened(&disk);
    for sample in &mut sweeps {
        recorded(&mut store, &sample, Vec::new());
    }
    drop(store);
    Box::new(move || opened(&disk).head().seq as usize)
}

/// 64 entries of 300 bytes, each hashed, framed and appended.
pub fn journal_append() -> Work {
    Box::new(|| {
        let mut journal = appended(&SimulatedDisk::new(), 0);
        (0..64).for_each(|_| append(&mut journal));
        journal.head().seq as usize
    })
}

/// 1,000 entries are read and their chain is verified.
pub fn journal_walk() -> Work {
    let disk = SimulatedDisk::new();
    drop(appended(&disk, 1_000));
    Box::new(move || journal::verify(&disk, Path::new("journal")).map_or(0, |verified| verified.head.seq as usize))
}

fn appended(disk: &SimulatedDisk, entries: usize) -> Journal {
    let opened = Journal::open(Arc::new(disk.clone()), Path::new("journal"), &mut |_| Ok(()));
    let (mut journal, _) = opened.expect("a disk in memory is well");
    (0..entries).for_each(|_| append(&mut journal));
    journal
}

fn append(journal: &mut Journal) {
    let entry = NewEntry { recorded_at: at(0), now: at(0), actor: "bench", payload: &[7; PAYLOAD_BYTES] };
    journal.append(entry).expect("a disk in memory is well");
}
