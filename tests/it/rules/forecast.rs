//! The forecast agrees with what is counted and reported on the 1st.

use proptest::prelude::*;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::counting::{AsOf, classify, summary};
use tidegauge::rules::forecast::{Change, Forecast, Machines, forecast};
use tidegauge::rules::rating::Rating;
use tidegauge::rules::reporting::BasisSample;

use super::made::{at, count_of, facts_of, first, ledger, points, rental, report_of, sample, vm};

const NOW: &str = "2026-10-20T12:00:00Z";

fn basis(sample: Sample) -> BasisSample {
    facts_of("2026-10", vec![sample]).samples.remove(0)
}

fn of(samples: Vec<Sample>) -> Forecast {
    forecast(&samples.into_iter().map(basis).collect::<Vec<_>>(), Machines::OnEachServer, &Rating::default(), at(NOW))
}

fn named(changes: &[Change]) -> Vec<String> {
    let name = |change: &Change| change.workload.as_ref().map_or("counts".to_owned(), |(id, _)| id.clone());
    changes
        .iter()
        .map(|change| format!("{} {} {}", name(change), change.points, change.at.format("%m-%d %H:%M")))
        .collect()
}

#[test]
fn new_workloads_start_on_the_1st_and_those_not_backed_up_again_have_aged_out_by_then() {
    let taken = sample(
        NOW,
        vec![
            vm("steady", "2026-10-20T01:00:00Z"),
            first(vm("fresh", "2026-10-20T01:00:00Z"), "2026-10-05T01:00:00Z"),
            vm("idle", "2026-09-25T01:00:00Z"),
            // Its last restore point is 31 × 24 h old at the first instant of November.
            vm("edge", "2026-10-01T00:00:00Z"),
            vm("just", "2026-10-01T00:00:01Z"),
            first(vm("tried", "2026-10-01T00:00:00Z"), "2026-10-01T00:00:00Z"),
            rental(vm("theirs", "2026-10-20T01:00:00Z")),
        ],
    );
    let forecast = of(vec![taken]);
    assert_eq!((forecast.points, forecast.new_points), (points("44"), points("22")));
    assert_eq!((forecast.report_points, forecast.points_on_first), (points("22"), points("33")));
    assert_eq!(named(&forecast.starting), ["fresh 11 11-01 00:00"]);
    assert_eq!(named(&forecast.aging_out), ["idle 11 10-26 01:00", "edge 11 11-01 00:00"]);
}

#[test]
fn of_counts_only_sources_what_is_new_rolls_into_used() {
    let counts = vec![
        count_of("A", WorkloadType::CloudConnectVm, "5", [20, 2, 1]),
        count_of("A", WorkloadType::CloudConnectReplica, "10", [1, 0, 1]),
    ];
    let forecast = of(vec![Sample { counts, ..sample(NOW, Vec::new()) }]);
    assert_eq!((forecast.points, forecast.report_points), (points("120"), points("120")));
    assert_eq!((forecast.new_points, forecast.points_on_first), (points("10"), points("130")));
    assert_eq!((named(&forecast.starting), forecast.starting[0].count), (vec!["counts 10 11-01 00:00".to_owned()], 2));
}

#[test]
fn a_server_that_is_not_reached_is_carried_as_it_stood() {
    let idle = vm("idle", "2026-09-25T01:00:00Z");
    let stale = BasisSample { stale: true, ..basis(sample("2026-10-18T12:00:00Z", vec![idle])) };
    let forecast = forecast(&[stale], Machines::OnEachServer, &Rating::default(), at(NOW));
    assert_eq!((forecast.points, forecast.points_on_first), (points("11"), points("11")));
}

#[test]
fn what_was_new_last_month_counts_although_the_newest_sample_is_of_that_month() {
    let fresh = first(vm("fresh", "2026-09-30T01:00:00Z"), "2026-09-05T01:00:00Z");
    let counts = vec![count_of("A", WorkloadType::CloudConnectVm, "5", [20, 2, 0])];
    let taken = Sample { counts, ..sample("2026-09-30T23:58:00Z", vec![fresh]) };
    let forecast = forecast(&[basis(taken)], Machines::OnEachServer, &Rating::default(), at("2026-10-01T00:30:00Z"));
    assert_eq!((forecast.points, forecast.new_points), (points("121"), points("0")));
}

