//! The settings as every room sees them, with their defaults; where they come from is told elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::domain::gate::Tolerance;
use crate::protocol::ReportDetail;
use crate::rules::review::Deadlines;
use crate::rules::schedule::Policy;
use crate::sources::{SourceRow, SourceSettings, source_named};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lock, journal, state, keys.
    pub state_dir: PathBuf,
    /// Where reports are written, a folder a month.
    pub reports_dir: PathBuf,
    /// For showing times only; periods are GMT.
    pub time_zone: Tz,
    /// Whole minutes, 1 minute to 1 day.
    pub sample_interval: TimeDelta,
    /// How old a sample may be and still stand for its server; twice the interval by default.
    pub basis_max_age: TimeDelta,
    /// Raw samples older than this may be thinned.
    pub keep_raw: TimeDelta,
    pub deadlines: Deadlines,
    /// A report below this coverage is not sent without a person, 0 to 100 percent.
    pub coverage_percent_min: u8,
    pub tolerance: Tolerance,
    /// The same machine on two servers counts once.
    pub count_duplicates_once: bool,
    pub report_detail: ReportDetail,
    /// A key with another package may be installed (domain.md 4.7).
    pub allow_package_change: bool,
    pub servers: Vec<ServerSettings>,
    pub license_server: Option<PeerSettings>,
    pub mail: Option<MailSettings>,
    /// Where the console listens; `None`: nowhere.
    pub console: Option<SocketAddr>,
}

/// One backup server.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub name: String,
    /// A row of `SOURCES`.
    pub source_name: &'static str,
    pub source: SourceSettings,
    /// Where and how it is reached: over HTTP, or a folder.
    pub place: Place,
    pub license: LicenseBy,
    /// Servers of the same name here are one reporting unit.
    pub shared_license: Option<String>,
    pub month_end: MonthEnd,
    pub managed_by: Option<ManagedBy>,
    /// Whether VSPC approves reports by itself; with `false` the reminder is shown.
    pub vspc_auto_approval: bool,
    /// Enterprise Manager's auto update, which wins in both directions.
    pub em_auto_update: Option<bool>,
}

/// Where a server's usage comes from.
#[derive(Clone, Debug)]
pub enum Place {
    Http(PeerSettings),
    Folder(PathBuf),
}

/// How a far side is reached over HTTP.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// Scheme, host and port, without a path.
    pub url: String,
    pub trust: Trust,
    pub login: Option<Login>,
}

/// By what a certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The system's authorities.
    System,
    CaFile(PathBuf),
    /// The leaf's SHA-256, 64 hex digits in lower case.
    Fingerprint(String),
    /// Not at all; said aloud at every start.
    Insecure,
}

/// A user name, and where its password stands. The password itself is read at use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: SecretPlace,
}

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
}

/// Who renews a server's license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenseBy {
    /// Our License Update Server; its key governs.
    LicenseServer,
    /// Nobody here; the server's block is shown.
    Nobody,
}

/// What stands for a server without a fresh sample at the month's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthEnd {
    /// Its newest sample, marked stale.
    Carry,
    /// Wait this long after 00:00 GMT, then carry.
    Wait(TimeDelta),
    /// Nothing; it is listed as not collected.
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    Vspc,
    EnterpriseManager,
}

#[derive(Clone, Debug)]
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub trust: Trust,
    pub login: Option<Login>,
    /// Plain text off loopback is refused unless this is set.
    pub allow_plaintext: bool,
    pub from: String,
    pub to: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    StartTls,
    Implicit,
    None,
}

impl MonthEnd {
    /// Whether an old sample may stand for the server.
    pub fn carries(self) -> bool {
        match self {
            MonthEnd::Carry | MonthEnd::Wait(_) => true,
            MonthEnd::Exclude => false,
        }
    }

    /// How long after the month's end the report waits for the server; `None`: `basis_max_age`.
    pub fn waits(self) -> Option<TimeDelta> {
        match self {
            MonthEnd::Wait(span) => Some(span),
            MonthEnd::Carry | MonthEnd::Exclude => None,
        }
    }
}

