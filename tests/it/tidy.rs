//! The house and its rules (ARCHITECTURE.md), kept by reading the sources. A broken rule is printed with its reason.

mod events;
pub mod source;

use std::collections::BTreeMap;

use source::{Source, files_below, rust_below};

/// The rooms by floor. A room uses rooms on lower floors only.
const FLOORS: [&[&str]; 6] = [
    &["ask", "document", "domain", "doors", "seal"],
    &["billing", "channels", "evidence", "formats", "people", "protocol", "rules", "sources"],
    &["config", "ports", "store"],
    &["agent", "license_server"],
    &["api", "console", "simulation"],
    &["cli", "main"],
];

/// Uses within one floor or past the agent that are allowed: (room, used room).
const NEIGHBOURS: [(&str, &str); 3] = [("ask", "domain"), ("doors", "ask"), ("doors", "domain")];

/// Rooms that reach others through `agent` alone: (room, room it must not name).
const THROUGH_THE_AGENT: [(&str, &str); 6] = [
    ("api", "store"),
    ("api", "rules"),
    ("console", "store"),
    ("console", "rules"),
    ("cli", "store"),
    ("cli", "rules"),
];

/// Commands that measure rooms one by one, and so name them.
const MEASURING: &str = "src/cli/bench/";

/// A word that only some rooms may say.
struct Kept {
    words: &'static [&'static str],
    rooms: &'static [&'static str],
    why: &'static str,
}

const KEPT: [Kept; 5] = [
    Kept {
        words: &[
            "reqwest",
            "rustls",
            "tokio_rustls",
            "hyper",
            "tokio::net",
            "std::net::TcpStream",
            "std::net::TcpListener",
        ],
        rooms: &["ports"],
        why: "only ports sees sockets and TLS; others give an Ask to the wire or return an axum::Router",
    },
    Kept {
        words: &["std::fs", "tokio::fs", "std::os"],
        rooms: &["ports"],
        why: "only ports touches files; others use doors::Files",
    },
    Kept {
        words: &["lettre::transport", "lettre::AsyncSmtpTransport", "lettre::SmtpTransport", "AsyncSmtpTransport"],
        rooms: &["ports"],
        why: "only ports speaks SMTP; channels make the mail's bytes and an Ask",
    },
    Kept { words: &["sled"], rooms: &["store"], why: "only store sees the agent's database" },
    Kept {
        words: &["tokio_postgres"],
        rooms: &["ports", "license_server"],
        why: "ports dials PostgreSQL, and only the License Update Server keeps anything there",
    },
];

/// What floors 0 and 1 never say: they read no clock, draw no number, open nothing, spawn nothing, are not async.
///
/// `SystemTime` itself is a type; reading it is what is forbidden.
const IMPURE: [&str; 20] = [
    "tokio",
    "axum",
    "reqwest",
    "sled",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "time::SystemTime::now",
    "std::time::SystemTime::now",
    "std::time::Instant",
    "Utc::now",
    "Local::now",
    "rand",
    "getrandom",
    "new_v4",
    "async",
    "HashMap",
];

const FORBIDDEN_NAMES: [&str; 9] =
    ["vendor", "util", "utils", "common", "helpers", "models", "services", "misc", "managers"];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

fn check(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{} broken:\n{}\n", broken.len(), broken.join("\n"));
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources() -> Vec<Source> {
    rust_below("src").into_iter().filter(|source| source.path != "src/lib.rs").collect()
}

#[test]
fn a_room_uses_rooms_on_lower_floors_only() {
    let mut broken = Vec::new();
    for source in sources() {
        let room = source.room().expect("every source is below src/");
        for (used, line) in source.rooms_named() {
            if let Some(why) = objection(room, &used).filter(|_| !source.path.starts_with(MEASURING)) {
                broken.push(format!("{}:{line}: {room} names {used}: {why}", source.path));
            }
        }
    }
    check(broken);
}

fn objection(room: &str, used: &str) -> Option<&'static str> {
    let (Some(own), Some(other)) = (floor_of(room), floor_of(used)) else {
        return Some("a room that is not in the table of floors (tests/it/tidy.rs, src/lib.rs)");
    };
    if THROUGH_THE_AGENT.contains(&(room, used)) {
        return Some("it reaches the store and the rules through agent alone");
    }
    if used == "simulation" && !["cli", "main", "simulation"].contains(&room) {
        return Some("only demo, rehearse, simulate, playground and the tests know the simulated world");
    }
    let allowed = other < own || room == used || NEIGHBOURS.contains(&(room, used)) || room == "main";
    (!allowed).then_some("a room uses rooms on lower floors only, never its own floor, never above")
}

