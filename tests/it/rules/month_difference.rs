//! This month's report against last month's: each cause by a worked example, and that it always sums.

use std::collections::BTreeSet;

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::installation::CountsOnce;
use tidegauge::domain::month_difference::{DifferenceRow, MonthDifference};
use tidegauge::domain::report::{CountedBy, ServerCoverage, UsageReport};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::month_difference::{aged_out, difference, sentence, servers_with_absent};
use tidegauge::rules::reporting::{ReportFacts, digest_of, generate};
use tidegauge::rules::review::adjust;

use super::made::{at, count_of, facts_of, first, month, of_tenant, points, rental, report_of, sample, vm};

const SEPTEMBER: &str = "2026-09-30T01:00:00Z";
const OCTOBER: &str = "2026-10-31T01:00:00Z";

fn of_server(server: &str, sample: Sample) -> Sample {
    Sample { server: server.to_owned(), ..sample }
}

fn september(workloads: Vec<Workload>) -> UsageReport {
    report_of("2026-09", vec![sample("2026-09-30T23:58:00Z", workloads)])
}

fn october_sample(workloads: Vec<Workload>) -> Sample {
    sample("2026-10-31T23:58:00Z", workloads)
}

fn october_of(sample: Sample) -> UsageReport {
    report_of("2026-10", vec![sample])
}

fn october(workloads: Vec<Workload>) -> UsageReport {
    october_of(october_sample(workloads))
}

fn counts(of: &str, kind: WorkloadType, used_new_rental: [u32; 3], weight: &str) -> UsageReport {
    let taken_at = format!("{of}-30T23:58:00Z");
    report_of(
        of,
        vec![Sample { counts: vec![count_of("A", kind, weight, used_new_rental)], ..sample(&taken_at, vec![]) }],
    )
}

/// `cause tenant server type: workloads = points`, one line a row.
fn rows(difference: &MonthDifference) -> Vec<String> {
    let line = |row: &DifferenceRow| {
        let cause = serde_json::to_value(row.cause).expect("a word");
        let tenant = row.tenant.as_deref().unwrap_or("-");
        let (server, kind) =
            (row.server.as_deref().unwrap_or("-"), row.kind.as_ref().map_or("-", WorkloadType::as_str));
        format!("{} {tenant} {server} {kind}: {} = {}", cause.as_str().unwrap(), row.workloads, row.points)
    };
    difference.rows.iter().map(line).collect()
}

fn found(before: &UsageReport, after: &UsageReport) -> Vec<String> {
    rows(&difference(Some(before), after, &BTreeSet::new()))
}

fn remove(report: &UsageReport, workload: &str) -> UsageReport {
    let order = AdjustmentOrder::Remove { workloads: vec![workload.to_owned()], reason: "test machine".to_owned() };
    adjust(report, &order, "mia", at("2026-11-02T09:00:00Z")).expect("it counts")
}

fn lower(report: &UsageReport, kind: WorkloadType, to: u64) -> UsageReport {
    let order =
        AdjustmentOrder::Lower { tenant: Some("A".to_owned()), kind, weight: None, to, reason: "migration".to_owned() };
    adjust(report, &order, "mia", at("2026-11-02T09:00:00Z")).expect("it is lower")
}

#[test]
fn a_machine_in_its_first_month_counts_in_the_next() {
    let fresh = |at| first(vm("a", at), "2026-09-12T00:00:00Z");
    assert_eq!(
        found(&september(vec![fresh(SEPTEMBER)]), &october(vec![fresh(OCTOBER)])),
        ["left_free_month - vbr01 VM: 1 = 11"]
    );
}

#[test]
fn a_machine_that_was_not_in_the_report_before_is_added() {
    assert_eq!(
        found(&september(vec![vm("a", SEPTEMBER)]), &october(vec![vm("a", OCTOBER), vm("b", OCTOBER)])),
        ["added - vbr01 VM: 1 = 11"]
    );
}

