//! Marks counted again from the journal alone are those that are kept, whatever happened; one that is not is named.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tidegauge::domain::installation::CountsOnce;
use tidegauge::domain::watermark::DayMark;
use tidegauge::domain::{IsoWeek, Points};
use tidegauge::rules::points_table;
use tidegauge::rules::rating::Rating;
use tidegauge::store::fact::LettingGo;
use tidegauge::store::{Due, Proved, WhatDiffers};

use super::broken::copy_all;
use super::*;

const SERVERS: [&str; 2] = ["vbr01", "vbr02"];

/// The proof, and the days that were counted again.
fn counted_again(store: &Store) -> (Proved, BTreeMap<(String, NaiveDate), DayMark>) {
    let mut days = BTreeMap::new();
    let proved = store.prove_marks(&mut |unit, mark, maxima| {
        let group_maxima = maxima.iter().map(|(group, points)| (group.clone(), *points)).collect();
        days.insert((unit.clone(), mark.day), DayMark { group_maxima, ..mark.clone() });
        Ok(())
    });
    (proved.unwrap(), days)
}

/// Everything that is kept was counted again and is the same.
fn check(store: &Store) -> Proved {
    let (proved, days) = counted_again(store);
    assert_eq!(proved.differences, []);
    let mut kept = BTreeMap::new();
    for unit in store.units().unwrap() {
        for mark in store.days(&unit.id, at(-5_000).date_naive(), at(5_000).date_naive()).unwrap() {
            kept.insert((unit.id.clone(), mark.day), mark);
        }
    }
    assert_eq!(days, kept);
    assert_eq!(proved.days, kept.len() as u64);
    proved
}

/// Hourly samples of two servers, the second one's a quarter of an hour later and not in every hour; both show some of the
/// same machines.
fn samples_of_both(hours: i64) -> Vec<Sample> {
    let mut worlds = SERVERS.map(|server| World::of(server, 9));
    let both = (0..hours).flat_map(|hour| {
        let (one, mut other) = (worlds[0].sample(hour), worlds[1].sample(hour));
        other.taken_at += TimeDelta::minutes(15);
        // A source whose list vouches for nothing: machines age.
        other.vouched = hour % 50 < 25;
        if hour % 11 < 4 { vec![one] } else { vec![one, other] }
    });
    both.collect()
}

fn let_go_before(store: &mut Store, hour: i64, thins: bool) {
    let checkpoint = store.checkpoint(at(hour), Due { raw_before: at(hour), news_before: at(0) }).unwrap();
    record(store, at(hour), &[Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } }]);
    if thins {
        let thinned = store.thin_journal().unwrap().expect("a checkpoint stands");
        record(store, at(hour), &[thinned]);
    }
}

#[test]
fn months_of_two_servers_over_points_tables_and_months_ends_are_counted_again() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let row =
        "[[row]]\nproduct = \"VBR\"\ntype = \"Server\"\npoints = \"9\"\nsource = \"x\"\nvalid_from = \"2026-03-17\"";
    let rows = points_table::read("own.toml", row).unwrap();
    store.set_rating(&Rating { rows, ..Rating::default() }).unwrap();
    form(&mut store, &SERVERS);
    for part in samples_of_both(75 * 24).chunks(3) {
        keep(&mut store, part);
    }
    let proved = check(&store);
    assert_eq!((proved.days, proved.recounted.thinned), (75, 0));
    assert_eq!(proved.recounted.journal.head, store.head());
    assert!(proved.marks > 75 * 4, "{} marks by tenant and type", proved.marks);
}

/// What happens while samples come in.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// Both are of one unit, or the second one of its own.
    Together,
    Apart,
    /// From then on machines of both count once, or on each.
    Once(bool),
    /// Samples so many hours before are let go.
    LetGo {
        hours_before: i64,
        thins: bool,
    },
    /// Another rating, another age of the basis.
    Rated(bool),
    Basis(i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        Just(Happens::Together),
        Just(Happens::Apart),
        any::<bool>().prop_map(Happens::Once),
        (0..60_i64, any::<bool>()).prop_map(|(hours_before, thins)| Happens::LetGo { hours_before, thins }),
        any::<bool>().prop_map(Happens::Rated),
        (1..5_i64).prop_map(Happens::Basis),
    ]
}

