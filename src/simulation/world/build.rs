//! Making a world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;

use crate::agent::Order;
use crate::agent::orders::Target;
use crate::config::{LicenseBy, MailSettings, ServerSettings, Settings, SinkSettings, WebhookSettings};
use crate::domain::installation::{entry_of, named_at};
use crate::domain::license::LicenseType;
use crate::domain::{Instant, Points};
use crate::doors::peer::{FolderPeer, HttpPeer, MailAuth, MailPeer, MailTls, PeerSettings, SecretPlace, Trust};
use crate::doors::{Clock, Files};
use crate::license_server::{self, Contract, ContractState, LicenseServer, Policy, Term};
use crate::store::{Place, SurvivingState};

use super::super::chance::SeededChance;
use super::super::clock::SimulatedClock;
use super::super::disk::SimulatedDisk;
use super::super::enterprise_manager::EnterpriseManager;
use super::super::estate::{Estate, EstatePlan};
use super::super::oracle::Oracle;
use super::super::receiver::Receiver;
use super::super::vbr::Vbr;
use super::super::vspc::{Role, Vspc};
use super::super::wire::{API_KEY, PASSWORD, SimulatedWire, USERNAME};
use super::{SimulatedServer, World};

/// Where the simulated License Update Server keeps its journal and key.
pub const LICENSE_SERVER_FOLDER: &str = "/license-server";

/// How a simulated server is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    Vbr,
    /// Its tenants' counts come from an Enterprise Manager of the same name.
    EnterpriseManager,
    SnapshotFolder,
    /// Named by a console: the server's name is `<server>@<console>`.
    Vspc(Role),
}

impl SourceKind {
    fn of(server: &ServerSettings) -> SourceKind {
        match server.source_row().name {
            "vbr" => SourceKind::Vbr,
            "enterprise_manager" => SourceKind::EnterpriseManager,
            "vspc" => SourceKind::Vspc(Role::Client),
            _ => SourceKind::SnapshotFolder,
        }
    }
}

/// One backup server of a plan.
#[derive(Clone, Debug)]
pub struct ServerPlan {
    pub name: String,
    pub source: SourceKind,
    pub estate: EstatePlan,
}

/// How a world begins.
#[derive(Clone, Debug)]
pub struct WorldPlan {
    pub seed: u64,
    pub begins_at: Instant,
    pub servers: Vec<ServerPlan>,
    /// With our License Update Server (closed loop), else beside the vendor.
    pub closed_loop: bool,
    /// Recipients of mails; none: no mail is set up.
    pub mail_to: Vec<String>,
    pub settings: Settings,
}

impl WorldPlan {
    /// One VBR server with so many machines, closed loop, one recipient.
    pub fn small(seed: u64, begins_at: Instant, machines: u32) -> WorldPlan {
        WorldPlan {
            seed,
            begins_at,
            servers: vec![ServerPlan {
                name: "vbr01".to_owned(),
                source: SourceKind::Vbr,
                estate: EstatePlan::new(seed, "vbr01", begins_at, machines),
            }],
            closed_loop: true,
            mail_to: vec!["licensing@example.net".to_owned()],
            settings: Settings::default(),
        }
    }

    /// The agent's own settings: every server of theirs is simulated, each under its own key.
    pub fn rehearsal(seed: u64, begins_at: Instant, machines: u32, settings: Settings) -> WorldPlan {
        let server = |(number, server): (usize, &ServerSettings)| {
            let seed = seed.wrapping_add(number as u64 * 7919);
            let estate = EstatePlan::new(seed, &server.name, begins_at, machines);
            let source = SourceKind::of(server);
            let has_tenants = server.source.tenants_from.is_some() || source == SourceKind::EnterpriseManager;
            let estate = if has_tenants { estate.cloud_connect() } else { estate };
            let name = match source {
                SourceKind::Vspc(_) => named_at("vbr01", &server.name),
                SourceKind::Vbr | SourceKind::EnterpriseManager | SourceKind::SnapshotFolder => server.name.clone(),
            };
            ServerPlan { name, source, estate }
        };
        WorldPlan {
            seed,
            begins_at,
            servers: settings.servers.iter().enumerate().map(server).collect(),
            closed_loop: settings.license_server.is_some(),
            mail_to: settings.mail.as_ref().map(|mail| mail.to.clone()).unwrap_or_default(),
            settings,
        }
    }

