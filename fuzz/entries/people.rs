//! Answers of sign-in providers and of endpoints.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use tidegauge::channels::hook_answer::{heard, words};
use tidegauge::people::openid::Provider;
use tidegauge::people::openid::{Back, Drawn, Pending, discover, sign_in as signing_in};
use tidegauge::seal::jws;

use super::answers::{Answered, Script, script};
use super::provider::{discovery, keys, parameter, party};
use super::{manner, now, says};

/// Where whoever signs in comes from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a good provider is known by.
static KNOWN: LazyLock<Arc<Provider>> = LazyLock::new(|| {
    let answers = [discovery(), keys()].map(|body| Answered {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    });
    let known = Script::read(&script("", &answers)).play(&mut discover(&party()));
    Arc::new(known.unwrap_or_else(|why| panic!("a good discovery: {}", why.why())))
});

/// A discovery; behind the line `known` a token and what is told of its subject; where it says `signed`, too, the first
/// answer is the claims of a token that the provider signs.
pub fn sign_in(bytes: &[u8]) {
    let script = Script::read(bytes);
    let provider = match script.says("known") {
        true => Arc::clone(&KNOWN),
        false => match Script::read(bytes).play(&mut discover(&party())) {
            Ok(provider) => Arc::new(provider),
            Err(_) => return,
        },
    };
    let mut pending = Pending::default();
    let Ok(begun) = pending.begin(&party(), &provider, drawn(), "/", (HERE, now())) else { return };
    let back = Back { code: Some("code".to_owned()), state: parameter(&begun.url, "state"), ..Back::default() };
    let cookie = secrecy::ExposeSecret::expose_secret(&begun.cookie).to_owned();
    let Ok(returned) = pending.back(&party(), back, Some(&cookie), now()) else { return };
    let signed = script.says("signed");
    let mut script = script.changed(|body| if signed { answered(body) } else { body.to_vec() });
    if let Ok(claims) = script.play(&mut signing_in(&party(), returned, now())) {
        let _ = party().admitted(&claims);
    }
}

/// The nonce of every sign-in follows from this.
pub fn drawn() -> Drawn {
    Drawn::of(&[5; Drawn::BYTES])
}

/// Claims as the answer that brings them; other bodies as they are.
fn answered(body: &[u8]) -> Vec<u8> {
    match body.strip_prefix(b"claims ") {
        None => body.to_vec(),
        Some(claims) => {
            let token = jws::sign(&super::protocol::SERVER, "one", claims);
            let answer = serde_json::json!({"access_token": "at", "token_type": "Bearer", "id_token": token});
            answer.to_string().into_bytes()
        }
    }
}

/// What an endpoint answers to a webhook message: a status, and how long it wants to be left alone.
pub fn webhook_answer(bytes: &[u8]) {
    let (first, rest) = manner(bytes);
    let status = first.parse().unwrap_or(429);
    let wait = String::from_utf8_lossy(rest).into_owned();
    let mut answer = tidegauge::ask::HttpAnswer { status, ..Default::default() };
    answer.headers.push(("retry-after".to_owned(), wait));
    heard(&answer, now());
    words(&answer);
    says(first, "");
}
