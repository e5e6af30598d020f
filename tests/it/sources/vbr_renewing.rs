//! The exchange about a VBR server's license key, against the simulated server and against every answer it may break.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use tidegauge::ask::{Answer, Ask, Body, Failure, HttpAnswer, Setback};
use tidegauge::rules::license_results::{KEY_INVALID, RECEIVED};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::{DOCUMENTED_UP_TO_DATE, Fault, Issuer, Vbr, key_file};
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tidegauge::sources::renewing::{Deed, Errand, Heard, Renewed};
use tidegauge::sources::vbr::RenewTalk;
use tidegauge::sources::{SOURCES, SourceSettings};

use super::driver::{InProcess, SetClock, at, drive};

const UPDATE: &str = "/api/v1/license/update";

struct Server {
    vbr: Arc<Vbr>,
    wire: InProcess,
}

/// A server whose key ends in three days.
fn server() -> Server {
    let mut plan = EstatePlan::new(3, "vbr01", at("2026-01-15T00:00:00Z"), 20);
    plan.license.expires_on = Some("2026-01-18".parse().expect("a day"));
    let clock = SetClock::at(plan.begins_at);
    let vbr = Vbr::new(Arc::new(Mutex::new(Estate::new(plan))), clock, USERNAME, PASSWORD);
    let wire = InProcess::new(vbr.router());
    Server { vbr, wire }
}

fn errand(deed: Deed) -> Errand {
    Errand { server: "vbr01".to_owned(), settings: SourceSettings::default(), deed }
}

impl Server {
    fn renew(&self, deed: Deed) -> Result<Renewed, Setback> {
        drive(&mut RenewTalk::new(errand(deed)), |ask| self.wire.carry(ask))
    }

    /// The exchange with the answer to one path replaced.
    fn renew_with(&self, path: &str, answer: &dyn Fn() -> Answer) -> Result<Renewed, Setback> {
        drive(&mut RenewTalk::new(errand(Deed::Update)), |ask| match &ask {
            Ask::Http(http) if http.path == path => answer(),
            _ => self.wire.carry(ask),
        })
    }
}

fn day(license: &tidegauge::domain::license::License) -> String {
    license.expires_on.map_or_else(String::new, |day| day.to_string())
}

fn words(message: &str, is_successful: bool) -> Heard {
    Heard::Words { message: message.to_owned(), is_successful }
}

#[test]
fn an_update_tells_words_and_the_license_before_and_after_and_logs_out() {
    let server = server();
    let renewed = server.renew(Deed::Update).expect("the server is well");
    assert_eq!(renewed.heard, words(RECEIVED, true));
    assert_eq!((day(&renewed.before), renewed.after.as_ref().map(day)), ("2026-01-18".into(), Ok("2026-02-28".into())));
    let again = server.renew(Deed::Update).expect("the server is well");
    assert_eq!(again.heard, words(DOCUMENTED_UP_TO_DATE, true));
    assert_eq!(server.vbr.open_tokens(), 0);
    assert_eq!(server.vbr.asked()[UPDATE], 2);
}

#[test]
fn a_key_file_goes_as_base64_and_a_refused_one_leaves_the_license() {
    let server = server();
    let file = key_file("2026-06-30".parse().expect("a day")).into_bytes();
    let mut sent = Vec::new();
    let renewed = drive(&mut RenewTalk::new(errand(Deed::Install { file: file.clone() })), |ask| {
        if let Ask::Http(http) = &ask
            && let ("/api/v1/license/install", Body::Bytes(kind, bytes)) = (http.path.as_str(), &http.body)
        {
            assert_eq!(*kind, "application/json");
            sent.clone_from(bytes);
        }
        server.wire.carry(ask)
    });
    let renewed = renewed.expect("the server is well");
    assert_eq!((&renewed.heard, renewed.after.as_ref().map(day)), (&Heard::Taken, Ok("2026-06-30".into())));
    let sent: serde_json::Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(sent, serde_json::json!({"license": STANDARD.encode(&file)}));
    for file in
        [b"nonsense".to_vec(), Vec::new(), vec![0xFF, 0xFE], key_file("2026-01-01".parse().expect("a day")).into()]
    {
        let refused = server.renew(Deed::Install { file }).expect("the server is well");
        assert_eq!(refused.heard, words(KEY_INVALID, false));
        assert_eq!(refused.after.as_ref().map(day), Ok("2026-06-30".into()));
    }
}

#[test]
fn a_server_that_is_ill_beforehand_is_a_setback_and_is_not_asked_to_do_anything() {
    let server = server();
    for (fault, needs_person) in
        [(Fault::ServerErrors, false), (Fault::Html, false), (Fault::HalfAnswers, false), (Fault::OtherPassword, true)]
    {
        server.vbr.set_faults(&[fault]);
        let setback = server.renew(Deed::Update).expect_err("the server is ill");
        assert_eq!(matches!(setback, Setback::AskAPerson { .. }), needs_person, "{fault:?}: {setback:?}");
    }
    assert_eq!(server.vbr.asked().get(UPDATE), None);
}

#[test]
fn tokens_that_are_refused_are_replaced_without_asking_twice() {
    let server = server();
    server.vbr.set_faults(&[Fault::ShortTokens]);
    let renewed = server.renew(Deed::Update).expect("each token works once");
    assert_eq!(renewed.after.as_ref().map(day), Ok("2026-02-28".into()));
}