#[test]
fn a_machine_without_a_restore_point_of_31_days_aged_out_and_one_taken_from_the_list_is_gone() {
    let before = september(["shown", "dropped", "revoked"].map(|id| vm(id, SEPTEMBER)).to_vec());
    let backed_up = vm("revoked", "2026-10-20T01:00:00Z");
    // One stays on the list, one leaves it at its 31 days, one is taken from it the day after a backup.
    let looks = [
        sample("2026-10-21T00:00:00Z", vec![vm("shown", SEPTEMBER), vm("dropped", SEPTEMBER), backed_up]),
        sample("2026-10-31T23:58:00Z", vec![vm("shown", SEPTEMBER), vm("b", OCTOBER)]),
    ];
    let after = october_of(looks[1].clone());
    assert_eq!(servers_with_absent(&before, &after), BTreeSet::from(["vbr01".to_owned()]));
    let aged = aged_out(&before, "vbr01", &looks, month("2026-10").ends_at());
    let difference = difference(Some(&before), &after, &aged);
    assert_eq!(rows(&difference)[1..], ["aged_out - vbr01 VM: 2 = -22", "gone - vbr01 VM: 1 = -11"]);
    assert_eq!(difference.rows[1].named, ["dropped.example.net", "shown.example.net"]);
    assert_eq!(
        sentence(month("2026-10"), &difference),
        "22 points fewer than in September 2026 (33): 2 aged out (-22), 1 added (+11), 1 gone at the source (-11)."
    );
}

#[test]
fn what_a_person_took_out_last_month_and_not_this_month_counts_again() {
    let before = remove(&september(vec![vm("a", SEPTEMBER), vm("b", SEPTEMBER)]), "a");
    let after = october(vec![vm("a", OCTOBER), vm("b", OCTOBER)]);
    assert_eq!(found(&before, &after), ["adjustment_ended - vbr01 VM: 1 = 11"]);
    assert_eq!(found(&before, &remove(&after, "a")), [""; 0], "taken out in both months");
    assert_eq!(
        found(&before, &remove(&after, "b")),
        ["adjustment_ended - vbr01 VM: 1 = 11", "removed - vbr01 VM: 1 = -11"]
    );
}

#[test]
fn a_lowered_count_is_a_persons_doing_and_ends_when_nobody_lowers_it_again() {
    let kind = WorkloadType::CloudConnectVm;
    let (before, after) =
        (counts("2026-09", kind.clone(), [20, 0, 0], "5"), counts("2026-10", kind.clone(), [20, 0, 0], "5"));
    assert_eq!(found(&before, &lower(&after, kind.clone(), 12)), ["lowered A vbr01 CloudConnectVM: 8 = -40"]);
    assert_eq!(found(&lower(&before, kind.clone(), 12), &after), ["adjustment_ended A vbr01 CloudConnectVM: 8 = 40"]);
    assert_eq!(found(&lower(&before, kind.clone(), 12), &lower(&after, kind, 12)), [""; 0]);
}

#[test]
fn another_weight_is_named_beside_the_move_that_brought_it() {
    let heavier = |at| Workload { points: Some(points("12.5")), ..vm("a", at) };
    let before = september(vec![vm("a", SEPTEMBER)]);
    assert_eq!(found(&before, &october(vec![heavier(OCTOBER)])), ["reweighted - vbr01 VM: 1 = 1.5"]);
    let empty = |of: &str, at: &str| of_server("vbr02", sample(at, vec![vm(&format!("z{of}"), of)]));
    let before = report_of(
        "2026-09",
        vec![sample("2026-09-30T23:58:00Z", vec![vm("a", SEPTEMBER)]), {
            let mut other = empty(SEPTEMBER, "2026-09-30T23:58:00Z");
            other.workloads.change(|workloads| workloads[0].id = "z".to_owned());
            other
        }],
    );
    let after = report_of(
        "2026-10",
        vec![
            sample("2026-10-31T23:58:00Z", vec![vm("y", OCTOBER)]),
            of_server("vbr02", october_sample(vec![vm("z", OCTOBER), heavier(OCTOBER)])),
        ],
    );
    assert_eq!(
        found(&before, &after),
        [
            "added - vbr01 VM: 1 = 11",
            "moved_here - vbr02 VM: 1 = 11",
            "moved_away - vbr01 VM: 1 = -11",
            "reweighted - vbr02 VM: 1 = 1.5",
        ]
    );
}

