//! Five hundred servers behind one Service Provider Console, over a real socket: one read, page by page.

use std::sync::{Arc, Mutex};

use tidegauge::agent::{Agent, Doors, Duty, Hour, Place, Work, carry_out};
use tidegauge::config::{ServerSettings, Settings};
use tidegauge::domain::Instant;
use tidegauge::doors::peer::{HttpPeer, PeerSettings, SecretPlace, Trust};
use tidegauge::ports::files::RealFiles;
use tidegauge::ports::serve;
use tidegauge::ports::wire::RealWire;
use tidegauge::simulation::chance::SeededChance;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vspc::{Role, Vspc};

use super::far_side::ANYWHERE;

const SERVERS: usize = 500;
const MACHINES: u32 = 4;
const SEED: u64 = 4;
/// Six lists, of which each holds at most so many pages.
const ASKS_MAX: u32 = 6 * 6;

#[tokio::test]
async fn five_hundred_servers_of_one_console_are_one_short_read() {
    println!("seed {SEED}");
    let begins_at: Instant = "2026-11-02T09:00:00Z".parse().expect("an instant");
    let (clock, folder) = (SimulatedClock::at(begins_at), tempfile::tempdir().expect("a temporary folder"));
    let vspc = Vspc::new(Arc::new(clock.clone()), "tidegauge", "secret", "a key");
    for number in 0..SERVERS {
        let name = format!("vbr{number:03}");
        let estate = Estate::new(EstatePlan::new(SEED, &name, begins_at, MACHINES));
        vspc.manage(&name, Role::Client, Arc::new(Mutex::new(estate)));
    }
    let served = serve::plain(ANYWHERE, vspc.router(), std::future::pending()).await.expect("a free port");
    let key = folder.path().join("key");
    super::write_private(&key, "a key");
    let reach = PeerSettings::Http(HttpPeer {
        base_url: format!("http://127.0.0.1:{}", served.address.port()),
        trust: Trust::System,
        login: None,
        api_key: Some(SecretPlace::File(key)),
    });
    let mut settings = Settings { state_dir: folder.path().join("state"), ..Settings::default() };
    settings.servers.push(ServerSettings::new("vspc", "vspc", reach).expect("a source of ours"));
    let wire = RealWire::new(settings.peers());
    let doors = Doors { files: Arc::new(RealFiles), chance: Box::new(SeededChance::new(SEED)) };
    let place = Place::Folder(settings.state_dir.clone());
    let hour = Hour::at(begins_at);
    let (mut agent, _) = Agent::open(settings, place, doors, hour).expect("a fresh store");
    let duty = Duty::Collect { server: "vspc".to_owned() };
    let Ok(Work::Talk(talk)) = agent.begin(&duty, hour) else { panic!("a console is asked") };
    let outcome = carry_out(talk, &wire).await;
    agent.finish(&duty, outcome, hour).expect("the store is well");
    let asked: u32 = vspc.asked().values().sum();
    assert!(asked <= ASKS_MAX, "{asked} requests: {:?}", vspc.asked());
    for number in 0..SERVERS {
        let server = format!("vbr{number:03}@vspc");
        let newest = agent.store().newest_sample_at(&server, begins_at).expect("the store is well");
        assert_eq!(newest, Some(begins_at), "{server}");
    }
}
