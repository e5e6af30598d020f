//! `demo`: plays months of a provider's life with the real agent, then goes on live.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Days;
use clap::Args;

use super::session::Session;
use crate::agent::{Place, Refused};
use crate::config::{ConsoleSettings, Settings};
use crate::domain::calendar::{midnight, minute_text};
use crate::domain::{Instant, Month};
use crate::simulation::past::Unforced;
use crate::simulation::provider;
use crate::simulation::world::World;

/// Longest past that is played, in months.
const MONTHS_MAX: u32 = 60;

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Ends when the past is played, instead of going on as a live agent
    #[arg(long)]
    until_done: bool,
    /// Months that are played, ending now
    #[arg(long, default_value_t = 13, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MONTHS_MAX)))]
    months: u32,
    /// The world's seed: the same seed plays the same world
    #[arg(long, default_value_t = 7, value_name = "N")]
    seed: u64,
    /// Where the page is served
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Plays, shows what came of it, and serves on.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("demo")?;
    // It goes when the demo ends.
    let temporary;
    let state_dir = match &session.global.state {
        Some(folder) => folder.clone(),
        None => {
            temporary = temporary_folder()?;
            temporary.path().join("state")
        }
    };
    if session.doors.files.list(&state_dir.join("journal")).is_ok_and(|names| !names.is_empty()) {
        let why = format!("{} holds a journal already; the demo plays into an empty folder", state_dir.display());
        return Err(Refused::new(8, why));
    }
    let reports_dir = session.global.reports.clone().unwrap_or_else(|| PathBuf::from("reports"));
    // Of the settings, only whether adjustments need a second person: all else of the demo is its own.
    let console = ConsoleSettings { four_eyes: session.settings()?.four_eyes(), ..ConsoleSettings::at(asked.listen) };
    let settings = Settings { state_dir, reports_dir, console: Some(console), ..Settings::default() };
    let world = play(session, asked, settings)?;
    show(session, &world)?;
    if !world.objections().is_empty() {
        let objections = world.objections().join("\n  ");
        return Err(Refused::new(70, format!("seed {}: the oracle objects:\n  {objections}", world.seed)));
    }
    if asked.until_done {
        return Ok(());
    }
    go_live(session, world, asked.listen)
}

fn temporary_folder() -> Result<tempfile::TempDir, Refused> {
    let made = tempfile::Builder::new().prefix("tidegauge-demo-").tempdir();
    made.map_err(|error| Refused::new(73, format!("cannot make a temporary folder: {error}; name one with --state")))
}

fn play(session: &mut Session<'_>, asked: &Asked, settings: Settings) -> Result<World, Refused> {
    let now = session.doors.clock.now();
    let begins_at = months_before(now, asked.months);
    session.print(&format!(
        "A provider with two backup servers, {} to {}, seed {}. The agent is the real one; everything around it is \
         simulated.\n\n",
        minute_text(begins_at),
        minute_text(now),
        asked.seed
    ))?;
    let place = Place::Folder(settings.state_dir.clone());
    let files = Arc::new(Unforced(Arc::clone(&session.doors.files)));
    let mut world = World::on(provider::plan(asked.seed, begins_at, settings), files, place, None);
    let mut printed = Ok(());
    provider::play(&mut world, now, &mut |line| {
        if printed.is_ok() && !is_small_talk(line) {
            printed = session.print(&format!("{line}\n"));
        }
    });
    printed.map(|()| world)
}

/// Lines that would bury the story: daily reminders and each week's draw and seal.
fn is_small_talk(line: &str) -> bool {
    let small = ["deadline_near", "external_due", " drawn for ", " sealed", "result 2 (Your existing"];
    small.iter().any(|part| line.contains(part))
}

fn months_before(now: Instant, months: u32) -> Instant {
    let month = (0..months).fold(Month::of(now), |month, _| month.previous());
    midnight(month.first_day() + Days::new(20))
}

fn show(session: &mut Session<'_>, world: &World) -> Result<(), Refused> {
    let status = world.ask(&crate::agent::Query::Status {})?;
    let reports = world.settings.reports_dir.display();
    session.print(&format!(
        "\n{}\nReports of every month stand in {reports}/, as PDF, HTML, XLSX, CSV and JSON, signed. Mails written: {}. The oracle checked \
         {} times and has {} objections.\n",
        super::status::text(&status, world.now()),
        world.wire.mails().len(),
        world.oracle.checks,
        world.objections().len(),
    ))
}

/// The played agent goes on as a live one; the simulated servers follow the real clock.
fn go_live(session: &mut Session<'_>, world: World, listen: SocketAddr) -> Result<(), Refused> {
    session.print(&format!("\nGoing on as a live agent. The page: http://{listen}/   (stop with Ctrl-C)\n"))?;
    let (settings, wire) = world.into_live(Arc::clone(&session.doors.clock));
    let mut doors = session.doors.clone();
    doors.wire = Arc::new(move |_| Arc::new(wire.clone()));
    let mut live = Session { doors: &doors, global: session.global, out: session.out, err: session.err };
    super::agent::run_with(&mut live, settings, super::agent::Rereading::Never)
}
