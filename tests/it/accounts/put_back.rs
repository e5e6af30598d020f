//! A License Update Server that was put back to a backup: what its agents still prove, and what they send again. And agents that
//! enrol anew.

use tidegauge::domain::Points;
use tidegauge::domain::license_key::KeyFile;
use tidegauge::domain::watermark::Daily;
use tidegauge::license_server::{Contract, Order};
use tidegauge::protocol::{self, Kind, LicenseAnswer, LicenseCheck, Receipted, Submission, Telemetry};
use tidegauge::rules::license_results::{KEY_INVALID, RECEIVED, UP_TO_DATE};
use tidegauge::seal::keys::SigningKey;

use super::{Office, at, daily, license_check, month, submission};

/// The office's signing key: the first that its chance draws.
fn signing() -> SigningKey {
    SigningKey::from_secret(&[1; 32])
}

/// An agent that has the key of this serial, whatever the server knows of it.
fn shows(office: &Office, installed: &KeyFile, signed_by: &SigningKey, asked_at: &str) -> LicenseAnswer {
    office.now(asked_at);
    let check = license_check(at(asked_at), Some(installed.serial), installed.license());
    office.check(&LicenseCheck { key: Some(protocol::issue_key(installed, signed_by)), ..check }).unwrap()
}

/// October is in order, and the server knows the unit's key of serial 1, to 31 December.
fn with_a_key() -> (Office, KeyFile) {
    let office = Office::with_october(104, 99);
    assert_eq!(signing().verifying(), office.server.verifying_key());
    let key = office.ask(None, super::license("2026-11-05")).key.expect("a first key");
    let key = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    (office, key)
}

#[test]
fn a_key_that_a_server_put_back_knows_no_more_is_known_by_its_own_signature() {
    let (office, first) = with_a_key();
    let later = KeyFile { serial: 5, expires_on: "2027-02-28".parse().unwrap(), ..first };
    let answer = shows(&office, &later, &signing(), "2026-11-20T06:00:00Z");
    assert_eq!(answer.message, UP_TO_DATE, "{answer:?}");
    office.now("2026-12-03T00:00:00Z");
    office.send(Kind::Report, &submission("2026-11", 1, 99)).unwrap();
    office.now("2027-01-03T00:00:00Z");
    office.send(Kind::Report, &submission("2026-12", 1, 99)).unwrap();
    office.now("2027-02-03T00:00:00Z");
    office.send(Kind::Report, &submission("2027-01", 1, 99)).unwrap();
    // It is on file since, so that nobody has to show it again.
    office.now("2027-02-24T00:00:00Z");
    let answer = office.ask(Some(5), later.license());
    assert_eq!(answer.message, RECEIVED, "{answer:?}");
    let renewed = protocol::read_key(&answer.key.unwrap(), &office.server.verifying_key()).unwrap();
    assert_eq!((renewed.serial, renewed.expires_on), (6, "2027-03-31".parse().unwrap()));
}

#[test]
fn a_key_that_this_server_did_not_sign_for_this_unit_is_not_taken() {
    let (office, first) = with_a_key();
    let later = KeyFile { serial: 5, ..first.clone() };
    let of_another_license = KeyFile { license_id: "lic-2".to_owned(), ..later.clone() };
    let of_another_contract = KeyFile { contract_id: "C-200".to_owned(), ..later.clone() };
    let tried = [
        (&later, SigningKey::from_secret(&[9; 32]), "2026-11-20T06:00:00Z"),
        (&of_another_license, signing(), "2026-11-20T06:01:00Z"),
        (&of_another_contract, signing(), "2026-11-20T06:02:00Z"),
    ];
    for (key, signed_by, asked_at) in tried {
        let answer = shows(&office, key, &signed_by, asked_at);
        let detail = "this server issued serials up to 1 to this unit, and never the installed key of serial 5";
        assert_eq!((answer.message.as_str(), answer.detail.as_deref()), (KEY_INVALID, Some(detail)));
    }
    let older = KeyFile { points: Points::whole(9), ..first.clone() };
    shows(&office, &older, &signing(), "2026-11-20T06:03:00Z");
    assert_eq!(office.server.installations().unwrap()[0].key_serial, Some(1), "what is on file stands");
}

