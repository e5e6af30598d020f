//! Machines that come back to a server's list.

use super::reload::{brought, reading};
use super::*;
use tidegauge::agent::{Agent, Duty, Hour, Outcome};
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::Workload;
use tidegauge::sources::Collected;

/// A sample of the server's own list then: the machine with this oldest restore point, or without it.
fn listed(agent: &mut Agent, duty: &Duty, taken_at: &str, oldest: Option<Option<&str>>) {
    let collected = brought();
    let sample = collected.samples[0].clone();
    let machine = |oldest: Option<&str>| Workload {
        first_processed_at: oldest.map(at),
        last_restore_point_at: Some(at(taken_at)),
        ..sample.workloads[0].clone()
    };
    let workloads: Vec<Workload> = oldest.map(machine).into_iter().collect();
    let sample =
        Sample { taken_at: at(taken_at), workloads: workloads.into(), counts: Vec::new(), vouched: true, ..sample };
    let hour = Hour::at(at(taken_at));
    let collected = Collected { samples: vec![sample], ..collected };
    assert!(agent.begin(duty, hour).is_ok());
    assert!(agent.finish(duty, Ok(Outcome::Collected(collected)), hour).is_ok());
}

fn counted(agent: &Agent, now: &str) -> [Value; 2] {
    let query = Query::Usage { unit: None, server: None, month: None, by: By::default() };
    let usage = agent.answer(&query, Hour::at(at(now))).expect("a sample is kept");
    [usage["points"].clone(), usage["new_points"].clone()]
}

#[test]
fn a_machine_that_comes_back_with_younger_restore_points_is_not_new() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (mut agent, duty) = reading(folder.path());
    listed(&mut agent, &duty, "2026-10-31T10:00:00Z", Some(None));
    let [used, _] = counted(&agent, "2026-10-31T10:01:00Z");
    assert_ne!(used, json!("0"), "a first sample's machine is not new");
    listed(&mut agent, &duty, "2026-11-20T10:00:00Z", None);
    assert_eq!(counted(&agent, "2026-11-20T10:01:00Z"), [json!("0"), json!("0")]);
    // Revoked on the 20th, used again on the 21st; restore points are kept for seven days.
    listed(&mut agent, &duty, "2026-11-21T10:00:00Z", Some(Some("2026-11-14T01:00:00Z")));
    assert_eq!(counted(&agent, "2026-11-21T10:01:00Z"), [used, json!("0")]);
}
