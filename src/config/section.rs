//! One table of the settings, read key by key; what stays over is an unknown key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::TimeDelta;

use super::refusal::Refusal;
use super::tree::{Node, Origin, Table, Value};

/// How alike two keys must be for one to be proposed, 0 to 1.
const LIKENESS_MIN: f64 = 0.6;
/// Longest span of time in the settings.
const SPAN_DAYS_MAX: i64 = 36_500;

/// A table being read. Every question notes its key as known.
pub struct Section<'a> {
    /// As in the file: `mail`, `server vbr01`; empty for the top.
    place: String,
    table: Table,
    origin: Origin,
    known: Vec<&'static str>,
    notes: &'a mut Notes,
}

/// What reading leaves behind.
#[derive(Debug, Default)]
pub struct Notes {
    pub refusals: Vec<Refusal>,
    /// Where each value was given, by its name as [`super::Settings::explain`] writes it.
    pub given: BTreeMap<String, Origin>,
}

impl<'a> Section<'a> {
    pub fn new(place: &str, table: Table, origin: Origin, notes: &'a mut Notes) -> Section<'a> {
        Section { place: place.to_owned(), table, origin, known: Vec::new(), notes }
    }

    /// What the table is called, such as `server vbr01`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Where the table was given.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    pub fn refuse(&mut self, origin: Origin, why: String, remedy: &str) {
        self.notes.refusals.push(Refusal { origin, why, remedy: remedy.to_owned() });
    }

