//! docs/SECURITY.md names a test for each promise; each of them exists.

use std::collections::BTreeSet;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../../docs/SECURITY.md");

fn rust_below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the tests stand here").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            rust_below(&entry, found);
        } else if entry.extension().is_some_and(|kind| kind == "rs") {
            found.push(std::fs::read_to_string(&entry).expect("text"));
        }
    }
}

/// Names of functions in the tests, whether or not a macro makes them.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    rust_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")), &mut sources);
    let functions = sources.iter().flat_map(|text| text.lines());
    let named = functions.filter_map(|line| line.trim().trim_start_matches("async ").strip_prefix("fn "));
    named.filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned).collect()
}

/// Words in backticks that look like a test: sentences of at least four words.
fn named() -> BTreeSet<&'static str> {
    let ticked = DOCUMENT.split('`').skip(1).step_by(2);
    let is_sentence = |word: &&str| {
        3 <= word.matches('_').count()
            && word.chars().all(|sign| sign.is_ascii_lowercase() || "_0123456789".contains(sign))
    };
    ticked.map(|word| word.rsplit("::").next().unwrap_or(word)).filter(is_sentence).collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let (tests, named) = (tests(), named());
    assert!(40 < named.len(), "the document names its tests in backticks: {}", named.len());
    let missing: Vec<&&str> = named.iter().filter(|name| !tests.contains(**name)).collect();
    assert!(missing.is_empty(), "docs/SECURITY.md promises what no test shows: {missing:?}");
}
