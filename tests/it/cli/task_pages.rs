//! The task pages under `docs/` and the README: every command that they show, run in their order on a provider's state of
//! 4 November.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tidegauge::agent::Place;
use tidegauge::config::Settings;
use tidegauge::simulation::clock::SimulatedClock;
use tidegauge::simulation::past::Unforced;
use tidegauge::simulation::provider;
use tidegauge::simulation::world::World;

use super::{RealFiles, Shell, at, snapshot};

const README: &str = include_str!("../../../README.md");
const LICENSING_MANAGER: &str = include_str!("../../../docs/LICENSING_MANAGER.md");
const BILLING_CLERK: &str = include_str!("../../../docs/BILLING_CLERK.md");
const BACKUP_ADMINISTRATOR: &str = include_str!("../../../docs/BACKUP_ADMINISTRATOR.md");

/// Endings of words that are files or folders of whoever gives the command.
const FILES: [&str; 11] =
    [".csv", ".json", ".zip", ".ics", ".pdf", ".toml", "-backup", "-restored", "-statements", "-state", "-reports"];

/// A provider of two servers since the end of September, seen on 4 November: October's reports wait.
fn provider_in_november() -> Shell {
    let mut shell = Shell::new();
    let settings =
        Settings { state_dir: shell.path("state"), reports_dir: shell.path("reports"), ..Settings::default() };
    let place = Place::Folder(settings.state_dir.clone());
    let plan = provider::plan(7, at("2026-09-25T00:00:00Z"), settings);
    let mut world = World::on(plan, Arc::new(Unforced(Arc::new(RealFiles))), place, None);
    world.run_until(at("2026-11-04T09:00:00Z"));
    assert_eq!(world.objections(), [""; 0]);
    shell.clock = SimulatedClock::at(world.now());
    let (_, wire) = world.into_live(Arc::new(shell.clock.clone()));
    shell.wire = Arc::new(move |_| Arc::new(wire.clone()));
    let prices = shell.file("prices.toml", include_str!("../../../packaging/prices.toml"));
    let password = shell.file("vbr01.password", "simulated");
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let settings = SETTINGS.replace("vbr01.password", &password);
    shell.file("tidegauge.toml", &format!("{settings}price_book = \"{prices}\"\n"));
    shell.file("invoice.csv", INVOICE);
    shell.file("vbr03.json", &snapshot("vbr03", "2026-11-03T10:00:00Z", 3).to_string());
    shell
}

const SETTINGS: &str = r#"
[[server]]
name = "vbr01"
source = "vbr"
url = "https://vbr01.example.net:9419"
username = "tidegauge"
password_file = "vbr01.password"
[[server]]
name = "vbr02"
source = "snapshot_folder"
path = "vbr02"
[license_server]
url = "https://license.example.net"
[mail]
host = "smtp.example.net"
from = "Tidegauge <tidegauge@example.net>"
to = ["licensing@example.net"]
[billing]
"#;

const INVOICE: &str = "type,quantity,amount\nVM,30,500.00\n";

/// What a page shows: each command line, and the exit code that a comment behind it names.
fn commands(page: &str) -> Vec<(Vec<String>, u8)> {
    let shown = page.lines().filter_map(|line| line.strip_prefix("$ tidegauge "));
    let command = |line: &str| {
        let (line, code) = line.split_once("  # exit ").unwrap_or((line, "0"));
        (words(line), code.trim().parse().expect("an exit code"))
    };
    shown.map(command).collect()
}

/// The words of a command line; double quotes hold one together.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    quoted.flat_map(part).collect()
}

/// Runs what a page shows with the provider's settings, and returns what was printed.
fn followed(page: &str) -> String {
    let shell = provider_in_november();
    let settings = shell.path("tidegauge.toml").display().to_string();
    run_all(&shell, page, &["--config", &settings])
}

/// Runs what a page shows, each command with these words behind it.
fn run_all(shell: &Shell, page: &str, more: &[&str]) -> String {
    let mut printed = String::new();
    for (words, expected) in commands(page) {
        let here = |word: &String| match !word.starts_with("--") && FILES.iter().any(|ending| word.ends_with(ending)) {
            true => shell.path(word).display().to_string(),
            false => word.clone(),
        };
        let words: Vec<String> = words.iter().map(here).collect();
        let mut line: Vec<&str> = words.iter().map(String::as_str).collect();
        line.extend(more);
        let ran = shell.run(&line);
        printed += &format!("$ {}\n{}{}\n", words.join(" "), ran.out, ran.err);
        assert_eq!(ran.code, expected, "{words:?}\n{}{}", ran.out, ran.err);
    }
    println!("{printed}");
    printed
}

#[test]
fn the_licensing_managers_page_can_be_followed_word_by_word() {
    let printed = followed(LICENSING_MANAGER);
    for word in ["gate of 2026-10", "restore test, deleted on 30 October", "submitted", "aggregator portal"] {
        assert!(printed.contains(word), "{word} is not among\n{printed}");
    }
}

#[test]
fn the_billing_clerks_page_can_be_followed_word_by_word() {
    assert!(followed(BILLING_CLERK).contains("EUR"));
}

#[test]
fn the_backup_administrators_page_can_be_followed_word_by_word() {
    assert!(followed(BACKUP_ADMINISTRATOR).contains("vbr01"));
}

#[test]
fn the_readme_can_be_followed_word_by_word() {
    let (first_report, rest) = README.split_once("## Install").expect("the README tells how to install it");
    let printed = run_all(&Shell::new(), first_report, &[]);
    assert!(printed.contains("Reports of every month stand in") && printed.contains("2025-10"), "{printed}");
    let printed = followed(rest);
    for word in ["state directory", "gate of 2026-10", "support.zip", "in order:"] {
        assert!(printed.contains(word), "{word} is not among\n{printed}");
    }
}

#[test]
fn every_block_of_commands_on_the_task_pages_is_one_that_is_run() {
    for page in [README, LICENSING_MANAGER, BILLING_CLERK, BACKUP_ADMINISTRATOR] {
        let blocks: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("```")).collect();
        assert_eq!(blocks, BTreeSet::from(["", "console"]), "only blocks of commands, so that none is left out");
        assert!(commands(page).len() >= 8);
    }
}
