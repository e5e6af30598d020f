//! Tokens that another program signed, with keys it has thrown away: each kind of signature that providers use.

use serde_json::{Value, json};
use tidegauge::ask::Setback;
use tidegauge::people::openid::Claims;

use super::provider::Says;
use super::signed_in;

/// A public key and a token of the sign-in that is drawn from 0; made by joserfc 1.8.
const SIGNED: &str = include_str!("signed_elsewhere.json");

fn tokens() -> Vec<(Value, String)> {
    let tokens: Vec<Value> = serde_json::from_str(SIGNED).expect("a list of keys and tokens");
    let text = |one: &Value| one["token"].as_str().expect("a token").to_owned();
    tokens.iter().map(|one| (one["jwk"].clone(), text(one))).collect()
}

fn tried(keys: Value, token: &str) -> Result<Claims, Setback> {
    signed_in(Says { keys: json!({ "keys": keys }), ..Says::default() }, |_| token.to_owned())
}

#[test]
fn signatures_by_rsa_and_elliptic_curves_are_verified() {
    let all: Vec<Value> = tokens().into_iter().map(|(key, _)| key).collect();
    for (key, token) in tokens() {
        let name = key["alg"].clone();
        assert!(tried(json!(all), &token).is_ok(), "{name}");
        assert!(tried(json!([key]), &token).is_ok(), "{name} alone");
    }
}

#[test]
fn a_changed_bit_of_any_signature_is_seen() {
    for (key, token) in tokens() {
        let at = token.len() - 20;
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        assert_ne!(token, changed);
        assert!(tried(json!([key]), &changed).is_err(), "{}", key["alg"]);
    }
}

#[test]
fn a_key_for_another_algorithm_or_use_verifies_nothing() {
    for (key, token) in tokens() {
        for (name, value) in [("use", json!("enc")), ("alg", json!("RS512")), ("kid", json!("another"))] {
            let mut other = key.clone();
            other[name] = value;
            assert!(tried(json!([other]), &token).is_err(), "{name} of {}", key["alg"]);
        }
    }
}
