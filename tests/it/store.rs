//! The store: state equals replay, samples lossless, marks the same in any order, broken states healed.

mod blocks;
pub mod broken;
mod earlier; // journals of earlier versions
mod letting_go;
mod newest;
mod order;
mod recount;
mod samples;
mod surviving;
mod trace;
mod weeks;
pub mod world;
mod year;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta};
use tidegauge::domain::Instant;
use tidegauge::domain::installation::Unit;
use tidegauge::domain::sample::Sample;
use tidegauge::doors::Files;
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::store::fact::{Fact, Miss, SetbackRow, key};
use tidegauge::store::{Opening, Place, Store, StoreError, Taken};

use world::{World, at, unit_of};

/// A store whose journal is on a simulated disk.
fn temporary(disk: &SimulatedDisk) -> (Store, Opening) {
    let place = Place::Temporary { journal: PathBuf::from("journal") };
    Store::open(&place, Arc::new(disk.clone())).unwrap()
}

fn open_folder(folder: &Path) -> Result<(Store, Opening), StoreError> {
    Store::open(&Place::Folder(folder.to_owned()), Arc::new(RealFiles))
}

fn real_files() -> Arc<dyn Files> {
    Arc::new(RealFiles)
}

fn record(store: &mut Store, now: Instant, facts: &[Fact]) {
    store.record(now, now, "test", facts).unwrap();
}

/// Takes and records samples as one entry; returns how many were fresh.
fn keep(store: &mut Store, samples: &[Sample]) -> usize {
    let taken = store.take(samples).unwrap();
    let facts: Vec<Fact> = taken.into_iter().filter_map(fresh).collect();
    if !facts.is_empty() {
        record(store, samples[0].taken_at, &facts);
    }
    facts.len()
}

fn fresh(taken: Taken) -> Option<Fact> {
    match taken {
        Taken::Fresh(fact) => Some(*fact),
        Taken::Repeat | Taken::Conflict => None,
    }
}

fn form(store: &mut Store, servers: &[&str]) {
    record(store, at(0), &[Fact::UnitFormed { unit: unit_of("unit-a", servers) }]);
}

/// Hourly samples of one server of one unit, each an entry of its own.
fn fill(store: &mut Store, hours: i64) {
    form(store, &["vbr01"]);
    let mut world = World::of("vbr01", 12);
    for hour in 0..hours {
        keep(store, &[world.sample(hour)]);
    }
}

#[test]
fn small_facts_set_and_delete_the_rows_they_name() {
    let (mut store, opening) = temporary(&SimulatedDisk::new());
    assert_eq!(opening.to_string(), "the store is in order; 0 journal entries were applied");
    let miss = Miss { due_at: at(1), at: at(1), why: "silent".into(), needs_person: false, in_a_row: 1, told: None };
    let missed = Fact::SampleMissed { server: "vbr01".into(), miss: miss.clone() };
    let long = "é".repeat(30_000);
    let setback = SetbackRow { at: at(1), why: long, tries: 1, next_try_at: at(2), needs_person: true };
    record(&mut store, at(1), &[missed, Fact::Setback { about: "license/x".into(), setback: setback.clone() }]);
    assert_eq!(store.row::<Miss>(&key::miss("vbr01")).unwrap(), Some(miss));
    assert_eq!(store.rows::<SetbackRow>("setback/").unwrap(), vec![("setback/license/x".to_owned(), setback)]);
    record(&mut store, at(2), &[Fact::ServerRecovered { server: "vbr01".into() }]);
    assert_eq!(store.row::<Miss>(&key::miss("vbr01")).unwrap(), None);
    assert_eq!(store.head().seq, 2);
    store.verify().unwrap();
}

