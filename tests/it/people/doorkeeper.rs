//! Sessions that end, and tries that are counted.

use chrono::TimeDelta;
use core::net::IpAddr;
use secrecy::{ExposeSecret, SecretString};
use tidegauge::people::{Doorkeeper, SessionRules};

use super::*;

fn keeper() -> Doorkeeper {
    Doorkeeper::new(SessionRules { idle: TimeDelta::minutes(30), longest: TimeDelta::hours(12) })
}

fn bytes(seed: u16) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..2].copy_from_slice(&seed.to_be_bytes());
    bytes
}

fn from(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn later(minutes: i64) -> Instant {
    at(NOW) + TimeDelta::minutes(minutes)
}

#[test]
fn a_session_holds_while_it_is_used_and_never_longer_than_its_longest() {
    let keeper = keeper();
    let opened = keeper.opened("anna", 0, bytes(1), at(NOW));
    let cookie = opened.cookie.expose_secret();
    let mut minutes = 0;
    while minutes + 29 < 12 * 60 {
        minutes += 29;
        let session = keeper.session(cookie, later(minutes)).expect("it was used within half an hour");
        assert_eq!((session.name.as_str(), session.since), ("anna", at(NOW)));
        assert!(session.csrf_fits(&opened.csrf) && !session.csrf_fits("") && !session.csrf_fits(cookie));
        assert_eq!(session.ends_at, later((minutes + 30).min(12 * 60)));
    }
    assert!(keeper.session(cookie, later(12 * 60)).is_none(), "twelve hours are over");
    let idle = keeper.opened("anna", 0, bytes(2), at(NOW)).cookie;
    assert!(keeper.session(idle.expose_secret(), later(30)).is_none());
    assert!(keeper.session(idle.expose_secret(), later(1)).is_none(), "what ended stays ended");
}

#[test]
fn each_sign_in_has_a_cookie_of_its_own_and_signing_out_ends_it() {
    let keeper = keeper();
    let [one, other] = [1, 2].map(|seed| keeper.opened("anna", 0, bytes(seed), at(NOW)).cookie);
    let ben = keeper.opened("ben", 0, bytes(3), at(NOW)).cookie;
    assert_ne!(one.expose_secret(), other.expose_secret());
    keeper.close(one.expose_secret());
    assert!(keeper.session(one.expose_secret(), later(1)).is_none());
    assert!(keeper.session(other.expose_secret(), later(1)).is_some());
    keeper.close_all_of("anna");
    assert!(keeper.session(other.expose_secret(), later(2)).is_none());
    assert!(keeper.session(ben.expose_secret(), later(2)).is_some());
    assert!(keeper.session("made up", later(2)).is_none());
}

#[test]
fn one_line_waits_for_the_next_page_and_is_said_once() {
    let keeper = keeper();
    let cookie = keeper.opened("anna", 0, bytes(1), at(NOW)).cookie;
    keeper.say(cookie.expose_secret(), "the report was sent");
    assert_eq!(keeper.take_said(cookie.expose_secret()).as_deref(), Some("the report was sent"));
    assert_eq!(keeper.take_said(cookie.expose_secret()), None);
    keeper.say("made up", "nobody hears it");
    assert_eq!(keeper.take_said("made up"), None);
}

#[test]
fn a_person_with_too_many_sessions_ends_his_own_oldest_and_nobody_elses() {
    let keeper = keeper();
    let ben = keeper.opened("ben", 0, bytes(0), at(NOW)).cookie;
    let cookies: Vec<_> =
        (1_u16..=33).map(|seed| keeper.opened("anna", 0, bytes(seed), later(i64::from(seed) / 10)).cookie).collect();
    let holds = |cookie: &secrecy::SecretString| keeper.session(cookie.expose_secret(), later(4)).is_some();
    assert_eq!(cookies.iter().filter(|cookie| !holds(cookie)).count(), 1);
    assert!(holds(&ben));
}

#[test]
fn five_failures_of_a_name_from_one_place_close_the_door_there_for_a_quarter_of_an_hour() {
    let keeper = keeper();
    let [here, there] = ["10.0.0.1", "10.0.0.2"].map(from);
    for minute in 0..5 {
        keeper.may_try("anna", here, later(minute)).expect("fewer than five failed");
        keeper.failed("anna", here, later(minute));
    }
    let refused = keeper.may_try("Anna", here, later(5)).expect_err("five failed");
    assert_eq!(refused.again_at, later(15));
    assert!(refused.to_string().contains("09:16"), "{refused}");
    keeper.may_try("anna", there, later(5)).expect("nobody shuts her out from elsewhere");
    keeper.may_try("ben", here, later(5)).expect("another name");
    keeper.may_try("anna", here, later(15)).expect("the first failure is forgotten");
    keeper.opened("anna", 0, bytes(1), later(15));
    keeper.failed("anna", here, later(15));
    keeper.may_try("anna", here, later(15)).expect("signing in forgave what was mistyped");
}

#[test]
fn an_address_that_tries_many_names_is_closed_and_a_network_of_ipv6_is_one_address() {
    let keeper = keeper();
    for guess in 0..20 {
        keeper.failed(&format!("user{guess}"), from(&format!("2001:db8::{guess:x}")), at(NOW));
    }
    keeper.may_try("anna", from("2001:db8::ffff"), later(1)).expect_err("twenty failed from this network");
    keeper.may_try("anna", from("2001:db8:0:1::1"), later(1)).expect("the next network");
    for _ in 0..20 {
        keeper.failed("somebody", from("::ffff:10.0.0.9"), at(NOW));
    }
    keeper.may_try("anna", from("10.0.0.9"), later(1)).expect_err("one address, however it is written");
}

#[test]
fn only_so_many_failures_are_remembered() {
    let keeper = keeper();
    for guess in 0_u32..6_000 {
        let address = IpAddr::from((guess + (10 << 24)).to_be_bytes());
        keeper.failed(&format!("user{guess}"), address, later(i64::from(guess / 1_000)));
    }
    assert!(keeper.remembered() <= 10_000, "{}", keeper.remembered());
}

#[test]
fn an_office_behind_one_address_signs_in_as_often_as_it_likes() {
    let keeper = keeper();
    let office = from("10.0.0.1");
    for n in 0..50 {
        let name = format!("user{n}");
        keeper.may_try(&name, office, later(0)).expect("nobody failed");
        keeper.failed(&name, office, later(0));
        keeper.passed(&name, office);
    }
    assert_eq!(keeper.remembered(), 0);
    for _ in 0..5 {
        keeper.failed("anna", office, later(1));
    }
    keeper.passed("ben", office);
    assert!(keeper.may_try("anna", office, later(1)).is_err(), "what another one got right forgives her nothing");
}

#[test]
fn a_person_is_shown_his_own_sessions_and_ends_all_but_the_one_he_asks_from() {
    let keeper = keeper();
    let elsewhere = keeper.opened("anna", 0, [1; 64], later(0));
    let here = keeper.opened("anna", 0, [2; 64], later(5));
    let ben = keeper.opened("ben", 0, [3; 64], later(5));
    let shown = keeper.sessions_of("anna", &here.csrf, later(6));
    let told: Vec<_> = shown.iter().map(|session| (session.since, session.ends_at, session.is_this)).collect();
    assert_eq!(told, [(later(5), later(35), true), (later(0), later(30), false)]);
    assert_eq!(keeper.sessions_of("anna", &here.csrf, later(31)).len(), 1, "the other one fell idle");
    keeper.close_others("anna", &here.csrf);
    let holds = |cookie: &secrecy::SecretString| keeper.session(cookie.expose_secret(), later(7)).is_some();
    assert_eq!([&elsewhere, &here, &ben].map(|opened| holds(&opened.cookie)), [false, true, true]);
}

#[test]
fn sessions_that_stand_obey_other_rules_and_end_with_the_word_of_a_provider() {
    let keeper = keeper();
    let (own, guest) = (keeper.opened("anna", 0, bytes(1), at(NOW)), Person::ours("gast", Role::Viewer));
    let guest = keeper.opened_for(&guest, bytes(2), at(NOW));
    keeper.obey(SessionRules { idle: TimeDelta::minutes(60), longest: TimeDelta::hours(12) });
    let holds = |cookie: &SecretString, minutes| keeper.session(cookie.expose_secret(), later(minutes)).is_some();
    assert!(holds(&own.cookie, 45) && holds(&guest.cookie, 45), "an hour is no longer too long");
    keeper.close_all_by_provider();
    assert!(holds(&own.cookie, 46) && !holds(&guest.cookie, 46), "a provider's word ends with its settings");
    keeper.obey(SessionRules { idle: TimeDelta::minutes(5), longest: TimeDelta::hours(12) });
    assert!(!holds(&own.cookie, 55));
}
