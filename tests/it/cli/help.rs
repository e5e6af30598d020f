//! Help that is worth reading, and completions.

use super::Shell;

/// Every command with its full name.
fn all(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let path = format!("{path} {}", inner.get_name());
        found.push((path.trim().to_owned(), inner.clone()));
        all(inner, &path, found);
    }
}

fn commands() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    all(&tidegauge::cli::commands(), "", &mut found);
    found
}

#[test]
fn every_command_says_what_it_does() {
    for (path, command) in commands() {
        assert!(command.get_about().is_some(), "`{path} --help` says nothing");
        let words: Vec<&str> = path.split(' ').collect();
        let ran = Shell::new().run(&[&words[..], &["--help"]].concat());
        assert_eq!(ran.code, 0, "{path}: {}", ran.err);
        assert!(ran.out.contains("Usage: tidegauge"), "{path}");
    }
}

#[test]
fn every_argument_of_an_agent_command_is_explained() {
    let unexplained: Vec<String> = commands()
        .iter()
        .filter(|(path, _)| !path.starts_with("license-server"))
        .flat_map(|(path, command)| command.get_opts().map(move |option| (path.clone(), option.clone())))
        .filter(|(_, option)| option.get_help().is_none())
        .map(|(path, option)| format!("{path} --{}", option.get_long().unwrap_or_default()))
        .collect();
    assert_eq!(unexplained, Vec::<String>::new());
}

#[test]
fn the_first_help_tells_the_exit_codes() {
    let shell = Shell::new();
    let help = shell.run(&["--help"]).out;
    for words in ["Exit codes", "held by the gate", "control.sock", "sample", "report", "license-server"] {
        assert!(help.contains(words), "{words} is not in:\n{help}");
    }
}

#[test]
fn completions_know_every_command() {
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Shell::new().run(&["completions", name]);
        assert_eq!(script.code, 0, "{}", script.err);
        assert!(script.out.contains("mark-external"), "{name}");
    }
}