#[test]
fn the_history_tells_who_recorded_what_and_by_which_clocks() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    fill(&mut store, 3);
    let recovered = Fact::ServerRecovered { server: "vbr01".into() };
    store.record(at(99), at(2), "user:ann", std::slice::from_ref(&recovered)).unwrap();
    let mut told = Vec::new();
    let each = &mut |entry: &tidegauge::store::journal::Entry, facts| {
        told.push((entry.seq, entry.actor.clone(), entry.recorded_at, entry.now, facts));
    };
    assert_eq!(store.history(4, each).unwrap().entries, 5);
    assert_eq!(told, [(5, "user:ann".to_owned(), at(99), at(2), vec![recovered])]);
}

#[test]
fn a_second_process_is_refused_while_the_first_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = open_folder(folder.path()).unwrap();
    let refused = open_folder(folder.path()).err().unwrap();
    assert!(refused.to_string().ends_with("is in use by another process; stop it, or speak to the running agent"));
    drop(first);
    open_folder(folder.path()).unwrap();
}

#[test]
fn a_backup_made_while_running_restores_everything() {
    let (original, elsewhere, backup) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut store, _) = open_folder(original.path()).unwrap();
    fill(&mut store, 30);
    let copied = store.backup(backup.path()).unwrap();
    assert_eq!(copied.head, store.head());
    let place = Place::Folder(elsewhere.path().to_owned());
    tidegauge::store::restore(&real_files(), backup.path(), &place).unwrap();
    let (restored, opening) = open_folder(elsewhere.path()).unwrap();
    assert_eq!(opening.repairs(), ["the state was rebuilt from 31 journal entries: there was no state"]);
    assert_eq!(restored.state_digest().unwrap(), store.state_digest().unwrap());
    drop(restored);
    assert!(tidegauge::store::restore(&real_files(), backup.path(), &place).is_err(), "nothing is overwritten");
    let nothing = tidegauge::store::restore(
        &real_files(),
        elsewhere.path().join("x").as_path(),
        &Place::Folder(backup.path().join("y")),
    );
    assert!(nothing.unwrap_err().to_string().contains("holds no journal entry"));
}

#[test]
fn a_full_disk_records_nothing_and_the_store_goes_on_when_opened_again() {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    fill(&mut store, 5);
    let before = store.state_digest().unwrap();
    disk.fill_after(1);
    let recovered = Fact::ServerRecovered { server: "vbr01".into() };
    let refused = store.record(at(9), at(9), "test", std::slice::from_ref(&recovered)).unwrap_err();
    assert!(refused.is_disk_full(), "{refused}");
    assert_eq!(store.state_digest().unwrap(), before);
    disk.heal();
    assert!(store.record(at(9), at(9), "test", std::slice::from_ref(&recovered)).is_err());
    drop(store);
    let (mut store, _) = temporary(&disk);
    record(&mut store, at(9), &[recovered]);
    store.verify().unwrap();
}

#[test]
fn days_and_units_are_found_again() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    fill(&mut store, 50);
    let day = |day| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
    let days = store.days("unit-a", day(1), day(2)).unwrap();
    assert_eq!(
        days.iter().map(|mark| (mark.day, mark.samples["vbr01"])).collect::<Vec<_>>(),
        [(day(1), 24), (day(2), 24)]
    );
    assert_eq!(store.days("unit-a", day(3), day(9)).unwrap().len(), 1);
    assert_eq!(store.units().unwrap(), [unit_of("unit-a", &["vbr01"])]);
    assert_eq!(
        (store.servers().unwrap(), store.unit_of("vbr01").unwrap()),
        (vec!["vbr01".to_owned()], Some("unit-a".to_owned()))
    );
    assert_eq!(store.sample_times("vbr01", at(0)..at(3)).unwrap(), [at(0), at(1), at(2)]);
    let summaries = store.summaries("vbr01", at(10)..at(12)).unwrap();
    assert_eq!(summaries.len(), 2);
    let classified = store.newest_sample("vbr01", at(11)).unwrap().unwrap();
    assert_eq!((classified.sample.taken_at, classified.summary()), (at(11), (*summaries[1].2).clone()));
    assert!(store.newest_sample("vbr01", at(0) - TimeDelta::seconds(1)).unwrap().is_none());
}
