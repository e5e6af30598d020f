//! Usage of a period in steps: gaps, beginnings of weeks and months, each group's own maximum.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use proptest::prelude::*;
use tidegauge::domain::sample::{Group, GroupTotal, Summary};
use tidegauge::domain::watermark::HighWatermark;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::usage_series::{Day, Step, days_of, series};

use super::made::{at, points};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("tests write days as 2026-10-31")
}

/// A day with a mark at noon and groups.
fn on(text: &str, mark: &str, groups: &[(&str, &str)]) -> Day {
    let mark = HighWatermark { points: points(mark), at: at(&format!("{text}T12:00:00Z")) };
    let groups = groups.iter().map(|(key, reached)| ((*key).to_owned(), points(reached))).collect();
    Day { day: day(text), mark, groups }
}

#[test]
fn weeks_begin_on_monday_months_on_the_first_and_the_ends_are_cut_at_the_period() {
    let days = [on("2026-10-25", "5", &[]), on("2026-10-26", "7", &[]), on("2026-11-01", "9", &[])];
    let of = |step| {
        let series = series(&days, (day("2026-10-24"), day("2026-11-03")), step, 10);
        let steps = series.steps.iter().map(|one| {
            let points = one.points.map_or("-".to_owned(), |points| points.to_string());
            format!("{} {} {points}", one.from, one.until)
        });
        steps.collect::<Vec<String>>()
    };
    assert_eq!(of(Step::Week), ["2026-10-24 2026-10-25 5", "2026-10-26 2026-11-01 9", "2026-11-02 2026-11-03 -"]);
    assert_eq!(of(Step::Month), ["2026-10-24 2026-10-31 7", "2026-11-01 2026-11-03 9"]);
    assert_eq!(of(Step::Day).len(), 11);
}

#[test]
fn a_group_has_its_own_maximum_zero_where_it_was_absent_and_nothing_where_nobody_looked() {
    let days = [on("2026-10-01", "16", &[("A", "5"), ("B", "11")]), on("2026-10-03", "8", &[("A", "8")])];
    let series = series(&days, (day("2026-10-01"), day("2026-10-03")), Step::Day, 1);
    assert_eq!(series.groups.len(), 1);
    assert_eq!((series.groups[0].key.as_str(), series.groups[0].highest), ("B", points("11")));
    assert_eq!(series.groups[0].maxima, [Some(points("11")), None, Some(Points::ZERO)]);
    assert_eq!(series.groups_left_out, 1);
}

fn summary(vms: i64, of_a: i64) -> Arc<Summary> {
    let mut summary = Summary::default();
    let total = |points: i64| GroupTotal { count: 1, points: Points::whole(points), ..GroupTotal::default() };
    summary.add((None, WorkloadType::Vm), total(vms));
    summary.add((Some("A".to_owned()), WorkloadType::Vm), total(of_a));
    Arc::new(summary)
}

proptest! {
    #[test]
    fn a_servers_days_have_the_highest_sample_and_the_first_hour_at_which_it_stood(
        hours in prop::collection::btree_map(0_i64..72, (0_i64..5, 0_i64..5), 1..40)
    ) {
        let begin = at("2026-10-01T00:00:00Z");
        let mut samples: Vec<(Instant, Arc<Summary>)> = Vec::new();
        for (hour, (vms, of_a)) in &hours {
            let made = summary(*vms, *of_a);
            // Equal neighbours share one, as the store gives them.
            let made = samples.last().filter(|(_, last)| **last == *made).map_or(made, |(_, last)| Arc::clone(last));
            samples.push((begin + chrono::TimeDelta::hours(*hour), made));
        }
        let days = days_of(&samples, &|(tenant, _): &Group| Some(tenant.clone().unwrap_or_default()));
        let mut expected: BTreeMap<i64, (i64, i64, i64)> = BTreeMap::new();
        for (hour, (vms, of_a)) in &hours {
            let known = expected.entry(hour / 24).or_insert((-1, *hour, 0));
            if vms + of_a > known.0 {
                (known.0, known.1) = (vms + of_a, *hour);
            }
            known.2 = known.2.max(*of_a);
        }
        prop_assert_eq!(days.len(), expected.len());
        for (day, (highest, hour, of_a)) in days.iter().zip(expected.values()) {
            prop_assert_eq!(day.mark.points, Points::whole(*highest));
            prop_assert_eq!(day.mark.at, begin + chrono::TimeDelta::hours(*hour));
            prop_assert_eq!(day.groups["A"], Points::whole(*of_a));
        }
    }
}
