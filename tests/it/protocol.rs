//! Messages of the License Update Server and the agent's side of each exchange.

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use tidegauge::ask::{Answer, Ask, Body, Conversation, Failure, HttpAnswer, Setback, Step};
use tidegauge::domain::gate::{Cause, CauseKind, Tolerance};
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::license_key::{self, KeyFile};
use tidegauge::domain::report::{Line, Receipt, report_id};
use tidegauge::domain::watermark::{Coverage, Daily};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, IsoWeek, Points};
use tidegauge::protocol::{
    self, ConflictAnswer, Enrolled, EnrolmentToken, Exchange, Kind, LicenseAnswer, LicenseCheck, Message,
    ReceiptAnswer, Refusal, Sent, Submission, Telemetry,
};
use tidegauge::seal::{digest::sha256_hex, jws, keys::SigningKey};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn server() -> SigningKey {
    SigningKey::from_secret(&[1; 32])
}

fn agent() -> SigningKey {
    SigningKey::from_secret(&[2; 32])
}

fn daily(day: &str, points: i64) -> Daily {
    let day = day.parse().unwrap();
    let at = Some(tidegauge::domain::calendar::midnight(day));
    Daily { day, points: Some(Points::whole(points)), at, expected: 24, complete: 24 }
}

fn submission() -> Submission {
    let line = Line {
        server: "vbr01".to_owned(),
        tenant: Some("Tenant A".to_owned()),
        kind: WorkloadType::Vm,
        weight: Points::whole(11),
        initial_count: 3,
        reported_count: 2,
        new_count: 1,
        rental_count: 0,
        points: Points::whole(22),
    };
    Submission {
        schema: Submission::SCHEMA.to_owned(),
        id: report_id("unit-1", "2026-10".parse().unwrap(), 1),
        unit: "unit-1".to_owned(),
        license_id: None,
        contract_id: Some("C-100".to_owned()),
        installations: vec!["inst-1".to_owned()],
        month: "2026-10".parse().unwrap(),
        revision: 1,
        generated_at: at("2026-11-01T00:00:00Z"),
        late: false,
        total_points: Points::whole(22),
        new_count: 1,
        rental_count: 0,
        lines: vec![line],
        daily: vec![daily("2026-10-01", 33), daily("2026-10-02", 22)],
        coverage: Coverage { expected: 744, complete: 744 },
        digest: format!("sha256:{}", sha256_hex(b"document")),
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        causes: Vec::new(),
        workloads: Vec::new(),
    }
}

fn telemetry() -> Telemetry {
    let week: IsoWeek = "2026-W44".parse().unwrap();
    Telemetry {
        schema: Telemetry::SCHEMA.to_owned(),
        id: Telemetry::id_of("unit-1", week),
        unit: "unit-1".to_owned(),
        license_id: None,
        contract_id: None,
        installations: vec!["inst-1".to_owned()],
        week,
        points: Some(Points::whole(33)),
        at: Some(at("2026-10-26T00:00:00Z")),
        daily: vec![daily("2026-10-26", 33), daily("2026-10-27", 22)],
        by_type: [(WorkloadType::Vm, Points::whole(33))].into(),
        coverage: Coverage { expected: 168, complete: 160 },
        amended_days: Vec::new(),
        counted_in: Default::default(),
        agent_version: None,
        coverage_by_installation: Vec::new(),
    }
}

fn check() -> LicenseCheck {
    let asked_at = at("2026-11-02T10:00:00Z");
    let (id, unit) = (LicenseCheck::id_of("unit-1", asked_at), "unit-1".to_owned());
    let check = crate::accounts::license_check(asked_at, None, License::default());
    LicenseCheck { id, unit, installations: Vec::new(), ..check }
}

fn receipt(id: &str, body: &[u8]) -> Receipt {
    Receipt {
        id: id.to_owned(),
        sha256: sha256_hex(body),
        received_at: at("2026-11-02T10:00:00Z"),
        verdict: Some("open".to_owned()),
    }
}

fn accepted(receipt: Receipt) -> ReceiptAnswer {
    ReceiptAnswer {
        schema: ReceiptAnswer::SCHEMA.to_owned(),
        receipt,
        tolerance: Tolerance::default(),
        conflicting_days: Vec::new(),
        decisions: Vec::new(),
    }
}

fn http(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Http(HttpAnswer { status, headers: Vec::new(), body: body.into() })
}

