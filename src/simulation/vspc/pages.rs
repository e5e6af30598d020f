//! The JSON of a simulated console's lists, complete as the official document has it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::estate::Estate;
use super::Managed;
use crate::domain::calendar::midnight;
use crate::domain::license::LicenseType;
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};

/// What a backup server is to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// At a customer.
    Client,
    /// A Cloud Connect server with its tenants.
    CloudConnect,
}

/// One type of workload as the console spells it: its `typeId`, what people read, and its weight when it has one of its own.
struct Spelling {
    kind: WorkloadType,
    type_id: &'static str,
    description: &'static str,
    weight: Option<i64>,
}

const fn spelling(
    kind: WorkloadType,
    type_id: &'static str,
    description: &'static str,
    weight: Option<i64>,
) -> Spelling {
    Spelling { kind, type_id, description, weight }
}

static AT_CLIENTS: [Spelling; 4] = [
    spelling(WorkloadType::Vm, "VBR-VM-VSPHERE", "VMware vSphere", None),
    spelling(WorkloadType::Server, "VBR-SERVER-LINUX", "Linux", None),
    spelling(WorkloadType::Workstation, "VBR-WORKSTATION-WINDOWS", "Microsoft Windows", None),
    spelling(WorkloadType::FileShare, "VBR-NAS-SHARE", "NAS", None),
];

/// Of a tenant's machines as Cloud Connect counts them; what is a share at home is a replica here.
static IN_THE_CLOUD: [Spelling; 4] = [
    spelling(WorkloadType::Vm, "VCC-VM-BACKUP", "Cloud Backup (VM)", Some(5)),
    spelling(WorkloadType::Server, "VCC-SERVER-BACKUP", "Cloud Backup (Server)", Some(7)),
    spelling(WorkloadType::Workstation, "VCC-WORKSTATION-BACKUP", "Cloud Backup (Workstation)", Some(3)),
    spelling(WorkloadType::FileShare, "VCC-VM-REPLICA", "Cloud Replica (VM)", Some(10)),
];

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub used: u32,
    pub new: u32,
    pub rental: u32,
    pub weight: Points,
}

