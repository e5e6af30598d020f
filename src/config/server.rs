//! One `[[server]]` of the settings.

use chrono::{NaiveTime, TimeDelta};

use crate::domain::installation::ServerName;
use crate::doors::peer::{FolderPeer, HttpPeer, LICENSE_SERVER, MAIL, PeerSettings};
use crate::sources::{Reach, SOURCES, SignsIn, SourceRow, SourceSettings, TenantsFrom, source_named};

use super::far;
use super::section::Section;

/// A backup server and how it is sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    pub name: ServerName,
    /// A name of [`SOURCES`].
    source_name: &'static str,
    pub source: SourceSettings,
    pub reach: PeerSettings,
    pub license: LicenseBy,
    /// Servers with the same name here share one license key.
    pub shared_license: Option<String>,
    pub month_end: MonthEnd,
    pub managed_by: Option<ManagedBy>,
    /// Whether VSPC approves reports by itself; with `false` the reminder is shown.
    pub vspc_auto_approval: bool,
    /// Enterprise Manager's auto update: wins over everything else when it is given.
    pub em_auto_update: Option<bool>,
    /// What consoles and Enterprise Managers call it, besides its name and the host of its address.
    pub other_names: Vec<String>,
    /// Whether people may finalize the far side's own monthly report from here; it is sent from there for good.
    pub finalize_reports: bool,
}

/// Who renews a server's license (design.md section 4, "License").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenseBy {
    /// Our License Update Server; its key governs.
    LicenseServer,
    /// The backup server, asked by us to renew its key at its vendor; its block governs.
    BackupServer,
    /// Nobody here; the server's block is shown.
    Nobody,
}

/// What a report does when the newest sample of a server is too old at the month's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonthEnd {
    /// The old sample stands, marked stale.
    #[default]
    Carry,
    /// Wait until this hour of the 1st, GMT; then carry.
    Wait(NaiveTime),
    /// The server is listed as not collected.
    Exclude,
}

/// What reports in the server's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    Vspc,
    EnterpriseManager,
}

impl std::fmt::Display for MonthEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MonthEnd::Carry => f.write_str("carry"),
            MonthEnd::Wait(until) => write!(f, "wait:{}", until.format("%H:%M")),
            MonthEnd::Exclude => f.write_str("exclude"),
        }
    }
}

impl MonthEnd {
    /// Whether an old sample stands for the server in the end.
    pub fn carries(self) -> bool {
        match self {
            MonthEnd::Carry | MonthEnd::Wait(_) => true,
            MonthEnd::Exclude => false,
        }
    }

    /// How long after the month's end a fresh sample is waited for.
    pub fn waits(self) -> Option<TimeDelta> {
        match self {
            MonthEnd::Wait(until) => Some(until - NaiveTime::MIN),
            MonthEnd::Carry | MonthEnd::Exclude => None,
        }
    }

    fn read(text: &str) -> Option<MonthEnd> {
        match text.split_once(':') {
            None if text == "carry" => Some(MonthEnd::Carry),
            None if text == "exclude" => Some(MonthEnd::Exclude),
            Some(("wait", until)) => NaiveTime::parse_from_str(until, "%H:%M").ok().map(MonthEnd::Wait),
            _ => None,
        }
    }
}

impl ServerSettings {
    /// A server of this source with everything else left at its default; `None` when there is no such source.
    pub fn new(name: &str, source: &str, reach: PeerSettings) -> Option<ServerSettings> {
        let by_key = matches!(&reach, PeerSettings::Http(peer) if peer.api_key.is_some());
        let signs_in = if by_key { SignsIn::ApiKey } else { SignsIn::Password };
        Some(ServerSettings {
            name: name.to_owned(),
            source_name: source_named(source)?.name,
            source: SourceSettings { signs_in, ..SourceSettings::default() },
            reach,
            license: LicenseBy::LicenseServer,
            shared_license: None,
            month_end: MonthEnd::Carry,
            managed_by: None,
            vspc_auto_approval: true,
            em_auto_update: None,
            other_names: Vec::new(),
            finalize_reports: false,
        })
    }

    /// What a second source may call this server: its name here, the host of its address, and what the settings add.
    pub fn known_as(&self) -> Vec<String> {
        let host = match &self.reach {
            PeerSettings::Http(peer) => far::host_of(&peer.base_url),
            PeerSettings::Mail(_) | PeerSettings::Hook(_) | PeerSettings::Folder(_) => None,
        };
        let host = host.filter(|host| *host != self.name);
        let own = [Some(self.name.clone()), host].into_iter().flatten();
        own.chain(self.other_names.iter().cloned()).collect()
    }

    /// The row of its source.
    pub fn source_row(&self) -> &'static SourceRow {
        source_named(self.source_name).expect("`new` refuses a source that has no row")
    }
}

/// Longest name of a server: it becomes part of file names and of keys in the store.
const NAME_CHARS_MAX: usize = 64;

/// Reads one `[[server]]`; `keeper` is who keeps the license unless it says so itself.
pub fn read(section: &mut Section<'_>, keeper: LicenseBy) -> Option<ServerSettings> {
    let name = section.required("name", "vbr01").filter(|name| is_good_name(section, name));
    let Some(row) = source(section) else {
        // What else may stand here depends on the source.
        section.forget();
        return None;
    };
    let reach = reach(section, row);
    let revision = section.text("revision");
    let license = license(section, row).unwrap_or(keeper);
    let shared_license = section.text("shared_license");
    let remedy = "write \"carry\", \"exclude\" or \"wait:HH:MM\"";
    let month_end = section.read("month_end", remedy, MonthEnd::read).unwrap_or(MonthEnd::Carry);
    let managers = [("vspc", ManagedBy::Vspc), ("enterprise_manager", ManagedBy::EnterpriseManager)];
    let managed_by = section.choice("managed_by", &managers);
    let vspc_auto_approval = section.switch("vspc_auto_approval").unwrap_or(true);
    let em_auto_update = em_auto_update(section, managed_by);
    let other_names = section.texts("known_as").unwrap_or_default();
    let finalize_reports = finalize_reports(section, row);
    let tenants_from = tenants_from(section, row);
    let reached = ServerSettings::new(&name?, row.name, reach?)?;
    Some(ServerSettings {
        source: SourceSettings { revision, tenants_from, ..reached.source },
        license,
        shared_license,
        month_end,
        managed_by,
        vspc_auto_approval,
        em_auto_update,
        other_names,
        finalize_reports,
        ..reached
    })
}

