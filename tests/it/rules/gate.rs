//! Open, held, undetermined; and why a report is lower than the watermark.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidegauge::domain::gate::{Cause, CauseKind, GateVerdict, Justification, Tolerance, Verdict};
use tidegauge::domain::license::License;
use tidegauge::domain::report::{
    Basis, External, Line, Reason, ReportedWorkload, SCHEMA, Stage, UsageReport, report_id,
};
use tidegauge::domain::watermark::{Coverage, HighWatermark};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, Month, Points};
use tidegauge::rules::causes::{Peak, PeakCount, PeakWorkload, explain};
use tidegauge::rules::gate::{GateFacts, judge, judged_month};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn facts(highest: Option<i64>, reported: Option<i64>) -> GateFacts {
    GateFacts {
        unit: "unit-1".to_owned(),
        month: month("2026-02"),
        highest: highest.map(|points| HighWatermark { points: Points::whole(points), at: at("2026-02-12T10:00:00Z") }),
        reported: reported.map(Points::whole),
        forecast: true,
        tolerance: Tolerance::default(),
        justification: None,
        causes: Vec::new(),
    }
}

fn verdict_of(highest: i64, reported: i64) -> Verdict {
    judge(&facts(Some(highest), Some(reported))).verdict
}

#[test]
fn the_worked_example_of_the_field_passes_and_is_held_where_it_should_be() {
    // domain.md 6: H = 104; 99 and 89 pass, 59 does not.
    assert_eq!(verdict_of(104, 99), Verdict::Open);
    assert_eq!(verdict_of(104, 89), Verdict::Open);
    assert_eq!(verdict_of(104, 59), Verdict::Held);
}

#[test]
fn the_larger_of_twenty_points_and_twenty_percent_is_tolerated_to_the_point() {
    assert_eq!((verdict_of(50, 30), verdict_of(50, 29)), (Verdict::Open, Verdict::Held));
    assert_eq!((verdict_of(100, 80), verdict_of(100, 79)), (Verdict::Open, Verdict::Held));
    assert_eq!((verdict_of(1000, 800), verdict_of(1000, 799)), (Verdict::Open, Verdict::Held));
    assert_eq!(verdict_of(0, 0), Verdict::Open);
}

#[test]
fn without_a_complete_sample_the_gate_is_undetermined_and_does_not_block() {
    assert_eq!(judge(&facts(None, Some(10))).verdict, Verdict::Undetermined);
    assert_eq!(judge(&facts(Some(10), None)).verdict, Verdict::Undetermined);
}

fn justified(reason: &str) -> Justification {
    Justification { at: at("2026-03-12T08:00:00Z"), by: "user:mia".to_owned(), reason: reason.to_owned() }
}

#[test]
fn a_recorded_justification_opens_its_own_gate() {
    let facts = GateFacts { justification: Some(justified("vCenter migrated")), ..facts(Some(100), Some(10)) };
    let verdict = judge(&facts);
    assert_eq!((verdict.verdict, verdict.shortfall), (Verdict::Open, Points::whole(90)));
    assert_eq!(verdict.justification.as_deref(), Some("vCenter migrated"));
}

#[test]
fn a_report_far_above_the_watermark_is_open_and_flagged_without_causes() {
    let cause = Cause::of(CauseKind::Gone, Points::whole(3));
    let verdict = judge(&GateFacts { causes: vec![cause], ..facts(Some(100), Some(121)) });
    assert!(verdict.over_reported && verdict.causes.is_empty() && verdict.verdict == Verdict::Open);
    assert_eq!((verdict.shortfall, verdict.unexplained), (Points::ZERO, Points::ZERO));
    assert!(!judge(&facts(Some(100), Some(120))).over_reported);
}

#[test]
fn the_judged_month_is_the_newest_that_is_sent_or_past_its_deadline() {
    let judged = |now: &str, sent: Option<&str>| judged_month(at(now), 11, sent.map(month)).to_string();
    assert_eq!(judged("2026-03-10T23:59:59Z", None), "2026-01");
    assert_eq!(judged("2026-03-11T00:00:00Z", None), "2026-02");
    assert_eq!(judged("2026-03-02T00:00:00Z", Some("2026-02")), "2026-02");
    assert_eq!(judged("2026-03-15T00:00:00Z", Some("2025-12")), "2026-02");
}

