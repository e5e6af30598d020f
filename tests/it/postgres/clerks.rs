//! Those who carry the questions out: what breaks off or takes too long for one of them is not the others' trouble.

use std::pin::Pin;
use std::task::{Context, Waker};

use tidegauge::domain::report::report_id;
use tidegauge::license_server::{LicenseServer, Order, Reply};
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::postgres::Database;
use tidegauge::protocol::Kind;
use tidegauge::seal::digest::sha256;
use tidegauge::seal::keys::SigningKey;

use super::fleet::{Fleet, body, keyed, message, signed_by};
use super::shared::{enrolment, now, token};
use crate::accounts::{contract, submission};

/// First messages of the tests: their units are no other test's, for a database has its locks for all schemas together.
const LOCKED: u64 = 1_000_000;
const LONG: u64 = 3_000_000;
const STUCK: u64 = 4_000_000;

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
    let take = || server.take(Kind::Telemetry, body(0, LOCKED).as_bytes(), now()).status;
    let message = message(0, LOCKED);
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

/// Has these asked while both clerks wait for the lock of the unit of message `from`, so that what they take next is all of
/// these together; the replies' statuses.
fn asked_together(
    database: &Database,
    server: &LicenseServer,
    from: u64,
    (kind, bodies): (Kind, &[String]),
) -> Vec<u16> {
    assert_eq!(server.take(Kind::Telemetry, body(0, from).as_bytes(), now()).status, 200, "its key is remembered");
    let number = lock("unit", &message(0, from).unit);
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND (classid::bigint << 32) | objid::bigint = {number}"
    );
    let ask = |kind, body: &str| -> Pin<Box<dyn Future<Output = Reply> + '_>> {
        let body = body.to_owned();
        let mut reply = Box::pin(async move { server.receive(kind, body.as_bytes(), now()).await });
        assert!(reply.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        reply
    };
    let held = super::begun(database, &format!("SELECT pg_advisory_xact_lock({number})"));
    let mut busy = Vec::new();
    for clerks in 1..=2 {
        busy.push(ask(Kind::Telemetry, &body(0, from + clerks)));
        let is_held = (0..1000).any(|_| super::count(database, &waiting) == i64::try_from(clerks).expect("small"));
        assert!(is_held, "a clerk waits for the lock");
    }
    busy.extend(bodies.iter().map(|body| ask(kind, body)));
    drop(held);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut statuses = Vec::new();
    runtime.block_on(async {
        for reply in busy {
            statuses.push(reply.await.status);
        }
    });
    assert_eq!(statuses[..2], [200, 200]);
    statuses.split_off(2)
}

#[test]
fn a_lock_that_one_question_of_a_batch_waits_for_holds_none_of_the_others_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    Fleet::enrolled(&database, folder.path());
    let server = LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let week = |unit: u64| body(0, STUCK + 10 * unit);
    let number = lock("unit", &message(0, STUCK + 10).unit);
    let _held = super::begun(&database, &format!("SELECT pg_advisory_xact_lock({number})"));
    let statuses = asked_together(&database, &server, STUCK, (Kind::Telemetry, &[week(1), week(2), week(1), week(3)]));
    assert_eq!(statuses, [503, 200, 503, 200], "who needs the lock asks again, the others have their answer");
}

#[test]
fn bodies_that_are_too_long_for_one_batch_come_in_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    Fleet::enrolled(&database, folder.path());
    let server = LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let long = |unit: u64| {
        let mut report = submission("2026-10", 1, 99);
        report.unit = message(0, LONG + 10 * unit).unit;
        report.id = report_id(&report.unit, report.month, 1);
        report.lines[0].server = "x".repeat(1_100_000);
        signed_by(0, &report)
    };
    let statuses = asked_together(&database, &server, LONG, (Kind::Report, &[long(1), long(2), long(3)]));
    assert_eq!(statuses, [200, 200, 200]);
    let bytes =
        "SELECT max(bytes) FROM (SELECT sum(length(fact::text)) AS bytes FROM entry GROUP BY xmin::text) AS batches";
    let bytes = super::count(&database, bytes);
    assert!((2 << 20..=4 << 20).contains(&bytes), "{bytes} bytes in one transaction");
}
