//! Protected, rental, new, billable; the ledger; weights and what they add up to.

use chrono::TimeDelta;
use proptest::prelude::*;
use tidegauge::domain::sample::{GroupTotal, Sample};
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Class, Workload, WorkloadType};
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::counting::{
    AsOf, DISCREPANCIES_MAX, Ledger, class_of, classify, cross_check, summary, total_of_count,
};

use tidegauge::rules::rating::Rating;

use super::made::{
    at, classes, count_of, first, in_short, ledger, month, of_tenant, points, rental, sample, undated, vm,
};

const LONG_AGO: &str = "2026-02-01T00:00:00Z";

fn is_protected(last_restore_point_at: Instant, report_at: Instant) -> bool {
    let workload = Workload { last_restore_point_at: Some(last_restore_point_at), ..vm("sql01", LONG_AGO) };
    let sample = Sample { taken_at: report_at, ..sample(LONG_AGO, vec![]) };
    class_of(&workload, &sample, None, AsOf::sample(report_at)) != Class::Unprotected
}

#[test]
fn the_window_at_each_month_start_opens_where_the_table_of_the_field_says() {
    // domain.md 7.3.
    let table = [
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-01-29T00:00:00Z"),
        ("2026-04-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-05-01T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("2026-07-01T00:00:00Z", "2026-05-31T00:00:00Z"),
        ("2028-03-01T00:00:00Z", "2028-01-30T00:00:00Z"),
    ];
    for (report_at, opens_at) in table {
        let (report_at, opens_at) = (at(report_at), at(opens_at));
        assert!(!is_protected(opens_at, report_at), "{report_at}: the window is open at its start");
        assert!(is_protected(opens_at + TimeDelta::nanoseconds(1), report_at), "{report_at}");
        assert!(!is_protected(opens_at - TimeDelta::nanoseconds(1), report_at), "{report_at}");
    }
}

#[test]
fn the_official_example_of_a_machine_stopped_on_march_15_leaves_with_the_april_report() {
    // domain.md 7.3: backed up daily Jan 1 to Mar 15, 2024.
    let last = at("2024-03-15T22:00:00Z");
    assert!(is_protected(last, month("2024-03").ends_at()));
    assert!(!is_protected(last, month("2024-04").ends_at()));
}

#[test]
fn a_workload_without_any_restore_point_date_is_as_protected_as_its_sample() {
    let workload = Workload { last_restore_point_at: None, ..vm("sql01", LONG_AGO) };
    let sample = sample("2026-03-10T00:00:00Z", vec![]);
    let class = |as_of: &str| class_of(&workload, &sample, None, AsOf::sample(at(as_of)));
    assert_eq!(class("2026-03-10T00:00:00Z"), Class::Billable);
    assert_eq!(class("2026-04-09T23:59:59Z"), Class::Billable);
    assert_eq!(class("2026-04-10T00:00:00Z"), Class::Unprotected);
}

#[test]
fn classes_are_told_in_the_order_unprotected_rental_new_billable() {
    let taken = sample("2026-03-10T12:00:00Z", vec![]);
    let (old, fresh) = (vm("a", "2026-02-07T12:00:00Z"), vm("a", "2026-03-10T01:00:00Z"));
    let this_month = Some(at("2026-03-02T00:00:00Z"));
    let class = |workload: &Workload, first| class_of(workload, &taken, first, AsOf::sample(taken.taken_at));
    assert_eq!(class(&rental(old.clone()), this_month), Class::Unprotected);
    assert_eq!(class(&rental(fresh.clone()), this_month), Class::Rental);
    assert_eq!(class(&fresh, this_month), Class::New);
    assert_eq!(class(&fresh, None), Class::Billable);
    assert_eq!(class(&old, None), Class::Unprotected);
}

#[test]
fn a_replica_of_a_rental_tenant_counts_or_is_new_like_any_other() {
    let replica = rental(of_tenant(vm("r", "2026-03-10T01:00:00Z"), "B", WorkloadType::CloudConnectReplica, "10"));
    let taken = sample("2026-03-10T12:00:00Z", vec![]);
    let class = |first| class_of(&replica, &taken, first, AsOf::sample(taken.taken_at));
    assert_eq!(class(None), Class::Billable);
    assert_eq!(class(Some(at("2026-03-01T00:00:00Z"))), Class::New);
}

#[test]
fn new_begins_with_the_first_instant_of_the_calendar_month() {
    let march = sample(
        "2026-03-31T23:59:59Z",
        vec![
            first(vm("february", "2026-03-31T01:00:00Z"), "2026-02-28T23:59:59Z"),
            first(vm("first-instant", "2026-03-31T01:00:00Z"), "2026-03-01T00:00:00Z"),
            first(vm("seconds-ago", "2026-03-31T23:59:59Z"), "2026-03-31T23:59:59Z"),
        ],
    );
    assert_eq!(classes(&[], &march), [Class::Billable, Class::New, Class::New]);
    let april = Sample { taken_at: at("2026-04-01T00:00:00Z"), ..march };
    assert_eq!(classes(&[], &april), [Class::Billable; 3]);
}

#[test]
fn what_the_first_sample_shows_undated_is_not_new_and_what_later_ones_show_is() {
    let old = undated(vm("old", "2026-03-10T01:00:00Z"));
    let arrived = undated(vm("arrived", "2026-03-10T01:00:00Z"));
    let one = sample("2026-03-10T10:00:00Z", vec![old.clone()]);
    let two = sample("2026-03-10T11:00:00Z", vec![arrived, old]);
    assert_eq!(classes(&[], &one), [Class::Billable]);
    assert_eq!(classes(&[&one], &two), [Class::New, Class::Billable]);
}

#[test]
fn a_stated_date_is_authoritative_over_what_the_samples_showed() {
    let arrived = vm("arrived", "2026-03-10T01:00:00Z");
    let one = sample("2026-03-10T10:00:00Z", vec![]);
    let old = sample("2026-03-10T11:00:00Z", vec![first(arrived.clone(), "2026-01-05T00:00:00Z")]);
    assert_eq!(classes(&[&one], &old), [Class::Billable]);
    let new = sample("2026-03-10T11:00:00Z", vec![first(arrived.clone(), "2026-03-05T00:00:00Z")]);
    assert_eq!(classes(&[], &new), [Class::New], "stated, even in the very first sample");
    // Stated once, silent later: what was stated still holds.
    let silent = sample("2026-03-10T12:00:00Z", vec![undated(arrived)]);
    assert_eq!(classes(&[&one, &old], &silent), [Class::Billable]);
}

#[test]
fn an_earlier_import_tells_that_a_workload_is_old() {
    let arrived = undated(vm("arrived", "2026-03-10T01:00:00Z"));
    let import = sample("2026-01-10T10:00:00Z", vec![undated(vm("arrived", "2026-01-10T01:00:00Z"))]);
    let (one, two) = (sample("2026-03-10T10:00:00Z", vec![]), sample("2026-03-10T11:00:00Z", vec![arrived]));
    assert_eq!(classes(&[&one], &two), [Class::New]);
    assert_eq!(classes(&[&import, &one], &two), [Class::Billable]);
}

#[test]
fn protected_again_after_a_gap_is_not_new_but_a_new_identity_is() {
    let back = undated(vm("sql01", "2026-06-02T01:00:00Z"));
    let reinstalled = undated(vm("sql01-new-id", "2026-06-02T01:00:00Z"));
    let before = sample("2026-03-10T10:00:00Z", vec![undated(vm("sql01", "2026-03-10T01:00:00Z"))]);
    let gap = sample("2026-05-10T10:00:00Z", vec![]);
    let after = sample("2026-06-02T10:00:00Z", vec![back, reinstalled]);
    assert_eq!(classes(&[&before, &gap], &after), [Class::Billable, Class::New]);
}

#[test]
fn a_date_that_was_too_old_already_ages_nothing_that_the_servers_list_vouches_for() {
    let stale_dates = Sample { vouched: true, ..sample("2026-02-28T23:58:00Z", vec![vm("a", "2026-01-01T00:00:00Z")]) };
    assert_eq!(classes(&[], &stale_dates), [Class::Billable]);
    let at_the_end = AsOf::month_end("2026-02".parse().unwrap());
    assert_eq!(class_of(&stale_dates.workloads[0], &stale_dates, None, at_the_end), Class::Billable, "the list wins");
    assert_eq!(super::made::report_of("2026-02", vec![stale_dates.clone()]).total_points, points("11"));
    let said = cross_check(&stale_dates, &in_short(&stale_dates), &Rating::default()).join("; ");
    assert!(said.contains("1 workloads such as a.example.net have no known restore point"), "{said}");
    let not_vouched = Sample { vouched: false, ..stale_dates };
    assert_eq!(classes(&[], &not_vouched), [Class::Unprotected]);
}

#[test]
fn restore_points_age_what_a_list_vouches_for_between_its_sample_and_the_instant_asked_about() {
    let taken = Sample { vouched: true, ..sample("2026-03-10T12:00:00Z", vec![vm("a", "2026-02-07T12:00:01Z")]) };
    let class = |seconds| {
        class_of(&taken.workloads[0], &taken, None, AsOf::sample(taken.taken_at + TimeDelta::seconds(seconds)))
    };
    assert_eq!((class(0), class(1)), (Class::Billable, Class::Unprotected));
}

#[test]
fn the_ledger_says_which_rows_a_sample_changed_and_is_put_back_from_them() {
    let mut known = Ledger::default();
    let one = sample("2026-03-10T10:00:00Z", vec![undated(vm("a", LONG_AGO)), undated(vm("b", LONG_AGO))]);
    assert_eq!(known.take_note(&one), ["a", "b"]);
    assert_eq!(known.take_note(&Sample { taken_at: at("2026-03-10T11:00:00Z"), ..one.clone() }), [""; 0]);
    let stated = sample("2026-03-10T12:00:00Z", vec![first(vm("b", LONG_AGO), "2026-01-01T00:00:00Z")]);
    assert_eq!(known.take_note(&stated), ["b"]);
    let rows = known.rows().iter().map(|(id, seen)| (id.clone(), *seen));
    assert_eq!(Ledger::of(known.first_sample_at(), rows), known);
}

#[test]
fn fractional_points_are_summed_exactly_and_only_the_shown_total_is_rounded_up() {
    let third = |id: &str| Workload { points: Some(points("0.1")), ..vm(id, "2026-03-10T01:00:00Z") };
    let taken = sample("2026-03-10T12:00:00Z", vec![third("a"), third("b"), third("c")]);
    let short = in_short(&taken);
    assert_eq!((short.points, short.points.rounded_up()), (points("0.3"), points("1")));
    let half = Workload { points: Some(points("1282.7")), ..vm("d", "2026-03-10T01:00:00Z") };
    let short = in_short(&sample("2026-03-10T12:00:00Z", taken.workloads.iter().cloned().chain([half]).collect()));
    assert_eq!((short.points.to_string(), short.points.rounded_up().to_string()), ("1283".into(), "1283".into()));
}

#[test]
fn a_tenants_counts_are_taken_as_the_server_classified_them() {
    let taken = sample("2026-03-10T12:00:00Z", vec![]);
    let total =
        total_of_count(&count_of("A", WorkloadType::CloudConnectVm, "5", [20, 2, 1]), &taken, &Rating::default());
    let expected = GroupTotal {
        count: 20,
        points: points("100"),
        new_count: 2,
        new_points: points("10"),
        rental_count: 1,
        sharing: 0,
    };
    assert_eq!(total, expected);
    let replicas =
        total_of_count(&count_of("A", WorkloadType::CloudConnectReplica, "10", [3, 1, 2]), &taken, &Rating::default());
    assert_eq!((replicas.count, replicas.points, replicas.rental_count), (5, points("50"), 0), "they always count");
}

/// The estate of domain.md 6 (Cloud Connect, February 2026), with one machine of tenant A that stops on January 20.
fn worked_example(taken_at: &str) -> Sample {
    let cloud = |id: String, tenant: &str, kind, weight| of_tenant(vm(&id, taken_at), tenant, kind, weight);
    let mut workloads: Vec<Workload> =
        (0..10).map(|n| cloud(format!("a-vm{n}"), "A", WorkloadType::CloudConnectVm, "5")).collect();
    workloads.push(of_tenant(vm("a-stopped", "2026-01-20T10:00:00Z"), "A", WorkloadType::CloudConnectVm, "5"));
    workloads.extend((0..2).map(|n| cloud(format!("a-replica{n}"), "A", WorkloadType::CloudConnectReplica, "10")));
    workloads.push(cloud("a-server".to_owned(), "A", WorkloadType::CloudConnectServer, "7"));
    workloads.extend((0..5).map(|n| rental(cloud(format!("b-vm{n}"), "B", WorkloadType::CloudConnectVm, "5"))));
    workloads.push(rental(cloud("b-replica".to_owned(), "B", WorkloadType::CloudConnectReplica, "10")));
    workloads.extend((0..4).map(|n| cloud(format!("c-ws{n}"), "C", WorkloadType::CloudConnectWorkstation, "3")));
    if at("2026-02-20T09:00:00Z") <= at(taken_at) {
        let born = |n| cloud(format!("c-vm{n}"), "C", WorkloadType::CloudConnectVm, "5");
        workloads.extend((0..3).map(|n| first(born(n), "2026-02-20T09:00:00Z")));
    }
    sample(taken_at, workloads)
}

#[test]
fn the_worked_example_of_the_field_counts_104_then_99_and_15_new() {
    for (taken_at, used, new) in [
        ("2026-02-12T00:00:00Z", "104", "0"),
        ("2026-02-19T00:00:00Z", "104", "0"),
        ("2026-02-20T09:59:59Z", "104", "15"),
        ("2026-02-20T10:00:00Z", "99", "15"),
        ("2026-02-28T23:59:59Z", "99", "15"),
        ("2026-03-01T00:00:00Z", "114", "0"),
    ] {
        let short = in_short(&worked_example(taken_at));
        assert_eq!((short.points, short.new_points), (points(used), points(new)), "{taken_at}");
        assert_eq!(short.rental_count, 5, "{taken_at}");
    }
}

#[test]
fn the_worked_example_reports_99_and_adjusts_to_89_and_59() {
    use tidegauge::domain::adjustment::AdjustmentOrder;
    let report = super::made::report_of("2026-02", vec![worked_example("2026-02-28T23:58:00Z")]);
    assert_eq!(report.total_points, points("99"));
    let lower = |to| {
        let order = AdjustmentOrder::Lower {
            tenant: Some("A".to_owned()),
            kind: WorkloadType::CloudConnectVm,
            weight: None,
            to,
            reason: "vCenter migration".to_owned(),
        };
        tidegauge::rules::review::adjust(&report, &order, "user:licensing", report.generated_at).unwrap().total_points
    };
    assert_eq!((lower(8), lower(2)), (points("89"), points("59")));
}

#[test]
fn where_the_servers_numbers_and_ours_differ_is_named() {
    let mut taken = sample("2026-03-10T12:00:00Z", vec![vm("a", "2026-03-10T01:00:00Z")]);
    taken.license.used_points = Some(points("11"));
    taken.license.new_points = Some(points("0"));
    assert_eq!(cross_check(&taken, &in_short(&taken), &Rating::default()), [""; 0]);
    taken.license.used_points = Some(points("22"));
    assert_eq!(
        cross_check(&taken, &in_short(&taken), &Rating::default()),
        ["used points: the server says 22, counted 11"]
    );
}

#[test]
fn a_workload_or_count_without_a_known_weight_counts_zero_and_is_named() {
    let unknown = Workload {
        kind: WorkloadType::Other("EntraID".to_owned()),
        points: None,
        ..vm("tenant-users", "2026-03-10T01:00:00Z")
    };
    let mut taken = sample("2026-03-10T12:00:00Z", vec![unknown.clone()]);
    taken.counts = vec![TenantCount { weight: None, ..count_of("A", WorkloadType::FileShare, "1", [4, 0, 0]) }];
    let found = cross_check(&taken, &in_short(&taken), &Rating::default());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("EntraID (tenant-users.example.net)"), "{found:?}");
    assert!(found[1].contains("FileShare (tenant A)"), "{found:?}");
    assert_eq!(in_short(&taken).points, Points::ZERO);
    taken.workloads = (0..100).map(|n| Workload { id: format!("{n:03}"), ..unknown.clone() }).collect();
    assert_eq!(cross_check(&taken, &in_short(&taken), &Rating::default()).len(), DISCREPANCIES_MAX);
}

