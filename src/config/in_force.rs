//! Every setting as it is in force, and where it comes from.

use serde::Serialize;

use super::Settings;

/// What stands behind a key whose value is kept elsewhere: a secret's file or variable.
const PLACES: [&str; 5] = ["", "_file", "_env", "_files", "_envs"];
/// Lists whose items are given where the list is.
const LISTS: [&str; 2] = ["billing.profile", "billing.supplier.types"];
/// What a value is called that nobody gave.
const DEFAULT: &str = "default";

/// One setting; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// As in the file: `mail.host`, `server vbr01.url`.
    pub key: String,
    pub value: String,
    /// What the value means.
    pub note: Option<String>,
    /// `tidegauge.toml:12`, a variable, a flag, or `default`.
    pub from: String,
}

impl Settings {
    /// The lines of [`Settings::explain`], each with where its value was given.
    pub fn in_force(&self) -> Vec<InForce> {
        let explained = self.explain();
        explained.lines().map(|line| self.one_in_force(line)).collect()
    }

    fn one_in_force(&self, line: &str) -> InForce {
        let (key, explained) = line.split_once(" = ").unwrap_or((line, ""));
        let noted = explained.strip_suffix(')').and_then(|explained| explained.split_once("   ("));
        let (value, note) = noted.map_or((explained, None), |(value, note)| (value, Some(note.to_owned())));
        InForce { key: key.to_owned(), value: value.to_owned(), note, from: self.given_at(key) }
    }

    fn given_at(&self, key: &str) -> String {
        let list = LISTS.into_iter().find(|list| key.starts_with(list));
        let places = PLACES.iter().map(|place| format!("{key}{place}"));
        let named = places.chain(list.map(str::to_owned)).find_map(|name| self.given.get(&name));
        named.map_or_else(|| DEFAULT.to_owned(), ToString::to_string)
    }
}
