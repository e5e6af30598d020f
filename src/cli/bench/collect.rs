//! `bench collect`: one read after the other of a VBR server, from its pages to a durable entry of the journal.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::model::at;
use super::print_line;
use super::store::{SERVER, bytes_in, middle, opened, recorded};
use crate::agent::Refused;
use crate::ask::{Conversation, Step};
use crate::cli::session::Session;
use crate::doors::Wire;
use crate::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace, Trust};
use crate::ports::meter::Meter;
use crate::ports::wire::RealWire;
use crate::sources::{Brief, Collected, Remembered, SourceSettings, Sweep, source_named};

/// Requests of one read.
const ASKS_MAX: u32 = 20_000;

/// Options of `bench collect`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// The server, such as `bench serve` is one
    #[arg(long, value_name = "URL")]
    url: String,
    /// Reads, an hour apart in the store
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    sweeps: u32,
    /// An empty folder for the store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Each read knows nothing of the pages of the one before
    #[arg(long)]
    forget: bool,
    /// Certificate authorities that the server's certificate is believed by; without it the system's
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let password = asked.store.join("password");
    session.write(&password, b"bench")?;
    let login = Login { username: "bench".to_owned(), password: SecretPlace::File(password) };
    let trust = asked.tls_ca.clone().map_or(Trust::System, Trust::CaFile);
    let peer = HttpPeer { base_url: asked.url.clone(), trust, login: Some(login), api_key: None };
    let wire = RealWire::new(BTreeMap::from([(SERVER.to_owned(), PeerSettings::Http(peer))]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Refused::new(1, format!("cannot start: {error}")))?;
    let mut store = opened(&asked.store, at(0))?;
    let (mut walls, mut cpus, mut remembered, mut workloads) = (Vec::new(), Vec::new(), Remembered::default(), 0);
    for hour in 0..asked.sweeps {
        let sweep = Meter::begin();
        let now = at(hour);
        let previous = store.newest_as_taken(SERVER, now).map_err(|error| Refused::new(74, error.to_string()))?;
        let known = if asked.forget { Remembered::default() } else { remembered };
        let brief = Brief {
            server: SERVER.to_owned(),
            now,
            previous,
            sweep: Sweep::Since,
            // A revision that is remembered, as after the first read of a server.
            settings: SourceSettings { revision: Some("1.3-rev1".to_owned()), ..SourceSettings::default() },
            known: Vec::new(),
            remembered: known,
        };
        let row = source_named("vbr").ok_or_else(|| Refused::new(70, "there is no source vbr"))?;
        let collected = runtime.block_on(read((row.open)(brief), &wire))?;
        remembered = collected.remembered;
        for sample in &collected.samples {
            workloads = sample.workloads.len();
            recorded(&mut store, sample)?;
        }
        let used = sweep.used();
        walls.push(used.wall_seconds);
        cpus.push(used.cpu_seconds);
    }
    // The first read opens connections and packs everything.
    let later = usize::from(asked.sweeps > 1);
    let (wall, cpu) = (middle(&mut walls[later..]), middle(&mut cpus[later..]));
    let line = json!({
        "workloads": workloads,
        "sweeps": asked.sweeps,
        "written": bytes_in(&asked.store.join("journal")),
        "sweep_wall_s": wall,
        "sweep_cpu_s": cpu,
        "us_cpu_per_sample": cpu * 1e6 / workloads.max(1) as f64,
        "samples_per_s": workloads as f64 / wall,
        "first_sweep_cpu_s": cpus.first(),
    });
    print_line(session, &meter, line)
}

async fn read(mut talk: Box<dyn Conversation<Done = Collected>>, wire: &dyn Wire) -> Result<Collected, Refused> {
    let mut heard = None;
    for _ in 0..ASKS_MAX {
        match talk.next(heard.take()) {
            Step::Ask(ask) => heard = Some(wire.carry(ask).await),
            Step::Done(collected) => return Ok(collected),
            Step::Setback(setback) => return Err(Refused::new(75, setback.why().to_owned())),
        }
    }
    Err(Refused::new(75, format!("the read did not end after {ASKS_MAX} requests")))
}
