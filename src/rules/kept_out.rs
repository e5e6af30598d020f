//! Which of a source's servers are those that are sampled directly: kept out, so that nothing counts twice.
//!
//! Servers that were cloned share an installation id, so the id alone does not tell which of them is meant.

use std::collections::BTreeMap;

use crate::domain::installation::{ServerName, is_same_host, shown_name};

/// A server that is sampled without a source between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    pub server: ServerName,
    /// Its name in the settings, and the host of its address.
    pub known_as: Vec<String>,
}

/// Of servers that a source names under one installation id, those kept out, each with the direct server it is.
///
/// A direct server is one of them at most: the one called as it is, else the only one there is. The others count on.
pub fn kept_out<'a>(named: &[&'a str], directs: &[Direct]) -> BTreeMap<&'a str, ServerName> {
    let mut out: BTreeMap<&'a str, ServerName> = BTreeMap::new();
    for direct in directs {
        let is_called = |name: &str, is_same: fn(&str, &str) -> bool| {
            direct.known_as.iter().any(|known| is_same(known, shown_name(name)))
        };
        let free = || named.iter().copied().filter(|name| !out.contains_key(name));
        let exactly = free().find(|name| is_called(name, str::eq_ignore_ascii_case));
        let called = exactly.or_else(|| free().find(|name| is_called(name, is_same_host)));
        let only = || named.first().copied().filter(|_| named.len() == 1 && out.is_empty());
        if let Some(name) = called.or_else(only) {
            out.insert(name, direct.server.clone());
        }
    }
    out
}
