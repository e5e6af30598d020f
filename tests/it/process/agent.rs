//! The agent as a process against simulated servers behind sockets, killed while it works and is given orders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tidegauge::domain::{Instant, Month};
use tidegauge::doors::{Chance, Clock};
use tidegauge::license_server::{LicenseServer, Policy, State};
use tidegauge::ports::clock::SystemClock;
use tidegauge::ports::files::RealFiles;
use tidegauge::store::fact::SealedMessage;
use tidegauge::store::{Place, Store};

use super::killing::Killing;
use super::license_server::{founded, serving};
use super::running::{BINARY, Running, Speaker, run};
use crate::cli::snapshot;

/// Servers with a past: months whose reports are owed.
const OLD: [&str; 2] = ["old01", "old02"];
const MONTHS: usize = 6;
/// The server whose samples are imported while the agent is killed.
const FED: &str = "fed01";
/// Looks at what is owed, a moment apart.
const LOOKS_MAX: u32 = 240;
/// Lines of the playground's introduction.
const LINES_MAX: usize = 100;

/// The outside, which is never killed here: servers and mail.
struct Playground(Child);

impl Playground {
    fn open(folder: &Path) -> Playground {
        let mut command = Command::new(BINARY);
        command.args(["playground", "--dir"]).arg(folder).args(["--seconds", "900"]).env_remove("TIDEGAUGE_CONFIG");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut playground = Playground(child.expect("the binary starts"));
        let words = BufReader::new(playground.0.stdout.take().expect("its words are ours"));
        let mut lines = words.lines().take(LINES_MAX).map_while(Result::ok);
        assert!(lines.any(|line| line.contains("tidegauge agent")), "the playground opens");
        playground
    }
}

/// A failed test leaves no process behind.
impl Drop for Playground {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One provider with its License Update Server, in a folder.
struct House {
    folder: tempfile::TempDir,
    _playground: Playground,
    speaker: Speaker,
    now: Instant,
    address: String,
}

impl House {
    /// With two months of two servers that are owed, enrolled, nothing sent.
    fn founded() -> (House, Running) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let playground = Playground::open(&folder.path().join("playground"));
        let now = SystemClock.now();
        let (token, _) = founded(&folder.path().join("license-server"), now);
        let (server, address) = serving(&folder.path().join("license-server"), "127.0.0.1:0");
        let house = House { folder, _playground: playground, speaker: Speaker::new(), now, address };
        fs::write(house.path("token"), token.to_text().expose_secret()).expect("room");
        house.write_settings();
        house.make_past();
        house.must(&["enrol", "--token-file", &house.path("token").display().to_string()]);
        for server in OLD {
            house.must(&["license", "auto-update", "on", "--server", server]);
        }
        (house, server)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reports that are owed: of each old server, half a year.
    fn reports(&self) -> Vec<(&'static str, Month)> {
        let newest = Month::of(self.now).previous();
        let months: Vec<Month> =
            std::iter::successors(Some(newest), |month| Some(month.previous())).take(MONTHS).collect();
        OLD.iter().flat_map(|&server| months.iter().map(move |&month| (server, month))).collect()
    }

    /// Imports each month's samples and builds its report.
    fn make_past(&self) {
        let mut line = vec!["sample".to_owned(), "import".to_owned()];
        for (server, month) in self.reports() {
            for at in [month.starts_at() + TimeDelta::days(9), month.ends_at() - TimeDelta::minutes(10)] {
                let file = self.path(&format!("{server}-{}.json", at.timestamp()));
                fs::write(&file, snapshot(server, &text_of(at), 4).to_string()).expect("room");
                line.push(file.display().to_string());
            }
        }
        self.must(&line.iter().map(String::as_str).collect::<Vec<_>>());
        for (server, month) in self.reports() {
            let (month, built) = (month.to_string(), text_of(month.ends_at()));
            self.must(&["report", "generate", "--server", server, "--month", &month, "--now", &built]);
        }
    }

    /// The playground's, with the License Update Server that is killed and a sample each minute.
    fn write_settings(&self) {
        let text = fs::read_to_string(self.path("playground/tidegauge.toml")).expect("the playground writes it");
        let (servers, rest) = text.split_once("[license_server]").expect("it has one");
        let mail = &rest[rest.find("[mail]").expect("it has one")..];
        let settings = format!(
            "sample_interval = \"1m\"\n{servers}[console]\nlisten = \"127.0.0.1:0\"\n[license_server]\nurl = \"http://{}\"\n{mail}",
            self.address
        );
        fs::write(self.path("tidegauge.toml"), settings).expect("room");
    }

    fn arguments(&self, line: &[&str]) -> Vec<String> {
        let settings = self.path("tidegauge.toml").display().to_string();
        line.iter().copied().chain(["--config", &settings]).map(str::to_owned).collect()
    }

    fn must(&self, line: &[&str]) -> String {
        let (code, out, err) = run(&self.arguments(line));
        assert_eq!(code, 0, "{line:?}: {err}");
        out
    }

    fn agent(&self) -> Running {
        Running::start(&self.arguments(&["agent"]), "agent.ready").0
    }

    fn socket(&self) -> PathBuf {
        self.path("playground/state/control.sock")
    }

