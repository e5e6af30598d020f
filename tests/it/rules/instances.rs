//! Subscription and Perpetual keys: the policy's table, its rounding with every example of domain.md 7, what counts.

use proptest::prelude::*;
use rust_decimal::Decimal;
use tidegauge::domain::Points;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::license_sections::{CapacitySection, LicenseSections};
use tidegauge::domain::sample::{Sample, Summary};
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Class, Workload, WorkloadType};
use tidegauge::domain::workloads::Workloads;
use tidegauge::rules::instances::{POLICY_TABLE, rounded, row_of};
use tidegauge::rules::unstructured::{CHUNK_TB, chunks};

use super::made::{classes, count_of, in_short, points, rental, sample, undated, unrounded_of, vm};

#[test]
fn the_policys_table_is_what_one_instance_covers() {
    let table: Vec<(&str, u64)> = POLICY_TABLE.iter().map(|row| (row.kind, row.objects)).collect();
    let expected =
        [("VM", 1), ("CloudVM", 1), ("Server", 1), ("Application", 1), ("Workstation", 3), ("EntraIDUser", 10)];
    assert_eq!(table, expected);
    let of = |kind: &str, objects| row_of(&kind.parse().unwrap()).map(|row| row.instances(objects));
    // Four workstations: the recommended reading of domain.md 7.1.
    assert_eq!([0, 1, 3, 4, 6, 7].map(|many| of("Workstation", many).unwrap()), [0, 1, 1, 2, 2, 3]);
    assert_eq!([1, 10, 11, 25].map(|users| of("EntraIDUser", users).unwrap()), [1, 1, 2, 3]);
    assert_eq!((of("VM", 5), of("FileShare", 5), of("Quantum", 5)), (Some(5), None, None));
}

#[test]
fn capacity_keys_count_whole_terabytes() {
    let of = |size: &str| chunks(size.parse().unwrap(), CHUNK_TB);
    assert_eq!(["0.999", "1", "1.5", "2.0", "-1"].map(of), [0, 1, 1, 2, 0]);
}

fn under(kind: LicenseType, sample: Sample) -> Sample {
    Sample { license: License { kind, ..sample.license.clone() }, ..sample }
}

/// A workload of this type that states no weight.
fn unstated(id: &str, kind: WorkloadType) -> Workload {
    Workload { kind, points: None, ..vm(id, "2026-03-09T01:00:00Z") }
}

#[test]
fn a_key_that_counts_instances_knows_neither_new_workloads_nor_rental_machines() {
    let first = sample("2026-03-09T00:00:00Z", vec![]);
    let fresh = undated(vm("fresh", "2026-03-10T01:00:00Z"));
    let gone = vm("gone", "2026-01-10T01:00:00Z");
    let shown = sample("2026-03-10T12:00:00Z", vec![fresh, gone, rental(vm("rented", "2026-03-10T01:00:00Z"))]);
    assert_eq!(classes(&[&first], &shown), [Class::New, Class::Unprotected, Class::Rental]);
    for kind in [LicenseType::Subscription, LicenseType::Perpetual] {
        let shown = under(kind, shown.clone());
        assert_eq!(classes(&[&first], &shown), [Class::Billable, Class::Unprotected, Class::Billable], "{kind:?}");
    }
}

#[test]
fn three_workstations_share_an_instance_and_a_stated_number_wins() {
    use WorkloadType::{Server, Vm, Workstation};
    let mut workloads: Vec<Workload> = (0..4).map(|n| unstated(&format!("ws{n}"), Workstation)).collect();
    workloads.extend([unstated("vm", Vm), unstated("srv", Server)]);
    let gone =
        Workload { last_restore_point_at: Some(super::made::at("2026-01-01T00:00:00Z")), ..workloads[0].clone() };
    workloads.push(Workload { id: "ws9".to_owned(), ..gone });
    let mut shown = under(LicenseType::Subscription, sample("2026-03-10T12:00:00Z", workloads));
    assert_eq!(in_short(&shown).points, points("4"), "2 for four workstations, the fifth is not protected");
    shown.workloads.change(|workloads| workloads[4].points = Some(points("2.5")));
    assert_eq!(in_short(&shown).points, points("5.5"));
    shown.workloads = Workloads::default();
    let users = WorkloadType::Other("EntraIDUser".to_owned());
    shown.counts = vec![
        TenantCount { weight: None, ..count_of("A", Workstation, "1", [7, 0, 0]) },
        TenantCount { weight: None, ..count_of("A", users, "1", [25, 0, 0]) },
    ];
    assert_eq!(in_short(&shown).points, points("6"));
}

