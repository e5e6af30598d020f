//! Texts for somebody who must read no name: what is known by name gets its pseudonym, and so does everything that looks
//! like an address, a path or an id. Hours, numbers and plain words stay.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::events::EVENTS;
use crate::domain::pseudonym::NameKind;

use super::pseudonyms::PseudonymKey;

/// Shorter names tell nothing, and would take letters out of words.
const NAME_SIGNS_MIN: usize = 2;
/// Names that everybody has: an account is often called like the program.
const OWN: [&str; 3] = ["tidegauge", "root", "localhost"];
/// Hexadecimal digits from which on a token is an id or a digest.
const HEX_SIGNS_MIN: usize = 12;
/// Signs from which on a token of letters and digits is taken for a secret or an id.
const TOKEN_SIGNS_MIN: usize = 20;
/// What the names of our variables begin with: they stay, word by word.
const VARIABLE: &str = "TIDEGAUGE_";
/// What ends a token, besides spaces.
const ENDS: &str = "\"'`()[]{}<>,;=|/“”…";
/// Who acts when nobody does.
const NOBODY: &str = "duty";
/// The field that says what JSON is of ours.
const SCHEMA: &str = "schema";
/// Fields that hold names and people's own words, known or not.
const NAMED: [&str; 18] = [
    "name",
    "server",
    "servers",
    "tenant",
    "company",
    "licensed_to",
    "support_id",
    "license_id",
    "installation_id",
    "unit",
    "by",
    "actor",
    "user",
    "reason",
    "to",
    "with",
    "shared_license",
    "contract",
];

/// A name as it is looked for.
struct Known {
    /// Lower case.
    signs: Vec<char>,
    kind: NameKind,
    name: String,
}

/// Replaces names in texts and JSON; the same name always becomes the same.
pub struct Scrub {
    key: PseudonymKey,
    /// By the first word, the longest first.
    known: BTreeMap<String, Vec<Known>>,
}

impl Scrub {
    /// Knows these names, in whatever case they are written; of several kinds for one name the first counts.
    pub fn new(key: PseudonymKey, names: impl IntoIterator<Item = (NameKind, String)>) -> Scrub {
        let mut known: BTreeMap<String, Vec<Known>> = BTreeMap::new();
        for (kind, name) in names {
            let name = name.trim_matches(|sign: char| !sign.is_alphanumeric()).to_owned();
            let signs: Vec<char> = name.chars().map(lower).collect();
            if signs.len() < NAME_SIGNS_MIN || OWN.contains(&name.to_lowercase().as_str()) {
                continue;
            }
            let of_word = known.entry(word_at(&signs, 0)).or_default();
            if !of_word.iter().any(|known| known.signs == signs) {
                of_word.push(Known { signs, kind, name });
            }
        }
        known.values_mut().for_each(|names| names.sort_by_key(|known| std::cmp::Reverse(known.signs.len())));
        Scrub { key, known }
    }

    /// The text without names.
    pub fn text(&self, text: &str) -> String {
        let signs: Vec<char> = text.chars().collect();
        let lowered: Vec<char> = signs.iter().copied().map(lower).collect();
        let mut scrubbed = String::with_capacity(text.len());
        let mut at = 0;
        while at < signs.len() {
            let is_start = at == 0 || !signs[at - 1].is_alphanumeric();
            let found = if is_start { self.found_at(&signs, &lowered, at) } else { None };
            match found {
                Some((replaced, length)) => {
                    scrubbed += &replaced;
                    at += length;
                }
                None => {
                    scrubbed.push(signs[at]);
                    at += 1;
                }
            }
        }
        scrubbed
    }

    /// What stands for a text of which nothing may stay.
    pub fn pseudonym(&self, text: &str) -> String {
        self.key.pseudonym(NameKind::Text, text)
    }

    /// The same of everything in it; fields of people and things never stay as they are.
    pub fn json(&self, value: &Value) -> Value {
        self.field("", value)
    }

