//! Reviewing a report: lowering with a reason, taking it back, postponing.

use proptest::prelude::*;
use tidegauge::domain::Instant;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::report::{Reason, Receipt, Stage, UsageReport};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::rules::review::{CarriedOver, Refusal, adjust, carry_over, postpone, reset};

use super::made::{at, count_of, first, lines, of_tenant, points, report_of, sample, vm};

const LATE: &str = "2026-10-31T01:00:00Z";

fn now() -> Instant {
    at("2026-11-03T09:00:00Z")
}

/// Three VMs, one of them new, and a tenant's named server.
fn rental_report() -> UsageReport {
    let taken = sample(
        "2026-10-31T23:58:00Z",
        vec![
            vm("sql01", LATE),
            vm("web01", LATE),
            first(vm("web02", LATE), "2026-10-20T00:00:00Z"),
            of_tenant(vm("agent1", LATE), "A", WorkloadType::CloudConnectServer, "7"),
        ],
    );
    report_of("2026-10", vec![taken])
}

fn cloud_report() -> UsageReport {
    let counts = vec![
        count_of("A", WorkloadType::CloudConnectVm, "5", [20, 2, 1]),
        count_of("A", WorkloadType::CloudConnectWorkstation, "3", [4, 0, 0]),
        count_of("B", WorkloadType::CloudConnectVm, "5", [6, 0, 0]),
        count_of("B", WorkloadType::CloudConnectVm, "6", [2, 0, 0]),
    ];
    report_of("2026-10", vec![Sample { counts, ..sample("2026-10-31T23:58:00Z", vec![]) }])
}

fn remove(named: &[&str], reason: &str) -> AdjustmentOrder {
    let workloads = named.iter().map(|&named| named.to_owned()).collect();
    AdjustmentOrder::Remove { workloads, reason: reason.to_owned() }
}

fn lower(tenant: &str, kind: WorkloadType, weight: Option<&str>, to: u64) -> AdjustmentOrder {
    AdjustmentOrder::Lower {
        tenant: Some(tenant.to_owned()),
        kind,
        weight: weight.map(points),
        to,
        reason: "vCenter migration".to_owned(),
    }
}

fn adjusted(report: &UsageReport, order: &AdjustmentOrder) -> Result<UsageReport, Refusal> {
    adjust(report, order, "user:licensing", now())
}

fn refused(report: &UsageReport, order: &AdjustmentOrder) -> String {
    adjusted(report, order).expect_err("is refused").to_string()
}

#[test]
fn a_named_workload_is_removed_with_its_reason_on_record() {
    for named in ["sql01", "sql01.example.net", "vbr01/sql01"] {
        let report = adjusted(&rental_report(), &remove(&[named], "  test machine ")).unwrap();
        assert_eq!(lines(&report), ["- VM 11: 1/2 +1 r0 = 11", "A CloudConnectServer 7: 1/1 +0 r0 = 7"]);
        assert_eq!(report.total_points, points("18"));
        let removed = report.workloads.iter().find(|one| one.id == "sql01").unwrap();
        assert_eq!((removed.counted, removed.reason, removed.points), (false, Reason::Removed, points("0")));
        assert_eq!(removed.note.as_deref(), Some("removed: test machine"));
        let [record] = report.adjustments.as_slice() else { panic!("one adjustment") };
        assert_eq!((record.by.as_str(), record.at, record.reason.as_str()), ("user:licensing", now(), "test machine"));
        assert_eq!((record.before.as_str(), record.after.as_str()), ("11", "0"));
    }
}

#[test]
fn a_tenants_count_is_lowered_with_its_reason_on_record() {
    let report = adjusted(&cloud_report(), &lower("A", WorkloadType::CloudConnectVm, None, 18)).unwrap();
    assert_eq!(lines(&report)[0], "A CloudConnectVM 5: 18/20 +2 r1 = 90");
    let [record] = report.adjustments.as_slice() else { panic!("one adjustment") };
    assert_eq!((record.before.as_str(), record.after.as_str()), ("20", "18"));
    assert_eq!(report.total_points, points("144"));
}

