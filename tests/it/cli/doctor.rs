//! `doctor` against servers on loopback: what is seen on the way to them, and what to do about it.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::Value;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::estate::{Estate, EstatePlan};
use tidegauge::simulation::vbr::Vbr;
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tokio::runtime::{Builder, Runtime};

use super::{Ran, Shell, at};
use crate::doors::far_side::{FarSide, behind_tls};
use crate::doors::mail_server::{MailServer, Script};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// A server whose clock says this.
fn saying(date: &'static str) -> Router {
    Router::new().fallback(move || async move { ([("date", date)], "hello") })
}

/// A `[[server]]` behind this far side; its password is in `password`.
fn server(shell: &Shell, name: &str, far: &FarSide) -> String {
    let (ca, password) = (far.ca_file().display().to_string(), shell.path("password").display().to_string());
    format!(
        "[[server]]\nname = \"{name}\"\nsource = \"vbr\"\nurl = \"https://{}\"\nusername = \"{USERNAME}\"\n\
         password_file = \"{password}\"\ntls = {{ ca_file = \"{ca}\" }}\n",
        far.address
    )
}

fn password(shell: &Shell, text: &str) {
    let path = shell.file("password", text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
}

/// State, detail and what to do of the finding of this name.
fn finding(ran: &Ran, name: &str) -> (String, String, String) {
    let shown: Value = serde_json::from_str(&ran.out).expect("JSON");
    let rows = shown["checks"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {shown:#}"));
    let word = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    (word("state"), word("detail"), word("what_to_do"))
}

fn check(ran: &Ran, name: &str, state: &str, detail: &str, what_to_do: &str) {
    let found = finding(ran, name);
    assert_eq!(found.0, state, "{name}: {found:?}");
    assert!(found.1.contains(detail), "{name}: {found:?}");
    assert!(found.2.contains(what_to_do) && found.2.is_empty() == (state == "ok"), "{name}: {found:?}");
}

#[test]
fn the_way_to_each_server_is_seen_and_each_finding_says_what_to_do() {
    let shell = Shell::new();
    let runtime = runtime();
    let (good, late, strange) = runtime.block_on(async {
        let good = behind_tls(saying("Sat, 15 Nov 2025 10:00:30 GMT"), &["127.0.0.1"]).await;
        let late = behind_tls(saying("Sat, 15 Nov 2025 09:20:00 GMT"), &["127.0.0.1"]).await;
        (good, late, behind_tls(saying("Sat, 15 Nov 2025 10:00:30 GMT"), &["127.0.0.1"]).await)
    });
    password(&shell, PASSWORD);
    let mail = MailServer::begin(Script::default());
    let settings = [
        server(&shell, "good", &good),
        server(&shell, "late", &late),
        format!("[license_server]\nurl = \"https://{}\"\n", strange.address),
        format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"a@example.net\"\nto = [\"b@example.net\"]\n",
            mail.port
        ),
    ];
    let config = shell.file("tidegauge.toml", &settings.concat());
    let ran = shell.run(&["doctor", "--json", "--config", &config]);
    assert_eq!(ran.code, 69, "the license server is not trusted: {}", ran.err);
    for name in ["good", "late"] {
        check(&ran, &format!("address of {name}"), "ok", "127.0.0.1 is 127.0.0.1", "");
        check(&ran, &format!("certificate of {name}"), "ok", "valid until 4096-01-01", "");
        check(&ran, name, "ok", "answers (status 200)", "");
    }
    check(&ran, "clock of good", "ok", "agrees", "");
    check(&ran, "clock of late", "warning", "40 minutes apart", "NTP");
    check(&ran, "license_server", "failed", &strange.made.fingerprint.to_string(), "compare the fingerprint");
    check(&ran, "greeting of mail", "ok", "answers", "");
    check(&ran, "schedule", "warning", "no agent runs", "start the agent");
    check(&ran, "permissions", "ok", "closed to others", "");
    check(&ran, "store", "ok", "it opens", "");
    let heard = mail.heard();
    assert!(
        heard.mails.is_empty() && !heard.commands.iter().any(|line| line.starts_with("MAIL")),
        "{:?}",
        heard.commands
    );
    let text = shell.run(&["doctor", "--config", &config]).out;
    assert!(text.contains("What to do:\n") && text.contains("license_server: compare the fingerprint"), "{text}");

    std::fs::set_permissions(shell.path("state"), std::fs::Permissions::from_mode(0o755)).expect("the folder is ours");
    let ran = shell.run(&["doctor", "--json", "--config", &config]);
    check(&ran, "permissions", "warning", "open to everybody", "chmod 700");
    check(&ran, "greeting of mail", "failed", "127.0.0.1", "firewall");
    runtime.shutdown_background();
}

#[test]
fn a_certificate_that_ends_within_a_month_is_told() {
    let mut shell = Shell::new();
    let runtime = runtime();
    let far = runtime.block_on(behind_tls(saying("Sat, 15 Nov 2025 10:00:30 GMT"), &["127.0.0.1"]));
    password(&shell, PASSWORD);
    let config = shell.file("tidegauge.toml", &server(&shell, "vbr01", &far));
    shell.clock = SimulatedClock::at(at("4095-12-20T00:00:00Z"));
    let ran = shell.run(&["doctor", "--json", "--config", &config]);
    check(&ran, "certificate of vbr01", "warning", "valid until 4096-01-01", "renew the certificate");
    runtime.shutdown_background();
}

#[test]
fn with_read_each_source_is_read_once_and_nothing_is_kept() {
    let shell = Shell::new();
    let runtime = runtime();
    let estate = EstatePlan::new(3, "vbr01", at("2025-11-15T10:00:00Z"), 12);
    let clock = Arc::new(shell.clock.clone());
    let vbr = Vbr::new(Arc::new(Mutex::new(Estate::new(estate))), clock, USERNAME, PASSWORD);
    let far = runtime.block_on(behind_tls(vbr.router(), &["127.0.0.1"]));
    let config = shell.file("tidegauge.toml", &server(&shell, "vbr01", &far));
    password(&shell, PASSWORD);
    let ran = shell.run(&["doctor", "--json", "--config", &config]);
    assert!(!ran.out.contains("source vbr01"), "it logs in nowhere unless it is told to");
    assert!(!vbr.asked().keys().any(|path| path.contains("oauth2")), "{:?}", vbr.asked());
    let ran = shell.run(&["doctor", "--read", "--json", "--config", &config]);
    check(&ran, "source vbr01", "ok", "its API speaks 1.3-rev", "");
    assert!(
        ran.out.contains("license Rental VBR EnterprisePlus for Example Provider") && ran.out.contains("12 workloads")
    );
    assert_eq!(vbr.open_tokens(), 0, "it logs out");
    password(&shell, "another");
    let ran = shell.run(&["doctor", "--read", "--json", "--config", &config]);
    assert_eq!(ran.code, 77, "{}", ran.err);
    check(&ran, "source vbr01", "failed", "", "Backup Administrator");
    let status = shell.json(&["status", "--config", &config]);
    assert!(status["servers"][0]["last_sample_at"].is_null(), "nothing was kept: {status}");
    runtime.shutdown_background();
}
