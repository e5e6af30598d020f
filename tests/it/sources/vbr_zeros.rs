//! What a VBR server's list means where it states no weight, and dates that hold no longer.

use std::sync::Arc;

use tidegauge::domain::Points;
use tidegauge::domain::sample::Sample;
use tidegauge::domain::workload::{Workload, WorkloadType};
use tidegauge::sources::vbr::VbrTalk;
use tidegauge::sources::{Brief, SourceSettings, TenantsFrom};

use super::driver::{at, brief, drive};
use super::vbr_traps::{INSTANCES, LICENSE, answer, bodies, read, read_after};

const SHARE: &str = r#""platformType":"Nas","name":"share","displayName":"File Share","type":"File Share""#;

/// The list of one row, without its number and its braces.
fn list(row: &str, number: &str) -> String {
    format!(
        r#"{{"data":[{{{row},"usedInstancesNumber":{number},"instanceId":"id-9"}}],"pagination":{{"total":1,"count":1,"skip":0,"limit":500}}}}"#
    )
}

const VM: &str = r#""platformType":"VMware","name":"other","displayName":"VM","type":"VM""#;

/// The sample before, with its one workload changed.
fn before(row: &str, number: &str, taken_at: &str, change: impl Fn(&mut Workload)) -> Sample {
    let sample = read(INSTANCES, &list(row, number));
    let mut workloads: Vec<Workload> = sample.workloads.iter().cloned().collect();
    workloads.iter_mut().for_each(change);
    Sample { taken_at: at(taken_at), workloads: workloads.into(), ..sample }
}

fn points_after(before: Sample, row: &str) -> Option<Points> {
    read_after(Some(before), INSTANCES, &list(row, "0")).expect("well").workloads[0].points
}

#[test]
fn a_share_that_was_stated_above_zero_and_states_zero_weighs_nothing() {
    let seen = before(SHARE, "22", "2026-11-03T10:00:00Z", |_| {});
    assert_eq!(
        (seen.workloads[0].kind.clone(), seen.workloads[0].points),
        (WorkloadType::FileShare, Some(Points::whole(22)))
    );
    // The kind has a multiplier of its own, which a new share is given.
    let license = LICENSE;
    let mut bodies = bodies();
    let with_shares =
        bodies[license].replace(r#""objects":["#, r#""objects":[{"type":"File Shares","multiplier":11},"#);
    bodies.insert(license, with_shares);
    bodies.insert(INSTANCES, list(SHARE, "0"));
    let after = |previous: Sample| {
        let brief = Brief { previous: Some(Arc::new(previous)), ..brief("vbr01", at("2026-11-20T10:00:00Z")) };
        let mut collected = drive(&mut VbrTalk::new(brief), |ask| answer(&bodies, &ask)).expect("well");
        collected.samples.remove(0).workloads[0].points
    };
    assert_eq!(after(seen.clone()), Some(Points::ZERO));
    let other = Sample { workloads: Vec::new().into(), ..seen };
    assert_eq!(after(other), Some(Points::whole(11)), "one that is new");
}

#[test]
fn a_machine_of_an_earlier_month_that_states_zero_weighs_nothing() {
    let last_month = before(VM, "11", "2026-10-20T10:00:00Z", |_| {});
    assert_eq!(points_after(last_month, VM), Some(Points::ZERO));
    let old = before(VM, "11", "2026-11-03T10:00:00Z", |vm| vm.first_processed_at = Some(at("2026-03-01T00:00:00Z")));
    assert_eq!(points_after(old, VM), Some(Points::ZERO), "by its date");
}

#[test]
fn a_machine_that_is_new_this_month_and_states_zero_weighs_what_its_kind_does() {
    let new = before(VM, "0", "2026-11-03T10:00:00Z", |vm| vm.first_processed_at = Some(at("2026-11-02T00:00:00Z")));
    assert_eq!(points_after(new.clone(), VM), Some(Points::whole(11)));
    let not_seen = Sample { workloads: Vec::new().into(), ..new };
    assert_eq!(points_after(not_seen, VM), Some(Points::whole(11)));
}

#[test]
fn of_tenants_machines_only_a_stated_zero_is_new() {
    let rows: Vec<String> = [("1", "0"), ("2", "5"), ("3", "null"), ("4", r#""many""#)]
        .map(|(id, number)| {
            format!(
                r#"{{"platformType":"CloudBackup","name":"c{id}","displayName":"Cloud Connect VMs","type":"Cloud Connect VMs","usedInstancesNumber":{number},"instanceId":"cc-{id}"}}"#
            )
        })
        .into();
    let mut bodies = bodies();
    bodies.insert(INSTANCES, format!(r#"{{"data":[{}],"pagination":{{"total":4}}}}"#, rows.join(",")));
    let tenants_from = TenantsFrom { manager: "em01".to_owned(), known_as: Vec::new(), others: Vec::new() };
    let settings = SourceSettings { tenants_from: Some(tenants_from), ..SourceSettings::default() };
    let brief = Brief { settings, ..brief("vbr01", at("2026-11-20T10:00:00Z")) };
    let collected = drive(&mut VbrTalk::new(brief), |ask| answer(&bodies, &ask)).expect("well");
    let counts = &collected.samples[0].counts;
    let sum = |part: fn(&tidegauge::domain::tenant::TenantCount) -> u32| counts.iter().map(part).sum::<u32>();
    assert_eq!((sum(|one| one.used), sum(|one| one.new)), (3, 1), "{counts:?}");
}

#[test]
fn a_date_goes_when_its_machines_name_becomes_ambiguous() {
    let before = read("/", "");
    assert!(before.workloads[0].last_restore_point_at.is_some());
    let namesake = bodies()[INSTANCES]
        .replace(r#""platformType":"LinuxServer","name":"linbase02""#, r#""platformType":"VMware","name":"sql01""#);
    let sample = read_after(Some(before), INSTANCES, &namesake).expect("well");
    let dates: Vec<_> = sample.workloads.iter().map(|workload| workload.last_restore_point_at).collect();
    assert_eq!(dates, [None, None]);
}

#[test]
fn several_multipliers_of_a_kind_leave_the_weight_open() {
    let mut bodies = bodies();
    for (path, from, to) in [
        (LICENSE, r#"{"type":"Servers""#, r#"{"type":"Server","multiplier":9},{"type":"Servers""#),
        (INSTANCES, r#""usedInstancesNumber":0"#, r#""usedInstancesNumber":null"#),
    ] {
        let changed = bodies[path].replace(from, to);
        assert_ne!(changed, bodies[path], "{from} is in the body of {path}");
        bodies.insert(path, changed);
    }
    let brief = brief("vbr01", at("2026-11-20T10:00:00Z"));
    let mut collected = drive(&mut VbrTalk::new(brief), |ask| answer(&bodies, &ask)).expect("well");
    assert_eq!(collected.samples.remove(0).workloads[1].points, None);
}
