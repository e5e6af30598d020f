//! Enrolment, receipts, conflicts, restarts.

use std::path::Path;

use tidegauge::ask::Setback;
use tidegauge::domain::Points;
use tidegauge::domain::watermark::Daily;
use tidegauge::license_server::{Contract, LicenseServer, Order, Policy, new_signing_key};
use tidegauge::protocol::{self, Kind, Refusal, Sent, Status, Telemetry};
use tidegauge::seal::digest::sha256_hex;
use tidegauge::seal::keys::SigningKey;

use crate::postgres::shared::enrolment;

use super::{
    Counting, FOLDER, Office, UNIT, at, contract, daily, license, license_check, month, open, submission, telemetry,
};

#[test]
fn from_enrolment_to_a_key_that_may_be_installed() {
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract: contract(), url: None }).unwrap();
    let agent = office.agent.clone();
    let enrolled = office.enrol(&token, &agent).unwrap();
    assert_eq!((enrolled.contract_id.as_str(), enrolled.enrolled_at), ("C-100", at("2026-10-01T08:00:00Z")));

    office.now("2026-11-01T00:05:00Z");
    let Ok(Sent::Accepted { receipt, .. }) = office.send(Kind::Telemetry, &telemetry("2026-W43", "2026-10-20", 104))
    else {
        panic!("telemetry is taken")
    };
    assert_eq!(receipt.verdict, None);
    let Ok(Sent::Accepted { receipt, .. }) = office.send(Kind::Report, &submission("2026-10", 1, 99)) else {
        panic!("the report is taken")
    };
    assert_eq!(receipt.verdict.as_deref(), Some("open"));

    office.now("2026-11-25T00:00:00Z");
    let answer = office.ask(None, license("2026-11-30"));
    assert_eq!(answer.message, "New license key has been received");
    let key = protocol::read_key(&answer.key.unwrap(), &enrolled.server_key).unwrap();
    assert_eq!((key.license_id.as_str(), key.serial, key.points), ("lic-1", 1, Points::whole(2000)));
    assert_eq!(key.expires_on, "2026-12-31".parse().unwrap());
    assert_eq!(key.installation_ids, ["inst-1", "inst-2"]);
}

#[test]
fn a_key_that_enrolled_under_another_contract_may_show_its_first_token_again() {
    let mut office = Office::empty();
    let first = office.order(Order::AddContract { contract: contract(), url: None }).unwrap();
    let other = Contract { id: "C-200".to_owned(), ..contract() };
    let second = office.order(Order::AddContract { contract: other, url: None }).unwrap();
    let agent = office.agent.clone();
    assert_eq!(office.enrol(&first, &agent).unwrap().contract_id, "C-100");
    assert_eq!(office.enrol(&second, &agent).unwrap().contract_id, "C-200");
    let again = enrolment(&first, &agent);
    for _ in 0..3 {
        let (status, _) = office.post(Kind::Enrol.path(), again.clone());
        assert_eq!(status, 200);
    }
    assert_eq!(office.get("/v1/status").0, 200);
    office.order(Order::IssueToken { contract_id: "C-100".to_owned(), url: None }).unwrap();
}

#[test]
fn the_same_message_gets_the_same_receipt_and_is_recorded_once() {
    let office = Office::enrolled();
    office.now("2026-11-02T00:00:00Z");
    let first = office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap();
    let seq = office.server.journal_seq();
    office.now("2027-01-01T00:00:00Z");
    assert_eq!(office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap(), first);
    assert_eq!(office.server.journal_seq(), seq);

    let check = license_check(at("2027-01-01T00:00:00Z"), None, license("2026-12-31"));
    let answer = office.check(&check).unwrap();
    let seq = office.server.journal_seq();
    assert_eq!(office.check(&check).unwrap(), answer, "also a check: no second key");
    assert_eq!(office.server.journal_seq(), seq);
}

#[test]
fn other_bytes_under_the_same_id_are_a_conflict_that_is_kept_and_shown() {
    let office = Office::enrolled();
    office.now("2026-11-02T00:00:00Z");
    let sealed = protocol::signed(&submission("2026-10", 1, 99), &office.agent);
    let Ok(Sent::Accepted { receipt: taken, .. }) = office.send(Kind::Report, &submission("2026-10", 1, 99)) else {
        panic!("the report is taken")
    };
    for _ in 0..2 {
        let sent = office.send(Kind::Report, &submission("2026-10", 1, 50)).unwrap();
        let Sent::Conflict { body, receipt, .. } = sent else { panic!("a conflict is expected") };
        assert_eq!((body, receipt), (sealed.clone(), taken.clone()));
    }
    let shown = office.server.report(UNIT, month("2026-10")).unwrap();
    assert_eq!(shown.row.total_points, Points::whole(99));
    let other = protocol::signed(&submission("2026-10", 1, 50), &office.agent);
    assert_eq!(shown.conflicts, [(at("2026-11-02T00:00:00Z"), sha256_hex(other.as_bytes()))]);
}

