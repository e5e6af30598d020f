//! Conversations as simulated servers answer them.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use tidegauge::ask::{Answer, Ask, Conversation};
use tidegauge::domain::Instant;
use tidegauge::doors::Clock;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::enterprise_manager::{self, EnterpriseManager};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::Vbr;
use tidegauge::simulation::vspc::{self, Role, Vspc};
use tidegauge::simulation::wire::{API_KEY, PASSWORD, USERNAME, carry_to};
use tidegauge::sources::finalizing;
use tidegauge::sources::renewing::{self, Deed};
use tidegauge::sources::snapshot_file::parse;
use tidegauge::sources::{Brief, SignsIn, SourceSettings, Sweep, TenantsFrom, source_named};

use super::super::entries::{Answered, script};
use super::Made;

const NOW: &str = "2026-10-20T09:30:00Z";

fn now() -> Instant {
    NOW.parse().expect("an instant")
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SimulatedClock::at(now()))
}

fn estate(name: &str, machines: u32) -> Arc<Mutex<Estate>> {
    let begins_at = "2026-10-01T00:00:00Z".parse().expect("an instant");
    Arc::new(Mutex::new(Estate::new(EstatePlan::new(3, name, begins_at, machines))))
}

fn sites(name: &str, machines: u32) -> Arc<Mutex<Estate>> {
    let begins_at = "2026-10-01T00:00:00Z".parse().expect("an instant");
    Arc::new(Mutex::new(Estate::new(EstatePlan::new(5, name, begins_at, machines).cloud_connect())))
}

fn brief() -> Brief {
    Brief {
        server: "vbr01".to_owned(),
        now: now(),
        previous: None,
        sweep: Sweep::Since,
        settings: SourceSettings::default(),
        known: Vec::new(),
        remembered: Default::default(),
    }
}

/// Servers by their peers' names, and what they answered.
struct Outside {
    routers: Vec<(&'static str, axum::Router)>,
    heard: RefCell<Vec<Answered>>,
}

impl Outside {
    fn of(router: axum::Router) -> Outside {
        Outside { routers: vec![("vbr01", router)], heard: RefCell::default() }
    }

    fn carry(&self, ask: Ask) -> Answer {
        let Ask::Http(ask) = ask else { panic!("a server is asked over HTTP") };
        let found = self.routers.iter().find(|(peer, _)| *peer == ask.peer).expect("a known peer");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
        let answer = runtime.block_on(carry_to(found.1.clone(), &ask));
        self.heard.borrow_mut().push(Answered::of(&answer));
        answer
    }

