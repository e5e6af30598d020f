//! Two processes on one store, a store on two machines, and a store that comes back from its backup.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::Value;
use tidegauge::doors::Clock;
use tidegauge::ports::clock::SystemClock;
use tidegauge::ports::files::RealFiles;
use tidegauge::store::fact::Fact;
use tidegauge::store::journal::Entry;
use tidegauge::store::{Place, Store};

use super::license_server::{founded, serving};
use super::running::{Running, run};
use crate::cli::{Shell, snapshot};
use crate::store::broken::copy_all;

const OCTOBER: [&str; 2] = ["--month", "2025-10"];

/// A License Update Server that runs, and an agent with October's report, enrolled with it.
struct Office {
    folder: tempfile::TempDir,
    _server: Running,
    address: String,
}

impl Office {
    fn open() -> (Office, Shell) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (token, _) = founded(&folder.path().join("license-server"), SystemClock.now());
        let (server, address) = serving(&folder.path().join("license-server"), "127.0.0.1:0");
        let office = Office { folder, _server: server, address };
        let shell = Shell::with_report();
        let token = shell.file("token", token.to_text().expose_secret());
        office.must(&shell, &["enrol", "--token-file", &token]);
        office.must(&shell, &["license", "auto-update", "on"]);
        (office, shell)
    }

    /// The agent's command, with this server in its settings.
    fn run(&self, shell: &Shell, line: &[&str]) -> (u8, Value, String) {
        let mail = "[mail]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"a@example.net\"\nto = [\"b@example.net\"]\n";
        let text = format!("[license_server]\nurl = \"http://{}\"\n{mail}", self.address);
        let settings = shell.file("tidegauge.toml", &text);
        let ran = shell.run(&[line, &["--json", "--config", &settings]].concat());
        (ran.code, serde_json::from_str(&ran.out).unwrap_or_default(), ran.err)
    }

    fn must(&self, shell: &Shell, line: &[&str]) -> Value {
        let (code, facts, why) = self.run(shell, line);
        assert_eq!(code, 0, "{line:?}: {why}");
        facts
    }

    /// What it has of October: points, revision, and how often other bytes came.
    fn on_file(&self, unit: &str) -> (Value, Value, usize) {
        let state = self.folder.path().join("license-server").display().to_string();
        let line = ["license-server", "report", "show", unit, "2025-10", "--json", "--state", &state];
        let (code, out, why) = run(&line.map(str::to_owned));
        assert_eq!(code, 0, "{why}");
        let shown: Value = serde_json::from_str(&out).expect("JSON");
        let conflicts = shown["conflicts"].as_array().map_or(0, Vec::len);
        (shown["total_points"].clone(), shown["revision"].clone(), conflicts)
    }
}

fn adjusted<'a>(workload: &'a str, reason: &'a str) -> Vec<&'a str> {
    [&["report", "adjust", "--workload", workload, "--reason", reason][..], &OCTOBER].concat()
}

fn sent() -> Vec<&'static str> {
    [&["report", "send"][..], &OCTOBER].concat()
}

fn shown() -> Vec<&'static str> {
    [&["report", "show"][..], &OCTOBER].concat()
}

#[test]
fn a_copy_of_the_state_started_on_a_second_machine_doubles_nothing_and_both_sides_show_it() {
    let (office, first) = Office::open();
    let second = Shell::new();
    copy_all(&first.path("state"), &second.path("state"));
    office.must(&first, &sent());
    let unit = office.must(&first, &shown())["unit"].as_str().expect("a unit").to_owned();
    office.must(&second, &adjusted("sql01", "a test machine"));
    let (_, _, why) = office.run(&second, &sent());
    let there = office.must(&second, &shown());
    assert_eq!(office.on_file(&unit), (Value::from("53"), Value::from(1), 1), "{why}");
    assert_eq!(there["stage"], "submitted", "{why}");
    conflict_is_shown(&office, &second, "53");
}