#[test]
fn a_restart_at_any_point_finds_the_same_state() {
    let mut office = Office::empty();
    let steps: [fn(&mut Office); 11] = [
        |office| {
            let token = office.order(Order::AddContract { contract: contract(), url: None }).unwrap();
            let agent = office.agent.clone();
            office.restart();
            office.enrol(&token, &agent).unwrap();
        },
        |office| drop(office.order(Order::IssueToken { contract_id: "C-100".to_owned(), url: None })),
        |office| {
            office.now("2026-11-02T06:00:00Z");
            office.send(Kind::Telemetry, &telemetry("2026-W43", "2026-10-20", 104)).unwrap();
        },
        |office| drop(office.send(Kind::Report, &submission("2026-10", 1, 50)).unwrap()),
        |office| drop(office.send(Kind::Report, &submission("2026-10", 1, 51)).unwrap()),
        |office| drop(office.send(Kind::Report, &submission("2026-10", 2, 60)).unwrap()),
        |office| drop(office.ask(None, license("2026-11-05"))),
        |office| {
            drop(office.order(Order::AskForCorrection {
                unit: UNIT.to_owned(),
                revision: None,
                month: month("2026-10"),
                why: "too low".to_owned(),
            }))
        },
        |office| {
            drop(office.order(Order::ApproveReport {
                unit: UNIT.to_owned(),
                revision: None,
                month: month("2026-10"),
                why: "seen".to_owned(),
            }))
        },
        |office| {
            office.now("2026-11-03T06:00:00Z");
            assert!(office.ask(None, license("2026-11-05")).key.is_some());
        },
        |office| drop(office.order(Order::RevokeKey { unit: UNIT.to_owned(), why: "left".to_owned() })),
    ];
    for step in steps {
        step(&mut office);
        let before = office.server.state();
        office.restart();
        assert!(office.server.state() == before);
    }
    assert_eq!(office.server.state().messages.len(), 3);
}

#[test]
fn a_full_disk_is_said_to_pass_and_nothing_is_half_taken() {
    let office = Office::enrolled_on_a_folder();
    office.now("2026-11-02T00:00:00Z");
    let before = office.server.state();
    office.disk.fill_after(0);
    for _ in 0..2 {
        let sent = office.send(Kind::Report, &submission("2026-10", 1, 99));
        assert!(matches!(sent, Err(Setback::TryAgain { .. })), "{sent:?}");
    }
    assert!(office.server.state() == before);
    office.disk.heal();
    assert!(matches!(office.send(Kind::Report, &submission("2026-10", 1, 99)), Ok(Sent::Accepted { .. })));
    assert!(open(&office.disk.duplicate()).state() == office.server.state());
}

#[test]
fn a_token_enrols_one_key_within_seven_days() {
    let mut office = Office::empty();
    let (agent, other) = (office.agent.clone(), SigningKey::from_secret(&[201; 32]));
    let token = office.order(Order::AddContract { contract: contract(), url: None }).unwrap();
    let first = office.enrol(&token, &agent).unwrap();
    assert_eq!(office.enrol(&token, &agent).unwrap(), first, "the same key may ask again after a lost answer");
    let why = |setback: Setback| setback.why().to_owned();
    assert!(office.enrol(&token, &other).map_err(why).unwrap_err().contains("token was used"));

    let late = office.order(Order::IssueToken { contract_id: "C-100".to_owned(), url: None }).unwrap();
    office.now("2026-10-08T08:00:00Z");
    assert!(office.enrol(&late, &other).map_err(why).unwrap_err().contains("token has expired"));
    let mut forged = late;
    forged.secret = "guessed".into();
    assert!(office.enrol(&forged, &other).map_err(why).unwrap_err().contains("no such enrolment token"));
}