/// What the conversation posts, and what it makes of the answer.
fn exchange<D>(mut conversation: Exchange<D>, answer: Answer) -> (String, Vec<u8>, Result<D, Setback>) {
    let Step::Ask(Ask::Http(ask)) = conversation.next(None) else { panic!("a POST is expected") };
    let Body::Bytes(_, body) = ask.body else { panic!("a signed body is expected") };
    assert_eq!(ask.peer, protocol::PEER);
    match conversation.next(Some(answer)) {
        Step::Done(done) => (ask.path, body, Ok(done)),
        Step::Setback(setback) => (ask.path, body, Err(setback)),
        Step::Ask(_) => panic!("one exchange is one ask"),
    }
}

#[test]
fn every_message_survives_its_signature_and_no_other_key_opens_it() {
    fn check_one<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
        let body = protocol::signed(message, &agent());
        let read: M = protocol::verified(body.as_bytes(), &agent().verifying()).unwrap();
        assert_eq!(&read, message);
        assert!(protocol::verified::<M>(body.as_bytes(), &server().verifying()).is_err());
        assert_eq!(jws::unverified_kid(&body).unwrap(), agent().fingerprint());
        assert_eq!(body, protocol::signed(message, &agent()), "the same bytes each time");
    }
    check_one(&submission());
    check_one(&telemetry());
    check_one(&check());
    check_one(&accepted(receipt("id", b"x")));
}

#[test]
fn a_message_of_another_kind_is_refused_by_its_schema() {
    let mut other = serde_json::to_value(check()).unwrap();
    other["schema"] = "tidegauge.license-check/9".into();
    let error = protocol::read::<LicenseCheck>(other.to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "not a tidegauge.license-check/1 message: its schema is 'tidegauge.license-check/9'");
}

#[test]
fn a_submission_that_contradicts_itself_is_refused_by_name() {
    let refused = |change: fn(&mut Submission)| {
        let mut message = submission();
        change(&mut message);
        message.check().unwrap_err()
    };
    assert_eq!(submission().check(), Ok(()));
    assert_eq!(refused(|one| one.revision = 2), "id is not that of its unit, month and revision");
    assert_eq!(refused(|one| one.total_points = Points::whole(21)), "total_points is not the sum of its lines, 22");
    assert_eq!(refused(|one| one.lines[0].reported_count = 1), "line 1: points are not its count times its weight");
    assert_eq!(refused(|one| one.lines[0].initial_count = 1), "line 1: reports more than was counted");
    assert_eq!(refused(|one| one.lines.push(one.lines[0].clone())), "line 2: stands twice");
    assert!(refused(|one| one.daily.push(daily("2026-11-01", 1))).contains("outside its period"));
    assert!(refused(|one| one.daily.push(daily("2026-10-02", 1))).contains("does not come after"));
}

