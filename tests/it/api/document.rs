//! The OpenAPI document: whole, true, and readable as a page.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use tidegauge::agent::{Order, Query};
use tidegauge::api::openapi::{self, DOCUMENT, ORDERS, QUESTIONS};
use tidegauge::api::reference;

use super::{READ_ONLY, token_of};

/// The names that serde takes, as its refusal lists them.
fn names<T: serde::de::DeserializeOwned>(tag: &str) -> BTreeSet<String> {
    let refused = serde_json::from_value::<T>(json!({tag: "?"})).err().expect("there is no `?`").to_string();
    let (_, listed) = refused.split_once("expected one of ").expect("serde lists what there is");
    listed.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

/// Every reference within a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match member.as_str() {
            Some(to) if name == "$ref" => drop(found.insert(to.to_owned())),
            _ => references(member, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_question_stands_in_the_document_with_its_role_and_a_summary() {
    let documented: BTreeSet<String> = QUESTIONS.iter().map(|question| question.name.clone()).collect();
    assert_eq!(documented, names::<Query>("what"));
    for question in QUESTIONS.iter() {
        let name = &question.name;
        assert!(openapi::about_question(name).is_some(), "{name}: add its row to QUESTIONS in api/openapi/answers.rs");
        let read: Query =
            serde_json::from_value(question.example("what")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (path, method) = match question.is_flat() {
            true => (format!("/api/v1/{name}"), "get"),
            false => (format!("/api/v1/queries/{name}"), "post"),
        };
        assert_eq!(DOCUMENT["paths"][&path][method]["x-role"], read.needs().as_str(), "{path}");
    }
}

#[test]
fn every_order_stands_in_the_document_with_its_role_and_a_summary() {
    let documented: BTreeSet<String> = ORDERS.iter().map(|order| order.name.clone()).collect();
    assert_eq!(documented, names::<Order>("order"));
    for order in ORDERS.iter() {
        let name = &order.name;
        assert!(openapi::about_order(name).is_some(), "{name}: add its row to ORDERS in api/openapi/answers.rs");
        let read = serde_json::from_value::<Order>(order.example("order"));
        let read = read.unwrap_or_else(|error| panic!("{name}: its example is not understood: {error}"));
        let operation = &DOCUMENT["paths"][format!("/api/v1/orders/{name}")]["post"];
        assert_eq!(operation["x-role"], read.needs().as_str(), "{name}");
    }
}

#[test]
fn what_the_program_asks_itself_stands_nowhere() {
    for own in ["sign_in", "token_holder", "invited"] {
        assert!(openapi::question(own).is_none(), "{own}");
        READ_ONLY.get(&format!("/api/v1/{own}?name=anna&hash=x"), "administrator").refusal(404);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut found = BTreeSet::new();
    references(&DOCUMENT, &mut found);
    assert!(20 < found.len(), "{found:?}");
    for to in found {
        assert!(DOCUMENT.pointer(to.trim_start_matches('#')).is_some(), "{to} leads nowhere");
    }
}

#[test]
fn what_is_answered_has_the_shape_that_the_document_promises() {
    let mut checked = 0;
    for question in QUESTIONS.iter().filter(|question| question.is_flat() && question.required.is_empty()) {
        let path = format!("/api/v1/{}", question.name);
        let reply = READ_ONLY.get(&path, "administrator");
        if !reply.status.is_success() {
            reply.refusal(reply.status.as_u16());
            assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
            continue;
        }
        let mut schema =
            DOCUMENT["paths"][&path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone();
        schema["components"] = DOCUMENT["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{path}: {error}"));
        let answer = reply.json();
        let broken: Vec<String> =
            validator.iter_errors(&answer).map(|error| format!("{} {error}", error.instance_path())).collect();
        assert!(broken.is_empty(), "{path} answers otherwise:\n{}", broken.join("\n"));
        checked += 1;
    }
    assert!(18 <= checked, "only {checked} questions were answered");
}

#[test]
fn the_document_is_open_to_everybody_and_its_page_says_every_path() {
    let api = &*READ_ONLY;
    let document = api.send(&api.router, Method::GET, "/api/v1/openapi.json", &[], None);
    assert_eq!(document.json(), *DOCUMENT);
    assert_eq!(document.json()["openapi"], "3.1.0");
    let html = reference::drawn();
    for path in DOCUMENT["paths"].as_object().expect("paths").keys().filter(|path| !path.ends_with(".json")) {
        assert!(html.contains(path.as_str()), "the page does not say {path}");
    }
    for forbidden in ["<script", "<style", " style=", "http://", "https://"] {
        assert!(!html.contains(forbidden), "the page holds {forbidden}");
    }
    assert!(!html.contains(&token_of("viewer")));
}
