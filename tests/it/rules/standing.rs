//! Sums that are carried on from sample to sample by what changed are those of counting everything again.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;
use tidegauge::domain::sample::{Sample, Summary};
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::counting::{AsOf, Ledger, classify, unrounded};
use tidegauge::rules::points_table;
use tidegauge::rules::rating::Rating;
use tidegauge::rules::standing::Standing;

use super::made;

/// A machine as drawn: number, points in halves (none: the table answers), tenant, hours since its restore point, whether
/// it is rental, and days since the date that is stated for it.
type Drawn = (u8, Option<u8>, u8, Option<u16>, bool, Option<u8>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let points = prop::option::weighted(0.8, 0..9_u8);
    let restored = prop::option::weighted(0.8, prop_oneof![0..30_u16, 735..750_u16]);
    (0..40_u8, points, 0..4_u8, restored, prop::bool::weighted(0.1), prop::option::weighted(0.3, 0..60_u8))
}

fn machine((number, points, tenant, restored, rental, first): Drawn, begin: Instant) -> Workload {
    let kinds = [WorkloadType::Vm, WorkloadType::Server, WorkloadType::CloudConnectReplica];
    Workload {
        id: format!("m{number:02}"),
        name: format!("machine {number}"),
        kind: kinds[usize::from(number) % 3].clone(),
        platform: None,
        tenant: (tenant > 0).then(|| format!("tenant {tenant}")),
        job: None,
        host: None,
        points: points.map(|halves| Points::new(rust_decimal::Decimal::new(i64::from(halves) * 5, 1))),
        first_processed_at: first.map(|days| begin - TimeDelta::days(days.into())),
        last_restore_point_at: restored.map(|hours| begin - TimeDelta::hours(hours.into())),
        rental,
        unstructured: None,
    }
}

fn count(used: u32) -> TenantCount {
    let weight = Some(Points::whole(5));
    TenantCount { tenant: Some("tenant 1".to_owned()), kind: WorkloadType::Vm, weight, used, new: 0, rental: 0 }
}

/// A sample that takes some machines away and brings others.
fn samples(begin: Instant, rounds: &[(u8, bool, Vec<Drawn>, Option<u32>)]) -> Vec<Sample> {
    let mut there: std::collections::BTreeMap<String, Workload> = std::collections::BTreeMap::new();
    let mut at = begin;
    let mut found = Vec::new();
    for (hours, vouched, drawn, used) in rounds {
        for one in drawn {
            let machine = machine(*one, begin);
            if one.4 && there.contains_key(&machine.id) {
                there.remove(&machine.id);
            } else {
                there.insert(machine.id.clone(), machine);
            }
        }
        let sample = made::sample("2026-03-30T09:00:00Z", there.values().cloned().collect());
        let counts = used.iter().map(|used| count(*used)).collect();
        found.push(Sample { taken_at: at, vouched: *vouched, counts, ..sample });
        at += TimeDelta::hours(i64::from(*hours) + 1);
    }
    found
}

proptest! {
    #[test]
    fn sums_carried_on_are_those_of_counting_again(
        rounds in prop::collection::vec(
            (0..9_u8, prop::bool::weighted(0.2), prop::collection::vec(drawn(), 0..9), prop::option::weighted(0.2, 0..2_u32)),
            2..9,
        ),
    ) {
        let row = "[[row]]\nproduct = \"VBR\"\ntype = \"VM\"\npoints = \"7\"\nsource = \"x\"\nvalid_from = \"2026-03-31\"";
        let rating = Rating { rows: points_table::read("own.toml", row).unwrap(), ..Rating::default() };
        let mut plain = Ledger::default();
        let mut ledger = Arc::new(Ledger::default());
        let mut standing: Option<Standing> = None;
        let mut summary = Arc::new(Summary::default());
        for sample in samples(made::at("2026-03-30T09:00:00Z"), &rounds) {
            let learnt = plain.take_note(&sample);
            let counted = classify(&sample, &plain, AsOf::sample(sample.taken_at), &rating);
            let again = unrounded(&sample, &counted, &rating);
            let sample = Arc::new(sample);
            match standing.as_mut().filter(|standing| standing.carries_to(&sample, &rating)) {
                Some(standing) => {
                    let before = Arc::clone(&summary);
                    let carried = standing.carry(&sample, &mut ledger, &mut summary, &rating);
                    prop_assert_eq!(&carried.learnt, &learnt);
                    for (group, total) in &carried.groups {
                        prop_assert_eq!(before.groups.get(group).copied().unwrap_or_default(), *total);
                    }
                    let others = before.groups.iter().filter(|(group, _)| !carried.groups.iter().any(|(one, _)| one == *group));
                    for (group, total) in others {
                        prop_assert_eq!(summary.groups.get(group), Some(total));
                    }
                }
                None => {
                    Arc::make_mut(&mut ledger).take_note(&sample);
                    standing = Standing::of(&sample, &counted);
                    summary = Arc::new(again.clone());
                }
            }
            prop_assert_eq!(&*summary, &again);
            prop_assert_eq!(&*ledger, &plain);
        }
    }
}
