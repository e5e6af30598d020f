//! A calm year of the whole system: a closed loop of one backup server, sampled hourly, with nothing going wrong.

use std::path::Path;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use clap::Args;
use serde_json::json;

use super::print_line;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::config::Settings;
use crate::domain::Instant;
use crate::domain::calendar::midnight;
use crate::ports::files::RealFiles;
use crate::ports::meter::Meter;
use crate::simulation::world::{SourceKind, World, WorldPlan};
use crate::store::Place;

/// Options of `bench year`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Workloads at the beginning; they grow by about a fifth in a year
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    workloads: u32,
    /// Days from the 10th of January 2026 on
    #[arg(long, default_value_t = 365, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// The world's seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Sampled from files that a script leaves, not over REST
    #[arg(long)]
    from_files: bool,
    /// Journal, state and reports in this empty folder, synced; else in memory
    #[arg(long, value_name = "DIR")]
    on_disk: Option<std::path::PathBuf>,
}

/// Plays the year; the oracle has looked after every duty, and an objection is a failure.
///
/// # Errors
/// [`Refused`] with 7 when the oracle objects.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("bench year")?;
    let begins_at = begins_at();
    let mut plan = WorldPlan::small(asked.seed, begins_at, asked.workloads);
    if asked.from_files {
        plan.servers.iter_mut().for_each(|server| server.source = SourceKind::SnapshotFolder);
    }
    let meter = Meter::begin();
    let mut world = match &asked.on_disk {
        None => World::new(plan),
        Some(folder) => on_disk(plan, folder),
    };
    world.run_until(begins_at + TimeDelta::days(i64::from(asked.days)));
    world.object_to_what_is_wrong();
    let (duties, _) = world.counts();
    let line = json!({
        "bench": "year",
        "workloads": asked.workloads,
        "days": asked.days,
        "store": if asked.on_disk.is_some() { "disk" } else { "memory" },
        "duties": duties,
        "entries": world.agent().store().head().seq,
        "objections": world.objections(),
    });
    print_line(session, &meter, line)?;
    match world.objections().first() {
        None => Ok(()),
        Some(first) => Err(Refused::new(7, format!("the oracle objects: {first}"))),
    }
}

fn begins_at() -> Instant {
    midnight(NaiveDate::from_ymd_opt(2026, 1, 10).expect("a day of the calendar"))
}

fn on_disk(mut plan: WorldPlan, folder: &Path) -> World {
    let Settings { state_dir, reports_dir, .. } = &mut plan.settings;
    (*state_dir, *reports_dir) = (folder.join("state"), folder.join("reports"));
    let place = Place::Folder(state_dir.clone());
    World::on(plan, Arc::new(RealFiles), place, None)
}
