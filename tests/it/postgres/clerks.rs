//! Those who carry the questions out: what breaks off or takes too long for one of them is not the others' trouble.

use tidegauge::license_server::{LicenseServer, Order};
use tidegauge::ports::files::RealFiles;
use tidegauge::protocol::Kind;
use tidegauge::seal::digest::sha256;
use tidegauge::seal::keys::SigningKey;

use super::fleet::{Fleet, body, keyed, message};
use super::shared::{enrolment, now, token};
use crate::accounts::contract;

#[test]
fn a_decision_that_breaks_off_is_answered_as_not_recorded_and_the_server_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    let server = LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("a fresh schema");
    let token = token(&server, Order::AddContract { contract: contract(), url: None });
    let enrolment = enrolment(&token, &SigningKey::from_secret(&[1; 32]));
    // Tokens without their contract are what no decision expects.
    super::run(&database, "CREATE TABLE put_away AS TABLE contract; DELETE FROM contract");
    for _ in 0..4 {
        assert_eq!(server.take(Kind::Enrol, &enrolment, now()).status, 503);
    }
    super::run(&database, "INSERT INTO contract SELECT * FROM put_away");
    assert_eq!(server.take(Kind::Enrol, &enrolment, now()).status, 200, "a clerk lives");
    assert!(server.verify().expect("it answers").wrong.is_empty());
}

/// The number of the lock that a row is known by in every server.
fn lock(shelf: &str, id: &str) -> i64 {
    let digest = sha256(format!("tidegauge {shelf} {id}").as_bytes());
    i64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

#[test]
fn a_message_takes_the_lock_of_its_unit_and_no_second_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    Fleet::enrolled(&database, folder.path());
    let server = LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let take = || server.take(Kind::Telemetry, body(0, 0).as_bytes(), now()).status;
    let message = message(0, 0);
    let held = |number| super::begun(&database, &format!("SELECT pg_advisory_xact_lock({number})"));
    let with_its_id_held = {
        let _held = held(lock("message", &message.id));
        take()
    };
    let with_its_unit_held = {
        let _held = held(lock("unit", &message.unit));
        take()
    };
    assert_eq!((with_its_id_held, with_its_unit_held, take()), (200, 503, 200));
}
