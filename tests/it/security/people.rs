//! People who try more than they may: every form, every page, every order and question, by every role.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::json;
use tidegauge::agent::{Knock, Order, Query};
use tidegauge::api::openapi::{ORDERS, QUESTIONS};
use tidegauge::console;
use tidegauge::domain::Instant;
use tidegauge::domain::people::{Person, ROLES, Role};
use tidegauge::people::{password, token};
use tidegauge::simulation::world::World;

use crate::api::{Api, token_of};
use crate::console::morning_of_the_first;
use crate::console::visitor::{PASSWORD, PEOPLE, Site, Visitor, between};

fn csrf_of(visitor: &Visitor) -> String {
    between(&visitor.get("/settings").html, "name=\"csrf\" value=\"", "\"").to_owned()
}

fn head(site: &Site) -> String {
    format!("{:?}", site.world.lock().expect("no test panics while it asks").agent().store().head())
}

#[test]
fn every_form_wants_the_secret_of_its_own_session_and_no_other_site_sends_one() {
    let site = Site::of(morning_of_the_first());
    let (adam, elsewhere) = (site.signed_in("adam"), site.signed_in("adam"));
    let (own, others) = (csrf_of(&adam), csrf_of(&elsewhere));
    assert!(!own.is_empty() && own != others);
    let (before, stranger) = (head(&site), Visitor::stranger(&site.router));
    assert!(20 < console::forms().count());
    for (path, _) in console::forms().chain([("/sign-out", Role::Viewer)]) {
        let tries = [
            ("without", adam.send(path, &[])),
            ("guessed", adam.send(path, &[("csrf", "guessed")])),
            ("empty", adam.send(path, &[("csrf", "")])),
            ("of another session", adam.send(path, &[("csrf", &others)])),
            ("of another site", adam.send_from(path, &[("csrf", &own)], "cross-site")),
            ("of a neighbour's site", adam.send_from(path, &[("csrf", &own)], "same-site")),
        ];
        for (how, page) in tries {
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {how}: {}", page.words());
        }
        if path != "/sign-out" {
            assert_eq!(stranger.send(path, &[("csrf", &own)]).status, StatusCode::FORBIDDEN, "{path} by nobody");
        }
    }
    assert_eq!(stranger.send_from("/sign-in", &[("name", "adam"), ("password", PASSWORD)], "cross-site").status, 401);
    assert_eq!(head(&site), before, "nothing was done");
    assert_eq!(adam.get("/users").status, StatusCode::OK, "and nobody was signed out");
}

#[test]
fn every_order_of_a_session_wants_its_secret_at_the_api_too() {
    let api = Api::new();
    let cookie = ("cookie", "seat=anna");
    for order in ORDERS.iter() {
        let body = order.example("order").to_string();
        for (path, body) in
            [("/api/v1/orders".to_owned(), body), (format!("/api/v1/orders/{}", order.name), "{}".into())]
        {
            for said in ["", "guessed"] {
                let headers = [cookie, ("x-csrf-token", said)];
                let refused = api.send(&api.router, Method::POST, &path, &headers, Some(body.clone()));
                assert!(refused.refusal(403).contains("X-CSRF-Token"), "{path}");
            }
        }
    }
}

#[test]
fn looking_at_every_page_changes_nothing() {
    let site = Site::of(morning_of_the_first());
    let adam = site.signed_in("adam");
    let before = head(&site);
    for (path, _) in console::addresses() {
        adam.get(path);
        adam.get(&format!("{path}?month=2026-09&role=administrator&active=false&name=adam"));
    }
    assert_eq!(head(&site), before);
}

#[test]
fn every_page_and_form_is_refused_below_its_role() {
    let site = Site::of(morning_of_the_first());
    let before = head(&site);
    for (name, role) in PEOPLE {
        let visitor = site.signed_in(name);
        for (path, needs) in console::addresses() {
            let status = visitor.get(path).status;
            assert_eq!(status == StatusCode::FORBIDDEN, role < needs, "{name} looks at {path}: {status}");
        }
        for (path, _) in console::forms().filter(|(_, needs)| role < *needs) {
            assert_eq!(visitor.post(path, &[]).status, StatusCode::FORBIDDEN, "{name} sends {path}");
        }
    }
    assert_eq!(head(&site), before);
}

