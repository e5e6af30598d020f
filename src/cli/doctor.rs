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
use crate::doors::peer::{PeerSettings, WEBHOOK};
use crate::ports::wire;

/// Longest wait for a server.
const SECONDS_MAX: u32 = 10;
/// Files that a folder's listing may name.
const ENTRIES_MAX: usize = 100_000;
/// Written and removed to see whether a directory can be written.
const PROBE: &str = ".tidegauge-doctor";

/// What was looked at, and the exit code when it is not well.
struct Check {
    name: String,
    found: Result<String, Refused>,
}

pub fn run(session: &mut Session<'_>) -> Result<(), Refused> {
    let settings = session.settings()?;
    let mut checks = vec![Check { name: "settings".to_owned(), found: Ok(named(session)) }];
    for (name, folder) in [("state directory", &settings.state_dir), ("reports directory", &settings.reports_dir)] {
        checks.push(Check { name: name.to_owned(), found: writable(session, folder) });
    }
    checks.extend(store(session));
    checks.extend(secrets(&settings));
    checks.extend(reachable(session, &settings)?);
    let rows: Vec<Value> = checks.iter().map(row).collect();
    session.show(&json!({"schema": "tidegauge.doctor/1", "checks": rows}), text)?;
    let failed = checks.iter().filter_map(|check| check.found.as_ref().err().map(|refused| (check, refused.code)));
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
    let check = |name: &str, found| Check { name: name.to_owned(), found };
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
            let told = warnings.map(|warning| check("warning", Ok(warning.to_owned())));
            std::iter::once(check("store", Ok(how))).chain(told.collect::<Vec<Check>>()).collect()
        }
        Err(refused) => vec![check("store", Err(refused))],
    }
}

/// Every secret that the settings name is there, and nobody else can read it.
fn secrets(settings: &Settings) -> Vec<Check> {
    let check = |(peer, reach): (String, PeerSettings)| {
        let places = reach.secrets();
        let first = places.iter().find_map(|place| wire::readable(place).err());
        let found = match first {
            None => Ok(format!("{} can be read, and by nobody else", places.len())),
            Some(failure) => Err(Refused::new(78, failure.to_string())),
        };
        (!places.is_empty()).then(|| Check { name: format!("secret of {peer}"), found })
    };
    settings.peers().into_iter().filter_map(check).collect()
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
            return Check { name: peer, found };
        }
        PeerSettings::Mail(mail) => {
            let found =
                Ok(format!("{}:{} is not asked here; `tidegauge mail test` sends a letter", mail.host, mail.port));
            return Check { name: peer, found };
        }
    };
    let found = match wire.carry(ask).await {
        Answer::Http(answer) => Ok(format!("answers (status {})", answer.status)),
        Answer::Folder(_) => Ok("can be read".to_owned()),
        Answer::Failed(failure) => Err(Refused::new(69, failure.to_string())),
        Answer::Mail(answer) => answer.end.map_err(|failure| Refused::new(69, failure.to_string())),
    };
    Check { name: peer, found }
}

fn row(check: &Check) -> Value {
    let (state, detail) = match &check.found {
        Ok(detail) if check.name == "warning" => ("warning", detail),
        Ok(detail) => ("ok", detail),
        Err(refused) => ("failed", &refused.why),
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
