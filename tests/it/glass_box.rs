//! What the agent shows of itself: journal, messages, coverage, servers, duties ahead; and the same through `/api/v1`.

mod coverage; // hour by hour
mod journal; // newest first, searched, bounded
mod messages; // byte for byte, and what leaves next
mod servers; // servers and duties ahead

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tidegauge::agent::orders::Target;
use tidegauge::agent::{Order, Query};
use tidegauge::api::{self, Errand, House, Wish};
use tidegauge::config::Settings;
use tidegauge::domain::Instant;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::doors::Clock;
use tidegauge::simulation::world::{World, WorldPlan};
use tower::ServiceExt;

const REASON: &str = "a test machine that nobody pays for";

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

/// Five weeks of one server that was away for the night of 24 September, on the morning of 2 October 2026; mia took a
/// machine out of September's report.
static LIVED: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let mut world = World::new(WorldPlan::small(1, at("2026-08-28T09:30:00Z"), 8));
    world.wire.cut_off("vbr01", at("2026-09-24T20:00:00Z")..at("2026-09-25T03:30:00Z"));
    world.run_until(at("2026-10-02T08:00:00Z"));
    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).expect("September's report");
    let counted = |workload: &&Value| workload["counted"] == true;
    let workloads = report["workloads"].as_array().expect("a list").iter();
    let id = workloads.clone().find(counted).expect("a machine counts")["id"].as_str().expect("an id").to_owned();
    let adjustments = vec![AdjustmentOrder::Remove { workloads: vec![id], reason: REASON.to_owned() }];
    world.order(Order::Adjust { target: Target::default(), adjustments }, "mia").expect("the report is open");
    Mutex::new(world)
});

fn lived<T>(look: impl FnOnce(&World) -> T) -> T {
    look(&LIVED.lock().expect("no test panics while it looks"))
}

fn ask(query: &Query) -> Value {
    lived(|world| world.ask(query)).expect("it is answered")
}

/// Nothing here asks for the hour.
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        at("2026-10-01T08:00:00Z")
    }
}

/// What `GET /api/v1/…` answers: the status and the body.
fn get(path: &str) -> (u16, Value) {
    let (desk, mut errands) = api::desk();
    let owner = std::thread::spawn(move || {
        while let Some(Errand { wish, answer, .. }) = errands.blocking_recv() {
            let Wish::Query(query) = wish else { panic!("only questions are asked here") };
            answer.send(lived(|world| world.ask(&query))).expect("somebody waits for the answer");
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let answered = runtime.block_on(async {
        let request = Request::get(format!("/api/v1/{path}")).body(Body::empty()).expect("a request");
        let response =
            api::router(House::new(desk, Arc::new(Still))).oneshot(request).await.expect("a router always answers");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 16 << 20).await.expect("a body in memory");
        (status, serde_json::from_slice(&body).expect("JSON"))
    });
    owner.join().expect("the owner answers");
    answered
}

/// The rows of a list.
fn rows<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("no list {field} in {value:#}"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text {field} in {value:#}"))
}

#[test]
fn every_view_is_asked_by_name_with_parameters_that_are_texts() {
    for (path, schema) in [
        ("journal?limit=3&after=40&kind=samples&month=2026-08&from=2026-08-28&until=2026-08-30&actor=duty", "journal"),
        ("telemetry?limit=2&after=", "telemetry"),
        ("settings", "settings"),
        ("coverage?server=vbr01&from=2026-09-01&until=2026-09-30", "coverage"),
        ("servers", "servers"),
        ("duties?limit=4", "duties"),
    ] {
        let (status, answer) = get(path);
        assert_eq!((status, text(&answer, "schema")), (200, format!("tidegauge.{schema}/1").as_str()), "{path}");
    }
    assert_eq!(rows(&get("journal?limit=3").1, "entries").len(), 3);
    for (path, status) in [
        ("journal?limit=many", 400),
        ("journal?kind=gossip", 400),
        ("coverage?from=2026-01-01&until=2026-12-31", 400),
        ("coverage?server=vbr09", 404),
        ("message?id=nobody", 404),
    ] {
        assert_eq!(get(path).0, status, "{path}");
    }
}