#[test]
fn a_machine_that_changes_its_tenant_moves_points_between_them_and_changes_no_total() {
    let of = |tenant, at| of_tenant(vm("a", at), tenant, WorkloadType::Vm, "11");
    let difference =
        difference(Some(&september(vec![of("A", SEPTEMBER)])), &october(vec![of("B", OCTOBER)]), &BTreeSet::new());
    assert_eq!(rows(&difference), ["moved_here B vbr01 VM: 1 = 11", "moved_away A vbr01 VM: 1 = -11"]);
    assert_eq!(sentence(month("2026-10"), &difference), "As many points as in September 2026 (11).");
}

#[test]
fn a_machine_becomes_a_rental_machine_and_is_none_any_more() {
    let (own, rented) = (|at| vm("a", at), |at| rental(vm("a", at)));
    assert_eq!(
        found(&september(vec![own(SEPTEMBER)]), &october(vec![rented(OCTOBER)])),
        ["became_rental - vbr01 VM: 1 = -11"]
    );
    assert_eq!(
        found(&september(vec![rented(SEPTEMBER)]), &october(vec![own(OCTOBER)])),
        ["no_longer_rental - vbr01 VM: 1 = 11"]
    );
}

#[test]
fn a_machine_mapped_to_another_type_moves_its_points_there() {
    let as_kind = |at, kind: &str, weight: &str| Workload {
        kind: kind.parse().expect("any text is a type"),
        points: Some(points(weight)),
        ..vm("a", at)
    };
    let found =
        found(&september(vec![as_kind(SEPTEMBER, "Sensor", "11")]), &october(vec![as_kind(OCTOBER, "Server", "12")]));
    assert_eq!(
        found,
        [
            "reweighted - vbr01 Server: 1 = 1",
            "type_changed - vbr01 Server: 1 = 11",
            "type_changed - vbr01 Sensor: 1 = -11",
        ]
    );
}

#[test]
fn a_machine_of_two_servers_that_is_counted_once_from_now_on_is_said_so() {
    let both = |of: &str, at: &str, taken_at: &str| {
        vec![sample(taken_at, vec![vm("a", at)]), of_server("vbr02", sample(taken_at, vec![vm("a", at)]))]
            .into_iter()
            .fold(facts_of(of, Vec::new()), |mut facts, sample| {
                facts.samples.extend(facts_of(of, vec![sample]).samples);
                facts.unit.servers = vec!["vbr01".to_owned(), "vbr02".to_owned()];
                facts
            })
    };
    let before = generate(both("2026-09", SEPTEMBER, "2026-09-30T23:58:00Z"));
    let mut once = both("2026-10", OCTOBER, "2026-10-31T23:58:00Z");
    once.unit.counts_once = vec![CountsOnce { from: at("2026-10-15T00:00:00Z"), once: true }];
    assert_eq!(found(&before, &generate(once)), ["counted_once - vbr02 VM: 1 = -11"]);
}

#[test]
fn servers_that_come_go_or_are_not_collected_are_named_as_such() {
    let covered = |server: &str| ServerCoverage {
        server: server.to_owned(),
        expected: 1,
        complete: 1,
        month_end: "carry".to_owned(),
        counted_by: CountedBy::Fresh,
        sample_at: None,
    };
    let report = |of: &str, samples: Vec<Sample>| {
        let servers = samples.iter().map(|sample| sample.server.clone()).chain(["vbr02".to_owned()]);
        let servers = servers.map(|server| covered(&server)).collect();
        generate(ReportFacts { servers, ..facts_of(of, samples) })
    };
    let one = |of: &str, at: &str| report(of, vec![sample(&format!("{of}-30T23:58:00Z"), vec![vm("a", at)])]);
    let nothing = |of: &str| report(of, Vec::new());
    let missed = |of: &str| UsageReport { not_collected: vec!["vbr01".to_owned()], ..nothing(of) };
    let late = "2026-10-30T01:00:00Z";
    assert_eq!(found(&nothing("2026-09"), &one("2026-10", late)), ["server_joined - vbr01 VM: 1 = 11"]);
    assert_eq!(found(&one("2026-09", SEPTEMBER), &nothing("2026-10")), ["server_left - vbr01 VM: 1 = -11"]);
    assert_eq!(found(&one("2026-09", SEPTEMBER), &missed("2026-10")), ["not_collected - vbr01 VM: 1 = -11"]);
    assert_eq!(found(&missed("2026-09"), &one("2026-10", late)), ["collected_again - vbr01 VM: 1 = 11"]);
}