/// Machines by tenant and `typeId`.
pub(super) type Tallies = BTreeMap<(String, &'static str), Tally>;

/// The rows of a resource; `None`: there is no such resource.
pub(super) fn rows(servers: &[Managed], path: &str, now: Instant) -> Option<Vec<Value>> {
    let of = |row: &dyn Fn(&Managed) -> Value| servers.iter().map(row).collect();
    let in_cloud = || servers.iter().filter(|server| server.role == Role::CloudConnect);
    Some(match path {
        "/organizations/companies" => companies(servers, now),
        "/infrastructure/backupServers" => of(&|server| infrastructure(server)),
        "/infrastructure/sites" => in_cloud().map(site).collect(),
        "/licensing/backupServers" => of(&|server| license(server, now)),
        "/licensing/sites" => in_cloud().map(|server| site_license(server, now)).collect(),
        "/licensing/usage/organizations" => usage(servers, now),
        _ => return None,
    })
}

impl Managed {
    /// The estate, advanced, and the instant whose numbers the console shows of it.
    fn estate_at(&self, now: Instant) -> (MutexGuard<'_, Estate>, Instant) {
        let mut estate = self.estate.lock().unwrap_or_else(PoisonError::into_inner);
        estate.advance(now);
        (estate, self.ill.map_or(now, |(since, _)| since.min(now)))
    }

    /// Machines by tenant and type, as of the numbers that the console has.
    fn tallies(&self, now: Instant) -> Tallies {
        let (estate, at) = self.estate_at(now);
        self.tallied(&estate, at, Month::of(at))
    }

    /// The same at a month's end, with that month's first-timers new.
    pub(super) fn tallies_of(&self, month: Month, now: Instant) -> Tallies {
        let (estate, at) = self.estate_at(now);
        self.tallied(&estate, at.min(month.ends_at()), month)
    }

    fn tallied(&self, estate: &Estate, at: Instant, month: Month) -> Tallies {
        let month_start = month.starts_at();
        let spellings = match self.role {
            Role::Client => &AT_CLIENTS,
            Role::CloudConnect => &IN_THE_CLOUD,
        };
        let mut tallies: Tallies = BTreeMap::new();
        for position in estate.listed(at) {
            let machine = &estate.machines()[position as usize];
            let Some(spelling) = spellings.iter().find(|one| one.kind == *machine.kind()) else { continue };
            let tally = tallies.entry((machine.tenant.clone(), spelling.type_id)).or_default();
            tally.weight = spelling.weight.map_or(machine.weight(), Points::whole);
            if machine.is_rental {
                tally.rental += 1;
            } else if machine.first_at() >= month_start {
                tally.new += 1;
            } else {
                tally.used += 1;
            }
        }
        if let Some((used, weight)) = self.misstated {
            tallies.values_mut().for_each(|tally| *tally = Tally { used, weight, ..*tally });
        }
        tallies
    }
}

pub(super) fn company_uid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

fn tenants(servers: &[Managed], now: Instant) -> Vec<String> {
    let mut names: Vec<String> =
        servers.iter().flat_map(|server| server.tallies(now).into_keys().map(|(tenant, _)| tenant)).collect();
    names.sort();
    names.dedup();
    names
}

fn companies(servers: &[Managed], now: Instant) -> Vec<Value> {
    let company = |name: &String| {
        json!({"instanceUid": company_uid(name), "name": name, "status": "Active", "resellerUid": null,
               "subscriptionPlanUid": null, "isRestAccessEnabled": false, "isAlarmDetectEnabled": false,
               "loginUrl": null, "ownerCredentials": {"userName": name}})
    };
    tenants(servers, now).iter().map(company).collect()
}

fn infrastructure(server: &Managed) -> Value {
    let estate = server.estate.lock().unwrap_or_else(PoisonError::into_inner);
    let role = match server.role {
        Role::Client => "Client",
        Role::CloudConnect => "CloudConnect",
    };
    json!({"instanceUid": server.uid, "name": server.name, "organizationUid": company_uid("Example Provider"),
           "locationUid": company_uid("location"), "managementAgentUid": company_uid(&server.name),
           "version": "13.0.1.2067", "displayVersion": "13.0.1.2067",
           "installationUid": estate.license.installation_id.clone().unwrap_or_default(),
           "backupServerRoleType": role, "status": server.ill.map_or("Healthy", |(_, called)| called),
           "inHighAvailabilityCluster": false})
}

fn site(server: &Managed) -> Value {
    json!({"siteUid": server.uid, "siteName": server.name, "description": "", "backupServerUid": server.uid,
           "managementAgentUid": company_uid(&server.name), "maintenanceModeIsEnabled": false,
           "tenantManagementInCloudConnectIsEnabled": true})
}

fn license(server: &Managed, now: Instant) -> Value {
    let used: Points = server.tallies(now).values().map(|tally| tally.weight * u64::from(tally.used)).sum();
    let (estate, _) = server.estate_at(now);
    let license = &estate.license;
    let date = |day: Option<chrono::NaiveDate>| day.map(midnight);
    let texts = |text: &Option<String>| text.iter().cloned().collect::<Vec<String>>();
    let kind = match license.kind {
        LicenseType::Empty => "NotInstalled",
        LicenseType::Free => "Community",
        other => other.as_str(),
    };
    json!({"backupServerUid": server.uid, "autoUpdateEnabled": license.auto_update.unwrap_or(false),
           "edition": license.edition.as_deref().map(|edition| edition.replace("ePlus", "e Plus")), "monitoring": null,
           "packages": texts(&license.package), "company": license.licensed_to.clone().unwrap_or_default(),
           "email": "it@example.net", "contactPerson": "", "expirationDate": date(license.expires_on),
           "supportExpirationDate": date(license.support_expires_on), "licenseIds": texts(&license.license_id),
           "supportIds": texts(&license.support_id), "sectionTypes": ["Instance"], "status": "Valid",
           "cloudConnect": if license.cloud_connect { "Yes" } else { "No" }, "sockets": 0.0, "usedSockets": 0.0,
           "capacity": null, "usedCapacity": null, "units": number(license.licensed_points.unwrap_or_default()),
           "usedUnits": number(used), "unitType": "Points", "type": kind})
}

fn site_license(server: &Managed, now: Instant) -> Value {
    let mut row = license(server, now);
    if let Value::Object(fields) = &mut row {
        for of_servers_only in ["backupServerUid", "sockets", "usedSockets", "capacity", "usedCapacity"] {
            fields.remove(of_servers_only);
        }
        fields.insert("siteUid".to_owned(), json!(server.uid));
    }
    row
}

fn usage(servers: &[Managed], now: Instant) -> Vec<Value> {
    let tallies: Vec<(&Managed, Tallies)> = servers.iter().map(|server| (server, server.tallies(now))).collect();
    let organization = |name: &String| {
        let mut at_servers = Vec::new();
        for (server, tallies) in &tallies {
            let own = tallies.iter().filter(|((tenant, _), _)| tenant == name);
            let workloads: Vec<Value> = own.map(|((_, type_id), tally)| workload(type_id, *tally)).collect();
            if !workloads.is_empty() {
                let kind = match server.role {
                    Role::Client => "BackupAndReplication",
                    Role::CloudConnect => "CloudConnect",
                };
                at_servers.push(json!({"serverUid": server.uid, "serverType": kind, "workloads": workloads}));
            }
        }
        at_servers.push(console_agents());
        json!({"organizationUid": company_uid(name), "organizationType": "Company",
               "providerUid": company_uid("Example Provider"), "servers": at_servers})
    };
    tenants(servers, now).iter().map(organization).collect()
}

/// Points of the workstation that each company has with the console's own agent.
pub(super) const AGENT_POINTS: i64 = 4;

/// Each company has one workstation with the console's own agent.
fn console_agents() -> Value {
    let tally = Tally { used: 1, weight: Points::whole(AGENT_POINTS), ..Tally::default() };
    let mut row = workload("VSPC-WORKSTATION-WINDOWS", tally);
    row["description"] = json!("Workstation");
    json!({"serverUid": company_uid("console"), "serverType": "VSPC", "workloads": [row]})
}

/// What people read of a `typeId`.
pub(super) fn described(type_id: &str) -> &str {
    let spelling = AT_CLIENTS.iter().chain(&IN_THE_CLOUD).find(|one| one.type_id == type_id);
    spelling.map_or(type_id, |one| one.description)
}

fn workload(type_id: &str, tally: Tally) -> Value {
    let units = |count: u32| number(tally.weight * u64::from(count));
    let mut platform = json!({"typeId": type_id, "description": described(type_id),
                              "weight": number(tally.weight)});
    let counts = json!({"rentalUnits": units(tally.rental), "newUnits": units(tally.new), "usedUnits": units(tally.used),
                        "rentalCount": tally.rental, "newCount": tally.new, "usedCount": tally.used});
    let mut whole = json!({"id": company_uid(type_id), "description": platform["description"], "unitType": "Points"});
    for (name, count) in counts.as_object().into_iter().flatten() {
        platform[name] = count.clone();
        whole[name] = count.clone();
    }
    whole["workloadsByPlatform"] = json!([platform]);
    whole
}

/// Points as the console writes them: a number with a fraction.
pub(super) fn number(points: Points) -> Value {
    let text = points.to_string();
    let text = if text.contains('.') { text } else { format!("{text}.0") };
    serde_json::from_str(&text).unwrap_or_default()
}

/// From the second page on the first row is gone, and a stranger stands at the end.
pub(super) fn move_rows(rows: &mut Vec<Value>, offset: usize) {
    let Some(mut stranger) = rows.last().cloned().filter(|_| offset > 0) else { return };
    for (name, id) in stranger.as_object_mut().into_iter().flatten().filter(|(name, _)| name.ends_with("Uid")) {
        let other = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}/{id}").as_bytes());
        *id = json!(other);
    }
    rows.remove(0);
    rows.push(stranger);
}
