//! A flipped bit anywhere: refused with file and offset, found by a verification, or said; never other figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegauge::domain::watermark::DayMark;
use tidegauge::doors::{Chance, Files};
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::store::fact::{Fact, Miss};
use tidegauge::store::journal::{self, JournalError, SEGMENT_BYTES_MAX};
use tidegauge::store::{Place, Store, StoreError, Taken};

use crate::store::world::{World, at, unit_of};

const HOURS: i64 = 30;

fn place() -> Place {
    Place::Temporary { journal: PathBuf::from("journal") }
}

fn segment(number: u32) -> PathBuf {
    PathBuf::from(format!("journal/{number:08}.seg"))
}

fn record(store: &mut Store, hour: i64, facts: &[Fact]) {
    store.record(at(hour), at(hour), "test", facts).expect("a healthy disk");
}

fn days(store: &Store) -> Vec<DayMark> {
    store.days("unit-a", at(0).date_naive(), at(HOURS).date_naive()).expect("a state")
}

/// A store of some hours on a disk, and its figures after each entry.
fn filled() -> (SimulatedDisk, Store, BTreeMap<u64, Vec<DayMark>>) {
    let disk = SimulatedDisk::new();
    let (mut store, _) = Store::open(&place(), Arc::new(disk.clone())).expect("an empty disk");
    let mut world = World::of("vbr01", 12);
    record(&mut store, 0, &[Fact::UnitFormed { unit: unit_of("unit-a", &["vbr01"]) }]);
    let mut figures = BTreeMap::from([(1, days(&store))]);
    for hour in 0..HOURS {
        let taken = store.take(&[world.sample(hour)]).expect("a fresh sample");
        let fresh = |taken| match taken {
            Taken::Fresh(fact) => *fact,
            Taken::Repeat | Taken::Conflict => panic!("each hour has one sample"),
        };
        record(&mut store, hour, &taken.into_iter().map(fresh).collect::<Vec<_>>());
        figures.insert(store.head().seq, days(&store));
    }
    (disk, store, figures)
}

fn len_of(disk: &SimulatedDisk, path: &Path) -> usize {
    disk.read(path).expect("a disk").expect("a segment").len()
}

#[test]
fn a_flipped_bit_at_any_byte_of_the_journal_is_found_by_a_verification() {
    let (disk, store, _) = filled();
    let mut chance = SeededChance::new(17);
    for byte in 0..len_of(&disk, &segment(1)) {
        let damaged = disk.duplicate();
        damaged.flip(&segment(1), byte * 8 + usize::try_from(chance.below(8)).expect("small"));
        match journal::verify(&damaged, Path::new("journal")) {
            Err(JournalError::Damaged { file, offset, .. }) => {
                assert_eq!(file, segment(1), "byte {byte}");
                assert!(usize::try_from(offset).expect("small") <= byte);
            }
            Err(other) => panic!("byte {byte}: {other}"),
            Ok(verified) => {
                let torn = verified.torn.unwrap_or_else(|| panic!("byte {byte} went unnoticed"));
                assert_eq!((torn.seq, verified.entries + 1), (store.head().seq, store.head().seq), "byte {byte}");
            }
        }
    }
}

#[test]
fn a_verification_beside_the_running_store_names_the_place_of_a_flipped_bit() {
    let (disk, store, _) = filled();
    store.verify().expect("in order");
    let len = len_of(&disk, &segment(1));
    for byte in (0..len).step_by(len / 40).chain([len - 1]) {
        disk.flip(&segment(1), byte * 8);
        let why = store.verify().expect_err("it is found").to_string();
        assert!(
            why.contains("00000001.seg is damaged at byte") || why.contains("the journal ends with entry"),
            "{why}"
        );
        disk.flip(&segment(1), byte * 8);
    }
    store.verify().expect("in order again");
}

#[test]
fn a_store_never_answers_otherwise_because_of_a_flipped_bit() {
    let (disk, store, figures) = filled();
    let (len, newest) = (len_of(&disk, &segment(1)), store.head().seq);
    drop(store);
    let mut chance = SeededChance::new(19);
    for round in 0..150 {
        let damaged = disk.duplicate();
        // The last entry's bytes, every other round: there damage looks like a write that was broken off.
        let from = if round % 2 == 0 { len * 29 / 30 } else { 0 };
        let byte = from + usize::try_from(chance.below((len - from) as u64)).expect("small");
        damaged.flip(&segment(1), byte * 8 + usize::try_from(chance.below(8)).expect("small"));
        match Store::open(&place(), Arc::new(damaged)) {
            Ok((store, opening)) => {
                assert_eq!(store.head().seq, newest - 1, "byte {byte}: only the last entry may be lost");
                assert!(opening.to_string().contains("entry 31 was not fully written"), "byte {byte}: {opening}");
                assert_eq!(days(&store), figures[&(newest - 1)], "byte {byte}");
            }
            Err(StoreError::Journal(JournalError::Damaged { .. })) => {}
            Err(other) => panic!("byte {byte}: {other}"),
        }
    }
}

#[test]
fn damage_in_a_segment_that_opening_does_not_read_is_found_by_a_verification() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let disk = SimulatedDisk::new();
    let place = Place::Folder(folder.path().to_owned());
    let segment = folder.path().join("journal/00000001.seg");
    let (mut store, _) = Store::open(&place, Arc::new(disk.clone())).expect("an empty folder");
    let mut why = vec![0; usize::try_from(SEGMENT_BYTES_MAX).expect("small")];
    SeededChance::new(23).fill(&mut why);
    let why = why.iter().map(|byte| char::from(b' ' + byte % 90)).collect();
    let miss = Miss { due_at: at(1), at: at(1), why, needs_person: false, in_a_row: 1, told: None };
    record(&mut store, 1, &[Fact::SampleMissed { server: "vbr01".into(), miss }]);
    record(&mut store, 2, &[Fact::ServerRecovered { server: "vbr01".into() }]);
    drop(store);
    let mut chance = SeededChance::new(29);
    for _ in 0..6 {
        let bit = usize::try_from(chance.below(len_of(&disk, &segment) as u64 * 8)).expect("small");
        disk.flip(&segment, bit);
        match Store::open(&place, Arc::new(disk.clone())) {
            Ok((store, _)) => {
                let why = store.verify().expect_err("it is found").to_string();
                assert!(why.contains("00000001.seg is damaged at byte"), "bit {bit}: {why}");
            }
            Err(error) => assert!(error.to_string().contains("is damaged at byte"), "bit {bit}: {error}"),
        }
        disk.flip(&segment, bit);
    }
}
