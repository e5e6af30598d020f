//! What benchmarks are made of: the generated provider is the same everywhere, and what is called right is right.

use std::collections::BTreeMap;

use tidegauge::cli::bench::generate::{raw, truth};
use tidegauge::cli::bench::model::{Fleet, Plan, WeekMark, at};
use tidegauge::cli::bench::serve::Hour;
use tidegauge::domain::Month;
use tidegauge::seal::digest::sha256;

const PLAN: Plan = Plan { workloads: 300, hours: 1_000, seed: 7, jitter_percent: 0 };

fn hex(bytes: &[u8]) -> String {
    sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_generated_provider_is_the_same_on_every_machine() {
    let fleet = Fleet::new(PLAN);
    let jittered = Fleet::new(Plan { jitter_percent: 10, hours: 24, ..PLAN });
    let pages: Vec<u8> = Hour::of(&fleet, 999).pages(200).into_iter().flat_map(|(_, page)| page).collect();
    expect_test::expect![[r#""#]].assert_eq(&format!(
        "raw {}\ntruth {}\npages {}\njittered {}\n",
        hex(&raw(&fleet)),
        hex(truth(&fleet.truth()).as_bytes()),
        hex(&pages),
        hex(&raw(&jittered)),
    ));
}

#[test]
fn an_hour_alone_shows_what_it_shows_in_its_turn() {
    let fleet = Fleet::new(PLAN);
    for sweep in fleet.sweeps().step_by(97) {
        assert_eq!(fleet.sweep(sweep.hour), sweep);
    }
}

/// Counts every sample of every workload anew, as slowly as it is plain.
#[test]
fn the_truth_is_the_highest_hourly_sum_of_each_week() {
    let fleet = Fleet::new(Plan { workloads: 60, ..PLAN });
    let mut marks = vec![WeekMark::default(); 6];
    for hour in 0..1_000 {
        let mut groups = BTreeMap::new();
        for seen in fleet.sweep(hour).seen {
            let member = fleet.members[seen.number as usize];
            if member.from == 0 || Month::of(at(member.from)) != Month::of(at(hour)) {
                *groups.entry((member.tenant, member.kind)).or_insert(0) += u64::from(seen.tenths);
            }
        }
        let mark = &mut marks[hour as usize / (24 * 7)];
        mark.total = mark.total.max(groups.values().sum());
        for (group, sum) in groups {
            let highest = mark.groups.entry(group).or_insert(0);
            *highest = sum.max(*highest);
        }
    }
    assert_eq!(fleet.truth(), marks);
}

#[test]
fn workloads_are_replaced_change_and_are_missed_as_often_as_is_said() {
    let fleet = Fleet::new(Plan { workloads: 1_000, hours: 720, ..PLAN });
    let replaced = fleet.members.len() - 1_000;
    assert!((40..=80).contains(&replaced), "1 in 500 a day of 1,000 over 30 days is some 60, here {replaced}");
    let seen: usize = fleet.sweeps().map(|sweep| sweep.seen.len()).sum();
    let missed = 720_000 - seen;
    assert!((40..=110).contains(&missed), "1 in 10,007 of 720,000 is some 72, here {missed}");
    let all: std::collections::BTreeSet<String> =
        (0..fleet.members.len() as u32).map(|number| fleet.id(number)).collect();
    assert_eq!(all.len(), fleet.members.len());
}

#[test]
fn pages_hold_every_workload_once_and_say_how_many_there_are() {
    let fleet = Fleet::new(PLAN);
    let mut ids = Vec::new();
    for (skip, page) in Hour::of(&fleet, 5).pages(128) {
        let page: serde_json::Value = serde_json::from_slice(&page).expect("a page is JSON");
        assert_eq!(page["pagination"]["skip"], skip);
        assert_eq!(page["pagination"]["total"], fleet.sweep(5).seen.len());
        ids.extend(page["data"].as_array().expect("rows").iter().map(|row| row["instanceId"].to_string()));
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count), (count, fleet.sweep(5).seen.len()));
}
