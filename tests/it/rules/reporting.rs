//! The report of a month: classified at its end, with the month as the month.

use proptest::prelude::*;
use tidegauge::domain::installation::Unit;
use tidegauge::domain::report::{Reason, Stage, UsageReport, report_id};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::counting::AsOf;
use tidegauge::rules::reporting::{BasisSample, ReportFacts, digest_of, generate, generate_as_of};

use super::made::{
    at, count_of, facts_of, first, lines, month, of_tenant, points, rental, report_of, sample, undated, unit, vm,
};

/// Seven machines first processed on November 10.
fn seven(last: &str) -> Vec<Workload> {
    (0..7).map(|n| first(vm(&format!("n{n}"), last), "2026-11-10T01:00:00Z")).collect()
}

#[test]
fn workloads_of_november_are_new_in_november_and_count_in_december() {
    // domain.md 3.6: 7 machines in November, the same 7 plus 2 in December.
    let two = (0..2).map(|n| first(vm(&format!("d{n}"), "2026-12-31T01:00:00Z"), "2026-12-05T01:00:00Z"));
    let november = report_of("2026-11", vec![sample("2026-11-30T23:58:00Z", seven("2026-11-30T01:00:00Z"))]);
    assert_eq!(lines(&november), ["- VM 11: 0/0 +7 r0 = 0"]);
    let both = [seven("2026-12-31T01:00:00Z"), two.collect()].concat();
    let december = report_of("2026-12", vec![sample("2026-12-31T23:58:00Z", both)]);
    assert_eq!(lines(&december), ["- VM 11: 7/7 +2 r0 = 77"]);
    assert_eq!((november.total_points, december.total_points), (points("0"), points("77")));
}

#[test]
fn a_sample_taken_after_the_months_end_is_used_for_its_facts_before_it_only() {
    let taken = sample(
        "2026-12-01T00:40:00Z",
        vec![
            first(vm("december", "2026-12-01T00:10:00Z"), "2026-12-01T00:00:00Z"),
            first(vm("november", "2026-11-30T23:00:00Z"), "2026-11-30T23:59:59Z"),
            vm("old", "2026-11-30T23:00:00Z"),
        ],
    );
    let report = report_of("2026-11", vec![taken]);
    assert_eq!(lines(&report), ["- VM 11: 1/1 +1 r0 = 11"]);
    assert_eq!(report.workloads.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["november", "old"]);
}

#[test]
fn the_months_end_ages_out_what_the_sample_still_counted() {
    // Sampled at 23:58 with a restore point that is 31 days old at 23:59.
    let taken = sample("2026-02-28T23:58:00Z", vec![vm("sql01", "2026-01-28T23:59:00Z")]);
    assert_eq!(super::made::in_short(&taken).points, points("11"));
    assert_eq!(report_of("2026-02", vec![taken.clone()]).total_points, points("0"));
    let vouched = Sample { vouched: true, ..taken };
    assert_eq!(report_of("2026-02", vec![vouched]).total_points, points("0"), "restore points age it to T");
}

#[test]
fn two_weights_of_one_type_stand_in_two_lines() {
    let heavy = Workload { points: Some(points("13")), ..vm("heavy", "2026-02-28T01:00:00Z") };
    let report = report_of("2026-02", vec![sample("2026-02-28T23:58:00Z", vec![heavy, vm("light", LATE)])]);
    assert_eq!(lines(&report), ["- VM 11: 1/1 +0 r0 = 11", "- VM 13: 1/1 +0 r0 = 13"]);
}

const LATE: &str = "2026-02-28T01:00:00Z";

#[test]
fn fractional_totals_are_exact_beside_the_total_rounded_up() {
    let part = |id: &str| Workload { points: Some(points("0.35")), ..vm(id, LATE) };
    let report = report_of("2026-02", vec![sample("2026-02-28T23:58:00Z", vec![part("a"), part("b"), part("c")])]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["total_points"], &json["total_points_rounded"]), (&"1.05".into(), &"2".into()));
}

#[test]
fn counted_tenants_make_lines_and_their_rental_replicas_count() {
    let counts = vec![
        count_of("A", WorkloadType::CloudConnectVm, "5", [20, 2, 1]),
        count_of("B", WorkloadType::CloudConnectReplica, "10", [0, 0, 3]),
    ];
    let report = report_of("2026-02", vec![Sample { counts, ..sample("2026-02-28T23:58:00Z", vec![]) }]);
    assert_eq!(lines(&report), ["A CloudConnectVM 5: 20/20 +2 r1 = 100", "B CloudConnectReplica 10: 3/3 +0 r0 = 30"]);
    assert_eq!(report.total_points, points("130"));
}

