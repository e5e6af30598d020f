//! A month proved from one archive: what is in it, what its check finds, and who else can do the check.

mod archive; // one form of bytes, foreign bytes
mod forged; // what somebody with a key could change
mod month; // the archive of real months
mod outside; // an archive left for tests/outside
mod people; // hashes stay at home
mod pseudonyms; // without a name

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use serde_json::Value;
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Place, Query, verify_evidence};
use tidegauge::domain::Instant;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::report::UsageReport;
use tidegauge::doors::Files as _;
use tidegauge::evidence::archive::{Files, pack, unpack};
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::simulation::world::{World, WorldPlan};

fn at(text: &str) -> Instant {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    text.parse().expect("tests write instants as 2026-10-31 or 2026-10-31T23:00:00Z")
}

/// A world from files with few samples, and its disk.
fn world(seed: u64) -> (World, SimulatedDisk) {
    world_of(WorldPlan::small(seed, at("2026-01-20T09:30:00Z"), 6).from_files())
}

fn world_of(mut plan: WorldPlan) -> (World, SimulatedDisk) {
    plan.settings.sample_interval = chrono::TimeDelta::hours(12);
    plan.settings.basis_max_age = chrono::TimeDelta::hours(24);
    plan.settings.state_dir = "/state".into();
    plan.settings.reports_dir = "/reports".into();
    let disk = SimulatedDisk::new();
    let place = Place::Temporary { journal: "/state/journal".into() };
    (World::on(plan, Arc::new(disk.clone()), place, Some(disk.clone())), disk)
}

fn january() -> Target {
    Target { month: Some("2026-01".parse().unwrap()), ..Target::default() }
}

fn report(world: &World) -> UsageReport {
    let query = Query::Report { unit: None, server: None, month: january().month };
    serde_json::from_value(world.ask(&query).expect("there is a report")).expect("a report")
}

/// Takes one counted machine out, in mia's name.
fn adjust(world: &mut World) {
    let report = report(world);
    let counted = report.workloads.iter().find(|workload| workload.counted).expect("a counted machine");
    let adjustment =
        AdjustmentOrder::Remove { workloads: vec![counted.id.clone()], reason: "a test machine".to_owned() };
    let order = Order::Adjust { target: january(), adjustments: vec![adjustment] };
    world.order(order, "mia").expect("an open report");
}

/// January was adjusted, sent on the 3rd, and taken; telemetry of its weeks too.
fn sent(seed: u64) -> (World, SimulatedDisk) {
    let (mut world, disk) = world(seed);
    world.run_until(at("2026-02-03T10:00:00Z"));
    adjust(&mut world);
    world.order(Order::Send { target: january() }, "mia").expect("the server takes it");
    world.run_until(at("2026-02-12T12:00:00Z"));
    (world, disk)
}

fn exported(world: &World) -> Vec<u8> {
    let query = Query::Evidence { unit: None, server: None, month: january().month, names: Default::default() };
    let answer = world.ask(&query).expect("there is a report");
    let text = answer["base64"].as_str().expect("an archive");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

fn files(archive: &[u8]) -> Files {
    let unpacked = unpack(archive).expect("an archive");
    assert_eq!(unpacked.differs, None);
    unpacked.files
}

fn packed(files: &Files) -> Vec<u8> {
    pack(files).expect("a small archive")
}

/// The checks that fail.
fn failing(archive: &[u8]) -> Vec<String> {
    let verdict = verify_evidence(archive, None);
    let findings = verdict["findings"].as_array().expect("findings").iter();
    let failing = findings.filter(|finding| finding["result"] == "fails");
    let failing: Vec<String> = failing.map(|finding| finding["check"].as_str().unwrap_or("?").to_owned()).collect();
    assert_eq!(verdict["holds"], failing.is_empty(), "{verdict:#}");
    failing
}

/// Each finding as `result check`.
fn findings(archive: &[u8]) -> String {
    let verdict = verify_evidence(archive, None);
    let line = |finding: &Value| {
        let word = |field: &str| finding[field].as_str().unwrap_or("?").to_owned();
        format!("{} {}\n", word("result"), word("check"))
    };
    verdict["findings"].as_array().expect("findings").iter().map(line).collect()
}

fn read(disk: &SimulatedDisk, path: &str) -> Vec<u8> {
    disk.read(Path::new(path)).expect("the disk is well").unwrap_or_else(|| panic!("{path} is there"))
}
