//! In whatever order samples arrive, the same follows from them.

use proptest::prelude::*;
use tidegauge::domain::sample::Summary;
use tidegauge::domain::watermark::{DayMark, HighWatermark};

use super::*;

/// Everything derived that can be asked for.
#[derive(Debug, PartialEq)]
struct Derived {
    days: Vec<DayMark>,
    summaries: Vec<(Instant, Option<String>, Summary)>,
    classified: Vec<Option<tidegauge::store::ClassifiedSample>>,
}

const SERVERS: [&str; 2] = ["vbr01", "vbr02"];
const HOURS: i64 = 60;

fn derived(store: &Store) -> Derived {
    let (first, last) = (at(0).date_naive(), at(HOURS).date_naive());
    let mut summaries = Vec::new();
    let mut classified = Vec::new();
    for server in SERVERS {
        let found = store.summaries(server, at(0)..at(HOURS)).unwrap();
        summaries.extend(found.into_iter().map(|(at, unit, summary)| (at, unit, (*summary).clone())));
        classified.extend((0..HOURS).step_by(7).map(|hour| store.newest_sample(server, at(hour)).unwrap()));
    }
    Derived { days: store.days("unit-a", first, last).unwrap(), summaries, classified }
}

fn samples_of_both() -> Vec<Sample> {
    samples_with_gaps_of(4)
}

fn samples_with_gaps_of(hours: i64) -> Vec<Sample> {
    let mut worlds = SERVERS.map(|server| World::of(server, 9));
    // The second server is sampled a quarter of an hour later, and not in every hour.
    (0..HOURS)
        .flat_map(|hour| {
            let (one, mut other) = (worlds[0].sample(hour), worlds[1].sample(hour));
            other.taken_at += TimeDelta::minutes(15);
            if hour % 11 < hours { vec![one] } else { vec![one, other] }
        })
        .collect()
}

/// Records samples in the given order, several to an entry.
fn in_order(samples: &[&Sample], an_entry: usize) -> Derived {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    form(&mut store, &SERVERS);
    for part in samples.chunks(an_entry) {
        keep(&mut store, &part.iter().map(|&sample| sample.clone()).collect::<Vec<_>>());
    }
    store.verify().unwrap();
    derived(&store)
}

/// The marks as the rule says them, counted in the plainest way.
fn plain_marks(derived: &Derived) -> Vec<(NaiveDate, HighWatermark)> {
    let both = derived.summaries.iter().position(|(at, ..)| at.timestamp() % 3600 != 0).unwrap();
    let servers = [&derived.summaries[..both], &derived.summaries[both..]];
    let mut marks: std::collections::BTreeMap<NaiveDate, HighWatermark> = std::collections::BTreeMap::new();
    let mut instants: Vec<Instant> = derived.summaries.iter().map(|(at, ..)| *at).collect();
    instants.sort();
    for at in instants {
        let stands = |server: &&[(Instant, Option<String>, Summary)]| {
            let newest = server.iter().rfind(|(taken, ..)| *taken <= at)?;
            (at - newest.0 <= TimeDelta::hours(2)).then_some(newest.2.points)
        };
        let total = servers.iter().filter_map(stands).sum();
        let day = at.date_naive();
        marks.insert(day, HighWatermark::raised_by(marks.get(&day).copied(), total, at));
    }
    marks.into_iter().collect()
}

#[test]
fn a_days_mark_is_the_highest_sum_of_each_servers_newest_sample_not_older_than_two_hours() {
    let samples = samples_of_both();
    let derived = in_order(&samples.iter().collect::<Vec<_>>(), 1);
    let marks: Vec<_> = derived.days.iter().map(|day| (day.day, day.mark)).collect();
    assert_eq!(marks, plain_marks(&derived));
    assert_eq!(marks.len(), 3);
    for day in &derived.days {
        assert_eq!(day.by_type.values().copied().sum::<tidegauge::domain::Points>(), day.mark.points);
    }
}

#[test]
fn a_server_that_is_back_in_the_entry_in_which_it_grew_too_old_is_counted_once() {
    for gap in 1..4 {
        let samples = samples_with_gaps_of(gap);
        let samples: Vec<&Sample> = samples.iter().collect();
        let one_by_one = in_order(&samples, 1);
        for an_entry in 2..6 {
            assert_eq!(in_order(&samples, an_entry), one_by_one, "{gap} hours, {an_entry} samples an entry");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_follows_from_samples_in_any_order(keys in prop::collection::vec(any::<u32>(), 120), an_entry in 1..40_usize) {
        let samples = samples_of_both();
        let straight = in_order(&samples.iter().collect::<Vec<_>>(), 1);
        let mut shuffled: Vec<(u32, &Sample)> = keys.into_iter().zip(&samples).collect();
        prop_assert_eq!(shuffled.len(), samples.len());
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled: Vec<&Sample> = shuffled.into_iter().map(|(_, sample)| sample).collect();
        prop_assert_eq!(in_order(&shuffled, an_entry), straight);
    }
}

#[test]
fn samples_taken_before_their_unit_was_formed_belong_to_it() {
    let samples = samples_of_both();
    let straight = in_order(&samples.iter().collect::<Vec<_>>(), 1);
    let (mut store, _) = temporary(&SimulatedDisk::new());
    keep(&mut store, &samples);
    assert!(store.days("unit-a", at(0).date_naive(), at(HOURS).date_naive()).unwrap().is_empty());
    form(&mut store, &SERVERS);
    assert_eq!(derived(&store), straight);
}

#[test]
fn a_server_that_left_keeps_its_past_days_in_the_unit_and_adds_to_the_other_from_then_on() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    form(&mut store, &SERVERS);
    let samples = samples_of_both();
    let (before, after) = samples.split_at(samples.iter().position(|sample| sample.taken_at >= at(30)).unwrap());
    keep(&mut store, before);
    let day = |store: &Store, unit: &str, hour: i64| {
        let day = at(hour).date_naive();
        store.days(unit, day, day).unwrap().pop().map(|mark| mark.samples.into_keys().collect::<Vec<_>>())
    };
    let left = [
        Fact::UnitFormed { unit: unit_of("unit-a", &["vbr01"]) },
        Fact::UnitFormed { unit: unit_of("unit-b", &["vbr02"]) },
    ];
    record(&mut store, at(30), &left);
    keep(&mut store, after);
    assert_eq!(day(&store, "unit-a", 0).unwrap(), SERVERS);
    assert_eq!(day(&store, "unit-a", 50).unwrap(), ["vbr01"]);
    assert_eq!(day(&store, "unit-b", 50).unwrap(), ["vbr02"]);
    assert_eq!(day(&store, "unit-b", 0), None);
    store.verify().unwrap();
}

#[test]
fn another_age_of_the_basis_marks_every_day_again() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    form(&mut store, &SERVERS);
    let samples = samples_of_both();
    keep(&mut store, &samples);
    let two_hours = derived(&store).days;
    store.set_basis_max_age(TimeDelta::hours(9)).unwrap();
    assert_ne!(derived(&store).days, two_hours);
    store.verify().unwrap();
    store.set_basis_max_age(TimeDelta::hours(2)).unwrap();
    assert_eq!(derived(&store).days, two_hours);
}
