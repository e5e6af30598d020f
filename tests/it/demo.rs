//! The year that `demo` plays, and a year of a thousand workloads.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use tidegauge::agent::Place;
use tidegauge::config::Settings;
use tidegauge::domain::Instant;
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::past::Unforced;
use tidegauge::simulation::provider;
use tidegauge::simulation::world::{World, WorldPlan};

/// Days of the thousand workloads; a year by `scripts/test --all`, a few without it.
const DAYS: &str = "TIDEGAUGE_WORLD_DAYS";

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

#[test]
fn thirteen_months_of_a_provider_end_without_an_objection() {
    let begins_at = at("2025-10-22T00:00:00Z");
    let mut world = World::new(provider::plan(7, begins_at, Settings::default()));
    provider::play(&mut world, at("2026-11-22T03:00:00Z"), &mut |_| {});
    for line in world.story() {
        println!("{line}");
    }
    assert_eq!(world.objections(), [""; 0]);
}

#[expect(clippy::disallowed_methods, reason = "figures for people, asserted nowhere")]
fn real_clock() -> std::time::Instant {
    std::time::Instant::now()
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the store made it").flatten();
    let of = |path: &Path| if path.is_dir() { bytes_in(path) } else { path.metadata().map_or(0, |file| file.len()) };
    entries.map(|entry| of(&entry.path())).sum()
}

#[test]
fn a_thousand_workloads_are_sampled_hourly_over_rest_without_an_objection() {
    let days: i64 = std::env::var(DAYS).map_or(4, |text| text.parse().expect("a number of days"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begins_at = at("2025-11-03T00:00:00Z");
    let mut plan = WorldPlan::small(11, begins_at, 1_000);
    plan.settings.state_dir = folder.path().join("agent");
    plan.settings.reports_dir = folder.path().join("reports");
    let place = Place::Folder(plan.settings.state_dir.clone());
    let started = real_clock();
    let mut world = World::on(plan, Arc::new(Unforced(Arc::new(RealFiles))), place, None);
    world.run_until(begins_at + TimeDelta::days(days));
    assert_eq!(world.objections(), [""; 0]);
    let (journal, state) = (folder.path().join("agent/journal"), folder.path().join("agent/state"));
    println!(
        "{days} days of 1,000 workloads hourly in {:?}: journal {} bytes, sled {} bytes",
        started.elapsed(),
        bytes_in(&journal),
        bytes_in(&state)
    );
}
