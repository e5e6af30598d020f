//! Servers, their coverage, what to do, duplicates and types to map.

use std::sync::LazyLock;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tidegauge::agent::Order;
use tidegauge::simulation::world::{World, WorldPlan};

use super::OPEN_REPORT;
use super::visitor::{Site, at, between};

/// One server that has been away since 10:00, and two imported ones that show the same machine and an unknown type.
static IN_TROUBLE: LazyLock<Site> = LazyLock::new(|| {
    let mut world = World::new(WorldPlan::small(4, at("2026-09-01T09:30:00Z"), 3));
    world.wire.cut_off("vbr01", at("2026-09-01T10:00:00Z")..at("2026-09-03T00:00:00Z"));
    world.run_until(at("2026-09-01T18:00:00Z"));
    for server in ["vbr08", "vbr09"] {
        let order = Order::ImportSamples { file: "s.json".to_owned(), text: snapshot(server).to_string() };
        world.order(order, "mia").expect("a good snapshot");
    }
    Site::of(world)
});

fn snapshot(server: &str) -> Value {
    let of = |id: &str, kind: &str| {
        json!({"id": id, "name": format!("<{id}>"), "type": kind, "points": "11",
            "first_processed_at": "2026-01-05T01:00:00Z", "last_restore_point_at": "2026-09-01T01:00:00Z"})
    };
    let license = json!({"license_id": "license-9", "type": "Rental", "installation_id": format!("i-{server}")});
    json!({"schema": "tidegauge.usage-snapshot/1", "taken_at": "2026-09-01T17:30:00Z", "server": server,
        "license": license, "workloads": [of("twin", "VM"), of(&format!("q-{server}"), "Quantum")]})
}

#[test]
fn each_server_says_how_it_stands_when_it_is_sampled_and_what_reads_it() {
    let page = OPEN_REPORT.signed_in("vera").get("/servers");
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    for said in ["vbr01 fresh 2026-10-01", "vbr Rental to", "Nothing was found that may count twice"] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
}

#[test]
fn a_server_that_is_away_says_what_went_wrong_and_what_to_do() {
    let words = IN_TROUBLE.signed_in("vera").get("/servers").words();
    assert!(words.contains("vbr01 unreachable 2026-09-01 0"), "{words}");
    assert!(words.contains("times in a row What to do: nothing, if it passes; it is tried again"), "{words}");
    assert!(words.contains("vbr09 fresh 2026-09-01 17:30 not planned 2 imported samples"), "{words}");
}

#[test]
fn what_may_count_twice_is_told_and_unknown_types_come_with_the_lines_that_map_them() {
    let page = IN_TROUBLE.signed_in("vera").get("/servers");
    let words = page.words();
    let duplicates = between(&words, "What was found", "Unknown types");
    assert!(duplicates.contains("vbr08") && duplicates.contains("vbr09"), "{words}");
    assert!(words.contains("vbr08 Quantum 1 11") && words.contains("vbr09 Quantum 1 11"), "{words}");
    assert!(page.html.contains("<pre>[[map]]\nplatform = &#34;Quantum&#34;\ntype = "), "{}", page.html);
    assert!(!page.html.contains("<twin>"), "a machine's name is not markup");
}

#[test]
fn every_hour_of_a_month_has_a_word_and_a_class_of_its_own() {
    let page = IN_TROUBLE.signed_in("vera").get("/servers");
    assert!(page.words().contains("Coverage of vbr01 in September 2026"), "the one in trouble is shown first");
    let table = between(&page.html, "<table class=\"hours\">", "</table>");
    let today = between(table, "<th scope=\"row\">2026-09-01</th>", "</tr>");
    let hours: Vec<&str> =
        today.split("<td class=\"").skip(1).filter_map(|cell| cell.split_once('"')).map(|c| c.0).collect();
    assert_eq!(hours.len(), 25, "24 hours and their sum: {today}");
    assert_eq!((hours[9], &hours[10..17]), ("complete", ["missed"; 7].as_slice()));
    assert!(hours[18..24].iter().all(|hour| *hour == "future"));
    assert!(today.contains("<span class=\"unseen\">missed</span>"), "{today}");
    assert_eq!(table.matches("<th scope=\"row\">").count(), 30, "a row for each day of September");
}

#[test]
fn another_month_and_another_server_are_chosen_by_the_address() {
    let vera = OPEN_REPORT.signed_in("vera");
    let page = vera.get("/servers?server=vbr01&month=2026-09");
    let words = page.words();
    assert!(words.contains("Coverage of vbr01 in September 2026") && words.contains("720 of 720 samples"), "{words}");
    assert!(page.html.contains("/servers?server=vbr01&#38;month=2026-10#coverage"), "{}", page.html);
    assert_eq!(vera.get("/servers?server=nobody").status, StatusCode::NOT_FOUND);
    assert_eq!(vera.get("/servers?month=2026-13").status, StatusCode::BAD_REQUEST);
}

#[test]
fn reviewers_sample_at_once_and_are_told_what_came_of_it() {
    let site = Site::of(super::morning_of_the_first());
    let (vera, rolf) = (site.signed_in("vera"), site.signed_in("rolf"));
    assert!(!vera.get("/servers").html.contains("action=\"/servers/sample\""));
    assert_eq!(vera.post("/servers/sample", &[("server", "vbr01")]).status, StatusCode::FORBIDDEN);
    assert!(rolf.get("/servers").html.contains("action=\"/servers/sample\""));
    let page = rolf.post("/servers/sample", &[("server", "vbr01")]);
    assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/servers?server=vbr01"));
    assert!(rolf.get(page.onward()).words().contains("vbr01 was sampled."));
    assert_eq!(rolf.post("/servers/sample", &[("server", "nobody")]).status, StatusCode::CONFLICT);
    let away = IN_TROUBLE.signed_in("rolf");
    let page = away.post("/servers/sample", &[("server", "vbr01")]);
    let words = away.get(page.onward()).words();
    assert!(words.contains("vbr01 was not sampled: "), "{words}");
}