#[test]
fn strangers_and_nonsense_are_refused_with_a_reason() {
    let mut office = Office::enrolled();
    let told = |(status, body): (u16, Vec<u8>)| {
        let refusal: Refusal = protocol::verified(&body, &office.server.verifying_key()).unwrap();
        (status, refusal.why)
    };
    let stranger = SigningKey::from_secret(&[9; 32]);
    let body = |key: &SigningKey| protocol::signed(&submission("2026-10", 1, 99), key).into_bytes();
    assert_eq!(
        told(office.post("/v1/reports", body(&stranger))),
        (403, "this agent is not enrolled here; enrol it with a token of the operator".to_owned())
    );
    assert_eq!(
        told(office.post("/v1/reports", body(&office.agent))),
        (425, "2026-10 has not ended by this server's clock".to_owned())
    );
    for nonsense in [Vec::new(), b"{}".to_vec(), vec![0xff; 10], body(&office.agent)[..100].to_vec()] {
        for path in ["/v1/enrol", "/v1/telemetry", "/v1/reports", "/v1/license-checks"] {
            assert_eq!(told(office.post(path, nonsense.clone())).0, 400);
        }
    }
    assert_eq!(told(office.post("/v1/telemetry", body(&office.agent))).0, 400, "a report is no telemetry");
    assert_eq!(office.post("/v1/reports", vec![b'a'; 17 << 20]).0, 413);

    let token = office
        .order(Order::AddContract {
            contract: tidegauge::license_server::Contract { id: "C-200".to_owned(), ..contract() },
            url: None,
        })
        .unwrap();
    office.enrol(&token, &stranger).unwrap();
    office.now("2026-11-02T00:00:00Z");
    office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap();
    let (status, body) = office.post("/v1/reports", body(&stranger));
    let refusal: Refusal = protocol::verified(&body, &office.server.verifying_key()).unwrap();
    assert_eq!((status, refusal.why.as_str()), (403, "the reporting unit belongs to another contract"));
}

#[test]
fn the_higher_of_telemetry_and_report_counts_and_the_difference_is_flagged() {
    let office = Office::enrolled();
    office.now("2026-11-02T00:00:00Z");
    office.send(Kind::Telemetry, &telemetry("2026-W43", "2026-10-20", 104)).unwrap();
    let mut report = submission("2026-10", 1, 99);
    report.daily = vec![daily("2026-10-20", 60), daily("2026-10-21", 99)];
    office.send(Kind::Report, &report).unwrap();
    let row = office.server.reports().unwrap().remove(0);
    assert_eq!(row.gate.highest_watermark, Some(Points::whole(104)));
    assert_eq!(row.gate.stood_at, Some(at("2026-10-20T00:00:00Z")));
    assert_eq!(row.conflicting_days, ["2026-10-20".parse().unwrap()]);

    let mut amended = telemetry("2026-W44", "2026-10-26", 90);
    amended.amended_days = vec![daily("2026-10-20", 60)];
    office.send(Kind::Telemetry, &amended).unwrap();
    let row = office.server.reports().unwrap().remove(0);
    assert_eq!((row.gate.highest_watermark, row.conflicting_days.len()), (Some(Points::whole(99)), 0));
}

#[test]
fn the_signing_key_is_made_once_and_needed() {
    let disk = tidegauge::simulation::disk::SimulatedDisk::new();
    let opened = LicenseServer::open(std::sync::Arc::new(disk.clone()), Path::new(FOLDER), Policy::default());
    let error = opened.err().unwrap().to_string();
    assert_eq!(
        error,
        "/srv/license-server/keys/signing.pem does not exist; make the signing key with `license-server key new`"
    );
    let fingerprint = new_signing_key(&disk, Path::new(FOLDER), &mut Counting(0)).unwrap();
    assert!(new_signing_key(&disk, Path::new(FOLDER), &mut Counting(0)).is_err());
    assert_eq!(open(&disk).verifying_key().fingerprint(), fingerprint);
}

#[test]
fn a_second_process_on_the_folder_is_turned_away() {
    let office = Office::enrolled_on_a_folder();
    let second = LicenseServer::open(std::sync::Arc::new(office.disk.clone()), Path::new(FOLDER), Policy::default());
    let error = second.err().unwrap().to_string();
    assert!(error.starts_with("another process serves /srv/license-server; "), "{error}");
}

#[test]
fn status_names_the_key_and_openapi_every_path() {
    let office = Office::enrolled();
    let (status, body) = office.get("/v1/status");
    let told: Status = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, told.server_key), (200, office.server.verifying_key().fingerprint()));
    let (_, body) = office.get("/openapi.json");
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/v1/enrol", "/v1/license-checks", "/v1/reports", "/v1/status", "/v1/telemetry"]);
    assert_eq!(document["info"]["title"], "Tidegauge License Update Server");
}

#[test]
fn a_day_that_nobody_reckons_with_is_refused_at_the_door_and_read_where_it_was_taken_once() {
    for (year, is_taken) in [(-44, false), (1969, false), (1970, true)] {
        let day = chrono::NaiveDate::from_ymd_opt(year, 3, 15).unwrap();
        let mut message = telemetry("2026-W43", "2026-10-20", 104);
        message.amended_days = vec![Daily { day, points: None, at: None, expected: 24, complete: 0 }];
        let payload = serde_json::to_vec(&message).unwrap();
        assert_eq!(protocol::read::<Telemetry>(&payload).is_ok(), is_taken, "{day}");
        assert_eq!(protocol::read_kept::<Telemetry>(&payload).unwrap(), message);
    }
}
