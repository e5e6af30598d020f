//! Agents of one contract: each message is sent until it has a receipt, and some again, to whichever server answers.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tidegauge::ask::{Ask, Body, Conversation, Step};
use tidegauge::domain::report::Receipt;
use tidegauge::license_server::{LicenseServer, Order, new_signing_key};
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::postgres::Database;
use tidegauge::protocol::{self, Kind, Message, ReceiptAnswer, Telemetry};
use tidegauge::seal::keys::{SigningKey, VerifyingKey};
use tidegauge::simulation::chance::SeededChance;

use crate::accounts::{at, contract, telemetry};
use crate::process::running::post;

/// Agents that send at once.
pub const AGENTS: u64 = 8;
/// Weeks of one unit; then the agent speaks for another.
const WEEKS: u64 = 10;
/// Times a message is sent before the servers count as lost.
const TRIES_MAX: u32 = 600;
/// Between two tries when nobody took it.
const PAUSE: Duration = Duration::from_millis(50);

pub struct Fleet {
    pub server: VerifyingKey,
}

/// A receipt and the message it is for.
pub struct Taken {
    pub agent: u64,
    pub number: u64,
    pub receipt: Receipt,
}

/// A state directory with a signing key.
pub fn keyed(folder: &Path) {
    new_signing_key(&RealFiles, folder, &mut SeededChance::new(5)).expect("an empty folder");
}

impl Fleet {
    /// One contract on the database, and every agent enrolled under it.
    pub fn enrolled(database: &Database, folder: &Path) -> Fleet {
        let mut chance = SeededChance::new(6);
        let office = LicenseServer::open_on_database(&RealFiles, folder, database.clone()).expect("a fresh schema");
        let now = at("2026-10-01T08:00:00Z");
        let mut order = Order::AddContract { contract: contract(), url: None };
        for agent in 0..AGENTS {
            let token = office.obey(order, "olga", now, &mut chance).expect("an order").expect("it makes a token");
            let mut talk = protocol::enrol(&token, "agent", &key(agent));
            let Step::Ask(Ask::Http(ask)) = talk.next(None) else { panic!("an exchange begins by asking") };
            let Body::Bytes(_, body) = ask.body else { panic!("signed bodies only") };
            let reply = office.take(Kind::Enrol, &body, now);
            assert_eq!(reply.status, 200, "{}", reply.body);
            order = Order::IssueToken { contract_id: contract().id, url: None };
        }
        Fleet { server: office.verifying_key() }
    }

    /// Entries on file when this many messages were taken: contract and tokens, enrolments, messages.
    pub fn entries(messages: usize) -> u64 {
        2 * AGENTS + messages as u64
    }

    /// Every agent sends its messages of these numbers; what is acknowledged is told at once.
    pub fn send(&self, addresses: &Mutex<Vec<String>>, numbers: std::ops::Range<u64>, told: &Sender<Taken>) {
        std::thread::scope(|scope| {
            for agent in 0..AGENTS {
                let (told, numbers) = (told.clone(), numbers.clone());
                scope.spawn(move || {
                    for number in numbers {
                        let receipt = self.send_one(addresses, agent, number);
                        // Whoever lost the answer sends again.
                        if number % 3 == 0 {
                            assert_eq!(self.send_one(addresses, agent, number), receipt, "the receipt on file");
                        }
                        let _ = told.send(Taken { agent, number, receipt });
                    }
                });
            }
        });
    }

    /// Sends a message until a server takes it.
    pub fn send_one(&self, addresses: &Mutex<Vec<String>>, agent: u64, number: u64) -> Receipt {
        let body = body(agent, number);
        let (_never, pause) = channel::<()>();
        for attempt in 0..TRIES_MAX {
            let address = {
                let addresses = addresses.lock().expect("nobody panicked");
                let turn = usize::try_from(agent + number + u64::from(attempt)).expect("small");
                addresses[turn % addresses.len()].clone()
            };
            match post(&address, Kind::Telemetry.path(), body.as_bytes()) {
                Some((200, answer)) => {
                    let answer: ReceiptAnswer = protocol::verified(&answer, &self.server).expect("a receipt");
                    return answer.receipt;
                }
                Some((503, _)) | None => drop(pause.recv_timeout(PAUSE)),
                Some((status, answer)) => {
                    panic!("message {number} of agent {agent}: {status} {}", String::from_utf8_lossy(&answer))
                }
            }
        }
        panic!("message {number} of agent {agent} finds no server");
    }
}

/// The message as its agent signs it.
pub fn body(agent: u64, number: u64) -> String {
    signed_by(agent, &message(agent, number))
}

/// Any message as an agent signs it.
pub fn signed_by<M: Message>(agent: u64, message: &M) -> String {
    protocol::signed(message, &key(agent))
}

/// A week long past of one of the agent's units.
pub fn message(agent: u64, number: u64) -> Telemetry {
    let mut week = telemetry("2019-W01", "2019-01-02", 40).week;
    for _ in 0..number % WEEKS {
        week = week.next();
    }
    let mut message = telemetry(&week.to_string(), &week.first_day().to_string(), 40);
    message.unit = format!("unit-{agent}-{}", number / WEEKS);
    message.id = Telemetry::id_of(&message.unit, week);
    message
}

fn key(agent: u64) -> SigningKey {
    SigningKey::from_secret(&[100 + u8::try_from(agent).expect("few agents"); 32])
}
