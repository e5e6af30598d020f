//! The License Update Server and an agent that speaks to it, in process.

mod checks; // which check gets a key, message by message
mod fleet; // what needs care, pages, the file
mod fleet_figures; // what monitoring scrapes of it
mod gate; // the rule of both sides, the tolerance, rulings
mod intake; // enrolment, receipts, conflicts, restarts
mod operator;
mod put_back; // a server that was put back to a backup
mod together; // many at once: one sync, nothing lost, nothing doubled

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body as HttpBody;
use axum::http::Request;
use chrono::NaiveDate;
use tidegauge::ask::{Answer, Ask, Body, Conversation, HttpAnswer, Setback, Step};
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::report::{Line, report_id};
use tidegauge::domain::watermark::{Coverage, Daily};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, IsoWeek, Month, Points};
use tidegauge::doors::{Chance, Clock};
use tidegauge::license_server::{
    Contract, ContractState, LicenseServer, Order, Policy, SignedOrder, Term, new_signing_key, operator_router, router,
};
use tidegauge::ports::postgres::Database;
use tidegauge::protocol::{
    self, EnrolmentToken, Kind, LicenseAnswer, LicenseCheck, Message, Occasion, Sent, Submission, Telemetry,
};
use tidegauge::seal::keys::SigningKey;
use tidegauge::simulation::disk::SimulatedDisk;
use tower::ServiceExt;

use crate::postgres;

pub const UNIT: &str = "unit-1";
pub const FOLDER: &str = "/srv/license-server";

pub fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// A clock that is set by hand.
struct WallClock(Mutex<Instant>);

impl Clock for WallClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// Counts up, so that every token differs.
pub struct Counting(pub u8);

impl Chance for Counting {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        u64::from(self.0) % bound
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        bytes.fill(self.0);
    }
}

/// A License Update Server with its operator, and an agent: on a folder, or on a schema of its own in the PostgreSQL of
/// [`postgres::VARIABLE`], by which the same stories are told.
pub struct Office {
    pub disk: SimulatedDisk,
    database: Option<Database>,
    pub server: Arc<LicenseServer>,
    pub agent: SigningKey,
    clock: Arc<WallClock>,
    chance: Counting,
    runtime: tokio::runtime::Runtime,
}

impl Office {
    /// A server with a signing key and no contract, on 1 October 2026.
    pub fn empty() -> Office {
        Office::empty_on(postgres::fresh())
    }

    fn empty_on(database: Option<Database>) -> Office {
        let disk = SimulatedDisk::new();
        let mut chance = Counting(0);
        new_signing_key(&disk, Path::new(FOLDER), &mut chance).unwrap();
        Office {
            server: opened(&disk, database.as_ref()),
            disk,
            database,
            agent: SigningKey::from_secret(&[200; 32]),
            clock: Arc::new(WallClock(Mutex::new(at("2026-10-01T08:00:00Z")))),
            chance,
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
        }
    }

    /// With one contract and its agent enrolled.
    pub fn enrolled() -> Office {
        Office::empty().with_an_agent()
    }

    /// The same on a folder, whatever the others stand on.
    pub fn enrolled_on_a_folder() -> Office {
        Office::empty_on(None).with_an_agent()
    }

    fn with_an_agent(self) -> Office {
        let mut office = self;
        let token = office.order(Order::AddContract { contract: contract(), url: None }).unwrap();
        let agent = office.agent.clone();
        office.enrol(&token, &agent).unwrap();
        office
    }

    /// Enrolled, with October's telemetry and report: the watermark and the points reported.
    pub fn with_october(highest: i64, reported: i64) -> Office {
        let office = Office::enrolled();
        office.now("2026-11-02T06:00:00Z");
        office.send(Kind::Telemetry, &telemetry("2026-W43", "2026-10-20", highest)).unwrap();
        office.send(Kind::Report, &submission("2026-10", 1, reported)).unwrap();
        office
    }

    pub fn now(&self, text: &str) {
        *self.clock.0.lock().unwrap() = at(text);
    }

