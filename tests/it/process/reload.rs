//! Settings read again by a running process: at SIGHUP and by `config reload`; and the watchdog, fed by the owner alone.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tidegauge::ask::{Answer, Ask, HttpAsk};
use tidegauge::domain::Instant;
use tidegauge::doors::peer::Trust;
use tidegauge::doors::{Clock, Wire};
use tidegauge::ports::certificate;
use tidegauge::ports::clock::SystemClock;
use tidegauge::ports::wire::RealWire;

use super::license_server::founded;
use super::running::{Running, Speaker, run};
use crate::cli::snapshot;
use crate::doors::far_side::https;

const PASSWORD: &str = "correct horse battery";

/// A folder with settings, and the agent that runs by them.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new(settings: &str) -> House {
        let house = House { folder: tempfile::tempdir().expect("a temporary directory") };
        house.write(settings);
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The settings below the state directory's.
    fn write(&self, settings: &str) {
        let text = format!("state_dir = \"{}\"\n{settings}", self.path("state").display());
        fs::write(self.path("tidegauge.toml"), text).expect("room");
    }

    fn line(&self, words: &[&str]) -> Vec<String> {
        let settings = self.path("tidegauge.toml").display().to_string();
        words.iter().copied().chain(["--config", &settings]).map(str::to_owned).collect()
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        run(&self.line(words))
    }

    /// A server whose files lie in a folder of its name.
    fn server(&self, name: &str) -> String {
        let spool = self.path(name);
        fs::create_dir_all(&spool).expect("room");
        format!("[[server]]\nname = \"{name}\"\nsource = \"snapshot_folder\"\npath = \"{}\"\n", spool.display())
    }

    fn status(&self) -> Value {
        let (code, out, err) = self.run(&["status", "--json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).expect("JSON")
    }
}

const CONSOLE: &str = "[console]\nlisten = \"127.0.0.1:0\"\n";

#[test]
fn at_sighup_good_settings_are_taken_whole_and_bad_ones_change_nothing() {
    let house = House::new("");
    let one = house.server("one");
    house.write(&format!("{one}{CONSOLE}"));
    let (running, _) = Running::start(&house.line(&["agent"]), "agent.ready");
    let two = house.server("two");
    house.write(&format!("time_zone = \"Europe/Prague\"\n{one}{two}{CONSOLE}"));
    running.hang_up();
    let taken = running.wait_for("settings.taken");
    assert!(
        taken["changed"].as_str().is_some_and(|names| names.contains("server two.path, server two.source, time_zone")),
        "{taken}"
    );
    assert_eq!(taken["left"], "");
    assert_eq!(house.status()["time_zone"], "Europe/Prague");

    let at: Instant = SystemClock.now();
    let file = snapshot("two", &at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), 3).to_string();
    fs::write(house.path("two/two.json"), file).expect("room");
    let (code, _, err) = house.run(&["sample", "now", "--server", "two"]);
    assert_eq!(code, 0, "the other server is sampled: {err}");

    house.write(&format!("time_zon = \"UTC\"\nsample_interval = \"0h\"\n{CONSOLE}"));
    running.hang_up();
    let refused = running.wait_for("settings.refused");
    let (code, _, checked) = house.run(&["config", "check"]);
    assert_eq!(code, 78);
    assert_eq!(format!("tidegauge: {}\n", refused["error"].as_str().expect("words")), checked, "the same words");
    let socket = house.path("state/control.sock");
    let speaker = Speaker::new();
    let asked = speaker.ask(&socket, "/api/v1/status", None).expect("it answers").1;
    assert!(asked["warnings"].to_string().contains("are refused and those before are in force"), "{asked}");
    assert_eq!(asked["servers"].as_array().map(Vec::len), Some(2), "those before");
    assert_eq!(asked["time_zone"], "Europe/Prague");
}

