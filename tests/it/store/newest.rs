//! What was asked before is answered again as long as nothing changed it, and never after.

use proptest::prelude::*;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::rating::Rating;
use tidegauge::store::{ClassifiedSample, Edition};

use super::*;

const HOURS: i64 = 36;

/// Every sample that can be asked for, with its edition.
fn asked(store: &Store) -> Vec<(Edition, ClassifiedSample)> {
    let one = |hour| {
        Some((store.newest_edition("vbr01", at(hour)).unwrap()?, store.newest_sample("vbr01", at(hour)).unwrap()?))
    };
    (0..HOURS).filter_map(one).collect()
}

#[test]
fn a_sample_keeps_its_edition_while_later_ones_come() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    fill(&mut store, 5);
    let before = asked(&store);
    let mut world = World::of("vbr01", 12);
    let later: Vec<Sample> = (0..9).map(|hour| world.sample(hour)).collect();
    keep(&mut store, &later[5..]);
    assert_eq!(asked(&store)[..4], before[..4]);
    store.set_rating(&Rating { mapping: [("Q".to_owned(), WorkloadType::Vm)].into(), ..Rating::default() }).unwrap();
    let rated = asked(&store);
    assert!(before.iter().zip(&rated).all(|((one, _), (other, _))| one != other), "another rating is another edition");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_of_one_edition_are_the_same_in_whatever_order_others_come(
        keys in prop::collection::vec(any::<u32>(), 30),
        rated_at in 0..30_usize,
    ) {
        let disk = SimulatedDisk::new();
        let (mut store, _) = temporary(&disk);
        form(&mut store, &["vbr01"]);
        let mut world = World::of("vbr01", 5);
        let mut samples: Vec<(u32, Sample)> = keys.into_iter().zip(0..).map(|(key, hour)| (key, world.sample(hour))).collect();
        samples.sort_by_key(|(key, _)| *key);
        let mut known: Vec<(Edition, ClassifiedSample)> = Vec::new();
        for (turn, (_, sample)) in samples.into_iter().enumerate() {
            keep(&mut store, &[sample]);
            if turn == rated_at {
                store.set_rating(&Rating { mapping: [("Q".to_owned(), WorkloadType::Vm)].into(), ..Rating::default() }).unwrap();
            }
            let (mut fresh, _) = temporary(&disk.duplicate());
            fresh.set_rating(store.rating()).unwrap();
            for hour in (0..HOURS).step_by(5) {
                let found = store.newest_sample("vbr01", at(hour)).unwrap();
                prop_assert_eq!(&found, &fresh.newest_sample("vbr01", at(hour)).unwrap(), "turn {}, hour {}", turn, hour);
                let edition = store.newest_edition("vbr01", at(hour)).unwrap();
                known.extend(edition.zip(found));
            }
            for (edition, found) in &known {
                for (other, same) in known.iter().filter(|(other, _)| other == edition) {
                    prop_assert_eq!(found, same, "{:?}", other);
                }
            }
        }
    }
}