#[test]
fn tenants_and_their_new_and_rental_machines_share_instances_like_everybody_else() {
    let count =
        |tenant, counts| TenantCount { weight: None, ..count_of(tenant, WorkloadType::Workstation, "1", counts) };
    let mut shown = under(LicenseType::Subscription, sample("2026-03-10T12:00:00Z", vec![]));
    shown.counts = vec![count("A", [1, 0, 0]), count("B", [1, 0, 0]), count("C", [0, 1, 1])];
    let summary = in_short(&shown);
    assert_eq!((summary.points, summary.new_points, summary.rental_count), (points("2"), Points::ZERO, 0));
    let by_tenant: Vec<String> = summary.groups.values().map(|total| total.points.to_string()).collect();
    assert_eq!(by_tenant, ["1", "0", "1"], "four workstations take two, and their tenants' parts sum to that");
}

#[test]
fn with_a_capacity_license_unstructured_data_leaves_the_instances() {
    let mut filer = unstated("filer", WorkloadType::FileShare);
    filer.points = Some(points("3"));
    let mut shown =
        under(LicenseType::Subscription, sample("2026-03-10T12:00:00Z", vec![unstated("vm", WorkloadType::Vm), filer]));
    assert_eq!(in_short(&shown).points, points("4"));
    let capacity = Some(CapacitySection { licensed_tb: Decimal::from(10), ..CapacitySection::default() });
    shown.license.sections = LicenseSections { capacity, ..LicenseSections::default() };
    assert_eq!(in_short(&shown).points, points("1"));
    assert_eq!(in_short(&under(LicenseType::Rental, shown)).points, points("14"), "rental keys have no such section");
}

proptest! {
    #[test]
    fn any_number_of_workstations_takes_a_third_of_it_rounded_up(workstations in 0..40usize, vms in 0..10usize) {
        let mut all: Vec<Workload> =
            (0..workstations).map(|n| unstated(&format!("ws{n}"), WorkloadType::Workstation)).collect();
        all.extend((0..vms).map(|n| unstated(&format!("vm{n}"), WorkloadType::Vm)));
        let shown = under(LicenseType::Perpetual, sample("2026-03-10T12:00:00Z", all));
        prop_assert_eq!(in_short(&shown).points, points(&(workstations.div_ceil(3) + vms).to_string()));
    }

    #[test]
    fn a_key_on_several_servers_takes_the_sum_of_its_objects_rounded_up_once(
        servers in prop::collection::vec((0..8usize, prop::collection::vec((0..9u32, 0..40u32), 0..4)), 1..6)
    ) {
        let users = WorkloadType::EntraIdUser;
        let unstated = |tenant: usize, kind: &WorkloadType, used| TenantCount {
            weight: None,
            ..count_of(&format!("T{tenant}"), kind.clone(), "1", [used, 0, 0])
        };
        let (mut of_key, mut workstations, mut members) = (Summary::default(), 0, 0);
        for (named, tenants) in &servers {
            let own = (0..*named).map(|n| self::unstated(&format!("ws{n}"), WorkloadType::Workstation)).collect();
            let mut shown = under(LicenseType::Subscription, sample("2026-03-10T12:00:00Z", own));
            for (tenant, (stations, people)) in tenants.iter().enumerate() {
                shown.counts.push(unstated(tenant, &WorkloadType::Workstation, *stations));
                shown.counts.push(unstated(tenant, &users, *people));
                workstations += u64::from(*stations);
                members += u64::from(*people);
            }
            workstations += *named as u64;
            of_key.add_all(&unrounded_of(&shown));
        }
        let of_key = rounded(of_key);
        let of_groups: Points = of_key.groups.values().map(|total| total.points).sum();
        prop_assert_eq!(of_key.points, of_groups);
        let by_type = of_key.by_type();
        let of = |kind: &WorkloadType| by_type.get(kind).copied().unwrap_or_default().to_string();
        prop_assert_eq!(of(&WorkloadType::Workstation), workstations.div_ceil(3).to_string());
        prop_assert_eq!(of(&users), members.div_ceil(10).to_string());
    }
}
