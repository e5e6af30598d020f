//! `doctor`: settings, directories, store, and whether every server is reachable.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{Access, runtime};
use super::patience::Patience;
use super::session::Session;
use super::table::{Column, Table, list, word};
use crate::agent::{Query, Refused};
use crate::ask::{Answer, Ask, FolderAsk, HttpAsk};
use crate::config::Settings;
use crate::domain::Instant;
use crate::doors::Wire;
use crate::doors::peer::{PeerSettings, SecretPlace, WEBHOOK};
use crate::ports::wire;

/// Longest wait for a server.
const SECONDS_MAX: u32 = 10;
/// Files that a folder's listing may name.
const ENTRIES_MAX: usize = 100_000;
/// Written and removed to see whether a directory can be written.
const PROBE: &str = ".tidegauge-doctor";

/// What was looked at, and what came of it.
struct Check {
    name: String,
    found: Found,
}

/// What a check found.
enum Found {
    Well(String),
    /// Worth knowing; the exit code does not tell it.
    Warning(String),
    /// Not well, with the exit code.
    Failed(Refused),
}

impl Check {
    fn of(name: &str, found: Result<String, Refused>) -> Check {
        let found = match found {
            Ok(detail) => Found::Well(detail),
            Err(refused) => Found::Failed(refused),
        };
        Check { name: name.to_owned(), found }
    }
}

pub fn run(session: &mut Session<'_>) -> Result<(), Refused> {
    let settings = session.settings()?;
    let mut checks = vec![Check::of("settings", Ok(named(session)))];
    for (name, folder) in [("state directory", &settings.state_dir), ("reports directory", &settings.reports_dir)] {
        checks.push(Check::of(name, writable(session, folder)));
    }
    checks.extend(store(session));
    checks.extend(secrets(&settings));
    checks.extend(reachable(session, &settings)?);
    let rows: Vec<Value> = checks.iter().map(row).collect();
    session.show(&json!({"schema": "tidegauge.doctor/1", "checks": rows}), text)?;
    let failed = checks.iter().filter_map(|check| match &check.found {
        Found::Failed(refused) => Some((check, refused.code)),
        Found::Well(_) | Found::Warning(_) => None,
    });
    match failed.max_by_key(|(_, code)| *code) {
        Some((check, code)) => Err(Refused::new(code, format!("{} is not well", check.name))),
        None => Ok(()),
    }
}

fn named(session: &Session<'_>) -> String {
    session.global.config.as_ref().map_or("the defaults hold".to_owned(), |path| path.display().to_string())
}

fn writable(session: &Session<'_>, folder: &Path) -> Result<String, Refused> {
    let probe = folder.join(PROBE);
    let files = &session.doors.files;
    let tried = files.write(&probe, b"").and_then(|()| files.remove(&probe));
    match tried {
        Ok(()) => Ok(folder.display().to_string()),
        Err(error) => Err(Refused::new(73, format!("{}: {error}", folder.display()))),
    }
}

/// The store opens or an agent answers; what `status` warns of is told too.
fn store(session: &mut Session<'_>) -> Vec<Check> {
    let opened = Access::open(session).and_then(|mut access| {
        let status = access.ask(session, &Query::Status {})?;
        let how = match access {
            Access::Direct { .. } => "it opens; no agent runs on it",
            Access::Remote { .. } => "an agent runs on it and answers",
        };
        let typefaces = access.ask(session, &Query::Typefaces {})?;
        Ok((how.to_owned(), status, typefaces))
    });
    match opened {
        Ok((how, status, typefaces)) => {
            let warnings = [&status, &typefaces].into_iter().flat_map(|answer| list(answer, "warnings"));
            let warnings = warnings.map(|warning| warning.as_str().unwrap_or_default());
            let told = warnings
                .map(|warning| Check { name: "warning".to_owned(), found: Found::Warning(warning.to_owned()) })
                .collect::<Vec<Check>>();
            std::iter::once(Check::of("store", Ok(how))).chain(told).collect()
        }
        Err(refused) => vec![Check::of("store", Err(refused))],
    }
}

