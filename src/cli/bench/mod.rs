//! `bench`: what `scripts/bench` and the instruction budgets measure; each command prints one line of JSON.
//!
//! Hidden: it serves those who work on Tidegauge. Its commands look into rooms that other commands reach through the agent.

pub mod collect;
mod estate;
mod fleet;
pub mod generate;
pub mod kernels;
pub mod marks;
pub mod messages;
pub mod model;
pub mod post;
mod receipts;
pub mod report;
pub mod serve;
pub mod store;
pub mod year;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::session::Session;
use crate::agent::Refused;
use crate::ports::meter::{Meter, largest_resident_mb};
use model::{Fleet, Plan};

/// Commands of `bench`.
#[derive(Clone, Debug, Subcommand)]
pub enum Act {
    /// Reads a VBR server again and again, each time from its pages to a durable entry
    ///
    /// Example: tidegauge bench collect --url http://127.0.0.1:18080 --sweeps 20 --store ./bench
    Collect(collect::Asked),
    /// Plays a past into a folder, with settings with which the agent starts on it
    ///
    /// Exit codes: 7 the oracle objects; 8 the folder holds a journal already.
    ///
    /// Example: tidegauge bench estate --workloads 1000 --years 1 --out DIR
    Estate(estate::Asked),
    /// Writes a generated provider: samples, pages, metrics, or the right watermarks
    ///
    /// Example: tidegauge bench generate --workloads 1000 --hours 8760 --emit raw --out year.raw
    Generate(generate::Asked),
    /// Runs one inner loop, for callgrind
    ///
    /// Exit codes: 66 no inner loop of this name.
    ///
    /// Example: tidegauge bench kernel telemetry_verify --times 100
    Kernel(kernels::Asked),
    /// Reads the weeks' watermarks of a store that was filled, and sets them against what is right
    ///
    /// Example: tidegauge bench marks --workloads 1000 --hours 8760 --store ./bench
    Marks(marks::Asked),
    /// Founds a License Update Server and writes messages that its agents signed
    ///
    /// Example: tidegauge bench messages --state DIR --agents 500 --weeks 200 --out messages
    Messages(messages::Asked),
    /// Posts those messages, each once, and says how fast they were taken
    ///
    /// Exit codes: 66 the file cannot be read; 69 the server does not answer.
    ///
    /// Example: tidegauge bench post --url http://127.0.0.1:8421 --messages messages --connections 64 --seconds 10
    Post(post::Asked),
    /// Counts what a License Update Server has on file, after it was stopped
    ///
    /// Exit codes: 66 it cannot be opened.
    ///
    /// Example: tidegauge bench receipts --server DIR
    Receipts(receipts::Asked),
    /// Draws a generated report as a file of one format
    ///
    /// Example: tidegauge bench report --rows 100000 --format pdf --out report.pdf
    Report(report::Asked),
    /// Serves the pages of a generated provider as a VBR server does, until it is told to stop
    ///
    /// Example: tidegauge bench serve --workloads 10000 --listen 127.0.0.1:18080
    Serve(serve::Asked),
    /// Takes and records a generated provider's samples, one durable entry each
    ///
    /// Example: tidegauge bench store --workloads 10000 --hours 48 --store ./bench
    Store(store::Asked),
    /// Plays a calm year of the whole system
    ///
    /// Exit codes: 7 the oracle objects.
    ///
    /// Example: tidegauge bench year --workloads 1000 --on-disk ./year
    Year(year::Asked),
}

/// Which provider is generated.
#[derive(Clone, Copy, Debug, Args)]
pub struct Generated {
    /// Workloads at any hour
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    workloads: u32,
    /// Hourly samples
    #[arg(long, default_value_t = 168, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    hours: u32,
    /// The provider's seed
    #[arg(long, default_value_t = 7, value_name = "N")]
    seed: u64,
    /// So many in a hundred workloads have other points in every sample
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    jitter: u8,
}

impl Generated {
    /// The provider that was asked for.
    pub fn fleet(self) -> Fleet {
        let Generated { workloads, hours, seed, jitter } = self;
        Fleet::new(Plan { workloads, hours, seed, jitter_percent: jitter })
    }
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Collect(asked) => collect::run(session, asked),
        Act::Estate(asked) => estate::run(session, asked),
        Act::Generate(asked) => generate::run(session, asked),
        Act::Kernel(asked) => kernels::run(session, asked),
        Act::Marks(asked) => marks::run(session, asked),
        Act::Messages(asked) => messages::run(session, asked),
        Act::Post(asked) => post::run(session, asked),
        Act::Receipts(asked) => receipts::run(session, asked),
        Act::Report(asked) => report::run(session, asked),
        Act::Serve(asked) => serve::run(session, asked),
        Act::Store(asked) => store::run(session, asked),
        Act::Year(asked) => year::run(session, asked),
    }
}

/// Prints the line: what was measured, and what the process has cost since the meter began.
pub fn print_line(session: &mut Session<'_>, meter: &Meter, mut line: Value) -> Result<(), Refused> {
    let used = meter.used();
    let cost = json!({"wall_s": used.wall_seconds, "cpu_s": used.cpu_seconds, "vm_hwm_mb": largest_resident_mb()});
    for (key, value) in cost.as_object().into_iter().flatten() {
        // A command that measured one of them more closely has said so itself.
        if line.get(key).is_none() {
            line[key] = value.clone();
        }
    }
    session.print(&format!("{line}\n"))
}