#[test]
fn every_question_and_order_is_refused_below_its_role_at_the_api_and_at_the_desk() {
    let api = Api::new();
    let mut world = morning_of_the_first();
    for question in QUESTIONS.iter() {
        let example = question.example("what");
        let query: Query = serde_json::from_value(example.clone()).expect("an example is understood");
        for role in ROLES {
            let reply = api.post("/api/v1/queries", role.as_str(), &[], &example);
            assert_eq!(reply.status == 403, role < query.needs(), "{role} asks {}: {}", question.name, reply.status);
            let asked = world.ask_as(&query, &Person::ours("eve", role)).err();
            assert_eq!(asked.is_some_and(|refused| refused.code == 77), role < query.needs(), "{}", question.name);
        }
        let owner = api.send(&api.socket, Method::POST, "/api/v1/queries", &[], Some(example.to_string()));
        assert_ne!(owner.status, 403, "the machine's owner asks {}", question.name);
    }
    for order in ORDERS.iter() {
        let example = order.example("order");
        let needs = serde_json::from_value::<Order>(example.clone()).expect("an example is understood").needs();
        for role in ROLES.into_iter().filter(|role| *role < needs) {
            let why = api.post("/api/v1/orders", role.as_str(), &[], &example).refusal(403);
            assert!(why.contains(&format!("takes {needs}")), "{role} orders {}: {why}", order.name);
            let given: Order = serde_json::from_value(example.clone()).expect("an example is understood");
            let refused = world.order_as(given, &Person::ours("eve", role)).expect_err("the role is too small");
            assert_eq!(refused.code, 77, "{role} orders {}", order.name);
        }
    }
}

#[test]
fn what_the_program_asks_itself_is_asked_by_nobody_through_the_api() {
    let api = Api::new();
    for what in ["sign_in", "token", "token_holder", "invitation", "knock"] {
        let asked = json!({"what": what, "name": "adam", "hash": token::hash_of("x").expose()});
        for (router, role) in [(&api.router, "administrator"), (&api.socket, "administrator")] {
            let bearer = format!("Bearer {}", token_of(role));
            let headers = [("authorization", bearer.as_str())];
            let reply = api.send(router, Method::POST, "/api/v1/queries", &headers, Some(asked.to_string()));
            assert!(reply.status.is_client_error(), "{what}: {}", reply.status);
            assert!(!String::from_utf8_lossy(&reply.body).contains("argon2"), "{what}");
        }
    }
}

#[test]
fn a_session_id_that_was_there_before_the_sign_in_is_worth_nothing_after_it() {
    let site = Site::of(morning_of_the_first());
    let mut victim = Visitor::stranger(&site.router);
    victim.cookie = Some("tidegauge=planted-by-somebody".to_owned());
    let page = victim.send("/sign-in", &[("name", "adam"), ("password", PASSWORD), ("to", "/")]);
    let given = page.headers[header::SET_COOKIE].to_str().expect("text").to_owned();
    assert!(!given.contains("planted"), "{given}");
    assert_eq!(victim.get("/users").status, StatusCode::SEE_OTHER, "the planted one opens nothing");
    // Nor is a session of somebody else taken over by signing in over it.
    let vera = site.signed_in("vera");
    let mut shared = vera.clone();
    let page = shared.send("/sign-in", &[("name", "adam"), ("password", PASSWORD), ("to", "/")]);
    assert_ne!(page.headers[header::SET_COOKIE].to_str().expect("text").split(';').next(), vera.cookie.as_deref());
    shared.cookie = vera.cookie;
    assert_eq!(shared.get("/users").status, StatusCode::FORBIDDEN, "it is still vera's");
}

#[test]
fn an_unknown_name_costs_the_same_work_as_a_known_one() {
    let hash = password::hash(&SecretString::from(PASSWORD), [7; 16]);
    let compared = AtomicUsize::new(0);
    for known in [Some(&hash), None] {
        let fits = password::verify_by(&SecretString::from("wrong"), known, |_, hash| {
            assert!(password::is_ours(hash), "as dear as a real one");
            compared.fetch_add(1, Ordering::Relaxed);
            true
        });
        assert_eq!(fits, known.is_some(), "nobody is let in by the stand-in");
    }
    assert_eq!(compared.into_inner(), 2);
}

fn token_order(name: &str, role: Role, ends: Option<Instant>) -> Order {
    let hash = token::hash_of(&format!("tgt_{name}"));
    Order::AddToken { name: name.to_owned(), role, expires_at: ends, hash }
}

fn holder(world: &World, name: &str) -> Person {
    let asked = world.ask(&Query::Knock(Knock::Token { hash: token::hash_of(&format!("tgt_{name}")) }));
    serde_json::from_value(asked.expect("the token works")["person"].clone()).expect("a person")
}

