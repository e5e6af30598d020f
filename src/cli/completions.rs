//! `completions`: what a shell needs to complete our commands.

use clap::Args;
use clap_complete::Shell;

use super::session::Session;
use crate::agent::Refused;

/// Which shell.
#[derive(Debug, Args)]
pub struct Asked {
    shell: Shell,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut super::commands(), "tidegauge", &mut script);
    session.print(&String::from_utf8_lossy(&script))
}