#[test]
fn telemetry_is_of_its_week_and_names_neither_tenant_nor_machine() {
    assert_eq!(telemetry().check(), Ok(()));
    let mut lower = telemetry();
    lower.points = Some(Points::whole(22));
    assert_eq!(lower.check().unwrap_err(), "points is not the highest daily mark");
    let mut outside = telemetry();
    outside.daily.push(daily("2026-11-02", 1));
    assert!(outside.check().is_err());
    let text = serde_json::to_string(&telemetry()).unwrap();
    for word in ["tenant", "\"name\"", "workload", "server"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_report_names_workloads_only_when_the_settings_say_so() {
    let cause = Cause {
        workload: Some("sql01".to_owned()),
        kind: Some(WorkloadType::Vm),
        ..Cause::of(CauseKind::Gone, Points::whole(11))
    };
    let report = crate::rules::gate::empty_report();
    let other = Cause { workload: Some("sql02".to_owned()), ..cause.clone() };
    let lines = Submission::of(&report, &[cause.clone(), other], protocol::ReportDetail::Lines);
    assert_eq!(lines.causes.len(), 1, "machines that went the same way are one sum");
    assert_eq!((lines.causes[0].workload.as_deref(), lines.causes[0].points), (None, Points::whole(22)));
    let named = Submission::of(&report, &[cause], protocol::ReportDetail::Workloads);
    assert_eq!(named.causes[0].workload.as_deref(), Some("sql01"));
}

#[test]
fn a_sealed_message_is_sent_byte_for_byte_and_its_receipt_taken() {
    let sealed = protocol::signed(&submission(), &agent()).into_bytes();
    let send = || protocol::send_sealed(Kind::Report, &sealed, &submission().id, &server().verifying());
    let good = protocol::signed(&accepted(receipt(&submission().id, &sealed)), &server());
    let (path, body, done) = exchange(send(), http(200, good.clone()));
    assert_eq!((path.as_str(), &body), ("/v1/reports", &sealed));
    assert!(matches!(done, Ok(Sent::Accepted { receipt, .. }) if receipt.verdict.as_deref() == Some("open")));

    let forged = protocol::signed(&accepted(receipt(&submission().id, &sealed)), &agent());
    let of_another = protocol::signed(&accepted(receipt(&submission().id, b"other")), &server());
    for (answer, why) in [
        (http(200, forged), "the signature is not that of the expected key"),
        (http(200, of_another), "it is the receipt of another message"),
        (http(200, "<html>hello</html>"), "not a compact JWS"),
        (http(200, &good[..good.len() / 2]), "not a compact JWS"),
        (http(502, "bad gateway"), "answered HTTP 502"),
        (Answer::Failed(Failure::TimedOut { after_seconds: 60 }), "no answer within 60 s"),
    ] {
        let (_, _, done) = exchange(send(), answer);
        let Err(Setback::TryAgain { why: told }) = done else { panic!("{done:?}") };
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_conflict_hands_back_what_the_server_has() {
    let sealed = protocol::signed(&submission(), &agent()).into_bytes();
    let mut earlier = submission();
    earlier.justification = Some("as it was before the restore".to_owned());
    let stored = protocol::signed(&earlier, &agent());
    let conflict = ConflictAnswer {
        schema: ConflictAnswer::SCHEMA.to_owned(),
        body: stored.clone(),
        receipt: receipt(&submission().id, stored.as_bytes()),
        tolerance: Tolerance::default(),
    };
    let send = || protocol::send_sealed(Kind::Report, &sealed, &submission().id, &server().verifying());
    let (_, _, done) = exchange(send(), http(409, protocol::signed(&conflict, &server())));
    assert!(matches!(done, Ok(Sent::Conflict { body, .. }) if body == stored));
    let torn = ConflictAnswer { body: "other".to_owned(), ..conflict };
    let (_, _, done) = exchange(send(), http(409, protocol::signed(&torn, &server())));
    assert!(matches!(done, Err(Setback::TryAgain { .. })));
}

#[test]
fn a_signed_refusal_is_repeated_and_an_unsigned_one_is_not() {
    let refusal = |key: &SigningKey| Refusal {
        schema: Refusal::SCHEMA.to_owned(),
        why: "this agent is not enrolled; enrol it with a token".to_owned(),
        server_key: key.verifying(),
    };
    let ask = || protocol::license_check(&check(), &agent(), &server().verifying());
    let (path, _, done) = exchange(ask(), http(403, protocol::signed(&refusal(&server()), &server())));
    assert_eq!(path, "/v1/license-checks");
    let why = "the License Update Server refused: this agent is not enrolled; enrol it with a token".to_owned();
    assert_eq!(done.unwrap_err(), Setback::AskAPerson { why });
    let (_, _, done) = exchange(ask(), http(403, protocol::signed(&refusal(&agent()), &agent())));
    assert_eq!(
        done.unwrap_err(),
        Setback::AskAPerson { why: "the License Update Server answered HTTP 403".to_owned() }
    );
    let untrusted = Failure::Untrusted { why: "expired".to_owned(), seen_sha256: None };
    let (_, _, done) = exchange(ask(), Answer::Failed(untrusted));
    assert!(matches!(done, Err(Setback::AskAPerson { .. })));
}

#[test]
fn a_license_answer_must_be_that_of_the_check() {
    let answer = |id: String| LicenseAnswer {
        schema: LicenseAnswer::SCHEMA.to_owned(),
        id,
        message: "Your existing license key is up to date".to_owned(),
        detail: None,
        key: None,
        gate: None,
        decisions: Vec::new(),
        lost: Vec::new(),
        tolerance: Tolerance::default(),
        answered_at: at("2026-11-02T10:00:01Z"),
    };
    let ask = || protocol::license_check(&check(), &agent(), &server().verifying());
    let (_, _, done) = exchange(ask(), http(200, protocol::signed(&answer(check().id), &server())));
    assert_eq!(done.unwrap(), answer(check().id));
    let (_, _, done) = exchange(ask(), http(200, protocol::signed(&answer("other".to_owned()), &server())));
    assert!(matches!(done, Err(Setback::TryAgain { .. })));
}

fn token() -> EnrolmentToken {
    EnrolmentToken {
        contract_id: "C-100".to_owned(),
        secret: SecretString::from("s3cret"),
        server_key: server().fingerprint(),
        url: Some("https://license.example.net".to_owned()),
        expires_at: at("2026-11-08T00:00:00Z"),
    }
}

#[test]
fn an_enrolment_token_is_one_line_and_never_shows_its_secret() {
    let text = token().to_text();
    let read = EnrolmentToken::parse(&format!("{}\n", text.expose_secret())).unwrap();
    assert_eq!(read.secret.expose_secret(), "s3cret");
    assert_eq!((read.contract_id, read.url, read.expires_at), ("C-100".to_owned(), token().url, token().expires_at));
    assert!(!format!("{:?}", token()).contains("s3cret"));
    assert!(EnrolmentToken::parse("s3cret").is_err());
}

#[test]
fn enrolment_trusts_only_the_key_of_the_token() {
    let enrolled = |key: &SigningKey| Enrolled {
        schema: Enrolled::SCHEMA.to_owned(),
        contract_id: "C-100".to_owned(),
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        server_key: key.verifying(),
        agent_key: agent().fingerprint(),
        enrolled_at: at("2026-11-02T10:00:00Z"),
        tolerance: Tolerance::default(),
    };
    let ask = || protocol::enrol(&token(), "agent-1", &agent());
    let (path, _, done) = exchange(ask(), http(200, protocol::signed(&enrolled(&server()), &server())));
    assert_eq!((path.as_str(), done.unwrap()), ("/v1/enrol", enrolled(&server())));
    let (_, _, done) = exchange(ask(), http(200, protocol::signed(&enrolled(&agent()), &agent())));
    assert!(done.unwrap_err().why().contains("the enrolment token expects sha256:"));
    let (_, _, done) = exchange(ask(), http(200, protocol::signed(&enrolled(&server()), &agent())));
    assert!(done.unwrap_err().why().contains("the signature is not that of the expected key"));
    let used = Refusal {
        schema: Refusal::SCHEMA.to_owned(),
        why: "the token was used".to_owned(),
        server_key: server().verifying(),
    };
    let (_, _, done) = exchange(ask(), http(403, protocol::signed(&used, &server())));
    assert_eq!(done.unwrap_err().why(), "the License Update Server refused: the token was used");
}

#[test]
fn a_license_key_is_read_only_with_the_servers_signature() {
    let content = KeyFile {
        schema: license_key::SCHEMA.to_owned(),
        license_id: "lic-1".to_owned(),
        serial: 1,
        contract_id: "C-100".to_owned(),
        installation_ids: vec!["inst-1".to_owned()],
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        kind: LicenseType::Rental,
        product: "VBR".to_owned(),
        edition: "EnterprisePlus".to_owned(),
        package: None,
        cloud_connect: true,
        points: "2000.5".parse().unwrap(),
        issued_at: at("2026-11-02T10:00:00Z"),
        expires_on: "2026-11-30".parse().unwrap(),
        support_expires_on: None,
    };
    let text = protocol::issue_key(&content, &server());
    assert_eq!(protocol::read_key(&text, &server().verifying()).unwrap(), content);
    assert!(protocol::read_key(&text, &agent().verifying()).is_err());
    let (head, tail) = text.split_at(text.len() / 2);
    assert!(protocol::read_key(&format!("{head}A{tail}"), &server().verifying()).is_err());
    assert_eq!(content.license().anchor(), Some(content.expires_on));
}

proptest! {
    #[test]
    fn foreign_answers_never_do_harm(status in 100u16..600, body: Vec<u8>, text in "\\PC{0,60}") {
        let sealed = b"sealed".to_vec();
        let key = server().verifying();
        for answer in [http(status, body.clone()), http(status, text.clone()), http(status, jws::sign(&server(), "k", &body))] {
            let (_, _, done) = exchange(protocol::send_sealed(Kind::Telemetry, &sealed, "id", &key), answer.clone());
            prop_assert!(done.is_err());
            prop_assert!(exchange(protocol::license_check(&check(), &agent(), &key), answer.clone()).2.is_err());
            prop_assert!(exchange(protocol::enrol(&token(), "a", &agent()), answer).2.is_err());
        }
        prop_assert!(protocol::read_key(&text, &key).is_err());
        prop_assert!(EnrolmentToken::parse(&["tgenrol1.", &text].concat()).is_err());
        prop_assert!(protocol::read::<Submission>(&body).is_err());
    }
}
