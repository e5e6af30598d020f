//! A whole provider: 3 Cloud Connect servers with 200 tenants, 40 rental servers, 2 shared keys, a clone, a migration.
//!
//! What every unit's report and watermark must be is computed here from the machines themselves, by the plain rules.

use chrono::{Days, TimeDelta};
use std::collections::BTreeMap;

use super::*;

const FIRST: &str = "2026-10-01T00:00:00Z";
const TENANTS: u32 = 200;
const RENTAL_SERVERS: u32 = 40;
/// Samples are taken at noon of each day, and just before the month ends.
const LAST_SAMPLE: &str = "2026-10-31T23:30:00Z";

/// A machine of a rental server; days count from 1 October, 0.
struct Machine {
    id: String,
    name: String,
    points: i64,
    first_day: i64,
    last_day: i64,
}

fn day(number: i64) -> Instant {
    at(FIRST) + TimeDelta::days(number) + TimeDelta::hours(1)
}

impl Machine {
    fn last_restore_point(&self, taken_at: Instant) -> Instant {
        day(((taken_at - at(FIRST)).num_hours() - 1).div_euclid(24).min(self.last_day))
    }

    /// The plain rules: processed before this month, and a restore point within 31 days of the instant.
    fn counts_at(&self, instant: Instant, taken_at: Instant) -> bool {
        self.first_day < 0 && instant - TimeDelta::hours(31 * 24) < self.last_restore_point(taken_at)
    }

    fn shown(&self, taken_at: Instant) -> Value {
        with(
            vm(&self.id),
            json!({"name": self.name, "points": self.points.to_string(), "first_processed_at": day(self.first_day),
                   "last_restore_point_at": self.last_restore_point(taken_at)}),
        )
    }
}

/// Server number `n`, from 1: some machines are new, some fell silent before or in October.
fn machines(n: u32) -> Vec<Machine> {
    let make = |k: i64, first_day: i64, last_day: i64| Machine {
        id: format!("r{n:02}-m{k}"),
        name: format!("machine {k} of {n}"),
        points: if k % 4 == 3 { 4 } else { 11 },
        first_day,
        last_day,
    };
    let n = i64::from(n);
    let mut machines: Vec<Machine> = (0..4 + n % 5).map(|k| make(k, -100 - k, 60)).collect();
    machines.extend((0..n % 3).map(|k| make(20 + k, 5 + k, 60)));
    machines.extend((0..n % 2).map(|k| make(30 + k, -80, -9 - n % 7)));
    machines
}

/// What the 40 servers show: two of them a machine of another, one a machine under a second id.
fn all_machines() -> BTreeMap<String, Vec<Machine>> {
    let mut servers: BTreeMap<String, Vec<Machine>> =
        (1..=RENTAL_SERVERS).map(|n| (format!("r{n:02}"), machines(n))).collect();
    let of = |id: &str, name: &str, first_day: i64, last_day: i64| Machine {
        id: id.to_owned(),
        name: name.to_owned(),
        points: 11,
        first_day,
        last_day,
    };
    servers.get_mut("r09").expect("r09").push(of("r08-m0", "machine 0 of 8", -100, 60));
    let moved = servers.get_mut("r07").expect("r07");
    moved.push(of("before", "SQL01", -300, 0));
    moved.push(of("after", "sql01", -1, 60));
    servers
}

/// Keys: the first four servers share two, everybody else has his own.
fn license(server: &str) -> String {
    match server {
        "r01" | "r02" => "key-a".to_owned(),
        "r03" | "r04" => "key-b".to_owned(),
        other => format!("key-{other}"),
    }
}

/// A tenant's counts at his Cloud Connect server: type, weight, used, new, rental.
fn tenants_counts(tenant: u32) -> Vec<(&'static str, u32, u32, u32, u32)> {
    vec![
        ("CloudConnectVM", 5, tenant % 17, tenant % 3, tenant % 5),
        ("CloudConnectReplica", 10, tenant % 4, tenant % 2, 0),
        ("CloudConnectServer", 7, tenant % 6, 0, 0),
        ("CloudConnectWorkstation", 3, tenant % 9, 0, tenant % 2),
    ]
}

fn cloud_connect(server: u32, taken_at: Instant) -> Value {
    let counts = (0..TENANTS).filter(|tenant| tenant % 3 == server).flat_map(|tenant| {
        tenants_counts(tenant).into_iter().map(move |(kind, weight, used, new, rental)| {
            json!({"tenant": format!("Tenant {tenant:03}"), "type": kind, "weight": weight.to_string(),
                   "used": used, "new": new, "rental": rental})
        })
    });
    let mut sample = snapshot(&format!("cc{server}"), &format!("cc-key-{server}"), "", &[]);
    sample["taken_at"] = json!(taken_at);
    sample["license"]["cloud_connect"] = json!(true);
    sample["workloads"] = json!([]);
    sample["counts"] = counts.collect();
    sample
}

