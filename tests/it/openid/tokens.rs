//! Tokens of a sign-in: the good one, and every way in which one is not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tidegauge::domain::Instant;

use super::provider::{ISSUER, Says};
use super::{CLIENT, at, signed_in};

/// A key of Ed25519.
#[derive(Clone, Copy)]
pub struct Key {
    seed: u8,
    kid: &'static str,
}

impl Key {
    pub const OURS: Key = Key { seed: 7, kid: "one" };
    /// Of somebody who knows what the provider's key is called.
    const FORGED: Key = Key { seed: 8, kid: "one" };

    fn key(self) -> SigningKey {
        SigningKey::from_bytes(&[self.seed; 32])
    }

    fn public(self) -> [u8; 32] {
        self.key().verifying_key().to_bytes()
    }

    pub fn jwk(self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x})
    }

    pub fn signed(self, claims: &Value) -> String {
        self.signed_under(&json!({"alg": "EdDSA", "kid": self.kid, "typ": "JWT"}), claims)
    }

    fn signed_under(self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.key().sign(text.as_bytes()).to_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Signed with what both sides know.
fn with_shared_secret(secret: &[u8], claims: &Value) -> String {
    let text = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": "one"})), encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn seconds(at: Instant) -> i64 {
    at.timestamp()
}

/// What the provider says of Alice.
pub fn claims(nonce: &str) -> Value {
    json!({
        "iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "nonce": nonce,
        "iat": seconds(at(20)), "exp": seconds(at(320)),
        "preferred_username": "Alice", "groups": ["everybody", "tidegauge-admins"],
    })
}

/// The claims with one changed.
fn but(nonce: &str, name: &str, value: Value) -> Value {
    let mut claims = claims(nonce);
    claims[name] = value;
    claims
}

fn check_refused(name: &str, token: impl FnOnce(&str) -> String, expected: &str) {
    match signed_in(Says::default(), token) {
        Ok(_) => panic!("{name} lets somebody in"),
        Err(setback) => assert_eq!(setback.why(), format!("the sign-in provider: {expected}"), "{name}"),
    }
}

#[test]
fn the_providers_own_token_of_this_sign_in_is_taken() {
    assert!(signed_in(Says::default(), |nonce| Key::OURS.signed(&claims(nonce))).is_ok());
    let ours = json!([CLIENT]);
    assert!(signed_in(Says::default(), |nonce| Key::OURS.signed(&but(nonce, "aud", ours))).is_ok());
    assert!(signed_in(Says::default(), |nonce| Key::OURS.signed(&but(nonce, "azp", json!(CLIENT)))).is_ok());
}

#[test]
fn clocks_may_be_two_minutes_apart() {
    // Verified at 30.
    let late = json!(seconds(at(30 - 119)));
    assert!(signed_in(Says::default(), |nonce| Key::OURS.signed(&but(nonce, "exp", late))).is_ok());
    let early = json!(seconds(at(30 + 120)));
    assert!(signed_in(Says::default(), |nonce| Key::OURS.signed(&but(nonce, "iat", early))).is_ok());
    let expired = "its ID token is not in force; do both clocks go right?";
    for (name, second) in [("exp", 30 - 120), ("iat", 30 + 121)] {
        let second = json!(seconds(at(second)));
        check_refused(name, |nonce| Key::OURS.signed(&but(nonce, name, second)), expired);
    }
}

#[test]
fn a_token_of_another_sign_in_client_or_issuer_is_refused() {
    let (nonce, audience) = ("its ID token is of another sign-in", "its ID token is for another client");
    for (name, value, expected) in [
        ("nonce", json!("another"), nonce),
        ("nonce", Value::Null, nonce),
        ("aud", json!("another"), audience),
        ("aud", json!([]), audience),
        ("aud", json!([CLIENT, "another"]), audience),
        ("azp", json!("another"), audience),
        ("iss", json!("https://sso.example.net/realms/other"), "its ID token is of another issuer"),
    ] {
        let case = format!("{name} = {value}");
        check_refused(&case, |nonce| Key::OURS.signed(&but(nonce, name, value)), expected);
    }
}

#[test]
fn a_forged_signature_is_refused() {
    let forged = "the signature of its ID token is not its own";
    check_refused("another key", |nonce| Key::FORGED.signed(&claims(nonce)), forged);
    let swapped = |nonce: &str| {
        let (good, other) = (Key::OURS.signed(&claims(nonce)), encoded(&but(nonce, "groups", json!(["root"]))));
        let parts: Vec<&str> = good.split('.').collect();
        format!("{}.{other}.{}", parts[0], parts[2])
    };
    check_refused("another payload", swapped, forged);
    let unknown = "its ID token is signed with a key that it does not publish; after a change of keys try again in some \
                   minutes";
    let header = json!({"alg": "EdDSA", "kid": "two", "jwk": Key::FORGED.jwk()});
    check_refused("a key of its own", |nonce| Key::FORGED.signed_under(&header, &claims(nonce)), unknown);
}

#[test]
fn a_token_that_no_private_key_signed_is_refused() {
    let unsigned = "its ID token is not signed with a private key (RS256, PS256, ES256, ES384, EdDSA and their like)";
    let none = json!({"alg": "none"});
    check_refused("none", |nonce| format!("{}.{}.", encoded(&none), encoded(&claims(nonce))), unsigned);
    let signed = |nonce: &str| Key::OURS.signed_under(&none, &claims(nonce));
    check_refused("none, and signed", signed, unsigned);
    // What is public, or known to the client too, as the secret of an HMAC.
    let public = Key::OURS.public();
    check_refused("public key", |nonce| with_shared_secret(&public, &claims(nonce)), unsigned);
    let jwk = Key::OURS.jwk().to_string();
    check_refused("its JWK", |nonce| with_shared_secret(jwk.as_bytes(), &claims(nonce)), unsigned);
    check_refused("client secret", |nonce| with_shared_secret(b"client-secret", &claims(nonce)), unsigned);
    check_refused("no secret", |nonce| with_shared_secret(b"", &claims(nonce)), unsigned);
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["", ".", "..", "a.b.c", "e30.e30.", "\u{1F600}"] {
        check_refused(text, |_| text.to_owned(), "it gave no ID token that can be read");
    }
    let critical = json!({"alg": "EdDSA", "kid": "one", "crit": ["b64"], "b64": false});
    check_refused("crit", |nonce| Key::OURS.signed_under(&critical, &claims(nonce)), "its ID token is not taken");
}
