//! The page on which any period is explored.

use std::sync::LazyLock;

use axum::http::StatusCode;
use tidegauge::agent::Query;
use tidegauge::agent::access::By;
use tidegauge::agent::asked::UsageOverAsked;

use super::visitor::{Visitor, between};
use super::{OPEN_REPORT, asked};

/// One for all tests: all of them only look.
static VERA: LazyLock<Visitor> = LazyLock::new(|| OPEN_REPORT.signed_in("vera"));

fn over(by: By, from: &str, until: &str) -> serde_json::Value {
    let (from, until) = (from.parse().ok(), until.parse().ok());
    asked(&Query::UsageOver(Box::new(UsageOverAsked { from, until, by, ..UsageOverAsked::default() })))
}

#[test]
fn a_period_is_shown_as_a_chart_with_its_table_and_by_group() {
    let shown = over(By::Type, "2026-09-01", "2026-09-30");
    let page = VERA.get("/usage?from=2026-09-01&until=2026-09-30&by=type");
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    let highest = shown["highest"]["points"].as_str().expect("September was sampled");
    assert!(words.contains(&format!("Highest in the period {highest} points, first stood")), "{words}");
    assert!(page.html.contains("role=\"img\" class=\"chart\"") && page.html.contains("<title>Usage from 2026-09-01"));
    assert_eq!(page.html.matches("<tr><th scope=\"row\">2026-09-").count(), 30, "a row for each day");
    for group in shown["at_end"]["groups"].as_array().expect("groups") {
        let said = ["key", "points", "count"].map(|field| group[field].to_string().replace('"', ""));
        assert!(words.contains(&said[0]), "{said:?}: {words}");
        assert!(words.contains(&format!("{} {}", said[1], said[2])), "{said:?}: {words}");
    }
    assert!(!words.contains("Forecast"), "the period ends before today: {words}");
}

#[test]
fn without_a_period_the_last_days_and_the_forecast_to_the_next_first_are_shown() {
    let shown = over(By::Type, "2026-09-01", "2026-11-01");
    let page = VERA.get("/usage?server=vbr01");
    let words = page.words();
    let first = shown["forecast"]["points_on_first"].as_str().expect("points");
    assert!(words.contains(&format!("Forecast: 1 November 2026 {first} points in use then")), "{words}");
    assert!(words.contains("2026-11-01 forecast"), "days ahead are named as such: {words}");
    assert_eq!(between(&page.html, "name=\"from\" type=\"date\" value=\"", "\""), "2026-09-01");
    assert_eq!(between(&page.html, "name=\"until\" type=\"date\" value=\"", "\""), "2026-11-01");
}

#[test]
fn a_group_leads_to_itself_alone_and_the_part_is_not_called_the_whole() {
    let html = VERA.get("/usage?from=2026-09-01&until=2026-09-30&by=type").html;
    let link = between(&html, "<tr><th scope=\"row\"><a href=\"", "\"").replace("&#38;", "&").replace("&amp;", "&");
    assert!(link.contains("type=") && link.contains("by=tenant") && link.contains("from=2026-09-01"), "{link}");
    let page = VERA.get(&link);
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    assert!(words.contains("Only the chosen part is drawn") && !words.contains("Highest in the period"), "{words}");
    assert!(!words.contains("All together"), "{words}");
}

#[test]
fn workloads_are_listed_at_the_end_of_the_period() {
    let shown = over(By::Workload, "2026-09-01", "2026-09-30");
    let words = VERA.get("/usage?from=2026-09-01&until=2026-09-30&by=workload").words();
    let name = shown["at_end"]["groups"][0]["name"].as_str().expect("workloads have names");
    assert!(words.contains("By workload") && words.contains(name), "{words}");
}

#[test]
fn a_period_that_cannot_be_shown_is_refused_on_the_form_with_what_was_typed() {
    for (path, said) in [
        ("/usage?from=2026-09-30&until=2026-09-01", "is before"),
        ("/usage?from=2024-01-01&until=2026-09-01", "at most 400"),
        ("/usage?from=yesterday", "not understood"),
        ("/usage?by=colour", "Group by"),
    ] {
        let page = VERA.get(path);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let why = between(&page.html, "role=\"alert\">", "<");
        assert!(why.contains(said), "{path}: {why}");
        let typed = path.split_once("from=").map(|(_, rest)| rest.split('&').next().unwrap_or_default());
        assert_eq!(between(&page.html, "name=\"from\" type=\"date\" value=\"", "\""), typed.unwrap_or_default());
    }
}

#[test]
fn the_longest_period_day_by_day_is_a_light_page_and_a_long_one_goes_by_weeks() {
    let page = VERA.get("/usage?from=2025-09-28&until=2026-11-01&step=day&by=type");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.len() < 250_000, "{} bytes", page.html.len());
    let weeks = VERA.get("/usage?from=2026-01-01&until=2026-09-30");
    assert!(weeks.html.contains("<option value=\"week\" selected>"), "nobody reads 273 days one by one");
}
