//! The support bundle of a provider with telling names: everything a supporter needs, and none of the names and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tidegauge::agent::Place;
use tidegauge::config::Settings;
use tidegauge::evidence::archive;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::oracle::Oracle;
use tidegauge::simulation::past::Unforced;
use tidegauge::simulation::provider;
use tidegauge::simulation::world::World;

use super::{RealFiles, Shell, at, is_private};

/// Settings that name hosts, people and addresses; PORT is nobody's.
const SETTINGS: &str = r#"
[[server]]
name = "vbr01"
source = "vbr"
url = "https://backup-prague.example.net:9419"
username = "svc-ottilie"
password_file = "/etc/ottilie/vbr01.password"
known_as = ["PRAGUE-BACKUP"]
shared_license = "moldau"
[[server]]
name = "vbr02"
source = "snapshot_folder"
path = "/srv/moldau/vbr02"
[license_server]
url = "https://license.moldau.example"
[mail]
host = "smtp.moldau.example"
from = "Ottilie Wendt <ottilie.wendt@moldau.example>"
to = ["licensing@moldau.example"]
[[webhook]]
name = "moldau-noc"
url = "https://hooks.moldau.example/services/T0KEN-4711"
secret_files = ["/etc/ottilie/hook.secret"]
"#;

/// A line that a log might hold.
const LOG: &str = concat!(
    "{\"timestamp\":\"2026-11-04T08:00:00Z\",\"level\":\"WARN\",\"message\":\"vbr01: https://backup-prague.example.net:9419 ",
    "(10.20.30.40) does not answer\",\"peer\":\"vbr01\"}\n",
    "plain words for ottilie.wendt@moldau.example of Tenant A\n"
);

struct Played {
    shell: Shell,
    oracle: Oracle,
    config: String,
}

/// A provider of two servers in November, with a user, and everything it names.
fn provider_with_names() -> Played {
    let mut shell = Shell::new();
    let settings =
        Settings { state_dir: shell.path("state"), reports_dir: shell.path("reports"), ..Settings::default() };
    let place = Place::Folder(settings.state_dir.clone());
    let plan = provider::plan(7, at("2026-09-25T00:00:00Z"), settings);
    let mut world = World::on(plan, Arc::new(Unforced(Arc::new(RealFiles))), place, None);
    world.run_until(at("2026-11-04T09:00:00Z"));
    assert_eq!(world.objections(), [""; 0]);
    shell.clock = SimulatedClock::at(world.now());
    let oracle = std::mem::take(&mut world.oracle);
    let (_, wire) = world.into_live(Arc::new(shell.clock.clone()));
    shell.wire = Arc::new(move |_| Arc::new(wire.clone()));
    let config = shell.file("moldau.toml", SETTINGS);
    let added = shell.run(&["user", "add", "wendt", "--role", "approver", "--config", &config]);
    assert_eq!(added.code, 0, "{}", added.err);
    Played { shell, oracle, config }
}

/// Whether a text, in lower case, has the name as words of their own, or a part of a word that is long enough to tell.
fn stands_in(name: &str, text: &str) -> bool {
    let is_whole = |at: usize| text[at + name.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    text.match_indices(name).any(|(at, _)| is_whole(at) || !name.contains(' '))
}

/// Every name of the world: of its settings, and of the machines of its report.
fn names(played: &Played) -> BTreeSet<String> {
    let told = [
        "vbr01",
        "vbr02",
        "prague",
        "ottilie",
        "moldau",
        "wendt",
        "t0ken",
        "example provider",
        "licensing@",
        "clerk",
        "10.20.30.40",
        "tenant a",
        "example.net",
    ];
    let mut names: BTreeSet<String> = told.map(str::to_owned).into();
    let shown = played.shell.json(&["report", "show", "--server", "vbr01", "--config", &played.config]);
    let workloads = shown["workloads"].as_array().expect("a report has workloads");
    for workload in workloads {
        let fields = ["id", "name", "tenant", "host"].map(|field| workload[field].as_str().unwrap_or_default());
        names.extend(fields.into_iter().filter(|name| name.len() > 3).map(str::to_lowercase));
    }
    assert!(workloads.len() > 20, "the world has machines");
    let path = played.shell.path("");
    names.insert(path.file_name().expect("a folder").to_string_lossy().to_lowercase());
    names
}

fn unpacked(shell: &Shell, name: &str) -> BTreeMap<String, String> {
    let path = shell.path(name);
    assert!(is_private(&path), "nobody else reads it");
    let bytes = std::fs::read(path).expect("it was written");
    let files = archive::unpack(&bytes).expect("an archive").files;
    files.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).expect("text"))).collect()
}