#[test]
fn every_room_stands_on_a_floor_and_in_the_map() {
    let mut broken = Vec::new();
    let rooms: BTreeMap<String, ()> =
        sources().iter().filter_map(|source| Some((source.room()?.to_owned(), ()))).collect();
    let map = rust_below("src").into_iter().find(|source| source.path == "src/lib.rs").expect("the library has a root");
    for room in rooms.keys().filter(|room| *room != "main") {
        if floor_of(room).is_none() {
            broken.push(format!("src/{room}: not on a floor: add it to FLOORS in tests/it/tidy.rs and to src/lib.rs"));
        }
        if !map.code.contains(&format!("pub mod {room};")) {
            broken.push(format!("src/{room}: not in src/lib.rs, which is the map of the house"));
        }
    }
    check(broken);
}

#[test]
fn floors_0_and_1_are_pure() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room().and_then(floor_of).is_some_and(|floor| floor <= 1)) {
        // The doors are traits, and the wire's answers come later.
        let excepted: &[&str] = if source.room() == Some("doors") { &["async"] } else { &[] };
        for word in IMPURE.iter().filter(|word| !excepted.contains(word)) {
            for line in source.lines_naming(word) {
                broken.push(format!(
                    "{}:{line}: names {word}: floors 0 and 1 read no clock, draw no number, open nothing, are not async; the hour is a parameter, I/O is an Ask",
                    source.path
                ));
            }
        }
    }
    check(broken);
}

#[test]
fn sockets_files_mail_and_database_stay_in_their_rooms() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room() != Some("main")) {
        let room = source.room().expect("every source is below src/");
        for kept in KEPT.iter().filter(|kept| !kept.rooms.contains(&room)) {
            for word in kept.words {
                for line in source.lines_naming(word) {
                    broken.push(format!("{}:{line}: names {word}: {}", source.path, kept.why));
                }
            }
        }
    }
    check(broken);
}

#[test]
fn files_and_functions_are_small() {
    let mut broken = Vec::new();
    for source in rust_below("src").iter().chain(&rust_below("tests")) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            broken
                .push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}: it is two things, split it", source.path));
        }
        for function in source.functions().iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
            broken.push(format!(
                "{}:{}: fn {} has {} lines, at most {FUNCTION_LINES_MAX}: one screen",
                source.path, function.line, function.name, function.lines
            ));
        }
    }
    check(broken);
}

#[test]
fn every_file_begins_with_what_it_is() {
    let rust = rust_below("src").into_iter().chain(rust_below("tests"));
    let silent = rust.filter(|source| !source.text.starts_with("//! "));
    check(silent.map(|source| format!("{}: begin with one `//!` line that says what it is", source.path)).collect());
}

#[test]
fn folders_and_files_are_named_for_what_they_hold() {
    let mut broken = Vec::new();
    for source in files_below("src").iter().chain(&files_below("tests")).chain(&files_below("scripts")) {
        let parts = source.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        for part in parts.filter(|part| FORBIDDEN_NAMES.contains(part)) {
            broken.push(format!("{}: `{part}` says nothing: name what it holds", source.path));
        }
    }
    check(broken);
}

#[test]
fn no_test_is_ignored_and_nothing_is_unsafe() {
    let mut broken = Vec::new();
    for source in rust_below("src").iter().chain(&rust_below("tests")) {
        for (index, line) in source.code.lines().enumerate() {
            if line.contains("#[ignore") {
                broken.push(format!("{}:{}: assert the behaviour as it is, with the reason", source.path, index + 1));
            }
            if line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl") {
                broken.push(format!("{}:{}: no unsafe code here: use a well-kept crate", source.path, index + 1));
            }
        }
    }
    check(broken);
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    // Spelled in halves, so that this file does not name them itself.
    let private = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/t", "mp/"), concat!("/ho", "me/")];
    let mut broken = Vec::new();
    for source in files_below("") {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(path) = private.iter().find(|path| line.contains(**path)) {
                broken.push(format!("{}:{}: {path} is a path of one machine", source.path, index + 1));
            }
        }
    }
    check(broken);
}

#[test]
fn the_reader_of_sources_sees_code_only() {
    let text = "//! A.\nuse crate::{domain::Points, ask};\n// crate::cli\nfn f<'a>(x: [u8; 2]) -> &'a str {\n    \"crate::store }\"\n}\n";
    let source = Source::of("src/rules/a.rs", text);
    assert_eq!(source.rooms_named(), [("domain".to_owned(), 2), ("ask".to_owned(), 2)]);
    let lengths: Vec<_> = source.functions().iter().map(|function| (function.name.clone(), function.lines)).collect();
    assert_eq!(lengths, [("f".to_owned(), 3)]);
}
