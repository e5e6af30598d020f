//! Where usage comes from: address, login, and one read of it by which everything is tested.

use std::path::Path;
use std::sync::Arc;

use super::asking::{again, say, until, yes};
use super::draft::{Draft, beside, entry, name_of, secret_entry};
use super::far_side::{self, secret_file};
use crate::agent::{Refused, TrialRead, trial_read};
use crate::ask::Setback;
use crate::cli::access::runtime;
use crate::cli::patience::Patience;
use crate::cli::session::{Session, absolute};
use crate::config::{ServerSettings, Settings};
use crate::doors::Wire;
use crate::sources::{Reach, SourceRow, source_named};

/// What is said of a source, and the port that it listens on.
struct Kind {
    source: &'static str,
    words: &'static str,
    port: u16,
}

/// Every source of the settings.
const KINDS: [Kind; 4] = [
    Kind { source: "vbr", words: "a backup server, by its REST API", port: 9419 },
    Kind { source: "vspc", words: "a Service Provider Console, with every server that it names", port: 1280 },
    Kind { source: "enterprise_manager", words: "an Enterprise Manager with Cloud Connect tenants", port: 9398 },
    Kind { source: "snapshot_folder", words: "snapshot files that something else leaves in a folder", port: 0 },
];

/// Asks for the first server and keeps its block.
pub fn ask(session: &mut Session<'_>, draft: &mut Draft, folder: &Path) -> Result<(), Refused> {
    say(session, "Where does usage come from? More servers are added in the file afterwards.");
    for kind in &KINDS {
        say(session, &format!("  {:<18}  {}", kind.source, kind.words));
    }
    let (kind, row) = until(session, "Source", KINDS[0].source, |typed| {
        let kind = KINDS.iter().find(|kind| kind.source == typed);
        kind.zip(source_named(typed)).ok_or_else(|| format!("there is no source \"{typed}\""))
    })?;
    let block = match row.reach {
        Reach::Folder => by_folder(session, draft, kind)?,
        Reach::Login | Reach::LoginOrKey => by_http(session, draft, kind, row, folder)?,
    };
    draft.keep(&block);
    Ok(())
}

fn by_folder(session: &mut Session<'_>, draft: &Draft, kind: &Kind) -> Result<String, Refused> {
    let path = until(session, "Folder", "/var/spool/tidegauge/vbr01", |typed| Ok(absolute(Path::new(typed))))?;
    let listed = session.doors.files.list(&path);
    match listed {
        Ok(names) => say(session, &format!("  {} files lie there", names.len())),
        Err(error) => say(session, &format!("  it cannot be read yet: {error}")),
    }
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let rest = entry("path", &path.display().to_string());
    named(session, draft, kind, &name, &rest).map(|name| block(kind, &name, &rest))
}

fn by_http(
    session: &mut Session<'_>,
    draft: &Draft,
    kind: &Kind,
    row: &SourceRow,
    folder: &Path,
) -> Result<String, Refused> {
    let question = format!("Its address; https:// and port {} are added", kind.port);
    let far = far_side::ask(session, &question, Some(kind.port))?;
    let far = far.ok_or_else(|| Refused::new(2, "no address; nothing was written"))?;
    // Judged before there is a login: with one that stands for it.
    let stand_in = format!("{}username = \"-\"\npassword_env = \"-\"\n", far.entries());
    let name = named(session, draft, kind, &name_of(&far.url), &stand_in)?;
    again(session, |session| {
        let login = login(session, row, &name, folder)?;
        let block = block(kind, &name, &format!("{}{login}", far.entries()));
        let settings = match draft.with(&block) {
            Ok(settings) => settings,
            Err(why) => {
                say(session, &format!("  {why}"));
                return Ok(None);
            }
        };
        let stays = !far.answers || is_read(session, &settings)? || !yes(session, "Another login?")?;
        Ok(stays.then_some(block))
    })
}

fn named(session: &mut Session<'_>, draft: &Draft, kind: &Kind, default: &str, rest: &str) -> Result<String, Refused> {
    until(session, "What it is called here", default, |typed| {
        draft.with(&block(kind, typed, rest)).map(|_| typed.to_owned())
    })
}

fn block(kind: &Kind, name: &str, rest: &str) -> String {
    format!("\n[[server]]\n{}{}{rest}", entry("name", name), entry("source", kind.source))
}

/// An API key where the source takes one, else user name and password; each stands in a file.
fn login(session: &mut Session<'_>, row: &SourceRow, name: &str, folder: &Path) -> Result<String, Refused> {
    if row.reach == Reach::LoginOrKey && yes(session, "Is there an API key (else: user name and password)?")? {
        let place = secret_file(session, "API key", &beside(folder, name, "key"))?;
        return Ok(secret_entry("api_key", &place));
    }
    let is_given = |typed: &str| {
        let words = "it logs in: write the name of an account that may read";
        if typed.is_empty() { Err(words.to_owned()) } else { Ok(typed.to_owned()) }
    };
    let username = until(session, "User name", "", is_given)?;
    let place = secret_file(session, "password", &beside(folder, name, "password"))?;
    Ok(format!("{}{}", entry("username", &username), secret_entry("password", &place)))
}

/// Reads the server as a first sample does, and says what it showed.
fn is_read(session: &mut Session<'_>, settings: &Settings) -> Result<bool, Refused> {
    let Some(server) = settings.servers.iter().chain(&settings.managers).next() else { return Ok(true) };
    let read = carried(session, settings, server)?;
    match read {
        Ok(read) => {
            let revision = read.revision.map(|revision| format!("its API speaks {revision}"));
            let told = read.servers.into_iter().chain(revision).chain(read.notes).chain(read.clock);
            told.for_each(|one| say(session, &format!("  {one}")));
            Ok(true)
        }
        Err(setback) => {
            say(session, &format!("  {}", setback.why()));
            Ok(false)
        }
    }
}

fn carried(
    session: &Session<'_>,
    settings: &Settings,
    server: &ServerSettings,
) -> Result<Result<TrialRead, Setback>, Refused> {
    let _patience = Patience::with("reading the server");
    let wire: Arc<dyn Wire> = (session.doors.wire)(settings);
    let now = session.hour().now;
    Ok(runtime()?.block_on(trial_read(server, wire.as_ref(), now)))
}
