//! What was worked out before is answered again only while it is true.

use chrono::TimeDelta;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use super::*;

/// Two servers that show the same machines under one license.
fn world() -> World {
    let mut plan = calm_vbr(9, "2026-01-10T09:30:00Z", 10);
    let mut estate = EstatePlan::new(9, "vbr01", plan.begins_at, 10);
    estate.license.license_id.clone_from(&plan.servers[0].estate.license.license_id);
    plan.servers.push(ServerPlan { name: "vbr02".to_owned(), source: SourceKind::Vbr, estate });
    World::new(plan)
}

/// What pages ask for.
fn answers(world: &World) -> Vec<Value> {
    let (unit, server, month) = (None::<String>, None::<String>, None);
    let queries = [
        Query::Status {},
        Query::Servers {},
        Query::Gate { unit: unit.clone(), server: server.clone(), month },
        Query::Explain { unit: unit.clone(), server: server.clone(), month },
        Query::LicenseForecast { unit: unit.clone(), server: server.clone() },
        Query::Proposals { unit: unit.clone(), server: server.clone(), month },
        Query::Usage { unit, server, month, by: Default::default() },
        Query::UsageOver(Box::default()),
        Query::Readings {},
    ];
    queries.iter().map(|query| world.ask(query).unwrap_or_else(|refused| refused.to_string().into())).collect()
}

/// So that the gate has something to explain.
fn a_machine_is_taken_out(world: &mut World) {
    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).expect("January's report");
    let workloads = report["workloads"].as_array().expect("a list");
    let counted = workloads.iter().find(|workload| workload["counted"] == true).expect("a machine counts");
    let text = |name: &str| counted[name].as_str().expect("text").to_owned();
    let workloads = vec![format!("{}/{}", text("server"), text("id"))];
    let adjustments = vec![AdjustmentOrder::Remove { workloads, reason: "a test machine".to_owned() }];
    world.order(Order::Adjust { target: Target::default(), adjustments }, "mia").expect("the report is open");
}

#[test]
fn pages_say_the_same_whether_or_not_somebody_asked_before() {
    let mut world = world();
    let mut until = at("2026-01-11");
    let (mut found, mut short, mut lowered) = (0, 0, false);
    while until < at("2026-03-04") {
        world.run_until(until);
        if at("2026-02-03") <= until && !lowered {
            lowered = true;
            a_machine_is_taken_out(&mut world);
        }
        let before = answers(&world);
        world.agent().look_afresh();
        let afresh = answers(&world);
        for (before, afresh) in before.iter().zip(&afresh) {
            assert_eq!(before, afresh, "at {until}");
        }
        found += afresh[5]["proposals"].as_array().map_or(0, Vec::len);
        short += afresh[3]["causes"].as_array().map_or(0, Vec::len);
        until += TimeDelta::hours(29);
    }
    assert!(0 < found && 0 < short, "{found} proposals and {short} causes are compared");
}