#[test]
fn each_refusal_says_what_to_do() {
    let (rental, cloud) = (rental_report(), cloud_report());
    let vms = WorkloadType::CloudConnectVm;
    assert_eq!(refused(&rental, &remove(&["sql01"], " ")), "a reason is needed: say why with --reason");
    assert_eq!(refused(&rental, &remove(&[], "why")), "no workload is named");
    for named in ["nobody", "web02"] {
        let why =
            format!("workload '{named}' does not count in the report of 2026-10, so it cannot be removed from it");
        assert_eq!(refused(&rental, &remove(&[named], "why")), why);
    }
    let agents = "counts of type CloudConnectServer cannot be adjusted; only Cloud Connect VMs and replicas can";
    assert_eq!(refused(&rental, &remove(&["agent1"], "why")), agents);
    assert_eq!(
        refused(&cloud, &lower("A", WorkloadType::CloudConnectWorkstation, None, 1)),
        "counts of type CloudConnectWorkstation cannot be adjusted; only Cloud Connect VMs and replicas can"
    );
    assert_eq!(
        refused(&cloud, &lower("Z", vms.clone(), None, 1)),
        "tenant Z has no CloudConnectVM in the report of 2026-10"
    );
    assert_eq!(
        refused(&cloud, &lower("B", vms.clone(), None, 1)),
        "tenant B has CloudConnectVM at several weights; name one as CloudConnectVM@WEIGHT: 5, 6"
    );
    for to in [20, 21] {
        let why = format!("{to} is not lower than 20; a report is only ever lowered");
        assert_eq!(refused(&cloud, &lower("A", vms.clone(), None, to)), why);
    }
    let no_reason =
        AdjustmentOrder::Lower { tenant: Some("A".into()), kind: vms, weight: None, to: 1, reason: "".into() };
    assert_eq!(refused(&cloud, &no_reason), "a reason is needed: say why with --reason");
}

#[test]
fn a_name_that_two_workloads_bear_is_refused_with_their_ids() {
    let twin = Workload { name: "sql01.example.net".to_owned(), ..vm("sql02", LATE) };
    let report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![vm("sql01", LATE), twin])]);
    assert_eq!(
        refused(&report, &remove(&["sql01.example.net"], "why")),
        "'sql01.example.net' names 2 workloads; name one by its id: vbr01/sql01, vbr01/sql02"
    );
}

#[test]
fn one_wrong_name_among_several_changes_nothing() {
    let report = rental_report();
    assert!(adjusted(&report, &remove(&["sql01", "nobody"], "why")).is_err());
    assert!(adjusted(&report, &remove(&["sql01", "sql01"], "why")).is_err(), "removed twice");
}

#[test]
fn only_an_open_report_is_changed() {
    let receipt = Receipt { id: "1".into(), sha256: "".into(), received_at: now(), verdict: None };
    let stages =
        [(Stage::Sending { sealed_at: now() }, "sending"), (Stage::Submitted { at: now(), receipt }, "submitted")];
    for (stage, named) in stages {
        let report = UsageReport { stage, ..rental_report() };
        let why = format!("the report of 2026-10 is {named}; only an open report can be changed");
        assert_eq!(refused(&report, &remove(&["sql01"], "why")), why);
        assert_eq!(reset(&report).unwrap_err().to_string(), why);
        assert_eq!(postpone(&report, None, at("2026-11-11T00:00:00Z"), now()).unwrap_err().to_string(), why);
    }
    let postponed = UsageReport { stage: Stage::Postponed { until: now() }, ..rental_report() };
    assert!(adjusted(&postponed, &remove(&["sql01"], "why")).is_ok());
    let on_demand = UsageReport { on_demand: true, ..rental_report() };
    let why = "an on-demand report is for looking only; it can be neither changed nor sent";
    assert_eq!(refused(&on_demand, &remove(&["sql01"], "why")), why);
}

