//! Cloud Connect servers whose tenants an Enterprise Manager names, and servers that it manages.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use tidegauge::config::{ManagedBy, ServerSettings};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::doors::peer::{HttpPeer, PeerSettings, Trust};
use tidegauge::simulation::enterprise_manager::Fault;
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::world::{ServerPlan, SourceKind};
use tidegauge::sources::TenantsFrom;

use super::*;

fn server(name: &str, source: &str) -> ServerSettings {
    let peer = HttpPeer { base_url: format!("https://{name}"), trust: Trust::System, login: None, api_key: None };
    ServerSettings::new(name, source, PeerSettings::Http(peer)).expect("a source")
}

/// One Cloud Connect server, sampled by REST, its tenants named by em01.
fn cloud_connect(machines: u32) -> WorldPlan {
    let mut plan = calm_vbr(6, "2026-01-20T09:30:00Z", 0);
    let mut estate = EstatePlan::new(6, "cc01", plan.begins_at, machines).cloud_connect();
    (estate.rental_machines, estate.appear) = (machines / 10, 60);
    plan.servers = vec![ServerPlan { name: "cc01".to_owned(), source: SourceKind::Vbr, estate }];
    let mut cc01 = server("cc01", "vbr");
    cc01.source.tenants_from =
        Some(TenantsFrom { manager: "em01".to_owned(), known_as: vec!["cc01".to_owned()], others: Vec::new() });
    plan.settings.servers = vec![cc01];
    plan.settings.managers = vec![server("em01", "enterprise_manager")];
    plan
}

/// What each tenant has of each type at the end of the month, counted from the machines alone: used and new.
fn true_counts(world: &World, server: &str, of: &str) -> BTreeMap<(String, String), (u64, u64)> {
    let (of, estate) = (month(of), world.servers[server].estate.lock().unwrap());
    let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for position in estate.listed(of.ends_at() - TimeDelta::seconds(1)) {
        let machine = &estate.machines()[position as usize];
        if !machine.is_free() {
            let (used, new) = counts.entry((machine.tenant.clone(), machine.kind().to_string())).or_default();
            *(if machine.first_at() < of.starts_at() { used } else { new }) += 1;
        }
    }
    counts
}

#[test]
fn a_cloud_connect_report_has_a_line_for_each_tenant_and_type() {
    let mut world = World::new(cloud_connect(120));
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let january = report(&world, "2026-01");
    let lines = january.lines.iter().filter(|line| line.initial_count + line.new_count > 0).map(|line| {
        let tenant = line.tenant.clone().expect("every machine has its tenant");
        ((tenant, line.kind.to_string()), (line.reported_count, line.new_count))
    });
    let expected = true_counts(&world, "cc01", "2026-01");
    assert!(expected.len() > 20 && expected.values().any(|(_, new)| *new > 0));
    assert_eq!(lines.collect::<BTreeMap<_, _>>(), expected);
    assert!(january.workloads.is_empty(), "a Cloud Connect report names tenants, not machines");
    assert!(january.lines.iter().map(|line| line.rental_count).sum::<u64>() > 0, "rental machines stand apart");
    let truth = world.servers["cc01"].estate.lock().unwrap().truth_of_report(month("2026-01"));
    assert_eq!(january.total_points, truth.billable_points);
    assert_eq!(sent(&world), [format!("2026-01 r1 {}", truth.billable_points)]);
    let status = world.ask(&Query::Status {}).expect("a status");
    let names: Vec<&Value> = status["servers"].as_array().into_iter().flatten().map(|one| &one["name"]).collect();
    assert_eq!(names, ["cc01"], "who only names tenants is no server of its own");
}

#[test]
fn an_enterprise_manager_away_over_the_month_end_costs_names_and_no_points() {
    let mut world = World::new(cloud_connect(120));
    world.wire.cut_off("em01", at("2026-01-31T12:00:00Z")..at("2026-02-01T12:00:00Z"));
    world.run_until(at("2026-01-31T21:00:00Z"));
    let status = world.ask(&Query::Status {}).expect("a status");
    let said = status["servers"][0]["discrepancy"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("tenants are not named: em01"), "{said}");
    assert_eq!(status["servers"][0]["state"], "fresh", "the server itself answers");
    world.run_until(at("2026-02-02"));
    assert_silent(&world);
    let january = report(&world, "2026-01");
    let truth = world.servers["cc01"].estate.lock().unwrap().truth_of_report(month("2026-01"));
    assert_eq!(january.total_points, truth.billable_points);
    assert!(january.lines.iter().all(|line| line.tenant.is_none()), "the split of the day before is not invented");
    world.run_until(at("2026-03-02"));
    assert_silent(&world);
    let february = report(&world, "2026-02");
    assert!(february.lines.iter().all(|line| line.tenant.is_some()));
}

#[test]
fn a_manager_that_counts_more_than_the_server_changes_no_total() {
    let mut world = World::new(cloud_connect(80));
    world.managers["em01"].set_faults(&[Fault::OneVmMore]);
    world.run_until(at("2026-02-02"));
    assert_silent(&world);
    let january = report(&world, "2026-01");
    let truth = world.servers["cc01"].estate.lock().unwrap().truth_of_report(month("2026-01"));
    assert_eq!(january.total_points, truth.billable_points);
    let named = |kind: WorkloadType| january.lines.iter().any(|line| line.kind == kind && line.tenant.is_some());
    assert!(!named(WorkloadType::CloudConnectVm) && named(WorkloadType::CloudConnectReplica));
}

