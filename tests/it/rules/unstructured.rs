//! Unstructured data: every example of domain.md 7.2.

use std::borrow::Cow;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Unstructured, Workload, WorkloadType};
use tidegauge::rules::counting::{AsOf, Ledger, classify, summary};
use tidegauge::rules::points_table::read;
use tidegauge::rules::rating::Rating;
use tidegauge::rules::unstructured::Sizes;

use super::made::{at, in_short, points, sample, vm};

const TAKEN: &str = "2026-03-10T12:00:00Z";

/// A share of so many GB, summed up with others of its source.
fn share(id: &str, gb: i64, source: Option<&str>) -> Workload {
    let unstructured = Some(Unstructured { size_gb: Decimal::from(gb), source: source.map(str::to_owned) });
    Workload { kind: WorkloadType::FileShare, points: None, unstructured, ..vm(id, "2026-03-09T01:00:00Z") }
}

fn of_key(kind: LicenseType, workloads: Vec<Workload>) -> Sample {
    let taken = sample(TAKEN, workloads);
    Sample { license: License { kind, ..taken.license.clone() }, ..taken }
}

/// Instances of these shares under a Subscription key.
fn instances(shares: &[(&str, i64, Option<&str>)]) -> String {
    let shares = shares.iter().map(|(id, gb, source)| share(id, *gb, *source)).collect();
    in_short(&of_key(LicenseType::Subscription, shares)).points.to_string()
}

#[test]
fn each_source_is_rounded_down_to_500_gb() {
    for (size, expected) in [(0, "0"), (499, "0"), (500, "1"), (590, "1"), (990, "1"), (1000, "2")] {
        assert_eq!(instances(&[("a", size, None)]), expected, "{size} GB");
    }
    assert_eq!(instances(&[("a", 990, None), ("b", 890, None)]), "2", "two shares in separate jobs");
}

#[test]
fn the_same_source_in_several_jobs_is_summed_before_it_is_rounded() {
    let jobs = |one, two| instances(&[("job1", one, Some("share")), ("job2", two, Some("share"))]);
    assert_eq!(jobs(100, 270), "0", "370 GB");
    assert_eq!(jobs(270, 270), "1", "540 GB");
    assert_eq!(jobs(1100, 1100), "4", "1100 GB in two jobs");
}

#[test]
fn a_root_share_is_the_sum_of_its_shares_and_shares_by_themselves_are_not() {
    assert_eq!(instances(&[("a", 490, Some("root")), ("b", 600, Some("root"))]), "2");
    assert_eq!(instances(&[("a", 490, None), ("b", 600, None)]), "1");
}

#[test]
fn what_is_no_longer_protected_adds_no_size() {
    let gone = |workload| Workload { last_restore_point_at: Some(at("2026-01-01T00:00:00Z")), ..workload };
    let shares = vec![gone(share("a", 400, Some("root"))), share("b", 400, Some("root"))];
    assert_eq!(in_short(&of_key(LicenseType::Subscription, shares)).points, points("0"));
}

#[test]
fn the_largest_size_of_thirty_days_counts() {
    let of = |sizes: &[(i64, i64)]| {
        let mut known = Sizes::default();
        for (days_ago, gb) in sizes.iter().rev() {
            let taken_at = at(TAKEN) - TimeDelta::days(*days_ago);
            known.take_note(taken_at, Sizes::of(&sample(TAKEN, vec![share("a", *gb, None)])));
        }
        let newest = of_key(LicenseType::Subscription, vec![share("a", sizes[0].1, None)]);
        in_short(&known.counted(Cow::Owned(newest))).points.to_string()
    };
    assert_eq!(of(&[(0, 1490)]), "2");
    assert_eq!(of(&[(0, 1510), (1, 1490)]), "3", "it grew");
    assert_eq!(of(&[(0, 1490), (29, 1510)]), "3", "it shrank 29 days ago");
    assert_eq!(of(&[(0, 1490), (30, 1510)]), "2", "it shrank 30 days ago");
}

#[test]
fn the_servers_own_number_wins_over_a_size_and_a_points_table_weighs_500_gb() {
    let stated = Workload { points: Some(points("7")), ..share("a", 990, None) };
    assert_eq!(in_short(&of_key(LicenseType::Subscription, vec![stated])).points, points("7"));
    let row = "[[row]]\nproduct = \"VBR\"\ntype = \"FileShare\"\npoints = \"10\"\nsource = \"x\"\nvalid_from = \"2020-01-01\"";
    let rating = Rating { rows: read("own.toml", row).unwrap(), ..Rating::default() };
    let rental = of_key(LicenseType::Rental, vec![share("a", 1490, None)]);
    let counted = classify(&rental, &Ledger::default(), AsOf::sample(rental.taken_at), &rating);
    assert_eq!(summary(&rental, &counted, &rating).points, points("20"), "two units of 500 GB");
}
