//! The binary against its own `playground`: both ways to renew a license, over TLS.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Shell;
use super::binary::{BINARY, json, run};

/// Lines of the introduction that are read before the playground counts as closed.
const LINES_MAX: usize = 100;

/// The simulated outside, until it is dropped.
struct Playground(Child);

impl Playground {
    /// Opens it in that folder of the shell.
    fn open(shell: &Shell) -> Playground {
        let dir = shell.path("playground").display().to_string();
        let mut command = Command::new(BINARY);
        command.args(["playground", "--dir", &dir, "--seconds", "600"]).env_remove("TIDEGAUGE_CONFIG");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut playground = Playground(child.expect("the binary starts"));
        let introduction = BufReader::new(playground.0.stdout.take().expect("its words are ours"));
        let mut lines = introduction.lines().take(LINES_MAX).map_while(Result::ok);
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

#[test]
fn both_ways_to_renew_a_license_work_over_tls_against_the_playground() {
    let shell = Shell::new();
    let _playground = Playground::open(&shell);
    let file = |name: &str| shell.path("playground").join(name).display().to_string();
    let (settings, token, key_file) = (file("tidegauge.toml"), file("token.txt"), file("renewed.lic"));
    let with = |line: &[&str]| run(&shell, &[line, &["--config", &settings]].concat());
    let shown = |line: &[&str]| json(&shell, &[line, &["--config", &settings]].concat());
    for line in [&["sample", "now"][..], &["enrol", "--token-file", &token], &["license", "auto-update", "on"]] {
        let (code, _, why) = with(line);
        assert_eq!(code, 0, "{line:?}: {why}");
    }
    let ends_on = |server: &str| shown(&["license", "show", "--server", server])["license"]["expires_on"].clone();
    let first_end = ends_on("vbr01").as_str().expect("a day").to_owned();
    assert_eq!(ends_on("vbr02"), first_end.as_str());

    for (server, asked) in [("vbr01", Value::Null), ("vbr02", Value::from("vbr02"))] {
        let renewed = shown(&["license", "update", "--server", server]);
        let check = &renewed["last_check"];
        assert_eq!((&check["result"], &check["server"]), (&Value::from(1), &asked), "{renewed:#}");
        assert_eq!(check["message"], "New license key has been received");
        assert!(renewed["license"]["expires_on"].as_str() > Some(first_end.as_str()), "{renewed:#}");
    }
    let again = shown(&["license", "update", "--server", "vbr02"]);
    assert_eq!(again["last_check"]["message"], "Veeam Backup and Replication: License key is up-to-date");

    let nonsense = shell.file("nonsense.lic", "no key");
    let before = ends_on("vbr02");
    let (code, out, why) = with(&["license", "install", &nonsense, "--server", "vbr02"]);
    assert_eq!((code, out.as_str(), ends_on("vbr02")), (65, "", before.clone()), "{why}");
    let installed = shown(&["license", "install", &key_file, "--server", "vbr02"]);
    assert!(installed["license"]["expires_on"].as_str() > before.as_str(), "{installed:#}");
    assert_eq!(with(&["sample", "now", "--server", "vbr02"]).0, 0);
    assert_eq!(ends_on("vbr02"), installed["license"]["expires_on"], "the next sample shows it too");

    let history = shown(&["license", "history", "--server", "vbr02"]);
    let results = history["sessions"].as_array().expect("sessions").iter().map(|session| session["result"].clone());
    assert_eq!(results.collect::<Vec<Value>>(), [1, 2, 3, 1].map(Value::from), "{history:#}");
    assert_eq!(with(&["store", "verify"]).0, 0);
}
