//! Manual pages.

use std::collections::BTreeSet;

use super::Shell;

/// Names of the pages of the commands below.
fn pages_of(command: &clap::Command, name: &str, names: &mut BTreeSet<String>) {
    names.insert(format!("{name}.1"));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        pages_of(inner, &format!("{name}-{}", inner.get_name()), names);
    }
}

#[test]
fn every_command_has_a_manual_page_with_its_options_codes_and_example() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let written = Shell::new().run(&["man", "--out", &folder.path().display().to_string()]);
    assert_eq!(written.code, 0, "{}", written.err);
    let files = std::fs::read_dir(folder.path()).expect("it is there").map(|entry| entry.expect("a file").file_name());
    let files: BTreeSet<String> = files.map(|name| name.into_string().expect("ASCII")).collect();
    let mut expected = BTreeSet::new();
    pages_of(&tidegauge::cli::commands(), "tidegauge", &mut expected);
    assert_eq!(files, expected);
    let page = std::fs::read_to_string(folder.path().join("tidegauge-enrol.1")).expect("a page");
    for words in ["token\\-file", "69 the server does not answer", "Example: tidegauge enrol"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}
