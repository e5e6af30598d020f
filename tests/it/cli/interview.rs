//! `config init` at a terminal, against a backup server and a mail server on loopback: what is asked, tested and written.

use std::collections::VecDeque;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::Vbr;
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tidegauge::sources::SOURCES;
use tokio::runtime::{Builder, Runtime};

use super::{Ran, Shell, at, is_private};
use crate::doors::far_side::{FarSide, behind_tls};
use crate::doors::mail_server::{MailServer, Script};

/// How a backup server is asked for its workloads.
const CREATE_REPORT: &str = "POST /api/v1/license/createReport";

/// Somebody who knows the answers: how each question begins, and what is typed.
fn answering(shell: &mut Shell, answers: &[(&str, &str)]) -> Arc<Mutex<VecDeque<(String, String)>>> {
    let rest = answers.iter().map(|(question, answer)| ((*question).to_owned(), (*answer).to_owned())).collect();
    let rest: Arc<Mutex<VecDeque<(String, String)>>> = Arc::new(Mutex::new(rest));
    let left = Arc::clone(&rest);
    shell.answers = Arc::new(move |asked| {
        let next = left.lock().expect("nobody panics").pop_front();
        let (begins, answer) = next.unwrap_or_else(|| panic!("nobody has an answer to: {asked}"));
        assert!(asked.contains(&begins), "'{asked}' is asked, and '{begins}' was expected");
        Some(answer)
    });
    rest
}

/// A backup server behind a certificate that no authority of this machine signed; what it was asked is kept.
struct Place {
    runtime: Runtime,
    far: FarSide,
    vbr: Arc<Vbr>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new(shell: &Shell) -> Place {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let estate = EstatePlan::new(3, "vbr01", at("2025-11-15T10:00:00Z"), 12);
        let clock = Arc::new(shell.clock.clone());
        let vbr = Vbr::new(Arc::new(Mutex::new(Estate::new(estate))), clock, USERNAME, PASSWORD);
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let far = runtime.block_on(behind_tls(listened(vbr.router(), &heard), &["127.0.0.1"]));
        Place { runtime, far, vbr, heard }
    }

    fn url(&self) -> String {
        format!("https://{}", self.far.address)
    }

    /// Everything but reading.
    fn changes(&self) -> Vec<String> {
        let heard = self.heard.lock().expect("nobody panics");
        heard.iter().filter(|asked| !asked.starts_with("GET ")).cloned().collect()
    }
}

fn listened(router: Router, heard: &Arc<Mutex<Vec<String>>>) -> Router {
    let heard = Arc::clone(heard);
    router.layer(from_fn(move |request: Request, next: Next| {
        let asked = format!("{} {}", request.method(), request.uri().path());
        heard.lock().expect("nobody panics").push(asked);
        next.run(request)
    }))
}

fn secret(shell: &Shell, name: &str, text: &str) -> String {
    let path = shell.file(name, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

fn init(shell: &Shell, more: &[&str]) -> Ran {
    let out = shell.path("tidegauge.toml").display().to_string();
    shell.run(&[&["config", "init", "--out", &out], more].concat())
}

/// What somebody types who mistakes himself now and then.
fn one_evening<'a>(
    url: &'a str,
    ca_file: &'a str,
    port: &'a str,
    wrong: &'a str,
    good: &'a str,
) -> [(&'a str, &'a str); 24] {
    [
        ("Press Enter", ""),
        ("Time zone", "Middle/Earth"),
        ("Time zone", "Europe/Prague"),
        ("Source [vbr]", ""),
        ("Its address", "http://vbr01.example.net"),
        ("Its address", url),
        ("The same?", "y"),
        ("called here [server1]", "vbr/01"),
        ("called here", "vbr01"),
        ("User name", USERNAME),
        ("File with the password", "nowhere.password"),
        ("File with the password", wrong),
        ("Another login?", "y"),
        ("User name", USERNAME),
        ("File with the password", good),
        ("License Update Server", url),
        ("The same?", ca_file),
        ("Mail server", "127.0.0.1"),
        ("Port [587]", port),
        ("Encryption", "none"),
        ("Sender", "Tidegauge <tide@example.net>"),
        ("Who is told", "licensing@example.net"),
        ("User name", ""),
        ("Send a letter", "y"),
    ]
}

/// The fingerprint as people compare it.
fn in_pairs(fingerprint: &str) -> String {
    let pairs = fingerprint.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase());
    pairs.collect::<Vec<String>>().join(":")
}