/// Every secret that the settings name is there, and nobody else can read it; what only the service has is not judged.
fn secrets(settings: &Settings) -> Vec<Check> {
    let check = |(peer, reach): (String, PeerSettings)| {
        let places = reach.secrets();
        let unread = places.iter().filter_map(|place| Some((place, wire::readable(place).err()?)));
        let (away, bad): (Vec<_>, Vec<_>) = unread.partition(|(place, _)| is_the_services(place));
        let found = match (bad.first(), away.first()) {
            (Some((_, failure)), _) => Found::Failed(Refused::new(78, failure.to_string())),
            (None, Some((_, failure))) => {
                Found::Warning(format!("not judged here, the service's own may be another: {failure}"))
            }
            (None, None) => Found::Well(format!("{} can be read, and by nobody else", places.len())),
        };
        (!places.is_empty()).then(|| Check { name: format!("secret of {peer}"), found })
    };
    settings.peers().into_iter().filter_map(check).collect()
}

/// Whether a service has its own of it: a variable of its environment, or a credential that systemd shows nobody else.
fn is_the_services(place: &SecretPlace) -> bool {
    match place {
        SecretPlace::Env(_) => true,
        SecretPlace::File(path) => {
            path.starts_with("/run") && path.components().any(|part| part.as_os_str() == "credentials")
        }
    }
}

/// Every far side of the settings, all at once.
fn reachable(session: &Session<'_>, settings: &Settings) -> Result<Vec<Check>, Refused> {
    let _patience = Patience::with("asking every server");
    let carrier = (session.doors.wire)(settings);
    runtime()?.block_on(async {
        let mut asked = Vec::new();
        for (peer, reach) in settings.peers() {
            asked.push(tokio::spawn(knock(Arc::clone(&carrier), peer, reach)));
        }
        let mut checks = Vec::new();
        for one in asked {
            checks.push(one.await.map_err(|error| Refused::new(1, format!("a check broke off: {error}")))?);
        }
        Ok(checks)
    })
}

async fn knock(wire: Arc<dyn Wire>, peer: String, reach: PeerSettings) -> Check {
    let ask = match &reach {
        PeerSettings::Http(_) => Ask::Http(HttpAsk { seconds_max: SECONDS_MAX, ..HttpAsk::get(&peer, "/") }),
        PeerSettings::Folder(_) => Ask::Folder(FolderAsk::List { peer: peer.clone(), entries_max: ENTRIES_MAX }),
        PeerSettings::Hook(hook) => {
            let how = if peer.starts_with(WEBHOOK) { "; `tidegauge webhook test` sends a message" } else { "" };
            let found = Ok(format!("{} is not asked here{how}", hook.server.base_url));
            return Check::of(&peer, found);
        }
        PeerSettings::Mail(mail) => {
            let found =
                Ok(format!("{}:{} is not asked here; `tidegauge mail test` sends a letter", mail.host, mail.port));
            return Check::of(&peer, found);
        }
    };
    let found = match wire.carry(ask).await {
        Answer::Http(answer) => Ok(format!("answers (status {})", answer.status)),
        Answer::Folder(_) => Ok("can be read".to_owned()),
        Answer::Failed(failure) => Err(Refused::new(69, failure.to_string())),
        Answer::Mail(answer) => answer.end.map_err(|failure| Refused::new(69, failure.to_string())),
    };
    Check::of(&peer, found)
}

fn row(check: &Check) -> Value {
    let (state, detail) = match &check.found {
        Found::Well(detail) => ("ok", detail),
        Found::Warning(detail) => ("warning", detail),
        Found::Failed(refused) => ("failed", &refused.why),
    };
    json!({"name": check.name, "state": state, "detail": detail})
}

fn text(doctor: &Value, _: Instant) -> String {
    let mut table = Table::new(&[Column::Left("what"), Column::Left("state"), Column::Left("detail")]);
    for check in list(doctor, "checks") {
        table.row([word(check, "name"), word(check, "state"), word(check, "detail")]);
    }
    table.text("nothing to check")
}
