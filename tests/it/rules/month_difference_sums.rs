//! Differences over months drawn by chance: they sum exactly, in total and per tenant.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::installation::CountsOnce;
use tidegauge::domain::month_difference::DifferenceCause as Cause;
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::month_difference::{by_cause, by_tenant, difference};
use tidegauge::rules::reporting::generate;
use tidegauge::rules::review::adjust;

use super::made::{at, count_of, facts_of, first, of_tenant, rental, sample, vm};

/// One machine of a month: server, tenant, weight, type and what it is.
#[derive(Clone, Debug)]
struct Machine {
    place: (usize, usize),
    weight: u8,
    kind: usize,
    fate: usize,
}

/// A month by chance: machines by id, counts, and what people did.
#[derive(Clone, Debug)]
struct Drawn {
    machines: BTreeMap<u8, Machine>,
    counts: BTreeMap<(usize, u8), [u32; 3]>,
    removed: Vec<u8>,
    lowered: Vec<u64>,
    missing: usize,
    once: bool,
}

const KINDS: [WorkloadType; 3] = [WorkloadType::Vm, WorkloadType::CloudConnectVm, WorkloadType::CloudConnectReplica];
const SERVERS: [&str; 2] = ["vbr01", "vbr02"];
const TENANTS: [&str; 2] = ["A", "B"];

fn drawn() -> impl Strategy<Value = Drawn> {
    let machine = ((0..3usize, 0..2usize), 1..6u8, 0..3usize, 0..5usize);
    let machine = machine.prop_map(|(place, weight, kind, fate)| Machine { place, weight, kind, fate });
    (
        prop::collection::btree_map(0..12u8, machine, 0..12),
        prop::collection::btree_map((0..2usize, 1..4u8), [0..12u32, 0..5u32, 0..5u32], 0..4),
        prop::collection::vec(0..12u8, 0..3),
        prop::collection::vec(0..12u64, 0..3),
        0..8usize,
        any::<bool>(),
    )
        .prop_map(|(machines, counts, removed, lowered, missing, once)| Drawn {
            machines,
            counts,
            removed,
            lowered,
            missing,
            once,
        })
}

fn made(id: u8, machine: &Machine, of: &str) -> Workload {
    let backed_up = format!("{of}-28T01:00:00Z");
    let old = if machine.fate == 3 { "2026-07-20T01:00:00Z".to_owned() } else { backed_up };
    let kind = KINDS[machine.kind].clone();
    let made = of_tenant(vm(&format!("m{id}"), &old), TENANTS[machine.place.1], kind, &machine.weight.to_string());
    match machine.fate {
        1 => first(made, &format!("{of}-05T01:00:00Z")),
        2 => rental(made),
        _ => made,
    }
}

/// The month's report; the third place is both servers at once.
fn drawn_report(of: &str, drawn: &Drawn) -> UsageReport {
    let taken_at = format!("{of}-30T22:00:00Z");
    let mut facts = facts_of(of, Vec::new());
    facts.unit.servers = SERVERS.map(str::to_owned).to_vec();
    facts.unit.counts_once = vec![CountsOnce { from: at("2026-01-01T00:00:00Z"), once: drawn.once }];
    for (n, server) in SERVERS.into_iter().enumerate() {
        if drawn.missing == n {
            facts.not_collected.push(server.to_owned());
            continue;
        }
        let on_it = drawn.machines.iter().filter(|(_, machine)| machine.place.0 == n || machine.place.0 == 2);
        let workloads: Vec<Workload> = on_it.map(|(id, machine)| made(*id, machine, of)).collect();
        let mut sample = Sample { server: server.to_owned(), ..sample(&taken_at, workloads) };
        if n == 1 {
            let counts = drawn.counts.iter();
            sample.counts = counts
                .map(|((tenant, weight), counts)| {
                    let name = format!("counted {}", TENANTS[*tenant]);
                    count_of(&name, WorkloadType::CloudConnectVm, &weight.to_string(), *counts)
                })
                .collect();
        }
        facts.samples.extend(facts_of(of, vec![sample]).samples);
    }
    people_acted(generate(facts), drawn)
}

fn people_acted(mut report: UsageReport, drawn: &Drawn) -> UsageReport {
    let now = at("2026-11-02T09:00:00Z");
    let removals = drawn
        .removed
        .iter()
        .map(|id| AdjustmentOrder::Remove { workloads: vec![format!("vbr01/m{id}")], reason: "test".to_owned() });
    let names = ["A", "counted A", "counted B"];
    let lowerings = drawn.lowered.iter().zip(names).map(|(to, tenant)| AdjustmentOrder::Lower {
        tenant: Some(tenant.to_owned()),
        kind: WorkloadType::CloudConnectVm,
        weight: None,
        to: *to,
        reason: "test".to_owned(),
    });
    for order in removals.chain(lowerings) {
        report = adjust(&report, &order, "mia", now).unwrap_or(report);
    }
    report
}

fn points_by_tenant(report: &UsageReport) -> BTreeMap<Option<String>, Points> {
    let mut sums: BTreeMap<Option<String>, Points> = BTreeMap::new();
    for line in &report.lines {
        *sums.entry(line.tenant.clone()).or_default() += line.points;
    }
    sums
}

proptest! {
    #[test]
    fn the_rows_sum_exactly_in_total_and_per_tenant_whatever_happened(one in drawn(), other in drawn()) {
        let (before, after) = (drawn_report("2026-09", &one), drawn_report("2026-10", &other));
        let difference = difference(Some(&before), &after, &BTreeSet::new());
        prop_assert_eq!(difference.points(), after.total_points - before.total_points);
        let (was, is) = (points_by_tenant(&before), points_by_tenant(&after));
        let mut sums: BTreeMap<Option<String>, Points> = BTreeMap::new();
        for row in by_tenant(&difference) {
            *sums.entry(row.tenant).or_default() += row.points;
        }
        let tenants: BTreeSet<&Option<String>> = was.keys().chain(is.keys()).chain(sums.keys()).collect();
        for tenant in tenants {
            let of = |points: &BTreeMap<Option<String>, Points>| points.get(tenant).copied().unwrap_or_default();
            prop_assert_eq!(of(&sums), of(&is) - of(&was), "{:?}", tenant);
        }
        let of = |causes: &[Cause]| -> Points {
            difference.rows.iter().filter(|row| causes.contains(&row.cause)).map(|row| row.points).sum()
        };
        prop_assert!(difference.rows.iter().all(|row| row.cause != Cause::Unexplained), "{:?}", difference);
        prop_assert_eq!(of(&[Cause::MovedAway, Cause::MovedHere]), Points::ZERO);
        prop_assert_eq!(of(&[Cause::TypeChanged]), Points::ZERO);
        prop_assert_eq!(by_cause(&difference).iter().map(|row| row.points).sum::<Points>(), difference.points());
        let alike = drawn_report("2026-09", &one);
        let none = tidegauge::rules::month_difference::difference(Some(&before), &alike, &BTreeSet::new());
        prop_assert!(none.rows.is_empty(), "{:?}", none);
    }
}