/// The units as the tests form them, and the newest sample.
struct Play {
    store: Store,
    once: Vec<CountsOnce>,
    newest: Instant,
}

impl Play {
    fn form(&mut self, servers: &[&[&str]]) {
        let unit = |(id, servers): (&str, &&[&str])| {
            // What was agreed of a unit is never taken out of it.
            let counts_once = if id == "unit-a" { self.once.clone() } else { Vec::new() };
            Fact::UnitFormed { unit: Unit { counts_once, ..unit_of(id, servers) } }
        };
        let facts: Vec<Fact> = ["unit-a", "unit-b"].into_iter().zip(servers).map(unit).collect();
        record(&mut self.store, self.newest, &facts);
    }

    fn happen(&mut self, what: Happens) {
        match what {
            Happens::Together => self.form(&[&SERVERS, &[]]),
            Happens::Apart => self.form(&[&["vbr01"], &["vbr02"]]),
            Happens::Once(once) => {
                // From the next day on: what was counted before stays as it was.
                let from = self.newest + TimeDelta::days(1);
                self.once.push(CountsOnce { from, once });
                self.form(&[&SERVERS, &[]]);
            }
            Happens::LetGo { hours_before, thins } => {
                let hour = (self.newest - at(0)).num_hours() - hours_before;
                let_go_before(&mut self.store, hour, thins);
            }
            Happens::Rated(is_other) => {
                let row = "[[row]]\nproduct = \"VBR\"\ntype = \"VM\"\npoints = \"3\"\nsource = \"x\"\nvalid_from = \"2026-03-03\"";
                let rows = if is_other { points_table::read("own.toml", row).unwrap() } else { Vec::new() };
                self.store.set_rating(&Rating { rows, ..Rating::default() }).unwrap();
            }
            Happens::Basis(hours) => self.store.set_basis_max_age(TimeDelta::hours(hours)).unwrap(),
        }
    }
}

/// Plays samples in an order of their own, some of them late, with what happens in between.
fn played(late: &[(usize, usize)], happening: &[(usize, Happens)], an_entry: usize) -> Store {
    let mut samples = samples_of_both(6 * 24);
    for (from, by) in late {
        let from = from % samples.len();
        let sample = samples.remove(from);
        samples.insert((from + by).min(samples.len()), sample);
    }
    let (store, _) = temporary(&SimulatedDisk::new());
    let mut play = Play { store, once: Vec::new(), newest: at(0) };
    play.form(&[&SERVERS, &[]]);
    for (nth, part) in samples.chunks(an_entry).enumerate() {
        keep(&mut play.store, part);
        play.newest = part.iter().map(|sample| sample.taken_at).max().unwrap_or(play.newest).max(play.newest);
        happening
            .iter()
            .filter(|(when, _)| when % (samples.len() / an_entry) == nth)
            .for_each(|(_, what)| play.happen(*what));
    }
    play.store
}

