//! Outages in the middle of ingest: what was acknowledged stands, and nothing stands twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use tidegauge::doors::Chance;
use tidegauge::license_server::LicenseServer;
use tidegauge::ports::files::RealFiles;
use tidegauge::protocol::Kind;

use super::fleet::{AGENTS, Fleet, Taken, body, keyed, message};
use crate::accounts::at;
use crate::process::killing::Killing;
use crate::process::running::Running;

/// A command that lets the primary of the tests' PostgreSQL die and promotes its standby.
const FAILOVER: &str = "TIDEGAUGE_POSTGRES_FAILOVER";
/// Commands that let the synchronous standby stand still, and go on.
const FREEZE: &str = "TIDEGAUGE_POSTGRES_FREEZE";
const THAW: &str = "TIDEGAUGE_POSTGRES_THAW";
/// Messages of each agent in one round.
const MESSAGES: u64 = 40;
/// Longest wait for messages to be acknowledged.
const PATIENCE: Duration = Duration::from_secs(60);

/// `license-server run` on the database and any free port; and where it listens.
fn serving(url: &str, state: &Path) -> (Running, String) {
    let state = state.display().to_string();
    let arguments = ["license-server", "run", "--listen", "127.0.0.1:0", "--database", url, "--state", &state];
    let (running, ready) = Running::start(&arguments.map(str::to_owned), "license_server.ready");
    let url = ready["url"].as_str().expect("it says where it is");
    (running, url.trim_start_matches("http://").to_owned())
}

/// Two servers of one signing key, each with its own state directory.
fn two_servers(url: &str, folder: &Path) -> [(Running, String); 2] {
    ["a", "b"].map(|name| {
        let state = folder.join(name);
        keyed(&state);
        serving(url, &state)
    })
}

fn command(command: &str) {
    let status = std::process::Command::new("sh").args(["-c", command]).status().expect("sh is there");
    assert!(status.success(), "{command}");
}

/// Every message that was sent is on file once, with the receipt that was given for it.
fn check(url: &str, folder: &Path, fleet: &Fleet, taken: &[Taken], numbers: u64) {
    let office = LicenseServer::open_on_database(&RealFiles, &folder.join("a"), super::at(url)).expect("it is there");
    let state = office.state();
    for Taken { agent, number, receipt } in taken {
        let on_file = state.messages.get(&message(*agent, *number).id).map(|one| &one.receipt);
        assert_eq!(on_file, Some(receipt), "message {number} of agent {agent}");
    }
    let sent: BTreeMap<String, u64> =
        (0..AGENTS).flat_map(|agent| (0..numbers).map(move |number| (message(agent, number).id, agent))).collect();
    assert!(state.messages.keys().eq(sent.keys()), "{} sent, {} on file", sent.len(), state.messages.len());
    assert!(state.messages.values().all(|message| message.conflicts.is_empty()));
    let verified = office.verify().expect("it answers");
    assert_eq!((verified.entries, verified.wrong), (Fleet::entries(sent.len()), Vec::<String>::new()), "none twice");
    assert_eq!(office.verifying_key(), fleet.server);
    println!("{} receipts stand, {} messages in {} chains", taken.len(), sent.len(), verified.chains);
}

#[test]
fn of_two_servers_on_one_database_one_is_killed_and_nothing_is_lost_or_doubled() {
    let Some(url) = super::fresh_url() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let [(mut one, address), (mut other, second)] = two_servers(&url, folder);
    let fleet = Fleet::enrolled(&super::at(&url), &folder.join("a"));
    let addresses = Mutex::new(vec![address, second]);
    let mut killing = Killing::new("two license servers", 47);
    let (mut taken, mut numbers) = (Vec::new(), 0);
    while killing.goes_on() {
        let (tell, told) = channel();
        let round = numbers..numbers + MESSAGES;
        numbers = round.end;
        std::thread::scope(|scope| {
            let (fleet, addresses) = (&fleet, &addresses);
            scope.spawn(move || fleet.send(addresses, round, &tell));
            taken.extend(killing.wait(&told));
            let (which, dies) = if killing.chance.below(2) == 0 { (0, &mut one) } else { (1, &mut other) };
            dies.kill();
            let (running, address) = serving(&url, &folder.join(["a", "b"][which]));
            *dies = running;
            addresses.lock().expect("nobody panicked")[which] = address;
            taken.extend(told.iter());
        });
    }
    check(&url, folder, &fleet, &taken, numbers);
    assert_eq!(taken.len() as u64, AGENTS * numbers);
    one.terminate();
    other.terminate();
}

#[test]
fn when_the_primary_dies_and_its_standby_takes_over_each_message_is_taken_once() {
    let Ok(failover) = std::env::var(FAILOVER) else { return };
    let Some(url) = super::fresh_url() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let [(mut one, address), (mut other, second)] = two_servers(&url, folder);
    let fleet = Fleet::enrolled(&super::at(&url), &folder.join("a"));
    let addresses = Mutex::new(vec![address, second]);
    let numbers = 5 * MESSAGES;
    let (tell, told) = channel();
    let mut taken = Vec::new();
    std::thread::scope(|scope| {
        let (fleet, addresses) = (&fleet, &addresses);
        scope.spawn(move || fleet.send(addresses, 0..numbers, &tell));
        while taken.len() < 200 {
            taken.push(told.recv_timeout(PATIENCE).expect("messages are acknowledged"));
        }
        command(&failover);
        let before = taken.len();
        taken.extend(told.iter());
        println!("{before} receipts before the primary died, {} after", taken.len() - before);
    });
    check(&url, folder, &fleet, &taken, numbers);
    assert_eq!(taken.len() as u64, AGENTS * numbers);
    one.terminate();
    other.terminate();
}

/// A commit that waited for its standby and was cut off stands on the primary alone, and whoever looks there sees it.
#[test]
fn what_the_standby_does_not_have_is_not_acknowledged() {
    let (Ok(freeze), Ok(thaw)) = (std::env::var(FREEZE), std::env::var(THAW)) else { return };
    let Some(url) = super::fresh_url() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    keyed(folder.path());
    let database = super::at(&url);
    Fleet::enrolled(&database, folder.path());
    let open = || LicenseServer::open_on_database(&RealFiles, folder.path(), database.clone()).expect("it is there");
    let (one, other) = (open(), open());
    let body = body(0, 0);
    let take = |server: &LicenseServer| server.take(Kind::Telemetry, body.as_bytes(), at("2026-11-02T00:00:00Z"));
    command(&freeze);
    let waited = take(&one);
    super::run(&database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    // The backend that is told to end does so in its own time.
    let on_file = (0..1000).map(|_| other.state().messages.len()).find(|messages| *messages > 0);
    let again = take(&other);
    command(&thaw);
    assert_eq!((waited.status, on_file, again.status), (503, Some(1), 503), "the primary has it, the standby not");
    // The batch that was cut off frees its locks when the standby has confirmed it.
    let confirmed = (0..4).map(|_| take(&other).status).find(|status| *status != 503);
    assert_eq!(confirmed, Some(200));
    let verified = one.verify().expect("it answers");
    assert_eq!((verified.entries, verified.wrong), (Fleet::entries(1), Vec::<String>::new()));
}
