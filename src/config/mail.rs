//! `[mail]`: the mail server, who is told what, and which files go along.

use crate::channels::mail::check_address;
use crate::domain::events::{EVENTS, Events};
use crate::doors::peer::{Login, MailAuth, MailPeer, MailTls, SecretPlace, Trust, is_loopback};
use crate::formats::{FORMATS, by_extension};

use super::far;
use super::section::Section;
use super::tree::{Node, Value};

/// Bytes of all files of one letter, in base64, without a setting: 10 MB. Common mail servers take not much more.
pub const ATTACH_BYTES_MAX: usize = 10_000_000;
/// The largest limit that may be set.
const ATTACH_LIMIT_MAX: usize = 100_000_000;
/// The format that is mailed without a setting.
const ATTACHED: &str = "pdf";
const UNITS: [(&str, usize); 4] = [("kB", 1_000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20)];
const SIZE_REMEDY: &str = "write a size up to 100 MB, such as \"10MB\" or \"500kB\"";

/// Who writes mail to whom, by which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    pub server: MailPeer,
    /// As in a `From` line.
    pub from: String,
    /// At least one address.
    pub to: Vec<String>,
    /// What `to` is told.
    pub events: Events,
    /// What `to` is not told, although `events` has it.
    pub mute: Events,
    /// Further recipients.
    pub routes: Vec<MailRoute>,
    /// Extensions of the formats that go with a letter about a report.
    pub attach: Vec<&'static str>,
    /// Most bytes of all files of one letter as they are sent, in base64.
    pub attach_bytes_max: usize,
}

/// Recipients of some kinds of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRoute {
    pub events: Events,
    pub to: Vec<String>,
}

impl MailSettings {
    /// These recipients are told everything, and nothing else is set.
    pub fn to_all(server: MailPeer, from: String, to: Vec<String>) -> MailSettings {
        MailSettings {
            server,
            from,
            to,
            events: Events::all(),
            mute: Events::none(),
            routes: Vec::new(),
            attach: vec![ATTACHED],
            attach_bytes_max: ATTACH_BYTES_MAX,
        }
    }

    /// Who is told news of this kind; each address once.
    pub fn recipients(&self, event: &str) -> Vec<String> {
        let is_told = self.events.has(event) && !self.mute.has(event);
        let own = self.to.iter().filter(|_| is_told);
        let routed = self.routes.iter().filter(|route| route.events.has(event)).flat_map(|route| &route.to);
        let mut recipients: Vec<String> = Vec::new();
        for address in own.chain(routed) {
            if !recipients.contains(address) {
                recipients.push(address.clone());
            }
        }
        recipients
    }
}

/// Reads `[mail]`.
pub fn read(section: &mut Section<'_>) -> Option<MailSettings> {
    let server = server(section);
    let from = from(section);
    let to = addresses(section);
    let told = events(section, "events").unwrap_or_else(Events::all);
    let mute = events(section, "mute").unwrap_or_else(Events::none);
    let routes = routes(section);
    let attach = attach(section).unwrap_or_else(|| vec![ATTACHED]);
    let attach_bytes_max = section.read("attach_max", SIZE_REMEDY, size).unwrap_or(ATTACH_BYTES_MAX);
    Some(MailSettings { server: server?, from: from?, to: to?, events: told, mute, routes, attach, attach_bytes_max })
}

#[derive(Clone, Copy)]
enum TlsWord {
    Starttls,
    Implicit,
    None,
}

fn server(section: &mut Section<'_>) -> Option<MailPeer> {
    let origin = section.origin();
    let host = section.required("host", "smtp.example.net");
    let words = [("starttls", TlsWord::Starttls), ("implicit", TlsWord::Implicit), ("none", TlsWord::None)];
    let tls = section.choice("tls", &words).unwrap_or(TlsWord::Starttls);
    let allowed = section.switch("allow_plaintext").unwrap_or(false);
    let port = section.between("port", 1_u16, u16::MAX);
    let trust = section.path("ca_file").map_or(Trust::System, Trust::CaFile);
    let (auth, login) = login(section);
    let host = host?;
    let (tls, usual_port) = match tls {
        TlsWord::Starttls => (MailTls::Starttls, 587),
        TlsWord::Implicit => (MailTls::Implicit, 465),
        TlsWord::None if allowed => (MailTls::NoneAllowed, 25),
        TlsWord::None => (MailTls::NoneOnLoopback, 25),
    };
    if tls == MailTls::NoneOnLoopback && !is_loopback(&host) {
        let why =
            format!("`tls` is \"none\" and {host} is another machine: reports would cross the network in the clear");
        section.refuse(origin, why, "write tls = \"starttls\", or add allow_plaintext = true");
        return None;
    }
    Some(MailPeer { host, port: port.unwrap_or(usual_port), tls, trust, auth, login })
}