fn bundle(played: &Played, name: &str, more: &[&str]) -> super::Ran {
    let out = played.shell.path(name).display().to_string();
    played.shell.run(&[&["support-bundle", "--out", &out, "--config", &played.config], more].concat())
}

#[test]
fn a_bundle_has_what_a_supporter_needs_and_no_name_and_no_secret() {
    let mut played = provider_with_names();
    let log = played.shell.file("agent.log", LOG);
    let ran = bundle(&played, "support.zip", &["--log", &log]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let files = unpacked(&played.shell, "support.zip");
    let expected = [
        "README.txt",
        "about.json",
        "doctor.json",
        "journal.json",
        "log.txt",
        "readings.json",
        "schedule.json",
        "servers.json",
        "settings.json",
        "status.json",
        "store.json",
    ];
    assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    let names = names(&played);
    let mut found = Vec::new();
    for (file, text) in &files {
        played.oracle.check_leak(file, text.as_bytes());
        let text = text.to_lowercase();
        found.extend(names.iter().filter(|name| stands_in(name, &text)).map(|name| format!("{name} stands in {file}")));
    }
    assert_eq!(found, [""; 0]);
    assert_eq!(played.oracle.objections(), [""; 0]);

    let json = |file: &str| -> Value { serde_json::from_str(&files[file]).expect("JSON") };
    assert_eq!(json("about.json")["version"], env!("CARGO_PKG_VERSION"));
    let kinds = &json("journal.json")["entries"][0];
    assert!(kinds["kinds"].is_array() && kinds["what"].is_null() && kinds["seq"].is_number(), "{kinds}");
    let server = &json("status.json")["servers"][0];
    let pseudonym = server["name"].as_str().expect("a name").to_owned();
    assert!(pseudonym.starts_with("server-") && server["last_sample_at"].is_string(), "{server}");
    assert!(
        files["schedule.json"].contains(&pseudonym) && files["doctor.json"].contains(&pseudonym),
        "the same everywhere"
    );
    assert!(
        files["log.txt"].contains(&pseudonym) && files["log.txt"].contains("does not answer"),
        "{}",
        files["log.txt"]
    );
    assert!(files["doctor.json"].contains("\"state directory\""), "{}", files["doctor.json"]);
    assert!(files["settings.json"].contains("policy.auto_submit_day"), "settings keep what names nobody");

    assert_eq!(bundle(&played, "support.zip", &[]).code, 8, "nothing is overwritten");
    assert_eq!(bundle(&played, "again.zip", &[]).code, 0);
    assert!(unpacked(&played.shell, "again.zip")["status.json"].contains(&pseudonym), "the same in the next bundle");
}

#[test]
fn a_store_that_does_not_open_is_no_reason_to_have_no_bundle() {
    let played = provider_with_names();
    let journal = played.shell.path("state").join("journal");
    let segment = std::fs::read_dir(&journal).expect("a journal").flatten().map(|entry| entry.path()).min();
    let segment = segment.expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("it is ours");
    let ran = bundle(&played, "support.zip", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("lacks what the store knows"), "{}", ran.err);
    let files = unpacked(&played.shell, "support.zip");
    assert!(files["doctor.json"].contains("\"failed\""), "{}", files["doctor.json"]);
    assert!(!files.contains_key("status.json") && files.contains_key("settings.json"));
    for (file, text) in &files {
        for name in ["vbr01", "moldau", "ottilie", "prague"] {
            assert!(!text.to_lowercase().contains(name), "{name} stands in {file}: {text}");
        }
    }
}
