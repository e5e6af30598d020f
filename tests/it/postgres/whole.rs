//! Versions, keys and changed entries: what is not as it was recorded is found, and refused.

use tidegauge::license_server::{FleetPick, LicenseServer, new_signing_key};
use tidegauge::ports::files::RealFiles;
use tidegauge::protocol::{self, Kind};
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::chance::SeededChance;

use super::fleet::{Fleet, keyed};
use crate::accounts::{at, submission, telemetry};

/// What a person changes in the database, and what is said of it.
const CHANGES: [(&str, &str); 7] = [
    ("UPDATE entry SET actor = 'user:nobody' WHERE link = 2", "entry 2 of chain 1 is not what was recorded"),
    (
        "UPDATE entry SET fact = replace(fact::text, '99', '98')::json WHERE fact::text LIKE '%report_taken%'",
        "is not what was recorded",
    ),
    ("DELETE FROM entry WHERE link = 2", "chain 1 has no entry 2"),
    (
        "DELETE FROM entry WHERE (chain, link) = (SELECT id, links FROM chain WHERE links > 0 ORDER BY id DESC LIMIT 1)",
        "its head says",
    ),
    ("DELETE FROM chain WHERE links > 0", "has no head"),
    (
        "UPDATE unit_reports SET value = replace(value::text, '\"approved\":null', '\"approved\":{\"at\":\"2026-11-02T00:00:00Z\",\"by\":\"x\",\"why\":\"y\"}')::json",
        "the row of unit unit-1 is not what its entries say",
    ),
    ("DELETE FROM message", "the row of message"),
];

#[test]
fn every_entry_or_row_that_somebody_changed_is_found() {
    for (change, said) in CHANGES {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(database) = super::fresh() else { return };
        keyed(folder.path());
        Fleet::enrolled(&database, folder.path());
        let server = LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
        let agent = SigningKey::from_secret(&[100; 32]);
        let body = protocol::signed(&submission("2026-10", 1, 99), &agent).into_bytes();
        assert_eq!(server.take(Kind::Report, &body, at("2026-11-02T00:00:00Z")).status, 200);
        assert!(server.verify().expect("it answers").wrong.is_empty());
        super::run(&database, change);
        let wrong = server.verify().expect("it answers").wrong;
        assert!(wrong.iter().any(|found| found.contains(said)), "{change}: {wrong:?}");
    }
}

#[test]
fn rows_and_schema_of_before_the_fleet_are_brought_on_and_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    Fleet::enrolled(&database, folder.path());
    let open = || LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let (server, agent) = (open(), SigningKey::from_secret(&[100; 32]));
    let body = protocol::signed(&telemetry("2026-W43", "2026-10-20", 40), &agent).into_bytes();
    assert_eq!(server.take(Kind::Telemetry, &body, at("2026-11-02T00:00:00Z")).status, 200);
    drop(server);
    super::run(
        &database,
        "UPDATE unit SET value = (value::jsonb - 'told')::json; DELETE FROM schema_version WHERE version = 2; \
         DROP INDEX token_of_contract, agent_of_contract, unit_of_contract",
    );
    let server = open();
    assert_eq!(server.verify().expect("it answers").wrong, Vec::<String>::new());
    let page = server.fleet("", FleetPick::All, at("2026-11-03T00:00:00Z")).expect("it answers");
    assert_eq!((page.sum.units, page.sum.version_unknown, page.rows[0].coverage), (1, 1, None));
}

#[test]
fn a_database_of_another_signing_key_or_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    let open = |folder: &std::path::Path| LicenseServer::open_on_database(&RealFiles, folder, database.clone());
    drop(open(folder.path()).expect("a fresh schema"));
    let other = tempfile::tempdir().expect("a folder");
    new_signing_key(&RealFiles, other.path(), &mut SeededChance::new(99)).expect("an empty folder");
    let refused = open(other.path()).err().expect("it belongs to another").to_string();
    assert!(refused.starts_with("the database belongs to the signing key sha256:"), "{refused}");
    super::run(&database, "INSERT INTO schema_version (version) VALUES (999)");
    let refused = open(folder.path()).err().expect("it is newer").to_string();
    assert!(refused.starts_with("the database's schema is of version 999, this program knows 2"), "{refused}");
}

#[test]
fn entries_stand_in_the_partition_of_their_month_and_older_ones_are_taken_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    Fleet::enrolled(&database, folder.path());
    super::run(
        &database,
        "DO $$ BEGIN
           ASSERT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'entry'::regclass) = 4, 'this month, two more, default';
           ASSERT (SELECT count(*) FROM entry) = 16;
         END $$",
    );
}
