//! Signing in by a provider: away, back, and what the session may do.

use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use serde_json::json;
use tidegauge::ask::{Answer, Ask};
use tidegauge::console::ByProvider;
use tidegauge::domain::Instant;
use tidegauge::doors::{Pending, Wire};

use super::morning_of_the_first;
use super::visitor::{Page, Site, Visitor, at};
use crate::openid::provider::{ISSUER, Says};
use crate::openid::tokens::{Key, claims};
use crate::openid::{parameter, party};

const NOW: &str = "2026-10-01T08:00:00Z";

/// A provider, and how often it was asked.
#[derive(Clone, Default)]
struct Provider(Arc<Mutex<(Says, usize)>>);

impl Wire for Provider {
    fn carry(&self, ask: Ask) -> Pending<'_> {
        let Ask::Http(ask) = ask else { panic!("a provider speaks HTTP") };
        let mut provider = self.0.lock().expect("no test panics while it answers");
        provider.1 += 1;
        Box::pin(std::future::ready(Answer::Http(provider.0.answer(&ask))))
    }
}

impl Provider {
    fn site(&self) -> Site {
        Site::with(morning_of_the_first(), Some(ByProvider::new(party(), Arc::new(self.clone()))))
    }

    /// Vouches for somebody of this name and these groups in the sign-in that began with this address.
    fn vouches(&self, url: &str, name: &str, groups: &[&str]) {
        let now: Instant = at(NOW);
        let mut claims = claims(&parameter(url, "nonce"));
        claims["preferred_username"] = json!(name);
        claims["groups"] = json!(groups);
        claims["iat"] = json!(now.timestamp());
        claims["exp"] = json!(now.timestamp() + 300);
        self.0.lock().expect("no test panics while it answers").0.id_token = Key::OURS.signed(&claims);
    }
}

fn cookies(page: &Page) -> Vec<String> {
    page.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
}

/// A browser that goes away and comes back with a code.
fn back(site: &Site, provider: &Provider, name: &str, groups: &[&str]) -> Page {
    let mut browser = Visitor::stranger(&site.router);
    let away = browser.get("/openid/begin?to=%2Freport");
    assert!(away.onward().starts_with(&format!("{ISSUER}/auth?")), "{}", away.html);
    provider.vouches(away.onward(), name, groups);
    browser.cookie = cookies(&away)[0].split(';').next().map(str::to_owned);
    browser.get(&format!("/openid/back?code=c&state={}", parameter(away.onward(), "state")))
}

#[test]
fn somebody_whom_the_provider_knows_comes_in_with_the_role_of_the_groups() {
    let provider = Provider::default();
    let site = provider.site();
    let page = back(&site, &provider, "Grace", &["everybody"]);
    assert_eq!((page.status, page.onward()), (StatusCode::SEE_OTHER, "/report"), "{}", page.html);
    let [session, away] = &cookies(&page)[..] else { panic!("two cookies: {:?}", cookies(&page)) };
    assert!(away.starts_with("tidegauge-away=;") && away.contains("Max-Age=0"), "{away}");
    let mut grace = Visitor::stranger(&site.router);
    grace.cookie = session.split(';').next().map(str::to_owned);
    let overview = grace.get("/");
    assert_eq!(overview.status, StatusCode::OK);
    assert!(overview.words().contains("grace"), "{}", overview.words());
    // A viewer sees no users.
    assert_eq!(grace.get("/users").status, StatusCode::FORBIDDEN);
}

#[test]
fn nobody_comes_in_without_a_group_or_under_the_name_of_a_local_user() {
    let provider = Provider::default();
    let site = provider.site();
    for (name, groups, why) in [
        ("grace", &["others"][..], "grace has no role here"),
        ("Adam", &["tidegauge-admins"][..], "adam is a user of this console"),
    ] {
        let page = back(&site, &provider, name, groups);
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{name}");
        assert!(page.words().contains(why), "{}", page.words());
        assert!(cookies(&page).iter().all(|cookie| cookie.starts_with("tidegauge-away=;")), "{:?}", cookies(&page));
    }
}

#[test]
fn an_address_without_its_browser_opens_no_session() {
    let provider = Provider::default();
    let site = provider.site();
    let stranger = Visitor::stranger(&site.router);
    let away = stranger.get("/openid/begin");
    provider.vouches(away.onward(), "grace", &["everybody"]);
    let address = format!("/openid/back?code=c&state={}", parameter(away.onward(), "state"));
    let page = stranger.get(&address);
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.words().contains("began in another browser"), "{}", page.words());
    assert!(stranger.get(&address).words().contains("this sign-in is over"));
}

#[test]
fn the_provider_is_asked_once_for_many_and_nobody_is_sent_elsewhere() {
    let provider = Provider::default();
    let site = provider.site();
    let stranger = Visitor::stranger(&site.router);
    let link = stranger.get("/sign-in?to=%2Freport");
    assert!(link.html.contains("https://console.example.net/openid/begin?to=%2Freport"), "{}", link.html);
    for _ in 0..20 {
        assert_eq!(stranger.get("/openid/begin?to=//evil.example.net").status, StatusCode::SEE_OTHER);
    }
    assert_eq!(provider.0.lock().expect("no test panics").1, 2, "its endpoints and its keys");
    let without = Site::of(morning_of_the_first());
    assert_eq!(Visitor::stranger(&without.router).get("/openid/begin").status, StatusCode::NOT_FOUND);
    assert!(!Visitor::stranger(&without.router).get("/sign-in").html.contains("openid"));
}

#[test]
fn an_administrator_whom_the_provider_knows_makes_tokens_that_end_within_a_month() {
    let provider = Provider::default();
    let site = provider.site();
    let page = back(&site, &provider, "Grace", &["tidegauge-admins"]);
    let mut grace = Visitor::stranger(&site.router);
    grace.cookie = cookies(&page)[0].split(';').next().map(str::to_owned);
    let token =
        |ends: &str| grace.post("/users/token", &[("name", "billing"), ("role", "viewer"), ("expires_on", ends)]);
    // The last day counts whole: the 30th after today does, the 31st does not.
    for ends in ["", "2026-11-01", "2027-10-01"] {
        let refused = token(ends);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{ends}: {}", refused.words());
        assert!(refused.words().contains("30 days"), "{}", refused.words());
    }
    assert_eq!(token("2026-10-31").onward(), "/users");
}
