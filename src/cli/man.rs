//! `man`: a manual page of every command, made of its help.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_mangen::Man;

use super::session::Session;
use crate::agent::Refused;

/// Where to.
#[derive(Debug, Args)]
pub struct Asked {
    /// The folder for the pages, such as man1
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let mut program = super::commands();
    program.build();
    write_all(session, &program, &asked.out)
}

/// The command's page, then those of the commands below it. Their depth is that of the command line.
fn write_all(session: &mut Session<'_>, command: &clap::Command, folder: &Path) -> Result<(), Refused> {
    let version = format!("tidegauge {}", env!("CARGO_PKG_VERSION"));
    let page = Man::new(command.clone()).source(version).manual("Tidegauge");
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| Refused::new(1, format!("cannot write a manual page: {error}")))?;
    let path = folder.join(page.get_filename());
    session.write(&path, &text)?;
    session.print(&format!("{}\n", path.display()))?;
    let below = command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set());
    below.into_iter().try_for_each(|inner| write_all(session, inner, folder))
}
