//! The simulated estate: deterministic, and moving as real ones do.

use chrono::TimeDelta;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Month, Points};
use tidegauge::simulation::estate::{Estate, EstatePlan};

use super::driver::at;

fn estate(machines: u32) -> Estate {
    Estate::new(EstatePlan::new(7, "vbr01", at("2026-01-15T00:00:00Z"), machines))
}

#[test]
fn advancing_hourly_or_at_once_gives_the_same_estate() {
    let (mut hourly, mut at_once) = (estate(300), estate(300));
    let end = at("2026-04-01T00:00:00Z");
    let mut now = at("2026-01-15T00:00:00Z");
    while now <= end {
        hourly.advance(now);
        now += TimeDelta::hours(1);
    }
    at_once.advance(end);
    assert_eq!(hourly.snapshot(end), at_once.snapshot(end));
    assert!(at_once.machines().len() > 300, "it grows");
}

#[test]
fn a_stopped_machine_ages_out_31_days_after_its_last_restore_point() {
    let mut estate = estate(0);
    let first = at("2026-02-01T10:00:00Z");
    let machine = estate.add(&WorkloadType::Vm, first);
    estate.stop(machine, at("2026-02-03T10:00:00Z"));
    let last = at("2026-02-02T10:00:00Z");
    let is_listed = |estate: &Estate, now| estate.listed(now).count() == 1;
    assert!(!is_listed(&estate, first - TimeDelta::seconds(1)));
    assert!(is_listed(&estate, first));
    assert!(is_listed(&estate, last + TimeDelta::days(31) - TimeDelta::seconds(1)));
    assert!(!is_listed(&estate, last + TimeDelta::days(31)));
    let points = estate.restore_points(at("2026-01-01T00:00:00Z"), at("2026-02-20T00:00:00Z"), |_| true);
    assert_eq!(points, [(first, 0), (last, 0)]);
    estate.resume(machine, at("2026-03-20T00:00:00Z"));
    assert!(is_listed(&estate, at("2026-03-20T00:00:00Z")));
    assert_eq!(
        estate.truth(at("2026-03-20T00:00:00Z")).billable_points,
        Points::whole(11),
        "a returning machine is not new"
    );
}

#[test]
fn a_machine_is_new_in_its_first_month_and_in_that_months_report() {
    let mut estate = estate(0);
    estate.add(&WorkloadType::Workstation, at("2026-02-10T10:00:00Z"));
    let revoked = estate.add(&WorkloadType::Server, at("2026-01-20T10:00:00Z"));
    estate.revoke(revoked, at("2026-02-25T00:00:00Z"));
    let truth = estate.truth(at("2026-02-20T00:00:00Z"));
    assert_eq!((truth.billable_points, truth.new_points), (Points::whole(11), Points::whole(4)));
    let february = estate.truth_of_report(Month::new(2026, 2).expect("February"));
    assert_eq!((february.billable_points, february.new_points), (Points::ZERO, Points::whole(4)));
    let truth = estate.truth(at("2026-03-01T00:00:00Z"));
    assert_eq!((truth.billable_points, truth.new_points), (Points::whole(4), Points::ZERO));
}
