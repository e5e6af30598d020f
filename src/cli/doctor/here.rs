//! This machine: settings, directories, who may read them, room on the disk.

use std::path::Path;

use super::Check;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::config::Settings;
use crate::ports::machine::{OpenTo, free_bytes, open_to};

/// Written and removed to see whether a directory can be written.
const PROBE: &str = ".tidegauge-doctor";
/// Less free space than this is worth knowing: a year of a thousand workloads takes a part of it.
const FREE_MIN: u64 = 1 << 30;
/// With less than this the next report may not fit.
const FREE_NEEDED: u64 = 64 << 20;

const GIVE_IT: &str = "make the directory and give it to the user that the service runs as (chown)";
const CLOSE_IT: &str = "only its owner may read it: chmod 700 for the state directory, chmod o-w for the settings";
const LOOK: &str =
    "take everybody else's rights to it away by hand (on Windows: icacls), also to the files of passwords";
const MAKE_ROOM: &str =
    "make room on that disk, or name another state_dir: nothing is lost, but nothing more is kept when it is full";

pub fn checks(session: &Session<'_>, settings: &Settings) -> Vec<Check> {
    let folders = [("state directory", &settings.state_dir), ("reports directory", &settings.reports_dir)];
    let mut checks = vec![file(session)];
    checks.extend(folders.into_iter().map(|(name, folder)| writable(session, name, folder)));
    checks.extend(closed(&settings.state_dir));
    checks.extend(room(&settings.state_dir));
    checks
}

fn file(session: &Session<'_>) -> Check {
    let Some(path) = &session.global.config else { return Check::well("settings", "the defaults hold") };
    let shown = path.display();
    match open_to(path) {
        Ok(OpenTo::Writers) => {
            Check::warning("settings", format!("{shown} can be changed by everybody on this machine"), CLOSE_IT)
        }
        Ok(OpenTo::Nobody | OpenTo::Readers) | Err(_) => Check::well("settings", shown.to_string()),
    }
}

fn writable(session: &Session<'_>, name: &str, folder: &Path) -> Check {
    let probe = folder.join(PROBE);
    let files = &session.doors.files;
    match files.write(&probe, b"").and_then(|()| files.remove(&probe)) {
        Ok(()) => Check::well(name, folder.display().to_string()),
        Err(error) => Check::failed(name, Refused::new(73, format!("{}: {error}", folder.display())), GIVE_IT),
    }
}

/// Journal and keys lie in it.
fn closed(state_dir: &Path) -> Option<Check> {
    let shown = state_dir.display();
    match open_to(state_dir) {
        Ok(OpenTo::Nobody) => Some(Check::well("permissions", format!("{shown} is closed to others"))),
        Ok(OpenTo::Readers | OpenTo::Writers) => {
            Some(Check::warning("permissions", format!("{shown} is open to everybody on this machine"), CLOSE_IT))
        }
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            Some(Check::warning("permissions", format!("who may read {shown} is not looked at on this system"), LOOK))
        }
        Err(_) => None,
    }
}

/// Nothing is said where the system does not tell.
fn room(state_dir: &Path) -> Option<Check> {
    let free = free_bytes(state_dir).ok()?;
    let found = format!("{} MiB are free below {}", free >> 20, state_dir.display());
    Some(match free {
        free if free < FREE_NEEDED => Check::failed("disk", Refused::new(73, found), MAKE_ROOM),
        free if free < FREE_MIN => Check::warning("disk", found, MAKE_ROOM),
        _ => Check::well("disk", found),
    })
}