#[test]
fn a_store_comes_back_from_its_backup_with_the_same_answers_and_adopts_what_the_far_side_knows() {
    let (office, shell) = Office::open();
    let backup = shell.path("backup").display().to_string();
    office.must(&shell, &["store", "backup", &backup]);
    let before = office.must(&shell, &shown());
    let usage = office.must(&shell, &["usage", "--month", "2025-10"]);
    office.must(&shell, &adjusted("sql01", "a test machine"));
    office.must(&shell, &sent());
    damage(&shell.path("state/journal/00000001.seg"));
    let (code, _, why) = office.run(&shell, &["status"]);
    assert_eq!(code, 7, "{why}");
    assert!(why.contains("is damaged at byte") && why.contains("restore the journal from a backup"), "{why}");
    let (code, _, why) = office.run(&shell, &["store", "restore", &backup]);
    assert!(code == 8 && why.contains("move this one aside"), "{code} {why}");
    fs::rename(shell.path("state/journal"), shell.path("damaged")).expect("it is there");
    office.must(&shell, &["store", "restore", &backup]);
    assert_eq!(office.must(&shell, &shown()), before);
    assert_eq!(office.must(&shell, &["usage", "--month", "2025-10"]), usage);
    let (_, _, why) = office.run(&shell, &sent());
    let after = office.must(&shell, &shown());
    assert_eq!(after["stage"], "submitted", "{why}");
    let unit = after["unit"].as_str().expect("a unit").to_owned();
    assert_eq!(office.on_file(&unit), (Value::from("42"), Value::from(1), 1));
    conflict_is_shown(&office, &shell, "42");
}

/// The message says that the far side has other bytes; `status` and the letter, how many points it counts.
fn conflict_is_shown(office: &Office, shell: &Shell, counted: &str) {
    let messages = office.must(shell, &["telemetry", "list"]);
    assert!(messages.to_string().contains("\"state\":\"conflict\""), "{messages:#}");
    let warnings = office.must(shell, &["status"])["warnings"].to_string();
    assert!(warnings.contains(&format!("counts {counted} points for 2025-10")), "{warnings}");
    office.must(shell, &["store", "verify"]);
    let (store, _) = Store::open(&Place::Folder(shell.path("state")), Arc::new(RealFiles)).expect("nobody has it");
    let mut told = Vec::new();
    let each = &mut |_: &Entry, facts: Vec<Fact>| {
        let facts = facts.into_iter().map(|fact| serde_json::to_value(fact).expect("facts are JSON"));
        told.extend(facts.map(|fact| fact.to_string()).filter(|fact| fact.contains("notice_queued")));
    };
    store.history(1, each).expect("in order");
    let sent = told.iter().filter(|one| one.contains("report_sent")).collect::<Vec<_>>();
    assert!(sent.len() == 1 && sent[0].contains(&format!("\"{counted}\"")), "{sent:#?} of {told:#?}");
}

/// Turns a bit in the middle.
fn damage(segment: &Path) {
    let mut bytes = fs::read(segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(segment, bytes).expect("room");
}

#[test]
fn what_a_killed_agent_leaves_behind_keeps_nobody_out() {
    let shell = Shell::with_report();
    let settings = shell.file("tidegauge.toml", "[console]\nlisten = \"127.0.0.1:0\"\n");
    let arguments = |line: &[&str]| shell.arguments(&[line, &["--config", &settings]].concat())[1..].to_vec();
    let (mut agent, _) = Running::start(&arguments(&["agent"]), "agent.ready");
    assert_eq!(run(&arguments(&["agent"])).0, 75, "a second agent is refused");
    let socket: PathBuf = shell.path("state/control.sock");
    agent.kill();
    assert!(socket.exists(), "a killed agent cannot tidy up");
    let file = shell.file("more.json", &snapshot("vbr02", "2025-10-31T23:00:00Z", 1).to_string());
    for line in [&["status"][..], &["sample", "import", &file], &["store", "verify"]] {
        let (code, _, why) = run(&arguments(line));
        assert_eq!(code, 0, "{line:?}: {why}");
    }
    let (mut agent, _) = Running::start(&arguments(&["agent"]), "agent.ready");
    let (code, _, why) = run(&arguments(&["usage", "--month", "2025-10"]));
    assert_eq!(code, 0, "{why}");
    agent.terminate();
    assert!(!socket.exists());
}