fn samples_at(taken_at: Instant) -> Vec<Value> {
    let mut samples: Vec<Value> = (0..3).map(|server| cloud_connect(server, taken_at)).collect();
    for (server, machines) in all_machines() {
        let shown = machines.iter().filter(|machine| day(machine.first_day) <= taken_at);
        let shown: Vec<Value> = shown.map(|machine| machine.shown(taken_at)).collect();
        let mut sample = snapshot(&server, &license(&server), "", &shown);
        sample["taken_at"] = json!(taken_at);
        if server == "r05" {
            sample["license"]["installation_id"] = json!("installation-r06");
        }
        samples.push(sample);
    }
    samples
}

fn instants() -> Vec<Instant> {
    let noon = at(FIRST) + TimeDelta::hours(12);
    (0..31).map(|day| noon + Days::new(day)).chain([at(LAST_SAMPLE)]).collect()
}

/// What each key's servers count at an instant, from the sample taken at another.
fn points_by_key(instant: Instant, taken_at: Instant) -> BTreeMap<String, i64> {
    let mut points: BTreeMap<String, i64> = BTreeMap::new();
    for (server, machines) in all_machines() {
        let counted = machines.iter().filter(|machine| machine.counts_at(instant, taken_at));
        *points.entry(license(&server)).or_default() += counted.map(|machine| machine.points).sum::<i64>();
    }
    for tenant in 0..TENANTS {
        let counts = tenants_counts(tenant).into_iter();
        let sum: u32 = counts.map(|(_, weight, used, ..)| weight * used).sum();
        *points.entry(format!("cc-key-{}", tenant % 3)).or_default() += i64::from(sum);
    }
    points
}

fn provider() -> World {
    let mut world = importing("2026-11-01T00:30:00Z");
    for taken_at in instants() {
        import(&mut world, &samples_at(taken_at)).expect("the samples are good");
    }
    world
}

#[test]
fn a_providers_reports_and_watermarks_are_those_of_the_plain_rules() {
    let mut world = provider();
    let units = world.agent().store().units().unwrap();
    assert_eq!(units.len(), 3 + 38, "two keys are shared by two servers each");
    let month_end = at("2026-11-01T00:00:00Z");
    let reported = points_by_key(month_end, at(LAST_SAMPLE));
    let mut highest: BTreeMap<String, i64> = BTreeMap::new();
    for taken_at in instants() {
        for (key, points) in points_by_key(taken_at, taken_at) {
            let mark = highest.entry(key).or_default();
            *mark = points.max(*mark);
        }
    }
    let mut sum = 0;
    for unit in &units {
        let key = unit.license_id.clone().expect("each sample names its key");
        let target = || Target { unit: Some(unit.id.clone()), month: "2026-10".parse().ok(), server: None };
        let report = world.order(Order::Generate { target: target() }, "licensing").expect("October has ended");
        assert_eq!(report["total_points"], json!(reported[&key].to_string()), "{key}");
        sum += reported[&key];
        let month = "2026-10".parse().ok();
        let mark =
            world.ask(&Query::Watermark { unit: Some(unit.id.clone()), server: None, week: None, month }).unwrap();
        assert_eq!(mark["points"], json!(highest[&key].to_string()), "{key}");
        let gate = world.ask(&Query::Gate { unit: Some(unit.id.clone()), server: None, month }).unwrap();
        assert_eq!(gate["shortfall"], json!((highest[&key] - reported[&key]).to_string()), "{key}");
        assert_eq!(gate["unexplained"], "0", "{key}: {gate:#}");
    }
    assert!(sum > 10_000, "{sum} points are a provider's");
    assert!(highest.iter().any(|(key, mark)| *mark > reported[key]), "somebody's machines aged out");
}

#[test]
fn a_providers_clone_migration_and_duplicate_are_named_and_only_what_counts_twice_is_proposed() {
    let mut world = provider();
    for unit in world.agent().store().units().unwrap() {
        let target = Target { unit: Some(unit.id), month: "2026-10".parse().ok(), server: None };
        world.order(Order::Generate { target }, "licensing").expect("October has ended");
    }
    let answer = world.ask(&Query::Proposals { unit: None, server: None, month: None }).expect("proposals");
    let told: Vec<(String, Value, bool)> = answer["proposals"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let accepted = one["can_be_accepted"].as_bool().unwrap_or_default();
            (one["finding"].as_str().unwrap_or_default().to_owned(), one["servers"].clone(), accepted)
        })
        .collect();
    let clone = ("cloned_installation".to_owned(), json!(["r05", "r06"]), false);
    let duplicate = ("duplicate".to_owned(), json!(["r08", "r09"]), true);
    let migration = ("reappeared".to_owned(), json!(["r07"]), true);
    assert_eq!(told.len(), 3, "{told:?}");
    for expected in [clone, duplicate, migration] {
        assert!(told.contains(&expected), "{expected:?} among {told:?}");
    }
}
