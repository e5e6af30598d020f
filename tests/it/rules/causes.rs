//! Causes over estates drawn by chance: they always sum, and lowering never opens a held gate.

use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::gate::{Cause, CauseKind, GateVerdict, Known, Tolerance, Verdict};
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::watermark::HighWatermark;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::causes::{Peak, PeakCount, PeakWorkload, explain};
use tidegauge::rules::gate::{GateFacts, judge};
use tidegauge::rules::review::adjust;

use super::made::{at, count_of, first, month, of_tenant, points, rental, report_of, sample, vm};

/// One machine: its server, its weight at the peak if it counted then, and what it is at the month's end.
#[derive(Clone, Debug)]
struct Machine {
    server: usize,
    tenant: usize,
    peak: Option<u8>,
    end: Option<(u8, Fate)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Counts,
    Rental,
    New,
    AgedOut,
}

/// A tenant's count on the counting server: weight and used, at the peak and at the end.
type Count = ((u8, u32), (u8, u32));

const SERVERS: [&str; 2] = ["vbr01", "vbr02"];

fn machine() -> impl Strategy<Value = Machine> {
    let fate = prop::sample::select(vec![Fate::Counts, Fate::Counts, Fate::Rental, Fate::New, Fate::AgedOut]);
    (0..2usize, 0..2usize, prop::option::of(1..30u8), prop::option::of((1..30u8, fate)))
        .prop_map(|(server, tenant, peak, end)| Machine { server, tenant, peak, end })
}

fn tenant(n: usize) -> String {
    format!("tenant {n}")
}

fn workload(n: usize, machine: &Machine, weight: u8, fate: Fate) -> Workload {
    let backed_up = if fate == Fate::AgedOut { "2026-01-20T10:00:00Z" } else { "2026-02-28T01:00:00Z" };
    let made = of_tenant(
        vm(&format!("m{n}"), backed_up),
        &tenant(machine.tenant),
        WorkloadType::CloudConnectVm,
        &weight.to_string(),
    );
    match fate {
        Fate::Counts | Fate::AgedOut => made,
        Fate::Rental => rental(made),
        Fate::New => first(made, "2026-02-20T00:00:00Z"),
    }
}

fn counted(count: (u8, u32), n: usize) -> TenantCount {
    count_of(&tenant(n), WorkloadType::CloudConnectVm, &count.0.to_string(), [count.1, 0, 0])
}

/// February's report of what stands at its end; servers that left are not in it.
fn report(machines: &[Machine], counts: &[Count], left: bool) -> UsageReport {
    let of_server = |server: usize| Sample {
        server: SERVERS[server].to_owned(),
        workloads: machines
            .iter()
            .enumerate()
            .filter(|(_, machine)| machine.server == server)
            .filter_map(|(n, machine)| machine.end.map(|(weight, fate)| workload(n, machine, weight, fate)))
            .collect(),
        ..sample("2026-02-28T23:59:00Z", Vec::new())
    };
    let counting = Sample {
        server: "cc01".to_owned(),
        counts: counts.iter().enumerate().map(|(n, (_, end))| counted(*end, n)).collect(),
        ..sample("2026-02-28T23:59:00Z", Vec::new())
    };
    let stays = if left { vec![of_server(0)] } else { vec![of_server(0), of_server(1)] };
    report_of("2026-02", stays.into_iter().chain([counting]).collect())
}

fn peak(machines: &[Machine], counts: &[Count], left: bool) -> Peak {
    let workloads = machines.iter().enumerate().filter_map(|(n, machine)| {
        let (weight, aged) = (machine.peak?, matches!(machine.end, Some((_, Fate::AgedOut))));
        Some(PeakWorkload {
            server: SERVERS[machine.server].to_owned(),
            id: format!("m{n}"),
            name: format!("m{n}"),
            tenant: Some(tenant(machine.tenant)),
            kind: WorkloadType::CloudConnectVm,
            points: Points::whole(i64::from(weight)),
            last_restore_point_at: aged.then(|| at("2026-01-20T10:00:00Z")),
        })
    });
    let counts = counts.iter().enumerate().map(|(n, ((weight, used), _))| PeakCount {
        server: "cc01".to_owned(),
        tenant: Some(tenant(n)),
        kind: WorkloadType::CloudConnectVm,
        weight: Points::whole(i64::from(*weight)),
        count: u64::from(*used),
    });
    let left = left.then(|| "vbr02".to_owned());
    Peak { workloads: workloads.collect(), counts: counts.collect(), left: left.into_iter().collect() }
}

fn lower(tenant: usize, to: u64) -> AdjustmentOrder {
    let (kind, reason) = (WorkloadType::CloudConnectVm, "fewer".to_owned());
    AdjustmentOrder::Lower { tenant: Some(format!("tenant {tenant}")), kind, weight: None, to, reason }
}

fn remove(id: &str) -> AdjustmentOrder {
    AdjustmentOrder::Remove { workloads: vec![id.to_owned()], reason: "test machine".to_owned() }
}

/// The report after each order that it takes.
fn after(mut report: UsageReport, removed: &[usize], lowered: &[(usize, u64)]) -> UsageReport {
    let removals = removed.iter().map(|n| remove(&format!("m{n}")));
    let lowerings = lowered.iter().map(|(tenant, to)| lower(*tenant, *to));
    for order in removals.chain(lowerings) {
        if let Ok(taken) = adjust(&report, &order, "user:mia", at("2026-03-02T09:00:00Z")) {
            report = taken;
        }
    }
    report
}