    /// The same with servers that are asked to renew their licenses themselves.
    pub fn renewed_by_servers(mut self) -> WorldPlan {
        self.settings.servers = self.servers.iter().filter_map(simulated).collect();
        self.settings.servers.iter_mut().for_each(|server| server.license = LicenseBy::BackupServer);
        self
    }

    /// The same sampled from snapshot files.
    pub fn from_files(mut self) -> WorldPlan {
        self.servers.iter_mut().for_each(|server| server.source = SourceKind::SnapshotFolder);
        self
    }
}

impl World {
    /// The world of a plan on a simulated disk, enrolled and with auto update on when it is a closed loop.
    pub fn new(plan: WorldPlan) -> World {
        let disk = SimulatedDisk::new();
        let place = Place::Surviving { journal: "/state/journal".into(), state: SurvivingState::default() };
        let mut plan = plan;
        plan.settings.state_dir = "/state".into();
        plan.settings.reports_dir = "/reports".into();
        World::on(plan, Arc::new(disk.clone()), place, Some(disk))
    }

    /// The same with the agent's memory somewhere else, such as a real folder.
    pub fn on(plan: WorldPlan, files: Arc<dyn Files>, place: Place, disk: Option<SimulatedDisk>) -> World {
        let clock = SimulatedClock::at(plan.begins_at);
        let wire = SimulatedWire::new(clock.clone());
        let mut consoles = BTreeMap::new();
        let servers = simulated_servers(&plan, &clock, &wire, &mut consoles);
        let managers = connected_managers(&plan, &servers, &clock, &wire);
        let (license_server, license_server_disk) = plan.closed_loop.then(|| license_server(&plan)).unzip();
        let receivers = receivers(&plan.settings, &wire);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
        let mut world = World {
            settings: settings(&plan),
            seed: plan.seed,
            oracle: Oracle::of(plan.seed),
            openings: 0,
            clock_ahead: chrono::TimeDelta::zero(),
            story: Vec::new(),
            kills: BTreeSet::new(),
            kills_done: 0,
            order_kills: Default::default(),
            snapshots: BTreeMap::new(),
            duties_done: 0,
            repair_takes: chrono::TimeDelta::zero(),
            backed_up: None,
            agent: None,
            clock,
            wire,
            servers,
            managers,
            consoles,
            receivers,
            license_server: None,
            license_server_disk,
            disk,
            files,
            place,
            runtime,
        };
        if let Some(server) = license_server {
            world.connect_license_server(server);
        }
        world.open();
        world.begin(plan.seed);
        world
    }

    /// Lets agents reach this License Update Server, and no other.
    pub(super) fn connect_license_server(&mut self, server: Arc<LicenseServer>) {
        let router = license_server::router(Arc::clone(&server), self.wire.clock_of(crate::protocol::PEER));
        self.wire.connect(crate::protocol::PEER, router);
        self.license_server = Some(server);
    }

    /// The first samples, the enrolment and the consent.
    fn begin(&mut self, seed: u64) {
        self.run_until(self.now());
        let Some(server) = self.license_server.clone() else { return };
        if self.agent().enrolment_known() {
            return;
        }
        let order = license_server::Order::IssueToken { contract_id: CONTRACT.to_owned(), url: None };
        let token = server.obey(order, "operator", self.now(), &mut SeededChance::new(seed));
        let token = token.ok().flatten().expect("the contract is on file");
        self.keep_token_secret(&token);
        let token = token.to_text().expose_secret().to_owned();
        self.order(Order::Enrol { token }, "admin").expect("a fresh token enrols");
        let target = Target::default();
        self.order(Order::AutoUpdate { target, on: true }, "admin").expect("a sampled unit can be switched on");
    }
}