fn any_workload() -> impl Strategy<Value = Workload> {
    let kinds = prop::sample::select(vec![
        WorkloadType::Vm,
        WorkloadType::CloudConnectVm,
        WorkloadType::CloudConnectReplica,
        WorkloadType::Other("EntraID".to_owned()),
    ]);
    (0..500u32, kinds, 0..3u8, 0..2000i64, 0..80i64, prop::option::of(0..80i64), any::<bool>()).prop_map(
        |(number, kind, tenant, hundredths, last, first, rental)| Workload {
            id: format!("machine-{number:03}"),
            tenant: (tenant > 0).then(|| format!("tenant-{tenant}")),
            kind,
            points: Some(Points::new(rust_decimal::Decimal::new(hundredths, 2))),
            first_processed_at: first.map(|days| at("2026-04-01T00:00:00Z") - TimeDelta::days(days)),
            last_restore_point_at: Some(at("2026-04-01T00:00:00Z") - TimeDelta::days(last)),
            rental,
            ..vm("machine", LONG_AGO)
        },
    )
}

proptest! {
    #[test]
    fn a_summary_is_the_sum_of_its_workloads_each_counted_in_one_class(
        workloads in prop::collection::vec(any_workload(), 0..40),
    ) {
        let taken = sample("2026-04-01T00:00:00Z", workloads);
        let counted = classify(&taken, &ledger(&[&taken]), AsOf::sample(taken.taken_at), &Rating::default());
        let short = summary(&taken, &counted, &Rating::default());
        let of = |class| counted.iter().filter(move |one| one.class == class);
        prop_assert_eq!(short.points, of(Class::Billable).map(|one| one.weight).sum::<Points>());
        prop_assert_eq!(short.new_points, of(Class::New).map(|one| one.weight).sum::<Points>());
        prop_assert_eq!(short.rental_count, of(Class::Rental).count() as u64);
        prop_assert_eq!(short.groups.values().map(|group| group.points).sum::<Points>(), short.points);
        prop_assert_eq!(short.by_type().values().copied().sum::<Points>(), short.points);
    }

    #[test]
    fn a_protected_workload_stays_protected_until_exactly_31_days_after_its_last_restore_point(
        seconds in 0..400_000_000i64, nanos in 0..1_000_000_000u32,
    ) {
        let last = Instant::from_timestamp(1_600_000_000 + seconds, nanos).unwrap();
        let ends = last + TimeDelta::hours(744);
        prop_assert!(is_protected(last, ends - TimeDelta::nanoseconds(1)));
        prop_assert!(!is_protected(last, ends));
    }
}
