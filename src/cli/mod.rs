//! The command line: one file a family of commands. It computes nothing; the agent answers, here it is shown.

mod access;
mod agent;
mod arguments;
pub mod bench;
mod billing;
mod completions;
mod config;
mod coverage;
mod demo;
mod doctor;
mod doors;
mod enrol;
mod evidence;
mod forecast;
mod gate;
mod interview;
mod journal;
mod license;
mod license_server;
mod license_state;
mod logs;
mod mail;
mod man;
mod patience;
mod people;
mod playground;
mod rehearse;
mod report;
mod sample;
mod session;
mod simulate;
mod status;
mod stopping;
mod store;
mod support_bundle;
mod table;
mod telemetry;
mod usage;
mod watermark;
mod watermark_proof;
mod webhook;

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser};

use crate::agent::{Order, Refused};
use arguments::{Arguments, Command};
use session::Session;

pub use doors::{Ask, Doors, WireFor};
pub use gate::text as gate_text;

/// Reads the arguments, obeys, and returns the exit code (`conventions.md` 1.3). Facts go to `out`, all else to `err`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    doors: &Doors,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return not_parsed(&error, out, err),
    };
    let mut session = Session { doors, global: &arguments.global, out, err };
    let done = obey(&mut session, &arguments.command);
    match done {
        Ok(()) => 0,
        Err(Refused { code, why }) => {
            // Nobody is left to be told when standard error is closed.
            let _ = writeln!(err, "tidegauge: {why}");
            code
        }
    }
}

/// Every command with its help, for tests and manuals.
pub fn commands() -> clap::Command {
    Arguments::command()
}

fn obey(session: &mut Session<'_>, command: &Command) -> Result<(), Refused> {
    match command {
        Command::Status => status::run(session),
        Command::Usage(asked) => usage::run(session, asked),
        Command::Watermark(asked) => watermark::run(session, asked),
        Command::Coverage(asked) => coverage::run(session, asked),
        Command::Sample(act) => sample::run(session, act),
        Command::Report(act) => report::run(session, act),
        Command::Enrol(with) => enrol::run(session, with),
        Command::License(act) => license::run(session, act),
        Command::Billing(act) => billing::run(session, act),
        Command::Journal(asked) => journal::run(session, asked),
        Command::Telemetry(act) => telemetry::run(session, act),
        Command::Evidence(act) => evidence::run(session, act),
        Command::User(act) => people::user::run(session, act),
        Command::Token(act) => people::token::run(session, act),
        Command::Mail(act) => mail::run(session, act),
        Command::Webhook(act) => webhook::run(session, act),
        Command::Config(act) => config::run(session, act),
        Command::Store(act) => store::run(session, act),
        Command::Doctor(asked) => doctor::run(session, *asked),
        Command::SupportBundle(asked) => support_bundle::run(session, asked),
        Command::ConfirmClock => confirm_clock(session),
        Command::Bench(act) => bench::run(session, act),
        Command::Completions(asked) => completions::run(session, asked),
        Command::Man(asked) => man::run(session, asked),
        Command::LicenseServer(act) => license_server::run(session, act),
        Command::Agent => agent::run(session),
        Command::Demo(asked) => demo::run(session, asked),
        Command::Rehearse(asked) => rehearse::run(session, asked),
        Command::Simulate(asked) => simulate::run(session, asked),
        Command::Playground(asked) => playground::run(session, asked),
    }
}

fn confirm_clock(session: &mut Session<'_>) -> Result<(), Refused> {
    session.refuse_now("confirm-clock")?;
    session.order_and_show(Order::ConfirmClock, |_, _| "the clock is believed\n".to_owned())
}

/// Help and version are printed, a wrong usage is exit code 2.
fn not_parsed(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let text = error.render().to_string();
    if error.use_stderr() {
        let _ = write!(err, "{text}");
        2
    } else {
        let _ = write!(out, "{text}");
        0
    }
}
