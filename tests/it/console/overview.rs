//! The page that signing in leads to, files of reports, and what holds for every page.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tidegauge::agent::{Query, Refused};

use super::visitor::{Answering, Site, Visitor, answered, bytes_of};
use super::{OPEN_REPORT, open_report};

#[test]
fn the_page_says_how_many_days_are_left_and_the_number_that_will_be_reported() {
    let report = open_report();
    let page = OPEN_REPORT.signed_in("vera").get("/");
    let words = page.words();
    assert_eq!(page.status, StatusCode::OK);
    let points = report["total_points_rounded"].as_str().expect("points are text");
    for said in [
        "10 days left · Overview · Tidegauge",
        "Usage report September 2026",
        "awaits review",
        &format!("{points} points"),
    ] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
    assert!(words.contains("Usage reports Newest usage reports Month Points Stage"), "{words}");
    assert!(words.contains("August 2026"), "older reports are listed: {words}");
}

#[test]
fn the_page_shows_chart_gate_license_servers_and_what_comes_next() {
    let page = OPEN_REPORT.signed_in("vera").get("/");
    assert!(page.html.contains("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 260\" role=\"img\""));
    let words = page.words();
    for said in ["Gate of August 2026 open", "License valid", "vbr01 fresh", "Send the usage report of 2026-09"] {
        assert!(words.contains(said), "the page does not say '{said}': {words}");
    }
}

#[test]
fn the_notification_window_has_the_words_of_the_field_and_the_buttons_of_the_role() {
    let points = open_report()["total_points_rounded"].as_str().expect("points are text").to_owned();
    let of = |name: &str| OPEN_REPORT.signed_in(name).get("/").words();
    let window = format!(
        "Monthly usage report vbr01 Monthly usage report has been generated. \
         Number of managed points for the previous month: {points}. \
         Please review and submit the report within the next 10 days. Review"
    );
    assert!(of("anna").contains(&format!("{window} Send Postpone Close")), "{}", of("anna"));
    assert!(of("rolf").contains(&format!("{window} Postpone Close")), "{}", of("rolf"));
    assert!(!of("vera").contains("Number of managed points"), "a viewer cannot act, so nothing stands in his way");
    assert!(of("vera").contains("Please submit a monthly usage report (10 days left)"));
}

#[test]
fn a_page_before_the_first_sample_says_so() {
    let status = json!({"schema": "tidegauge.status/1", "now": "2026-10-01T08:00:00Z", "agent": "a", "next": [],
        "servers": [{"name": "vbr01", "last_sample_at": null, "state": "unreachable",
            "error": "no answer from <vbr01>", "discrepancy": null}],
        "open_reports": [], "licenses": [], "outbox": 0, "untold": 0, "warnings": []});
    let answering: Answering = Arc::new(move |query, _| match query {
        Query::Status {} => Ok(status.clone()),
        Query::Waiting {} => Ok(json!({"schema": "tidegauge.waiting/1", "units": [], "open_reports": []})),
        _ => Err(Refused::new(3, "no sample is kept yet")),
    });
    let page = Visitor::signed_in(&Site::answering(answering), "anna").get("/");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.words().contains("No report waits for you"));
    assert!(page.words().contains("vbr01 unreachable none"));
    assert!(page.html.contains("no answer from &#60;vbr01&#62;"), "foreign text is not markup: {}", page.html);
}

#[test]
fn every_format_of_a_report_is_downloaded_as_it_stands_in_the_reports_folder() {
    let report = open_report();
    let license = report["license_id"].as_str().expect("the simulated key has an id").to_owned();
    let vera = OPEN_REPORT.signed_in("vera");
    let html = vera.get("/").html;
    for format in tidegauge::formats::FORMATS {
        let path = format!("/reports/2026-09.{}?unit={}", format.extension, report["unit"].as_str().expect("an id"));
        assert!(html.contains(&format!("href=\"{path}\"")), "the page does not link {path}");
        let file = vera.get(&path);
        assert_eq!(file.status, StatusCode::OK);
        assert_eq!(file.headers[header::CONTENT_TYPE], format.media_type);
        let name = format!("attachment; filename=\"{license}-r1.{}\"", format.extension);
        assert_eq!(file.headers[header::CONTENT_DISPOSITION], name.as_str());
        assert!(!file.html.is_empty());
    }
}

#[test]
fn a_file_that_is_not_there_is_refused_with_a_line() {
    let vera = OPEN_REPORT.signed_in("vera");
    for (path, status) in [
        ("/reports/2026-09", StatusCode::NOT_FOUND),
        ("/reports/2026-13.pdf", StatusCode::NOT_FOUND),
        ("/reports/2020-01.pdf", StatusCode::NOT_FOUND),
        ("/reports/2026-09.exe", StatusCode::BAD_REQUEST),
        ("/reports/..%2f..%2fetc%2fpasswd", StatusCode::NOT_FOUND),
        ("/nowhere", StatusCode::NOT_FOUND),
    ] {
        let page = vera.get(path);
        assert_eq!(page.status, status, "{path}");
        assert!(page.html.contains("role=\"alert\""), "{path}: {}", page.html);
    }
}

fn asked_as(host: &str, path: &str) -> axum::http::Response<Body> {
    let request = Request::get(path).header(header::HOST, host).body(Body::empty()).expect("a request");
    answered(&OPEN_REPORT.router, request)
}

#[test]
fn the_console_answers_only_to_names_of_this_machine_and_of_the_settings() {
    for host in [
        "localhost",
        "LOCALHOST:8420",
        "127.0.0.1",
        "127.0.0.1:8420",
        "[::1]:8420",
        "127.1.2.3",
        "tidegauge.example.net",
        "Tidegauge.example.net:8420",
    ] {
        assert_eq!(asked_as(host, "/style.css").status(), StatusCode::OK, "{host}");
    }
    for host in
        ["", "example.net", "localhost.example.net", "127.0.0.1.example.net:8420", "10.0.0.1", "[::2]", "localhost:a"]
    {
        assert_eq!(asked_as(host, "/").status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
}

#[test]
fn browsers_are_told_to_load_nothing_from_elsewhere_and_to_run_no_script_of_a_page() {
    for (path, host) in [("/", "localhost"), ("/style.css", "localhost"), ("/nowhere", "localhost"), ("/", "other")] {
        let response = asked_as(host, path);
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
    let anna = OPEN_REPORT.signed_in("anna");
    for path in ["/", "/settings", "/nowhere"] {
        let html = anna.get(path).html;
        // An address in a text is none that is loaded.
        for forbidden in ["<script>", " style=", "<style", "onclick", "src=\"http", "href=\"http"] {
            assert!(!html.contains(forbidden), "{path} holds {forbidden}, which its own policy forbids");
        }
    }
    let script = String::from_utf8(bytes_of(asked_as("localhost", "/console.js"))).expect("text");
    assert!(!script.contains("innerHTML") && !script.contains("eval("), "{script}");
}

#[test]
fn an_agent_that_does_not_answer_is_said() {
    let busy: Answering = Arc::new(|_, _| Err(Refused::new(75, "the agent is busy")));
    let page = Visitor::signed_in(&Site::answering(busy), "anna").get("/");
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.words().contains("the agent is busy"));
    let strange: Answering = Arc::new(|_, _| Ok(json!({"schema": "something/9"})));
    let page = Visitor::signed_in(&Site::answering(strange), "anna").get("/");
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
}
