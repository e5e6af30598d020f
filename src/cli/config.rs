//! `config`: begin a settings file, check one; and the settings of every command.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::{SOCKET, over_socket};
use super::agent::{RELOAD, words};
use super::arguments::Global;
use super::doors::Doors;
use super::interview;
use super::session::{Session, absolute};
use crate::agent::{Refused, settings_shown};
use crate::config::{Flags, STARTING_FILE, Settings, Written};
use crate::domain::Instant;

/// Names the settings file when `--config` does not.
const CONFIG_VARIABLE: &str = "TIDEGAUGE_CONFIG";

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Asks what matters, tests the answers and writes a settings file; or prints one with every setting explained
    ///
    /// With --out, at a terminal: asks for time zone, server, login, License Update Server and mail. Each answer is
    /// tested as it is given: the server is reached, its certificate shown, the login tried and everything read once that
    /// a sample reads. Nothing is changed there; a letter is sent only if you say so. Without a terminal, or with --yes,
    /// nothing is asked and the file explains every setting.
    ///
    /// Exit codes: 2 the input ended; 8 the file to write exists; 73 it cannot be written.
    ///
    /// Example: tidegauge config init --out tidegauge.toml
    Init(Init),
    /// Prints what was understood, secrets masked, or everything that is wrong
    ///
    /// Exit codes: 66 there is no such file; 78 something is wrong: file, line, what and what to do are named.
    ///
    /// Example: tidegauge config check --config tidegauge.toml
    Check,
    /// Lets the running agent read its settings again, as SIGHUP does, and waits until it obeys them
    ///
    /// They are validated first and taken whole or not at all: what `config check` refuses, and a certificate of the
    /// console that cannot be read, leaves the settings before in force. Acts in flight, sessions and samples go on. What
    /// cannot change while it runs (state_dir, and [console] when it would listen elsewhere) is named and left. Variables
    /// and options are those of the agent's start; certificates and points tables are read again too.
    ///
    /// Exit codes: 69 no agent runs on this state directory; 75 it is stopping; 78 the settings are refused.
    ///
    /// Example: tidegauge config reload --config /etc/tidegauge/tidegauge.toml
    Reload,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Writes this file; it must not exist
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Asks nothing: every setting stands in the file, explained
    #[arg(long)]
    yes: bool,
}

pub fn run(session: &mut Session<'_>, act: &Act) -> Result<(), Refused> {
    match act {
        Act::Init(Init { out: None, .. }) => session.print(STARTING_FILE),
        Act::Init(Init { out: Some(path), yes }) => {
            refuse_to_overwrite(session, path)?;
            let asked = if *yes { None } else { interview::ask(session, path)? };
            // Somebody may have written it while the questions were asked.
            refuse_to_overwrite(session, path)?;
            session.write(path, asked.as_deref().unwrap_or(STARTING_FILE).as_bytes())?;
            session.print(&format!("{}\n", path.display()))
        }
        Act::Check => {
            let understood = settings_shown(&session.settings()?);
            session.show(&understood, explained)
        }
        Act::Reload => reload(session),
    }
}

/// Says it over the control socket: the agent reads the file itself, as it was started. Where this command cannot
/// read the settings, the agent of the usual state directory is told all the same: its log and its `status` then say so.
fn reload(session: &mut Session<'_>) -> Result<(), Refused> {
    session.refuse_now("config reload")?;
    let (state, unread) = match session.settings() {
        Ok(settings) => (settings.state_dir, None),
        Err(refused) => (session.global.state.clone().unwrap_or(Settings::default().state_dir), Some(refused)),
    };
    let state = absolute(&state);
    let socket = state.join(SOCKET);
    if matches!(session.doors.files.read(&socket), Ok(None)) {
        let why = format!("no agent runs on {}; another state_dir takes a restart", state.display());
        return Err(unread.unwrap_or_else(|| Refused::new(69, why)));
    }
    let taken = over_socket(&socket, session, RELOAD, &json!({}));
    let taken = unread.map_or(taken, Err)?;
    session.show(&taken, |taken, _| {
        let say =
            |names: String, words: &str| if names.is_empty() { String::new() } else { format!("{words}: {names}\n") };
        let left = say(words(&taken["left"]), "left until the agent starts again");
        match words(&taken["changed"]) {
            same if same.is_empty() => format!("in force; no setting differs from before\n{left}"),
            changed => format!("in force; changed: {changed}\n{left}"),
        }
    })
}

/// What stands there and cannot be read stands there too.
fn refuse_to_overwrite(session: &Session<'_>, path: &Path) -> Result<(), Refused> {
    match session.doors.files.read(path) {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(Refused::new(8, format!("{} exists; name another file", path.display()))),
    }
}

fn explained(settings: &Value, _: Instant) -> String {
    let lines = settings["lines"].as_array().into_iter().flatten();
    lines.map(|line| format!("{}\n", line.as_str().unwrap_or_default())).collect()
}

/// The settings file if one is named, the environment over it, the options over both.
pub fn settings(doors: &Doors, global: &Global) -> Result<Settings, Refused> {
    let named = global.config.clone().or_else(|| doors.variable(CONFIG_VARIABLE).map(PathBuf::from));
    let file = named.map(|path| text_of(doors, &path).map(|text| (path.display().to_string(), text))).transpose()?;
    let written = file.as_ref().map(|(name, text)| Written { name, text });
    let flags = Flags { state: global.state.clone(), reports: global.reports.clone() };
    let mut settings = Settings::read(written, doors.variables.iter().cloned(), &flags)
        .map_err(|refusals| Refused::new(78, refusals.to_string()))?;
    for path in settings.points_tables.clone() {
        let text = text_of(doors, &path)?;
        let taken = settings.take_points_table(&path.display().to_string(), &text);
        taken.map_err(|wrong| Refused::new(78, wrong.to_string()))?;
    }
    Ok(settings)
}

fn text_of(doors: &Doors, path: &Path) -> Result<String, Refused> {
    let cannot = |why: String| Refused::new(78, format!("the settings: {}: {why}", path.display()));
    let bytes = doors.files.read(path).map_err(|error| cannot(error.to_string()))?;
    let bytes =
        bytes.ok_or_else(|| Refused::new(66, format!("there is no file {} of the settings", path.display())))?;
    String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text".to_owned()))
}