#[test]
fn counts_that_were_new_in_the_month_of_a_carried_sample_are_used_in_the_months_after_it() {
    let counts = || vec![count_of("A", WorkloadType::CloudConnectVm, "5", [100, 20, 0])];
    let carried = || Sample { counts: counts(), ..sample("2026-02-27T23:58:00Z", vec![]) };
    let of = |month: &str| lines(&report_of(month, vec![carried()]));
    assert_eq!(of("2026-02"), ["A CloudConnectVM 5: 100/100 +20 r0 = 500"]);
    assert_eq!(of("2026-03"), ["A CloudConnectVM 5: 120/120 +0 r0 = 600"]);
}

#[test]
fn every_workload_says_why_it_stands_in_the_report_and_unprotected_ones_do_not() {
    let taken = sample(
        "2026-02-28T23:58:00Z",
        vec![
            vm("counts", LATE),
            vm("gone", "2026-01-20T00:00:00Z"),
            first(vm("new", LATE), "2026-02-03T00:00:00Z"),
            rental(vm("rented", LATE)),
        ],
    );
    let report = report_of("2026-02", vec![taken]);
    let told: Vec<_> = report.workloads.iter().map(|one| (one.id.as_str(), one.reason, one.counted)).collect();
    assert_eq!(
        told,
        [("counts", Reason::Protected, true), ("new", Reason::New, false), ("rented", Reason::Rental, false)]
    );
    assert!(report.workloads.iter().all(|one| one.counted || one.points.is_zero()));
}

#[test]
fn a_type_without_a_weight_stands_at_zero_with_a_note() {
    let other = Workload { kind: WorkloadType::Other("EntraID".to_owned()), points: None, ..vm("users", LATE) };
    let report = report_of("2026-02", vec![sample("2026-02-28T23:58:00Z", vec![other])]);
    assert_eq!(report.workloads[0].note.as_deref(), Some("no weight is known for type EntraID"));
    assert_eq!(lines(&report), ["- EntraID 0: 1/1 +0 r0 = 0"]);
}

#[test]
fn the_same_machine_on_two_servers_is_counted_on_each_and_named() {
    let one = sample("2026-02-28T23:58:00Z", vec![vm("own", LATE), vm("shared", LATE)]);
    let two = Sample { server: "vbr02".to_owned(), ..sample("2026-02-28T23:58:00Z", vec![vm("shared", LATE)]) };
    let report = report_of("2026-02", vec![one, two]);
    assert_eq!(report.total_points, points("33"));
    let notes: Vec<_> = report.workloads.iter().map(|one| (one.id.as_str(), one.note.as_deref())).collect();
    let shared = |other| ("shared", Some(other));
    assert_eq!(notes, [("own", None), shared("also counted on vbr02"), shared("also counted on vbr01")]);
}

#[test]
fn stale_and_missing_servers_are_named_and_the_newest_license_stands() {
    let mut facts = facts_of("2026-02", vec![sample("2026-02-20T00:00:00Z", vec![vm("a", "2026-02-20T00:00:00Z")])]);
    facts.samples[0].stale = true;
    facts.not_collected = vec!["vbr03".to_owned()];
    let mut newer = Sample { server: "vbr02".to_owned(), ..sample("2026-02-28T23:58:00Z", vec![]) };
    newer.license.installation_id = Some("installation-2".to_owned());
    newer.license.licensed_points = Some(points("900"));
    facts.samples.push(BasisSample { first_processed_at: Vec::new(), sample: newer.into(), stale: false });
    let report = generate(facts);
    assert_eq!(report.basis.stale.iter().map(|one| one.server.as_str()).collect::<Vec<_>>(), ["vbr01"]);
    assert_eq!(report.not_collected, ["vbr03"]);
    assert_eq!(report.license.licensed_points, Some(points("900")));
    assert_eq!(report.installations, ["installation-1", "installation-2"]);
    assert_eq!(report.contract_id.as_deref(), Some("01234567"), "the support id unless enrolment says otherwise");
    assert_eq!((report.id, report.stage), (report_id("unit-1", month("2026-02"), 1), Stage::AwaitingReview));
}

#[test]
fn a_machine_first_shown_by_the_sample_that_is_carried_stands_in_that_month() {
    let taken =
        sample("2026-11-20T10:00:00Z", vec![vm("old", "2026-11-20T01:00:00Z"), vm("young", "2026-11-20T09:00:00Z")]);
    let mut facts = facts_of("2026-11", vec![taken]);
    facts.samples[0].stale = true;
    facts.samples[0].first_processed_at = vec![None, Some(at("2026-11-20T10:00:00Z"))];
    let report = generate(facts);
    assert_eq!(lines(&report), ["- VM 11: 1/1 +1 r0 = 11"]);
}

