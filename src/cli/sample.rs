//! `sample`: take samples, load snapshot files.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::Access;
use super::session::Session;
use super::table::word;
use crate::agent::{Order, Refused};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Samples the servers of the settings now, all or one
    ///
    /// Exit codes: 69 a server cannot be reached (the others are sampled); 77 it refuses the login; 78 there is no such
    /// server in the settings.
    ///
    /// Example: tidegauge sample now --server vbr01
    Now(Now),
    /// Loads usage snapshots from JSON or JSON Lines files, with their own instants
    ///
    /// Loading the same again changes nothing. Exit codes: 3 every sample is known already; 8 another sample of that
    /// server and instant is kept; 65 a file is not understood (file, line and field are named); 66 there is no file.
    ///
    /// Example: tidegauge sample import 2026-10-31T23.json --state ./state
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Now {
    /// Only this server
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Snapshot files (schema tidegauge.usage-snapshot/1)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Now(asked) => now(session, asked.server.as_deref()),
        Act::Import(asked) => import(session, &asked.files),
    }
}

fn now(session: &mut Session<'_>, server: Option<&str>) -> Result<(), Refused> {
    session.refuse_now("sample now")?;
    let settings = session.settings()?;
    let named = |name: &&str| server.is_none_or(|server| server == *name);
    let servers: Vec<String> =
        settings.servers.iter().map(|server| server.name.as_str()).filter(named).map(str::to_owned).collect();
    if servers.is_empty() {
        let what = server.map_or("any server".to_owned(), |name| format!("a server {name}"));
        return Err(Refused::new(78, format!("the settings do not name {what}; add a [[server]]")));
    }
    let mut access = Access::open(session)?;
    let (mut answers, mut failed) = (Vec::new(), None);
    for server in servers {
        match access.order(session, Order::SampleNow { server: server.clone() }) {
            // A server answers with its unit, a source that names several servers with all of theirs.
            Ok(Value::Array(units)) => answers.extend(units),
            Ok(usage) => answers.push(usage),
            Err(refused) => {
                session.remark(&format!("{server} not sampled: {}", refused.why));
                failed = Some(Refused::new(refused.code, format!("{server} was not sampled")));
            }
        }
    }
    session.show(&Value::Array(answers), super::usage::text)?;
    failed.map_or(Ok(()), Err)
}

fn import(session: &mut Session<'_>, files: &[PathBuf]) -> Result<(), Refused> {
    let mut access = Access::open(session)?;
    let (mut taken, mut known, mut repeat) = (0, 0, None);
    for file in files {
        let name = file.display().to_string();
        let text = session.read_text(file)?;
        match access.order(session, Order::ImportSamples { file: name, text }) {
            Ok(done) => {
                taken += done["taken"].as_u64().unwrap_or(0);
                known += done["known_already"].as_u64().unwrap_or(0);
            }
            Err(refused) if refused.code == 3 => repeat = Some(refused),
            Err(refused) => return Err(refused),
        }
    }
    match repeat {
        Some(refused) if taken == 0 => Err(refused),
        Some(_) | None => {
            let done = json!({"schema": "tidegauge.import/1", "taken": taken, "known_already": known});
            session.show(&done, imported)
        }
    }
}

fn imported(done: &Value, _: Instant) -> String {
    let samples = if done["taken"] == 1 { "sample" } else { "samples" };
    let mut text = format!("{} {samples} taken", word(done, "taken"));
    let known = done["known_already"].as_u64().unwrap_or(0);
    if known > 0 {
        let _ = write!(text, ", {known} were known already");
    }
    text.push('\n');
    text
}