#[test]
fn an_answer_that_cannot_be_read_is_looked_for_in_the_license() {
    let http = |status: u16, body: &str| {
        let (headers, body) = (Vec::new(), body.as_bytes().to_vec());
        Answer::Http(HttpAnswer { status, headers, body })
    };
    let odd: [(&str, Answer); 8] = [
        ("timeout", Answer::Failed(Failure::TimedOut { after_seconds: 300 })),
        ("broken", Answer::Failed(Failure::Broken { why: "reset".to_owned() })),
        ("html", http(200, "<html>")),
        ("half", http(200, r#"{"message":"New lic"#)),
        ("empty", http(200, "{}")),
        ("forbidden", http(403, r#"{"errorCode":"AccessDenied","message":"no"}"#)),
        ("not there", http(404, r#"{"errorCode":"NotFound","message":"no"}"#)),
        ("gateway", http(502, "")),
    ];
    let mut told = String::new();
    for (name, answer) in odd {
        let renewed = server().renew_with(UPDATE, &|| answer.clone()).expect("the license can be read");
        let Heard::Lost(setback) = renewed.heard else { panic!("{name}: {:?}", renewed.heard) };
        told += &format!("{name}: {}\n", setback.why());
        assert_eq!(renewed.after.as_ref().map(day), Ok("2026-01-18".into()), "{name}");
    }
    expect![[r#"
        timeout: vbr01 /api/v1/license/update: no answer within 300 s; check that the server runs and its REST port is open
        broken: vbr01 /api/v1/license/update: the connection broke: reset; check that the server runs and its REST port is open
        html: vbr01 /api/v1/license/update: the answer is HTML, not JSON; check that the url leads to the REST port (9419)
        half: vbr01 /api/v1/license/update: half an answer: it ends after 19 bytes
        empty: vbr01 /api/v1/license/update: the answer holds no message
        forbidden: vbr01 /api/v1/license/update: not allowed (HTTP 403, "no"); give the account the role Backup Administrator
        not there: vbr01 /api/v1/license/update: not known there (HTTP 404, "no"); VBR 12.3.1 or later is needed, and its REST port as url
        gateway: vbr01 /api/v1/license/update: HTTP 502
    "#]].assert_eq(&told);
}

#[test]
fn a_refusal_in_words_is_kept_word_for_word() {
    for status in [400, 500] {
        let said = r#"{"errorCode":"UnknownError","message":"Managed by\n Enterprise Manager"}"#;
        let answer = || {
            let (headers, body) = (Vec::new(), said.as_bytes().to_vec());
            Answer::Http(HttpAnswer { status, headers, body })
        };
        let renewed = server().renew_with(UPDATE, &answer).expect("the license can be read");
        assert_eq!(renewed.heard, words("Managed by\n Enterprise Manager", false));
    }
}

#[test]
fn a_license_that_cannot_be_read_afterwards_leaves_the_words() {
    let server = server();
    let mut is_asked = false;
    let renewed = drive(&mut RenewTalk::new(errand(Deed::Update)), |ask| match &ask {
        Ask::Http(http) if http.path == UPDATE => {
            is_asked = true;
            server.wire.carry(ask)
        }
        Ask::Http(http) if is_asked && http.path == "/api/v1/license" => {
            Answer::Failed(Failure::Unreachable { why: "restarting".to_owned() })
        }
        _ => server.wire.carry(ask),
    });
    let renewed = renewed.expect("it was asked");
    assert_eq!(renewed.heard, words(RECEIVED, true));
    assert!(renewed.after.expect_err("it restarts").contains("restarting"));
}

#[test]
fn a_server_that_refuses_every_token_ends_the_exchange() {
    let refused = || Answer::Http(HttpAnswer { status: 401, headers: Vec::new(), body: b"{}".to_vec() });
    for path in ["/api/v1/license", UPDATE] {
        let server = server();
        match server.renew_with(path, &refused) {
            Err(setback) => assert!(matches!(setback, Setback::AskAPerson { .. }), "{setback:?}"),
            Ok(renewed) => assert!(matches!(renewed.heard, Heard::Lost(Setback::AskAPerson { .. })), "{renewed:?}"),
        }
        assert_eq!(server.vbr.open_tokens(), 1, "{path}: the refused token cannot be given back; the other was");
    }
}

#[test]
fn every_source_that_renews_ends_whatever_is_answered() {
    for row in &SOURCES {
        let Some(renew) = row.renew else { continue };
        for status in [200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 503] {
            for body in ["", "{}", "[]", "null", "<html>", r#"{"access_token":"a","status":"Valid","message":7}"#] {
                let answer = || {
                    let (headers, body) = (Vec::new(), body.as_bytes().to_vec());
                    Answer::Http(HttpAnswer { status, headers, body })
                };
                let mut talk = renew(errand(Deed::Update));
                let _ = drive(talk.as_mut(), |_| answer());
            }
        }
    }
}

#[test]
fn the_update_waits_longer_than_a_read_and_says_nothing_of_secrets() {
    let server = server();
    server.vbr.set_issuer(Issuer::Says { words: "x".repeat(10_000), is_successful: true });
    let mut limits = Vec::new();
    let renewed = drive(&mut RenewTalk::new(errand(Deed::Update)), |ask| {
        let shown = format!("{ask:?}");
        assert!(!shown.contains(PASSWORD) && !shown.contains("access-1"), "{shown}");
        if let Ask::Http(http) = &ask {
            limits.push((http.path.clone(), http.seconds_max));
        }
        server.wire.carry(ask)
    });
    let Heard::Words { message, .. } = renewed.expect("the server is well").heard else { panic!("words") };
    assert_eq!(message.len(), 2_000, "endless words are cut");
    assert!(limits.contains(&(UPDATE.to_owned(), 300)), "{limits:?}");
}
