//! Power cuts and kills at every writing operation, one after another on the same disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegauge::license_server::{LicenseServer, Order, Policy, new_signing_key};
use tidegauge::simulation::chance::SeededChance;
use tidegauge::store::fact::Fact;
use tidegauge::store::journal::{Head, Journal, NewEntry, SEGMENT_BYTES_MAX};
use tidegauge::store::{Place, Store, Taken};

use super::cached_disk::CachedDisk;
use crate::accounts::contract;
use crate::store::world::{World, at, unit_of};

/// Worlds of a journal alone; each dies [`DEATHS`] times.
const JOURNALS: u64 = 400;
const DEATHS: u64 = 10;
/// Worlds of a whole store.
const STORES: u64 = 12;
const FOLDER: &str = "journal";

/// Dies soon, then either the process is started again or the machine.
fn die_soon(disk: &CachedDisk, operations: u64) {
    let within = disk.draw(operations) + 1;
    disk.kill_after(within);
}

fn come_back(disk: &CachedDisk) {
    if disk.draw(2) == 0 { disk.lose_power() } else { disk.revive() }
}

/// Opens the journal and reads what each entry is.
fn opened(disk: &CachedDisk, seed: u64) -> (Journal, BTreeMap<u64, Vec<u8>>) {
    let mut entries = BTreeMap::new();
    let journal = Journal::open(Arc::new(disk.clone()), Path::new(FOLDER), &mut |entry| {
        entries.insert(entry.seq, entry.payload.clone());
        Ok(())
    });
    let (journal, _) = journal.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    (journal, entries)
}

/// The payload of a number: from a few bytes to several sectors, and no two alike.
fn payload(seed: u64, number: u64, large: usize) -> Vec<u8> {
    let len = usize::try_from((seed + number * 977) % 3_000).expect("small") + large;
    number.to_le_bytes().iter().copied().cycle().take(8 + len).collect()
}

/// A journal that dies again and again: what was acknowledged is there each time, and of what was not, at most one entry.
fn journal_survives(seed: u64, deaths: u64, large: usize) {
    let disk = CachedDisk::new(seed);
    let mut acknowledged: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for death in 0..=deaths {
        let (mut journal, read) = opened(&disk, seed);
        let told = acknowledged.len() as u64;
        assert!(read.len() as u64 <= told + 1, "seed {seed}, death {death}: more than was tried");
        assert!(acknowledged.iter().all(|(seq, payload)| read.get(seq) == Some(payload)), "seed {seed}, death {death}");
        acknowledged = read;
        if death == deaths {
            break;
        }
        die_soon(&disk, 24);
        loop {
            let number = journal.head().seq + 1;
            let payload = payload(seed + death, number, large);
            let entry = NewEntry { recorded_at: at(0), now: at(0), actor: "test", payload: &payload };
            match journal.append(entry) {
                Ok(Head { seq, .. }) => drop(acknowledged.insert(seq, payload)),
                Err(_) => break,
            }
        }
        // The opening that follows may die too: nothing was acknowledged by it.
        come_back(&disk);
        if disk.draw(3) == 0 {
            die_soon(&disk, 3);
            let _ = Journal::open(Arc::new(disk.clone()), Path::new(FOLDER), &mut |_| Ok(()));
            come_back(&disk);
        }
    }
}

#[test]
fn a_journal_that_loses_power_at_any_operation_again_and_again_keeps_what_was_acknowledged() {
    for seed in 0..JOURNALS {
        journal_survives(seed, DEATHS, 0);
    }
}

#[test]
fn a_journal_that_loses_power_where_one_segment_follows_another_keeps_what_was_acknowledged() {
    let half = usize::try_from(SEGMENT_BYTES_MAX / 2).expect("small");
    for seed in 0..6 {
        journal_survives(seed, 4, half);
    }
}

fn store_on(disk: &CachedDisk, seed: u64) -> Store {
    let place = Place::Temporary { journal: PathBuf::from(FOLDER) };
    let opened = Store::open(&place, Arc::new(disk.clone()));
    opened.unwrap_or_else(|error| panic!("seed {seed}: {error}")).0
}

/// The state after each entry of an undisturbed store, by the entry's number.
fn undisturbed(hours: i64) -> (Vec<Vec<Fact>>, BTreeMap<u64, [u8; 32]>) {
    let disk = CachedDisk::new(0);
    let mut store = store_on(&disk, 0);
    let mut world = World::of("vbr01", 12);
    let (mut all, mut digests) = (Vec::new(), BTreeMap::from([(0, store.state_digest().expect("a state"))]));
    for hour in 0..hours {
        let mut facts = Vec::new();
        if hour == 0 {
            facts.push(Fact::UnitFormed { unit: unit_of("unit-a", &["vbr01"]) });
        }
        for taken in store.take(&[world.sample(hour)]).expect("a fresh sample") {
            match taken {
                Taken::Fresh(fact) => facts.push(*fact),
                Taken::Repeat | Taken::Conflict => panic!("each hour has one sample"),
            }
        }
        let head = store.record(at(hour), at(hour), "test", &facts).expect("a healthy disk");
        all.push(facts);
        digests.insert(head.seq, store.state_digest().expect("a state"));
    }
    (all, digests)
}

