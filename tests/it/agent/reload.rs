//! Other settings while the agent runs and acts are in flight.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tidegauge::agent::{Agent, Doors, Duty, Hour, JournalSearch, Outcome, Place, Work};
use tidegauge::config::Flags;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::sources::{Collected, snapshot_file};

use super::*;
use crate::cli::snapshot;

const NOW: &str = "2026-10-31T10:00:00Z";

fn hour(minutes: i64) -> Hour {
    Hour::at(at(NOW) + chrono::TimeDelta::minutes(minutes))
}

/// One server with this source.
fn settings(folder: &Path, source: &str) -> Settings {
    let reach = match source {
        "snapshot_folder" => format!("path = \"{}\"", folder.join("spool").display()),
        _ => "url = \"https://vspc.example.net\"\nusername = \"u\"\npassword_env = \"P\"".to_owned(),
    };
    let text = format!("[[server]]\nname = \"vbr01\"\nsource = \"{source}\"\n{reach}\n");
    let written = tidegauge::config::Written { name: "test.toml", text: &text };
    let flags = Flags { state: Some(folder.join("agent")), reports: None };
    Settings::read(Some(written), [], &flags).expect("good settings")
}

/// An agent that reads its server just now.
pub(super) fn reading(folder: &Path) -> (Agent, Duty) {
    let doors = Doors { files: Arc::new(RealFiles), chance: Box::new(SeededChance::new(3)) };
    let place = Place::Folder(folder.join("agent"));
    let (mut agent, _) = Agent::open(settings(folder, "snapshot_folder"), place, doors, hour(0)).expect("it opens");
    let duty = Duty::Collect { server: "vbr01".to_owned() };
    assert_eq!(agent.next(hour(0).now).expect("a look").expect("a duty").duty, duty);
    assert!(matches!(agent.begin(&duty, hour(0)), Ok(Work::Talk(_))));
    (agent, duty)
}

/// What the read brings.
pub(super) fn brought() -> Collected {
    let text = snapshot("vbr01", NOW, 2).to_string();
    let samples = snapshot_file::parse("test.json", text.as_bytes(), hour(0).now).expect("a good file");
    let (rejected, taken, notes, sums) = (vec![], vec![], vec![], vec![]);
    let remembered = Default::default();
    Collected { samples, sums, rejected, taken, server_time: None, revision: None, notes, remembered }
}

fn usage(agent: &Agent) -> Result<Value, Refused> {
    agent.answer(&Query::Usage { unit: None, server: None, month: None, by: By::default() }, hour(2))
}

#[test]
fn a_read_in_flight_is_recorded_under_the_settings_that_came_meanwhile() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (mut agent, duty) = reading(folder.path());
    let mut other = settings(folder.path(), "snapshot_folder");
    other.sample_interval = chrono::TimeDelta::minutes(30);
    other.rating.mapping = [("Quantum".to_owned(), WorkloadType::CloudVm)].into();
    assert_eq!(agent.take_settings(other, hour(1)).expect("a store"), BTreeSet::new());
    assert_eq!(agent.settings().sample_interval, chrono::TimeDelta::minutes(30));
    let elsewhere = agent.next(hour(1).now).expect("a look");
    assert!(elsewhere.is_none_or(|planned| planned.duty != duty), "it is in flight still");
    assert!(agent.finish(&duty, Ok(Outcome::Collected(brought())), hour(2)).is_ok());
    let used = usage(&agent).expect("a sample is kept");
    assert!(used.to_string().contains("vbr01"), "{used}");
    let head = agent.answer(&Query::Journal(JournalSearch::default()), hour(2)).expect("a journal").to_string();
    assert!(head.contains("other settings are in force"), "{head}");
}

#[test]
fn a_read_of_an_entry_that_is_another_source_now_is_not_waited_for_and_begun_again() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (mut agent, duty) = reading(folder.path());
    let vain = agent.take_settings(settings(folder.path(), "vspc"), hour(1)).expect("a store");
    assert_eq!(vain, BTreeSet::from([duty.clone()]));
    assert_eq!(agent.next(hour(1).now).expect("a look").expect("a duty").duty, duty, "by its other source, at once");
    assert!(usage(&agent).is_err(), "nothing of the read is kept");
}

#[test]
fn refused_settings_stand_in_the_status_until_good_ones_come() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (mut agent, _) = reading(folder.path());
    let warnings = |agent: &Agent| agent.answer(&Query::Status {}, hour(2)).expect("a status")["warnings"].to_string();
    agent.refuse_settings("a.toml:1: wrong\na.toml:2: wrong too", hour(1));
    let warned = warnings(&agent);
    assert!(
        warned.contains("at 2026-10-31 10:01 are refused") && warned.contains("a.toml:1: wrong; a.toml:2: wrong too")
    );
    agent.take_settings(settings(folder.path(), "snapshot_folder"), hour(2)).expect("a store");
    assert!(!warnings(&agent).contains("are refused"));
}
