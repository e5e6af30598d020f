//! What rows of a VBR server's license become: machines in both kinds, users, terabytes.

use tidegauge::domain::Points;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::rules::counting;
use tidegauge::rules::rating::Rating;

use super::vbr_traps::{INSTANCES, LICENSE, read, read_with};

#[test]
fn a_machine_that_is_backed_up_and_replicated_counts_once_in_each() {
    let sample = read(
        INSTANCES,
        r#"{"data":[
            {"platformType":"CloudBackup","name":"web01","usedInstancesNumber":11,"type":"VM","instanceId":"id-1"},
            {"platformType":"CloudReplica","name":"web01","usedInstancesNumber":4,"type":"VM","instanceId":"id-1"}],
            "pagination":{"total":2,"count":2,"skip":0,"limit":500}}"#,
    );
    let shown: Vec<(&str, &WorkloadType)> =
        sample.workloads.iter().map(|workload| (workload.id.as_str(), &workload.kind)).collect();
    assert_eq!(shown, [("id-1", &WorkloadType::CloudConnectVm), ("id-1/replica", &WorkloadType::CloudConnectReplica)]);
    let first = vec![Some(sample.taken_at - chrono::TimeDelta::days(90)); 2];
    let dated = sample
        .workloads
        .iter()
        .zip(first)
        .map(|(workload, first_processed_at)| tidegauge::domain::workload::Workload {
            first_processed_at,
            ..workload.clone()
        })
        .collect();
    let sample = tidegauge::domain::sample::Sample { workloads: dated, ..sample };
    let ledger = counting::Ledger::default();
    let counted = counting::classify(&sample, &ledger, counting::AsOf::sample(sample.taken_at), &Rating::default());
    assert_eq!(counting::summary(&sample, &counted, &Rating::default()).points, Points::whole(15));
    assert!(!sample.discrepancies.iter().any(|said| said.contains("more than once")), "{:?}", sample.discrepancies);
}

#[test]
fn users_of_entra_id_are_a_known_type() {
    let body = r#"{"data":[{"platformType":"AzureEntraId","name":"mia","usedInstancesNumber":0.1,"type":"User","instanceId":"id-1"}],
                   "pagination":{"total":1,"count":1,"skip":0,"limit":500}}"#;
    let kind = read(INSTANCES, body).workloads[0].kind.clone();
    assert_eq!((kind.is_known(), kind.as_str()), (true, "EntraIDUser"));
}

#[test]
fn a_capacity_section_without_licensed_terabytes_is_none() {
    let sections = |licensed: &str| {
        let section =
            format!(r#""capacityLicenseSummary":{{"licensedCapacityTb":{licensed},"usedCapacityTb":1.5}},"status""#);
        read_with(LICENSE, r#""status""#, &section).license.sections
    };
    assert!(sections("0").capacity.is_none());
    assert!(sections("10").capacity.is_some());
}
