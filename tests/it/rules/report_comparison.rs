//! A report beside the console's own: exact differences, reasons, what stands outside.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tidegauge::domain::Points;
use tidegauge::domain::console_report::{ConsoleReport, ConsoleUsage, LeftOut, WhyLeftOut};
use tidegauge::domain::report::{Line, UsageReport};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::report_comparison::{Comparison, Ours, Reason, compare};
use tidegauge::rules::reporting::total;

use super::made::{month, points, report_of, sample, vm};

fn line(server: &str, kind: WorkloadType, weight: &str, count: u64) -> Line {
    Line {
        server: server.to_owned(),
        tenant: None,
        kind,
        weight: points(weight),
        initial_count: count,
        reported_count: count,
        new_count: 0,
        rental_count: 0,
        points: points(weight) * count,
    }
}

fn ours(lines: Vec<Line>) -> UsageReport {
    let mut report = report_of("2026-10", vec![sample("2026-10-31T23:00:00Z", vec![vm("a", "2026-10-31T01:00:00Z")])]);
    report.lines = lines;
    total(&mut report);
    report
}

fn usage(license: Option<&str>, kind: WorkloadType, weight: &str, count: u64) -> ConsoleUsage {
    ConsoleUsage {
        license_id: license.map(str::to_owned),
        kind,
        initial: count,
        reported: count,
        new: 0,
        weight: Some(points(weight)),
        points: points(weight) * count,
    }
}

fn theirs(usage: Vec<ConsoleUsage>) -> ConsoleReport {
    ConsoleReport {
        month: month("2026-10"),
        statuses: vec!["ApprovalRequired".to_owned()],
        interval: None,
        usage,
        others: BTreeMap::from([("VSPC's own agents".to_owned(), Points::whole(48))]),
        left_out: Vec::new(),
        notes: Vec::new(),
    }
}

fn compared(report: &UsageReport, theirs: &ConsoleReport) -> Comparison {
    let elsewhere = BTreeSet::from(["License-2".to_owned()]);
    compare(&Ours { report, licenses: BTreeMap::new(), elsewhere }, theirs)
}

fn why(comparison: &Comparison) -> Vec<Reason> {
    comparison.lines.iter().flat_map(|line| &line.reasons).map(|cause| cause.reason).collect()
}

#[test]
fn the_same_counts_are_equal_whatever_else_the_console_lists() {
    let report = ours(vec![line("vbr01@vspc", WorkloadType::Vm, "11", 3), line("vbr02", WorkloadType::Vm, "11", 2)]);
    let theirs = theirs(vec![
        usage(Some("LICENSE-1"), WorkloadType::Vm, "11", 5),
        usage(Some("license-2"), WorkloadType::Vm, "11", 7),
        usage(Some("license-9"), WorkloadType::Vm, "11", 1),
    ]);
    let compared = compared(&report, &theirs);
    assert!(compared.is_equal && compared.difference.is_zero());
    assert_eq!(why(&compared), []);
    let beside: Vec<(Points, &str)> = compared.beside.iter().map(|one| (one.points, one.why.as_str())).collect();
    let outside = [
        (Points::whole(77), "another unit counts it here"),
        (Points::whole(11), "no server here has this license"),
        (Points::whole(48), "no backup key counts it"),
    ];
    assert_eq!(beside, outside);
}

#[test]
fn each_difference_has_the_reasons_that_are_known() {
    let mut report = ours(vec![
        line("vbr01.example.net@vspc", WorkloadType::Vm, "11", 3),
        line("vbr02", WorkloadType::Server, "11", 4),
        line("vbr02", WorkloadType::Workstation, "4", 2),
    ]);
    report.lines[1].reported_count = 3;
    report.lines[1].points = points("33");
    total(&mut report);
    report.not_collected = vec!["vbr03".to_owned()];
    let mut theirs = theirs(vec![
        usage(Some("license-1"), WorkloadType::Server, "11", 6),
        usage(Some("license-1"), WorkloadType::Workstation, "5", 2),
    ]);
    theirs.left_out = vec![LeftOut { server: "VBR01".to_owned(), why: WhyLeftOut::Cloned }];
    let compared = compared(&report, &theirs);
    assert!(!compared.is_equal);
    assert_eq!(compared.difference, points("33") - points("33") - points("2"));
    let of = |kind: WorkloadType| -> Vec<Reason> {
        let line = compared.lines.iter().find(|line| line.kind == kind).expect("a line");
        line.reasons.iter().map(|cause| cause.reason).collect()
    };
    assert_eq!(of(WorkloadType::Vm), [Reason::LeftOutThere, Reason::NotCollectedHere]);
    assert_eq!(of(WorkloadType::Server), [Reason::NotCollectedHere, Reason::AdjustedHere]);
    assert_eq!(of(WorkloadType::Workstation), [Reason::NotCollectedHere, Reason::WeightDiffers]);
}

#[test]
fn a_license_that_they_do_not_list_is_named() {
    let report = ours(vec![line("vbr01", WorkloadType::Vm, "11", 3)]);
    let compared = compared(&report, &theirs(Vec::new()));
    assert_eq!(why(&compared), [Reason::LicenseNotListedThere]);
    assert_eq!((compared.theirs_points, compared.difference), (Points::ZERO, points("33")));
}

fn kinds() -> impl Strategy<Value = WorkloadType> {
    prop_oneof![
        Just(WorkloadType::Vm),
        Just(WorkloadType::Server),
        Just(WorkloadType::CloudConnectVm),
        Just(WorkloadType::Other("VBR-TAPE-SERVER".to_owned())),
    ]
}

proptest! {
    #[test]
    fn differences_sum_to_the_difference_of_the_totals(
        own in proptest::collection::vec(("vbr0[1-3]", kinds(), 0_u64..50, 0_i64..2000), 0..12),
        listed in proptest::collection::vec((proptest::option::of("license-[1-3]"), kinds(), 0_u64..50, 0_i64..2000), 0..12),
    ) {
        let weight = |cents: i64| Points::new(rust_decimal::Decimal::new(cents, 2)).to_string();
        let own = own.into_iter().map(|(server, kind, count, cents)| line(&server, kind, &weight(cents), count));
        let report = ours(own.collect());
        let listed = listed.into_iter().map(|(id, kind, count, cents)| usage(id.as_deref(), kind, &weight(cents), count));
        let theirs = theirs(listed.collect());
        let compared = compared(&report, &theirs);
        let sum: Points = compared.lines.iter().map(|line| line.difference).sum();
        prop_assert_eq!(sum, compared.ours_points - compared.theirs_points);
        prop_assert_eq!(sum, compared.difference);
        prop_assert_eq!(compared.ours_points, report.total_points);
        let all: Points = theirs.usage.iter().map(|one| one.points).chain(theirs.others.values().copied()).sum();
        let beside: Points = compared.beside.iter().map(|one| one.points).sum();
        prop_assert_eq!(compared.theirs_points + beside, all, "nothing of theirs is lost");
    }
}
