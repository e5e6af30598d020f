//! docs/EVENTS.md against the codes that the sources log.

use std::collections::BTreeSet;
use std::fs;

use super::source::{root, rust_below};

/// The texts between quotation marks behind each place of these words.
fn quoted_after(text: &str, before: &str) -> Vec<String> {
    let ends = text.match_indices(before).map(|(at, _)| &text[at + before.len()..]);
    ends.filter_map(|rest| rest.split_once('"')).map(|(code, _)| code.to_owned()).collect()
}

fn is_code(text: &str) -> bool {
    text.contains('.') && text.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_' || sign == '.')
}

#[test]
fn the_page_of_events_has_each_code_that_is_logged_and_no_other() {
    let mut logged = BTreeSet::new();
    for source in rust_below("src") {
        let text = fs::read_to_string(root().join(&source.path)).expect("a source");
        logged.extend(quoted_after(&text, "event = \""));
        if source.path == "src/agent/events.rs" {
            logged.extend(quoted_after(&text, "=> \"").into_iter().filter(|code| is_code(code)));
        }
    }
    let page = fs::read_to_string(root().join("docs/EVENTS.md")).expect("the page is in the repository");
    let listed: BTreeSet<String> = page.lines().filter_map(quoted_row).collect();
    let unlisted: Vec<&String> = logged.difference(&listed).collect();
    let unlogged: Vec<&String> = listed.difference(&logged).collect();
    assert!(
        unlisted.is_empty() && unlogged.is_empty(),
        "not on the page: {unlisted:?}; only on the page: {unlogged:?}"
    );
    assert!(logged.len() > 50, "few codes were found: {logged:?}");
}

/// The code of a table's row.
fn quoted_row(line: &str) -> Option<String> {
    line.strip_prefix("| `")?.split_once('`').map(|(code, _)| code.to_owned())
}

#[test]
fn each_line_that_is_logged_has_a_code() {
    let mut broken = Vec::new();
    for source in rust_below("src") {
        let text = fs::read_to_string(root().join(&source.path)).expect("a source");
        for level in ["debug!(", "info!(", "warn!(", "error!("] {
            for (at, _) in text.match_indices(level) {
                let said = text[at + level.len()..].trim_start();
                if !said.starts_with("event = ") {
                    broken.push(format!("{}:{}", source.path, 1 + text[..at].matches('\n').count()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "logged without `event = `: {broken:?}");
}
