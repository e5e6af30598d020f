//! Backup servers, installations and reporting units.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Instant;

/// The name of a backup server in the settings.
pub type ServerName = String;

/// The name of a server that a source of the settings names: `<server>@<name in the settings>`.
pub fn named_at(server: &str, source: &str) -> ServerName {
    format!("{server}@{source}")
}

/// The entry of the settings that answers for a server: the part after the last `@`, which no entry's name has, else the
/// server itself.
pub fn entry_of(server: &str) -> &str {
    server.rsplit_once('@').map_or(server, |(_, entry)| entry)
}

/// What a source calls one of its servers: the part before the last `@`.
pub fn shown_name(server: &str) -> &str {
    server.rsplit_once('@').map_or(server, |(shown, _)| shown)
}

/// `cc01` and `CC01.example.net` are the same host; two full names are when they are equal.
pub fn is_same_host(one: &str, other: &str) -> bool {
    let is_address = |name: &str| name.parse::<core::net::IpAddr>().is_ok();
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let is_short = |name: &str| !name.contains('.');
    let alike = !is_address(one) && !is_address(other) && (is_short(one) || is_short(other));
    one.eq_ignore_ascii_case(other) || (alike && !one.is_empty() && first(one) == first(other))
}

/// Whether a server is meant by a name: its own, or that of the entry that answers for it.
pub fn answers_to(server: &str, name: &str) -> bool {
    server == name || entry_of(server) == name
}

/// The id of a reporting unit: that of its first installation, journaled and stable.
pub type UnitId = String;

/// The servers under one key: telemetry, watermark, report, gate and license are per unit (design.md section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub id: UnitId,
    /// The name that `shared_license` gives, when the settings tie servers together.
    #[serde(default)]
    pub shared_license: Option<String>,
    /// Servers in the order they joined.
    pub servers: Vec<ServerName>,
    /// The newest license id a sample of the unit carried.
    #[serde(default)]
    pub license_id: Option<String>,
    pub formed_at: Instant,
    /// The agent's first own sample of the unit; months and weeks before it are not owed. Imports leave it open.
    #[serde(default)]
    pub since: Option<Instant>,
    /// When counting a machine of several servers once was agreed or given up, oldest first; empty: counted on each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts_once: Vec<CountsOnce>,
}

/// From this instant on machines that several servers of the unit show count once, or on each server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsOnce {
    pub from: Instant,
    pub once: bool,
}

impl Unit {
    /// Whether a machine of several servers counts once at the instant.
    pub fn counts_once_at(&self, at: Instant) -> bool {
        self.counts_once.iter().rev().find(|agreed| agreed.from <= at).is_some_and(|agreed| agreed.once)
    }
}

/// The installation id of a server whose source gives none: UUIDv5 of agent and server name.
pub fn installation_id_of(agent: Uuid, server: &str) -> String {
    Uuid::new_v5(&agent, server.as_bytes()).to_string()
}
