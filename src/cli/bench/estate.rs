//! `bench estate`: a played past on disk, with settings with which the agent itself starts on it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use clap::Args;
use serde_json::json;

use super::print_line;
use super::store::bytes_in;
use crate::agent::{Place, Refused};
use crate::cli::session::{Session, absolute};
use crate::domain::Instant;
use crate::ports::meter::Meter;
use crate::simulation::estate::EstatePlan;
use crate::simulation::past::Unforced;
use crate::simulation::wire::{PASSWORD, USERNAME};
use crate::simulation::world::{ServerPlan, SourceKind, World, WorldPlan};

/// Days of a year that is asked for.
const YEAR_DAYS: u32 = 365;
/// Where nobody listens: reads, messages and letters are refused at once and tried again.
const NOBODY: &str = "127.0.0.1:1";

/// Options of `bench estate`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Workloads at the beginning, over all servers; they grow by about a fifth in a year
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    workloads: u32,
    /// Backup servers among which they are divided
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    servers: u32,
    /// Years that are played, ending now
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10))]
    years: u32,
    /// So many days instead of years
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: Option<u32>,
    /// The world's seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Where the agent's console is to listen
    #[arg(long, default_value = "127.0.0.1:18420", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// An empty folder for tidegauge.toml, state and reports
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Plays the past and writes the settings.
///
/// # Errors
/// [`Refused`] with 7 when the oracle objects, 8 when the folder holds a journal already.
pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("bench estate")?;
    let meter = Meter::begin();
    let out = absolute(&asked.out);
    let journal = out.join("state").join("journal");
    if session.doors.files.list(&journal).is_ok_and(|names| !names.is_empty()) {
        return Err(Refused::new(8, format!("{} holds a journal already; name an empty folder", out.display())));
    }
    let now = session.doors.clock.now();
    let days = asked.days.unwrap_or(asked.years * YEAR_DAYS);
    let plan = plan(asked, &out, now - TimeDelta::days(i64::from(days)));
    let names: Vec<String> = plan.servers.iter().map(|server| server.name.clone()).collect();
    let place = Place::Folder(plan.settings.state_dir.clone());
    let mut world = World::on(plan, Arc::new(Unforced(Arc::clone(&session.doors.files))), place, None);
    world.run_until(now);
    world.object_to_what_is_wrong();
    if let Some(first) = world.objections().first() {
        return Err(Refused::new(7, format!("the oracle objects: {first}")));
    }
    let entries = world.agent().store().head().seq;
    drop(world);
    session.write(&out.join("vbr.password"), PASSWORD.as_bytes())?;
    session.write(&out.join("tidegauge.toml"), settings_text(&out, asked.listen, &names).as_bytes())?;
    let line = json!({
        "bench": "estate",
        "workloads": asked.workloads,
        "servers": asked.servers,
        "days": days,
        "entries": entries,
        "journal_bytes": bytes_in(&journal),
        "state_bytes": bytes_in(&out.join("state").join("state")),
    });
    print_line(session, &meter, line)
}

fn plan(asked: &Asked, out: &Path, begins_at: Instant) -> WorldPlan {
    let machines = asked.workloads.div_ceil(asked.servers);
    let mut plan = WorldPlan::small(asked.seed, begins_at, machines);
    let server = |number: u32| {
        let name = format!("vbr{number:02}");
        let estate = EstatePlan::new(asked.seed ^ u64::from(number) << 32, &name, begins_at, machines);
        ServerPlan { name, source: SourceKind::Vbr, estate }
    };
    plan.servers = (1..=asked.servers).map(server).collect();
    (plan.settings.state_dir, plan.settings.reports_dir) = (out.join("state"), out.join("reports"));
    plan
}

/// The settings of the played agent, with nobody outside: what was simulated is not reached any more.
fn settings_text(out: &Path, listen: SocketAddr, servers: &[String]) -> String {
    let shown = out.display();
    let mut text = format!(
        "state_dir = \"{shown}/state\"\nreports_dir = \"{shown}/reports\"\n\n[console]\nlisten = \"{listen}\"\n\n\
         [license_server]\nurl = \"https://{NOBODY}\"\n\n[mail]\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\n\
         from = \"Tidegauge <tidegauge@example.net>\"\nto = [\"licensing@example.net\"]\n"
    );
    for name in servers {
        let _ = write!(
            text,
            "\n[[server]]\nname = \"{name}\"\nsource = \"vbr\"\nurl = \"https://{NOBODY}\"\nusername = \"{USERNAME}\"\n\
             password_file = \"{shown}/vbr.password\"\n"
        );
    }
    text
}