#[test]
fn without_any_basis_the_report_names_the_server_and_keeps_the_units_license() {
    let facts = ReportFacts { not_collected: vec!["vbr01".to_owned()], ..facts_of("2026-02", vec![]) };
    let report = generate(ReportFacts { unit: Unit { license_id: Some("license-9".to_owned()), ..unit() }, ..facts });
    assert_eq!((report.lines.len(), report.license_id.as_deref()), (0, Some("license-9")));
}

#[test]
fn the_digest_says_what_was_reported_and_not_where_it_stands() {
    let report = report_of("2026-02", vec![sample("2026-02-28T23:58:00Z", vec![vm("a", LATE)])]);
    assert_eq!(digest_of(&report), report.digest);
    let mut later = report.clone();
    later.stage = Stage::Postponed { until: at("2026-03-05T00:00:00Z") };
    later.external.portal = Some("Pulse".to_owned());
    later.server_verdict = Some("accepted".to_owned());
    assert_eq!(digest_of(&later), report.digest);
    later.lines[0].reported_count = 0;
    assert_ne!(digest_of(&later), report.digest);
}

#[test]
fn an_on_demand_report_is_classified_now_with_this_month_as_the_month() {
    let taken = sample("2026-02-15T12:00:00Z", vec![first(vm("a", "2026-02-15T01:00:00Z"), "2026-02-03T00:00:00Z")]);
    let report = generate_as_of(facts_of("2026-02", vec![taken]), AsOf::sample(at("2026-02-15T12:30:00Z")));
    assert_eq!(lines(&report), ["- VM 11: 0/0 +1 r0 = 0"]);
    assert_eq!(report.basis.as_of, at("2026-02-15T12:30:00Z"));
}

/// What the lines must say, computed from the workloads alone.
fn from_workloads(report: &UsageReport) -> (Points, u64, u64, u64) {
    let count = |reason| report.workloads.iter().filter(|one| one.reason == reason).count() as u64;
    let total = report.workloads.iter().map(|one| one.points).sum();
    (total, count(Reason::Protected), count(Reason::New), count(Reason::Rental))
}

/// Tenant, weight, days since the last and since the first restore point, and what is rare.
type Drawn = (u8, u8, i64, Option<i64>, u8);

fn estates() -> impl Strategy<Value = Vec<Sample>> {
    let machine = (0..3u8, 0..3u8, 0..40i64, prop::option::of(0..60i64), 0..8u8);
    let estate = prop::collection::btree_map(0..60u32, machine, 0..25);
    prop::collection::vec(estate, 1..3).prop_map(|estates| {
        let ends = at("2026-03-01T00:00:00Z");
        let days = |days: i64| -> Instant { ends - chrono::TimeDelta::days(days) - chrono::TimeDelta::seconds(1) };
        let machine = |(id, (tenant, weight, last, first, rare)): (u32, Drawn)| {
            let kinds = [WorkloadType::Vm, WorkloadType::CloudConnectVm, WorkloadType::CloudConnectReplica];
            let kind = kinds[usize::from(rare % 3)].clone();
            let weight = ["11", "5.5", "0.1"][usize::from(weight)];
            let mut one = of_tenant(vm(&format!("m{id:02}"), LATE), "t", kind, weight);
            one.tenant = (tenant > 0).then(|| format!("tenant-{tenant}"));
            one.last_restore_point_at = Some(days(last));
            one.rental = rare == 7;
            match first {
                Some(first) => Workload { first_processed_at: Some(days(first)), ..one },
                None => undated(one),
            }
        };
        let sample_of = |(index, estate): (usize, std::collections::BTreeMap<u32, _>)| Sample {
            server: format!("vbr0{index}"),
            ..sample("2026-02-28T23:58:00Z", estate.into_iter().map(machine).collect())
        };
        estates.into_iter().enumerate().map(sample_of).collect()
    })
}

proptest! {
    #[test]
    fn lines_always_equal_the_workloads_and_the_total_the_lines(samples in estates()) {
        let report = report_of("2026-02", samples);
        let sum = |field: fn(&tidegauge::domain::report::Line) -> u64| report.lines.iter().map(field).sum::<u64>();
        let of_lines = (
            report.lines.iter().map(|line| line.points).sum::<Points>(),
            sum(|line| line.reported_count),
            sum(|line| line.new_count),
            sum(|line| line.rental_count),
        );
        prop_assert_eq!(of_lines, from_workloads(&report));
        prop_assert_eq!(of_lines.0, report.total_points);
        for line in &report.lines {
            prop_assert_eq!(line.points, line.weight * line.reported_count);
        }
        prop_assert_eq!(report.total_points_rounded, report.total_points.rounded_up());
    }

    #[test]
    fn the_same_facts_always_make_the_same_report(samples in estates()) {
        prop_assert_eq!(report_of("2026-02", samples.clone()), report_of("2026-02", samples));
    }
}
