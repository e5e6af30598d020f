//! The license's page: auto update goes on with its consent alone.

use axum::http::StatusCode;
use tidegauge::agent::Query;

use super::morning_of_the_first;
use super::visitor::Site;

#[test]
fn auto_update_goes_on_only_with_the_consent_to_its_words() {
    let site = Site::of(morning_of_the_first());
    let anna = site.signed_in("anna");
    let is_on = || {
        let query = Query::License { unit: None, server: None };
        site.world.lock().expect("no panic").ask(&query).expect("a license")["auto_update"] == true
    };
    let off = anna.post("/license/auto-update", &[("on", "false")]);
    assert!(off.onward().starts_with("/license") && !is_on(), "{}", off.html);
    let without = anna.post("/license/auto-update", &[("on", "true")]);
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(without.html.contains("role=\"alert\"") && without.html.contains("name=\"consent\""), "{}", without.html);
    assert!(!is_on());
    let with = anna.post("/license/auto-update", &[("on", "true"), ("consent", "yes")]);
    assert!(with.onward().starts_with("/license") && is_on(), "{}", with.html);
}

#[test]
fn a_thing_of_one_day_is_said_to_be_of_that_day_alone() {
    let site = Site::of(morning_of_the_first());
    let page = site.signed_in("vera").get("/license").html;
    let calendar =
        page.split("Days ahead: reports").nth(1).and_then(|rest| rest.split("</table>").next()).expect("a table");
    let days: Vec<&str> = calendar.split("<td>").skip(1).filter_map(|cell| cell.split("</td>").next()).collect();
    assert!(days.contains(&"10 October 2026"), "{days:?}");
    let said_twice = |day: &str| {
        let span = day.split_once(" <span class=\"aside\">to ");
        span.is_some_and(|(first, last)| first == last.trim_end_matches("</span>"))
    };
    assert!(!days.iter().any(|day| said_twice(day)), "{days:?}");
}
