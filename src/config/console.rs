//! `[console]`: where pages and API listen, what names they answer to, how long people stay signed in, four eyes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use chrono::TimeDelta;

use super::Settings;
use super::openid::OpenIdSettings;
use super::section::{Section, spelled};
use crate::domain::Points;
use crate::people::openid;

/// The console's address without a setting.
pub const CONSOLE_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// Most names that the console answers to besides loopback.
const NAMES_MAX: usize = 32;

/// Where the console listens, and how people use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSettings {
    pub listen: SocketAddr,
    /// With what it speaks TLS; `None`: plain HTTP, on loopback or behind a proxy.
    pub tls: Option<ServingTls>,
    /// Host names that it answers to besides loopback, lower case, without a port.
    pub names: Vec<String>,
    /// A proxy in front speaks TLS and says who asks.
    pub behind_proxy: bool,
    /// A session ends when nothing was asked for so long; 1 minute to 1 day.
    pub idle: TimeDelta,
    /// A session ends so long after sign-in; at most 30 days.
    pub session: TimeDelta,
    /// A person's adjustments that lower a report by more than this need a second person; `None`: they never do.
    pub four_eyes: Option<Points>,
    /// By whom people may sign in besides local users.
    pub openid: Option<OpenIdSettings>,
}

/// A certificate with its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingTls {
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
}

impl Default for ConsoleSettings {
    fn default() -> ConsoleSettings {
        ConsoleSettings {
            listen: CONSOLE_LISTEN,
            tls: None,
            names: Vec::new(),
            behind_proxy: false,
            idle: TimeDelta::minutes(30),
            session: TimeDelta::hours(12),
            four_eyes: None,
            openid: None,
        }
    }
}

impl ConsoleSettings {
    /// Listening there, all else by default.
    pub fn at(listen: SocketAddr) -> ConsoleSettings {
        ConsoleSettings { listen, ..ConsoleSettings::default() }
    }

    /// Whether browsers reach it over TLS: cookies are then kept from plain HTTP.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some() || self.behind_proxy
    }

    /// The address of a page as people open it: by the first name, else where it listens.
    pub fn link(&self, path: &str) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        match (self.names.first(), self.behind_proxy) {
            (Some(name), true) => format!("{scheme}://{name}{path}"),
            (Some(name), false) => format!("{scheme}://{name}:{}{path}", self.listen.port()),
            (None, _) => format!("{scheme}://{}{path}", self.listen),
        }
    }

    /// A line a setting, as `config check` prints them.
    pub(super) fn explain(&self) -> Vec<String> {
        let mut lines = vec![format!("console.listen = {}", self.listen)];
        lines.extend(self.tls.iter().map(|tls| {
            let (certificate, key) = (tls.certificate_file.display(), tls.key_file.display());
            format!("console.tls = the certificate in {certificate}, its key in {key}")
        }));
        if !self.names.is_empty() {
            lines.push(format!("console.names = {}", self.names.join(", ")));
        }
        if self.behind_proxy {
            lines.push("console.behind_proxy = true   (the proxy speaks TLS and says who asks)".to_owned());
        }
        lines.push(format!("console.idle = {}", spelled(self.idle)));
        lines.push(format!("console.session = {}", spelled(self.session)));
        let points = self.four_eyes.as_ref();
        lines
            .extend(points.map(|points| format!("console.four_eyes_points = {points}   (more needs a second person)")));
        lines.extend(self.openid.iter().flat_map(OpenIdSettings::explain));
        lines
    }
}

pub(super) fn read(section: &mut Section<'_>, settings: &mut Settings) {
    let (defaults, origin) = (ConsoleSettings::default(), section.origin());
    let remedy = "write an address with its port, such as \"127.0.0.1:8420\"";
    let listen = section.read("listen", remedy, |text| text.parse::<SocketAddr>().ok()).unwrap_or(defaults.listen);
    let minute = TimeDelta::minutes(1);
    let session = section.span("session", minute, TimeDelta::days(30)).unwrap_or(defaults.session);
    let points = |text: &str| Points::stated(text).ok().filter(|points| !points.is_negative());
    let mut console = ConsoleSettings {
        listen,
        tls: section.inside("tls", tls).flatten(),
        names: section
            .each("names", "write at most 32 host names: [\"tidegauge.example.net\"]", names)
            .unwrap_or_default(),
        behind_proxy: section.switch("behind_proxy").unwrap_or_default(),
        idle: section.span("idle", minute, TimeDelta::days(1)).unwrap_or(defaults.idle.min(session)),
        session,
        four_eyes: section.read("four_eyes_points", "write zero or more points, such as \"50\"", points),
        openid: None,
    };
    let back_url = console.link(openid::BACK_PATH);
    console.openid = section.inside("openid", |section| super::openid::read(section, back_url)).flatten();
    if console.is_secure() && console.names.is_empty() {
        let why = "`names` of [console] is missing: browsers would be refused under any name but this machine's own"
            .to_owned();
        section.refuse(
            origin.clone(),
            why,
            "add names = [\"tidegauge.example.net\"], the name in the browser's address",
        );
    }
    if !listen.ip().is_loopback() && !console.is_secure() {
        let why = format!("`listen` of [console] is \"{listen}\": passwords would cross the network in the clear");
        let remedy = "add tls = { certificate_file = \"…\", key_file = \"…\" }, or behind_proxy = true when a proxy in front \
                      speaks TLS, or write a loopback address, such as \"127.0.0.1:8420\"";
        section.refuse(origin, why, remedy);
    }
    settings.console = Some(console);
}

fn tls(section: &mut Section<'_>) -> Option<ServingTls> {
    let certificate = section.required("certificate_file", "/etc/tidegauge/console.crt");
    let key = section.required("key_file", "/etc/tidegauge/console.key");
    Some(ServingTls { certificate_file: certificate?.into(), key_file: key?.into() })
}

fn names(texts: &[String]) -> Option<Vec<String>> {
    let is_good = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '.';
    let is_name = |name: &String| !name.is_empty() && name.len() <= 253 && name.chars().all(is_good);
    let names: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    (names.len() <= NAMES_MAX && names.iter().all(is_name)).then_some(names)
}