#[test]
fn a_guests_token_ends_within_thirty_days_and_makes_no_other() {
    let mut world = morning_of_the_first();
    let grace = Person::guest("grace", Role::Administrator);
    let (now, days) = (world.now(), TimeDelta::days);
    for ends in [None, Some(now + days(31) + TimeDelta::seconds(1))] {
        let refused = world.order_as(token_order("billing", Role::Viewer, ends), &grace).expect_err("too long");
        assert!(refused.code == 77 && refused.why.contains("30 days"), "{refused}");
    }
    world.order_as(token_order("own", Role::Administrator, Some(now + days(30))), &grace).expect("a month");
    let program = holder(&world, "own");
    assert_eq!((program.name.as_str(), program.role), ("grace", Role::Administrator));
    let refused = world.order_as(token_order("next", Role::Viewer, Some(now + days(1))), &program);
    assert!(refused.expect_err("it would renew itself for ever").why.contains("makes no other"));
    world.run_until(now + days(30));
    world.ask(&Query::Knock(Knock::Token { hash: token::hash_of("tgt_own") })).expect_err("it has ended");
    // The owner of the machine needs no end.
    world.order(token_order("machine", Role::Viewer, None), "root").expect("the machine's own");
}

#[test]
fn nobody_is_his_own_second_pair_of_eyes_by_a_token_or_another_spelling() {
    let mut plan =
        tidegauge::simulation::world::WorldPlan::small(1, "2026-08-20T09:30:00Z".parse().expect("an instant"), 40);
    plan.settings.console.get_or_insert_default().four_eyes = Some(tidegauge::domain::Points::ZERO);
    let mut world = World::new(plan);
    world.run_until("2026-10-01T08:00:00Z".parse().expect("an instant"));
    let add = Order::AddUser {
        name: "anna".to_owned(),
        role: Role::Administrator,
        password: Some(password::hash(&SecretString::from(PASSWORD), [7; 16])),
        invitation: None,
    };
    world.order(add, "root").expect("a user");
    let anna = Person::ours("anna", Role::Administrator);
    world.order_as(token_order("annas", Role::Approver, None), &anna).expect("her own token");
    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).expect("an open report");
    let machine = report["workloads"][0]["id"].clone();
    let adjust = json!({"order": "adjust", "target": {"month": "2026-09"},
        "adjustments": [{"act": "remove", "workloads": [machine], "reason": "test machine"}]});
    let adjust = serde_json::from_value::<Order>(adjust.clone()).unwrap_or_else(|error| panic!("{error}: {adjust}"));
    let proposed = world.order_as(adjust, &anna).expect("it is proposed");
    let id = proposed["id"].as_str().unwrap_or_else(|| panic!("a proposal: {proposed}")).to_owned();
    let approve = || {
        serde_json::from_value::<Order>(json!({"order": "approve", "target": {"month": "2026-09"}, "proposal": id}))
            .expect("an order")
    };
    let by_token = holder(&world, "annas");
    for same in [anna, by_token, Person::ours("ANNA", Role::Approver), Person::guest("Anna", Role::Approver)] {
        assert_eq!(world.order_as(approve(), &same).expect_err("four eyes are two people").code, 77, "{same:?}");
    }
    world.order_as(approve(), &Person::ours("bert", Role::Approver)).expect("another person");
}

#[test]
fn guessing_many_names_from_one_address_is_stopped_after_twenty() {
    let site = Site::of(morning_of_the_first());
    let stranger = Visitor::stranger(&site.router);
    let statuses: Vec<u16> = (0..30)
        .map(|n| stranger.send("/sign-in", &[("name", &format!("user{n}")), ("password", "wrong")]).status.as_u16())
        .collect();
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[20..].iter().all(|status| *status == 429), "{statuses:?}");
}

#[test]
fn a_key_whose_order_broke_off_is_good_for_another_try() {
    let (desk, mut errands) = tidegauge::api::desk();
    std::thread::spawn(move || {
        // The owner breaks off while it obeys the first, and is there again for the second.
        drop(errands.blocking_recv());
        while let Some(errand) = errands.blocking_recv() {
            let _ = errand.answer.send(Ok(json!({"done": true})));
        }
    });
    let clock = tidegauge::simulation::clock::SimulatedClock::at("2026-10-01T08:00:00Z".parse().expect("an instant"));
    let router = tidegauge::api::router(tidegauge::api::House::new(desk, std::sync::Arc::new(clock)));
    let api = &*crate::api::READ_ONLY;
    let given = || {
        let headers = [("idempotency-key", "one")];
        api.send(&router, Method::POST, "/api/v1/orders/confirm_clock", &headers, Some("{}".to_owned()))
    };
    assert_eq!(given().status, StatusCode::SERVICE_UNAVAILABLE, "it broke off");
    assert_eq!(given().status, StatusCode::OK, "and is not said to be under way for a day");
    assert_eq!(given().header("idempotency-replayed"), "true");
}