#[test]
fn whatever_happens_the_marks_counted_again_are_those_that_are_kept() {
    let seed = std::env::var("TIDEGAUGE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_123);
    let config = Config { cases: 24, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let late = prop::collection::vec((0..400_usize, 1..90_usize), 0..9);
    let happening = prop::collection::vec((0..400_usize, happens()), 0..7);
    let mut runner = TestRunner::new(config);
    runner
        .run(&(late, happening, 1..5_usize), |(late, happening, an_entry)| {
            let store = played(&late, &happening, an_entry);
            store.verify().expect("the state is what a replay gives");
            let (proved, _) = counted_again(&store);
            prop_assert_eq!(proved.differences, []);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}

#[test]
fn samples_of_which_only_sums_are_left_are_added_as_they_are() {
    for thins in [false, true] {
        let (mut store, _) = temporary(&SimulatedDisk::new());
        fill(&mut store, 30 * 24);
        let before = check(&store);
        let_go_before(&mut store, 20 * 24 + 7, thins);
        let proved = check(&store);
        assert!(proved.recounted.thinned > 300, "{proved:?}");
        assert_eq!((proved.days, proved.marks), (before.days, before.marks));
        let mut world = World::of("vbr01", 12);
        let all: Vec<Sample> = (0..30 * 24 + 5).map(|hour| world.sample(hour)).collect();
        keep(&mut store, &all[30 * 24..]);
        check(&store);
    }
}

/// A store of three weeks in a folder, closed; in one hour of it a tenant's machines weigh so much.
fn three_weeks(folder: &Path, weight: i64) {
    let (mut store, _) = open_folder(folder).unwrap();
    form(&mut store, &["vbr01"]);
    let mut world = World::of("vbr01", 30);
    for hour in 0..21 * 24 {
        let mut sample = world.sample(hour);
        if hour == 9 * 24 + 5 {
            let of_one = |name: &Option<String>| name.as_deref() == Some("Tenant 4");
            sample.workloads.change(|workloads| {
                workloads
                    .iter_mut()
                    .filter(|workload| of_one(&workload.tenant) && !workload.rental)
                    .for_each(|workload| workload.points = Some(Points::whole(weight)));
            });
        }
        keep(&mut store, &[sample]);
    }
}

/// Puts the days that another store keeps into this one's state.
fn plant_days(into: &Path, from: &Path) {
    let open = |folder: &Path| sled::open(folder.join("state")).expect("nobody has it");
    let (into, from) = (open(into), open(from));
    for about in [b"d", b"m"] {
        into.scan_prefix(about).keys().for_each(|key| drop(into.remove(key.unwrap()).unwrap()));
        for row in from.scan_prefix(about) {
            let (key, value) = row.unwrap();
            into.insert(key, value).unwrap();
        }
    }
    into.flush().unwrap();
}

#[test]
fn a_kept_mark_that_does_not_follow_from_the_journal_is_named() {
    let (true_one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    three_weeks(true_one.path(), 100);
    three_weeks(other.path(), 300);
    let mended = tempfile::tempdir().unwrap();
    copy_all(true_one.path(), mended.path());
    plant_days(true_one.path(), other.path());
    let (store, opening) = open_folder(true_one.path()).unwrap();
    assert_eq!(opening.repairs(), Vec::<String>::new(), "nothing tells at opening");
    let (proved, _) = counted_again(&store);
    let day = at(9 * 24).date_naive();
    assert!(proved.differing > 0 && proved.differing == proved.differences.len() as u64, "{proved:#?}");
    for found in &proved.differences {
        assert_eq!((found.unit.as_str(), found.day, found.week), ("unit-a", day, IsoWeek::of_day(day)), "{found:?}");
        let of_tenant = |tenant: &Option<String>| tenant.as_deref() == Some("Tenant 4");
        match &found.what {
            WhatDiffers::Points | WhatDiffers::ByType(_) => {}
            WhatDiffers::Group((tenant, _)) => {
                assert!(of_tenant(tenant), "{found:?}");
                let points = |text: &Option<String>| text.as_ref().unwrap().parse::<Points>().unwrap();
                assert!(points(&found.recounted) < points(&found.kept), "{found:?}");
            }
            WhatDiffers::At | WhatDiffers::Samples(_) => panic!("{found:?}"),
        }
    }
    assert!(proved.differences.iter().any(|found| matches!(found.what, WhatDiffers::Group(_))));
    assert!(proved.differences.iter().any(|found| found.what == WhatDiffers::Points));
    drop(store);
    std::fs::remove_dir_all(mended.path().join("state")).unwrap();
    let (store, _) = open_folder(mended.path()).unwrap();
    check(&store);
}

#[test]
fn a_day_that_is_kept_and_was_never_sampled_is_named() {
    let (one, longer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, hours) in [(&one, 48), (&longer, 50)] {
        let (mut store, _) = open_folder(folder.path()).unwrap();
        fill(&mut store, hours);
    }
    plant_days(one.path(), longer.path());
    let (store, _) = open_folder(one.path()).unwrap();
    let (proved, _) = counted_again(&store);
    assert!(!proved.differences.is_empty());
    for found in &proved.differences {
        assert_eq!((found.day, &found.recounted), (at(48).date_naive(), &None), "{found:?}");
    }
}

#[test]
fn a_journal_that_is_damaged_is_refused_and_nothing_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open_folder(folder.path()).unwrap();
    fill(&mut store, 48);
    let segment = folder.path().join("journal/00000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let mut told = 0;
    let refused = store.prove_marks(&mut |_, _, _| {
        told += 1;
        Ok(())
    });
    assert!(refused.unwrap_err().to_string().contains("00000001.seg is damaged at byte"));
    assert_eq!(told, 0);
}
