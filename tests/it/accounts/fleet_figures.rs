//! What monitoring scrapes of the fleet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use expect_test::expect;
use tidegauge::domain::Instant;
use tidegauge::doors::Clock;
use tidegauge::license_server::{Contract, Order, metrics_router, readings};
use tidegauge::protocol::Kind;
use tidegauge::seal::keys::SigningKey;

use super::fleet::{of_every_kind, report_of, telemetry_of};
use super::{Office, at, contract};
use crate::console::metrics::{families_of, named_in, page_rows};

/// The scrape's lines without what explains them.
fn scrape(office: &Office, router: &Router) -> Vec<String> {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let (status, body) = office.answered(router.clone(), request);
    let text = String::from_utf8(body).unwrap();
    assert!(status == 200 && text.ends_with("# EOF\n"), "{status} {text}");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn router(office: &Office) -> Router {
    metrics_router(office.server.clone(), office.clock.clone())
}

fn value(scraped: &[String], name: &str) -> String {
    let is_it = |named: &str| named.trim_end_matches("{}") == name;
    let found = scraped.iter().find_map(|line| line.rsplit_once(' ').filter(|(named, _)| is_it(named)));
    found.unwrap_or_else(|| panic!("no {name} in {scraped:?}")).1.to_owned()
}

#[test]
fn monitoring_reads_the_fleet_by_closed_sets_and_no_name() {
    let mut office = of_every_kind();
    let token =
        office.order(Order::AddContract { contract: Contract { id: "C-300".to_owned(), ..contract() }, url: None });
    office.enrol(&token.unwrap(), &SigningKey::from_secret(&[7; 32])).unwrap();
    office.now("2026-11-17T00:00:00Z");
    let scraped = scrape(&office, &router(&office));
    let figures: Vec<&String> = scraped.iter().filter(|line| !line.contains("build_info")).collect();
    let figures: Vec<&str> = figures.into_iter().filter_map(|line| line.strip_prefix("tidegauge_fleet_")).collect();
    expect![[r#"
        view_timestamp_seconds{} 1794873600.0
        view_duration_seconds{} 0.0
        contracts{} 2.0
        agents{} 2.0
        agents_without_unit{} 1.0
        units{contact="heard"} 6.0
        units{contact="silent"} 1.0
        units{contact="ended"} 0.0
        installations{contact="heard"} 7.0
        installations{contact="silent"} 1.0
        installations{contact="ended"} 0.0
        reports{state="not_owed"} 0.0
        reports{state="missing"} 1.0
        reports{state="taken"} 5.0
        reports{state="held"} 1.0
        reports{state="approved"} 0.0
        reports{state="correction_asked"} 0.0
        keys{ends="past"} 0.0
        keys{ends="within_7_days"} 0.0
        keys{ends="within_30_days"} 0.0
        keys{ends="later"} 1.0
        need_care{} 5.0
        care{care="token_shown_twice"} 0.0
        care{care="key_ended"} 0.0
        care{care="report_missing"} 1.0
        care{care="report_held"} 1.0
        care{care="key_ending"} 0.0
        care{care="silent"} 1.0
        care{care="conflict"} 1.0
        care{care="coverage_low"} 1.0
        agent_versions{version="0.1.0"} 5.0
        agent_versions{version="other"} 0.0
        agent_versions{version="unknown"} 2.0"#]]
    .assert_eq(&figures.join("\n"));
}

#[test]
fn a_key_moves_from_later_to_past_as_its_end_comes() {
    let office = of_every_kind();
    let ends = |now: &str| {
        office.now(now);
        let scraped = scrape(&office, &router(&office));
        ["later", "within_30_days", "within_7_days", "past"]
            .map(|ends| value(&scraped, &format!("tidegauge_fleet_keys{{ends=\"{ends}\"}}")).parse::<f64>().unwrap())
    };
    assert_eq!(ends("2026-11-30T23:59:59Z"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(ends("2026-12-01T00:00:00Z"), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(ends("2026-12-24T00:00:00Z"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(ends("2027-01-01T00:00:00Z"), [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn scrapes_within_five_minutes_of_a_count_get_its_figures_and_as_of_when() {
    let office = of_every_kind();
    let router = router(&office);
    let missing = |now: &str| {
        office.now(now);
        let scraped = scrape(&office, &router);
        let of = |name: &str| value(&scraped, name).parse::<f64>().unwrap();
        let as_of = of("tidegauge_fleet_view_timestamp_seconds") - at("2026-11-17T00:00:00Z").timestamp() as f64;
        (of("tidegauge_fleet_care{care=\"report_missing\"}"), as_of)
    };
    assert_eq!(missing("2026-11-17T00:00:00Z"), (1.0, 0.0));
    office.send(Kind::Report, &report_of("missing", 100)).unwrap();
    assert_eq!(missing("2026-11-17T00:04:59Z"), (1.0, 0.0));
    assert_eq!(missing("2026-11-17T00:05:00Z"), (0.0, 300.0));
    // Set back, as after a wrong time: nobody waits until the old one comes again.
    assert_eq!(missing("2026-11-16T23:00:00Z"), (0.0, -3600.0));
}

/// Says one instant after the other, then the last for ever.
struct Told(Mutex<VecDeque<Instant>>);

impl Clock for Told {
    fn now(&self) -> Instant {
        let mut told = self.0.lock().unwrap();
        if 1 < told.len() { told.pop_front().unwrap() } else { told[0] }
    }
}

#[test]
fn a_count_that_took_long_is_rested_from_nine_times_as_long() {
    let office = of_every_kind();
    // Begun and ended; asked within the rest; asked at its end, begun and ended.
    let told = ["00:00:00", "00:04:00", "00:39:59", "00:40:00", "00:40:02"];
    let told = told.map(|time| at(&format!("2026-11-17T{time}Z")));
    let router = metrics_router(office.server.clone(), Arc::new(Told(Mutex::new(VecDeque::from(told)))));
    let seen = || {
        let scraped = scrape(&office, &router);
        ["timestamp", "duration"]
            .map(|what| value(&scraped, &format!("tidegauge_fleet_view_{what}_seconds")).parse::<f64>().unwrap())
    };
    let begun = at("2026-11-17T00:00:00Z").timestamp() as f64;
    assert_eq!(seen(), [begun, 240.0]);
    assert_eq!(seen(), [begun, 240.0]);
    assert_eq!(seen(), [begun + 2400.0, 2.0]);
}

#[test]
fn whatever_agents_call_their_version_there_are_ten_figures_at_most() {
    let office = Office::enrolled();
    office.now("2026-11-09T06:00:00Z");
    for (at, version) in ["other", "other", "unknown", "unknown", "1.0.0", "1.0.0", "a\"b\\c"].into_iter().enumerate() {
        let mut week = telemetry_of(&format!("unit-{at}"), "2026-W45", "2026-11-03", 10);
        week.agent_version = Some(version.to_owned());
        office.send(Kind::Telemetry, &week).unwrap();
    }
    for number in 0..9 {
        let mut week = telemetry_of(&format!("own-{number}"), "2026-W45", "2026-11-03", 10);
        week.agent_version = Some(format!("9.{number}.0"));
        office.send(Kind::Telemetry, &week).unwrap();
    }
    let scraped = scrape(&office, &router(&office));
    let versions = scraped.iter().filter_map(|line| line.strip_prefix("tidegauge_fleet_agent_versions"));
    let versions: Vec<&str> = versions.collect();
    expect![[r#"
        {version="1.0.0"} 2.0
        {version="9.0.0"} 1.0
        {version="9.1.0"} 1.0
        {version="9.2.0"} 1.0
        {version="9.3.0"} 1.0
        {version="9.4.0"} 1.0
        {version="other"} 7.0
        {version="unknown"} 2.0"#]]
    .assert_eq(&versions.join("\n"));
}

#[test]
fn before_the_first_count_only_its_age_is_told() {
    let families = readings(None);
    let told = families["families"].as_array().unwrap().iter();
    let told: Vec<&str> = told
        .filter(|family| family["readings"][0]["value"] == "0")
        .map(|family| family["name"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["fleet_view_timestamp_seconds"]);
}

#[test]
fn the_page_of_metrics_tells_every_figure_of_the_fleet_and_alerts_and_dashboard_ask_for_no_other() {
    let readings = readings(None);
    assert_eq!(page_rows("## The License Update Server"), families_of(&readings));
    for file in [
        include_str!("../../../packaging/prometheus/alerts.yml"),
        include_str!("../../../packaging/prometheus/alerts_test.yml"),
        include_str!("../../../packaging/prometheus/fleet-dashboard.json"),
    ] {
        let asked = named_in(file).into_iter().filter(|name| name.starts_with("tidegauge_fleet_"));
        let asked: Vec<&str> = asked.collect();
        assert!(2 <= asked.len(), "{asked:?}");
        assert!(asked.iter().all(|name| families_of(&readings).contains_key(*name)), "{asked:?}");
    }
}
