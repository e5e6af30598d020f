//! What we write ourselves and read again, and what people write by the packaged examples.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidegauge::agent::Order;
use tidegauge::agent::Query;
use tidegauge::agent::orders::Target;
use tidegauge::api::openapi::{ORDERS, QUESTIONS, Variant};
use tidegauge::domain::Instant;
use tidegauge::doors::Files;
use tidegauge::evidence::archive::unpack;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::simulation::world::{World, WorldPlan};
use tidegauge::store::Place;
use tidegauge::store::journal::{Head, Journal};

use super::Made;

/// Lines of one file of orders.
const LINES: usize = 18;
/// Payloads of one journal that are kept.
const PAYLOADS: usize = 10;

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

pub fn make(made: &mut Made) {
    packaged(made);
    asked(made);
    let disk = SimulatedDisk::new();
    let world = sent_month(&disk);
    evidence(made, &world);
    journal(made, &disk);
}

fn packaged(made: &mut Made) {
    let settings = include_str!("../../../../packaging/tidegauge.toml");
    // Each example of the packaged file, taken in.
    let taken: String = settings.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
    let rows = [
        ("settings", "packaged", settings),
        ("settings", "all_examples", &taken),
        ("settings", "profiles", include_str!("../../../../packaging/billing-profiles.toml")),
        ("price_book", "packaged", include_str!("../../../../packaging/prices.toml")),
        ("points_table", "cloud_connect", include_str!("../../../../src/rules/points_tables/cloud_connect.toml")),
    ];
    for (entry, name, text) in rows {
        made.insert((entry, name.to_owned()), text.as_bytes().to_vec());
    }
}

/// An example of every question and order.
fn asked(made: &mut Made) {
    let lines = |variants: &[Variant], tag: &str| {
        let lines: Vec<String> = variants.iter().map(|variant| variant.example(tag).to_string()).collect();
        lines.join("\n").into_bytes()
    };
    for (number, some) in ORDERS.chunks(LINES).enumerate() {
        made.insert(("orders", format!("orders_{number}")), lines(some, "order"));
    }
    for (number, some) in QUESTIONS.chunks(LINES).enumerate() {
        made.insert(("orders", format!("questions_{number}")), lines(some, "what"));
    }
    let adjust = json!({"order": "adjust", "target": {"month": "2026-09"}, "adjustments":
        [{"remove": {"workloads": ["1"], "reason": "a test machine"}}]});
    let postpone = json!({"order": "postpone", "target": {}, "until": "2026-10-09T00:00:00Z"});
    let usage = json!({"what": "usage", "unit": null, "server": "vbr01", "month": "2026-09"});
    let by_hand = [adjust, postpone, usage].map(|value| value.to_string()).join("\n");
    made.insert(("orders", "by_hand".to_owned()), by_hand.into_bytes());
    let post = |path: &str, body: &Value| format!("POST {path}\ncontent-type: application/json\n\n{body}").into_bytes();
    let wanted = ["usage", "usage_over", "report", "journal", "billing", "coverage"];
    for variant in QUESTIONS.iter().filter(|variant| wanted.contains(&variant.name.as_str())) {
        let example = variant.example("what");
        made.insert(("api", format!("query_{}", variant.name)), post("/api/v1/queries", &example));
    }
    for variant in ORDERS.iter().filter(|variant| ["adjust", "postpone"].contains(&variant.name.as_str())) {
        let example = variant.example("order");
        made.insert(("api", format!("order_{}", variant.name)), post("/api/v1/orders", &example));
    }
}

/// A September of two machines that was sent, on this disk.
fn sent_month(disk: &SimulatedDisk) -> World {
    let mut plan = WorldPlan::small(1, at("2026-09-29T09:30:00Z"), 2).from_files();
    plan.settings.sample_interval = chrono::TimeDelta::hours(12);
    plan.settings.basis_max_age = chrono::TimeDelta::hours(24);
    plan.settings.state_dir = "/state".into();
    plan.settings.reports_dir = "/reports".into();
    let place = Place::Temporary { journal: "/state/journal".into() };
    let mut world = World::on(plan, Arc::new(disk.clone()), place, Some(disk.clone()));
    world.run_until(at("2026-10-03T10:00:00Z"));
    let target = Target { month: Some("2026-09".parse().expect("a month")), ..Target::default() };
    world.order(Order::Send { target }, "mia").expect("the server takes it");
    world.run_until(at("2026-10-05T12:00:00Z"));
    world
}

/// Its archive without what is only looked at, as `evidence` takes files.
fn evidence(made: &mut Made, world: &World) {
    let month = Some("2026-09".parse().expect("a month"));
    let query = Query::Evidence { unit: None, server: None, month, names: Default::default() };
    let answer = world.ask(&query).expect("there is a report");
    let archive = STANDARD.decode(answer["base64"].as_str().expect("an archive")).expect("base64");
    let files = unpack(&archive).expect("an archive").files;
    let read = |name: &&String| ![".pdf", ".xlsx", ".html", ".txt", ".py"].iter().any(|end| name.ends_with(end));
    let one = |name: &String| [b"\x1e", name.as_bytes(), b"\n", &files[name]].concat();
    let all: Vec<u8> = files.keys().filter(read).flat_map(one).collect();
    made.insert(("evidence", "a_month".to_owned()), [b"files\n".to_vec(), all].concat());
}

/// Payloads of its entries, not compressed; and the beginning of its first segment.
fn journal(made: &mut Made, disk: &SimulatedDisk) {
    let folder = Path::new("/state/journal");
    let files: Arc<dyn Files> = Arc::new(disk.duplicate());
    let mut payloads = Vec::new();
    let read = Journal::open_after(files, folder, Head::EMPTY, &mut |entry| {
        payloads.push(plain(&entry.payload));
        Ok(())
    });
    read.expect("a whole journal");
    let mut smallest = payloads.clone();
    smallest.sort_by_key(Vec::len);
    smallest.dedup();
    let step = smallest.len().div_ceil(PAYLOADS).max(1);
    for (number, payload) in smallest.into_iter().step_by(step).filter(|payload| payload.len() < 8_000).enumerate() {
        made.insert(("journal", format!("payload_{number}")), [b"payload\n".to_vec(), payload].concat());
    }
    let segment = disk.read(&folder.join("00000001.seg")).expect("the disk is well").expect("a first segment");
    let start = segment[..segment.len().min(3_000)].to_vec();
    made.insert(("journal", "segment".to_owned()), start.clone());
    made.insert(("journal", "segment_checked".to_owned()), [b"header\n".to_vec(), start].concat());
}

/// A payload as if it had been too small to be compressed.
fn plain(payload: &[u8]) -> Vec<u8> {
    let [version, 1, a, b, c, d, small @ ..] = payload else { return payload.to_vec() };
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    let bytes = zstd::bulk::decompress(small, length).expect("our own payload");
    [&[*version, 0][..], &bytes].concat()
}
