//! Samples are kept without loss, once, and small.

use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::license::License;
use tidegauge::domain::sample::Stale;
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Unstructured, Workload};

use super::*;

#[test]
fn a_sample_taken_again_is_a_repeat_and_another_one_of_that_instant_a_conflict() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let sample = World::of("vbr01", 5).sample(0);
    assert_eq!(keep(&mut store, std::slice::from_ref(&sample)), 1);
    assert_eq!(store.take(std::slice::from_ref(&sample)).unwrap(), [Taken::Repeat]);
    let mut other = sample.clone();
    other.workloads.change(|workloads| workloads[0].name.push('x'));
    assert_eq!(store.take(std::slice::from_ref(&other)).unwrap(), [Taken::Conflict]);
    other.taken_at = at(1);
    let twice = store.take(&[other.clone(), other.clone()]).unwrap();
    assert!(matches!(twice[..], [Taken::Fresh(_), Taken::Repeat]));
}

#[test]
fn a_sample_packed_before_another_was_recorded_is_refused_and_nothing_is_recorded() {
    let (mut store, _) = temporary(&SimulatedDisk::new());
    let mut world = World::of("vbr01", 5);
    let (first, second) = (world.sample(0), world.sample(1));
    let taken = store.take(&[first.clone(), second]).unwrap();
    let facts: Vec<Fact> = taken.into_iter().filter_map(fresh).collect();
    let refused = store.record(at(1), at(1), "test", &facts[1..]).unwrap_err();
    assert!(matches!(refused, StoreError::NoBase { .. }), "{refused}");
    assert_eq!(store.head().seq, 0);
    record(&mut store, at(1), &facts);
    assert!(matches!(store.record(at(1), at(1), "test", &facts), Err(StoreError::AlreadyTaken { .. })));
    assert_eq!(store.head().seq, 1);
}

#[test]
fn an_hour_that_repeats_the_last_costs_few_bytes() {
    let disk = SimulatedDisk::new();
    let (mut store, _) = temporary(&disk);
    let mut sample = World::of("vbr01", 1000).sample(0);
    keep(&mut store, std::slice::from_ref(&sample));
    let file = Path::new("journal/00000001.seg");
    let len = || tidegauge::doors::Files::read(&disk, file).unwrap().unwrap().len();
    let before = len();
    sample.taken_at = at(1);
    keep(&mut store, std::slice::from_ref(&sample));
    assert!(len() - before < 160, "an hour took {} bytes", len() - before);
}

fn instants() -> impl Strategy<Value = Instant> {
    (-62_135_596_800_i64..4_000_000_000, 0_u32..1_000_000_000)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("a".to_owned()), "\\PC{0,6}"]
}

fn amounts() -> impl Strategy<Value = Points> {
    prop_oneof![Just("11.50"), Just("0"), Just("0.000000001"), Just("1000000000000")]
        .prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn workloads()(
        id in 0..12_u8,
        (name, kind) in (texts(), prop_oneof![Just("VM"), Just("Server"), Just("Strange")]),
        (platform, tenant, job, host) in (prop::option::of(texts()), prop::option::of(texts()), prop::option::of(texts()), prop::option::of(texts())),
        points in prop::option::of(amounts()),
        first_processed_at in prop::option::of(instants()),
        last_restore_point_at in prop::option::of(instants()),
        rental in any::<bool>(),
        source in prop::option::of(prop::option::of(texts())),
    ) -> Workload {
        // A size that stays: the largest of 30 days is what is read.
        let unstructured = source.map(|source| Unstructured { size_gb: i64::from(id).into(), source });
        Workload { id: format!("w{id}"), name, kind: kind.parse().unwrap(), platform, tenant, job, host, points, first_processed_at, last_restore_point_at, rental, unstructured }
    }
}

prop_compose! {
    /// Workloads in any order, and ids more than once: no source does so, and still nothing may be lost.
    fn contents(tidy: bool)(
        mut workloads in prop::collection::vec(workloads(), 0..10),
        counts in prop::collection::vec((prop::option::of(texts()), 0..9_u32), 0..3),
        (license_id, limit, auto_update) in (prop::option::of(texts()), prop::option::of(amounts()), prop::option::of(any::<bool>())),
        vouched in any::<bool>(),
        swept in prop::option::of(instants()),
        discrepancies in prop::collection::vec(texts(), 0..2),
    ) -> Sample {
        if tidy {
            workloads.sort_by(|one, other| one.id.cmp(&other.id));
            workloads.dedup_by(|one, other| one.id == other.id);
        }
        let count = |(tenant, used)| TenantCount { tenant, kind: "VM".parse().unwrap(), weight: Some(Points::whole(3)), used, new: 0, rental: 0 };
        Sample {
            server: "vbr01".to_owned(),
            taken_at: at(0),
            license: License { license_id, licensed_points: limit, auto_update, ..License::default() },
            workloads: workloads.into(),
            counts: counts.into_iter().map(count).collect(),
            vouched,
            restore_points_swept_at: swept,
            discrepancies,
            stale: (!vouched).then(|| Stale { why: "the console says so".to_owned() }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_taken_is_read_again(mut samples in prop::collection::vec(prop_oneof![4 => contents(true), 1 => contents(false)], 1..12)) {
        let disk = SimulatedDisk::new();
        let (mut store, _) = temporary(&disk);
        for (hour, sample) in (0..).zip(&mut samples) {
            sample.taken_at = at(hour);
        }
        prop_assert_eq!(keep(&mut store, &samples), samples.len());
        let (reopened, _) = temporary(&disk.duplicate());
        for sample in &samples {
            let read = reopened.newest_sample("vbr01", sample.taken_at).unwrap().unwrap().sample;
            prop_assert_eq!(&*read, sample);
        }
        prop_assert_eq!(reopened.state_digest().unwrap(), store.state_digest().unwrap());
    }
}