/// The contract of every simulated provider.
const CONTRACT: &str = "C-2026-001";

fn simulated_servers(
    plan: &WorldPlan,
    clock: &SimulatedClock,
    wire: &SimulatedWire,
    consoles: &mut BTreeMap<String, Arc<Vspc>>,
) -> BTreeMap<String, SimulatedServer> {
    let mut servers = BTreeMap::new();
    for server in &plan.servers {
        let estate = Arc::new(Mutex::new(Estate::new(server.estate.clone())));
        let vbr = Vbr::new(Arc::clone(&estate), Arc::new(clock.clone()) as Arc<dyn Clock>, USERNAME, PASSWORD);
        match server.source {
            SourceKind::Vbr | SourceKind::EnterpriseManager | SourceKind::SnapshotFolder => {
                wire.connect(&server.name, vbr.router())
            }
            SourceKind::Vspc(role) => manage(consoles, &server.name, role, &estate, clock, wire),
        }
        servers.insert(server.name.clone(), SimulatedServer { estate, vbr, source: server.source });
    }
    servers
}

/// Enterprise Managers: those that name tenants of the plan's servers, and those that stand for a server themselves.
fn connected_managers(
    plan: &WorldPlan,
    servers: &BTreeMap<String, SimulatedServer>,
    clock: &SimulatedClock,
    wire: &SimulatedWire,
) -> BTreeMap<String, Arc<EnterpriseManager>> {
    let estate_of = |name: &str| servers.get(name).map(|server| (name.to_owned(), Arc::clone(&server.estate)));
    let alone = plan.servers.iter().filter(|server| server.source == SourceKind::EnterpriseManager);
    let alone = alone.map(|server| (server.name.clone(), estate_of(&server.name).into_iter().collect()));
    let naming = plan.settings.managers.iter().map(|manager| {
        let is_named = |server: &&ServerSettings| {
            server.source.tenants_from.as_ref().is_some_and(|from| from.manager == manager.name)
        };
        let named = plan.settings.servers.iter().filter(is_named).filter_map(|server| estate_of(&server.name));
        (manager.name.clone(), named.collect::<Vec<_>>())
    });
    let connected = |(name, managed): (String, Vec<_>)| {
        let manager = EnterpriseManager::new(managed, Arc::new(clock.clone()));
        wire.connect(&name, manager.router());
        (name, manager)
    };
    alone.chain(naming).map(connected).collect()
}

/// Every endpoint and sink of the settings.
fn receivers(settings: &Settings, wire: &SimulatedWire) -> BTreeMap<String, Receiver> {
    let webhooks = settings.webhooks.iter().map(WebhookSettings::peer);
    let peers = webhooks.chain(settings.usage_sinks.iter().map(SinkSettings::peer));
    let connected = |peer: String| {
        let receiver = Receiver::default();
        wire.connect(&peer, receiver.router());
        (peer, receiver)
    };
    peers.map(connected).collect()
}

/// Has the server's console manage it; a console that is not there yet is made.
fn manage(
    consoles: &mut BTreeMap<String, Arc<Vspc>>,
    server: &str,
    role: Role,
    estate: &Arc<Mutex<Estate>>,
    clock: &SimulatedClock,
    wire: &SimulatedWire,
) {
    let console = entry_of(server);
    let vspc = consoles.entry(console.to_owned()).or_insert_with(|| {
        let vspc = Vspc::new(Arc::new(clock.clone()) as Arc<dyn Clock>, USERNAME, PASSWORD, API_KEY);
        wire.connect(console, vspc.router());
        vspc
    });
    let name = server.strip_suffix(&format!("@{console}")).unwrap_or(server);
    vspc.manage(name, role, Arc::clone(estate));
}

/// A License Update Server with the plan's contract, and the contract's id, for serving it elsewhere.
pub fn playground_license_server(plan: &WorldPlan) -> (Arc<LicenseServer>, String) {
    (license_server(plan).0, CONTRACT.to_owned())
}

