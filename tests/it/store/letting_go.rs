//! Raw samples let go by age: what follows from them stands, and the store still proves itself.

use super::*;
use tidegauge::domain::watermark::DayMark;
use tidegauge::rules::rating::Rating;
use tidegauge::store::Due;
use tidegauge::store::fact::LettingGo;

const HOURS: i64 = 60 * 24;
/// Samples before this hour may go: the middle of a delta chain.
const KEPT_FROM: i64 = 40 * 24 + 7;

fn filled() -> (SimulatedDisk, Store) {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    fill(&mut store, HOURS);
    (disk, store)
}

fn let_go(store: &mut Store, hour: i64, kept_from: i64) -> usize {
    let checkpoint = store.checkpoint(at(hour), Due { raw_before: at(kept_from), news_before: at(0) }).unwrap();
    let samples = checkpoint.samples.len();
    record(store, at(hour), &[Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } }]);
    samples
}

fn thin(store: &mut Store, hour: i64) {
    let thinned = store.thin_journal().unwrap().expect("a checkpoint stands");
    record(store, at(hour), &[thinned]);
}

fn days(store: &Store) -> Vec<DayMark> {
    store.days("unit-a", at(0).date_naive(), at(HOURS).date_naive()).unwrap()
}

/// Everything that must stand: days, sums, and every kept sample with its classes.
fn standing(
    store: &Store,
) -> (Vec<DayMark>, Vec<tidegauge::store::SummaryAt>, Vec<tidegauge::store::ClassifiedSample>) {
    let kept = (KEPT_FROM..HOURS).step_by(5).map(|hour| store.newest_sample("vbr01", at(hour)).unwrap().unwrap());
    (days(store), store.summaries("vbr01", at(0)..at(HOURS)).unwrap(), kept.collect())
}

fn journal_bytes(disk: &SimulatedDisk) -> usize {
    let folder = Path::new("journal");
    disk.list(folder).unwrap().iter().map(|name| disk.read(&folder.join(name)).unwrap().unwrap().len()).sum()
}

#[test]
fn raw_samples_go_and_days_sums_and_kept_samples_stand() {
    let (disk, mut store) = filled();
    let before = standing(&store);
    let gone = let_go(&mut store, HOURS, KEPT_FROM);
    assert!(gone > 800, "{gone} of {KEPT_FROM}");
    assert_eq!(standing(&store), before);
    store.verify().unwrap();
    thin(&mut store, HOURS);
    store.verify().unwrap();
    assert_eq!(standing(&store), before);
    let refused = store.newest_sample("vbr01", at(100)).unwrap_err().to_string();
    assert!(refused.contains("older than keep_raw"), "{refused}");
    let digest = store.state_digest().unwrap();
    drop(store);
    let (mut rebuilt, _) = temporary(&disk);
    assert_eq!((rebuilt.state_digest().unwrap(), standing(&rebuilt)), (digest, before));
    let mut world = World::of("vbr01", 12);
    let repeats: Vec<Sample> = (0..HOURS).map(|hour| world.sample(hour)).collect();
    assert!(rebuilt.take(&repeats).unwrap().iter().all(|taken| *taken == Taken::Repeat), "its digest still tells");
    assert_eq!(keep(&mut rebuilt, &[world.sample(HOURS)]), 1);
    rebuilt.verify().unwrap();
}

#[test]
fn a_thinned_journal_is_smaller() {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    form(&mut store, &["vbr01"]);
    let mut world = World::of("vbr01", 1_500);
    for hour in 0..45 * 24 {
        keep(&mut store, &[world.sample(hour)]);
    }
    let bytes = journal_bytes(&disk);
    let gone = let_go(&mut store, 45 * 24, 44 * 24);
    thin(&mut store, 45 * 24);
    let left = journal_bytes(&disk);
    println!("{gone} samples of 1,500 workloads let go: the journal went from {bytes} to {left} bytes");
    assert!(left < bytes, "{left} of {bytes}");
    store.verify().unwrap();
}

#[test]
fn a_checkpoint_alone_takes_nothing_out_of_the_journal_and_thinning_what_it_let_go() {
    let (disk, mut store) = filled();
    let history = |store: &Store| {
        let mut raw = 0;
        store
            .history(0, &mut |_, facts| {
                raw += facts.iter().filter(|fact| matches!(fact, Fact::SampleTaken { .. })).count()
            })
            .unwrap();
        raw
    };
    let all = history(&store);
    let gone = let_go(&mut store, HOURS, KEPT_FROM);
    assert_eq!(history(&store), all, "a checkpoint alone takes nothing out of the journal");
    thin(&mut store, HOURS);
    assert_eq!(history(&store), all - gone);
    drop(disk);
}

