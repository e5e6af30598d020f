//! A provider's answers, and what it was asked; its discovery.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tidegauge::ask::{Answer, Ask, Body, Conversation, FormValue, HeaderSecret, HttpAnswer, HttpAsk, Setback, Step};
use tidegauge::people::openid::{Client, OpenId, discover, origin_of, sign_in};

use super::tokens::{Key, claims};
use super::{at, known, parameter, party, returned};

pub const ISSUER: &str = "https://sso.example.net/realms/main";

/// What the provider answers.
#[derive(Clone)]
pub struct Says {
    pub discovery: Value,
    pub status: u16,
    pub keys: Value,
    pub id_token: String,
    pub userinfo: Value,
}

impl Default for Says {
    fn default() -> Says {
        Says {
            discovery: json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/auth"),
                "token_endpoint": format!("{ISSUER}/token"),
                "userinfo_endpoint": format!("{ISSUER}/userinfo"),
                "jwks_uri": format!("{ISSUER}/keys?all=1"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA", "RS256"],
            }),
            status: 200,
            keys: json!({"keys": [Key::OURS.jwk()]}),
            id_token: String::new(),
            userinfo: json!({"sub": "248289761001"}),
        }
    }
}

impl Says {
    pub fn with(mut self, name: &str, value: Value) -> Says {
        self.discovery[name] = value;
        self
    }

    pub fn answer(&self, ask: &HttpAsk) -> HttpAnswer {
        let body = match ask.path.rsplit_once('/').map(|(_, last)| last) {
            Some("openid-configuration") => self.discovery.clone(),
            Some("keys?all=1") => self.keys.clone(),
            Some("token") => json!({"access_token": "at", "token_type": "Bearer", "id_token": self.id_token}),
            Some("userinfo") => self.userinfo.clone(),
            _ => panic!("nobody asks for {}", ask.path),
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        HttpAnswer { status: self.status, headers, body: body.to_string().into_bytes() }
    }
}

/// Carries an exchange to its end, with everything that was asked.
pub fn exchanged<D>(mut talk: impl Conversation<Done = D>, says: &Says) -> (Result<D, Setback>, Vec<HttpAsk>) {
    let (mut heard, mut asked) = (None, Vec::new());
    for _ in 0..10 {
        match talk.next(heard.take()) {
            Step::Ask(Ask::Http(ask)) => {
                heard = Some(Answer::Http(says.answer(&ask)));
                asked.push(ask);
            }
            Step::Ask(Ask::Mail(_) | Ask::Hook(_) | Ask::Folder(_)) => panic!("a provider speaks HTTP"),
            Step::Done(done) => return (Ok(done), asked),
            Step::Setback(setback) => return (Err(setback), asked),
        }
    }
    panic!("the exchange goes in circles")
}

fn check_undiscovered(says: Says, expected: Expect) {
    match exchanged(discover(&party()), &says).0 {
        Ok(_) => panic!("this discovery is wrong"),
        Err(setback) => expected.assert_eq(setback.why()),
    }
}

#[test]
fn a_provider_is_asked_for_its_endpoints_and_its_keys() {
    let (found, asked) = exchanged(discover(&party()), &Says::default());
    assert!(found.is_ok());
    let asked: Vec<(&str, &str)> = asked.iter().map(|ask| (ask.peer.as_str(), ask.path.as_str())).collect();
    let peer = "openid:https://sso.example.net";
    let paths = ["/realms/main/.well-known/openid-configuration", "/realms/main/keys?all=1"];
    assert_eq!(asked, paths.map(|path| (peer, path)));
}

#[test]
fn a_provider_that_calls_itself_otherwise_is_refused() {
    check_undiscovered(
        Says::default().with("issuer", json!("https://sso.example.net/realms/other")),
        expect![
            "the sign-in provider: it calls itself by another issuer; write `issuer` as its configuration page has it"
        ],
    );
}

#[test]
fn an_endpoint_elsewhere_is_asked_only_when_the_settings_name_it() {
    let says = Says::default().with("jwks_uri", json!("https://keys.example.net/keys?all=1"));
    check_undiscovered(
        says.clone(),
        expect![
            "the sign-in provider has an endpoint at keys.example.net, which is not asked: add its https://… to endpoints_at of [console.openid] if it is the provider's"
        ],
    );
    let party = OpenId { endpoints_at: vec!["https://keys.example.net".to_owned()], ..party() };
    let (found, asked) = exchanged(discover(&party), &says);
    assert!(found.is_ok());
    assert_eq!(asked[1].peer, "openid:https://keys.example.net");
    for (url, origin) in [
        ("http://sso.example.net", None),
        ("https://user@sso.example.net", None),
        ("ftp://sso.example.net", None),
        ("nothing", None),
        ("http://127.0.0.1:9400/x", Some("http://127.0.0.1:9400")),
        ("https://SSO.example.net:443/x?y", Some("https://sso.example.net")),
    ] {
        assert_eq!(origin_of(url).as_deref(), origin, "{url}");
    }
}

#[test]
fn people_are_not_sent_to_a_page_without_https() {
    check_undiscovered(
        Says::default().with("authorization_endpoint", json!("http://sso.example.net/auth")),
        expect!["the sign-in provider: it would let people sign in without https"],
    );
}

#[test]
fn a_provider_that_is_down_is_asked_again_and_one_that_says_no_waits_for_a_person() {
    for (status, again) in [(503, true), (404, false)] {
        let setback = exchanged(discover(&party()), &Says { status, ..Says::default() }).0.expect_err("no discovery");
        assert_eq!(matches!(setback, Setback::TryAgain { .. }), again, "{setback:?}");
    }
}

/// The token request of a sign-in with such a provider.
fn token_ask(party: &OpenId, says: &Says) -> Result<HttpAsk, Setback> {
    let (provider, _) = exchanged(discover(party), says);
    let provider = std::sync::Arc::new(provider?);
    let (begun, back) = returned(party, &provider);
    let nonce = parameter(&begun.url, "nonce");
    let says = Says { id_token: Key::OURS.signed(&claims(&nonce)), ..says.clone() };
    let (claims, asked) = exchanged(sign_in(party, back, at(30)), &says);
    claims.map(|_| asked.into_iter().next().expect("a token request"))
}

fn fields(ask: &HttpAsk) -> Vec<&'static str> {
    let Body::Form(fields) = &ask.body else { panic!("a token request is a form") };
    fields.iter().map(|(name, _)| *name).collect()
}

