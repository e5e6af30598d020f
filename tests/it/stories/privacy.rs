//! What leaves the house names nobody.

use std::collections::BTreeSet;

use tidegauge::protocol::ReportDetail;
use tidegauge::seal::jws;

use super::*;

/// What is planted in the estate: names of machines, hosts, jobs and tenants, and the machines' ids.
struct Planted {
    machines: BTreeSet<String>,
    tenants: BTreeSet<String>,
}

/// Two months of a growing, shrinking estate, so that causes of a shortfall are told too.
fn sent_with(detail: ReportDetail) -> (World, Planted) {
    let mut plan = calm_vbr(3, "2026-01-10T09:30:00Z", 30);
    plan.settings.report_detail = detail;
    let mut world = World::new(plan);
    world.run_until(at("2026-03-13"));
    assert_silent(&world);
    let mut planted = Planted { machines: BTreeSet::new(), tenants: BTreeSet::new() };
    for machine in world.servers["vbr01"].estate.lock().unwrap().machines() {
        let names = [&machine.id, &machine.name, &machine.host, &machine.job];
        planted.machines.extend(names.into_iter().cloned());
        planted.machines.insert(machine.restore_name().to_owned());
        planted.tenants.insert(machine.tenant.clone());
    }
    planted.tenants.remove("");
    (world, planted)
}

/// Everything that the License Update Server took, as text: headers and payloads.
fn taken(world: &World, is_meant: fn(&str) -> bool) -> Vec<String> {
    let state = world.license_server.as_ref().expect("a closed loop").state();
    let bodies = state.messages.values().map(|message| {
        let payload = jws::unverified_payload(&message.body).expect("a compact JWS");
        let kid = jws::unverified_kid(&message.body).expect("a header");
        format!("{kid} {}", String::from_utf8(payload).expect("JSON"))
    });
    bodies.filter(|text| is_meant(text)).collect()
}

fn is_telemetry(text: &str) -> bool {
    text.contains(r#""week":"#)
}

fn is_report(text: &str) -> bool {
    !is_telemetry(text)
}

/// Names that stand in any of the texts as a whole JSON text.
fn named<'a>(texts: &[String], names: &'a BTreeSet<String>) -> Vec<&'a String> {
    let stands = |name: &&String| texts.iter().any(|text| text.contains(&format!("\"{name}\"")));
    names.iter().filter(stands).collect()
}

#[test]
fn telemetry_names_no_machine_host_job_or_tenant_and_a_report_no_machine() {
    let (world, planted) = sent_with(ReportDetail::Lines);
    let (weeks, reports) = (taken(&world, is_telemetry), taken(&world, is_report));
    assert!(weeks.len() >= 8 && reports.len() == 2, "{} and {}", weeks.len(), reports.len());
    let all: Vec<&String> = planted.machines.iter().chain(&planted.tenants).collect();
    let found: Vec<_> = all.iter().filter(|name| weeks.iter().any(|week| week.contains(**name))).collect();
    assert_eq!(found.first(), None, "telemetry says a name, if only as a part of another text");
    assert!(weeks.iter().all(|week| !week.contains("vbr01")), "telemetry names servers by installation alone");
    assert_eq!(named(&reports, &planted.machines).first(), None);
}

#[test]
fn a_report_names_machines_only_when_the_setting_says_so() {
    let (world, planted) = sent_with(ReportDetail::Workloads);
    let (weeks, reports) = (taken(&world, is_telemetry), taken(&world, is_report));
    assert!(named(&reports, &planted.machines).len() > 30, "the names that the other test looks for are real ones");
    assert_eq!(named(&weeks, &planted.machines).first(), None);
}