    fn field(&self, field: &str, value: &Value) -> Value {
        match value {
            Value::String(_) if field == SCHEMA => value.clone(),
            Value::String(text) => Value::String(self.field_text(field, text)),
            Value::Array(items) => items.iter().map(|item| self.field(field, item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (self.text(name), self.field(name, value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn field_text(&self, field: &str, text: &str) -> String {
        let scrubbed = self.text(text);
        let is_named = NAMED.contains(&field) && scrubbed == text && text != NOBODY;
        if is_named { self.pseudonym(text) } else { scrubbed }
    }

    /// What stands for that which begins here, and how many signs it takes; `None`: it stays.
    fn found_at(&self, signs: &[char], lowered: &[char], at: usize) -> Option<(String, usize)> {
        let rest = &signs[at..];
        if let Some(length) = instant_at(rest) {
            return Some((rest[..length].iter().collect(), length));
        }
        let candidates = self.known.get(&word_at(lowered, at)).into_iter().flatten();
        for known in candidates {
            let end = at + known.signs.len();
            let is_whole = signs.get(end).is_none_or(|next| !next.is_alphanumeric());
            if is_whole && lowered.get(at..end) == Some(&known.signs[..]) {
                return Some((self.key.pseudonym(known.kind, &known.name), known.signs.len()));
            }
        }
        self.path_at(signs, at).or_else(|| self.token_at(rest))
    }

    /// A path of a disk, up to its end; how it ends stays. Paths of an API stay, word by word.
    fn path_at(&self, signs: &[char], at: usize) -> Option<(String, usize)> {
        let rest = &signs[at..];
        let is_windows = rest.len() > 2 && rest[0].is_ascii_alphabetic() && rest[1..].starts_with(&[':', '\\']);
        let before = at.checked_sub(1).map(|before| signs[before]);
        let is_unix = rest[0] == '/' && before.is_none_or(|before| before.is_whitespace() || "\"'`(=".contains(before));
        let drive = if is_windows { 2 } else { 0 };
        let is_in_it = |sign: &&char| !sign.is_whitespace() && !"\"'`(),;:".contains(**sign);
        let length = drive + rest[drive..].iter().take_while(is_in_it).count();
        let path: String = rest[..length].iter().collect();
        let is_path = is_windows || is_unix || path.starts_with("\\\\");
        (is_path && 1 < length && !path.starts_with("/api/"))
            .then(|| (self.key.pseudonym(NameKind::Path, &path), length))
    }

    /// Something whose form says that it is an address or an id.
    fn token_at(&self, rest: &[char]) -> Option<(String, usize)> {
        let until = |ends: &dyn Fn(char) -> bool| -> String { rest.iter().take_while(|sign| !ends(**sign)).collect() };
        let whole = until(&|sign| sign.is_whitespace() || "\"'`()<>{},;".contains(sign));
        if let Some((scheme, far)) = whole.split_once("://") {
            let authority = far.split(['/', '?']).next().unwrap_or_default();
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            let shown = format!("{scheme}://{}", self.key.pseudonym(NameKind::Host, host));
            return Some((shown, whole.chars().count()));
        }
        let token = until(&|sign| sign.is_whitespace() || ENDS.contains(sign));
        let token = token.trim_end_matches(['.', ':', '!', '?', '-', '_']);
        let kind = kind_of(token)?;
        Some((self.key.pseudonym(kind, &token.to_lowercase()), token.chars().count()))
    }
}

fn lower(sign: char) -> char {
    sign.to_lowercase().next().unwrap_or(sign)
}

/// Letters and digits from here on.
fn word_at(signs: &[char], at: usize) -> String {
    signs[at..].iter().take_while(|sign| sign.is_alphanumeric()).collect()
}

/// The length of a day or an instant that begins here: `2026-11`, `2026-11-04T09:00:00Z`, `2026-W45`.
fn instant_at(rest: &[char]) -> Option<usize> {
    let text: String = rest.iter().take_while(|sign| sign.is_ascii_digit() || "-:TZW+.".contains(**sign)).collect();
    let text = text.trim_end_matches(['-', ':', '.', '+', 'T', 'W']);
    let length = text.len();
    let (year, more) = text.split_once('-')?;
    let is_year = year.len() == 4 && year.starts_with("20") && year.chars().all(|sign| sign.is_ascii_digit());
    let is_month = more.len() >= 2 && more.chars().skip(1).take(1).all(|sign| sign.is_ascii_digit());
    let is_over = rest.get(length).is_none_or(|next| !next.is_alphanumeric());
    (is_year && is_month && is_over && more.len() <= 30).then_some(length)
}

/// What a token is by its form; `None`: a word or a number.
fn kind_of(token: &str) -> Option<NameKind> {
    let address = |text: &str| text.parse::<IpAddr>().ok().or(text.parse::<SocketAddr>().ok().map(|one| one.ip()));
    if let Some(address) = address(token) {
        return (!address.is_loopback()).then_some(NameKind::Host);
    }
    let has = |is: fn(&char) -> bool| token.chars().any(|sign| is(&sign));
    if token.contains('@') && has(char::is_ascii_alphanumeric) {
        return Some(NameKind::Mailbox);
    }
    if token.contains('\\') {
        return Some(NameKind::Path);
    }
    if is_host(token) && !EVENTS.contains(&token) {
        return Some(NameKind::Host);
    }
    let signs = token.chars().filter(|sign| *sign != '-' && *sign != ':').count();
    let is_hex = token.chars().all(|sign| sign.is_ascii_hexdigit() || sign == '-' || sign == ':');
    let (has_digit, has_letter) = (has(char::is_ascii_digit), has(char::is_ascii_alphabetic));
    let is_code = token.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_+.".contains(sign));
    let is_variable = token.starts_with(VARIABLE);
    let is_id = is_hex && HEX_SIGNS_MIN <= signs && has_digit;
    (is_id || (is_code && !is_variable && TOKEN_SIGNS_MIN <= signs && has_digit && has_letter)).then_some(NameKind::Id)
}

/// `vbr01.example.net`, perhaps with a port: labels with points between them, the last one of letters.
fn is_host(token: &str) -> bool {
    let host = match token.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|sign| sign.is_ascii_digit()) => host,
        Some(_) => return false,
        None => token,
    };
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|sign| sign.is_alphanumeric() || sign == '-');
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && host.split('.').all(is_label) && last.len() > 1 && last.chars().all(char::is_alphabetic)
}
