//! sled's folder as a power cut may leave it: older or newer than the journal, with sectors lost or stale.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegauge::doors::Chance;
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::store::fact::Fact;
use tidegauge::store::{Opening, Place, Store, StoreError, Taken};

use crate::store::broken::copy_all;
use crate::store::world::{World, at, unit_of};

const HOURS: i64 = 120;
const MACHINES: usize = 60;
/// Between two snapshots of the running store.
const SNAPSHOT_HOURS: i64 = 24;
/// Mixtures that are opened.
const ROUNDS: u64 = 60;
/// What the operating system writes at once.
const PAGE: usize = 4096;

/// The folder of a running store, copied every day: its state as it stood on the disk, and its journal.
struct Past {
    folder: tempfile::TempDir,
    /// By the number of entries.
    digests: BTreeMap<u64, [u8; 32]>,
}

impl Past {
    fn live() -> Past {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let live = folder.path().join("live");
        let (mut store, _) = open(&live).expect("an empty folder");
        let mut world = World::of("vbr01", MACHINES);
        record(&mut store, 0, &[Fact::UnitFormed { unit: unit_of("unit-a", &["vbr01"]) }]);
        let mut past = Past { folder, digests: BTreeMap::new() };
        for hour in 0..HOURS {
            let taken = store.take(&[world.sample(hour)]).expect("a fresh sample");
            let fresh = |taken| match taken {
                Taken::Fresh(fact) => *fact,
                Taken::Repeat | Taken::Conflict => panic!("each hour has one sample"),
            };
            record(&mut store, hour, &taken.into_iter().map(fresh).collect::<Vec<_>>());
            if (hour + 1) % SNAPSHOT_HOURS == 0 {
                let seq = store.head().seq;
                copy_all(&live, &past.at(seq));
                past.digests.insert(seq, store.state_digest().expect("a state"));
            }
        }
        past
    }

    fn at(&self, seq: u64) -> PathBuf {
        self.folder.path().join(seq.to_string())
    }

    fn moments(&self) -> Vec<u64> {
        self.digests.keys().copied().collect()
    }

    /// The state of one moment beside the journal of another.
    fn mixed(&self, state: u64, journal: u64) -> tempfile::TempDir {
        let mixed = tempfile::tempdir().expect("a temporary directory");
        copy_all(&self.at(state).join("state"), &mixed.path().join("state"));
        copy_all(&self.at(journal).join("journal"), &mixed.path().join("journal"));
        mixed
    }
}

fn open(folder: &Path) -> Result<(Store, Opening), StoreError> {
    Store::open(&Place::Folder(folder.to_owned()), Arc::new(RealFiles))
}

fn record(store: &mut Store, hour: i64, facts: &[Fact]) {
    store.record(at(hour), at(hour), "test", facts).expect("a healthy disk");
}

/// Opens, and once more when what was broken showed only in reading.
fn healed(folder: &Path, what: &str) -> [u8; 32] {
    let (store, _) = open(folder).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Ok(digest) = store.state_digest() {
        return digest;
    }
    drop(store);
    let (store, opening) = open(folder).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(opening.rebuilt.is_some(), "{what}: it is said");
    store.state_digest().expect("a state that was just rebuilt")
}

#[test]
fn a_state_older_or_newer_than_the_journal_follows_the_journal() {
    let past = Past::live();
    for &state in &past.moments() {
        for &journal in &past.moments() {
            let mixed = past.mixed(state, journal);
            let what = format!("state of {state}, journal of {journal}");
            assert_eq!(healed(mixed.path(), &what), past.digests[&journal], "{what}");
            if state > journal {
                assert!(mixed.path().join("quarantine/state-1").exists(), "{what}: moved aside for people to look at");
            }
        }
    }
}

/// What a page of the newer state became.
fn damage(newer: &mut [u8], older: &[u8], chance: &mut SeededChance) {
    let pages = newer.len().div_ceil(PAGE) as u64;
    let kind = chance.below(4);
    for _ in 0..=chance.below(6) {
        let start = usize::try_from(chance.below(pages)).expect("small") * PAGE;
        let end = newer.len().min(start + PAGE);
        match kind {
            0 => newer[start..end].fill(0),
            1 => newer[start..end].copy_from_slice(&stale(older, start, end)),
            2 => {
                newer[start + usize::try_from(chance.below((end - start) as u64)).expect("small")] ^=
                    1 << chance.below(8)
            }
            3 => newer[start..end.min(start + 512)].fill(0),
            _ => unreachable!("four are drawn from"),
        }
    }
}

/// The bytes that stood there before; zeros where the file was shorter.
fn stale(older: &[u8], start: usize, end: usize) -> Vec<u8> {
    (start..end).map(|place| older.get(place).copied().unwrap_or(0)).collect()
}

#[test]
fn a_state_with_lost_or_stale_pages_is_never_believed() {
    let past = Past::live();
    let moments = past.moments();
    let (older, newest) = (moments[moments.len() - 2], moments[moments.len() - 1]);
    let before = fs::read(past.at(older).join("state/db")).expect("sled's file");
    let mut wrong = Vec::new();
    for seed in 0..ROUNDS {
        let mixed = past.mixed(newest, newest);
        let db = mixed.path().join("state/db");
        let mut bytes = fs::read(&db).expect("sled's file");
        damage(&mut bytes, &before, &mut SeededChance::new(seed));
        fs::write(&db, bytes).expect("room");
        if healed(mixed.path(), &format!("seed {seed}")) != past.digests[&newest] {
            wrong.push(seed);
        }
    }
    assert!(wrong.is_empty(), "{} of {ROUNDS} believed: seeds {wrong:?}", wrong.len());
}
