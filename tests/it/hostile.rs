//! Any bytes at every reader: none panics, whatever comes. The rows are those of the fuzz targets (`fuzz/entries`).
//!
//! A failing case is printed with its entry and bytes; what is to be kept of it goes to `fuzz/regressions/ENTRY/`.

mod corpora; // examples that simulated servers answer, kept true
#[path = "../../fuzz/entries/mod.rs"]
mod entries;
mod mutation; // valid examples made wrong

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use entries::{Cost, ENTRIES, Entry};
use mutation::{Mutation, mutated};

/// Cases for each cheap entry, without a setting.
const CASES: u32 = 150;
/// So many times fewer for those that open a store or a world.
const MUCH: u32 = 15;

/// So much of what broke an entry is shown.
const SHOWN_MAX: usize = 6_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Files of a folder by their names; nothing where there is none.
fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(found) = fs::read_dir(folder) else { return BTreeMap::new() };
    let entries = found.map(|entry| entry.expect("a folder is read").path());
    let named = |path: PathBuf| (name_of(&path), fs::read(&path).expect("a file is read"));
    entries.filter(|path| path.is_file()).map(named).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

/// Names of folders and of files without their ending.
fn stems_in(folder: &Path) -> BTreeSet<String> {
    let found = fs::read_dir(folder).expect("the folder is there");
    found.map(|entry| name_of(&entry.expect("a folder is read").path().with_extension(""))).collect()
}

static EXAMPLES: LazyLock<BTreeMap<&'static str, Vec<Vec<u8>>>> = LazyLock::new(|| {
    let of = |entry: &Entry| {
        let corpus = files_in(&fuzz().join("corpus").join(entry.name));
        (entry.name, corpus.into_values().collect::<Vec<_>>())
    };
    ENTRIES.iter().map(of).collect()
});

/// Cases for each entry: `TIDEGAUGE_HOSTILE_CASES`, fewer for those that cost much.
fn cases(entry: &Entry) -> u32 {
    let asked = std::env::var("TIDEGAUGE_HOSTILE_CASES").ok().and_then(|text| text.parse().ok());
    match entry.cost {
        Cost::Little => asked.unwrap_or(CASES),
        Cost::Much => asked.unwrap_or(CASES).div_ceil(MUCH),
    }
}

fn run(entry: &Entry, bytes: &[u8]) {
    entries::run(entry.name, bytes);
}

/// Whether an entry is to be tried: all are, or the one of `TIDEGAUGE_HOSTILE_ENTRY`.
fn is_asked(entry: &&Entry) -> bool {
    std::env::var("TIDEGAUGE_HOSTILE_ENTRY").map_or(true, |asked| asked == entry.name)
}

/// `TIDEGAUGE_HOSTILE_SEED`, as a failure prints it; drawn where more cases are asked for, else always the same.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    match std::env::var("TIDEGAUGE_HOSTILE_SEED") {
        Ok(told) => {
            let bytes = told.trim_matches(['[', ']']).split(", ").map(|byte| byte.parse().expect("bytes, as printed"));
            seed.copy_from_slice(&bytes.collect::<Vec<u8>>());
        }
        Err(_) if std::env::var("TIDEGAUGE_HOSTILE_CASES").is_err() => {}
        Err(_) => getrandom::fill(&mut seed).expect("the system draws"),
    }
    seed
}

/// Tries an entry with what the strategy draws, from a seed that a failure tells.
fn tried<S: Strategy>(
    entry: &Entry,
    cases: u32,
    strategy: &S,
    bytes_of: impl Fn(&S::Value) -> Vec<u8>,
) -> Result<(), String> {
    let seed = seed();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let tried = runner.run(strategy, |value| {
        let bytes = bytes_of(&value);
        std::panic::catch_unwind(|| run(entry, &bytes)).map_err(|_| {
            let start = &bytes[..bytes.len().min(SHOWN_MAX)];
            TestCaseError::fail(format!("{} bytes: {}", bytes.len(), start.escape_ascii()))
        })
    });
    tried.map_err(|why| format!("{} broke (seed {seed:?}): {why}\n", entry.name))
}

fn try_mutations(cost: Cost) {
    let of_cost = ENTRIES.iter().filter(|entry| entry.cost == cost && !EXAMPLES[entry.name].is_empty());
    let of_cost = of_cost.filter(is_asked);
    let broken = of_cost.filter_map(|entry| {
        let examples = &EXAMPLES[entry.name];
        let drawn = (0..examples.len(), vec(any::<Mutation>(), 1..5));
        let bytes_of =
            |(example, mutations): &(usize, Vec<Mutation>)| mutated(&examples[*example], mutations, examples);
        tried(entry, cases(entry), &drawn, bytes_of).err()
    });
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "{}", broken.join(""));
}

#[test]
fn no_mutation_of_a_good_example_breaks_a_reader() {
    try_mutations(Cost::Little);
}

#[test]
fn no_mutation_of_a_good_example_breaks_an_agent_or_its_store() {
    try_mutations(Cost::Much);
}

#[test]
fn no_random_bytes_break_a_reader() {
    let random = vec(any::<u8>(), 0..300);
    let asked = ENTRIES.iter().filter(is_asked);
    let broken = asked.filter_map(|entry| tried(entry, cases(entry).div_ceil(3), &random, Vec::clone).err());
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "{}", broken.join(""));
}

#[test]
fn every_example_and_everything_that_once_broke_a_reader_is_taken() {
    for entry in &ENTRIES {
        run(entry, b"");
        for folder in ["corpus", "regressions"] {
            for (name, bytes) in files_in(&fuzz().join(folder).join(entry.name)) {
                let run = std::panic::catch_unwind(|| run(entry, &bytes));
                assert!(run.is_ok(), "fuzz/{folder}/{}/{name} breaks its reader", entry.name);
            }
        }
    }
}

#[test]
fn every_entry_has_its_target_and_its_examples() {
    let entries: BTreeSet<String> = ENTRIES.iter().map(|entry| entry.name.to_owned()).collect();
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest is there");
    let declared =
        manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""));
    assert_eq!(declared.map(str::to_owned).collect::<BTreeSet<_>>(), entries, "targets in fuzz/Cargo.toml");
    assert_eq!(stems_in(&fuzz().join("fuzz_targets")), entries, "files in fuzz/fuzz_targets");
    assert_eq!(stems_in(&fuzz().join("corpus")), entries, "folders in fuzz/corpus");
    assert!(stems_in(&fuzz().join("regressions")).is_subset(&entries), "folders in fuzz/regressions");
    for (name, examples) in &*EXAMPLES {
        assert!((1..=20).contains(&examples.len()), "{name} has {} examples", examples.len());
    }
    let readme = fs::read_to_string(fuzz().join("README.md")).expect("the page is there");
    for name in &entries {
        assert!(readme.contains(&format!("`{name}`")), "fuzz/README.md says what {name} stands for");
    }
}

#[test]
fn every_source_is_an_entry() {
    for row in &tidegauge::sources::SOURCES {
        assert!(entries::named(row.name).is_some(), "{} has no entry", row.name);
    }
}