impl Default for Settings {
    /// What holds without a settings file.
    fn default() -> Settings {
        Settings {
            state_dir: PathBuf::from("/var/lib/tidegauge"),
            reports_dir: PathBuf::from("/var/lib/tidegauge/reports"),
            time_zone: Tz::UTC,
            sample_interval: TimeDelta::hours(1),
            basis_max_age: TimeDelta::hours(2),
            keep_raw: TimeDelta::days(400),
            deadlines: Deadlines { auto_submit_day: 11, manual_deadline_day: 10 },
            coverage_percent_min: 50,
            tolerance: Tolerance::default(),
            count_duplicates_once: false,
            report_detail: ReportDetail::default(),
            allow_package_change: false,
            servers: Vec::new(),
            license_server: None,
            mail: None,
            console: None,
        }
    }
}

impl ServerSettings {
    /// A server with defaults for everything but name, source and place.
    ///
    /// `None` when there is no source of that name.
    pub fn new(name: &str, source: &str, place: Place) -> Option<ServerSettings> {
        Some(ServerSettings {
            name: name.to_owned(),
            source_name: source_named(source)?.name,
            source: SourceSettings::default(),
            place,
            license: LicenseBy::LicenseServer,
            shared_license: None,
            month_end: MonthEnd::Carry,
            managed_by: None,
            vspc_auto_approval: true,
            em_auto_update: None,
        })
    }

    /// The row of its source.
    pub fn source_row(&self) -> &'static SourceRow {
        source_named(self.source_name).expect("the name was taken from the table")
    }
}

impl Settings {
    pub fn server(&self, name: &str) -> Option<&ServerSettings> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// What the schedule obeys.
    pub fn policy(&self) -> Policy {
        Policy { sample_interval: self.sample_interval, basis_max_age: self.basis_max_age, deadlines: self.deadlines }
    }

    /// Whether our License Update Server renews the license of these servers.
    pub fn renews_by_license_server(&self, servers: &[String]) -> bool {
        let by = |name: &String| self.server(name).map_or(LicenseBy::LicenseServer, |server| server.license);
        servers.iter().map(by).all(|by| by == LicenseBy::LicenseServer)
    }

    /// Everything that is in force, a line each; passwords are never read for it.
    pub fn explain(&self) -> String {
        let mut lines = BTreeMap::from([
            ("state_dir", self.state_dir.display().to_string()),
            ("reports_dir", self.reports_dir.display().to_string()),
            ("time_zone", self.time_zone.name().to_owned()),
            ("sample_interval", format!("{} min", self.sample_interval.num_minutes())),
            ("basis_max_age", format!("{} min", self.basis_max_age.num_minutes())),
            ("keep_raw", format!("{} d", self.keep_raw.num_days())),
            ("policy.auto_submit_day", self.deadlines.auto_submit_day.to_string()),
            ("policy.manual_deadline_day", self.deadlines.manual_deadline_day.to_string()),
            ("policy.coverage_percent_min", self.coverage_percent_min.to_string()),
            ("gate.tolerance_points", self.tolerance.points.to_string()),
            ("gate.tolerance_percent", self.tolerance.percent.to_string()),
        ]);
        let server = self.license_server.as_ref().map_or("none: nothing is sent".to_owned(), |peer| peer.url.clone());
        lines.insert("license_server.url", server);
        let mail = self.mail.as_ref().map_or("none: nobody is mailed".to_owned(), |mail| {
            format!("{}:{} ({:?}) to {}", mail.host, mail.port, mail.tls, mail.to.join(", "))
        });
        lines.insert("mail", mail);
        lines.insert("console.listen", self.console.map_or("none".to_owned(), |at| at.to_string()));
        let mut text = String::new();
        for (key, value) in lines {
            let _ = writeln!(text, "{key:<28} {value}");
        }
        for server in &self.servers {
            let place = match &server.place {
                Place::Http(peer) => format!("{} ({:?})", peer.url, peer.trust),
                Place::Folder(path) => path.display().to_string(),
            };
            let _ = writeln!(text, "{:<28} {} {place}", format!("server {}", server.name), server.source_name);
        }
        text
    }
}