#[test]
fn counts_tell_no_more_than_they_can() {
    let kind = WorkloadType::CloudConnectVm;
    let of = |month: &str, counted, weight| counts(month, kind.clone(), counted, weight);
    for (before, after, expected) in [
        (
            of("2026-09", [20, 3, 0], "5"),
            of("2026-10", [25, 1, 0], "5"),
            vec!["left_free_month A vbr01 CloudConnectVM: 3 = 15", "more_counted A vbr01 CloudConnectVM: 2 = 10"],
        ),
        (
            of("2026-09", [20, 0, 2], "5"),
            of("2026-10", [21, 0, 1], "5"),
            vec!["no_longer_rental A vbr01 CloudConnectVM: 1 = 5"],
        ),
        (
            of("2026-09", [20, 0, 0], "5"),
            of("2026-10", [17, 0, 2], "5"),
            vec!["became_rental A vbr01 CloudConnectVM: 2 = -10", "fewer_counted A vbr01 CloudConnectVM: 1 = -5"],
        ),
        (
            of("2026-09", [20, 0, 0], "5"),
            of("2026-10", [22, 0, 0], "7"),
            vec!["reweighted A vbr01 CloudConnectVM: 20 = 40", "more_counted A vbr01 CloudConnectVM: 2 = 14"],
        ),
    ] {
        assert_eq!(found(&before, &after), expected);
    }
}

#[test]
fn the_sentence_names_three_causes_and_sums_the_others() {
    let fresh = |id: &str, at| first(vm(id, at), "2026-09-12T00:00:00Z");
    let before = september(vec![
        vm("gone", SEPTEMBER),
        vm("rented", SEPTEMBER),
        vm("test", SEPTEMBER),
        Workload { points: Some(points("1")), ..vm("light", SEPTEMBER) },
        fresh("f1", SEPTEMBER),
        fresh("f2", SEPTEMBER),
        fresh("f3", SEPTEMBER),
    ]);
    let after = october(vec![
        rental(vm("rented", OCTOBER)),
        vm("test", OCTOBER),
        Workload { points: Some(points("1.5")), ..vm("light", OCTOBER) },
        fresh("f1", OCTOBER),
        fresh("f2", OCTOBER),
        fresh("f3", OCTOBER),
    ]);
    let difference = difference(Some(&before), &remove(&after, "test"), &BTreeSet::new());
    assert_eq!(
        sentence(month("2026-10"), &difference),
        "0.5 points more than in September 2026 (34): 3 past the free month (+33), 1 gone at the source (-11), \
         1 turned rental (-11), other causes -10.5."
    );
    let none = MonthDifference::default();
    assert_eq!(sentence(month("2026-10"), &none), "There is no report of September 2026 to compare with.");
}

#[test]
fn a_stored_report_of_an_earlier_version_keeps_its_digest() {
    let mut report =
        lower(&counts("2026-10", WorkloadType::CloudConnectVm, [20, 2, 1], "5"), WorkloadType::CloudConnectVm, 12);
    report.digest = digest_of(&report);
    let stored = serde_json::to_value(&report).expect("plain data");
    assert!(stored.get("difference").is_none() && stored.get("outlook").is_none(), "absent fields are not written");
    let read: UsageReport = serde_json::from_value(stored.clone()).expect("the earlier shape is read");
    assert_eq!(digest_of(&read), report.digest);
    assert_eq!(serde_json::to_value(&read).expect("plain data"), stored);
    // The digest that the version before these fields wrote of this report.
    expect_test::expect![[r#"sha256:7d043a7c806991505467c1f2b24b7b2563b230e583e35f15b669876a974867f8"#]]
        .assert_eq(&report.digest);
}
