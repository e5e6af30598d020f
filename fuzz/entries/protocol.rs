//! The License Update Server's language: messages, answers, keys and tokens, behind their signatures and before them.

use std::sync::LazyLock;

use tidegauge::ask::Setback;
use tidegauge::domain::Points;
use tidegauge::domain::gate::Tolerance;
use tidegauge::domain::license_key::KeyFile;
use tidegauge::protocol::{
    ConflictAnswer, Enrol, Enrolled, EnrolmentToken, Kind, LicenseAnswer, LicenseCheck, Message, Occasion,
    ReceiptAnswer, Refusal, Sent, Submission, Telemetry, enrol, issue_key, license_check, read, read_key, send_sealed,
    unverified, verified,
};
use tidegauge::rules::renewal::{PackageChange, acceptable, acceptable_first, window};
use tidegauge::seal::jws;
use tidegauge::seal::keys::{SigningKey, VerifyingKey};

use super::answers::Script;
use super::{manner, now, says};

/// Whose word is believed.
pub static SERVER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_secret(&[7; 32]));
pub static AGENT: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_secret(&[200; 32]));

/// A body as it is, or signed by somebody who is believed.
pub fn sealed(key: &SigningKey, payload: &[u8]) -> Vec<u8> {
    jws::sign(key, &key.fingerprint(), payload).into_bytes()
}

/// A payload, read as every message there is; then the same bytes as a signed body.
pub fn message(bytes: &[u8]) {
    every_message(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (jws::unverified_kid(text), unverified::<Telemetry>(text));
    }
    let _ = verified::<Submission>(bytes, &AGENT.verifying());
}

fn every_message(payload: &[u8]) {
    one::<Enrol>(payload);
    one::<Enrolled>(payload);
    one::<Telemetry>(payload);
    one::<Submission>(payload);
    one::<LicenseCheck>(payload);
    one::<LicenseAnswer>(payload);
    one::<ReceiptAnswer>(payload);
    one::<ConflictAnswer>(payload);
    one::<Refusal>(payload);
}

/// What is read is written again.
fn one<M: Message>(payload: &[u8]) {
    match read::<M>(payload) {
        Ok(message) => drop(tidegauge::protocol::signed(&message, &AGENT)),
        Err(why) => assert!(why.to_string().len() < 10_000, "a refusal is one line"),
    }
}

/// The agent's side: the first line says what was asked (`enrol`, `check`, else a sealed message) and whether the
/// answers are `signed`.
pub fn answer(bytes: &[u8]) {
    let script = Script::read(bytes);
    let is_signed = script.says("signed");
    let mut script = script.changed(|body| if is_signed { sealed(&SERVER, body) } else { body.to_vec() });
    if script.says("enrol") {
        let token = token();
        taken(script.play(&mut enrol(&token, "agent-1", &AGENT)).map(|enrolled| enrolled.tolerance));
    } else if script.says("check") {
        let answer = script.play(&mut license_check(&check(), &AGENT, &SERVER.verifying()));
        taken(answer.map(|answer| answer.tolerance));
    } else {
        let kind = if script.says("report") { Kind::Report } else { Kind::Telemetry };
        let sent = script.play(&mut send_sealed(kind, SEALED, SEALED_ID, &SERVER.verifying()));
        taken(sent.map(|sent| match sent {
            Sent::Accepted { tolerance, .. } | Sent::Conflict { tolerance, .. } => tolerance,
        }));
    }
}

/// What every answer changes: by how much a report may fall short.
fn taken(tolerance: Result<Tolerance, Setback>) {
    if let Ok(tolerance) = tolerance {
        tolerance.at(Points::whole(1_000_000_000_000));
    }
}

/// What [`answer`] sent, and its id.
pub const SEALED: &[u8] = b"sealed";
pub const SEALED_ID: &str = "message-1";

fn token() -> EnrolmentToken {
    EnrolmentToken {
        contract_id: "C-100".to_owned(),
        secret: "secret".to_owned().into(),
        server_key: SERVER.fingerprint(),
        url: None,
        expires_at: now(),
    }
}

/// What [`answer`] asked.
pub fn check() -> LicenseCheck {
    LicenseCheck {
        schema: LicenseCheck::SCHEMA.to_owned(),
        id: LicenseCheck::id_of("unit-1", now()),
        unit: "unit-1".to_owned(),
        contract_id: Some("C-100".to_owned()),
        installations: Vec::new(),
        asked_at: now(),
        occasion: Occasion::ByHand,
        serial: Some(1),
        key: None,
        receipted: Vec::new(),
        justified: None,
        license: Default::default(),
    }
}

/// A key file's text; behind the line `signed` a payload that the server signed.
pub fn license_key(bytes: &[u8]) {
    let (first, rest) = manner(bytes);
    let text = if says(first, "signed") { sealed(&SERVER, rest) } else { bytes.to_vec() };
    let Ok(key) = read_key(&String::from_utf8_lossy(&text), &SERVER.verifying()) else { return };
    let installed: KeyFile = serde_json::from_str(include_str!("key.json")).expect("a key file");
    let _ = acceptable(&installed, &key, PackageChange::Refused);
    let _ = acceptable_first(&key, "C-100", &["installation".to_owned()]);
    window(Some(key.expires_on), key.support_expires_on);
    key.license().anchor();
    issue_key(&key, &SERVER);
}

/// The token's line; behind the line `coded` what it holds.
pub fn enrolment_token(bytes: &[u8]) {
    use base64::Engine;
    let (first, rest) = manner(bytes);
    let text = match says(first, "coded") {
        true => format!("tgenrol1.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rest)),
        false => String::from_utf8_lossy(bytes).into_owned(),
    };
    if let Ok(token) = EnrolmentToken::parse(&text) {
        token.to_text();
    }
}

/// Keys as text, PEM and JWK, and what was signed with them.
pub fn keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = SigningKey::from_pem(&text).map(|key| key.fingerprint());
    let _ = VerifyingKey::from_text(&text).map(|key| key.thumbprint());
    if let Ok(value) = serde_json::from_slice(bytes) {
        let _ = VerifyingKey::from_jwk(&value).map(|key| key.thumbprint());
    }
    let _ = jws::verify(&text, &SERVER.verifying());
    let _ = jws::verify_detached(&text, b"payload", &SERVER.verifying());
    let _ = (jws::unverified_kid(&text), jws::unverified_payload(&text));
}
