//! The License Update Server as a process, killed while agents send.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use tidegauge::ask::{Answer, Ask, Body, Conversation, HttpAnswer, Step};
use tidegauge::domain::Instant;
use tidegauge::domain::report::Receipt;
use tidegauge::doors::Chance;
use tidegauge::license_server::{LicenseServer, Order, Policy, new_signing_key};
use tidegauge::ports::files::RealFiles;
use tidegauge::protocol::{self, EnrolmentToken, Kind, Sent, Telemetry};
use tidegauge::seal::keys::{SigningKey, VerifyingKey};
use tidegauge::simulation::chance::SeededChance;

use super::killing::Killing;
use super::running::{Running, post};
use crate::accounts::{contract, telemetry};

/// Messages after which the flood ends.
const MESSAGES_MAX: u64 = 40_000;
/// Receipts that are asked for again after each start.
const ASKED_AGAIN: u64 = 40;

/// A folder with a signing key and one contract; its token.
pub fn founded(folder: &Path, now: Instant) -> (EnrolmentToken, VerifyingKey) {
    let mut chance = SeededChance::new(5);
    new_signing_key(&RealFiles, folder, &mut chance).expect("an empty folder");
    let server = LicenseServer::open(Arc::new(RealFiles), folder, Policy::default()).expect("it was just founded");
    let token = server.obey(Order::AddContract { contract: contract(), url: None }, "olga", now, &mut chance);
    (token.expect("an order").expect("a contract comes with its token"), server.verifying_key())
}

/// `license-server run` on the folder and this address; and where it listens.
pub fn serving(folder: &Path, listen: &str) -> (Running, String) {
    let arguments = ["license-server", "run", "--listen", listen, "--state", &folder.display().to_string()];
    let (running, ready) = Running::start(&arguments.map(str::to_owned), "license_server.ready");
    let url = ready["url"].as_str().expect("it says where it is");
    (running, url.trim_start_matches("http://").to_owned())
}

/// Carries an exchange out over loopback; `None` when the server was gone.
fn exchange<C: Conversation>(address: &str, mut talk: C) -> Option<C::Done> {
    let mut heard = None;
    for _ in 0..3 {
        match talk.next(heard.take()) {
            Step::Done(done) => return Some(done),
            Step::Setback(setback) => panic!("{setback:?}"),
            Step::Ask(Ask::Http(ask)) => {
                let Body::Bytes(_, body) = ask.body else { panic!("signed bodies only") };
                let (status, body) = post(address, &ask.path, &body)?;
                heard = Some(Answer::Http(HttpAnswer { status, headers: Vec::new(), body }));
            }
            Step::Ask(_) => panic!("HTTP only"),
        }
    }
    panic!("an exchange is one ask")
}

/// An agent of many units, each with weeks long past.
struct Flood {
    agent: SigningKey,
    server: VerifyingKey,
}

impl Flood {
    fn message(&self, number: u64) -> Telemetry {
        let mut week = telemetry("2019-W01", "2019-01-02", 40).week;
        for _ in 0..number % 50 {
            week = week.next();
        }
        let mut message = telemetry(&week.to_string(), &week.first_day().to_string(), 40);
        message.unit = format!("unit-{}", number / 50);
        message.id = Telemetry::id_of(&message.unit, week);
        message
    }

    fn send(&self, address: &str, number: u64) -> Option<Receipt> {
        let message = self.message(number);
        let sealed = protocol::signed(&message, &self.agent);
        match exchange(address, protocol::send_sealed(Kind::Telemetry, sealed.as_bytes(), &message.id, &self.server))? {
            Sent::Accepted { receipt, .. } => Some(receipt),
            Sent::Conflict { .. } => panic!("message {number}: the same bytes are no conflict"),
        }
    }

    /// Sends one after another until the server is gone.
    fn run(&self, address: &str, from: u64, acknowledged: &Sender<Receipt>) {
        for number in from..MESSAGES_MAX {
            match self.send(address, number) {
                Some(receipt) => drop(acknowledged.send(receipt)),
                None => return,
            }
        }
    }
}