fn highest(peak: &Peak) -> Points {
    let named: Points = peak.workloads.iter().map(|one| one.points).sum();
    named + peak.counts.iter().map(|one| one.weight * one.count).sum()
}

fn verdict(peak: &Peak, report: &UsageReport) -> GateVerdict {
    judge(&GateFacts {
        unit: "unit-1".to_owned(),
        month: month("2026-02"),
        highest: Some(HighWatermark { points: highest(peak), at: at("2026-02-12T10:00:00Z") }),
        reported: Some(report.total_points),
        forecast: true,
        tolerance: Tolerance::default(),
        justification: None,
        causes: explain(peak, report),
    })
}

proptest! {
    #[test]
    fn causes_sum_to_the_shortfall_whatever_became_of_each_machine(
        machines in prop::collection::vec(machine(), 0..9),
        counts in prop::collection::vec(((1..9u8, 0..40u32), (1..9u8, 0..40u32)), 0..3),
        left: bool,
        removed in prop::collection::vec(0..9usize, 0..4),
        lowered in prop::collection::vec((0..2usize, 0..20u64), 0..3),
    ) {
        let peak = peak(&machines, &counts, left);
        let report = after(report(&machines, &counts, left), &removed, &lowered);
        let causes = explain(&peak, &report);
        let sum: Points = causes.iter().map(|cause| cause.points).sum();
        prop_assert_eq!(sum, highest(&peak) - report.total_points, "{:?}", causes);
        for cause in &causes {
            let of_a_person = matches!(cause.cause, CauseKind::Removed | CauseKind::Lowered);
            prop_assert_eq!(cause.reason.is_some() && cause.by.is_some(), of_a_person, "{:?}", cause);
            let may_be_negative = matches!(cause.cause, CauseKind::Returned | CauseKind::WeightChanged);
            prop_assert!(!cause.points.is_negative() || may_be_negative, "{:?}", cause);
        }
        let judged = verdict(&peak, &report);
        prop_assert_eq!(judged.unexplained, Points::ZERO);
    }

    #[test]
    fn lowering_a_report_never_opens_a_held_gate_by_itself(
        machines in prop::collection::vec(machine(), 1..12),
        removed in prop::collection::vec(0..12usize, 1..6),
        lowered in prop::collection::vec((0..2usize, 0..20u64), 0..2),
    ) {
        let peak = peak(&machines, &[], false);
        let mut report = report(&machines, &[], false);
        let mut before = verdict(&peak, &report).verdict;
        for n in removed {
            report = after(report, &[n], &[]);
            let now = verdict(&peak, &report).verdict;
            prop_assert!(!(before == Verdict::Held && now == Verdict::Open));
            before = now;
        }
        let now = verdict(&peak, &after(report, &[], &lowered)).verdict;
        prop_assert!(!(before == Verdict::Held && now == Verdict::Open));
    }
}

fn only(causes: Vec<Cause>) -> Cause {
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.into_iter().next().expect("one cause")
}

#[test]
fn a_removed_machine_carries_who_took_it_out_when_and_why() {
    let machines = [Machine { server: 0, tenant: 0, peak: Some(11), end: Some((11, Fate::Counts)) }];
    let report = after(report(&machines, &[], false), &[0], &[]);
    let cause = only(explain(&peak(&machines, &[], false), &report));
    assert_eq!((cause.cause, cause.points), (CauseKind::Removed, points("11")));
    assert_eq!((cause.by.as_deref(), cause.reason.as_deref()), (Some("user:mia"), Some("test machine")));
    assert_eq!(cause.at, Some(at("2026-03-02T09:00:00Z")));
}

#[test]
fn a_lowered_count_of_named_machines_is_explained_beside_those_taken_out_by_name() {
    let of_a = |peak| Machine { server: 0, tenant: 0, peak: Some(peak), end: Some((5, Fate::Counts)) };
    let machines = [of_a(5), of_a(5), of_a(5), of_a(5)];
    let report = after(report(&machines, &[], false), &[0], &[(0, 2)]);
    let causes = explain(&peak(&machines, &[], false), &report);
    let told: Vec<_> = causes.iter().map(|cause| (cause.cause, cause.points)).collect();
    assert_eq!(told, [(CauseKind::Removed, points("5")), (CauseKind::Lowered, points("5"))]);
    assert_eq!(causes[1].reason.as_deref(), Some("fewer"));
}

#[test]
fn an_aged_out_machine_says_when_and_one_that_turned_rental_is_gone_and_says_so() {
    let one = |fate| [Machine { server: 0, tenant: 0, peak: Some(5), end: Some((5, fate)) }];
    let cause = |fate| only(explain(&peak(&one(fate), &[], false), &report(&one(fate), &[], false)));
    let aged = cause(Fate::AgedOut);
    assert_eq!((aged.cause, aged.at), (CauseKind::AgedOut, Some(at("2026-02-20T10:00:00Z"))));
    let rental = cause(Fate::Rental);
    assert_eq!((rental.cause, rental.known), (CauseKind::Gone, Some(Known::TurnedRental)));
    let new = cause(Fate::New);
    assert_eq!((new.cause, new.known), (CauseKind::Gone, Some(Known::TurnedNew)));
}

#[test]
fn machines_of_a_server_that_was_not_collected_are_gone_and_say_so() {
    let machines = [Machine { server: 0, tenant: 0, peak: Some(5), end: None }];
    let mut report = report(&machines, &[], false);
    report.not_collected.push("vbr01".to_owned());
    let cause = only(explain(&peak(&machines, &[], false), &report));
    assert_eq!((cause.cause, cause.known), (CauseKind::Gone, Some(Known::NotCollected)));
}
