//! What the License Update Server takes, and what an agent sends instead of what it would not.

use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query};
use tidegauge::domain::report::{Stage, UsageReport};
use tidegauge::domain::workload::Workload;
use tidegauge::license_server;
use tidegauge::protocol::{BODY_BYTES_MAX, Kind, ReportDetail, SignedReport, Submission, unverified};
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::world::{World, WorldPlan};
use tidegauge::sources::snapshot_file;

use super::at;
use crate::accounts::{Office, UNIT, contract, month};

/// January ends with so many machines whose names have 4,000 bytes each; the report of it stands, unsent.
fn world_with(machines: usize, detail: ReportDetail) -> World {
    let mut plan = WorldPlan::small(1, at("2026-01-29T09:30:00Z"), 3).from_files();
    plan.settings.report_detail = detail;
    let mut world = World::new(plan);
    world.run_until(at("2026-01-31T23:59:50Z"));
    let mut sample = world.servers["vbr01"].estate.lock().unwrap().snapshot(world.now());
    let one = sample.workloads[0].clone();
    let named =
        |n: usize| Workload { id: format!("long-{n:05}"), name: format!("{n:05}{}", "x".repeat(3_995)), ..one.clone() };
    sample.workloads.change(|workloads| workloads.extend((0..machines).map(named)));
    let order =
        Order::ImportSamples { file: "long.jsonl".to_owned(), text: snapshot_file::to_json(&sample).to_string() };
    world.order(order, "licensing").expect("the sample is good");
    world.run_until(at("2026-02-01T06:00:00Z"));
    world
}

fn january() -> Target {
    Target { month: Some(month("2026-01")), ..Target::default() }
}

fn report(world: &World) -> UsageReport {
    let query = Query::Report { unit: None, server: None, month: Some(month("2026-01")) };
    serde_json::from_value(world.ask(&query).expect("January is reported")).expect("a report is shown whole")
}

/// The report as the License Update Server has it.
fn taken(world: &World) -> Submission {
    let state = world.license_server.as_ref().expect("a closed loop").state();
    state.messages.values().find_map(|message| unverified::<Submission>(&message.body)).expect("the report was taken")
}

#[test]
fn a_report_too_long_with_its_workloads_is_sent_by_its_lines_and_that_is_told() {
    let mut world = world_with(3_300, ReportDetail::Workloads);
    world.order(Order::Send { target: january() }, "mia").expect("the server takes its lines");
    let (report, taken) = (report(&world), taken(&world));
    assert!(matches!(report.stage, Stage::Submitted { .. }), "{:?}", report.stage);
    assert!(report.workloads.len() > 3_300 && taken.workloads.is_empty());
    assert_eq!((taken.total_points, &taken.lines, &taken.digest), (report.total_points, &report.lines, &report.digest));
    let told =
        world.story().iter().filter(|line| line.contains("report 2026-01 is sent without its workloads")).count();
    assert_eq!(told, 1, "{}", world.story().join("\n"));
}

#[test]
fn a_report_of_more_workloads_than_a_server_takes_is_sent_by_its_lines() {
    let mut report = report(&world_with(1, ReportDetail::Workloads));
    let one = report.workloads[0].clone();
    report.workloads = vec![one; 500_001];
    let signed = SignedReport::of(&report, &[], ReportDetail::Workloads, &SigningKey::from_secret(&[7; 32]));
    let SignedReport { body, too_long_with_workloads } = signed.expect("its lines are few");
    assert!(too_long_with_workloads.is_some_and(|bytes| bytes as u64 > BODY_BYTES_MAX));
    let sent = unverified::<Submission>(&body).expect("a report");
    assert_eq!((sent.workloads.len(), sent.total_points), (0, report.total_points));
}

#[test]
fn a_report_that_fits_is_sent_with_its_workloads() {
    let mut world = world_with(300, ReportDetail::Workloads);
    world.order(Order::Send { target: january() }, "mia").expect("the server takes it");
    assert_eq!(taken(&world).workloads.len(), report(&world).workloads.len());
}

/// The same with as many tenants, so that the lines alone are too long.
fn world_with_tenants(tenants: usize) -> World {
    let mut world = world_with(0, ReportDetail::Lines);
    let mut sample = world.servers["vbr01"].estate.lock().unwrap().snapshot(at("2026-01-31T23:59:55Z"));
    let one = sample.workloads[0].clone();
    let of = |n: usize| {
        let tenant = Some(format!("{n:05}{}", "t".repeat(3_995)));
        Workload { id: format!("tenant-{n:05}"), tenant, ..one.clone() }
    };
    sample.workloads.change(|workloads| workloads.extend((0..tenants).map(of)));
    let order =
        Order::ImportSamples { file: "tenants.jsonl".to_owned(), text: snapshot_file::to_json(&sample).to_string() };
    world.order(order, "licensing").expect("the sample is good");
    world
}

#[test]
fn a_report_whose_lines_alone_are_too_long_stays_open() {
    let mut world = world_with_tenants(3_300);
    let refused = world.order(Order::Send { target: january() }, "mia").unwrap_err();
    assert_eq!(refused.code, 65);
    assert!(refused.why.starts_with("the report of 2026-01 (33"), "{}", refused.why);
    assert!(refused.why.contains("bytes, and at most 16777216 are taken; split its servers"), "{}", refused.why);
    assert!(matches!(report(&world).stage, Stage::AwaitingReview), "nothing was sealed");
}

#[test]
fn a_body_beyond_sixteen_mebibytes_is_refused_before_it_is_looked_at() {
    let office = Office::enrolled();
    let bytes = usize::try_from(BODY_BYTES_MAX).unwrap();
    assert_eq!(office.post(Kind::Report.path(), vec![b'x'; bytes]).0, 400, "it was read: no signed body");
    assert_eq!(office.post(Kind::Report.path(), vec![b'x'; bytes + 1]).0, 413);
}

#[test]
fn what_an_operator_writes_reaches_the_agents_or_is_refused_at_once() {
    let office = Office::with_october(1000, 100);
    let obey = |order: license_server::Order| {
        let refused = office.server.obey(order, "olga", at("2026-11-03T00:00:00Z"), &mut SeededChance::new(1)).err();
        refused.map(|refused| refused.to_string())
    };
    let approve = |signs: usize| license_server::Order::ApproveReport {
        unit: UNIT.to_owned(),
        revision: None,
        month: month("2026-10"),
        why: "é".repeat(signs),
    };
    assert_eq!(obey(approve(500)), None);
    let refused = obey(approve(501)).expect("one sign too many");
    assert_eq!(refused, "the reason has 501 signs, and at most 500 travel to the agents: shorten it");
    let named = |id: &str, signs: usize| {
        let contract = license_server::Contract { id: id.to_owned(), licensed_to: "é".repeat(signs), ..contract() };
        license_server::Order::AddContract { contract, url: None }
    };
    assert_eq!(obey(named("C-500", 500)), None);
    let refused = obey(named("C-501", 501)).expect("its agents could not be enrolled");
    assert_eq!(refused, "--licensed-to has 501 signs, and at most 500 travel to the agents: shorten it");
    assert_eq!(obey(named(" ", 5)).as_deref(), Some("the contract's id is empty: name it"));
    assert_eq!(obey(named("C-0", 0)).as_deref(), Some("--licensed-to is empty: name it"));
    let points = |points| license_server::Order::SetContractPoints { contract_id: "C-500".to_owned(), points };
    let refused = obey(points(tidegauge::domain::Points::whole(-5))).expect("its agents would refuse every key");
    assert_eq!(refused, "-5 points: a contract has none or more");
}
