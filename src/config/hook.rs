//! `[[webhook]]` and `[[usage_sink]]`: endpoints that are sent messages.

use std::collections::BTreeSet;

use crate::channels::cloud_events::Mode;
use crate::domain::events::Events;
use crate::doors::address::is_public;
use crate::doors::peer::{HookPeer, HttpPeer, Proof, Reach, SecretPlace, Trust, USAGE_SINK, WEBHOOK};

use super::section::Section;
use super::tree::{Node, Value};
use super::{far, mail};

/// Most endpoints of one kind.
const ENDPOINTS_MAX: usize = 50;
/// Most secrets of one webhook: one that holds, one that comes, and one too many.
const SECRETS_MAX: usize = 4;
/// Longest name of an endpoint.
const NAME_SIGNS_MAX: usize = 64;

/// An endpoint that is told news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    pub endpoint: HookPeer,
    /// What it is told.
    pub events: Events,
}

/// An endpoint that is sent usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSettings {
    pub name: String,
    pub endpoint: HookPeer,
    pub span: Span,
    pub mode: Mode,
}

/// The span of time that one usage event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// What stands at the end of each day.
    Day,
    /// What the submitted report of a month says.
    Month,
}

impl Span {
    /// As the settings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Span::Day => "day",
            Span::Month => "month",
        }
    }
}

impl WebhookSettings {
    /// How it is called where peers and recipients are named.
    pub fn peer(&self) -> String {
        format!("{WEBHOOK}{}", self.name)
    }
}

impl SinkSettings {
    /// How it is called where peers are named.
    pub fn peer(&self) -> String {
        format!("{USAGE_SINK}{}", self.name)
    }
}

/// Reads every `[[webhook]]`.
pub fn webhooks(section: &mut Section<'_>) -> Vec<WebhookSettings> {
    named(section, "webhook", one_webhook, |webhook| &webhook.name)
}

/// Reads every `[[usage_sink]]`.
pub fn sinks(section: &mut Section<'_>) -> Vec<SinkSettings> {
    named(section, "usage_sink", one_sink, |sink| &sink.name)
}

fn one_webhook(section: &mut Section<'_>) -> Option<WebhookSettings> {
    let name = name(section);
    let events = mail::events(section, "events").unwrap_or_else(Events::all);
    let origin = section.origin();
    let files =
        section.texts("secret_files").unwrap_or_default().into_iter().map(|path| SecretPlace::File(path.into()));
    let variables = section.texts("secret_envs").unwrap_or_default().into_iter().map(SecretPlace::Env);
    let secrets: Vec<SecretPlace> = files.chain(variables).collect();
    if secrets.is_empty() || secrets.len() > SECRETS_MAX {
        let why = format!("{} has {} secrets", section.place(), secrets.len());
        let remedy =
            format!("write secret_files = [\"…\"] with 1 to {SECRETS_MAX} files; each holds one whsec_… secret");
        section.refuse(origin, why, &remedy);
    }
    let endpoint = endpoint(section, Proof::Signed(secrets))?;
    Some(WebhookSettings { name: name?, endpoint, events })
}

fn one_sink(section: &mut Section<'_>) -> Option<SinkSettings> {
    let name = name(section);
    let span = section.choice("period", &[("day", Span::Day), ("month", Span::Month)]).unwrap_or(Span::Month);
    let modes = [("batch", Mode::Batch), ("structured", Mode::Structured)];
    let mode = section.choice("mode", &modes).unwrap_or(Mode::Batch);
    let file = section.path("authorization_file").map(SecretPlace::File);
    let variable = section.text("authorization_env").map(SecretPlace::Env);
    if file.is_some() && variable.is_some() {
        let why = "`authorization_file` and `authorization_env` are both given".to_owned();
        section.refuse(section.origin(), why, "keep one of them");
    }
    let proof = file.or(variable).map_or(Proof::None, Proof::Authorization);
    let endpoint = endpoint(section, proof)?;
    Some(SinkSettings { name: name?, endpoint, span, mode })
}

/// Reads a list of tables whose names differ.
fn named<T>(
    section: &mut Section<'_>,
    key: &'static str,
    one: fn(&mut Section<'_>) -> Option<T>,
    name: fn(&T) -> &String,
) -> Vec<T> {
    let Some(Node { value, origin }) = section.take(key) else { return Vec::new() };
    let Value::List(items) = value else {
        section.refuse(origin, format!("`{key}` is no list"), &format!("write [[{key}]] with two brackets"));
        return Vec::new();
    };
    if items.len() > ENDPOINTS_MAX {
        section.refuse(origin, format!("{} of [[{key}]]", items.len()), &format!("at most {ENDPOINTS_MAX}"));
        return Vec::new();
    }
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for Node { value, origin } in items {
        let Value::Table(table) = value else {
            let why = format!("a {key} that the settings file does not have");
            section.refuse(origin, why, &format!("add a [[{key}]] of that name"));
            continue;
        };
        let place = match table.get("name").map(|node| &node.value) {
            Some(Value::Text(name)) => format!("{key} {name}"),
            _ => format!("[[{key}]]"),
        };
        let Some(read) = section.within(&place, table, origin.clone(), one) else { continue };
        if names.insert(name(&read).clone()) {
            found.push(read);
        } else {
            section.refuse(origin, format!("two of [[{key}]] are called {}", name(&read)), "give each its own name");
        }
    }
    found
}

fn name(section: &mut Section<'_>) -> Option<String> {
    let origin = section.origin();
    let name = section.required("name", "operations")?;
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    if name.len() > NAME_SIGNS_MAX || !name.chars().all(is_plain) {
        let remedy = format!("write at most {NAME_SIGNS_MAX} letters, digits, - _ and .");
        section.refuse(origin, format!("`name` is \"{name}\""), &remedy);
        return None;
    }
    Some(name)
}

/// Reads `url`, `tls` and `allow_private`. What is wrong with a URL is said without showing it: it may hold a token.
fn endpoint(section: &mut Section<'_>, proof: Proof) -> Option<HookPeer> {
    let origin = section.origin();
    let url = section.required("url", "https://hooks.example.net/tidegauge");
    let trust = section.inside("tls", far::trust).unwrap_or_default();
    let reach = if section.switch("allow_private").unwrap_or(false) { Reach::Anywhere } else { Reach::Public };
    let url = url?;
    let Some((base_url, path)) = far::endpoint(&url) else {
        let why = format!("`url` of {} is no address of an endpoint", section.place());
        section.refuse(origin, why, "write it like https://hooks.example.net/tidegauge, without a user name or #");
        return None;
    };
    let host = far::host_of(&base_url).unwrap_or_default();
    let is_plain = base_url.starts_with("http://");
    if is_plain && (reach == Reach::Public || trust != Trust::System) {
        let why = format!("`url` of {} begins with http://", section.place());
        section.refuse(
            origin,
            why,
            "write https://, or without `tls` add allow_private = true for an endpoint of your own network",
        );
        return None;
    }
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    if reach == Reach::Public && literal.is_ok_and(|address| !is_public(address)) {
        let why = format!("`url` of {} is {host}, which is no address of the public internet", section.place());
        section.refuse(origin, why, "add allow_private = true if that is meant");
        return None;
    }
    let server = HttpPeer { base_url, trust, login: None, api_key: None };
    Some(HookPeer { server, path, proof, reach })
}
