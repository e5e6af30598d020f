//! What people are shown of imported samples, and what they are refused: views, units, orders of the one owner.

mod billing_month; // the billing page and its files
mod difference; // against last month's report
mod gate; // the worked example, servers that left
mod identity; // counted once, proposals, clones
mod imports; // repeat, conflict, bad file
mod instances; // one Subscription key on several servers
mod months_end; // reads beyond it
mod moved_servers; // to another license
mod provider; // three Cloud Connect servers, 200 tenants, 40 rental servers
mod reload; // other settings while acts are in flight
mod renewed; // open reports under other settings, killed on the way
mod report_pages; // the head of a report, its workloads, its history, what-if
mod reports; // the report, its gate, its late month
mod returning; // machines that come back to a list
mod usage; // by type, tenant, server, workload; of a month
mod usage_over; // any period by tenant, type, server
mod watermark; // weeks, months, days, coverage

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegauge::agent::access::By;
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query, Refused};
use tidegauge::config::Settings;
use tidegauge::domain::Instant;
use tidegauge::simulation::world::{World, WorldPlan};

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

/// An agent that samples nobody itself: all it knows is imported.
fn importing(now: &str) -> World {
    World::new(plan_of(now))
}

fn plan_of(now: &str) -> WorldPlan {
    WorldPlan {
        seed: 1,
        begins_at: at(now),
        servers: Vec::new(),
        closed_loop: false,
        mail_to: Vec::new(),
        settings: Settings::default(),
    }
}

/// A VM of 11 points, long known, with a restore point at the instant of its sample.
fn vm(id: &str) -> Value {
    json!({"id": id, "name": format!("{id}.example.net"), "type": "VM", "points": "11",
           "first_processed_at": "2025-03-02T01:00:00Z"})
}

/// The same with other fields.
fn with(mut workload: Value, fields: Value) -> Value {
    for (name, field) in fields.as_object().expect("fields are an object") {
        workload[name] = field.clone();
    }
    workload
}

fn snapshot(server: &str, license: &str, taken_at: &str, workloads: &[Value]) -> Value {
    json!({
        "schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": server,
        "license": {"license_id": license, "type": "Rental", "edition": "EnterprisePlus", "support_id": "01234567",
                    "expires_on": "2027-01-31", "installation_id": format!("installation-{server}")},
        "workloads": workloads,
    })
}

/// One sample of vbr01.
fn of_vbr01(taken_at: &str, workloads: &[Value]) -> Value {
    snapshot("vbr01", "license-1", taken_at, workloads)
}

fn import(world: &mut World, snapshots: &[Value]) -> Result<Value, Refused> {
    let text: Vec<String> = snapshots.iter().map(Value::to_string).collect();
    world.order(Order::ImportSamples { file: "samples.jsonl".to_owned(), text: text.join("\n") }, "licensing")
}

fn imported(now: &str, snapshots: &[Value]) -> World {
    let mut world = importing(now);
    import(&mut world, snapshots).expect("the samples are good");
    world
}

fn usage(world: &World, by: By) -> Value {
    world.ask(&Query::Usage { unit: None, server: None, month: None, by }).expect("usage is known")
}

fn watermark(world: &World, week: Option<&str>, month: Option<&str>) -> Value {
    let week = week.map(|text| text.parse().unwrap());
    let month = month.map(|text| text.parse().unwrap());
    world.ask(&Query::Watermark { unit: None, server: None, week, month }).expect("a watermark is known")
}

fn of_month(month: &str) -> Target {
    Target { month: Some(month.parse().unwrap()), ..Target::default() }
}

fn generate(world: &mut World, month: &str) -> Value {
    world.order(Order::Generate { target: of_month(month) }, "licensing").expect("a month that has ended is reported")
}

/// Each field's name and the type of its value; lists are looked into at their first item.
fn shape(value: &Value) -> BTreeMap<String, String> {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    let fields = value.as_object().expect("a JSON object");
    fields.iter().map(|(name, value)| (name.clone(), kind(value).to_owned())).collect()
}

/// Refuses a field of the contract that is missing or of another type; fields may be added.
fn has_fields(value: &Value, contract: &[(&str, &str)]) {
    let shape = shape(value);
    for (name, kind) in contract {
        assert_eq!(shape.get(*name).map(String::as_str), Some(*kind), "{name} in {value:#}");
    }
}
