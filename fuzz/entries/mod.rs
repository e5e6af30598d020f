//! Every door by which foreign bytes come in, as one table: cargo-fuzz and `tests/it/hostile` run the same rows.
//!
//! An entry takes any bytes and comes back: no panic, no endless loop, no memory beyond its reader's limit. What is
//! refused is as good as what is taken. `fuzz/README.md` says which parser stands behind which row.

mod answers;
mod asked;
mod files;
mod kept;
mod license_server;
mod paper;
mod people;
mod protocol;
mod provider;
mod sources;
mod words;

pub use answers::{Answered, script};
pub use protocol::{AGENT, SEALED, SEALED_ID, SERVER, check as asked_check};
pub use provider::{discovery, keys};

use tidegauge::domain::Instant;

/// One way in.
pub struct Entry {
    /// Its target, corpus and regressions are called so.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Longest input worth trying: what is behind the reader's own limit is cut.
    pub bytes_max: usize,
    /// What one run costs: tests try cheap ones more often.
    pub cost: Cost,
}

/// How long one run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Microseconds.
    Little,
    /// A store or a world is opened.
    Much,
}

const fn little(name: &'static str, run: fn(&[u8])) -> Entry {
    Entry { name, run, bytes_max: 64 << 10, cost: Cost::Little }
}

const fn much(name: &'static str, run: fn(&[u8])) -> Entry {
    Entry { name, run, bytes_max: 16 << 10, cost: Cost::Much }
}

/// Every entry, by name.
pub const ENTRIES: [Entry; 26] = [
    much("api", asked::api),
    little("command_line", words::command_line),
    much("console", asked::console),
    little("enrolment_token", protocol::enrolment_token),
    little("enterprise_manager", sources::enterprise_manager),
    little("evidence", paper::evidence),
    little("font", paper::font),
    much("journal", kept::journal),
    little("keys", protocol::keys),
    little("license_key", protocol::license_key),
    little("license_server", license_server::messages),
    little("license_server_journal", license_server::journal),
    little("openid", people::sign_in),
    much("orders", asked::orders),
    little("points_table", files::points_table),
    little("price_book", files::price_book),
    little("protocol_answer", protocol::answer),
    little("protocol_message", protocol::message),
    much("samples", kept::samples),
    little("settings", files::settings),
    little("snapshot_folder", sources::snapshot_folder),
    little("supplier_invoice", files::supplier_invoice),
    little("vbr", sources::vbr),
    little("vspc", sources::vspc),
    little("webhook_answer", people::webhook_answer),
    little("words", words::words),
];

/// The entry of this name.
pub fn named(name: &str) -> Option<&'static Entry> {
    const ROWS: &[Entry] = &ENTRIES;
    ROWS.iter().find(|entry| entry.name == name)
}

/// Runs an entry as its fuzz target does.
///
/// # Panics
/// When there is no such entry, and where the program would.
pub fn run(name: &str, bytes: &[u8]) {
    let entry = named(name).expect("every target is called as its entry");
    (entry.run)(&bytes[..bytes.len().min(entry.bytes_max)]);
}

/// The hour of every run.
fn now() -> Instant {
    "2026-10-20T09:30:00Z".parse().expect("an instant")
}

/// The text before the first line end, which says how the rest is to be taken, and the rest.
fn manner(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let first = std::str::from_utf8(&bytes[..end]).unwrap_or_default();
    (first, bytes.get(end + 1..).unwrap_or_default())
}

/// Whether the manner says this word.
fn says(manner: &str, word: &str) -> bool {
    manner.split(' ').any(|said| said == word)
}