#[test]
fn config_reload_waits_says_what_changed_and_what_is_left_and_fails_with_what_is_wrong() {
    let house = House::new(CONSOLE);
    assert_eq!(house.run(&["config", "reload"]).0, 69, "nobody runs");
    let (running, _) = Running::start(&house.line(&["agent"]), "agent.ready");
    let (code, out, err) = house.run(&["config", "reload"]);
    assert_eq!((code, out.as_str()), (0, "in force; no setting differs from before\n"), "{err}");
    house.write("[policy]\nholidays = [\"2027-01-01\"]\n[console]\nlisten = \"127.0.0.1:1\"\nidle = \"5m\"\n");
    let (code, out, _) = house.run(&["config", "reload"]);
    assert_eq!(code, 0);
    let said = "in force; changed: policy.holidays\nleft until the agent starts again: console.idle, console.listen\n";
    assert_eq!(out, said);
    let wrong = "[console]\nlisten = \"127.0.0.1:0\"\nfour_eyes_points = \"few\"\n";
    house.write(wrong);
    let state = house.path("state").display().to_string();
    let (code, _, err) = house.run(&["config", "reload", "--state", &state]);
    assert_eq!(code, 78);
    assert!(err.contains("four_eyes_points"), "{err}");
    running.wait_for("settings.refused");
    let missing = "[console]\nlisten = \"127.0.0.1:0\"\n".to_owned() + "idle = \"7m\"\n";
    house.write(&missing);
    assert_eq!(house.run(&["config", "reload"]).1, "in force; changed: console.idle, policy.holidays\n");
}

/// One exchange with the console: status line, headers and body as text.
fn exchange(address: &str, head: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "{head}\r\nHost: {address}\r\nContent-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).expect("it hears");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn whoever_is_signed_in_stays_signed_in_and_the_console_obeys_the_other_settings() {
    let house = House::new(CONSOLE);
    let (running, listening) = Running::start(&house.line(&["agent"]), "console.listening");
    let address = listening["address"].as_str().expect("where it listens").to_owned();
    let first = running.wait_for("console.first_sign_in")["file"].as_str().expect("a file").to_owned();
    let link = fs::read_to_string(first).expect("the link");
    let code = link.trim().rsplit('/').next().expect("its code");
    let form = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
    let welcome = exchange(&address, &format!("POST /welcome/{code} HTTP/1.1"), &form);
    let cookie = welcome.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session");
    let cookie = cookie.split(';').next().expect("its value");
    let page = |zone: &str| {
        let answer = exchange(&address, &format!("GET / HTTP/1.1\r\nCookie: {cookie}"), "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{zone}: {answer}");
    };
    page("UTC");
    let elsewhere = |name: &str| {
        let mut connection = TcpStream::connect(&address).expect("it listens");
        let request = format!("GET /sign-in HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("it hears");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("it answers");
        answer.starts_with("HTTP/1.1 200")
    };
    assert!(!elsewhere("tide.example.net"));
    house.write(&format!("time_zone = \"Europe/Prague\"\n{CONSOLE}names = [\"tide.example.net\"]\n"));
    running.wait_for("agent.ready");
    running.hang_up();
    running.wait_for("settings.taken");
    page("Europe/Prague");
    assert!(elsewhere("tide.example.net"), "the console answers to its name");
}

/// Whether the server on this port shows this certificate.
fn shows(address: &str, made: &certificate::Made) -> bool {
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let peer = https(([127, 0, 0, 1], port).into(), Trust::Pinned(made.fingerprint));
    let wire = RealWire::new([("far".to_owned(), peer)].into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    matches!(runtime.block_on(wire.carry(Ask::Http(HttpAsk::get("far", "/")))), Answer::Http(_))
}

fn lay(folder: &Path, made: &certificate::Made) {
    fs::write(folder.join("chain.pem"), &made.certificate_pem).expect("room");
    fs::write(folder.join("key.pem"), &made.key_pem).expect("room");
}

#[test]
fn both_servers_show_another_certificate_after_sighup_and_the_one_before_when_it_is_none() {
    let [before, after] = [(); 2].map(|()| certificate::make(&["127.0.0.1"]).expect("good names"));
    let house = House::new("");
    lay(house.folder.path(), &before);
    let (chain, key) = (house.path("chain.pem").display().to_string(), house.path("key.pem").display().to_string());
    house.write(&format!(
        "{CONSOLE}names = [\"tide.example.net\"]\ntls = {{ certificate_file = \"{chain}\", key_file = \"{key}\" }}\n"
    ));
    founded(&house.path("license-server"), SystemClock.now());
    let state = house.path("license-server").display().to_string();
    let serve = ["license-server", "run", "--listen", "127.0.0.1:0", "--state", &state];
    let serve: Vec<String> =
        serve.into_iter().chain(["--certificates", &chain, "--key", &key]).map(str::to_owned).collect();
    let (server, ready) = Running::start(&serve, "license_server.ready");
    let (agent, listening) = Running::start(&house.line(&["agent"]), "console.listening");
    agent.wait_for("agent.ready");
    let addresses = [&ready["url"], &listening["address"]].map(|value| value.as_str().expect("an address").to_owned());
    let both_show = |made: &certificate::Made| addresses.iter().all(|address| shows(address, made));
    let reload = |events: [&str; 2]| {
        for (running, event) in [&agent, &server].into_iter().zip(events) {
            running.hang_up();
            running.wait_for(event);
        }
    };
    assert!(both_show(&before));
    lay(house.folder.path(), &after);
    assert!(both_show(&before), "until they are told");
    reload(["settings.taken", "certificate.taken"]);
    assert!(both_show(&after));
    fs::write(house.path("chain.pem"), "no certificate").expect("room");
    reload(["settings.refused", "certificate.refused"]);
    assert!(both_show(&after));
}

/// What the process tells its service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &Path) -> Manager {
        let socket = UnixDatagram::bind(path).expect("a free name");
        Manager(socket)
    }

    /// The next words; `None`: silence for so long.
    fn hear(&self, within: Duration) -> Option<String> {
        self.0.set_read_timeout(Some(within)).expect("a time");
        let mut words = [0; 512];
        let len = self.0.recv(&mut words).ok()?;
        Some(String::from_utf8_lossy(&words[..len]).into_owned())
    }

    fn wait_for(&self, words: &str) -> String {
        std::iter::from_fn(|| self.hear(Duration::from_secs(60)))
            .find(|heard| heard.contains(words))
            .expect("it says so")
    }
}

