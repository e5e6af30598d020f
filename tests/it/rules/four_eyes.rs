//! Four eyes: whose adjustments count together, and what a second person's approval leaves in the report.

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::proposed::{ProposalState, ProposedAdjustment};
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::four_eyes::{Verdict, approved, judge, lowered_alone};
use tidegauge::rules::review::{Refusal, adjust, carry_over};

use super::made::{at, count_of, points, report_of, sample, vm};

const LATE: &str = "2026-10-31T01:00:00Z";

/// Five VMs of 11 points and twenty of a tenant of 5.
fn report() -> UsageReport {
    let machines = ["a", "b", "c", "d", "e"].map(|name| vm(name, LATE)).to_vec();
    let counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [20, 0, 0])];
    report_of("2026-10", vec![Sample { counts, ..sample("2026-10-31T23:58:00Z", machines) }])
}

fn without(named: &str) -> AdjustmentOrder {
    AdjustmentOrder::Remove { workloads: vec![named.to_owned()], reason: "test machine".to_owned() }
}

fn lowered_to(to: u64) -> AdjustmentOrder {
    let (tenant, kind) = (Some("A".to_owned()), WorkloadType::CloudConnectVm);
    AdjustmentOrder::Lower { tenant, kind, weight: None, to, reason: "migration".to_owned() }
}

fn after(report: &UsageReport, order: &AdjustmentOrder, by: &str) -> UsageReport {
    adjust(report, order, by, at("2026-11-03T09:00:00Z")).expect("it counts")
}

fn verdict(report: &UsageReport, order: &AdjustmentOrder, by: &str, limit: &str) -> Verdict {
    judge(report, &after(report, order, by), by, Some(points(limit)))
}

fn proposal(adjustments: Vec<AdjustmentOrder>) -> ProposedAdjustment {
    ProposedAdjustment {
        id: "1".to_owned(),
        unit: report().unit,
        month: report().month,
        revision: 1,
        by: "user:anna".to_owned(),
        at: at("2026-11-02T09:00:00Z"),
        adjustments,
        lowers_by: points("11"),
        state: ProposalState::Open,
    }
}

#[test]
fn up_to_the_limit_one_person_is_enough_and_without_a_limit_always() {
    assert_eq!(verdict(&report(), &without("a"), "user:anna", "11"), Verdict::Keep);
    let propose = Verdict::Propose { lowers_by: points("11") };
    assert_eq!(verdict(&report(), &without("a"), "user:anna", "10.99"), propose);
    assert_eq!(judge(&report(), &after(&report(), &lowered_to(0), "user:anna"), "user:anna", None), Verdict::Keep);
}

#[test]
fn what_a_person_lowered_before_counts_with_the_new_whatever_kind_it_was() {
    let one = after(&report(), &without("a"), "user:anna");
    let two = after(&one, &lowered_to(14), "user:Anna");
    assert_eq!(lowered_alone(&two, "user:anna"), points("41"));
    assert_eq!(verdict(&two, &without("b"), "user:anna", "51"), Verdict::Propose { lowers_by: points("11") });
    assert_eq!(verdict(&two, &without("b"), "user:anna", "52"), Verdict::Keep);
    // Another person begins at nothing.
    assert_eq!(verdict(&two, &without("b"), "user:ben", "11"), Verdict::Keep);
}

#[test]
fn what_was_approved_names_both_and_counts_for_neither() {
    let report = report();
    let approved =
        approved(&report, &proposal(vec![without("a"), lowered_to(10)]), "user:ben", at("2026-11-04T09:00:00Z"))
            .expect("it fits");
    assert_eq!(approved.total_points, report.total_points - points("61"));
    assert!(approved.adjustments.iter().all(|one| one.by == "user:anna"));
    assert!(approved.adjustments.iter().all(|one| one.approved_by.as_deref() == Some("user:ben")));
    assert_eq!(approved.digest, tidegauge::rules::reporting::digest_of(&approved));
    assert_eq!(lowered_alone(&approved, "user:anna"), points("0"));
    assert_eq!(lowered_alone(&approved, "user:ben"), points("0"));
    // A late sample builds the report again, and who approved stays.
    assert_eq!(carry_over(&approved, report.clone()).report.adjustments, approved.adjustments);
    let again = approve_again(&approved);
    assert_eq!(again, Err(Refusal::NotCounted("a".to_owned(), report.month)));
}

fn approve_again(report: &UsageReport) -> Result<UsageReport, Refusal> {
    approved(report, &proposal(vec![without("a")]), "user:ben", at("2026-11-05T09:00:00Z"))
}