#[test]
fn a_tenant_on_two_servers_of_one_unit_is_lowered_over_both() {
    let on = |server: &str, used| Sample {
        server: server.to_owned(),
        counts: vec![count_of("A", WorkloadType::CloudConnectVm, "5", [used, 0, 0])],
        ..sample("2026-10-31T23:58:00Z", vec![])
    };
    let report = report_of("2026-10", vec![on("vbr01", 10), on("vbr02", 4)]);
    let order = lower("A", WorkloadType::CloudConnectVm, None, 6);
    let lowered = adjusted(&report, &order).unwrap();
    assert_eq!(lowered.total_points, points("30"));
    assert_eq!((lowered.adjustments[0].before.as_str(), lowered.adjustments[0].after.as_str()), ("14", "6"));
    assert_eq!(refused(&lowered, &order), "6 is not lower than 6; a report is only ever lowered");
    assert_eq!(reset(&lowered).unwrap(), report);
}

#[test]
fn a_lowered_count_has_no_names_left_to_remove() {
    let named = |id: &str| of_tenant(vm(id, LATE), "A", WorkloadType::CloudConnectVm, "5");
    let report = report_of("2026-10", vec![sample("2026-10-31T23:58:00Z", vec![named("a"), named("b")])]);
    let lowered = adjusted(&report, &lower("A", WorkloadType::CloudConnectVm, None, 0)).unwrap();
    assert_eq!(
        refused(&lowered, &remove(&["a"], "why")),
        "the count of CloudConnectVM of tenant A was lowered already; reset the report to remove machines by name"
    );
}

#[test]
fn reset_gives_the_generated_report_back_with_its_notes() {
    let other = Workload { kind: WorkloadType::Other("EntraID".to_owned()), points: None, ..vm("users", LATE) };
    let one = sample("2026-10-31T23:58:00Z", vec![vm("shared", LATE), other]);
    let two = Sample { server: "vbr02".to_owned(), ..sample("2026-10-31T23:58:00Z", vec![vm("shared", LATE)]) };
    let report = report_of("2026-10", vec![one, two]);
    let order = remove(&["vbr01/shared", "users"], "counted twice");
    let adjusted = adjusted(&report, &order).unwrap();
    assert_eq!(reset(&adjusted).unwrap(), report);
}

#[test]
fn adjustments_are_carried_over_to_a_regenerated_report_as_far_as_they_still_apply() {
    let old = adjusted(&rental_report(), &remove(&["sql01", "web01"], "test machines")).unwrap();
    let old = UsageReport { justification: Some("migrated".to_owned()), ..old };
    let taken = sample("2026-10-31T23:59:00Z", vec![vm("sql01", LATE), vm("web03", LATE)]);
    let CarriedOver { report: carried, dropped } = carry_over(&old, report_of("2026-10", vec![taken]));
    assert_eq!(lines(&carried), ["- VM 11: 1/2 +0 r0 = 11"]);
    assert_eq!(carried.adjustments.len(), 1, "web01 is gone and its adjustment with it");
    assert_eq!(dropped, ["vbr01/web01 removed by user:licensing (test machines)"], "which is said");
    assert_eq!(carried.adjustments[0], old.adjustments[0], "by whom and when stays true");
    assert_eq!(carried.justification.as_deref(), Some("migrated"));
    let old = adjusted(&cloud_report(), &lower("A", WorkloadType::CloudConnectVm, None, 18)).unwrap();
    assert_eq!(carry_over(&old, cloud_report()), CarriedOver { report: old.clone(), dropped: Vec::new() });
    let counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [17, 0, 0])];
    let fewer = report_of("2026-10", vec![Sample { counts, ..sample("2026-10-31T23:59:00Z", vec![]) }]);
    let of_fewer = carry_over(&old, fewer).report;
    assert_eq!(lines(&of_fewer), ["A CloudConnectVM 5: 15/17 +0 r0 = 75"], "two less were decided");
}

