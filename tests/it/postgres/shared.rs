//! Two servers on the same rows: whoever is asked, each thing happens once.

use std::path::Path;
use std::sync::mpsc::channel;

use tidegauge::domain::Instant;
use tidegauge::license_server::{LicenseServer, Order, Reply};
use tidegauge::ports::files::RealFiles;
use tidegauge::protocol::{self, EnrolmentToken, Kind, ReceiptAnswer};
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::chance::SeededChance;

use super::fleet::{Fleet, keyed};
use crate::accounts::{at, contract, license, license_check, submission, telemetry};

/// Two servers that were opened at once on a fresh schema; `None`: there is no database.
fn two_servers(folder: &Path) -> Option<[LicenseServer; 2]> {
    let database = super::fresh()?;
    keyed(folder);
    let open = || LicenseServer::open_on_database(&RealFiles, folder, database.clone()).expect("a fresh schema");
    Some(std::thread::scope(|scope| [scope.spawn(open), scope.spawn(open)].map(|one| one.join().expect("it opens"))))
}

pub fn now() -> Instant {
    at("2026-11-02T00:00:00Z")
}

pub fn token(server: &LicenseServer, order: Order) -> EnrolmentToken {
    let made = server.obey(order, "olga", at("2026-10-30T00:00:00Z"), &mut SeededChance::new(9));
    made.expect("an order").expect("it makes a token")
}

pub fn enrolment(token: &EnrolmentToken, key: &SigningKey) -> Vec<u8> {
    use tidegauge::ask::{Ask, Body, Conversation, Step};
    let Step::Ask(Ask::Http(ask)) = protocol::enrol(token, "agent-1", key).next(None) else { panic!("it asks") };
    let Body::Bytes(_, body) = ask.body else { panic!("signed bodies only") };
    body
}

/// Each of these bodies at both servers at once, again and again.
fn all_at_once(servers: &[LicenseServer; 2], kind: Kind, bodies: &[Vec<u8>]) -> Vec<(usize, Reply)> {
    let (told, replies) = channel();
    std::thread::scope(|scope| {
        for server in servers {
            for round in 0..4 {
                let told = told.clone();
                scope.spawn(move || {
                    for step in 0..bodies.len() {
                        let which = (step + round) % bodies.len();
                        told.send((which, server.take(kind, &bodies[which], now()))).expect("it is heard");
                    }
                });
            }
        }
    });
    drop(told);
    replies.iter().collect()
}

#[test]
fn a_message_sent_to_two_servers_at_once_is_taken_once_and_both_give_the_one_receipt() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(servers) = two_servers(folder.path()) else { return };
    let agent = SigningKey::from_secret(&[1; 32]);
    let token = token(&servers[0], Order::AddContract { contract: contract(), url: None });
    assert_eq!(servers[1].take(Kind::Enrol, &enrolment(&token, &agent), now()).status, 200);
    let signed = |points| protocol::signed(&submission("2026-10", 1, points), &agent).into_bytes();
    // The same report in two versions: one is taken, the other one is a conflict, wherever.
    let replies = all_at_once(&servers, Kind::Report, &[signed(99), signed(98)]);
    let taken: Vec<&(usize, Reply)> = replies.iter().filter(|(_, reply)| reply.status == 200).collect();
    let receipt = |reply: &Reply| -> ReceiptAnswer {
        protocol::verified(reply.body.as_bytes(), &servers[0].verifying_key()).expect("a receipt")
    };
    assert_eq!((replies.len(), taken.len()), (16, 8));
    assert!(taken.iter().all(|(which, _)| *which == taken[0].0), "one version is taken");
    assert!(taken.iter().all(|(_, reply)| receipt(reply) == receipt(&taken[0].1)));
    assert!(replies.iter().all(|(_, reply)| [200, 409].contains(&reply.status)));
    let state = servers[1].state();
    assert_eq!(state.messages.len(), 1);
    assert_eq!(state.messages.values().map(|message| message.conflicts.len()).sum::<usize>(), 1);
    // Contract, enrolment, report, conflict.
    let verified = servers[0].verify().expect("it answers");
    assert_eq!((verified.entries, verified.wrong), (4, Vec::<String>::new()));
}