#[test]
fn the_units_of_an_agent_that_enrols_under_another_contract_go_with_it_and_nobody_elses() {
    let (mut office, first) = with_a_key();
    let other = Contract { id: "C-200".to_owned(), points: Points::whole(3000), ..super::contract() };
    let token = office.order(Order::AddContract { contract: other, url: None }).unwrap();
    let stranger = SigningKey::from_secret(&[77; 32]);
    office.enrol(&token, &stranger).unwrap();
    let own = std::mem::replace(&mut office.agent, stranger);
    office.now("2026-11-03T00:00:00Z");
    assert!(office.send(Kind::Telemetry, &super::telemetry("2026-W44", "2026-10-27", 9)).is_err(), "another's unit");

    let token = office.order(Order::IssueToken { contract_id: "C-200".to_owned(), url: None }).unwrap();
    office.enrol(&token, &own).unwrap();
    office.agent = own;
    office.send(Kind::Telemetry, &super::telemetry("2026-W44", "2026-10-27", 9)).expect("its own unit");
    let answer = office.ask(Some(first.serial), first.license());
    assert_eq!(answer.message, RECEIVED, "{answer:?}");
    let key = protocol::read_key(&answer.key.unwrap(), &office.server.verifying_key()).unwrap();
    assert_eq!((key.contract_id.as_str(), key.serial, key.points), ("C-200", 2, Points::whole(3000)));
    assert_eq!(key.expires_on, first.expires_on, "other points within the same dates");
    let rows = office.server.installations().unwrap();
    assert_eq!((rows.len(), rows[0].contract_id.as_str()), (1, "C-200"));
    office.now("2026-11-04T00:00:00Z");
    let answer = office.ask(Some(2), key.license());
    assert_eq!(answer.message, UP_TO_DATE, "{answer:?}");
}

/// All seven days of a week, with this mark each.
fn whole_week(week: &str, points: i64) -> Telemetry {
    let telemetry = super::telemetry(week, "2026-10-20", points);
    let days = telemetry.week.days();
    let daily: Vec<Daily> = days.iter().map(|day| daily(&day.to_string(), points)).collect();
    Telemetry { at: daily[0].at, daily, ..telemetry }
}

#[test]
fn an_answer_names_what_the_agent_has_receipts_for_and_the_server_does_not_have() {
    let office = Office::enrolled();
    office.now("2026-11-10T06:00:00Z");
    office.send(Kind::Telemetry, &whole_week("2026-W44", 104)).unwrap();
    office.send(Kind::Report, &submission("2026-10", 2, 99)).unwrap();
    let week = |week: &str| Receipted::Telemetry { week: week.parse().unwrap() };
    let report = |of: &str, revision| Receipted::Report { month: month(of), revision };
    let check = license_check(at("2026-11-10T06:00:00Z"), None, super::license("2026-11-12"));
    let receipted = vec![
        week("2026-W44"),
        week("2026-W43"),
        week("2026-W34"),
        report("2026-10", 2),
        report("2026-10", 1),
        report("2026-09", 1),
    ];
    let answer = office.check(&LicenseCheck { receipted, ..check }).unwrap();
    let lost = [week("2026-W43"), report("2026-10", 1), report("2026-09", 1)];
    assert_eq!(answer.lost, lost, "a week of August is not looked for");
}

#[test]
fn a_week_that_is_sent_again_takes_nothing_of_a_later_one_back() {
    let office = Office::enrolled();
    office.now("2026-11-10T06:00:00Z");
    let amended_days = vec![daily("2026-10-20", 150), daily("2026-10-21", 90)];
    office.send(Kind::Telemetry, &Telemetry { amended_days, ..whole_week("2026-W44", 104) }).unwrap();
    office.send(Kind::Telemetry, &whole_week("2026-W43", 120)).unwrap();
    office.send(Kind::Report, &submission("2026-10", 1, 150)).unwrap();
    let conflicting = office.server.report(super::UNIT, month("2026-10")).unwrap().row.gate;
    assert_eq!(
        conflicting.highest_watermark,
        Some(Points::whole(150)),
        "the 20th was amended to 150 by the later week"
    );
    let later = Telemetry { amended_days: vec![daily("2026-10-20", 130)], ..whole_week("2026-W45", 104) };
    office.send(Kind::Telemetry, &later).unwrap();
    let gate = office.server.report(super::UNIT, month("2026-10")).unwrap().row.gate;
    assert_eq!(gate.highest_watermark, Some(Points::whole(130)), "a later week amends it again");
    office.send(Kind::Report, &submission("2026-09", 2, 80)).unwrap();
    let older = Submission { daily: vec![daily("2026-09-20", 300)], ..submission("2026-09", 1, 80) };
    office.send(Kind::Report, &older).unwrap();
    let gate = office.server.report(super::UNIT, month("2026-09")).unwrap().row.gate;
    assert_eq!(gate.highest_watermark, None, "nor does an older revision");
    let fleet = office.server.installations().unwrap();
    assert_eq!(fleet[0].last_week, "2026-W45".parse().ok());
}
