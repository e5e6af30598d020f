//! `support-bundle`: what a supporter needs in one archive, without secrets and names.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::doctor;
use super::session::Session;
use super::table::{list, word};
use crate::agent::{Query, Refused, support_of_settings};
use crate::domain::Instant;
use crate::domain::calendar::rfc3339;
use crate::domain::pseudonym::Names;
use crate::evidence::archive::{self, Files};
use crate::ports::sizes::folder_sizes;

/// The archive unless it is named.
const OUT: &str = "tidegauge-support.zip";
/// Newest lines of a log that go along, and most bytes of all of them.
const LINES_MAX: usize = 2_000;
const LOG_BYTES_MAX: usize = 512 << 10;
/// Longer lines are cut.
const LINE_SIGNS_MAX: usize = 2_000;

/// What stands in the archive beside the files.
const READ_ME: &str = "What a supporter of Tidegauge needs, made by `tidegauge support-bundle`.

about.json     version, machine, whether an agent runs
settings.json  every setting in force; values that could name somebody are pseudonyms, secrets are never read
doctor.json    what `tidegauge doctor` found
status.json, schedule.json, servers.json, readings.json   what the agent knows and plans
journal.json   kinds and instants of the newest entries, nothing of what they say
store.json     folders of the state directory with their sizes
log.txt        the newest lines of the log, if one was named

Servers, tenants, machines, jobs, people, addresses, paths and ids are pseudonyms: the same name has the same one in
every bundle of this machine, and only its key (keys/pseudonyms.key) undoes them. Other sides' own words are kept as
far as they look like no name: read through the files before you hand them out.
";

#[derive(Debug, Args)]
pub struct Asked {
    /// Writes this archive; it must not exist
    #[arg(long, value_name = "FILE", default_value = OUT)]
    out: PathBuf,
    /// A log whose newest lines go along, such as what `journalctl -u tidegauge -o cat` printed
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    session.refuse_now("support-bundle")?;
    if !matches!(session.doors.files.read_at_most(&asked.out, 0), Ok(None)) {
        return Err(Refused::new(8, format!("{} exists; name another file with --out", asked.out.display())));
    }
    let (findings, _) = doctor::examined(session, doctor::Asked::default())?;
    let sizes = sizes(&session.settings()?.state_dir);
    let log = asked.log.as_deref().map(|path| session.read_text(path)).transpose()?;
    let lines = log.as_deref().map(newest_lines).unwrap_or_default();
    let mut texts = vec![renamed(&findings).to_string(), sizes.to_string()];
    texts.extend(lines);
    let (known, about) = gathered(session, texts)?;
    let files = files(&known, &about, asked.log.is_some());
    let bytes = archive::pack(&files).map_err(|error| Refused::new(1, error.to_string()))?;
    session.write(&asked.out, &bytes)?;
    let names: Vec<&String> = files.keys().collect();
    let done = json!({"schema": "tidegauge.support-bundle/1", "path": asked.out, "bytes": bytes.len(), "files": names});
    session.show(&done, text)
}

/// Findings whose titles are read as texts: a title holds a name, and is none.
fn renamed(findings: &Value) -> Value {
    let mut renamed = findings.clone();
    for check in renamed["checks"].as_array_mut().into_iter().flatten() {
        check["title"] = check["name"].take();
    }
    renamed
}

/// What the agent says; when its store does not open, what the settings alone say.
fn gathered(session: &mut Session<'_>, texts: Vec<String>) -> Result<(Value, Value), Refused> {
    let names = names_here(session);
    let question = Query::Support { names: names.clone(), texts: texts.clone() };
    let answered = session.ask_under(Names::Pseudonyms, &question);
    let about = |store: &str| {
        json!({
            "version": env!("CARGO_PKG_VERSION"), "made_at": rfc3339(session.hour().now),
            "os": std::env::consts::OS, "arch": std::env::consts::ARCH, "store": store,
        })
    };
    match answered {
        Ok(known) => Ok((known, about("it opened"))),
        Err(refused) => {
            let about = about(&format!("nothing could be asked of it (exit code {})", refused.code));
            let settings = session.settings()?;
            let known = support_of_settings(&settings, &names, &texts, (session.doors.chance)().as_mut());
            session.remark(&format!("the bundle lacks what the store knows: {}", refused.why));
            Ok((known, about))
        }
    }
}

/// Who works on this machine, and what it is called.
fn names_here(session: &Session<'_>) -> Vec<String> {
    let variables = ["USER", "LOGNAME", "SUDO_USER", "USERNAME", "HOSTNAME", "COMPUTERNAME"];
    let named = variables.iter().filter_map(|name| session.doors.variable(name)).map(str::to_owned);
    let host = session.doors.files.read_at_most(Path::new("/etc/hostname"), 1 << 10).ok().flatten();
    named.chain(host.and_then(|bytes| String::from_utf8(bytes).ok())).map(|name| name.trim().to_owned()).collect()
}

fn sizes(state_dir: &Path) -> Value {
    match folder_sizes(state_dir) {
        Ok(sizes) => {
            let row = |size: &crate::ports::sizes::FolderSize| json!({"folder": size.folder, "files": size.files, "bytes": size.bytes});
            json!({"folders": sizes.iter().map(row).collect::<Vec<Value>>()})
        }
        Err(error) => json!({"refused": error.to_string()}),
    }
}

/// The end of a log, each line cut to a bearable length.
fn newest_lines(log: &str) -> Vec<String> {
    let mut left = LOG_BYTES_MAX;
    let cut = |line: &str| line.chars().take(LINE_SIGNS_MAX).collect::<String>();
    let newest = log.lines().rev().take(LINES_MAX).map(cut).take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let mut lines: Vec<String> = newest.collect();
    lines.reverse();
    lines
}

fn files(known: &Value, about: &Value, has_log: bool) -> Files {
    let pretty = |value: &Value| format!("{value:#}\n").into_bytes();
    let mut texts = list(known, "texts").iter().map(|text| text.as_str().unwrap_or_default());
    let mut files = Files::new();
    files.insert("README.txt".to_owned(), READ_ME.as_bytes().to_vec());
    files.insert("about.json".to_owned(), pretty(about));
    for name in ["doctor.json", "store.json"] {
        let value: Value = texts.next().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        files.insert(name.to_owned(), pretty(&value));
    }
    for (name, value) in known["files"].as_object().into_iter().flatten() {
        files.insert(name.clone(), pretty(value));
    }
    if has_log {
        let lines = texts.map(|line| format!("{line}\n"));
        files.insert("log.txt".to_owned(), lines.collect::<String>().into_bytes());
    }
    files
}

fn text(done: &Value, _: Instant) -> String {
    format!("{}: {} bytes; read README.txt in it before you hand it out\n", word(done, "path"), word(done, "bytes"))
}
