//! Cloud Connect reports: per tenant and type, lowered and never raised, taken back.

use proptest::prelude::*;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::adjust_grid::{adjust_grid, is_adjustable};
use tidegauge::rules::counting::{AsOf, Ledger, classify, cross_check, summary};
use tidegauge::rules::rating::Rating;
use tidegauge::rules::report_document::report_document;
use tidegauge::rules::review::{Refusal, adjust, reset};
use tidegauge::sources::tenants_from::CLOUD_CONNECT;

use super::made::{at, count_of, of_tenant, report_of, sample, vm};

fn lower(tenant: &str, kind: WorkloadType, to: u64) -> AdjustmentOrder {
    let reason = "a test of the tenant".to_owned();
    AdjustmentOrder::Lower { tenant: Some(tenant.to_owned()), kind, weight: None, to, reason }
}

fn lowered(report: &UsageReport, order: &AdjustmentOrder) -> Result<UsageReport, Refusal> {
    adjust(report, order, "user:mia", at("2026-11-03T09:00:00Z"))
}

/// Used, new and rental counts of types by number, of tenants by number.
fn report(counts: &[(usize, u32, [u32; 3])]) -> UsageReport {
    let weights = ["5", "10", "3", "7"];
    let counts = counts.iter().map(|(kind, tenant, numbers)| {
        count_of(&format!("T{tenant}"), CLOUD_CONNECT[*kind].clone(), weights[*kind], *numbers)
    });
    report_of("2026-10", vec![Sample { counts: counts.collect(), ..sample("2026-10-31T23:58:00Z", vec![]) }])
}

#[test]
fn a_vm_backed_up_and_replicated_counts_once_in_each() {
    let late = "2026-10-31T01:00:00Z";
    let backup = of_tenant(vm("web01", late), "A", WorkloadType::CloudConnectVm, "5");
    let replica = of_tenant(vm("web01-replica", late), "A", WorkloadType::CloudConnectReplica, "10");
    let report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![backup, replica])]);
    assert_eq!(report.total_points.to_string(), "15");
}

#[test]
fn the_grid_has_tenant_type_count_and_the_reason() {
    let report = report(&[(0, 1, [20, 2, 1]), (1, 1, [4, 0, 3]), (2, 2, [7, 0, 0])]);
    let lowered = lowered(&report, &lower("T1", WorkloadType::CloudConnectVm, 18)).expect("two fewer");
    let grid = adjust_grid(&lowered);
    let shown: Vec<String> = grid
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row.tenant.as_deref().unwrap_or("-"),
                row.kind,
                row.count,
                row.note.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        shown,
        ["T1 CloudConnectVM 18 a test of the tenant", "T1 CloudConnectReplica 7 -", "T2 CloudConnectWorkstation 7 -"]
    );
    assert_eq!((grid[0].initial_count, grid[0].new_count, grid[0].rental_count), (20, 2, 1));
    assert_eq!(grid.iter().map(|row| row.adjustable).collect::<Vec<_>>(), [true, true, false]);
    let headings: Vec<String> = report_document(&lowered).sections.into_iter().map(|section| section.heading).collect();
    assert!(headings.contains(&"Machines of tenants".to_owned()), "{headings:?}");
}

#[test]
fn rental_replicas_count_and_are_named() {
    let counts = vec![count_of("A", WorkloadType::CloudConnectReplica, "10", [4, 0, 3])];
    let sample = Sample { counts, ..sample("2026-10-31T23:58:00Z", vec![]) };
    let rating = Rating::default();
    let counted = classify(&sample, &Ledger::default(), AsOf::sample(sample.taken_at), &rating);
    let summary = summary(&sample, &counted, &rating);
    assert_eq!(summary.points.to_string(), "70");
    assert_eq!(
        cross_check(&sample, &summary, &rating),
        ["3 replicas of tenant A are stated as rental; replicas are never free, so they count"]
    );
}

proptest! {
    #[test]
    fn adjusting_never_raises_never_goes_below_zero_and_is_taken_back_whole(
        counts in proptest::collection::vec((0_usize..4, 0_u32..3, [0_u32..30, 0_u32..5, 0_u32..5]), 1..12),
        orders in proptest::collection::vec((0_usize..4, 0_u32..4, 0_u64..40), 0..12),
    ) {
        let generated = report(&counts);
        let mut now = generated.clone();
        for (kind, tenant, to) in orders {
            let kind = CLOUD_CONNECT[kind].clone();
            let before = now.clone();
            match lowered(&now, &lower(&format!("T{tenant}"), kind.clone(), to)) {
                Ok(lowered) => {
                    prop_assert!(is_adjustable(&kind));
                    prop_assert!(lowered.total_points <= before.total_points);
                    now = lowered;
                }
                Err(Refusal::TypeNotAdjustable(_)) => prop_assert!(!is_adjustable(&kind)),
                Err(Refusal::NotLower(..) | Refusal::NoSuchCount(..)) => {}
                Err(other) => prop_assert!(false, "{}", other),
            }
            for (line, first) in now.lines.iter().zip(&generated.lines) {
                prop_assert!(line.reported_count <= first.initial_count);
                prop_assert!(is_adjustable(&line.kind) || line.reported_count == first.initial_count);
                prop_assert_eq!(line.points, line.weight * line.reported_count);
                prop_assert_eq!((line.new_count, line.rental_count), (first.new_count, first.rental_count));
            }
        }
        prop_assert_eq!(reset(&now).expect("an open report"), generated);
    }
}
