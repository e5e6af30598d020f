//! `store`: back the state directory up, restore it, prove it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::access::Access;
use super::patience::Patience;
use super::session::{Session, absolute};
use super::table::word;
use crate::agent::{Care, Refused, restore};
use crate::domain::Instant;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Copies the journal, which is everything, into an empty folder; also while the agent runs
    ///
    /// Keys (keys/) and license keys (licenses/) are files of their own; copy them too.
    /// Exit codes: 7 the journal is damaged; 8 the folder holds a journal; 73 it cannot be written.
    ///
    /// Example: tidegauge store backup /backup/2026-11-01
    Backup(Folder),
    /// Copies a backup into a state directory that holds no journal
    ///
    /// Exit codes: 7 the backup is damaged or empty; 8 the state directory holds a journal; 75 an agent runs.
    ///
    /// Example: tidegauge store restore /backup/2026-11-01 --state /var/lib/tidegauge
    Restore(Folder),
    /// Checks every checksum and link of the journal, and that the state equals a replay
    ///
    /// Exit codes: 7 something does not hold; it is said what and where.
    Verify,
}

#[derive(Debug, Args)]
pub struct Folder {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Backup(to) => {
            let to = absolute(&to.folder);
            let done = Access::open(session)?.care(session, &Care::Backup { to })?;
            session.show(&done, copied)
        }
        Act::Restore(from) => {
            let state_dir = session.settings()?.state_dir;
            let patience = Patience::with("copying and checking the journal");
            let done = restore(&session.doors.files, &from.folder, &state_dir)?;
            drop(patience);
            session.show(&done, copied)
        }
        Act::Verify => {
            let done = Access::open(session)?.care(session, &Care::Verify {})?;
            session.show(&done, verified)
        }
    }
}

fn copied(done: &Value, _: Instant) -> String {
    format!("{} entries copied to {}, every link checked\n", word(done, "entries"), word(done, "to"))
}

fn verified(done: &Value, _: Instant) -> String {
    format!(
        "in order: {} entries in {} segments, and the state's {} rows follow from them; head {}\n",
        word(done, "entries"),
        word(done, "segments"),
        word(done, "rows"),
        word(done, "head"),
    )
}