#[test]
fn the_verdict_has_the_shape_of_the_contract() {
    let json = serde_json::to_value(judge(&facts(Some(104), Some(59)))).unwrap();
    let expected = serde_json::json!({
        "schema": "tidegauge.gate/1", "unit": "unit-1", "month": "2026-02", "verdict": "held", "forecast": true,
        "highest_watermark": "104", "stood_at": "2026-02-12T10:00:00Z", "reported": "59", "shortfall": "45",
        "tolerance": "20.8", "justification": null, "causes": [], "unexplained": "45", "over_reported": false,
    });
    assert_eq!(json, expected);
}

fn then(id: &str, points: i64, last_restore_point_at: &str) -> PeakWorkload {
    PeakWorkload {
        server: if id.starts_with("left") { "vbr02" } else { "vbr01" }.to_owned(),
        id: id.to_owned(),
        name: id.to_owned(),
        tenant: None,
        kind: WorkloadType::Vm,
        points: Points::whole(points),
        last_restore_point_at: Some(at(last_restore_point_at)),
    }
}

fn now(id: &str, points: i64, reason: Reason) -> ReportedWorkload {
    let counted = reason == Reason::Protected;
    ReportedWorkload {
        id: id.to_owned(),
        name: id.to_owned(),
        server: "vbr01".to_owned(),
        tenant: None,
        kind: WorkloadType::Vm,
        platform: None,
        weight: Points::whole(points),
        points: if counted { Points::whole(points) } else { Points::ZERO },
        job: None,
        last_restore_point_at: None,
        counted,
        reason,
        note: None,
    }
}

fn line(tenant: &str, weight: i64, initial_count: u64, reported_count: u64) -> Line {
    Line {
        server: "cc01".to_owned(),
        tenant: Some(tenant.to_owned()),
        kind: WorkloadType::CloudConnectVm,
        weight: Points::whole(weight),
        initial_count,
        reported_count,
        new_count: 0,
        rental_count: 0,
        points: Points::whole(weight) * reported_count,
    }
}

fn count(tenant: &str, weight: i64, count: u64) -> PeakCount {
    PeakCount {
        server: "cc01".to_owned(),
        tenant: Some(tenant.to_owned()),
        kind: WorkloadType::CloudConnectVm,
        weight: Points::whole(weight),
        count,
    }
}

fn report(workloads: Vec<ReportedWorkload>, lines: Vec<Line>) -> UsageReport {
    let total: Points = workloads.iter().map(|one| one.points).chain(lines.iter().map(|line| line.points)).sum();
    UsageReport {
        schema: SCHEMA.to_owned(),
        id: report_id("unit-1", month("2026-02"), 1),
        unit: "unit-1".to_owned(),
        month: month("2026-02"),
        revision: 1,
        license_id: None,
        contract_id: None,
        installations: Vec::new(),
        stage: Stage::AwaitingReview,
        server_verdict: None,
        external: External::default(),
        generated_at: at("2026-03-01T00:00:00Z"),
        on_demand: false,
        basis: Basis { as_of: at("2026-03-01T00:00:00Z"), late: false, stale: Vec::new() },
        license: License::default(),
        total_points: total,
        total_points_rounded: total,
        lines,
        workloads,
        adjustments: Vec::new(),
        daily: Vec::new(),
        coverage: Coverage::default(),
        not_collected: Vec::new(),
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        provenance: Default::default(),
        difference: None,
        outlook: None,
        evidence: None,
        pseudonyms_of: None,
        digest: String::new(),
    }
}

fn told(causes: &[Cause]) -> Vec<String> {
    let line = |cause: &Cause| {
        let who = cause.workload.as_ref().or(cause.tenant.as_ref()).unwrap();
        format!("{} {who} {}", serde_json::to_value(cause.cause).unwrap().as_str().unwrap(), cause.points)
    };
    causes.iter().map(line).collect()
}

