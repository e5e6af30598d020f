//! The names of a console's servers: readable, unique, and the same from sample to sample.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::installation::{ServerName, named_at};
use crate::sources::KnownServer;

/// Longest part of a name before the `@`, in characters.
const NAME_CHARS_MAX: usize = 40;
/// Characters of a uid that tell two servers of one name apart.
const UID_CHARS: usize = 8;

/// A server as the console shows it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub uid: &'a str,
    pub name: &'a str,
    pub installation_id: Option<&'a str>,
}

/// A name for each uid. An installation that is known keeps its name, renamed or not; of two with one name the one that
/// came later gets a piece of its uid.
pub fn names(console: &str, shown: &[Shown], known: &[KnownServer]) -> BTreeMap<String, ServerName> {
    let mut names: BTreeMap<String, ServerName> = BTreeMap::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    // Cloned servers share an installation id: each first takes the name that is its own.
    for one in shown {
        let (plain, longer) = (plain_name(console, one), longer_name(console, one));
        let own = of(known, one).find(|known| known.server == plain || known.server == longer);
        if let Some(own) = own.filter(|own| taken.insert(&own.server)) {
            names.insert(one.uid.to_owned(), own.server.clone());
        }
    }
    for one in shown {
        if !names.contains_key(one.uid)
            && let Some(renamed) = of(known, one).find(|known| !taken.contains(known.server.as_str()))
        {
            taken.insert(&renamed.server);
            names.insert(one.uid.to_owned(), renamed.server.clone());
        }
    }
    for one in shown {
        if names.contains_key(one.uid) {
            continue;
        }
        let plain = plain_name(console, one);
        // Without an installation id the name alone tells that it is the same server.
        let is_known = known
            .iter()
            .any(|known| known.server == plain && (known.installation_id.is_some() && one.installation_id.is_some()));
        let is_free = !is_known && !names.values().any(|name| *name == plain);
        names.insert(one.uid.to_owned(), if is_free { plain } else { longer_name(console, one) });
    }
    names
}

/// The known servers with this one's installation id.
fn of<'a>(known: &'a [KnownServer], one: &Shown<'a>) -> impl Iterator<Item = &'a KnownServer> {
    let installation = one.installation_id;
    known.iter().filter(move |known| installation.is_some() && known.installation_id.as_deref() == installation)
}

fn plain_name(console: &str, one: &Shown) -> ServerName {
    named_at(&cleaned(one.name), console)
}

fn longer_name(console: &str, one: &Shown) -> ServerName {
    let uid: String = one.uid.chars().filter(char::is_ascii_alphanumeric).take(UID_CHARS).collect();
    named_at(&format!("{}-{uid}", cleaned(one.name)), console)
}

/// Letters, digits and `-_.`, as names in the settings are written.
fn cleaned(name: &str) -> String {
    let good = |sign: char| if sign.is_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
    let cleaned: String = name.trim().chars().map(good).take(NAME_CHARS_MAX).collect();
    let cleaned = cleaned.trim_start_matches('.');
    if cleaned.is_empty() { "server".to_owned() } else { cleaned.to_owned() }
}