/// Every fed watchdog gets word at half this time.
const WATCHDOG: Duration = Duration::from_secs(2);

#[test]
fn the_service_manager_hears_of_reloads_and_nothing_of_an_owner_that_hangs() {
    let house = House::new(CONSOLE);
    let manager = Manager::at(&house.path("notify"));
    let variables = [
        ("NOTIFY_SOCKET", house.path("notify").display().to_string()),
        ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()),
    ];
    let (running, _) = Running::start_with(&house.line(&["agent"]), &variables, "agent.ready");
    manager.wait_for("READY=1");
    running.hang_up();
    let reloading = manager.wait_for("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.wait_for("READY=1");
    running.wait_for("settings.taken");
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }

    // The owner reads a price book that never comes.
    let made = Command::new("mkfifo").arg(house.path("prices.toml")).status().expect("mkfifo is there");
    assert!(made.success());
    house.write(&format!("[billing]\nprice_book = \"{}\"\n{CONSOLE}", house.path("prices.toml").display()));
    running.hang_up();
    running.wait_for("settings.taken");
    let socket = house.path("state/control.sock");
    let asking = std::thread::spawn(move || Speaker::new().ask(&socket, "/api/v1/status", None));
    // It is fed until the question arrives.
    let silent = (0..20).any(|_| std::iter::from_fn(|| manager.hear(WATCHDOG)).take(1).count() == 0);
    assert!(silent, "an owner that hangs is not vouched for by anybody else");
    drop(running);
    assert!(asking.join().expect("it ends with the process").is_none());
}
