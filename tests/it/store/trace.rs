//! What was worked out of rows stands until one of them is set.

use super::*;

const WEEK: &str = "telemetry_through/unit-a";

/// Records a miss of the server.
fn miss(store: &mut Store, server: &str) {
    let miss = Miss { due_at: at(1), at: at(1), why: "silent".into(), needs_person: false, in_a_row: 1, told: None };
    record(store, at(1), &[Fact::SampleMissed { server: server.into(), miss }]);
}

#[test]
fn what_was_read_of_a_row_stands_until_that_row_is_set_or_deleted() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let read = |store: &Store| store.traced(|| store.row::<Miss>(&key::miss("vbr01")).unwrap());
    let (found, trace) = read(&store);
    assert!(found.is_none() && store.stands(&trace));
    miss(&mut store, "vbr02");
    assert!(store.stands(&trace), "another server's row was set");
    miss(&mut store, "vbr01");
    assert!(!store.stands(&trace), "the row is there now");
    let (found, trace) = read(&store);
    assert!(found.is_some() && store.stands(&trace));
    record(&mut store, at(2), &[Fact::ServerRecovered { server: "vbr01".into() }]);
    assert!(!store.stands(&trace), "the row is gone");
}

#[test]
fn what_was_read_of_all_rows_that_begin_so_stands_until_one_of_them_is_set() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    for prefix in ["miss/", "miss/vbr", "mi", ""] {
        let (_, trace) = store.traced(|| store.keys(prefix).unwrap());
        let (_, rows) = store.traced(|| store.rows::<serde_json::Value>(prefix).unwrap());
        assert!(store.stands(&trace) && store.stands(&rows));
        miss(&mut store, "vbr01");
        assert!(!store.stands(&trace) && !store.stands(&rows), "a row under {prefix:?} was set");
    }
    let (_, trace) = store.traced(|| store.keys("setback/").unwrap());
    miss(&mut store, "vbr01");
    assert!(store.stands(&trace));
}

#[test]
fn what_was_worked_out_of_kept_work_falls_with_the_rows_of_that() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let (_, inner) = store.traced(|| store.row::<Miss>(&key::miss("vbr01")).unwrap());
    let (stands, outer) = store.traced(|| store.stands(&inner));
    let (_, around) = store.traced(|| store.traced(|| store.row::<Miss>(&key::miss("vbr01")).unwrap()).0);
    assert!(stands);
    miss(&mut store, "vbr01");
    assert!(!store.stands(&outer) && !store.stands(&around));
}

#[test]
fn nothing_stands_that_was_read_of_a_record_that_failed() {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    miss(&mut store, "vbr02");
    let (_, trace) = store.traced(|| store.row::<serde_json::Value>(WEEK).unwrap());
    disk.fill_after(0);
    let named = Fact::ServerRecovered { server: "vbr02".into() };
    store.record(at(2), at(2), "test", &[named]).unwrap_err();
    assert!(!store.stands(&trace));
}

#[test]
fn more_set_rows_than_are_remembered_let_nothing_stand() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let (_, trace) = store.traced(|| store.row::<Miss>(&key::miss("vbr01")).unwrap());
    let (_, watched) = store.traced(|| store.row::<Miss>(&key::miss("vbr01")).unwrap());
    let recovered = |number: usize| Fact::ServerRecovered { server: format!("other{number}") };
    for round in 0..8 {
        record(&mut store, at(2), &(0..1_000).map(|number| recovered(round * 1_000 + number)).collect::<Vec<_>>());
        assert!(store.stands(&watched), "it was looked at after every record");
    }
    assert!(!store.stands(&trace), "nobody knows what was set first");
}

#[test]
fn the_ends_of_a_servers_samples_follow_each_sample_and_no_failed_record() {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    form(&mut store, &["vbr01"]);
    let mut world = World::of("vbr01", 3);
    let samples: Vec<Sample> = (0..4).map(|hour| world.sample(hour)).collect();
    let ends = |store: &Store, until: i64| {
        (store.oldest_sample_at().unwrap(), store.newest_sample_at("vbr01", at(until)).unwrap())
    };
    assert_eq!(ends(&store, 9), (None, None));
    keep(&mut store, &samples[2..3]);
    let third = Some(samples[2].taken_at);
    assert_eq!(ends(&store, 9), (third, third));
    keep(&mut store, &samples[0..1]);
    let first = Some(samples[0].taken_at);
    assert_eq!(ends(&store, 9), (first, third));
    assert_eq!(store.newest_sample_at("vbr01", samples[1].taken_at).unwrap(), first);
    let taken = store.take(&samples[3..]).unwrap().into_iter().filter_map(fresh).collect::<Vec<_>>();
    disk.fill_after(0);
    store.record(at(9), at(9), "test", &taken).unwrap_err();
    assert_eq!(ends(&store, 9), (first, third), "what was not recorded is not there");
}
