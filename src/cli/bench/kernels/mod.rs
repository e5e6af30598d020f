//! The inner loops, one row each: criterion times them (`cargo bench`), callgrind counts their instructions.

mod deciding;
mod messages;
pub mod papers;
mod reading;
mod storing;

use clap::Args;
use serde_json::json;

use super::model::{Fleet, Plan};
use super::print_line;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::domain::sample::Sample;
use crate::ports::meter::Meter;

/// What is done again and again; it returns something of the result, so that nothing is left out.
pub type Work = Box<dyn FnMut() -> usize>;

/// An inner loop.
pub struct Kernel {
    pub name: &'static str,
    /// What is worked through once, for figures by the piece.
    pub pieces: u64,
    /// Makes what is needed, outside the measurement.
    pub prepare: fn() -> Work,
}

const fn row(name: &'static str, pieces: u64, prepare: fn() -> Work) -> Kernel {
    Kernel { name, pieces, prepare }
}

/// Every inner loop; pieces are workloads, entries, messages, rows or servers.
pub const KERNELS: [Kernel; 17] = [
    row("read_vbr_1000_first", 1_000, reading::first),
    row("read_vbr_1000_unchanged", 1_000, reading::unchanged),
    row("read_vbr_1000_changed", 1_000, reading::changed),
    row("take_unchanged_1000", 1_000, storing::take_unchanged),
    row("take_changed_1000", 1_000, storing::take_changed),
    row("record_unchanged_1000", 1_000, storing::record_unchanged),
    row("replay_week_1000", 168, storing::replay_week),
    row("journal_append_64", 64, storing::journal_append),
    row("journal_walk_1000", 1_000, storing::journal_walk),
    row("classify_1000", 1_000, deciding::classify),
    row("next_duty_500", 500, deciding::next_duty),
    row("telemetry_verify", 1, messages::telemetry_verify),
    row("report_verify_1000", 1_000, messages::report_verify),
    row("pdf_1000", 1_000, papers::pdf),
    row("csv_1000", 1_000, papers::csv),
    row("json_1000", 1_000, papers::json),
    row("xlsx_1000", 1_000, papers::xlsx),
];

/// Options of `bench kernel`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Its name; without it all names are printed
    name: Option<String>,
    /// How often it is done
    #[arg(long, default_value_t = 1, value_name = "N")]
    times: u32,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let Some(name) = &asked.name else {
        let names: Vec<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
        return session.print(&format!("{}\n", names.join("\n")));
    };
    let found = KERNELS.iter().find(|kernel| kernel.name == name);
    let kernel = found.ok_or_else(|| Refused::new(66, format!("no inner loop is called {name}")))?;
    let mut work = (kernel.prepare)();
    let meter = Meter::begin();
    let done: usize = (0..asked.times).map(|_| measured_kernel(&mut work)).fold(0, usize::wrapping_add);
    print_line(
        session,
        &meter,
        json!({"kernel": kernel.name, "times": asked.times, "pieces": kernel.pieces, "done": done}),
    )
}

/// What callgrind counts: this function and all that it calls.
#[inline(never)]
fn measured_kernel(work: &mut Work) -> usize {
    work()
}

const SERVER: &str = "vbr01";

fn fleet(workloads: u32, jitter_percent: u8) -> Fleet {
    Fleet::new(Plan { workloads, hours: 168, seed: 7, jitter_percent })
}

fn first_sample(fleet: &Fleet) -> Sample {
    fleet.sample(SERVER, &fleet.sweep(0))
}
