//! The tenants of a simulated Enterprise Manager, and their answers as JSON and XML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::estate::Estate;
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month};

pub(super) const HOST: &str = "https://em.example.net:9398";
/// What XML writes as attributes; the rest are elements.
const ATTRIBUTES: [&str; 8] = ["Href", "Name", "Type", "UID", "Rel", "PageNum", "PageSize", "PagesCount"];

/// A tenant: its server, its name, and its counters by their names.
pub(super) struct Tenant {
    pub(super) server: String,
    pub(super) name: String,
    pub(super) counters: BTreeMap<&'static str, u32>,
}

/// The counters of each tenant of a Cloud Connect server, computed from its machines alone.
pub(super) fn counted(estate: &Estate, now: Instant) -> BTreeMap<String, BTreeMap<&'static str, u32>> {
    let mut tenants: BTreeMap<String, BTreeMap<&'static str, u32>> = BTreeMap::new();
    let month_starts_at = Month::of(now).starts_at();
    for position in estate.listed(now) {
        let machine = &estate.machines()[position as usize];
        let is_new = month_starts_at <= machine.first_at();
        let [used, new, rental] = match machine.kind() {
            WorkloadType::CloudConnectVm => ["BackupCount", "NewVMBackupCount", "RentalVMBackupCount"],
            WorkloadType::CloudConnectReplica => ["ReplicaCount", "NewVMReplicaCount", "RentalVMReplicaCount"],
            WorkloadType::CloudConnectWorkstation => {
                ["WorkStationBackupCount", "NewWorkstationBackupCount", "RentalWorkstationBackupCount"]
            }
            WorkloadType::CloudConnectServer => {
                ["ServerBackupCount", "NewServerBackupCount", "RentalServerBackupCount"]
            }
            _ => continue,
        };
        let name = if machine.is_free() {
            rental
        } else if is_new {
            new
        } else {
            used
        };
        *tenants.entry(machine.tenant.clone()).or_default().entry(name).or_default() += 1;
    }
    tenants
}

impl Tenant {
    pub(super) fn id(&self) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{}", self.server, self.name).as_bytes()).to_string()
    }

    pub(super) fn reference(&self) -> Map<String, Value> {
        let id = self.id();
        let server = Uuid::new_v5(&Uuid::NAMESPACE_URL, self.server.as_bytes());
        let href = format!("{HOST}/api/cloud/tenants/{id}");
        let reference = json!({
            "Links": [
                {"Rel": "Up", "Href": format!("{HOST}/api/backupServers/{server}"), "Name": self.server,
                 "Type": "BackupServerReference"},
                {"Rel": "Alternate", "Href": format!("{href}?format=Entity"), "Name": self.name, "Type": "CloudTenant"},
            ],
            "UID": format!("urn:veeam:CloudTenant:{id}"), "Name": self.name, "Href": href,
            "Type": "CloudTenantReference",
        });
        reference.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn entity(&self) -> Map<String, Value> {
        let mut entity = self.reference();
        entity.insert("Type".to_owned(), json!("CloudTenant"));
        entity.insert("Enabled".to_owned(), json!(true));
        self.insert(&mut entity, &["BackupCount", "ReplicaCount", "WorkStationBackupCount", "ServerBackupCount"]);
        entity
    }

    pub(super) fn free_counters(&self) -> Map<String, Value> {
        let mut counters = Map::new();
        let names = [
            "RentalVMBackupCount",
            "RentalWorkstationBackupCount",
            "RentalServerBackupCount",
            "NewVMBackupCount",
            "NewWorkstationBackupCount",
            "NewServerBackupCount",
            "NewVMReplicaCount",
        ];
        self.insert(&mut counters, &names);
        counters
    }

    fn insert(&self, into: &mut Map<String, Value>, names: &[&str]) {
        for name in names {
            into.insert((*name).to_owned(), json!(self.counters.get(name).copied().unwrap_or(0)));
        }
    }
}

pub(super) fn write_xml(xml: &mut String, name: &str, value: &Value) {
    let Value::Object(object) = value else {
        let text = value.as_str().map_or_else(|| value.to_string(), escaped);
        return write!(xml, "<{name}>{text}</{name}>").expect("a String takes all that is written");
    };
    write!(xml, "<{name}").expect("a String takes all that is written");
    for (key, value) in object.iter().filter(|(key, _)| ATTRIBUTES.contains(&key.as_str())) {
        let text = value.as_str().map_or_else(|| value.to_string(), escaped);
        write!(xml, r#" {key}="{text}""#).expect("a String takes all that is written");
    }
    xml.push('>');
    for (key, value) in object.iter().filter(|(key, _)| !ATTRIBUTES.contains(&key.as_str())) {
        match value {
            Value::Array(items) => {
                // JSON names the list twice where XML names list and item.
                let item = if key == "Links" {
                    "Link"
                } else if key == "Refs" {
                    "Ref"
                } else {
                    "CloudTenant"
                };
                let is_wrapped = key == "Links";
                xml.push_str(if is_wrapped { "<Links>" } else { "" });
                items.iter().for_each(|value| write_xml(xml, item, value));
                xml.push_str(if is_wrapped { "</Links>" } else { "" });
            }
            value => write_xml(xml, key, value),
        }
    }
    write!(xml, "</{name}>").expect("a String takes all that is written");
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