#[test]
fn weeks_of_one_unit_sent_to_two_servers_at_once_all_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(servers) = two_servers(folder.path()) else { return };
    let agent = SigningKey::from_secret(&[1; 32]);
    let token = token(&servers[0], Order::AddContract { contract: contract(), url: None });
    assert_eq!(servers[0].take(Kind::Enrol, &enrolment(&token, &agent), now()).status, 200);
    let mut week = telemetry("2025-W01", "2025-01-01", 5);
    let mut bodies = Vec::new();
    for _ in 0..20 {
        bodies.push(protocol::signed(&week, &agent).into_bytes());
        let next = week.week.next();
        week = telemetry(&next.to_string(), &next.first_day().to_string(), 5);
    }
    let replies = all_at_once(&servers, Kind::Telemetry, &bodies);
    assert!(replies.iter().all(|(_, reply)| reply.status == 200));
    let state = servers[0].state();
    assert_eq!(state.messages.len(), 20);
    assert_eq!(state.units["unit-1"].days.len(), 20, "no server wrote over what the other had taken");
    assert!(servers[1].verify().expect("it answers").wrong.is_empty());
}

#[test]
fn a_token_shown_to_two_servers_at_once_enrols_one_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(servers) = two_servers(folder.path()) else { return };
    let token = token(&servers[0], Order::AddContract { contract: contract(), url: None });
    let keys: Vec<Vec<u8>> = (1..5).map(|seed| enrolment(&token, &SigningKey::from_secret(&[seed; 32]))).collect();
    let replies = all_at_once(&servers, Kind::Enrol, &keys);
    let enrolled: Vec<usize> =
        replies.iter().filter(|(_, reply)| reply.status == 200).map(|(which, _)| *which).collect();
    assert_eq!(enrolled.len(), 8);
    assert!(enrolled.iter().all(|which| *which == enrolled[0]), "one key: {enrolled:?}");
    let agents = servers[1].agents().expect("it answers");
    assert_eq!((agents.len(), agents[0].refused.len()), (1, 3), "the operator sees who came after it");
    assert!(servers[0].verify().expect("it answers").wrong.is_empty());
}

#[test]
fn a_check_asked_of_two_servers_at_once_gets_one_key_of_one_serial() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(servers) = two_servers(folder.path()) else { return };
    let agent = SigningKey::from_secret(&[1; 32]);
    let token = token(&servers[0], Order::AddContract { contract: contract(), url: None });
    assert_eq!(servers[0].take(Kind::Enrol, &enrolment(&token, &agent), now()).status, 200);
    let checks: Vec<Vec<u8>> = ["2026-11-01T10:00:00Z", "2026-11-01T10:01:00Z"]
        .map(|asked| protocol::signed(&license_check(at(asked), None, license("2026-11-05")), &agent).into_bytes())
        .into();
    let replies = all_at_once(&servers, Kind::LicenseCheck, &checks);
    assert!(replies.iter().all(|(_, reply)| reply.status == 200));
    let unit = servers[1].state().units["unit-1"].clone();
    assert_eq!((unit.checks.len(), unit.key.map(|key| key.serial)), (2, Some(2)), "the second gives the key again");
    assert!(servers[0].verify().expect("it answers").wrong.is_empty());
}

#[test]
fn what_an_operator_orders_at_one_server_holds_at_the_other_with_its_next_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(database) = super::fresh() else { return };
    keyed(folder.path());
    let fleet = Fleet::enrolled(&database, folder.path());
    let open = || LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let (one, other) = (open(), open());
    let agent = SigningKey::from_secret(&[100; 32]);
    let body = protocol::signed(&submission("2026-10", 1, 99), &agent).into_bytes();
    assert_eq!(one.take(Kind::Report, &body, now()).status, 200, "its key is remembered here");
    let why = "token stolen".to_owned();
    let remove = Order::RemoveAgent { agent: agent.verifying().fingerprint(), why };
    other.obey(remove, "olga", now(), &mut SeededChance::new(1)).expect("it is on file");
    assert_eq!(one.take(Kind::Report, &body, now()).status, 403);
    assert_eq!(one.verifying_key(), fleet.server);
    let twice = Order::AddContract { contract: contract(), url: None };
    let refused = one.obey(twice, "olga", now(), &mut SeededChance::new(2)).expect_err("it exists");
    assert!(refused.to_string().starts_with("contract C-100 exists"), "{refused}");
}
