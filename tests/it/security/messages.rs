//! Messages that are forged, replayed or somebody else's, and enrolment tokens that were stolen.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tidegauge::license_server::{Contract, Order};
use tidegauge::protocol::{self, EnrolmentToken, Kind, Refusal, Sent};
use tidegauge::seal::keys::SigningKey;

use crate::accounts::{Office, contract, license, license_check, month, submission, telemetry};

const PATHS: [&str; 4] = ["/v1/enrol", "/v1/telemetry", "/v1/reports", "/v1/license-checks"];

/// Private keys: the agent's of every [`Office`], and that of somebody else.
const AGENT: [u8; 32] = [200; 32];
const STRANGER: [u8; 32] = [9; 32];

fn stranger() -> SigningKey {
    SigningKey::from_secret(&STRANGER)
}

/// An enrolled office after October, and a message that it would take.
fn november() -> (Office, String) {
    let office = Office::enrolled();
    office.now("2026-11-02T00:00:00Z");
    let good = protocol::signed(&submission("2026-10", 1, 99), &office.agent);
    (office, good)
}

/// Posts bytes that must not be taken, and gives what was said.
fn refused(office: &Office, path: &str, body: &str) -> (u16, String) {
    let before = (office.server.journal_seq(), office.server.state());
    let (status, body) = office.post(path, body.as_bytes().to_vec());
    assert!((400..500).contains(&status), "{path}: {status}");
    assert!((office.server.journal_seq(), office.server.state()) == before, "{path}: something was kept");
    let refusal: Refusal = protocol::verified(&body, &office.server.verifying_key()).expect("signed by the server");
    (status, refusal.why)
}

fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn payload_of(body: &str) -> String {
    let payload = body.split('.').nth(1).expect("three parts");
    String::from_utf8(URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// Any header over any payload, signed by a key as it is.
fn signed_as(header: &Value, payload: &str, secret: [u8; 32]) -> String {
    let signed = format!("{}.{}", encoded(header.to_string()), encoded(payload));
    let key = ed25519_dalek::SigningKey::from_bytes(&secret);
    format!("{signed}.{}", encoded(ed25519_dalek::Signer::sign(&key, signed.as_bytes()).to_bytes()))
}

#[test]
fn no_trick_with_the_header_or_the_bytes_gets_a_message_in() {
    let (office, good) = november();
    let (own, payload) = (office.agent.fingerprint(), payload_of(&good));
    let parts: Vec<&str> = good.split('.').collect();
    let under = |header: Value| signed_as(&header, &payload, AGENT);
    let hmac = |secret: &[u8]| {
        let signed = format!("{}.{}", encoded(json!({"alg": "HS256", "kid": own}).to_string()), parts[1]);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", encoded(mac.finalize().into_bytes()))
    };
    let public = office.agent.verifying().to_text();
    let forged = [
        ("none", format!("{}.{}.", encoded(json!({"alg": "none", "kid": own}).to_string()), parts[1])),
        ("none with a signature", under(json!({"alg": "none", "kid": own}))),
        ("HS256 under the public key", hmac(public.as_bytes())),
        ("HS256 under its bytes", hmac(&URL_SAFE_NO_PAD.decode(&public).expect("base64url"))),
        ("another algorithm", under(json!({"alg": "ES256", "kid": own}))),
        ("eddsa in lower case", under(json!({"alg": "eddsa", "kid": own}))),
        ("no key id", under(json!({"alg": "EdDSA"}))),
        ("a key id that is none", under(json!({"alg": "EdDSA", "kid": "../../keys/signing.pem"}))),
        ("the server's key id", under(json!({"alg": "EdDSA", "kid": office.server.verifying_key().fingerprint()}))),
        ("critical b64", under(json!({"alg": "EdDSA", "kid": own, "b64": false, "crit": ["b64"]}))),
        ("critical of our own making", under(json!({"alg": "EdDSA", "kid": own, "crit": []}))),
        (
            "two algorithms",
            format!(
                "{}.{}.{}",
                encoded(format!(r#"{{"alg":"EdDSA","alg":"none","kid":"{own}"}}"#)),
                parts[1],
                parts[2]
            ),
        ),
        (
            "a stranger's signature with the key beside it",
            signed_as(&json!({"alg": "EdDSA", "kid": own, "jwk": stranger().verifying().jwk()}), &payload, STRANGER),
        ),
        ("trailing bytes", format!("{good}AA")),
        ("a trailing line", format!("{good}\n")),
        ("a leading blank", format!(" {good}")),
        ("a fourth part", format!("{good}.x")),
        ("padding", format!("{good}==")),
        ("the signature in the other alphabet", format!("{}.{}.{}", parts[0], parts[1], "+/".repeat(43))),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("detached", format!("{}..{}", parts[0], parts[2])),
        ("half of it", good[..good.len() / 2].to_owned()),
    ];
    for (how, body) in forged {
        let (status, why) = refused(&office, "/v1/reports", &body);
        assert!(status == 400 || status == 403, "{how}: {status} {why}");
        assert!(!why.contains("signing.pem"), "{how}: foreign text is not repeated: {why}");
    }
    assert_eq!(office.post("/v1/reports", good.into_bytes()).0, 200, "the message itself was in order");
}

#[test]
fn an_enrolled_agent_cannot_sign_what_is_not_true_or_has_a_name_twice() {
    let (office, good) = november();
    let (header, payload) = (json!({"alg": "EdDSA", "kid": office.agent.fingerprint()}), payload_of(&good));
    let twice = payload.replacen('{', r#"{"total_points":"1","#, 1);
    for (how, payload, why) in [
        ("a member twice", twice, "duplicate"),
        ("trailing JSON", format!("{payload}{{}}"), "trailing"),
        ("no JSON", "x".to_owned(), "expected"),
        ("another month's id", payload.replace("2026-10", "2026-09"), "id is not that of"),
        ("another unit's id", payload.replace("unit-1", "unit-9"), "id is not that of"),
        ("lower points", payload.replace(r#""total_points":"99""#, r#""total_points":"1""#), "total_points"),
    ] {
        let (status, said) = refused(&office, "/v1/reports", &signed_as(&header, &payload, AGENT));
        assert!(status == 400 && said.contains(why), "{how}: {said}");
    }
    // Signed as it should be, and sent where it does not belong.
    for path in PATHS.into_iter().filter(|path| *path != "/v1/reports") {
        assert_eq!(refused(&office, path, &good).0, 400, "{path}");
    }
    // Spelled otherwise it is another message of the same id: a conflict that is shown, never a second report.
    assert_eq!(office.post("/v1/reports", good.clone().into_bytes()).0, 200);
    let spaced = signed_as(&header, &payload.replacen(',', " , ", 1), AGENT);
    assert_eq!(office.post("/v1/reports", spaced.into_bytes()).0, 409);
    assert_eq!(office.server.report("unit-1", month("2026-10")).expect("one report").conflicts.len(), 1);
}

#[test]
fn a_replayed_message_changes_nothing_and_another_server_takes_none() {
    let (office, good) = november();
    let first = office.post("/v1/reports", good.clone().into_bytes());
    let before = office.server.journal_seq();
    office.now("2027-03-01T00:00:00Z");
    assert_eq!(office.post("/v1/reports", good.clone().into_bytes()), first, "the same receipt, whoever sends it");
    assert_eq!(office.server.journal_seq(), before);
    let (elsewhere, _) = november();
    let mut other = Office::empty();
    other.order(Order::AddContract { contract: contract(), url: None });
    other.now("2026-11-02T00:00:00Z");
    assert_eq!(refused(&other, "/v1/reports", &good).0, 403, "who is not enrolled there is not heard there");
    drop(elsewhere);
}

#[test]
fn an_agent_of_another_contract_speaks_for_no_unit_that_is_not_its_own() {
    let (mut office, good) = november();
    office.post("/v1/reports", good.into_bytes());
    let other = Contract { id: "C-200".to_owned(), ..contract() };
    let token = office.order(Order::AddContract { contract: other, url: None }).expect("a token");
    office.enrol(&token, &stranger()).expect("it is enrolled under its own contract");
    let at = "2026-11-02T01:00:00Z".parse().expect("an instant");
    for (path, body) in [
        ("/v1/reports", protocol::signed(&submission("2026-10", 2, 1), &stranger())),
        ("/v1/telemetry", protocol::signed(&telemetry("2026-W43", "2026-10-20", 1), &stranger())),
        ("/v1/license-checks", protocol::signed(&license_check(at, None, license("2026-11-30")), &stranger())),
    ] {
        let (status, why) = refused(&office, path, &body);
        assert_eq!((status, why.as_str()), (403, "the reporting unit belongs to another contract"), "{path}");
    }
}

#[test]
fn telemetry_of_weeks_that_are_not_over_or_of_another_unit_is_not_taken() {
    let (office, _) = november();
    let (status, why) =
        refused(&office, "/v1/telemetry", &protocol::signed(&telemetry("2026-W50", "2026-12-07", 1), &office.agent));
    assert_eq!((status, why.as_str()), (425, "2026-W50 has not ended by this server's clock"));
    let mut squatting = telemetry("2026-W43", "2026-10-20", 1);
    squatting.unit = "unit-9".to_owned();
    assert_eq!(refused(&office, "/v1/telemetry", &protocol::signed(&squatting, &office.agent)).0, 400);
}

#[test]
fn a_token_shown_by_two_keys_is_refused_to_the_second_and_the_operator_sees_both() {
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract: contract(), url: None }).expect("a token");
    let (thief, rightful) = (stranger(), office.agent.clone());
    office.enrol(&token, &thief).expect("whoever comes first");
    for _ in 0..2 {
        let why = office.enrol(&token, &rightful).expect_err("it was used").why().to_owned();
        assert!(why.contains("used by another key") && why.contains("it was stolen"), "{why}");
    }
    let seen = |office: &Office| office.control("/v1/operator/agents", None).1;
    let agents = seen(&office);
    assert_eq!(agents[0]["key"], thief.fingerprint().as_str());
    let refused_keys = agents[0]["refused"].as_array().expect("who came second").clone();
    assert_eq!((refused_keys.len(), &refused_keys[0]["key"]), (1, &rightful.fingerprint().as_str().into()), "once");

    // The operator removes the thief's key; what it signs is not heard any more, and its token does not bring it back.
    office.order(Order::RemoveAgent { agent: thief.fingerprint(), why: "token stolen".to_owned() });
    office.restart();
    office.now("2026-11-02T00:00:00Z");
    let body = protocol::signed(&submission("2026-10", 1, 1), &thief);
    assert_eq!(refused(&office, "/v1/reports", &body), (403, not_enrolled()));
    assert!(office.enrol(&token, &thief).expect_err("removed").why().contains("the operator removed"));
    assert_eq!(seen(&office)[0]["removed"]["why"], "token stolen");
    let fresh = office.order(Order::IssueToken { contract_id: "C-100".to_owned(), url: None }).expect("another");
    office.enrol(&fresh, &rightful).expect("the rightful agent");
    assert!(matches!(office.send(Kind::Report, &submission("2026-10", 1, 99)), Ok(Sent::Accepted { .. })));
}

fn not_enrolled() -> String {
    "this agent is not enrolled here; enrol it with a token of the operator".to_owned()
}

#[test]
fn keys_that_show_a_used_token_without_end_fill_no_journal() {
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract: contract(), url: None }).expect("a token");
    let agent = office.agent.clone();
    office.enrol(&token, &agent).expect("the rightful agent");
    for seed in 0..40 {
        office.enrol(&token, &SigningKey::from_secret(&[seed; 32])).expect_err("it was used");
    }
    assert_eq!(office.server.agents().expect("a list")[0].refused.len(), 20);
}

#[test]
fn a_token_is_for_its_contract_its_server_and_seven_days() {
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract: contract(), url: None }).expect("a token");
    let other = Contract { id: "C-200".to_owned(), ..contract() };
    office.order(Order::AddContract { contract: other, url: None });
    let elsewhere = EnrolmentToken { contract_id: "C-200".to_owned(), ..token.clone() };
    assert!(office.enrol(&elsewhere, &stranger()).expect_err("C-100's").why().contains("no such enrolment token"));
    let imposter = EnrolmentToken { server_key: stranger().fingerprint(), ..token.clone() };
    assert!(office.enrol(&imposter, &stranger()).is_err(), "another server answers than the token names");
    office.now("2026-10-09T00:00:00Z");
    let late = office.enrol(&token, &SigningKey::from_secret(&[77; 32])).expect_err("eight days");
    assert!(late.why().contains("expired") || late.why().contains("used"), "{}", late.why());
}

#[test]
fn nothing_of_the_operators_is_served_where_agents_come_in() {
    let (office, good) = november();
    for path in ["orders", "contracts", "sums/2026-10", "installations", "agents", "reports", "reports/unit-1/2026-10"]
    {
        let path = format!("/v1/operator/{path}");
        assert_eq!(office.get(&path).0, 404, "{path}");
        assert_eq!(office.post(&path, good.clone().into_bytes()).0, 404, "{path}");
    }
    for path in PATHS {
        assert_eq!(office.get(path).0, 405, "{path}");
    }
    let (_, status) = office.get("/v1/status");
    let status = String::from_utf8_lossy(&status).into_owned();
    for word in ["C-100", "Example Provider", "unit-1", "agent-1"] {
        assert!(!status.contains(word), "whoever asks learns nothing of customers: {status}");
    }
}
