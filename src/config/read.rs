//! From the settings as written to [`Settings`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::domain::Points;
use crate::domain::pseudonym::{HANDED_OUT, HandedOut};
use crate::domain::workload::{WORKLOAD_TYPES, WorkloadType};
use crate::doors::peer::{HttpPeer, Login, PeerSettings, Proof, SecretPlace};
use crate::protocol::ReportDetail;
use crate::rules::rating::Rating;
use crate::rules::retention::Keep;

use super::refusal::{Refusal, Refusals};
use super::section::{Notes, Section};
use super::server::{self, LicenseBy, ServerSettings};
use super::tree::{self, Origin, Table, Value};
use super::{Settings, billing, console, far, hook, mail, managed, overlay, policy};

/// Shortest and longest time that raw samples and told news are kept.
const KEPT_MIN: TimeDelta = TimeDelta::days(62);
const KEPT_MAX: TimeDelta = TimeDelta::days(36_500);
/// Most servers in one file.
const SERVERS_MAX: usize = 1_000;

/// The settings file: its name for refusals, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// What flags of the command line say over everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub state: Option<PathBuf>,
    pub reports: Option<PathBuf>,
}

impl Settings {
    /// Reads the file if there is one, then the `TIDEGAUGE_…` variables, then the flags. Names everything that is wrong.
    pub fn read(
        file: Option<Written<'_>>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Settings, Refusals> {
        let mut table = match file {
            Some(file) => tree::parse(file.name, file.text).map_err(|refusal| Refusals(vec![refusal]))?,
            None => Table::new(),
        };
        overlay::environment(&mut table, variables);
        overlay::flag(&mut table, "state_dir", "--state", flags.state.as_deref());
        overlay::flag(&mut table, "reports_dir", "--reports", flags.reports.as_deref());
        let origin = Origin::File(file.map_or("settings", |file| file.name).to_owned(), 1);
        let mut notes = Notes::default();
        let mut section = Section::new("", table, origin, &mut notes);
        let mut settings = top(&mut section);
        section.finish();
        let Notes { mut refusals, given } = notes;
        settings.given = given;
        refusals.retain(|refusal| !names_a_secret(refusal, &settings));
        refusals.sort_by(|one, other| one.origin.cmp(&other.origin));
        refusals.dedup();
        if refusals.is_empty() { Ok(settings) } else { Err(Refusals(refusals)) }
    }
}

fn top(section: &mut Section<'_>) -> Settings {
    let defaults = Settings::default();
    let minute = TimeDelta::minutes(1);
    let state_dir = section.path("state_dir");
    let reports_dir = section.path("reports_dir").or_else(|| state_dir.as_ref().map(|state| state.join("reports")));
    let sample_interval =
        section.span("sample_interval", minute, TimeDelta::days(1)).unwrap_or(defaults.sample_interval);
    refuse_part_of_a_minute(section, sample_interval);
    let details = [("lines", ReportDetail::Lines), ("workloads", ReportDetail::Workloads)];
    let mut settings = Settings {
        time_zone: section
            .read("time_zone", "write a name of the IANA list, such as \"Europe/Prague\"", |text| text.parse().ok())
            .unwrap_or(defaults.time_zone),
        basis_max_age: section
            .span("basis_max_age", sample_interval, TimeDelta::days(31))
            .unwrap_or(sample_interval * 2),
        sample_interval,
        keep: Keep {
            raw: section.span("keep_raw", KEPT_MIN, KEPT_MAX).unwrap_or(defaults.keep.raw),
            mail: section.span("keep_mail", KEPT_MIN, KEPT_MAX).unwrap_or(defaults.keep.mail),
        },
        count_duplicates_once: section.switch("count_duplicates_once").unwrap_or(defaults.count_duplicates_once),
        report_detail: section.choice("report_detail", &details).unwrap_or(defaults.report_detail),
        pseudonyms: section.inside("privacy", pseudonyms).unwrap_or_default(),
        fonts: section.inside("report", fonts).unwrap_or_default(),
        points_tables: section.texts("points_tables").unwrap_or_default().into_iter().map(PathBuf::from).collect(),
        rating: Rating { mapping: mapping(section), ..Rating::default() },
        state_dir: state_dir.unwrap_or(defaults.state_dir.clone()),
        reports_dir: reports_dir.unwrap_or(defaults.reports_dir.clone()),
        license_server: section
            .inside("license_server", |section| far::http_peer(section, "https://license.example.net"))
            .flatten(),
        mail: section.inside("mail", mail::read).flatten(),
        webhooks: hook::webhooks(section),
        usage_sinks: hook::sinks(section),
        ..defaults
    };
    section.inside("policy", |section| policy::read(section, &mut settings));
    section.inside("gate", |section| gate(section, &mut settings));
    section.inside("billing", |section| billing::read(section, &mut settings));
    section.inside("console", |section| console::read(section, &mut settings));
    let found = servers(section, settings.license_server.as_ref());
    let managed = managed::arrange(section, found);
    (settings.servers, settings.managers) = (managed.servers, managed.managers);
    settings
}

/// `[privacy] pseudonyms`.
fn pseudonyms(section: &mut Section<'_>) -> BTreeSet<HandedOut> {
    let names: Vec<String> = HANDED_OUT.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let remedy = format!("write a list of {}", names.join(", "));
    let named = |text: &String| HANDED_OUT.iter().find(|(name, _)| name == text).map(|(_, document)| *document);
    section.each("pseudonyms", &remedy, |texts| texts.iter().map(named).collect()).unwrap_or_default()
}

