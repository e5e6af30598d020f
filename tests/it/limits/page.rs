//! docs/LIMITS.md against the constants and the tests it names.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the page's tables: what, limit, where, just past it, tested by.
fn rows() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/LIMITS.md")).expect("the page is in the repository");
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| what ");
    page.lines().filter(is_row).map(cells).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// `64 MiB`, `4,096 bytes`, `10,000`.
fn stated(cell: &str) -> u128 {
    let mut words = cell.split_whitespace();
    let number = words.next().expect("a limit begins with its number").replace(',', "");
    let number: u128 = number.parse().unwrap_or_else(|_| panic!("\"{cell}\" begins with no number"));
    match words.next() {
        Some("KiB") => number << 10,
        Some("MiB") => number << 20,
        Some("GiB") => number << 30,
        Some(_) | None => number,
    }
}

/// The constant's value: a number, shifted or times another.
fn value(file: &Path, name: &str) -> u128 {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let begins = format!("const {name}: ");
    let line = text.lines().find(|line| line.trim_start().trim_start_matches("pub ").starts_with(&begins));
    let line = line.unwrap_or_else(|| panic!("{} has no constant {name}", file.display()));
    let right = line.split(" = ").nth(1).expect("a constant has a value").trim_end_matches(';').replace('_', "");
    let part = |text: &str| text.trim().parse::<u128>().unwrap_or_else(|_| panic!("{name} = {right} is not plain"));
    match (right.split_once("<<"), right.split_once('*')) {
        (Some((number, shift)), _) => part(number) << part(shift),
        (None, Some((one, other))) => part(one) * part(other),
        (None, None) => part(&right),
    }
}

/// Every test function's name, with the scripts of tests/outside.
fn tests() -> String {
    let mut folders = vec![root().join("tests/it")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("tests are readable") {
            let path = entry.expect("tests are readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                text += &fs::read_to_string(path).expect("tests are readable");
            }
        }
    }
    text
}

#[test]
fn every_limit_on_the_page_is_the_one_in_the_source() {
    let rows = rows();
    assert!(rows.len() >= 40, "{} rows were read", rows.len());
    for row in rows {
        let [what, limit, place, ..] = row.as_slice() else { panic!("{row:?}") };
        let [file, name] = quoted(place)[..] else { panic!("{what}: {place} is not `file` `CONSTANT`") };
        assert_eq!(stated(limit), value(&root().join("src").join(file), name), "{what}: {limit} beside {file} {name}");
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let tests = tests();
    for row in rows() {
        let [what, .., by] = row.as_slice() else { panic!("{row:?}") };
        assert!(!quoted(by).is_empty() || by == "not tested at its edge", "{what}: \"{by}\" names no test");
        for name in quoted(by) {
            assert!(tests.contains(&format!("fn {name}(")), "{what}: there is no test {name}");
        }
    }
}