#[test]
fn what_was_kept_for_a_delta_chain_goes_when_the_chain_does() {
    let (_, mut store) = filled();
    let before = standing(&store);
    let mut gone = 0;
    for (step, kept_from) in [200, 30 * 24, KEPT_FROM].into_iter().enumerate() {
        gone += let_go(&mut store, HOURS + step as i64, kept_from);
        thin(&mut store, HOURS + step as i64);
        store.verify().unwrap();
    }
    assert_eq!(standing(&store), before);
    let (_, mut at_once) = filled();
    assert_eq!(gone, let_go(&mut at_once, HOURS, KEPT_FROM), "in three steps as in one");
    assert_eq!(let_go(&mut at_once, HOURS + 1, KEPT_FROM), 0, "nothing goes twice");
    at_once.verify().unwrap();
}

#[test]
fn a_late_sample_between_thinned_ones_and_other_weights_leave_state_and_replay_the_same() {
    let (disk, mut store) = filled();
    let_go(&mut store, HOURS, KEPT_FROM);
    thin(&mut store, HOURS);
    let late = Sample { taken_at: at(300) + TimeDelta::minutes(20), ..World::of("vbr01", 5).sample(300) };
    assert_eq!(keep(&mut store, &[late]), 1);
    store.verify().unwrap();
    let mapping = [("VM".parse().unwrap(), "Server".parse().unwrap())].into();
    store.set_rating(&Rating { mapping, ..Rating::default() }).unwrap();
    store.set_basis_max_age(TimeDelta::hours(9)).unwrap();
    store.verify().unwrap();
    assert_eq!(let_go(&mut store, HOURS + 2, KEPT_FROM), 1, "the late one goes too");
    store.verify().unwrap();
    thin(&mut store, HOURS + 2);
    store.verify().unwrap();
    drop(disk);
}

#[test]
fn a_kill_at_any_step_heals() {
    let (disk, store) = filled();
    let before = standing(&store);
    drop(store);
    let run = |disk: &SimulatedDisk, operations: Option<u64>| {
        let (mut store, _) = temporary(disk);
        let started = disk.operations();
        operations.into_iter().for_each(|operations| disk.fill_after(operations));
        let checkpoint = store.checkpoint(at(HOURS), Due { raw_before: at(KEPT_FROM), news_before: at(0) }).unwrap();
        let done = store
            .record(at(HOURS), at(HOURS), "duty", &[Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } }])
            .is_ok()
            && store.thin_journal().is_ok_and(|thinned| {
                let facts: Vec<Fact> = thinned.into_iter().collect();
                store.record(at(HOURS), at(HOURS), "duty", &facts).is_ok()
            });
        (done, disk.operations() - started)
    };
    let (done, operations) = run(&disk.duplicate(), None);
    assert!(done && operations >= 3, "{operations}");
    for operations in 0..operations {
        let disk = disk.duplicate();
        assert!(!run(&disk, Some(operations)).0, "cut short after {operations} operations");
        disk.power_cut();
        disk.heal();
        let (mut store, _) = temporary(&disk);
        assert_eq!(standing(&store), before, "after {operations} operations");
        store.verify().unwrap();
        let_go(&mut store, HOURS + 1, KEPT_FROM);
        thin(&mut store, HOURS + 1);
        store.verify().unwrap();
        assert_eq!(standing(&store), before);
    }
}

#[test]
fn what_is_left_cannot_be_changed_unseen() {
    let (disk, mut store) = filled();
    let_go(&mut store, HOURS, KEPT_FROM);
    thin(&mut store, HOURS);
    // Somebody takes one more thing out of the journal, with right checksums and chain.
    let place = Path::new("journal");
    let (mut journal, _) =
        tidegauge::store::journal::Journal::open(Arc::new(disk.clone()), place, &mut |_| Ok(())).unwrap();
    let nothing = {
        let (mut other, _) = temporary(&SimulatedDisk::new());
        record(&mut other, at(0), &[]);
        let mut payload = Vec::new();
        tidegauge::store::journal::replay(&disk, place, &mut |entry| {
            payload = entry.payload.clone();
            Ok(())
        })
        .unwrap();
        payload
    };
    journal.thin(20, &mut |entry| Ok((entry.seq == 20).then(|| nothing.clone()))).unwrap();
    let refused = store.verify().unwrap_err().to_string();
    assert!(refused.contains("thinned entries"), "{refused}");
}

#[test]
fn a_backup_of_a_thinned_store_restores_it() {
    let (original, elsewhere, backup) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut store, _) = open_folder(original.path()).unwrap();
    fill(&mut store, 100);
    let_go(&mut store, 100, 60);
    thin(&mut store, 100);
    store.backup(backup.path()).unwrap();
    let place = Place::Folder(elsewhere.path().to_owned());
    tidegauge::store::restore(&real_files(), backup.path(), &place).unwrap();
    let (restored, _) = open_folder(elsewhere.path()).unwrap();
    assert_eq!(restored.state_digest().unwrap(), store.state_digest().unwrap());
    restored.verify().unwrap();
}
