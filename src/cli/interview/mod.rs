//! `config init` at a terminal: the few questions that matter, each answer tested before it is written.

mod asking;
mod draft;
mod far_side;
mod others;
mod server;

use std::path::Path;

use super::session::{Session, absolute};
use crate::agent::Refused;

use asking::say;
use draft::{Draft, entry};

/// Asks, and returns the settings file that the answers make; `None`: nobody sits at the terminal.
///
/// # Errors
/// 2 when the input ends or nothing that can be used is typed.
pub fn ask(session: &mut Session<'_>, path: &Path) -> Result<Option<String>, Refused> {
    let welcome = format!(
        "{} is written in the end, after the last question; Ctrl-C ends without it.\nWhat stands in brackets is the \
         answer of an empty line. Servers are asked, and nothing is changed there.\nPress Enter to begin. ",
        path.display()
    );
    if (session.doors.ask)(&welcome).is_none() {
        return Ok(None);
    }
    let folder = absolute(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut draft = Draft::new();
    folders(session, &mut draft);
    others::time_zone(session, &mut draft)?;
    server::ask(session, &mut draft, &folder)?;
    let has_license_server = others::license_server(session, &mut draft)?;
    others::mail(session, &mut draft, &folder)?;
    draft.with("").map_err(|why| Refused::new(78, why))?;
    say(session, &next_steps(path, has_license_server));
    Ok(Some(draft.text().to_owned()))
}

/// The folders that stand on the command line.
fn folders(session: &Session<'_>, draft: &mut Draft) {
    let given = [("state_dir", &session.global.state), ("reports_dir", &session.global.reports)];
    for (key, folder) in given {
        if let Some(folder) = folder {
            draft.keep(&entry(key, &absolute(folder).display().to_string()));
        }
    }
}

fn next_steps(path: &Path, has_license_server: bool) -> String {
    let shown = path.display();
    let enrol = if has_license_server {
        format!("  tidegauge enrol --token-file TOKEN.txt --config {shown}\n")
    } else {
        String::new()
    };
    format!(
        "Next:\n  tidegauge doctor --config {shown}\n  tidegauge sample now --config {shown}\n{enrol}  tidegauge agent \
         --config {shown}"
    )
}
