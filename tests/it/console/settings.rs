//! What is in force, one's sessions, and one's own password.

use axum::http::StatusCode;
use chrono::TimeDelta;

use super::visitor::{PASSWORD, Page, Site, Visitor, between};
use super::{OPEN_REPORT, morning_of_the_first};

const ANOTHER: &str = "eleven wet herons in the reeds";

fn change(visitor: &Visitor, current: &str, password: &str, again: &str) -> Page {
    visitor.post("/settings/password", &[("current", current), ("password", password), ("again", again)])
}

fn sign_in(site: &Site, password: &str) -> StatusCode {
    let fields = [("name", "vera"), ("password", password)];
    Visitor::stranger(&site.router).send("/sign-in", &fields).status
}

#[test]
fn every_setting_says_where_it_was_given_and_can_be_searched() {
    let vera = OPEN_REPORT.signed_in("vera");
    let page = vera.get("/settings");
    assert_eq!(page.status, StatusCode::OK);
    let words = page.words();
    assert!(words.contains("Settings Setting Value From"), "{words}");
    let row = between(&page.html, "<th scope=\"row\">policy.auto_submit_day</th>", "</tr>");
    assert!(row.contains("<td>11") && row.contains("default"), "{row}");
    let some = vera.get("/settings?search=AUTO_SUBMIT").words();
    assert!(some.contains("policy.auto_submit_day") && !some.contains("manual_deadline_day"), "{some}");
    assert!(vera.get("/settings?search=%22%3E%3Cb%3E").words().contains("No setting fits."));
}

#[test]
fn whoever_changes_the_password_proves_the_current_one_and_ends_other_sessions() {
    let site = Site::of(morning_of_the_first());
    let (here, elsewhere) = (site.signed_in("vera"), site.signed_in("vera"));
    let page = change(&here, PASSWORD, ANOTHER, ANOTHER);
    assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/settings"), "{}", page.html);
    assert!(here.get("/settings").words().contains("Your password is changed"));
    assert_eq!(elsewhere.get("/settings").status, StatusCode::SEE_OTHER, "it is signed out");
    assert_eq!((sign_in(&site, PASSWORD), sign_in(&site, ANOTHER)), (StatusCode::UNAUTHORIZED, StatusCode::SEE_OTHER));
}

#[test]
fn a_password_is_refused_on_its_form_with_why_and_nothing_changes() {
    let site = Site::of(morning_of_the_first());
    let vera = site.signed_in("vera");
    for (current, password, again, why) in [
        ("wrong", ANOTHER, ANOTHER, "the current password is another one"),
        (PASSWORD, "short", "short", "the password has 5 signs"),
        (PASSWORD, ANOTHER, PASSWORD, "the two passwords differ"),
    ] {
        let page = change(&vera, current, password, again);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(between(&page.html, "role=\"alert\">", "</p>").contains(why), "{}", page.words());
        assert!(
            !page.html.contains(ANOTHER) && page.words().contains("Change password"),
            "the form stands there again"
        );
    }
    assert_eq!(sign_in(&site, PASSWORD), StatusCode::SEE_OTHER);
}

#[test]
fn guessing_the_current_password_of_an_open_session_is_slowed_down() {
    let site = Site::of(morning_of_the_first());
    let vera = site.signed_in("vera");
    let tried = |password: &str| change(&vera, password, ANOTHER, ANOTHER).status;
    let limited = (0..20).map(|_| tried("wrong")).find(|status| *status != StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(limited, Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(tried(PASSWORD), StatusCode::TOO_MANY_REQUESTS, "the right one waits as well");
    assert_eq!(sign_in(&site, PASSWORD), StatusCode::SEE_OTHER, "nobody else is kept out by it");
    site.clock_goes_on(TimeDelta::minutes(20));
    assert_eq!(tried(PASSWORD), StatusCode::SEE_OTHER);
}

#[test]
fn people_see_their_own_sessions_and_end_the_others() {
    let site = Site::of(morning_of_the_first());
    let elsewhere = site.signed_in("vera");
    site.clock_goes_on(TimeDelta::minutes(5));
    let (here, rolf) = (site.signed_in("vera"), site.signed_in("rolf"));
    let words = here.get("/settings").words();
    let sessions = between(&words, "Sessions Signed in Last used Ends", "Password");
    assert_eq!((sessions.matches("2026-10-01").count(), sessions.matches("this one").count()), (6, 1), "{sessions}");
    assert!(!rolf.get("/settings").words().contains("End other sessions"));
    assert_eq!(here.post("/settings/sessions", &[]).onward(), "/settings");
    assert_eq!(elsewhere.get("/settings").status, StatusCode::SEE_OTHER);
    assert_eq!((here.get("/settings").status, rolf.get("/settings").status), (StatusCode::OK, StatusCode::OK));
}