#[test]
fn the_client_shows_its_secret_as_the_provider_takes_it() {
    let says = |methods: Value| Says::default().with("token_endpoint_auth_methods_supported", methods);
    let fields_by_header = ["grant_type", "redirect_uri", "code", "code_verifier"];
    for basic in [Says::default(), says(json!(["private_key_jwt", "client_secret_post", "client_secret_basic"]))] {
        let ask = token_ask(&party(), &basic).expect("a sign-in");
        assert!(matches!(ask.secret_headers[..], [("authorization", HeaderSecret::PeerClient)]));
        assert_eq!(fields(&ask), fields_by_header);
    }
    let ask = token_ask(&party(), &says(json!(["client_secret_post"]))).expect("a sign-in");
    assert!(ask.secret_headers.is_empty());
    assert_eq!(fields(&ask), ["grant_type", "redirect_uri", "client_id", "code", "code_verifier", "client_secret"]);
    let Body::Form(given) = &ask.body else { panic!("a form") };
    assert!(matches!(given.last(), Some((_, FormValue::PeerPassword))));

    let public = OpenId { client: Client::Public, ..party() };
    let ask = token_ask(&public, &Says::default()).expect("a sign-in");
    assert!(ask.secret_headers.is_empty());
    assert_eq!(fields(&ask), ["grant_type", "redirect_uri", "client_id", "code", "code_verifier"]);

    let refused = token_ask(&party(), &says(json!(["private_key_jwt"]))).expect_err("no way to show a secret");
    expect!["the sign-in provider: it takes a client secret neither in a header nor in a form"]
        .assert_eq(refused.why());
}

#[test]
fn neither_code_nor_verifier_nor_token_is_ever_shown() {
    let provider = known(&Says::default());
    let (begun, back) = returned(&party(), &provider);
    // The name is missing, so that the subject is asked about with the access token.
    let mut claims = claims(&parameter(&begun.url, "nonce"));
    claims.as_object_mut().expect("claims").remove("preferred_username");
    let says = Says { id_token: Key::OURS.signed(&claims), ..Says::default() };
    let (_, asked) = exchanged(sign_in(&party(), back, at(30)), &says);
    assert_eq!(asked.len(), 2);
    let shown = format!("{asked:?}");
    assert!(!shown.contains("the-code") && !shown.contains("\"at\""), "{shown}");
}