#[test]
fn a_machine_that_counts_once_starts_once() {
    let copy = |server: &str| {
        let fresh = first(vm("fresh", "2026-10-20T01:00:00Z"), "2026-10-05T01:00:00Z");
        basis(Sample { server: server.to_owned(), ..sample(NOW, vec![fresh]) })
    };
    let samples = [copy("vbr01"), copy("vbr02")];
    let on_first = |machines| forecast(&samples, machines, &Rating::default(), at(NOW)).points_on_first;
    assert_eq!((on_first(Machines::OnEachServer), on_first(Machines::Once)), (points("22"), points("11")));
}

fn hours_before(hours: i64) -> Instant {
    at(NOW) - chrono::TimeDelta::hours(hours)
}

fn workloads() -> impl Strategy<Value = Vec<Workload>> {
    let one = (0..1000i64, 0..1000i64, any::<bool>(), any::<bool>(), 0..3usize);
    prop::collection::vec(one, 0..12).prop_map(|drawn| {
        let each = |(n, (age, back, is_rental, undated, weight)): (usize, (i64, i64, bool, bool, usize))| {
            let last = hours_before(age.min(back));
            Workload {
                points: Some(points(["11", "5.5", "0.1"][weight])),
                first_processed_at: Some(hours_before(age)),
                last_restore_point_at: (!undated).then_some(last),
                rental: is_rental,
                ..vm(&format!("m{n:02}"), NOW)
            }
        };
        drawn.into_iter().enumerate().map(each).collect()
    })
}

fn counts() -> impl Strategy<Value = Vec<TenantCount>> {
    let kinds = [WorkloadType::CloudConnectVm, WorkloadType::CloudConnectReplica];
    prop::collection::vec(([0..9u32, 0..9u32, 0..9u32], 0..2usize), 0..3).prop_map(move |drawn| {
        let each = |(n, (numbers, kind)): (usize, ([u32; 3], usize))| {
            count_of(&format!("T{n}"), kinds[kind].clone(), "5", numbers)
        };
        drawn.into_iter().enumerate().map(each).collect()
    })
}

/// What the server itself would show in the next month's first instant: new counts are used.
fn rolled(counts: &[TenantCount]) -> Vec<TenantCount> {
    counts.iter().map(|count| TenantCount { used: count.used + count.new, new: 0, ..count.clone() }).collect()
}

proptest! {
    #[test]
    fn the_forecast_is_what_report_and_counting_yield_on_the_1st_from_the_same_sample(
        workloads in workloads(), counts in counts(), vouched in any::<bool>(),
    ) {
        let taken = Sample { counts, vouched, ..sample(NOW, workloads) };
        let known = ledger(&[&taken]);
        let forecast = of(vec![taken.clone()]);
        let today = summary(&taken, &classify(&taken, &known, AsOf::sample(taken.taken_at), &Rating::default()), &Rating::default());
        prop_assert_eq!((forecast.points, forecast.new_points), (today.points, today.new_points));
        let report = report_of("2026-10", vec![taken.clone()]);
        prop_assert_eq!(forecast.report_points, report.total_points);
        let as_of = AsOf::sample(at("2026-11-01T00:00:00Z"));
        let then = Sample { counts: rolled(&taken.counts), ..taken };
        prop_assert_eq!(forecast.points_on_first, summary(&then, &classify(&then, &known, as_of, &Rating::default()), &Rating::default()).points);
        let sum = |changes: &[Change]| changes.iter().map(|change| change.points).sum::<Points>();
        let changed = forecast.points + sum(&forecast.starting) - sum(&forecast.aging_out);
        prop_assert_eq!(changed, forecast.points_on_first);
    }
}
