//! Who is let in: signing in and out, sessions, invitations, forms of other sites, roles.

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use secrecy::SecretString;
use tidegauge::agent::{Knock, Order, Query};
use tidegauge::domain::people::Role;
use tidegauge::people::{password, token};

use super::visitor::{PASSWORD, Site, Visitor};
use super::{OPEN_REPORT, morning_of_the_first};

#[test]
fn whoever_is_not_signed_in_is_sent_to_the_sign_in_and_then_where_he_wanted() {
    let stranger = Visitor::stranger(&OPEN_REPORT.router);
    let page = stranger.get("/report?month=2026-09");
    assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/sign-in?to=%2Freport%3Fmonth%3D2026-09"));
    let form = stranger.get(page.onward());
    assert!(form.html.contains("name=\"to\" value=\"/report?month=2026-09\""), "{}", form.html);
    let page = stranger.send("/sign-in", &[("name", "anna"), ("password", PASSWORD), ("to", "/report?month=2026-09")]);
    assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/report?month=2026-09"));
    let cookie = page.headers[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[test]
fn nobody_is_sent_to_another_site_after_signing_in() {
    let stranger = Visitor::stranger(&OPEN_REPORT.router);
    for to in ["//evil.example.net", "https://evil.example.net/", "/\\evil.example.net", "evil", "/\r\nset-cookie: a=b"]
    {
        let page = stranger.send("/sign-in", &[("name", "anna"), ("password", PASSWORD), ("to", to)]);
        assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/"), "{to}");
    }
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let site = Site::of(morning_of_the_first());
    let stranger = Visitor::stranger(&site.router);
    let answers = ["anna", "nobody"].map(|name| stranger.send("/sign-in", &[("name", name), ("password", "wrong")]));
    for page in &answers {
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(page.words().contains("Name or password is wrong."), "{}", page.words());
        assert!(page.headers.get(header::SET_COOKIE).is_none());
    }
}

#[test]
fn guessing_is_slowed_down_and_the_right_password_waits_as_well() {
    let site = Site::of(morning_of_the_first());
    let stranger = Visitor::stranger(&site.router);
    let tried = |password: &str| stranger.send("/sign-in", &[("name", "anna"), ("password", password)]).status;
    let limited = (0..50).map(|_| tried("wrong")).find(|status| *status != StatusCode::UNAUTHORIZED);
    assert_eq!(limited, Some(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(tried(PASSWORD), StatusCode::TOO_MANY_REQUESTS);
    site.clock_goes_on(TimeDelta::hours(1));
    assert_eq!(tried(PASSWORD), StatusCode::SEE_OTHER);
}

#[test]
fn a_session_ends_when_it_is_idle_and_when_somebody_signs_out() {
    let site = Site::of(morning_of_the_first());
    let anna = site.signed_in("anna");
    site.clock_goes_on(TimeDelta::minutes(29));
    assert_eq!(anna.get("/settings").status, StatusCode::OK);
    site.clock_goes_on(TimeDelta::minutes(31));
    assert_eq!(anna.get("/settings").status, StatusCode::SEE_OTHER);
    let anna = site.signed_in("anna");
    assert_eq!(anna.post("/sign-out", &[]).onward(), "/sign-in");
    assert_eq!(anna.get("/settings").status, StatusCode::SEE_OTHER);
}

#[test]
fn a_form_without_the_sessions_secret_or_of_another_site_does_nothing() {
    let site = Site::of(morning_of_the_first());
    let adam = site.signed_in("adam");
    let fields = [("name", "mallory"), ("role", "administrator")];
    for page in [
        adam.send("/users/add", &fields),
        adam.send("/users/add", &[fields[0], fields[1], ("csrf", "guessed")]),
        adam.send_from("/users/add", &fields, "cross-site"),
        adam.send_from("/sign-out", &[], "cross-site"),
        Visitor::stranger(&site.router).send("/users/add", &fields),
    ] {
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.html);
    }
    assert!(!adam.get("/users").words().contains("mallory"));
}

#[test]
fn a_role_that_does_not_suffice_sees_neither_the_page_nor_its_link_and_gives_no_order() {
    let site = Site::of(morning_of_the_first());
    for name in ["vera", "rolf", "anna"] {
        let visitor = site.signed_in(name);
        assert_eq!(visitor.get("/users").status, StatusCode::FORBIDDEN, "{name}");
        assert!(!visitor.get("/settings").html.contains("href=\"/users\""), "{name}");
        let page = visitor.post("/users/add", &[("name", "mallory"), ("role", "administrator")]);
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert!(site.signed_in("adam").get("/settings").html.contains("href=\"/users\""));
}

#[test]
fn an_invited_person_sets_a_password_once_and_is_signed_in() {
    let site = Site::of(morning_of_the_first());
    let adam = site.signed_in("adam");
    assert_eq!(adam.post("/users/add", &[("name", "cleo"), ("role", "reviewer")]).onward(), "/users");
    let said = adam.get("/users").words();
    let link = said.split_whitespace().find(|word| word.starts_with("/welcome/")).expect("a link is shown").to_owned();
    let cleo = Visitor::stranger(&site.router);
    assert!(cleo.get(&link).words().contains("Choose the password of cleo"));
    let long = "a horse of another colour";
    let weak = cleo.send(&link, &[("password", "short"), ("again", "short")]);
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", weak.html);
    let differ = cleo.send(&link, &[("password", long), ("again", "another horse of colour")]);
    assert_eq!(differ.status, StatusCode::UNPROCESSABLE_ENTITY);
    let set = cleo.send(&link, &[("password", long), ("again", long)]);
    assert_eq!((set.status, set.onward()), (StatusCode::SEE_OTHER, "/"));
    assert!(set.headers.contains_key(header::SET_COOKIE));
    assert_eq!(cleo.get(&link).status, StatusCode::NOT_FOUND, "the link works once");
    let again = cleo.send("/sign-in", &[("name", "cleo"), ("password", long)]);
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[test]
fn whoever_is_disabled_is_out_at_once() {
    let site = Site::of(morning_of_the_first());
    let (adam, rolf) = (site.signed_in("adam"), site.signed_in("rolf"));
    assert_eq!(rolf.get("/settings").status, StatusCode::OK);
    adam.post("/users/change", &[("name", "rolf"), ("active", "false")]);
    assert_eq!(rolf.get("/settings").status, StatusCode::SEE_OTHER);
    let page = Visitor::stranger(&site.router).send("/sign-in", &[("name", "rolf"), ("password", PASSWORD)]);
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_role_changed_elsewhere_holds_from_the_next_request_on() {
    let site = Site::of(morning_of_the_first());
    let rolf = site.signed_in("rolf");
    let order = Order::ChangeUser {
        name: "rolf".to_owned(),
        role: Some(Role::Administrator),
        active: None,
        password: None,
        invitation: None,
    };
    site.world.lock().expect("no panic").order(order, "owner").expect("the owner may");
    assert_eq!(rolf.get("/users").status, StatusCode::OK);
}

#[test]
fn sessions_end_with_the_password_and_with_disabling_wherever_that_was_done() {
    let site = Site::of(morning_of_the_first());
    let order = |password, active| {
        let order = Order::ChangeUser { name: "rolf".to_owned(), role: None, active, password, invitation: None };
        site.world.lock().expect("no panic").order(order, "owner").expect("the owner may");
    };
    let rolf = site.signed_in("rolf");
    order(None, Some(false));
    order(None, Some(true));
    assert_eq!(rolf.get("/settings").status, StatusCode::SEE_OTHER, "he was disabled meanwhile");
    let rolf = site.signed_in("rolf");
    assert_eq!(rolf.get("/settings").status, StatusCode::OK);
    let other = SecretString::from("a horse of another colour".to_owned());
    order(Some(password::hash(&other, [9; 16])), None);
    assert_eq!(rolf.get("/settings").status, StatusCode::SEE_OTHER, "his password is another one");
}

#[test]
fn a_password_of_a_thousand_bytes_works_again() {
    let site = Site::of(morning_of_the_first());
    let long = "four words make one ".repeat(50);
    let rolf = site.signed_in("rolf");
    let fields = [("current", PASSWORD), ("password", long.as_str()), ("again", long.as_str())];
    assert_eq!(rolf.post("/settings/password", &fields).onward(), "/settings");
    assert_eq!(rolf.get("/settings").status, StatusCode::OK, "the session that changed it goes on");
    let again = Visitor::stranger(&site.router).send("/sign-in", &[("name", "Rolf"), ("password", long.as_str())]);
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[test]
fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let site = Site::of(morning_of_the_first());
    let adam = site.signed_in("adam");
    adam.post("/users/token", &[("name", "billing"), ("role", "viewer"), ("expires_on", "2026-12-31")]);
    let said = adam.get("/users").words();
    let secret = said.split_whitespace().find(|word| word.starts_with("tgt_")).expect("it is shown").to_owned();
    assert!(!adam.get("/users").html.contains("tgt_"), "it is shown once");
    let holder = Query::Knock(Knock::Token { hash: token::hash_of(&secret) });
    let ask = || site.world.lock().expect("no panic").ask(&holder);
    assert_eq!(ask().expect("it works")["person"]["role"], "viewer");
    adam.post("/users/revoke", &[("name", "billing")]);
    assert_eq!(ask().expect_err("it ended").code, 77);
}