    /// Imports samples, each older by a minute, until the agent is gone; tells which it took.
    fn feed(&self, from: i64, taken: &Sender<Instant>) {
        let speaker = Speaker::new();
        for minute in from..from + 100_000 {
            let at = self.fed_at(minute);
            let text = snapshot(FED, &text_of(at), 12).to_string();
            let order = json!({"order": "import_samples", "file": "fed.json", "text": text});
            match speaker.ask(&self.socket(), "/api/v1/orders", Some(&order)) {
                Some((200, _)) => drop(taken.send(at)),
                // It was taken and its answer lost by the kill before.
                Some((409, _)) => {}
                Some(other) => panic!("the import of {at} is answered {other:?}"),
                None => return,
            }
            let report = usize::try_from(minute).expect("small");
            if let Some(&(server, month)) = self.reports().get(report / 3).filter(|_| report % 3 == 0)
                && self.send(&speaker, server, month).is_none()
            {
                return;
            }
        }
    }

    /// Orders a report to be sent; `None` when the agent is gone.
    fn send(&self, speaker: &Speaker, server: &str, month: Month) -> Option<()> {
        let order = json!({"order": "send", "target": {"server": server, "month": month}});
        speaker.ask(&self.socket(), "/api/v1/orders", Some(&order)).map(drop)
    }

    fn fed_at(&self, minute: i64) -> Instant {
        let second = self.now.timestamp() / 60 * 60;
        Instant::from_timestamp(second - 60 * (minute + 1), 0).expect("an instant of this year")
    }

    /// Sees to the reports that are not on their way, and says which are not submitted.
    fn owed(&self) -> Vec<String> {
        let mut owed = Vec::new();
        for (server, month) in self.reports() {
            let path = format!("/api/v1/report?server={server}&month={month}");
            let (_, report) = self.speaker.ask(&self.socket(), &path, None).expect("the agent runs");
            if report["stage"] == "submitted" {
                continue;
            }
            // One that was set back while the far side was down waits for its next try: a person need not.
            self.send(&self.speaker, server, month).expect("the agent runs");
            owed.push(format!("{server} {month}: {}", report["stage"]));
        }
        owed
    }
}

fn text_of(at: Instant) -> String {
    tidegauge::domain::calendar::rfc3339(at)
}

#[test]
fn an_agent_killed_while_it_works_loses_no_order_and_doubles_no_message() {
    let (house, mut server) = House::founded();
    let license_server = house.path("license-server");
    let mut killing = Killing::new("agent", 43);
    let mut imported: BTreeSet<Instant> = BTreeSet::new();
    let mut begun = 0;
    while killing.goes_on() {
        let mut agent = house.agent();
        house.must(&["store", "verify"]);
        let (take, taken) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| house.feed(begun, &take));
            imported.extend(killing.wait(&taken));
            if killing.chance.below(3) == 0 {
                server.kill();
                server = serving(&license_server, &house.address).0;
            }
            agent.kill();
        });
        imported.extend(taken.try_iter());
        begun = i64::try_from(imported.len()).expect("few");
    }
    let mut agent = house.agent();
    let mut owed = house.owed();
    for _ in 0..LOOKS_MAX {
        if owed.is_empty() {
            break;
        }
        agent.listen();
        owed = house.owed();
    }
    assert!(owed.is_empty(), "{owed:#?}");
    agent.terminate();
    server.terminate();
    let place = Place::Folder(house.path("playground/state"));
    let (store, opening) = Store::open(&place, Arc::new(RealFiles)).expect("the lock is free");
    assert!(opening.rebuilt.is_none(), "{opening}");
    store.verify().expect("in order");
    let span = house.now - TimeDelta::days(90)..house.now + TimeDelta::days(1);
    let kept: BTreeSet<Instant> = store.sample_times(FED, span).expect("a state").into_iter().collect();
    assert!(!imported.is_empty(), "imports were acknowledged between the kills");
    assert!(imported.is_subset(&kept), "{} imports were acknowledged, {} are there", imported.len(), kept.len());
    let office =
        LicenseServer::open(Arc::new(RealFiles), &license_server, Policy::default()).expect("the lock is free");
    each_once(&store, &office.state(), &house);
}

/// Nothing is sealed twice for a period; whatever has a receipt, every report above all, is what the far side has.
fn each_once(store: &Store, office: &State, house: &House) {
    let sealed: Vec<(String, SealedMessage)> = store.rows("sealed/").expect("a state");
    let mut periods: BTreeMap<(String, &str, String, u32), u32> = BTreeMap::new();
    let mut receipted = 0;
    for (_, message) in &sealed {
        *periods
            .entry((message.unit.clone(), message.kind.as_str(), message.period.clone(), message.revision))
            .or_default() += 1;
        let receipt: Option<Value> = store.row(&format!("receipt/{}", message.id)).expect("a state");
        let Some(receipt) = receipt else { continue };
        let on_file = office.messages.get(&message.id).expect("what has a receipt is on file");
        assert_eq!((&on_file.body, &receipt["conflict"]), (&message.body, &Value::Null));
        receipted += usize::from(message.kind.as_str() == "report");
    }
    assert!(periods.values().all(|&times| times == 1), "{periods:#?}");
    let known: BTreeSet<&String> = sealed.iter().map(|(_, message)| &message.id).collect();
    assert!(office.messages.keys().all(|id| known.contains(id)), "the far side has nothing that was not sealed here");
    assert!(office.messages.values().all(|message| message.conflicts.is_empty()), "nothing was sealed twice");
    let reports = sealed.iter().filter(|(_, message)| message.kind.as_str() == "report").count();
    assert!(receipted >= house.reports().len(), "{receipted} of {reports} reports have a receipt");
    println!("agent: {} messages sealed, {} on file, {reports} reports", sealed.len(), office.messages.len());
}
