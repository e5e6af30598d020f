//! The settings read again while the agent runs: on SIGHUP, and for `config reload`. Validated first, taken whole or not
//! at all; an agent that refuses them goes on with those before.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, extract::State};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use super::console::Standing;
use super::owner::{Fresh, Note};
use crate::agent::Refused;
use crate::api::problem;
use crate::cli::session::Session;
use crate::config::Settings;
use crate::ports::supervisor::{Tidings, tell};

/// Where `config reload` posts to on the control socket.
pub const PATH: &str = "/settings/reload";
/// People who may wait for it at once.
const WAITING_MAX: usize = 16;

/// Somebody wants the settings read again; and where he hears what came of it.
pub struct Wanted(Option<oneshot::Sender<Result<Value, Refused>>>);

/// Where settings come from when they are wanted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rereading {
    /// From the file, the variables and the options of the start.
    AsAtStart,
    /// They were made by the program itself; SIGHUP ends it, as programs at a terminal do.
    Never,
}

/// The front for those who want it, the back for whoever does it.
pub fn desk() -> (mpsc::Sender<Wanted>, mpsc::Receiver<Wanted>) {
    mpsc::channel(WAITING_MAX)
}

/// Each SIGHUP from now on is a wish; it would end the process otherwise.
///
/// # Errors
/// 1 when signals cannot be heard.
#[cfg(unix)]
pub fn on_hangup(wanted: mpsc::Sender<Wanted>) -> Result<(), Refused> {
    use tokio::signal::unix::{SignalKind, signal};
    let hangups = signal(SignalKind::hangup());
    let mut hangups = hangups.map_err(|error| Refused::new(1, format!("cannot listen for SIGHUP: {error}")))?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            // Full: those that wait read the same file.
            let _ = wanted.try_send(Wanted(None));
        }
    });
    Ok(())
}

/// There is no SIGHUP.
#[cfg(not(unix))]
pub fn on_hangup(_: mpsc::Sender<Wanted>) -> Result<(), Refused> {
    Ok(())
}

/// What the control socket serves for it.
pub fn router(wanted: mpsc::Sender<Wanted>) -> Router {
    Router::new().route(PATH, post(ask)).with_state(wanted)
}

async fn ask(State(wanted): State<mpsc::Sender<Wanted>>) -> Response {
    let (answer, answered) = oneshot::channel();
    let sent = wanted.send(Wanted(Some(answer))).await;
    let done = match sent {
        Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
        Err(_) => Err(gone()),
    };
    match done {
        Ok(taken) => Json(taken).into_response(),
        Err(refused) => problem(&refused),
    }
}

fn gone() -> Refused {
    Refused::new(75, "the agent is stopping, or takes no other settings; start it again with them")
}

/// The settings in force, and what stands on them beside the owner.
pub struct InForce {
    pub settings: Settings,
    pub console: Option<Standing>,
    pub notes: mpsc::UnboundedSender<Note>,
}

impl InForce {
    /// Reads, validates, lets the owner take them, then the console; and tells whoever wanted it, the log and the system.
    pub async fn reload(&mut self, session: &Session<'_>, wanted: Wanted) {
        tell(Tidings::Reloading);
        let done = self.taken(session).await;
        match &done {
            Ok(taken) => {
                let (changed, left) = (words(&taken["changed"]), words(&taken["left"]));
                info!(event = "settings.taken", changed, left, "the settings were read again and are in force");
            }
            Err(refused) => {
                let why = "the settings were read again and are refused; those before are in force";
                warn!(event = "settings.refused", error = %refused.why, "{why}");
                let _ = self.notes.send(Note::SettingsRefused(refused.why.clone()));
            }
        }
        tell(Tidings::Ready);
        if let Wanted(Some(answer)) = wanted {
            // Who wanted it may have gone.
            let _ = answer.send(done);
        }
    }

    async fn taken(&mut self, session: &Session<'_>) -> Result<Value, Refused> {
        let written = session.settings()?;
        let settings = written.for_running(&self.settings);
        let console = self.console.as_ref().map(|console| console.ready(session, &settings)).transpose()?;
        let (taken, is_taken) = oneshot::channel();
        let fresh = Fresh { settings: settings.clone(), wire: (session.doors.wire)(&settings), taken };
        self.notes.send(Note::Settings(Box::new(fresh))).map_err(|_| gone())?;
        is_taken.await.map_err(|_| gone())??;
        if let (Some(standing), Some(ready)) = (&mut self.console, console) {
            standing.become_as(ready);
        }
        let (changed, left) = (settings.differing(&self.settings), written.differing(&settings));
        self.settings = settings;
        Ok(json!({"schema": "tidegauge.settings-taken/1", "changed": changed, "left": left}))
    }
}

/// Names as one word of the log.
pub fn words(names: &Value) -> String {
    names.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
