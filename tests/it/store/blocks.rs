//! Samples that share their workloads are kept as those that were made anew, byte for byte.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use tidegauge::domain::Points;
use tidegauge::domain::workload::Workload;
use tidegauge::domain::workload_changes::{Difference, differences};
use tidegauge::domain::workloads::{Cut, Workloads};

fn named(id: u32, points: i64) -> Workload {
    Workload {
        id: format!("{:08x}-machine", id.wrapping_mul(0x9E37_79B9)),
        name: format!("machine {id}"),
        kind: "VM".parse().unwrap(),
        platform: None,
        tenant: Some(format!("tenant {}", id % 5)),
        job: None,
        host: None,
        points: Some(Points::whole(points)),
        first_processed_at: None,
        last_restore_point_at: None,
        rental: false,
        unstructured: None,
    }
}

fn sorted(mut workloads: Vec<Workload>) -> Vec<Workload> {
    workloads.sort_by(|one, other| one.id.cmp(&other.id));
    workloads
}

/// By number what becomes of a machine: it goes, comes, or weighs something else.
fn changes() -> impl Strategy<Value = Vec<Vec<(u32, i64)>>> {
    prop::collection::vec(prop::collection::vec((0..600_u32, 0..4_i64), 0..12), 1..12)
}

/// The list after each round: shared with the one before it, and made anew.
fn rounds(rounds: &[Vec<(u32, i64)>]) -> Vec<(Workloads, Workloads)> {
    let mut plain: BTreeMap<u32, i64> = (0..400).map(|id| (id, 1)).collect();
    let all = |plain: &BTreeMap<u32, i64>| sorted(plain.iter().map(|(id, points)| named(*id, *points)).collect());
    let mut shared: Workloads = all(&plain).into();
    let mut found = vec![(shared.clone(), all(&plain).into())];
    for round in rounds {
        for (id, points) in round {
            match points {
                0 => drop(plain.remove(id)),
                points => drop(plain.insert(*id, *points)),
            }
        }
        let mut cut = Cut::sharing(&shared);
        for workload in all(&plain) {
            let known =
                shared.position_of(&workload.id).and_then(|at| shared.get(at)).filter(|known| ***known == workload);
            cut.push(known.map_or_else(|| Arc::new(workload), Arc::clone));
        }
        shared = cut.end();
        found.push((shared.clone(), all(&plain).into()));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_differs_is_the_same_however_much_is_shared(drawn in changes()) {
        let lists = rounds(&drawn);
        for pair in lists.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            prop_assert_eq!(&after.0, &after.1);
            prop_assert_eq!(after.0.len(), after.1.len());
            let told = |before: &Workloads, after: &Workloads| {
                differences(before, after).iter().map(|difference| format!("{difference:?}")).collect::<Vec<_>>()
            };
            prop_assert_eq!(told(&before.0, &after.0), told(&before.1, &after.1));
            // What is told leads from one list to the other.
            let mut again: BTreeMap<&str, &Workload> = before.0.iter().map(|workload| (&*workload.id, workload)).collect();
            for difference in differences(&before.0, &after.0) {
                match difference {
                    Difference::Gone { at, was } => {
                        prop_assert_eq!(&before.1[at], was);
                        again.remove(&*was.id);
                    }
                    Difference::Appeared { is } | Difference::Changed { is, .. } => drop(again.insert(&is.id, is)),
                }
            }
            prop_assert!(again.into_values().eq(after.1.iter()));
        }
    }

    #[test]
    fn a_store_fed_with_shared_workloads_holds_the_same_bytes(drawn in changes()) {
        let lists = rounds(&drawn);
        let digests = [false, true].map(|is_shared| {
            let (mut store, _) = temporary(&SimulatedDisk::new());
            for (hour, (shared, anew)) in (0..).zip(&lists) {
                let workloads = if is_shared { shared.clone() } else { anew.clone() };
                let sample = Sample { workloads, ..World::of("vbr01", 1).sample(hour) };
                keep(&mut store, &[sample]);
            }
            for (hour, (_, anew)) in (0..).zip(&lists) {
                let found = store.newest_sample("vbr01", at(hour)).unwrap().expect("it was kept");
                assert_eq!(&found.sample.workloads, anew);
            }
            store.head().hash
        });
        prop_assert_eq!(digests[0], digests[1]);
    }
}

#[test]
fn few_blocks_are_made_anew_when_little_changes() {
    let lists = rounds(&[vec![(17, 0)], vec![(17, 1)], vec![]]);
    let [(one, _), (two, _), _, (same, _)] = &lists[..] else { panic!("four lists") };
    let is_known = |block: &&Arc<_>| one.blocks().iter().any(|other| Arc::ptr_eq(block, other));
    assert!(two.blocks().iter().filter(is_known).count() + 2 >= one.blocks().len(), "{}", one.blocks().len());
    assert!(lists[2].0.is_one_with(same), "nothing changed: it is the list before");
    assert!(one.blocks().len() > 2);
}
