//! A browser on its way: what it takes along, and by what it is known again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tidegauge::ask::{Body, FormValue};
use tidegauge::people::openid::{Back, Begun, NotBack, Pending, sign_in};

use super::provider::{ISSUER, Says, exchanged};
use super::tokens::{Key, claims};
use super::{BACK, CLIENT, HERE, at, came_back, drawn, known, parameter, party, returned};

/// What is odd about what a browser brings.
type Change = fn(&mut Back);

fn begun(pending: &mut Pending, seed: u8, second: i64) -> Begun {
    pending
        .begin(&party(), &known(&Says::default()), drawn(seed), "/license?unit=a", (HERE, at(second)))
        .expect("an address")
}

/// What the browser of this sign-in brings back.
fn back_of(begun: &Begun) -> Back {
    Back { code: Some("c".to_owned()), state: Some(parameter(&begun.url, "state")), ..Back::default() }
}

fn refused(pending: &mut Pending, back: Back, cookie: Option<&str>, second: i64) -> NotBack {
    pending.back(&party(), back, cookie, at(second)).err().expect("this browser is not to be taken back")
}

#[test]
fn a_browser_goes_to_the_provider_with_state_nonce_and_challenge() {
    let begun = begun(&mut Pending::default(), 0, 0);
    let url = begun.url.as_str();
    assert!(url.starts_with(&format!("{ISSUER}/auth?")), "{url}");
    let fixed = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in fixed {
        assert_eq!(parameter(url, name), value);
    }
    let mut drawn = ["state", "nonce", "code_challenge"].map(|name| parameter(url, name)).to_vec();
    drawn.push(begun.cookie.expose_secret().to_owned());
    assert!(drawn.iter().all(|secret| secret.len() == 43), "{drawn:?}");
    drawn.sort();
    drawn.dedup();
    assert_eq!(drawn.len(), 4, "nothing drawn is said twice: {url}");
}

#[test]
fn the_code_is_exchanged_with_the_verifier_of_the_challenge() {
    let (begun, back) = returned(&party(), &known(&Says::default()));
    let nonce = parameter(&begun.url, "nonce");
    let says = Says { id_token: Key::OURS.signed(&claims(&nonce)), ..Says::default() };
    let (_, asked) = exchanged(sign_in(&party(), back, at(30)), &says);
    let Body::Form(fields) = &asked[0].body else { panic!("a form") };
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value);
        match found.unwrap_or_else(|| panic!("no {name}")) {
            FormValue::Text(text) => text.clone(),
            FormValue::Secret(secret) => secret.expose_secret().to_owned(),
            FormValue::PeerUsername | FormValue::PeerPassword => panic!("{name} is said by the wire"),
        }
    };
    assert_eq!((value("code").as_str(), value("redirect_uri").as_str()), ("the-code", BACK));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(value("code_verifier")));
    assert_eq!(challenge, parameter(&begun.url, "code_challenge"));
}

#[test]
fn a_state_is_good_for_one_try() {
    let mut pending = Pending::default();
    let one = begun(&mut pending, 0, 0);
    assert_eq!(came_back(&mut pending, &party(), &one).ok().map(|back| back.to).as_deref(), Some("/license?unit=a"));
    assert_eq!(came_back(&mut pending, &party(), &one).err(), Some(NotBack::Over), "replayed");
    // Also when the first try came to nothing.
    let two = begun(&mut pending, 1, 0);
    assert_eq!(refused(&mut pending, back_of(&two), None, 1), NotBack::OtherBrowser);
    assert_eq!(refused(&mut pending, back_of(&two), Some(two.cookie.expose_secret()), 2), NotBack::Over);
    let (unknown, none) = (Back { state: Some("x".to_owned()), ..Back::default() }, Back::default());
    assert_eq!(refused(&mut pending, unknown, None, 3), NotBack::Over);
    assert_eq!(refused(&mut pending, none, None, 3), NotBack::Over);
}

#[test]
fn a_state_belongs_to_the_browser_that_began() {
    let mut pending = Pending::default();
    let (victim, attacker) = (begun(&mut pending, 0, 0), begun(&mut pending, 1, 0));
    // The attacker's own code and state, in the victim's browser.
    let lured = refused(&mut pending, back_of(&attacker), Some(victim.cookie.expose_secret()), 1);
    assert_eq!(lured, NotBack::OtherBrowser);
    assert!(pending.back(&party(), back_of(&victim), Some(victim.cookie.expose_secret()), at(2)).is_ok());
}

#[test]
fn a_sign_in_waits_ten_minutes_and_not_for_a_clock_that_went_back() {
    for (second, taken) in [(599, true), (600, false), (0, true), (-1, false)] {
        let mut pending = Pending::default();
        let begun = begun(&mut pending, 0, 0);
        let back = pending.back(&party(), back_of(&begun), Some(begun.cookie.expose_secret()), at(second));
        assert_eq!(back.is_ok(), taken, "{second}");
    }
}

#[test]
fn what_the_provider_refuses_is_said_without_its_own_words() {
    let cases: [(Change, NotBack); 4] = [
        (
            |back| back.error = Some("access_denied<script>".to_owned()),
            NotBack::Refused { error: "access_deniedscript".to_owned() },
        ),
        (|back| back.iss = Some("https://evil.example.net".to_owned()), NotBack::OtherIssuer),
        (|back| back.code = None, NotBack::NoCode),
        (|back| back.code = Some("x".repeat(5_000)), NotBack::NoCode),
    ];
    for (change, expected) in cases {
        let mut pending = Pending::default();
        let begun = begun(&mut pending, 0, 0);
        let mut back = back_of(&begun);
        change(&mut back);
        assert_eq!(refused(&mut pending, back, Some(begun.cookie.expose_secret()), 1), expected);
    }
}

#[test]
fn beginning_without_end_fills_no_memory() {
    let (mut pending, provider) = (Pending::default(), known(&Says::default()));
    for number in 0..1_500_u32 {
        let mut bytes = [0; 128];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let drawn = tidegauge::people::openid::Drawn::of(&bytes);
        pending.begin(&party(), &provider, drawn, "/", (HERE, at(0))).expect("an address");
    }
    assert_eq!(pending.len(), 1_000);
    begun(&mut pending, 0, 600);
    assert_eq!(pending.len(), 1, "those that waited too long are forgotten");
}

#[test]
fn whoever_begins_without_end_pushes_out_himself_and_nobody_else() {
    let (mut pending, provider) = (Pending::default(), known(&Says::default()));
    let waiting = begun(&mut pending, 0, 0);
    for number in 0..3_000_u32 {
        let mut bytes = [9; 128];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        // A whole network of IPv6 is one: each of these addresses costs nothing.
        let from = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, number as u16);
        let drawn = tidegauge::people::openid::Drawn::of(&bytes);
        pending.begin(&party(), &provider, drawn, "/", (from.into(), at(1))).expect("an address");
    }
    assert_eq!(pending.len(), 1_000);
    let back = pending.back(&party(), back_of(&waiting), Some(waiting.cookie.expose_secret()), at(2));
    assert!(back.is_ok(), "somebody elsewhere is still waited for");
}