#[test]
fn a_store_that_loses_power_at_any_operation_answers_as_of_the_last_acknowledged_entry_or_the_one_after() {
    let (facts, digests) = undisturbed(30);
    for seed in 0..STORES {
        let disk = CachedDisk::new(seed);
        let mut acknowledged = 0;
        let mut lives = 0;
        while acknowledged < facts.len() {
            lives += 1;
            assert!(lives < 100, "seed {seed} comes no further than {acknowledged}");
            let mut store = store_on(&disk, seed);
            let read = usize::try_from(store.head().seq).expect("small");
            assert!((acknowledged..=acknowledged + 1).contains(&read), "seed {seed}: {acknowledged} and {read}");
            assert_eq!(store.state_digest().expect("a state"), digests[&(read as u64)], "seed {seed} at {read}");
            store.verify().unwrap_or_else(|error| panic!("seed {seed} at {read}: {error}"));
            acknowledged = read;
            die_soon(&disk, 24);
            for (hour, facts) in (0..).zip(&facts).skip(read) {
                if store.record(at(hour), at(hour), "test", facts).is_err() {
                    break;
                }
                acknowledged += 1;
            }
            drop(store);
            come_back(&disk);
        }
    }
}

#[test]
fn an_entry_that_a_killed_process_left_unsynced_is_made_durable_by_the_next_opening() {
    let lost = |disk: &CachedDisk| {
        let (mut journal, _) = opened(disk, 1);
        let entry = |payload| NewEntry { recorded_at: at(0), now: at(0), actor: "test", payload };
        journal.append(entry(&[7; 2_000])).expect("a healthy disk");
        // Killed after the append, before its sync took effect.
        disk.kill_after(2);
        journal.append(entry(&[8; 2_000])).expect_err("it is killed");
        disk.revive();
        opened(disk, 1).1.len()
    };
    for seed in 0..50 {
        let disk = CachedDisk::new(seed);
        let read = lost(&disk);
        disk.lose_power();
        assert_eq!(opened(&disk, seed).1.len(), read, "seed {seed}: it was read, so it must stay");
    }
}

#[test]
fn a_license_server_that_loses_power_keeps_every_order_it_acknowledged() {
    let folder = Path::new("license-server");
    let deaths = 6;
    for seed in 0..60 {
        let disk = CachedDisk::new(seed);
        let mut chance = SeededChance::new(seed);
        new_signing_key(&disk, folder, &mut chance).expect("a healthy disk");
        let mut acknowledged = 0;
        for death in 0..=deaths {
            let server = LicenseServer::open(Arc::new(disk.clone()), folder, Policy::default());
            let server = server.unwrap_or_else(|error| panic!("seed {seed}, death {death}: {error}"));
            let kept = server.state().tokens.len();
            assert!((acknowledged..=acknowledged + 1).contains(&kept), "seed {seed}: {acknowledged} and {kept}");
            acknowledged = kept;
            if death == deaths {
                break;
            }
            die_soon(&disk, 16);
            loop {
                let order = match acknowledged {
                    0 => Order::AddContract { contract: contract(), url: None },
                    _ => Order::IssueToken { contract_id: contract().id, url: None },
                };
                if server.obey(order, "olga", at(0), &mut chance).is_err() {
                    break;
                }
                acknowledged += 1;
            }
            drop(server);
            come_back(&disk);
        }
    }
}

/// Groups of up to so many entries.
const GROUP_MAX: u64 = 9;

/// As [`journal_survives`], with entries written together: of the group that was being written, any first part is left.
fn joined_journal_survives(seed: u64, deaths: u64, large: usize) {
    let disk = CachedDisk::new(seed);
    let mut acknowledged: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for death in 0..=deaths {
        let (mut journal, read) = opened(&disk, seed);
        let told = acknowledged.len() as u64;
        assert!(read.len() as u64 <= told + GROUP_MAX, "seed {seed}, death {death}: more than was tried");
        assert!(acknowledged.iter().all(|(seq, payload)| read.get(seq) == Some(payload)), "seed {seed}, death {death}");
        acknowledged = read;
        if death == deaths {
            break;
        }
        die_soon(&disk, 24);
        loop {
            let next = journal.head().seq + 1;
            let numbers = next..next + 1 + disk.draw(GROUP_MAX);
            let payloads: Vec<Vec<u8>> = numbers.clone().map(|number| payload(seed + death, number, large)).collect();
            let entry = |payload| NewEntry { recorded_at: at(0), now: at(0), actor: "test", payload };
            let entries: Vec<NewEntry<'_>> = payloads.iter().map(|payload| entry(payload.as_slice())).collect();
            match journal.append_together(&entries) {
                Ok(_) => acknowledged.extend(numbers.zip(payloads)),
                Err(_) => break,
            }
        }
        come_back(&disk);
        if disk.draw(3) == 0 {
            die_soon(&disk, 3);
            let _ = Journal::open(Arc::new(disk.clone()), Path::new(FOLDER), &mut |_| Ok(()));
            come_back(&disk);
        }
    }
}

#[test]
fn a_journal_of_groups_that_loses_power_at_any_operation_again_and_again_keeps_what_was_acknowledged() {
    for seed in 0..JOURNALS / 4 {
        joined_journal_survives(seed, DEATHS, 0);
    }
    let third = usize::try_from(SEGMENT_BYTES_MAX / 3).expect("small");
    for seed in 0..2 {
        joined_journal_survives(seed, 3, third);
    }
}
