//! The served page: what it shows of the agent's answers, what it refuses, and what browsers are told.

use std::sync::{Arc, LazyLock, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tidegauge::agent::{Query, Refused};
use tidegauge::api::metrics;
use tidegauge::console::{self, Ask};
use tidegauge::domain::Instant;
use tidegauge::simulation::world::{World, WorldPlan};
use tower::ServiceExt;

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

/// A world asked through the page, as the page of a running agent asks its owner.
fn asking(world: World) -> Ask {
    let world = Mutex::new(world);
    Arc::new(move |query| {
        let answer = world.lock().expect("no test panics while it asks").ask(&query);
        Box::pin(std::future::ready(answer))
    })
}

/// Always the same answer, whatever is asked.
fn answering(answer: Result<Value, Refused>) -> Ask {
    Arc::new(move |_: Query| Box::pin(std::future::ready(answer.clone())))
}

fn get(ask: &Ask, path: &str, host: &str) -> Response<Body> {
    let request = Request::get(path).header(header::HOST, host).body(Body::empty()).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    runtime.block_on(console::router(Arc::clone(ask)).oneshot(request)).expect("a router always answers")
}

fn bytes_of(response: Response<Body>) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    runtime.block_on(to_bytes(response.into_body(), 16 << 20)).expect("a body in memory").to_vec()
}

fn page(ask: &Ask, path: &str) -> (StatusCode, String) {
    let response = get(ask, path, "127.0.0.1:8420");
    let status = response.status();
    (status, String::from_utf8(bytes_of(response)).expect("pages are UTF-8"))
}

/// The text of a page without its tags, in one line.
fn words(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        text.push(' ');
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One world for all tests, which only ask: a closed loop on the morning of 1 October 2026.
static OPEN_REPORT: LazyLock<Ask> = LazyLock::new(|| {
    let mut world = World::new(WorldPlan::small(1, at("2026-08-20T09:30:00Z"), 40));
    world.run_until(at("2026-10-01T08:00:00Z"));
    asking(world)
});

/// The report as the agent itself shows it.
fn open_report() -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    let query = Query::Report { unit: None, server: None, month: None };
    runtime.block_on(OPEN_REPORT(query)).expect("a report is open")
}

#[test]
fn the_page_says_how_many_days_are_left_and_the_number_that_will_be_reported() {
    let report = open_report();
    let (status, html) = page(&OPEN_REPORT, "/");
    let words = words(&html);
    assert_eq!(status, StatusCode::OK);
    let points = report["total_points_rounded"].as_str().expect("points are text");
    for said in ["10 days left", "Usage report September 2026", "awaits review", &format!("{points} points")] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
    assert!(words.contains("Usage reports Newest usage reports Month Points Stage"), "{words}");
    assert!(words.contains("August 2026"), "older reports are listed: {words}");
}

#[test]
fn the_page_shows_chart_gate_license_servers_and_what_comes_next() {
    let (_, html) = page(&OPEN_REPORT, "/");
    assert!(html.contains("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 260\" role=\"img\""));
    let words = words(&html);
    for said in ["Gate of August 2026 open", "License valid", "vbr01 fresh", "Send the usage report of 2026-09"] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
}

#[test]
fn a_page_before_the_first_sample_says_so() {
    let status = json!({"schema": "tidegauge.status/1", "now": "2026-10-01T08:00:00Z", "agent": "a", "next": [],
        "servers": [{"name": "vbr01", "last_sample_at": null, "state": "unreachable",
            "error": "no answer from <vbr01>", "discrepancy": null}],
        "open_reports": [], "licenses": [], "outbox": 0, "untold": 0, "warnings": []});
    let nothing_yet = Refused::new(3, "no sample is kept yet");
    let ask: Ask = Arc::new(move |query| {
        let answer = if query == (Query::Status {}) { Ok(status.clone()) } else { Err(nothing_yet.clone()) };
        Box::pin(std::future::ready(answer))
    });
    let (status, html) = page(&ask, "/");
    assert_eq!(status, StatusCode::OK);
    assert!(words(&html).contains("No report waits for you"));
    assert!(words(&html).contains("vbr01 unreachable none"));
    assert!(html.contains("no answer from &#60;vbr01&#62;"), "foreign text is not markup: {html}");
}

#[test]
fn every_format_of_a_report_is_downloaded_as_it_stands_in_the_reports_folder() {
    let report = open_report();
    let license = report["license_id"].as_str().expect("the simulated key has an id").to_owned();
    let ask = &*OPEN_REPORT;
    let (_, html) = page(ask, "/");
    for format in tidegauge::formats::FORMATS {
        let path = format!("/reports/2026-09.{}?unit={}", format.extension, report["unit"].as_str().expect("an id"));
        assert!(html.contains(&format!("href=\"{path}\"")), "the page does not link {path}");
        let response = get(ask, &path, "localhost");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], format.media_type);
        let name = format!("attachment; filename=\"{license}-r1.{}\"", format.extension);
        assert_eq!(response.headers()[header::CONTENT_DISPOSITION], name.as_str());
        assert!(!bytes_of(response).is_empty());
    }
}