#[test]
fn a_count_is_lowered_again_by_as_much_as_was_decided_and_no_more() {
    let old = adjusted(&cloud_report(), &lower("A", WorkloadType::CloudConnectVm, None, 18)).unwrap();
    let of_count = |used: u32| {
        let counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [used, 0, 0])];
        report_of("2026-10", vec![Sample { counts, ..sample("2026-10-31T23:59:00Z", vec![]) }])
    };
    let made = |report: &UsageReport| {
        report.adjustments.iter().map(|made| (made.before.clone(), made.after.clone())).collect::<Vec<_>>()
    };
    let said = |before: &str, after: &str| vec![(before.to_owned(), after.to_owned())];
    let grown = carry_over(&old, of_count(1_000)).report;
    assert_eq!(made(&grown), said("1000", "998"), "nobody decided about 982 machines");
    assert_eq!(carry_over(&grown, of_count(1_000)).report, grown, "twice gives the same");
    assert_eq!(made(&carry_over(&grown, of_count(20)).report), said("20", "18"));
    assert_eq!(made(&carry_over(&old, of_count(1)).report), said("1", "0"));
}

#[test]
fn postponing_hides_the_reminder_until_the_next_midnight_and_never_beyond_the_deadline() {
    let until =
        |until: Option<&str>, now: &str| postpone(&rental_report(), until.map(at), at("2026-11-11T00:00:00Z"), at(now));
    let stage = |text: &str| Ok(Stage::Postponed { until: at(text) });
    assert_eq!(until(None, "2026-11-03T09:00:00Z"), stage("2026-11-04T00:00:00Z"));
    assert_eq!(until(None, "2026-11-10T23:00:00Z"), stage("2026-11-11T00:00:00Z"));
    assert_eq!(until(Some("2026-11-11T00:00:00Z"), "2026-11-03T09:00:00Z"), stage("2026-11-11T00:00:00Z"));
    for too_far in ["2026-11-11T00:00:01Z", "2026-11-03T09:00:00Z", "2026-11-01T00:00:00Z"] {
        let refusal = until(Some(too_far), "2026-11-03T09:00:00Z").unwrap_err();
        assert_eq!(refusal, Refusal::PostponedTooFar(at(too_far), at("2026-11-11T00:00:00Z")));
        assert!(refusal.to_string().contains("must lie after now and not after the deadline"), "{refusal}");
    }
    assert!(until(None, "2026-11-11T00:00:00Z").is_err(), "the deadline has come");
}

proptest! {
    #[test]
    fn adjusting_only_lowers_and_a_reset_gives_the_first_digest_back(
        machines in 1..12usize, removed in prop::collection::btree_set(0..12usize, 1..6), to in 0..25u64,
    ) {
        let workloads = (0..machines).map(|n| {
            let weight = ["11", "5.5", "0.1"][n % 3];
            Workload { points: Some(points(weight)), ..vm(&format!("m{n:02}"), LATE) }
        });
        let counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [20, 0, 0])];
        let report = report_of("2026-10", vec![Sample { counts, ..sample("2026-10-31T23:58:00Z", workloads.collect()) }]);
        let mut now_standing = report.clone();
        let orders = removed.iter().map(|n| remove(&[&format!("m{n:02}")], "why"));
        for order in orders.chain([lower("A", WorkloadType::CloudConnectVm, None, to)]) {
            if let Ok(next) = adjusted(&now_standing, &order) {
                prop_assert!(next.total_points < now_standing.total_points);
                prop_assert_eq!(next.adjustments.len(), now_standing.adjustments.len() + 1);
                now_standing = next;
            }
        }
        let of_lines = now_standing.lines.iter().map(|line| line.points).sum();
        prop_assert_eq!(now_standing.total_points, of_lines);
        prop_assert_eq!(reset(&now_standing).unwrap().digest, report.digest.clone());
        prop_assert_eq!(carry_over(&now_standing, report.clone()).report.digest, now_standing.digest);
    }
}
