//! Arguments, room, exit code; the only place that makes the real doors.

use std::process::ExitCode;
use std::sync::Arc;

use tidegauge::cli::{self, Doors};
use tidegauge::ports::chance::SystemChance;
use tidegauge::ports::clock::SystemClock;
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::terminal;
use tidegauge::ports::wire::RealWire;

fn main() -> ExitCode {
    let doors = Doors {
        files: Arc::new(RealFiles),
        clock: Arc::new(SystemClock),
        chance: || Box::new(SystemChance),
        wire: Arc::new(|settings| Arc::new(RealWire::new(settings.peers()))),
        ask: Arc::new(terminal::ask),
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    ExitCode::from(cli::run(std::env::args_os(), &doors, &mut std::io::stdout(), &mut std::io::stderr()))
}
