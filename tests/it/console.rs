//! The console: what its pages show of the agent's answers, whom it lets in, what it refuses, and what browsers are told.

mod billing;
mod by_provider;
mod entry;
mod journal;
mod license;
pub mod metrics;
mod overview;
mod report;
mod servers;
mod settings;
mod telemetry;
mod usage;
pub mod visitor;

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use tidegauge::agent::Query;
use tidegauge::simulation::world::{World, WorldPlan};

use visitor::{Site, Visitor, at};

/// One site for tests that only look: a closed loop on the morning of 1 October 2026.
pub static OPEN_REPORT: LazyLock<Site> = LazyLock::new(|| Site::of(morning_of_the_first()));

/// A closed loop with 40 machines, and the report of September open since eight hours.
pub fn morning_of_the_first() -> World {
    let mut world = World::new(WorldPlan::small(1, at("2026-08-20T09:30:00Z"), 40));
    world.run_until(at("2026-10-01T08:00:00Z"));
    world
}

/// Somebody who is signed in to [`OPEN_REPORT`] once, however many tests look with his eyes: signing in is rationed.
pub fn looking(name: &str) -> Visitor {
    static SIGNED_IN: Mutex<BTreeMap<String, Visitor>> = Mutex::new(BTreeMap::new());
    let mut signed_in = SIGNED_IN.lock().unwrap_or_else(PoisonError::into_inner);
    signed_in.entry(name.to_owned()).or_insert_with(|| OPEN_REPORT.signed_in(name)).clone()
}

/// The agent's own answer.
pub fn asked(query: &Query) -> Value {
    OPEN_REPORT.world.lock().expect("no test panics while it asks").ask(query).expect("an answer")
}

/// The report as the agent itself shows it.
pub fn open_report() -> Value {
    asked(&Query::Report { unit: None, server: None, month: None })
}
