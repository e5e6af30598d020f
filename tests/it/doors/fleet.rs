//! Five hundred servers in one round, over real sockets: a third of them hang, break or lie, and the others are sampled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use chrono::TimeDelta;
use tempfile::TempDir;
use tidegauge::agent::{Agent, Doors, Duty, FLIGHTS_MAX, Hour, Place, Work, carry_out};
use tidegauge::ask::Setback;
use tidegauge::config::{LicenseBy, ServerSettings, Settings};
use tidegauge::domain::Instant;
use tidegauge::doors::Wire;
use tidegauge::doors::peer::{HttpPeer, Login, PeerSettings, SecretPlace, Trust};
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::serve;
use tidegauge::ports::wire::RealWire;
use tidegauge::rules::schedule::TROUBLED_AT_ONCE_MAX;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::{Fault, Vbr};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::far_side::ANYWHERE;

const SERVERS: usize = 500;
const MACHINES: u32 = 4;
const SEED: u64 = 4;

/// What a server does from the second round on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Good,
    /// Takes the request and answers nothing until it is let go.
    Hangs,
    Breaks,
    Lies,
}

fn manner(number: usize) -> Manner {
    match number % 9 {
        0 => Manner::Hangs,
        3 => Manner::Breaks,
        6 => Manner::Lies,
        _ => Manner::Good,
    }
}

/// What the second-round manners hang on: `false` while servers that hang do so.
struct Fleet {
    settings: Settings,
    clock: SimulatedClock,
    servers: BTreeMap<String, (Manner, Arc<Vbr>)>,
    /// 0: refuse at once; 1: hang; 2: answer as a good server.
    gate: watch::Sender<u8>,
    hanging: Arc<AtomicUsize>,
    folder: TempDir,
}

/// Before every request to a server that hangs.
fn hung(router: Router, gate: &watch::Receiver<u8>, hanging: &Arc<AtomicUsize>) -> Router {
    let (gate, hanging) = (gate.clone(), Arc::clone(hanging));
    router.layer(from_fn(move |request: Request, next: Next| {
        let (mut gate, hanging) = (gate.clone(), Arc::clone(&hanging));
        async move {
            let now = *gate.borrow();
            match now {
                0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                1 => {
                    hanging.fetch_add(1, Ordering::SeqCst);
                    let _ = gate.wait_for(|state| *state == 2).await;
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }
                _ => next.run(request).await,
            }
        }
    }))
}

async fn fleet(begins_at: Instant) -> Fleet {
    let (clock, folder) = (SimulatedClock::at(begins_at), tempfile::tempdir().expect("a temporary folder"));
    let (gate, listening) = watch::channel(0_u8);
    let hanging = Arc::new(AtomicUsize::new(0));
    let password = folder.path().join("password");
    super::write_private(&password, "secret");
    let (mut servers, mut settings) = (BTreeMap::new(), Settings::default());
    settings.state_dir = folder.path().join("state");
    for number in 0..SERVERS {
        let (name, manner) = (format!("vbr{number:03}"), manner(number));
        let estate = Estate::new(EstatePlan::new(SEED, &name, begins_at, MACHINES));
        let vbr = Vbr::new(Arc::new(Mutex::new(estate)), Arc::new(clock.clone()), "tidegauge", "secret");
        vbr.set_faults(match manner {
            Manner::Good | Manner::Hangs => &[],
            Manner::Breaks => &[Fault::HalfAnswers],
            Manner::Lies => &[Fault::MovingTotal],
        });
        let router = if manner == Manner::Hangs { hung(vbr.router(), &listening, &hanging) } else { vbr.router() };
        let served = serve::plain(ANYWHERE, router, std::future::pending()).await.expect("a free port");
        let reach = PeerSettings::Http(HttpPeer {
            base_url: format!("http://127.0.0.1:{}", served.address.port()),
            trust: Trust::System,
            login: Some(Login { username: "tidegauge".to_owned(), password: SecretPlace::File(password.clone()) }),
            api_key: None,
        });
        let mut server = ServerSettings::new(&name, "vbr", reach).expect("a source of ours");
        server.license = LicenseBy::Nobody;
        server.source.revision = Some("1.3-rev2".to_owned());
        settings.servers.push(server);
        servers.insert(name, (manner, vbr));
    }
    Fleet { settings, clock, servers, gate, hanging, folder }
}