#[test]
fn an_enterprise_manager_alone_is_the_sample_of_its_cloud_connect_server() {
    let mut plan = calm_vbr(8, "2026-01-20T09:30:00Z", 0);
    let estate = EstatePlan::new(8, "em02", plan.begins_at, 60).cloud_connect();
    plan.servers = vec![ServerPlan { name: "em02".to_owned(), source: SourceKind::EnterpriseManager, estate }];
    let mut world = World::new(plan);
    world.managers["em02"].set_faults(&[Fault::OnlyXml]);
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let truth = world.servers["em02"].estate.lock().unwrap().truth_of_report(month("2026-01"));
    let january = report(&world, "2026-01");
    assert_eq!(january.total_points, truth.billable_points, "weights come from the points table");
    assert!(january.lines.iter().all(|line| line.tenant.is_some()));
    assert_eq!(sent(&world).len(), 1);
}

/// `em02` by itself; a console names the same server when it is to.
fn alone(console_names_it_too: bool) -> World {
    let mut plan = calm_vbr(8, "2026-01-20T09:30:00Z", 0);
    let estate = EstatePlan::new(8, "em02", plan.begins_at, 60).cloud_connect();
    plan.servers = vec![ServerPlan { name: "em02".to_owned(), source: SourceKind::EnterpriseManager, estate }];
    if console_names_it_too {
        for name in ["em02@vspc", "cc09@vspc"] {
            let estate = EstatePlan::new(9, name, plan.begins_at, 20).cloud_connect();
            let source = SourceKind::Vspc(tidegauge::simulation::vspc::Role::CloudConnect);
            plan.servers.push(ServerPlan { name: name.to_owned(), source, estate });
        }
    }
    World::new(plan)
}

#[test]
fn an_enterprise_manager_alone_names_its_servers_and_a_console_that_counts_one_too_is_told_once() {
    for too in [false, true] {
        let mut world = alone(too);
        world.run_until(at("2026-01-22"));
        let status = status(&world);
        let servers = status["servers"].as_array().expect("a list");
        let shown = servers.iter().find(|shown| shown["name"] == "em02").expect("it is sampled");
        assert_eq!(shown["sums"], serde_json::json!(["em02"]), "{shown:#}");
        assert!(told(&world, &["em02 names em02@em02"]).contains("em02@em02"), "it is journaled once");
        let warnings = status["warnings"].to_string();
        let counted = "em02 counts the tenants of em02, and em02@vspc counts it too";
        assert_eq!(warnings.matches(counted).count(), usize::from(too), "{warnings}");
        assert!(!warnings.contains("cc09") && !warnings.contains("may be one server"), "{warnings}");
    }
}

/// Two servers with keys of their own, under one Enterprise Manager whose switch is this.
fn managed(em_auto_update: Option<bool>) -> World {
    let mut plan = calm_vbr(9, "2026-01-10T09:30:00Z", 10);
    let estate = EstatePlan::new(10, "vbr02", plan.begins_at, 10);
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    plan.settings.servers = ["vbr01", "vbr02"].map(|name| server(name, "vbr")).to_vec();
    for server in &mut plan.settings.servers {
        server.managed_by = Some(ManagedBy::EnterpriseManager);
        server.shared_license = Some("enterprise_manager".to_owned());
        server.em_auto_update = em_auto_update;
    }
    World::new(plan)
}

#[test]
fn servers_under_one_enterprise_manager_have_one_report() {
    let mut world = managed(None);
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let units = world.agent().store().units().unwrap();
    assert_eq!(units.iter().map(|unit| unit.servers.clone()).collect::<Vec<_>>(), [["vbr01", "vbr02"]]);
    let truth = |name: &str| world.servers[name].estate.lock().unwrap().truth_of_report(month("2026-01"));
    let total = truth("vbr01").billable_points + truth("vbr02").billable_points;
    assert_eq!(sent(&world), [format!("2026-01 r1 {total}")]);
    let report = report(&world, "2026-01");
    let servers: Vec<&str> = report.lines.iter().map(|line| line.server.as_str()).collect();
    assert!(servers.contains(&"vbr01") && servers.contains(&"vbr02"), "a section for each server");
}

#[test]
fn enterprise_managers_switch_wins_in_both_directions() {
    let mut off = managed(Some(false));
    auto_update(&mut off, true);
    for server in off.servers.values() {
        server.estate.lock().unwrap().license.auto_update = Some(true);
    }
    off.run_until(at("2026-02-20"));
    assert_silent(&off);
    assert_eq!(sent(&off), [""; 0], "off there, on here and at the servers: a person enters it");
    let mut on = managed(Some(true));
    auto_update(&mut on, false);
    on.run_until(at("2026-02-20"));
    assert_silent(&on);
    assert_eq!(sent(&on).len(), 1, "on there, off here and at the servers");
}