/// `auth = "password"` with `username` and its password, or `auth = "xoauth2"` with `username` and `token_file`.
fn login(section: &mut Section<'_>) -> (MailAuth, Option<Login>) {
    let origin = section.origin();
    let words = [("password", MailAuth::Password), ("xoauth2", MailAuth::Xoauth2)];
    let auth = section.choice("auth", &words).unwrap_or(MailAuth::Password);
    let token = section.path("token_file").map(SecretPlace::File);
    match (auth, token) {
        (MailAuth::Password, None) => (auth, far::login(section)),
        (MailAuth::Password, Some(_)) => {
            section.refuse(
                origin,
                "`token_file` is given, and `auth` is no \"xoauth2\"".to_owned(),
                "add auth = \"xoauth2\", or take it out",
            );
            (auth, far::login(section))
        }
        (MailAuth::Xoauth2, token) => {
            let username = section.required("username", "tidegauge@example.net");
            if section.holds("password_file") || section.holds("password_env") {
                let why = "`auth` is \"xoauth2\", and there is a password".to_owned();
                section.refuse(origin.clone(), why, "take the password out: a token is the login");
                let _ = (section.take("password_file"), section.take("password_env"));
            }
            if token.is_none() {
                let why = "`auth` is \"xoauth2\", and there is no token".to_owned();
                section.refuse(origin, why, "add token_file = \"…\", which something else keeps fresh");
            }
            (auth, username.zip(token).map(|(username, password)| Login { username, password }))
        }
    }
}

fn from(section: &mut Section<'_>) -> Option<String> {
    let from = section.required("from", "Tidegauge <tidegauge@example.net>")?;
    if check_address(&from).is_err() {
        let why = format!("`from` of {} is \"{from}\"", section.place());
        section.refuse(section.origin(), why, "write name@example.net or Name <name@example.net>");
        return None;
    }
    Some(from)
}

/// Reads `to`: addresses that a letter can be sent to, at least one.
fn addresses(section: &mut Section<'_>) -> Option<Vec<String>> {
    let origin = section.origin();
    let to = section.texts("to").unwrap_or_default();
    if let Some(odd) = to.iter().find(|address| check_address(address).is_err()) {
        let why = format!("`to` of {} has \"{odd}\"", section.place());
        section.refuse(origin, why, "write mail addresses: name@example.net or Name <name@example.net>");
        return None;
    }
    if to.is_empty() {
        let why = format!("`to` of {} names nobody", section.place());
        section.refuse(origin, why, "add to = [\"licensing@example.net\"]");
        return None;
    }
    Some(to)
}

/// Reads a list of events, such as `["report.*", "gate.held"]`.
pub fn events(section: &mut Section<'_>, key: &'static str) -> Option<Events> {
    let remedy = format!("write a list of: *, report.*, license.*, gate.*, server.*, {}", EVENTS.join(", "));
    section.each(key, &remedy, |names| Events::read(names).ok())
}

/// Reads the `[[mail.route]]`s.
fn routes(section: &mut Section<'_>) -> Vec<MailRoute> {
    let Some(node) = section.take("route") else { return Vec::new() };
    let Value::List(items) = node.value else {
        section.refuse(
            node.origin,
            "`route` of [mail] is no list".to_owned(),
            "write [[mail.route]] with two brackets",
        );
        return Vec::new();
    };
    let mut routes = Vec::new();
    for Node { value, origin } in items {
        let Value::Table(table) = value else {
            let why = "an entry of `route` of [mail] is no table".to_owned();
            section.refuse(origin, why, "write events = [\"gate.*\"] and to = [\"noc@example.net\"]");
            continue;
        };
        let route = section.within("[[mail.route]]", table, origin, |section| {
            let events = events(section, "events");
            (events, addresses(section))
        });
        if let (Some(events), Some(to)) = route {
            routes.push(MailRoute { events, to });
        }
    }
    routes
}

fn attach(section: &mut Section<'_>) -> Option<Vec<&'static str>> {
    let known: Vec<&str> = FORMATS.iter().map(|format| format.extension).collect();
    let remedy = format!("write a list of formats: {}; or [] for none", known.join(", "));
    let extension = |name: &String| by_extension(name).map(|format| format.extension);
    section.each("attach", &remedy, |names| names.iter().map(extension).collect())
}

/// `"10MB"`, `"500kB"`, `"8MiB"`.
fn size(text: &str) -> Option<usize> {
    let unit_at = text.find(|sign: char| !sign.is_ascii_digit())?;
    let amount: usize = text[..unit_at].parse().ok()?;
    let unit = UNITS.iter().find(|(unit, _)| *unit == text[unit_at..].trim())?.1;
    amount.checked_mul(unit).filter(|bytes| *bytes <= ATTACH_LIMIT_MAX)
}
