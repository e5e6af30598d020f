//! Any bytes at every reader.

#[path = "../../fuzz/entries/mod.rs"]
mod entries;

#[test]
fn every_entry_takes_nothing() {
    for entry in &entries::ENTRIES {
        entries::run(entry.name, b"");
    }
}
