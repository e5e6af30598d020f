//! `bench receipts`: what a License Update Server has on file when it is not running.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::print_line;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::license_server::LicenseServer;
use crate::ports::meter::Meter;

/// Options of `bench receipts`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// The server's state directory
    #[arg(long, value_name = "DIR")]
    server: PathBuf,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let opened = LicenseServer::open_as_kept(Arc::clone(&session.doors.files), &asked.server);
    let server = opened.map_err(|error| Refused::new(66, error.to_string()))?;
    let line = json!({"entries": server.journal_seq(), "messages": server.state().messages.len()});
    print_line(session, &meter, line)
}