    /// Takes the raw value.
    pub fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let node = self.table.remove(key)?;
        self.notes.given.insert(written_name(&self.place, key), node.origin.clone());
        Some(node)
    }

    /// Says where something was given that has a name of its own.
    pub fn given(&mut self, name: String, origin: Origin) {
        self.notes.given.insert(name, origin);
    }

    /// Looks at the raw value and leaves it.
    pub fn peek(&self, key: &str) -> Option<&Node> {
        self.table.get(key)
    }

    /// Whether any key of the table is left.
    pub fn holds(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn named(&self, key: &str) -> String {
        if self.place.is_empty() { format!("`{key}`") } else { format!("`{key}` of {}", self.place) }
    }

    fn wrong(&mut self, key: &str, node: &Node, remedy: &str) {
        let why = match &node.value {
            Value::Text(text) | Value::Number(text) => format!("{} is \"{text}\"", self.named(key)),
            Value::Flag(flag) => format!("{} is {flag}", self.named(key)),
            Value::List(_) | Value::Table(_) => format!("{} is {}", self.named(key), node.value.kind()),
        };
        self.refuse(node.origin.clone(), why, remedy);
    }

    /// Reads a value by `read`; a wrong one is refused with `remedy`.
    pub fn read<T>(&mut self, key: &'static str, remedy: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let node = self.take(key)?;
        let found = match &node.value {
            Value::Text(text) | Value::Number(text) => read(text),
            Value::Flag(_) | Value::List(_) | Value::Table(_) => None,
        };
        if found.is_none() {
            self.wrong(key, &node, remedy);
        }
        found
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "write a text in quotes, not an empty one", |text| {
            let good = !text.trim().is_empty() && !text.chars().any(char::is_control);
            good.then(|| text.to_owned())
        })
    }

    /// A text that must be there.
    pub fn required(&mut self, key: &'static str, example: &str) -> Option<String> {
        if !self.holds(key) {
            self.known.push(key);
            let why = format!("{} is missing", self.named(key));
            self.refuse(self.origin(), why, &format!("add {key} = \"{example}\""));
            return None;
        }
        self.text(key)
    }

    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// A number between two bounds, both included.
    pub fn between<T>(&mut self, key: &'static str, low: T, high: T) -> Option<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let remedy = format!("write a number from {low} to {high}");
        self.read(key, &remedy, |text| text.parse().ok().filter(|number| low <= *number && *number <= high))
    }

    /// `"1h"`, `"90m"`, `"400d"`, `"1h30m"`.
    pub fn span(&mut self, key: &'static str, low: TimeDelta, high: TimeDelta) -> Option<TimeDelta> {
        let remedy = format!("write a span from {} to {}, such as \"1h\" or \"400d\"", spelled(low), spelled(high));
        self.read(key, &remedy, |text| span_of(text).filter(|span| low <= *span && *span <= high))
    }

    pub fn switch(&mut self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        let found = match (&node.value, &node.origin) {
            (Value::Flag(flag), _) => Some(*flag),
            (Value::Text(text), Origin::Environment(_)) => text.parse().ok(),
            _ => None,
        };
        if found.is_none() {
            self.wrong(key, &node, "write true or false");
        }
        found
    }

    /// One of a closed set of words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let remedy = format!("write {}", words.join(" or "));
        self.read(key, &remedy, |text| choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice))
    }

    /// A list of texts; an environment variable separates them by commas.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.each(key, "write a list of texts: [\"one\", \"two\"]", |texts| Some(texts.to_vec()))
    }

    /// A list of texts read by `read`; a wrong one is refused with `remedy`.
    pub fn each<T>(&mut self, key: &'static str, remedy: &str, read: impl FnOnce(&[String]) -> Option<T>) -> Option<T> {
        let node = self.take(key)?;
        let texts: Option<Vec<String>> = match (&node.value, &node.origin) {
            (Value::List(items), _) => items.iter().map(text_of).collect(),
            (Value::Text(text), Origin::Environment(_)) => {
                Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
            }
            _ => None,
        };
        let found = texts.and_then(|texts| read(&texts));
        if found.is_none() {
            self.wrong(key, &node, remedy);
        }
        found
    }

    /// A table inside this one, which must be read to its end.
    pub fn table(&mut self, key: &'static str) -> Option<(Table, Origin)> {
        let node = self.take(key)?;
        match node.value {
            Value::Table(table) => Some((table, node.origin)),
            _ => {
                self.wrong(key, &node, "write a table");
                None
            }
        }
    }

    /// Reads a table inside this one.
    pub fn inside<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>) -> T) -> Option<T> {
        let (table, origin) = self.table(key)?;
        let place = if self.place.is_empty() { format!("[{key}]") } else { format!("{key} of {}", self.place) };
        Some(self.within(&place, table, origin, read))
    }

    /// Reads a table to its end, refusing what nobody asked for.
    pub fn within<T>(
        &mut self,
        place: &str,
        table: Table,
        origin: Origin,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let mut section = Section::new(place, table, origin, self.notes);
        let found = read(&mut section);
        section.finish();
        found
    }

    /// Drops what was not read yet, unjudged.
    pub fn forget(&mut self) {
        self.table.clear();
    }

    /// Refuses every key that nobody asked for.
    pub fn finish(mut self) {
        let strangers = std::mem::take(&mut self.table);
        for (key, node) in strangers {
            let why = if self.place.is_empty() {
                format!("`{key}` is not a setting")
            } else {
                format!("`{key}` is not a setting of {}", self.place)
            };
            let remedy = self.advice_on(&key);
            self.refuse(node.origin, why, &remedy);
        }
    }

    fn advice_on(&self, key: &str) -> String {
        if key.contains("password") && self.known.contains(&"password_file") {
            return "write password_file = \"…\" or password_env = \"…\": secrets never stand in the settings"
                .to_owned();
        }
        let likeness = |known: &&&str| strsim::jaro_winkler(key, known);
        let nearest = self.known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        match nearest.filter(|known| likeness(known) >= LIKENESS_MIN) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("take it out; known here: {}", self.known.join(", ")),
        }
    }
}

/// A key with its tables before it: `tls` of `[mail]` is `mail.tls`.
fn written_name(place: &str, key: &str) -> String {
    match place.split_once(" of ") {
        _ if place.is_empty() => key.to_owned(),
        Some((inner, outer)) => written_name(outer, &format!("{inner}.{key}")),
        None => format!("{}.{key}", place.trim_matches(['[', ']'])),
    }
}

fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) | Value::Flag(_) | Value::List(_) | Value::Table(_) => None,
    }
}

/// Reads a span such as `1h30m`; nothing for one without a unit or of more than a century.
pub fn span_of(text: &str) -> Option<TimeDelta> {
    let mut total = TimeDelta::zero();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|sign: char| !sign.is_ascii_digit())?;
        let amount: i64 = rest[..unit_at].parse().ok().filter(|amount| *amount <= SPAN_DAYS_MAX * 86_400)?;
        let unit = rest[unit_at..].chars().next()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(&TimeDelta::try_seconds(amount.checked_mul(seconds)?)?)?;
        rest = &rest[unit_at + unit.len_utf8()..];
    }
    (total <= TimeDelta::days(SPAN_DAYS_MAX)).then_some(total)
}

/// A span as the settings write it.
pub fn spelled(span: TimeDelta) -> String {
    let mut seconds = span.num_seconds();
    let mut text = String::new();
    for (unit, size) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        if seconds / size > 0 {
            text.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
