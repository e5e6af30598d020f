//! `bench store`: generated samples into a store, one durable entry each; the generator's own time is not counted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::model::{Fleet, Seen, Sweep, at};
use super::{Generated, print_line};
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::domain::Instant;
use crate::domain::installation::Unit;
use crate::domain::sample::Sample;
use crate::domain::workloads::{Cut, Workloads};
use crate::doors::Files;
use crate::ports::files::RealFiles;
use crate::ports::meter::Meter;
use crate::store::fact::Fact;
use crate::store::{Place, Store, StoreError, Taken};

/// The sampled server, and its unit.
pub const SERVER: &str = "vbr01";
pub const UNIT: &str = "6e2a4f0c-0000-4000-8000-000000000002";
/// Synced appends that are measured beside the figures.
const SYNCS: usize = 100;

/// Options of `bench store`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    #[command(flatten)]
    of: Generated,
    /// An empty folder for the store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

/// Samples as a source gives them: what is as in the store's newest sample is shared with it.
pub struct Made<'a> {
    fleet: &'a Fleet,
    /// By number its place in the order of the ids.
    by_id: Vec<usize>,
    /// By number what was seen last.
    known: Vec<Option<Seen>>,
}

impl<'a> Made<'a> {
    pub fn of(fleet: &'a Fleet) -> Made<'a> {
        let mut numbers: Vec<u32> = (0..fleet.members.len() as u32).collect();
        numbers.sort_by_cached_key(|number| fleet.id(*number));
        let mut by_id = vec![0; numbers.len()];
        numbers.iter().enumerate().for_each(|(place, number)| by_id[*number as usize] = place);
        let known = vec![None; numbers.len()];
        Made { fleet, by_id, known }
    }

    /// The sample of an hour; hours come in order. `before` is the store's newest.
    pub fn sample(&mut self, sweep: &Sweep, before: &Workloads) -> Sample {
        let mut seen: Vec<Seen> = sweep.seen.clone();
        seen.sort_unstable_by_key(|seen| self.by_id[seen.number as usize]);
        let empty = Sweep { hour: sweep.hour, seen: Vec::new() };
        let mut cut = Cut::sharing(before);
        for seen in seen {
            let is_known = self.known[seen.number as usize].replace(seen) == Some(seen);
            let known = is_known.then(|| before.get(before.position_of(&self.fleet.id(seen.number))?)).flatten();
            cut.push(known.map_or_else(|| Arc::new(self.fleet.workload(seen)), Arc::clone));
        }
        Sample { workloads: cut.end(), ..self.fleet.sample(SERVER, &empty) }
    }
}

/// A store of one unit with one server.
pub fn opened(folder: &Path, formed_at: Instant) -> Result<Store, Refused> {
    let (mut store, _) = Store::open(&Place::Folder(folder.to_owned()), Arc::new(RealFiles)).map_err(refused)?;
    let unit = Unit {
        id: UNIT.to_owned(),
        shared_license: None,
        servers: vec![SERVER.to_owned()],
        license_id: None,
        formed_at,
        since: Some(formed_at),
        counts_once: Vec::new(),
    };
    store.record(formed_at, formed_at, "duty", &[Fact::UnitFormed { unit }]).map_err(refused)?;
    Ok(store)
}

/// Takes and records a sample as the agent does.
pub fn recorded(store: &mut Store, sample: &Sample) -> Result<(), Refused> {
    let mut taken = store.take(std::slice::from_ref(sample)).map_err(refused)?;
    match taken.pop() {
        Some(Taken::Fresh(fact)) => {
            store.record(sample.taken_at, sample.taken_at, "duty", &[*fact]).map_err(refused)?;
            Ok(())
        }
        Some(Taken::Repeat | Taken::Conflict) | None => Err(Refused::new(8, "the folder holds samples already")),
    }
}

pub fn refused(error: StoreError) -> Refused {
    Refused::new(74, error.to_string())
}

/// The median; 0 of nothing.
pub fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let fleet = asked.of.fleet();
    let mut made = Made::of(&fleet);
    let mut store = opened(&asked.store, at(0))?;
    let (mut walls, mut cpus, mut samples) = (Vec::new(), Vec::new(), 0);
    for sweep in fleet.sweeps() {
        let before = store.newest_as_taken(SERVER, at(sweep.hour)).map_err(refused)?;
        let sample = made.sample(&sweep, &before.map(|sample| sample.workloads.clone()).unwrap_or_default());
        let one = Meter::begin();
        recorded(&mut store, &sample)?;
        let used = one.used();
        walls.push(used.wall_seconds);
        cpus.push(used.cpu_seconds);
        samples += sample.workloads.len();
    }
    drop(store);
    let mean_wall = walls.iter().sum::<f64>() / walls.len().max(1) as f64;
    let (wall, cpu) = (middle(&mut walls), middle(&mut cpus));
    let a_sweep = samples as f64 / f64::from(fleet.plan.hours);
    let (journal, state) = (bytes_in(&asked.store.join("journal")), bytes_in(&asked.store.join("state")));
    let of = |bytes: u64| bytes as f64 / samples.max(1) as f64;
    let line = json!({
        "samples": samples,
        "sweep_us_median": wall * 1e6,
        "sweep_us_mean": mean_wall * 1e6,
        "sweep_cpu_us_median": cpu * 1e6,
        "samples_per_s": a_sweep / wall,
        "journal_bytes": journal,
        "state_bytes": state,
        "bytes_per_sample": of(journal),
        "bytes_per_sample_with_state": of(journal + state),
        "fsync_p50_us": synced(&asked.store.join("syncs"))? * 1e6,
    });
    print_line(session, &meter, line)
}

/// Seconds of one synced append of 4 KB.
fn synced(path: &Path) -> Result<f64, Refused> {
    let disk = |error: std::io::Error| Refused::new(74, error.to_string());
    let mut file = RealFiles.append_to(path).map_err(disk)?;
    let mut walls = Vec::new();
    for _ in 0..SYNCS {
        let one = Meter::begin();
        file.append(&[7; 4096]).and_then(|()| file.sync()).map_err(disk)?;
        walls.push(one.used().wall_seconds);
    }
    Ok(middle(&mut walls))
}

/// Bytes of the files in a folder.
pub fn bytes_in(folder: &Path) -> u64 {
    let bytes = |name: &String| RealFiles.read(&folder.join(name)).ok().flatten().map_or(0, |bytes| bytes.len() as u64);
    RealFiles.list(folder).unwrap_or_default().iter().map(bytes).sum()
}