    pub fn order(&mut self, order: Order) -> Option<EnrolmentToken> {
        self.server.obey(order, "olga", self.clock.now(), &mut self.chance).unwrap()
    }

    /// Opens the folder again, after a loss of power.
    pub fn restart(&mut self) {
        self.disk.power_cut();
        self.disk = self.disk.duplicate();
        self.server = opened(&self.disk, self.database.as_ref());
    }

    /// As the operator's commands open it when no server runs.
    pub fn offline(self) -> LicenseServer {
        self.disk.power_cut();
        let disk = self.disk.duplicate();
        drop(self.server);
        let folder = Path::new(FOLDER);
        match self.database {
            Some(database) => LicenseServer::open_on_database(&disk, folder, database).unwrap(),
            None => LicenseServer::open_as_kept(Arc::new(disk), folder).unwrap(),
        }
    }

    /// Posts bytes and returns status and body.
    pub fn post(&self, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = Request::post(path).body(HttpBody::from(body)).unwrap();
        self.request(request)
    }

    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.request(Request::get(path).body(HttpBody::empty()).unwrap())
    }

    /// Asks over the control socket's paths.
    pub fn control(&self, path: &str, order: Option<&SignedOrder>) -> (u16, serde_json::Value) {
        let chance = Arc::new(Mutex::new(Counting(120)));
        let router = operator_router(self.server.clone(), self.clock.clone(), chance);
        let request = match order {
            None => Request::get(path).body(HttpBody::empty()),
            Some(order) => Request::post(path)
                .header("content-type", "application/json")
                .body(HttpBody::from(serde_json::to_vec(order).unwrap())),
        };
        let (status, body) = self.answered(router, request.unwrap());
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Sends a request as it is.
    pub fn request(&self, request: Request<HttpBody>) -> (u16, Vec<u8>) {
        self.answered(router(self.server.clone(), self.clock.clone()), request)
    }

    fn answered(&self, router: Router, request: Request<HttpBody>) -> (u16, Vec<u8>) {
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
        })
    }

    fn converse<C: Conversation>(&self, mut conversation: C) -> Result<C::Done, Setback> {
        let mut heard = None;
        for _ in 0..4 {
            match conversation.next(heard.take()) {
                Step::Done(done) => return Ok(done),
                Step::Setback(setback) => return Err(setback),
                Step::Ask(Ask::Http(ask)) => {
                    let Body::Bytes(_, body) = ask.body else { panic!("signed bodies only") };
                    let (status, body) = self.post(&ask.path, body);
                    heard = Some(Answer::Http(HttpAnswer { status, headers: Vec::new(), body }));
                }
                Step::Ask(_) => panic!("HTTP only"),
            }
        }
        panic!("an exchange is one ask")
    }

    pub fn enrol(&self, token: &EnrolmentToken, agent: &SigningKey) -> Result<protocol::Enrolled, Setback> {
        self.converse(protocol::enrol(token, "agent-1", agent))
    }

    pub fn send<M: Message + HasId>(&self, kind: Kind, message: &M) -> Result<Sent, Setback> {
        let sealed = protocol::signed(message, &self.agent);
        self.converse(protocol::send_sealed(kind, sealed.as_bytes(), message.id(), &self.server.verifying_key()))
    }

    pub fn check(&self, check: &LicenseCheck) -> Result<LicenseAnswer, Setback> {
        self.converse(protocol::license_check(check, &self.agent, &self.server.verifying_key()))
    }

    /// A check of the unit now, with this license and serial.
    pub fn ask(&self, serial: Option<u64>, license: License) -> LicenseAnswer {
        self.check(&license_check(self.clock.now(), serial, license)).unwrap()
    }
}

fn opened(disk: &SimulatedDisk, database: Option<&Database>) -> Arc<LicenseServer> {
    match database {
        Some(database) => Arc::new(LicenseServer::open_on_database(disk, Path::new(FOLDER), database.clone()).unwrap()),
        None => open(disk),
    }
}