    /// The whole conversation as a script.
    fn script<C: Conversation + ?Sized>(&self, manner: &str, talk: &mut C) -> Vec<u8> {
        self.heard.borrow_mut().clear();
        let done = crate::sources::driver::drive(talk, |ask| self.carry(ask));
        assert!(done.is_ok(), "a simulated server is well: {manner}");
        script(manner, &self.heard.borrow())
    }
}

pub fn make(made: &mut Made) {
    vbr(made);
    vspc(made);
    enterprise_manager(made);
    folder(made);
}

fn vbr(made: &mut Made) {
    let row = source_named("vbr").expect("a row");
    let server = Vbr::new(estate("vbr01", 3), clock(), USERNAME, PASSWORD);
    let outside = Outside::of(server.router());
    let mut put = |name: &str, bytes| made.insert(("vbr", name.to_owned()), bytes);
    put("first", outside.script("collect", (row.open)(brief()).as_mut()));
    put("full", outside.script("full", (row.open)(Brief { sweep: Sweep::Full, ..brief() }).as_mut()));
    let before = include_bytes!("../../../../fuzz/corpus/samples/snapshot.json");
    let previous = parse("before.json", before, now()).expect("a snapshot").pop().map(Arc::new);
    put("previous", outside.script("previous", (row.open)(Brief { previous, ..brief() }).as_mut()));
    let from = TenantsFrom { manager: "em01".to_owned(), known_as: vec!["cc01".to_owned()], others: Vec::new() };
    let site = sites("cc01", 4);
    let server = Vbr::new(Arc::clone(&site), clock(), USERNAME, PASSWORD);
    let manager = EnterpriseManager::new(vec![("cc01".to_owned(), site)], clock());
    let both = vec![("vbr01", server.router()), ("em01", manager.router())];
    let two = Outside { routers: both, heard: RefCell::default() };
    let settings = SourceSettings { tenants_from: Some(from), ..SourceSettings::default() };
    put("tenants", two.script("tenants", (row.open)(Brief { settings, ..brief() }).as_mut()));
    let renew = row.renew.expect("a backup server renews");
    let errand = |deed| renewing::Errand { server: "vbr01".to_owned(), settings: SourceSettings::default(), deed };
    put("renew", outside.script("renew", renew(errand(Deed::Update)).as_mut()));
    put("renew_again", outside.script("renew", renew(errand(Deed::Update)).as_mut()));
    put(
        "install_refused",
        outside.script("install", renew(errand(Deed::Install { file: b"a key".to_vec() })).as_mut()),
    );
}

fn vspc(made: &mut Made) {
    let row = source_named("vspc").expect("a row");
    let console = Vspc::new(clock(), USERNAME, PASSWORD, API_KEY);
    console.manage("vbr02", Role::Client, estate("vbr02", 3));
    console.manage("vcc01", Role::CloudConnect, sites("vcc01", 3));
    let outside = Outside::of(console.router());
    let mut put = |name: &str, bytes| made.insert(("vspc", name.to_owned()), bytes);
    put("first", outside.script("collect", (row.open)(brief()).as_mut()));
    let mut by_key = brief();
    by_key.settings.signs_in = SignsIn::ApiKey;
    put("key", outside.script("key", (row.open)(by_key).as_mut()));
    let reports = row.monthly_reports.expect("a console makes reports");
    let month = "2026-09".parse().expect("a month");
    let faults = [
        ("report", &[][..]),
        ("report_dated", &[vspc::Fault::DatedReports]),
        ("report_by_generation", &[vspc::Fault::ReportsByGeneration]),
    ];
    for (name, faults) in faults {
        console.set_faults(faults);
        put(name, outside.script("report", (reports.read)(brief(), month).as_mut()));
    }
    console.set_faults(&[]);
    let read = crate::sources::driver::drive((reports.read)(brief(), month).as_mut(), |ask| outside.carry(ask));
    let compared = read.expect("the console is well").expect("a report");
    let request_id = uuid::Uuid::from_u128(1);
    let errand = finalizing::Errand { brief: brief(), compared, request_id };
    put("finalize", outside.script("finalize", (reports.finalize)(errand).as_mut()));
}

fn enterprise_manager(made: &mut Made) {
    let row = source_named("enterprise_manager").expect("a row");
    let manager = EnterpriseManager::new(vec![("vbr01".to_owned(), sites("cc01", 4))], clock());
    let outside = Outside::of(manager.router());
    let faults = [
        ("json", &[][..]),
        ("xml", &[enterprise_manager::Fault::OnlyXml]),
        ("one_by_one", &[enterprise_manager::Fault::NoQuery]),
    ];
    for (name, faults) in faults {
        manager.set_faults(faults);
        let bytes = outside.script("collect", (row.open)(brief()).as_mut());
        made.insert(("enterprise_manager", name.to_owned()), bytes);
    }
}

fn folder(made: &mut Made) {
    let before = include_bytes!("../../../../fuzz/corpus/samples/snapshot.json").to_vec();
    let answered = |body: &[u8]| Answered { status: 200, headers: Vec::new(), body: body.to_vec() };
    let listed = [answered(b"a.json\nb.json"), answered(&before), answered(b"[]")];
    made.insert(("snapshot_folder", "two".to_owned()), script("", &listed));
}