/// `[report] fonts`.
fn fonts(section: &mut Section<'_>) -> Vec<PathBuf> {
    section.texts("fonts").unwrap_or_default().into_iter().map(PathBuf::from).collect()
}

/// `[[map]]`: platforms or types that a source spells and nobody knows here, and the type they stand for.
fn mapping(section: &mut Section<'_>) -> BTreeMap<String, WorkloadType> {
    let Some(node) = section.take("map") else { return BTreeMap::new() };
    let Value::List(items) = node.value else {
        section.refuse(node.origin, "`map` is no list".to_owned(), "write [[map]] with two brackets");
        return BTreeMap::new();
    };
    let names: Vec<&str> = WORKLOAD_TYPES.iter().map(|(_, name)| *name).collect();
    let remedy = format!("write one of: {}", names.join(", "));
    let known = |text: &str| text.parse().ok().filter(WorkloadType::is_known);
    let mut mapping = BTreeMap::new();
    for item in items {
        let origin = item.origin.clone();
        let Value::Table(table) = item.value else {
            section.refuse(
                origin,
                "an entry of `map` is no table".to_owned(),
                "write platform = \"X\" and type = \"VM\"",
            );
            continue;
        };
        let entry = section.within("[[map]]", table, origin.clone(), |section| {
            let platform = section.required("platform", "AwsRds");
            let kind: Option<WorkloadType> = section.read("type", &remedy, known);
            (platform, kind)
        });
        let (Some(platform), Some(kind)) = entry else {
            section.refuse(origin, "an entry of `map` says too little".to_owned(), "write platform and type");
            continue;
        };
        section.given(format!("map {platform}"), origin.clone());
        if mapping.insert(platform.clone(), kind).is_some() {
            section.refuse(origin, format!("`map` names {platform} twice"), "keep one of the two");
        }
    }
    mapping
}

fn refuse_part_of_a_minute(section: &mut Section<'_>, interval: TimeDelta) {
    if interval.num_seconds() % 60 != 0 {
        let why = "`sample_interval` has part of a minute".to_owned();
        let origin = section.origin();
        section.refuse(origin, why, "write whole minutes: planned instants are whole minutes");
    }
}

fn gate(section: &mut Section<'_>, settings: &mut Settings) {
    let remedy = "write zero or more points, such as \"20\"";
    let points = |text: &str| Points::stated(text).ok().filter(|points| !points.is_negative());
    let tolerance = &mut settings.tolerance;
    tolerance.points = section.read("tolerance_points", remedy, points).unwrap_or(tolerance.points);
    tolerance.percent =
        section.between("tolerance_percent", Decimal::ZERO, Decimal::ONE_HUNDRED).unwrap_or(tolerance.percent);
}

fn servers(section: &mut Section<'_>, license_server: Option<&HttpPeer>) -> Vec<(ServerSettings, Origin)> {
    let Some(node) = section.take("server") else { return Vec::new() };
    let Value::List(items) = node.value else {
        section.refuse(node.origin, "`server` is no list".to_owned(), "write [[server]] with two brackets");
        return Vec::new();
    };
    if items.len() > SERVERS_MAX {
        section.refuse(node.origin, format!("{} servers", items.len()), &format!("at most {SERVERS_MAX} in one file"));
        return Vec::new();
    }
    let keeper = if license_server.is_some() { LicenseBy::LicenseServer } else { LicenseBy::Nobody };
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for item in items {
        let origin = item.origin.clone();
        let Value::Table(table) = item.value else {
            section.refuse(
                origin,
                "a server that the settings file does not have".to_owned(),
                "add a [[server]] of that name",
            );
            continue;
        };
        let Some(server) = one_server(section, table, origin.clone(), keeper) else { continue };
        if server.license == LicenseBy::LicenseServer && license_server.is_none() {
            let why = format!("`license` of server {} is \"license_server\", and there is none", server.name);
            section.refuse(origin.clone(), why, "add [license_server] with its url");
        }
        if !names.insert(server.name.to_lowercase()) {
            section.refuse(origin.clone(), format!("two servers are called {}", server.name), "give each its own name");
            continue;
        }
        found.push((server, origin));
    }
    found
}

fn one_server(section: &mut Section<'_>, table: Table, origin: Origin, keeper: LicenseBy) -> Option<ServerSettings> {
    let name = match table.get("name").map(|node| &node.value) {
        Some(Value::Text(name)) => format!("server {name}"),
        _ => "[[server]]".to_owned(),
    };
    section.within(&name, table, origin, |section| server::read(section, keeper))
}

/// A variable that only looks like a setting: some `password_env` names it.
fn names_a_secret(refusal: &Refusal, settings: &Settings) -> bool {
    let Origin::Environment(variable) = &refusal.origin else { return false };
    let names = |login: &Option<Login>| {
        login.as_ref().is_some_and(|login| login.password == SecretPlace::Env(variable.clone()))
    };
    let is_key = |key: &Option<SecretPlace>| *key == Some(SecretPlace::Env(variable.clone()));
    settings.peers().values().any(|peer| match peer {
        PeerSettings::Http(peer) => names(&peer.login) || is_key(&peer.api_key),
        PeerSettings::Mail(peer) => names(&peer.login),
        PeerSettings::Hook(peer) => match &peer.proof {
            Proof::Signed(places) => places.contains(&SecretPlace::Env(variable.clone())),
            Proof::Authorization(place) => *place == SecretPlace::Env(variable.clone()),
            Proof::None => false,
        },
        PeerSettings::Folder(_) => false,
    })
}