fn judged(peak: &Peak, report: &UsageReport) -> GateVerdict {
    let named: Points = peak.workloads.iter().map(|one| one.points).sum();
    let counted: Points = peak.counts.iter().map(|one| one.weight * one.count).sum();
    judge(&GateFacts {
        highest: Some(HighWatermark { points: named + counted, at: at("2026-02-12T10:00:00Z") }),
        reported: Some(report.total_points),
        causes: explain(peak, report),
        ..facts(None, None)
    })
}

#[test]
fn each_workload_between_peak_and_report_is_named_with_its_cause() {
    let recent = "2026-02-20T00:00:00Z";
    let peak = Peak {
        workloads: vec![
            then("stays", 11, recent),
            then("aged", 10, "2026-01-20T10:00:00Z"),
            then("gone", 9, recent),
            then("taken-out", 8, recent),
            then("lighter", 7, recent),
            then("heavier", 6, recent),
            then("left", 50, recent),
        ],
        counts: Vec::new(),
        left: BTreeSet::from(["vbr02".to_owned()]),
    };
    let report = report(
        vec![
            now("stays", 11, Reason::Protected),
            now("taken-out", 8, Reason::Removed),
            now("lighter", 5, Reason::Protected),
            now("heavier", 9, Reason::Protected),
            now("back-again", 4, Reason::Protected),
            now("fresh", 11, Reason::New),
        ],
        Vec::new(),
    );
    let verdict = judged(&peak, &report);
    let expected = [
        "left_server left 50",
        "aged_out aged 10",
        "gone gone 9",
        "removed taken-out 8",
        "weight_changed lighter 2",
        "weight_changed heavier -3",
        "returned back-again -4",
    ];
    assert_eq!(told(&verdict.causes), expected);
    assert_eq!((verdict.shortfall, verdict.unexplained), (Points::whole(72), Points::ZERO));
}

#[test]
fn counts_are_explained_by_tenant_and_type() {
    let peak = Peak { counts: vec![count("A", 5, 20), count("B", 5, 4), count("C", 5, 10)], ..Peak::default() };
    let report = report(Vec::new(), vec![line("A", 5, 18, 8), line("B", 5, 6, 6), line("C", 4, 10, 10)]);
    let verdict = judged(&peak, &report);
    assert_eq!(told(&verdict.causes), ["lowered A 50", "gone A 10", "weight_changed C 10", "returned B -10"]);
    assert_eq!(verdict.unexplained, Points::ZERO);
}

proptest! {
    #[test]
    fn causes_and_the_unexplained_always_sum_to_the_shortfall(
        before in prop::collection::btree_map("[a-f]", 1i64..30, 0..6),
        after in prop::collection::btree_map("[a-f]", (1i64..30, 0usize..4), 0..6),
        counts in prop::collection::vec((1i64..6, 0u64..40, 0u64..40, 0u64..40), 0..3),
    ) {
        let reasons = [Reason::Protected, Reason::New, Reason::Rental, Reason::Removed];
        let workloads = after.iter().map(|(id, (points, reason))| now(id, *points, reasons[*reason])).collect();
        let tenant = |n: usize| format!("tenant {n}");
        let lines = counts.iter().enumerate();
        let lines = lines.map(|(n, (weight, _, initial, less))| line(&tenant(n), *weight, *initial, initial.saturating_sub(*less)));
        let peak = Peak {
            workloads: before.iter().map(|(id, points)| then(id, *points, "2026-01-20T10:00:00Z")).collect(),
            counts: counts.iter().enumerate().map(|(n, (weight, used, _, _))| count(&tenant(n), *weight, *used)).collect(),
            left: BTreeSet::new(),
        };
        let verdict = judged(&peak, &report(workloads, lines.collect()));
        let sum: Points = verdict.causes.iter().map(|cause| cause.points).sum();
        prop_assert_eq!(sum + verdict.unexplained, verdict.shortfall);
        prop_assert_eq!(verdict.unexplained, Points::ZERO, "everything at the peak is known here");
    }
}

/// A report without lines, for tests that only need one.
pub fn empty_report() -> UsageReport {
    report(Vec::new(), Vec::new())
}