#[test]
fn a_file_that_is_not_there_is_refused_with_a_line() {
    let ask = &*OPEN_REPORT;
    for (path, status) in [
        ("/reports/2026-09", StatusCode::NOT_FOUND),
        ("/reports/2026-13.pdf", StatusCode::NOT_FOUND),
        ("/reports/2020-01.pdf", StatusCode::NOT_FOUND),
        ("/reports/2026-09.exe", StatusCode::BAD_REQUEST),
        ("/reports/..%2f..%2fetc%2fpasswd", StatusCode::NOT_FOUND),
        ("/nowhere", StatusCode::NOT_FOUND),
    ] {
        let (answered, html) = page(ask, path);
        assert_eq!(answered, status, "{path}");
        assert!(html.contains("This can’t be shown"), "{path}: {html}");
    }
}

#[test]
fn the_page_answers_only_for_names_of_this_machine() {
    let ask = &*OPEN_REPORT;
    for host in ["localhost", "LOCALHOST:8420", "127.0.0.1", "127.0.0.1:8420", "[::1]:8420", "127.1.2.3"] {
        assert_eq!(get(ask, "/style.css", host).status(), StatusCode::OK, "{host}");
    }
    for host in
        ["", "example.net", "localhost.example.net", "127.0.0.1.example.net:8420", "10.0.0.1", "[::2]", "localhost:a"]
    {
        assert_eq!(get(ask, "/", host).status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[test]
fn browsers_are_told_to_load_nothing_from_elsewhere() {
    let ask = &*OPEN_REPORT;
    for (path, host) in [("/", "localhost"), ("/style.css", "localhost"), ("/nowhere", "localhost"), ("/", "other")] {
        let response = get(ask, path, host);
        let headers = response.headers();
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text").starts_with("default-src 'none';"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
    let (_, html) = page(ask, "/");
    for forbidden in ["<script", " style=", "<style", "http://www.example", "https://"] {
        assert!(!html.contains(forbidden), "the page holds {forbidden}, which its own policy forbids");
    }
}

#[test]
fn an_agent_that_does_not_answer_is_said() {
    let (status, html) = page(&answering(Err(Refused::new(75, "the agent is busy"))), "/");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(words(&html).contains("the agent is busy"));
    let (status, _) = page(&answering(Ok(json!({"schema": "something/9"}))), "/");
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// The readings as monitoring reads them: `name{labels}` and value of each line.
fn scraped(ask: &Ask) -> Vec<(String, f64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    let readings = runtime.block_on(ask(Query::Readings {})).expect("readings");
    let text = metrics::text(&readings).expect("a text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parted = lines.map(|line| line.rsplit_once(' ').expect("a name and a value"));
    parted.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}

fn reading(scraped: &[(String, f64)], family: &str) -> f64 {
    let mut found = scraped.iter().filter(|(name, _)| name.split('{').next() == Some(family));
    found.next().unwrap_or_else(|| panic!("no {family} among {scraped:?}")).1
}

#[test]
fn monitoring_reads_the_numbers_that_people_see_and_instants_instead_of_days_left() {
    let scraped = scraped(&OPEN_REPORT);
    let report = open_report();
    let points: f64 = report["total_points"].as_str().expect("points are text").parse().expect("a number");
    for (family, value) in [
        ("tidegauge_report_points", points),
        ("tidegauge_report_open", 1.0),
        ("tidegauge_report_deadline_timestamp_seconds", at("2026-10-11T00:00:00Z").timestamp() as f64),
        ("tidegauge_license_auto_update_enabled", 1.0),
        ("tidegauge_license_auto_update_switched_itself_off", 0.0),
        ("tidegauge_gate_held", 0.0),
        ("tidegauge_server_up", 1.0),
        ("tidegauge_clock_suspect", 0.0),
        ("tidegauge_build_info", 1.0),
    ] {
        assert!((reading(&scraped, family) - value).abs() < 1e-6, "{family}: {scraped:?}");
    }
    let sampled = reading(&scraped, "tidegauge_sample_timestamp_seconds");
    let age = at("2026-10-01T08:00:00Z").timestamp() as f64 - sampled;
    assert!((0.0..=3600.0).contains(&age), "{age} s");
    let expires = reading(&scraped, "tidegauge_license_expiration_timestamp_seconds");
    assert!(at("2026-10-01T08:00:00Z").timestamp() as f64 <= expires);
}

#[test]
fn monitoring_is_told_servers_and_units_but_no_tenant_and_no_machine() {
    let labels: Vec<String> = scraped(&OPEN_REPORT).into_iter().map(|(name, _)| name).collect();
    let known = ["server=", "unit=", "month=", "version="];
    for name in labels.iter().filter_map(|name| name.split_once('{')).map(|(_, labels)| labels) {
        assert!(name == "}" || known.iter().any(|label| name.contains(label)), "{name}");
    }
    let report = open_report();
    for workload in report["workloads"].as_array().expect("a list").iter().take(50) {
        let name = workload["name"].as_str().expect("a name");
        assert!(!labels.iter().any(|label| label.contains(name)), "{name}");
    }
}