/// The server and its disk.
fn license_server(plan: &WorldPlan) -> (Arc<LicenseServer>, SimulatedDisk) {
    let disk = SimulatedDisk::new();
    let files: Arc<dyn Files> = Arc::new(disk.clone());
    let folder = Path::new(LICENSE_SERVER_FOLDER);
    let mut chance = SeededChance::new(plan.seed ^ 0x5eed);
    license_server::new_signing_key(files.as_ref(), folder, &mut chance).expect("an empty simulated disk takes a key");
    let server = LicenseServer::open(files, folder, Policy::default()).expect("a simulated disk opens");
    let license = plan.servers.first().map(|server| server.estate.license.clone()).unwrap_or_default();
    let contract = Contract {
        id: CONTRACT.to_owned(),
        licensed_to: license.licensed_to.unwrap_or_else(|| "Example Provider".to_owned()),
        support_id: license.support_id.unwrap_or_else(|| "01234567".to_owned()),
        kind: LicenseType::Rental,
        product: license.product.unwrap_or_else(|| "VBR".to_owned()),
        edition: license.edition.unwrap_or_else(|| "EnterprisePlus".to_owned()),
        package: license.package,
        cloud_connect: license.cloud_connect,
        points: license.licensed_points.unwrap_or(Points::whole(10_000)),
        term: Term::Monthly,
        ends_on: None,
        support_expires_on: None,
        state: ContractState::Active,
    };
    let order = license_server::Order::AddContract { contract, url: None };
    server.obey(order, "operator", plan.begins_at, &mut chance).expect("an empty server takes a contract");
    (Arc::new(server), disk)
}

fn settings(plan: &WorldPlan) -> Settings {
    let mut settings = plan.settings.clone();
    let own = std::mem::take(&mut settings.servers);
    settings.servers = plan
        .servers
        .iter()
        .filter_map(|server| match own.iter().find(|own| own.name == entry_of(&server.name)) {
            Some(own) => Some(own.clone()),
            None => simulated(server),
        })
        .collect();
    // A console stands in the settings once, however many servers it names.
    let mut names = BTreeSet::new();
    settings.servers.retain(|server| names.insert(server.name.clone()));
    settings.license_server = plan.closed_loop.then(|| peer("license.example.net"));
    let server = MailPeer {
        host: "smtp.example.net".to_owned(),
        port: 587,
        tls: MailTls::Starttls,
        trust: Trust::System,
        auth: MailAuth::Password,
        login: None,
    };
    let to_all = || MailSettings::to_all(server.clone(), "Tidegauge <tidegauge@example.net>".to_owned(), Vec::new());
    let mail = settings.mail.take().unwrap_or_else(to_all);
    settings.mail = (!plan.mail_to.is_empty()).then(|| MailSettings { server, to: plan.mail_to.clone(), ..mail });
    settings
}

fn peer(host: &str) -> HttpPeer {
    HttpPeer { base_url: format!("https://{host}"), trust: Trust::System, login: None, api_key: None }
}

/// The settings of a server that only the world knows.
fn simulated(server: &ServerPlan) -> Option<ServerSettings> {
    match server.source {
        SourceKind::Vbr => ServerSettings::new(&server.name, "vbr", PeerSettings::Http(peer(&server.name))),
        SourceKind::EnterpriseManager => {
            ServerSettings::new(&server.name, "enterprise_manager", PeerSettings::Http(peer(&server.name)))
        }
        SourceKind::SnapshotFolder => {
            let folder = PeerSettings::Folder(FolderPeer { path: server.name.clone().into() });
            ServerSettings::new(&server.name, "snapshot_folder", folder)
        }
        SourceKind::Vspc(_) => {
            let console = entry_of(&server.name);
            let api_key = Some(SecretPlace::File("api.key".into()));
            ServerSettings::new(console, "vspc", PeerSettings::Http(HttpPeer { api_key, ..peer(console) }))
        }
    }
}