#[test]
fn a_license_server_started_without_its_policy_keeps_the_one_it_had() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    new_signing_key(&RealFiles, folder.path(), &mut SeededChance::new(5)).expect("an empty folder");
    let state = folder.path().display().to_string();
    let arguments = ["license-server", "run", "--listen", "127.0.0.1:0", "--state", &state, "--deadline-day", "5"];
    let arguments = arguments.map(str::to_owned);
    let (mut strict, said) = Running::start(&arguments, "license_server.policy_changed");
    assert_eq!(said["policy"], "20 points or 20 percent, due on day 5");
    strict.wait_for("license_server.ready");
    strict.terminate();
    let (mut silent, _) = serving(folder.path(), "127.0.0.1:0");
    silent.terminate();
    let office = LicenseServer::open_as_kept(Arc::new(RealFiles), folder.path()).expect("the lock is free");
    assert_eq!(office.policy().deadline_day, 5);
}

#[test]
fn a_license_server_whose_journal_ends_in_damage_says_what_it_cuts_off() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let now = crate::accounts::at("2026-10-01T08:00:00Z");
    let (token, _) = founded(folder.path(), now);
    let office =
        LicenseServer::open(Arc::new(RealFiles), folder.path(), Policy::default()).expect("nobody else has it");
    enrol(&office, &token, &SigningKey::from_secret(&[200; 32]));
    drop(office);
    let segments = std::fs::read_dir(folder.path().join("journal")).expect("a journal");
    let last = segments.map(|entry| entry.expect("an entry").path()).max().expect("a segment");
    let mut bytes = std::fs::read(&last).expect("a segment");
    *bytes.last_mut().expect("it has entries") ^= 1;
    std::fs::write(&last, bytes).expect("it is ours");
    let state = folder.path().display().to_string();
    let arguments = ["license-server", "run", "--listen", "127.0.0.1:0", "--state", &state].map(str::to_owned);
    let (mut running, said) = Running::start(&arguments, "license_server.journal_cut");
    assert_eq!(said["seq"], 2, "the enrolment");
    assert!(said["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{said}");
    running.wait_for("license_server.ready");
    running.terminate();
}

#[test]
fn a_license_server_killed_under_load_stands_by_every_receipt_it_gave() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let folder = folder.path().join("license-server");
    let (token, server) = founded(&folder, crate::accounts::at("2026-10-01T08:00:00Z"));
    let flood = Flood { agent: SigningKey::from_secret(&[200; 32]), server };
    // Enrolled before the token ends by the machine's own clock.
    let office = LicenseServer::open(Arc::new(RealFiles), &folder, Policy::default()).expect("nobody else has it");
    enrol(&office, &token, &flood.agent);
    drop(office);
    let mut killing = Killing::new("license server", 41);
    let mut receipts: Vec<Receipt> = Vec::new();
    let mut listen = "127.0.0.1:0".to_owned();
    while killing.goes_on() {
        let (mut running, address) = serving(&folder, &listen);
        check(&flood, &address, &receipts, &mut killing);
        listen.clone_from(&address);
        let (acknowledge, acknowledged) = channel();
        let from = receipts.len() as u64;
        std::thread::scope(|scope| {
            scope.spawn(|| flood.run(&address, from, &acknowledge));
            receipts.extend(killing.wait(&acknowledged));
            running.kill();
        });
        receipts.extend(acknowledged.try_iter());
    }
    let office = LicenseServer::open(Arc::new(RealFiles), &folder, Policy::default()).expect("the lock is free");
    let state = office.state();
    assert!(!receipts.is_empty(), "messages were acknowledged between the kills");
    assert!(receipts.iter().all(|receipt| state.messages.get(&receipt.id).is_some_and(|one| one.receipt == *receipt)));
    assert!(state.messages.values().all(|message| message.conflicts.is_empty()));
    println!("license server: {} receipts stand, {} messages are on file", receipts.len(), state.messages.len());
}

fn enrol(office: &LicenseServer, token: &EnrolmentToken, agent: &SigningKey) {
    let mut talk = protocol::enrol(token, "agent-1", agent);
    let Step::Ask(Ask::Http(ask)) = talk.next(None) else { panic!("an exchange begins by asking") };
    let Body::Bytes(_, body) = ask.body else { panic!("signed bodies only") };
    let reply = office.take(Kind::Enrol, &body, crate::accounts::at("2026-10-01T08:00:00Z"));
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// The newest receipts and some of the others are given again as they were.
fn check(flood: &Flood, address: &str, receipts: &[Receipt], killing: &mut Killing) {
    let len = receipts.len() as u64;
    for round in 0..ASKED_AGAIN.min(len) {
        let number = if round < ASKED_AGAIN / 2 { len - 1 - round } else { killing.chance.below(len) };
        let again = flood.send(address, number).expect("the server runs");
        assert_eq!(again, receipts[usize::try_from(number).expect("small")], "message {number}");
    }
}
