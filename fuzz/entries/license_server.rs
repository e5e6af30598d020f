//! The License Update Server: signed messages, its operator's orders, its journal.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use axum::body::Body;
use axum::http::Request;
use tidegauge::domain::Instant;
use tidegauge::doors::{Clock, Files};
use tidegauge::license_server::{LicenseServer, Order, Policy, new_signing_key, operator_router};
use tidegauge::protocol::{Enrol, Kind, Message, signed};
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::disk::SimulatedDisk;
use tidegauge::store::journal::{Head, Journal, NewEntry};
use tower::ServiceExt;

use super::protocol::{AGENT, sealed};
use super::{manner, now, says};

const FOLDER: &str = "/license-server";

/// A server with one contract and its agent enrolled.
static ENROLLED: LazyLock<SimulatedDisk> = LazyLock::new(|| {
    let disk = SimulatedDisk::new();
    let mut chance = SeededChance::new(1);
    new_signing_key(&disk, Path::new(FOLDER), &mut chance).expect("a first key");
    let server = open(&disk).expect("a folder without a journal");
    let order: Order = serde_json::from_str(include_str!("contract.json")).expect("an order");
    let token = server.obey(order, "olga", now(), &mut chance).expect("a first contract").expect("a token");
    let enrol = Enrol {
        schema: Enrol::SCHEMA.to_owned(),
        contract_id: token.contract_id.clone(),
        secret: secrecy::ExposeSecret::expose_secret(&token.secret).to_owned(),
        agent_id: "agent-1".to_owned(),
        key: AGENT.verifying(),
    };
    let reply = server.take(Kind::Enrol, signed(&enrol, &AGENT).as_bytes(), now());
    assert_eq!(reply.status, 200, "the token enrols");
    drop(server);
    disk
});

fn open(disk: &SimulatedDisk) -> Option<Arc<LicenseServer>> {
    LicenseServer::open(Arc::new(disk.clone()), Path::new(FOLDER), Policy::default()).ok().map(Arc::new)
}

/// A clock that stands.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Instant {
        now()
    }
}

/// Bodies behind record separators, each behind a line of what it is: `enrol`, `telemetry`, `report`, `check` or
/// `order`, and whether the agent signs it.
pub fn messages(bytes: &[u8]) {
    let Some(server) = open(&ENROLLED.duplicate()) else { return };
    for record in bytes.split(|byte| *byte == 0x1E).filter(|record| !record.is_empty()).take(16) {
        let (what, body) = manner(record);
        if says(what, "order") {
            ordered(&server, body);
            continue;
        }
        let kinds = [("enrol", Kind::Enrol), ("report", Kind::Report), ("check", Kind::LicenseCheck)];
        let kind = kinds.iter().find(|(name, _)| says(what, name)).map_or(Kind::Telemetry, |(_, kind)| *kind);
        let body = if says(what, "signed") { sealed(&AGENT, body) } else { body.to_vec() };
        let reply = server.take(kind, &body, now());
        assert!(reply.status < 500, "what an agent says never breaks the server");
    }
    server.contracts().expect("a folder answers");
    server.sums("2026-09".parse().expect("a month")).expect("a folder answers");
    server.installations().expect("a folder answers");
    server.reports().expect("a folder answers");
    // What was taken is read again.
    drop(server);
}

fn ordered(server: &Arc<LicenseServer>, body: &[u8]) {
    let chance = Arc::new(Mutex::new(SeededChance::new(2)));
    let router = operator_router(Arc::clone(server), Arc::new(Standing), chance);
    let request = Request::post("/v1/operator/orders").header("content-type", "application/json");
    let request = request.body(Body::from(body.to_vec())).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
    let Ok(response) = runtime.block_on(router.oneshot(request));
    assert!(response.status().as_u16() < 500, "an order never breaks the server");
}

/// A fact of its journal, in a whole and checksummed entry.
pub fn journal(bytes: &[u8]) {
    let disk = ENROLLED.duplicate();
    let folder = Path::new(FOLDER).join("journal");
    let files: Arc<dyn Files> = Arc::new(disk.clone());
    let Ok((mut journal, _)) = Journal::open_after(files, &folder, Head::EMPTY, &mut |_| Ok(())) else { return };
    for payload in bytes.split(|byte| *byte == 0x1E).take(8) {
        let _ = journal.append(NewEntry { recorded_at: now(), now: now(), actor: "olga", payload });
    }
    drop(journal);
    open(&disk);
}
