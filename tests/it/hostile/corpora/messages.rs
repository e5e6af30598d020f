//! What agent, License Update Server and sign-in providers say to each other, before it is signed.

use serde::Serialize;
use serde_json::{Value, json};
use tidegauge::domain::report::Receipt;
use tidegauge::protocol::{ConflictAnswer, Enrol, Enrolled, Kind, LicenseAnswer, Message, ReceiptAnswer, Refusal};
use tidegauge::seal::digest::sha256_hex;

use super::super::entries::{AGENT, Answered, SEALED, SEALED_ID, SERVER, asked_check, discovery, keys, script};
use super::Made;
use crate::accounts::{Office, at, license, license_check, submission, telemetry};

fn text(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(message).expect("messages are plain data")
}

/// Bodies of `license_server`, each behind what it is.
fn bodies(bodies: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let one = |(what, body): &(&str, Vec<u8>)| [b"\x1e", what.as_bytes(), b"\n", body].concat();
    bodies.iter().flat_map(one).collect()
}

fn answered(status: u16, body: Vec<u8>) -> Answered {
    Answered { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body }
}

pub fn make(made: &mut Made) {
    let enrol = Enrol {
        schema: Enrol::SCHEMA.to_owned(),
        contract_id: "C-100".to_owned(),
        secret: "a secret".to_owned(),
        agent_id: "agent-1".to_owned(),
        key: AGENT.verifying(),
    };
    let week = telemetry("2026-W41", "2026-10-08", 40);
    let report = submission("2026-09", 1, 40);
    let check = license_check(at("2026-10-20T09:30:00Z"), None, license("2026-10-31"));
    let said =
        [("enrol", text(&enrol)), ("telemetry", text(&week)), ("report", text(&report)), ("check", text(&check))];
    for (name, bytes) in &said {
        made.insert(("protocol_message", (*name).to_owned()), bytes.clone());
    }
    let signed = said.clone().map(|(name, bytes)| (format!("{name} signed"), bytes));
    let signed: Vec<(&str, Vec<u8>)> = signed.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    made.insert(("license_server", "a_month".to_owned()), bodies(&signed));
    let order = json!({"by": "olga", "order": {"order": "approve_report", "unit": "unit-1", "month": "2026-09", "why": "seen"}});
    let ordered = [signed[2].clone(), ("order", text(&order)), signed[3].clone()];
    made.insert(("license_server", "an_order".to_owned()), bodies(&ordered));
    let key = answers(made, &check);
    made.insert(("license_key", "signed".to_owned()), [b"signed\n".to_vec(), key].concat());
    providers(made);
}

/// What the server answers; gives the key that it issued.
fn answers(made: &mut Made, check: &tidegauge::protocol::LicenseCheck) -> Vec<u8> {
    let office = Office::with_october(40, 40);
    let mut answer: LicenseAnswer = office.check(check).expect("an enrolled agent is answered");
    let payload = |key: &str| tidegauge::seal::jws::unverified_payload(key).expect("a key is signed");
    let key = answer
        .key
        .as_deref()
        .map(payload)
        .unwrap_or_else(|| include_bytes!("../../../../fuzz/entries/key.json").to_vec());
    answer.key = None;
    answer.id = asked_check().id;
    let receipt = Receipt { id: SEALED_ID.to_owned(), sha256: sha256_hex(SEALED), ..receipt_of(&office) };
    let tolerance = Default::default();
    let taken = ReceiptAnswer {
        schema: ReceiptAnswer::SCHEMA.to_owned(),
        receipt: receipt.clone(),
        tolerance,
        conflicting_days: vec!["2026-10-08".parse().expect("a day")],
        decisions: Vec::new(),
    };
    let body = "another body".to_owned();
    let receipt = Receipt { sha256: sha256_hex(body.as_bytes()), ..receipt };
    let conflict = ConflictAnswer { schema: ConflictAnswer::SCHEMA.to_owned(), body, receipt, tolerance };
    let refusal =
        Refusal { schema: Refusal::SCHEMA.to_owned(), why: "no such unit".to_owned(), server_key: SERVER.verifying() };
    let enrolled = Enrolled {
        schema: Enrolled::SCHEMA.to_owned(),
        contract_id: "C-100".to_owned(),
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        server_key: SERVER.verifying(),
        agent_key: AGENT.fingerprint(),
        enrolled_at: at("2026-10-20T09:30:00Z"),
        tolerance,
    };
    let rows = [
        ("taken", "telemetry signed", 200, text(&taken)),
        ("conflict", "report signed", 409, text(&conflict)),
        ("refused", "telemetry signed", 403, text(&refusal)),
        ("enrolled", "enrol signed", 200, text(&enrolled)),
        ("license", "check signed", 200, text(&answer)),
    ];
    for (name, manner, status, body) in rows {
        made.insert(("protocol_message", format!("answer_{name}")), body.clone());
        made.insert(("protocol_answer", name.to_owned()), script(manner, &[answered(status, body)]));
    }
    key
}

fn receipt_of(office: &Office) -> Receipt {
    let sealed = tidegauge::protocol::signed(&telemetry("2026-W42", "2026-10-15", 40), &office.agent);
    let reply = office.server.take(Kind::Telemetry, sealed.as_bytes(), at("2026-10-20T09:30:00Z"));
    let text = reply.body;
    let answer: ReceiptAnswer = tidegauge::protocol::unverified(&text).expect("a receipt");
    answer.receipt
}

fn providers(made: &mut Made) {
    let body = |value: &Value| value.to_string().into_bytes();
    let found = [answered(200, body(&discovery())), answered(200, body(&keys()))];
    made.insert(("openid", "discovery".to_owned()), script("", &found));
    // The nonce of `drawn` in entries/people.rs.
    let nonce = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU";
    let claims = json!({
        "iss": "https://sso.example.net/realms/main", "sub": "248289761001", "aud": "tidegauge", "nonce": nonce,
        "iat": 1_792_488_600, "exp": 1_792_488_900, "preferred_username": "Alice", "groups": ["tidegauge-admins"],
    });
    let told = json!({"sub": "248289761001", "preferred_username": "alice", "groups": ["tidegauge-admins"]});
    let mut few = claims.clone();
    few.as_object_mut().expect("claims").remove("groups");
    let token = |claims: &Value| answered(200, [b"claims ".to_vec(), body(claims)].concat());
    made.insert(("openid", "token".to_owned()), script("known signed", &[token(&claims)]));
    made.insert(
        ("openid", "asked_for_more".to_owned()),
        script("known signed", &[token(&few), answered(200, body(&told))]),
    );
}