#[test]
fn the_answers_are_tested_on_the_server_and_become_settings_with_which_a_sample_is_taken() {
    let mut shell = Shell::new();
    let place = Place::new(&shell);
    let letters = MailServer::begin(Script::default());
    let (good, wrong) = (secret(&shell, "good", PASSWORD), secret(&shell, "wrong", "not-this-one"));
    let (url, ca_file, port) = (place.url(), place.far.ca_file().display().to_string(), letters.port.to_string());
    let left = answering(&mut shell, &one_evening(&url, &ca_file, &port, &wrong, &good));
    let ran = init(&shell, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(left.lock().expect("nobody panics").len(), 0, "every question was asked");
    let fingerprint = place.far.made.fingerprint.to_string();
    for words in [
        "no known authority signed it",
        &in_pairs(&fingerprint),
        "in the clear",
        "nowhere.password",
        "license Rental VBR EnterprisePlus for Example Provider",
        "12 workloads",
        "its API speaks 1.3-rev",
        "licensing@example.net: taken",
    ] {
        assert!(ran.err.contains(words), "'{words}' is not in\n{}", ran.err);
    }
    let path = shell.path("tidegauge.toml");
    assert_eq!(ran.out, format!("{}\n", path.display()));
    assert!(is_private(&path));
    let written = std::fs::read_to_string(&path).expect("it was written");
    assert!(written.contains(&format!("fingerprint_sha256 = \"{fingerprint}\"")), "{written}");
    for secret in [PASSWORD, "not-this-one"] {
        assert!(!format!("{written}{}{}", ran.out, ran.err).contains(secret), "a secret is written or shown");
    }
    let sent = place.changes();
    let is_of_a_sample = |asked: &String| asked.starts_with("POST /api/oauth2/") || asked == CREATE_REPORT;
    assert!(sent.iter().all(is_of_a_sample), "nothing is sent but what a sample sends: {sent:?}");
    assert_eq!(place.vbr.open_tokens(), 0, "it logs out");
    let taken = shell.run(&["sample", "now", "--config", &path.display().to_string()]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert_eq!(letters.heard().mails.len(), 1);
    place.runtime.shutdown_background();
}

#[test]
fn what_is_out_of_reach_is_kept_only_when_the_person_says_so() {
    let mut shell = Shell::new();
    let password = secret(&shell, "password", "secret");
    answering(
        &mut shell,
        &[
            ("Press Enter", ""),
            ("Time zone", "UTC"),
            ("Source", "tape"),
            ("Source", "vbr"),
            ("Its address", "https://127.0.0.1:1"),
            ("Keep this address", ""),
            ("Its address", "https://127.0.0.1:1"),
            ("Keep this address", "y"),
            ("called here", "vbr01"),
            ("User name", "reader"),
            ("File with the password", &password),
            ("License Update Server", ""),
            ("Mail server", ""),
        ],
    );
    let ran = init(&shell, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("there is no source \"tape\"") && ran.err.contains("not reachable"), "{}", ran.err);
    for row in &SOURCES {
        assert!(ran.err.contains(row.name), "{} is not offered", row.name);
    }
    let path = shell.path("tidegauge.toml").display().to_string();
    assert_eq!(shell.run(&["config", "check", "--config", &path]).code, 0);
}

#[test]
fn nothing_is_written_when_the_input_ends_and_nothing_is_overwritten() {
    let mut shell = Shell::new();
    let first = Mutex::new(true);
    shell.answers = Arc::new(move |_| std::mem::take(&mut *first.lock().expect("nobody panics")).then(String::new));
    let ran = init(&shell, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("nothing was written") && !shell.path("tidegauge.toml").exists(), "{}", ran.err);
    shell.answers = Arc::new(|asked| panic!("with --yes nothing is asked: {asked}"));
    assert_eq!(init(&shell, &["--yes"]).code, 0);
    let written = std::fs::read_to_string(shell.path("tidegauge.toml")).expect("it was written");
    assert!(written.contains("# [[server]]"), "every setting stands in it");
    assert_eq!(init(&shell, &[]).code, 8, "before anything is asked");
    assert_eq!(std::fs::read_to_string(shell.path("tidegauge.toml")).expect("it is there"), written);
    shell.answers = Arc::new(|_| None);
    std::fs::remove_file(shell.path("tidegauge.toml")).expect("it is ours");
    assert_eq!(init(&shell, &[]).code, 0, "without a terminal nothing is asked");
    assert_eq!(std::fs::read_to_string(shell.path("tidegauge.toml")).expect("it was written"), written);
}