/// Enterprise Manager's word, where it manages the server (domain.md 3.11).
fn em_auto_update(section: &mut Section<'_>, managed_by: Option<ManagedBy>) -> Option<bool> {
    let origin = section.peek("em_auto_update").map(|node| node.origin.clone());
    let given = section.switch("em_auto_update");
    if let (Some(_), Some(origin)) = (given, origin)
        && managed_by != Some(ManagedBy::EnterpriseManager)
    {
        let why =
            format!("`em_auto_update` of {} is given, and no Enterprise Manager manages the server", section.place());
        section.refuse(origin, why, "add managed_by = \"enterprise_manager\", or take it out");
        return None;
    }
    given
}

/// Off unless it is switched on for a source that makes reports of its own.
fn finalize_reports(section: &mut Section<'_>, row: &SourceRow) -> bool {
    let origin = section.peek("finalize_reports").map(|node| node.origin.clone());
    let given = section.switch("finalize_reports");
    if let (Some(_), Some(origin), None) = (given, origin, row.monthly_reports) {
        let why = format!("`finalize_reports` is given, and source \"{}\" makes no report of its own", row.name);
        section.refuse(origin, why, "take it out: it is for a console (source \"vspc\")");
    }
    given.unwrap_or(false)
}

/// The Enterprise Manager that names this server's tenants; whether there is one is seen when all servers are read.
fn tenants_from(section: &mut Section<'_>, row: &SourceRow) -> Option<TenantsFrom> {
    let node = section.peek("tenants_from")?.origin.clone();
    let manager = section.text("tenants_from")?;
    if row.name != "vbr" {
        let why = format!("`tenants_from` is given, and source \"{}\" counts no machines without tenants", row.name);
        section.refuse(node, why, "take it out: it is for servers of source \"vbr\"");
        return None;
    }
    Some(TenantsFrom { manager, ..TenantsFrom::default() })
}

fn is_good_name(section: &mut Section<'_>, name: &str) -> bool {
    let good = |sign: char| sign.is_alphanumeric() || "-_. ".contains(sign);
    let fits = name.chars().all(good) && name.chars().count() <= NAME_CHARS_MAX && !name.starts_with('.');
    let origin = section.origin();
    if !fits || [LICENSE_SERVER, MAIL].contains(&name) {
        let why = format!("`name` of the server is \"{name}\"");
        section.refuse(origin, why, "write 1 to 64 letters, digits, - _ or .; not `mail` or `license_server`");
        return false;
    }
    true
}

fn source(section: &mut Section<'_>) -> Option<&'static SourceRow> {
    let origin = section.origin();
    let name = section.required("source", "vbr")?;
    if let Some(row) = source_named(&name) {
        return Some(row);
    }
    let names: Vec<&str> = SOURCES.iter().map(|row| row.name).collect();
    let why = format!("source \"{name}\" is not known");
    section.refuse(origin, why, &format!("write one of: {}", names.join(", ")));
    None
}

fn reach(section: &mut Section<'_>, row: &SourceRow) -> Option<PeerSettings> {
    match row.reach {
        Reach::Folder => far::folder(section).map(|path| PeerSettings::Folder(FolderPeer { path })),
        Reach::Login => by_login(section, row.name).map(PeerSettings::Http),
        Reach::LoginOrKey => by_key_or_login(section, row.name).map(PeerSettings::Http),
    }
}

fn by_login(section: &mut Section<'_>, source: &str) -> Option<HttpPeer> {
    let origin = section.origin();
    let peer = far::http_peer(section, "https://vbr01.example.net:9419")?;
    if peer.login.is_none() {
        section.refuse(
            origin,
            format!("source \"{source}\" logs in, and no `username` is given"),
            "add username and password_file",
        );
    }
    Some(peer)
}

fn by_key_or_login(section: &mut Section<'_>, source: &str) -> Option<HttpPeer> {
    let origin = section.origin();
    let peer = far::http_peer(section, "https://vspc.example.net:1280")?;
    let api_key = far::api_key(section, peer.login.as_ref());
    if peer.login.is_none() && api_key.is_none() {
        section.refuse(
            origin,
            format!("source \"{source}\" is let in by an API key or a login, and neither is given"),
            "add api_key_file, or username and password_file",
        );
    }
    Some(HttpPeer { api_key, ..peer })
}

fn license(section: &mut Section<'_>, row: &SourceRow) -> Option<LicenseBy> {
    let origin = section.origin();
    let ways = [
        ("license_server", LicenseBy::LicenseServer),
        ("backup_server", LicenseBy::BackupServer),
        ("none", LicenseBy::Nobody),
    ];
    let license = section.choice("license", &ways)?;
    if license == LicenseBy::BackupServer && row.renew.is_none() {
        let (place, source) = (section.place(), row.name);
        let why = format!("`license` of {place} is \"backup_server\", and source \"{source}\" cannot be asked");
        section.refuse(origin, why, "write \"license_server\" or \"none\"");
        return None;
    }
    Some(license)
}