pub fn open(disk: &SimulatedDisk) -> Arc<LicenseServer> {
    Arc::new(LicenseServer::open(Arc::new(disk.clone()), Path::new(FOLDER), Policy::default()).unwrap())
}

pub trait HasId {
    fn id(&self) -> &str;
}

impl HasId for Telemetry {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Submission {
    fn id(&self) -> &str {
        &self.id
    }
}

pub fn contract() -> Contract {
    Contract {
        id: "C-100".to_owned(),
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        kind: LicenseType::Rental,
        product: "VBR".to_owned(),
        edition: "EnterprisePlus".to_owned(),
        package: None,
        cloud_connect: false,
        points: Points::whole(2000),
        term: Term::Monthly,
        ends_on: None,
        support_expires_on: None,
        state: ContractState::Active,
    }
}

/// The block of a backup server whose key ends on this day.
pub fn license(expires_on: &str) -> License {
    License {
        license_id: Some("lic-1".to_owned()),
        kind: LicenseType::Rental,
        support_id: Some("01234567".to_owned()),
        licensed_points: Some(Points::whole(2000)),
        expires_on: Some(expires_on.parse().unwrap()),
        ..License::default()
    }
}

pub fn license_check(asked_at: Instant, serial: Option<u64>, license: License) -> LicenseCheck {
    LicenseCheck {
        schema: LicenseCheck::SCHEMA.to_owned(),
        id: LicenseCheck::id_of(UNIT, asked_at),
        unit: UNIT.to_owned(),
        contract_id: None,
        installations: vec!["inst-2".to_owned(), "inst-1".to_owned()],
        asked_at,
        occasion: Occasion::Scheduled,
        serial,
        key: None,
        receipted: Vec::new(),
        justified: None,
        license,
    }
}

pub fn daily(day: &str, points: i64) -> Daily {
    let day: NaiveDate = day.parse().unwrap();
    Daily { day, points: Some(Points::whole(points)), at: Some(midnight(day)), expected: 24, complete: 24 }
}

/// A week with one marked day.
pub fn telemetry(week: &str, day: &str, points: i64) -> Telemetry {
    let week: IsoWeek = week.parse().unwrap();
    let daily = daily(day, points);
    Telemetry {
        schema: Telemetry::SCHEMA.to_owned(),
        id: Telemetry::id_of(UNIT, week),
        unit: UNIT.to_owned(),
        license_id: None,
        contract_id: None,
        installations: vec!["inst-1".to_owned()],
        week,
        points: daily.points,
        at: daily.at,
        daily: vec![daily],
        by_type: [(WorkloadType::Vm, Points::whole(points))].into(),
        coverage: Coverage { expected: 168, complete: 168 },
        amended_days: Vec::new(),
        counted_in: Default::default(),
        agent_version: None,
        coverage_by_installation: Vec::new(),
    }
}

/// A report of so many points, one a VM.
pub fn submission(of: &str, revision: u32, points: i64) -> Submission {
    let count = u64::try_from(points).unwrap();
    let line = Line {
        server: "vbr01".to_owned(),
        tenant: None,
        kind: WorkloadType::Vm,
        weight: Points::whole(1),
        initial_count: count,
        reported_count: count,
        new_count: 0,
        rental_count: 0,
        points: Points::whole(points),
    };
    Submission {
        schema: Submission::SCHEMA.to_owned(),
        id: report_id(UNIT, month(of), revision),
        unit: UNIT.to_owned(),
        license_id: None,
        contract_id: None,
        installations: vec!["inst-1".to_owned()],
        month: month(of),
        revision,
        generated_at: month(of).ends_at(),
        late: false,
        total_points: Points::whole(points),
        new_count: 0,
        rental_count: 0,
        lines: vec![line],
        daily: Vec::new(),
        coverage: Coverage { expected: 744, complete: 744 },
        digest: "sha256:00".to_owned(),
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        causes: Vec::new(),
        workloads: Vec::new(),
    }
}