/// What one round came to.
#[derive(Default)]
struct Round {
    sampled: Vec<String>,
    missed: Vec<String>,
    most_at_once: usize,
}

type Ended = (Duty, Result<tidegauge::agent::Outcome, Setback>);

impl Fleet {
    fn hour(&self) -> Hour {
        Hour::at(tidegauge::doors::Clock::now(&self.clock))
    }

    /// Begins what is due, up to what may be in flight.
    fn begin(&self, agent: &mut Agent, wire: &Arc<RealWire>, flights: &mut JoinSet<Ended>) {
        while let Some(planned) = agent.next(self.hour().now).expect("the store is well") {
            if self.hour().now < planned.at {
                return;
            }
            match agent.begin(&planned.duty, self.hour()).expect("the store is well") {
                Work::Over => {}
                Work::Talk(talk) => {
                    let (duty, wire) = (planned.duty, Arc::clone(wire));
                    flights.spawn(async move { (duty, carry_out(talk, &*wire as &dyn Wire).await) });
                }
            }
        }
    }

    /// Carries out what is due until `enough`, or until nothing is in flight.
    async fn round(
        &self,
        agent: &mut Agent,
        wire: &Arc<RealWire>,
        flights: &mut JoinSet<Ended>,
        enough: impl Fn(&Round) -> bool,
    ) -> Round {
        let mut round = Round::default();
        loop {
            self.begin(agent, wire, flights);
            round.most_at_once = round.most_at_once.max(flights.len());
            if enough(&round) {
                return round;
            }
            let Some(first) = flights.join_next().await else { return round };
            for ended in std::iter::once(first).chain(std::iter::from_fn(|| flights.try_join_next())) {
                let (duty, outcome) = ended.expect("no flight panics");
                if let Duty::Collect { server } = &duty {
                    if outcome.is_ok() { round.sampled.push(server.clone()) } else { round.missed.push(server.clone()) }
                }
                agent.finish(&duty, outcome, self.hour()).expect("the store is well");
            }
        }
    }
}

#[test]
fn five_hundred_servers_are_sampled_while_a_third_of_them_hangs_breaks_or_lies() {
    println!("seed {SEED}");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let fleet = fleet("2026-11-02T09:00:00Z".parse().unwrap()).await;
        let wire = Arc::new(RealWire::new(fleet.settings.peers()));
        let doors = Doors { files: Arc::new(RealFiles), chance: Box::new(SeededChance::new(SEED)) };
        let place = Place::Folder(fleet.folder.path().join("state"));
        let (mut agent, _) = Agent::open(fleet.settings.clone(), place, doors, fleet.hour()).expect("a fresh store");
        let mut flights = JoinSet::new();

        let first = fleet.round(&mut agent, &wire, &mut flights, |_| false).await;
        let good = |names: &[String]| names.iter().filter(|name| fleet.servers[*name].0 == Manner::Good).count();
        let all_good = fleet.servers.values().filter(|(manner, _)| *manner == Manner::Good).count();
        assert_eq!(
            (first.sampled.len(), good(&first.sampled)),
            (all_good, all_good),
            "bad ones: {:?}",
            first.missed.len()
        );
        assert!(first.most_at_once <= FLIGHTS_MAX, "{} at once", first.most_at_once);

        // An hour later those that hang do so: every other one is sampled although nobody lets them go.
        fleet.gate.send(1).expect("servers listen");
        fleet.clock.set("2026-11-02T10:59:00Z".parse::<Instant>().unwrap() + TimeDelta::seconds(30));
        let second = fleet.round(&mut agent, &wire, &mut flights, |round| good(&round.sampled) == all_good).await;
        assert_eq!(good(&second.sampled), all_good);
        assert!(second.most_at_once <= FLIGHTS_MAX, "{} at once", second.most_at_once);
        let hanging = fleet.hanging.load(Ordering::SeqCst);
        assert!((1..=TROUBLED_AT_ONCE_MAX).contains(&hanging), "{hanging} hang");

        fleet.gate.send(2).expect("servers listen");
        fleet.round(&mut agent, &wire, &mut flights, |_| false).await;
        for (name, (manner, _)) in &fleet.servers {
            let newest = agent.store().newest_sample_at(name, fleet.hour().now).unwrap();
            match manner {
                Manner::Good => assert!(newest.is_some(), "{name}"),
                Manner::Breaks | Manner::Lies => assert_eq!(newest, None, "{name} is never believed"),
                Manner::Hangs => {}
            }
        }
    });
}
