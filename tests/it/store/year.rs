//! A year of a server with a thousand workloads: how much it takes, and that it opens at once.

use super::*;

/// Days of the story; a whole year by default of `scripts/test`, a month without it.
const DAYS: &str = "TIDEGAUGE_STORE_DAYS";

#[expect(clippy::disallowed_methods, reason = "figures for people, asserted nowhere")]
fn real_clock() -> std::time::Instant {
    std::time::Instant::now()
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

#[test]
fn a_thousand_workloads_sampled_hourly_stay_small_and_open_at_once() {
    let days: i64 = std::env::var(DAYS).map_or(20, |text| text.parse().expect("a number of days"));
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open_folder(folder.path()).unwrap();
    form(&mut store, &["vbr01"]);
    let mut world = World::of("vbr01", 1000);
    let started = real_clock();
    for day in 0..days {
        let samples: Vec<Sample> = (day * 24..day * 24 + 24).map(|hour| world.sample(hour)).collect();
        for sample in samples {
            keep(&mut store, std::slice::from_ref(&sample));
        }
    }
    println!("{} samples recorded in {:?}", days * 24, started.elapsed());
    let digest = store.state_digest().unwrap();
    drop(store);
    println!(
        "journal {} bytes, state {} bytes",
        bytes_in(&folder.path().join("journal")),
        bytes_in(&folder.path().join("state"))
    );
    let started = real_clock();
    let (store, opening) = open_folder(folder.path()).unwrap();
    println!("opened in {:?}: {opening}", started.elapsed());
    assert_eq!(opening.applied, 0);
    let started = real_clock();
    let marks = store.days("unit-a", at(0).date_naive(), at(days * 24).date_naive()).unwrap();
    println!("{} days read in {:?}", marks.len(), started.elapsed());
    let started = real_clock();
    let newest = store.newest_sample("vbr01", at(days * 24)).unwrap().unwrap();
    println!("newest sample of {} workloads read in {:?}", newest.sample.workloads.len(), started.elapsed());
    drop(store);
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    let started = real_clock();
    let (store, opening) = open_folder(folder.path()).unwrap();
    println!("rebuilt in {:?}: {opening}", started.elapsed());
    assert_eq!(store.state_digest().unwrap(), digest);
    assert_eq!(marks.len() as i64, days);
}
