//! What servers say of each other: who names whose tenants, and which share Enterprise Manager's license.

use crate::sources::TenantsFrom;

use super::section::Section;
use super::server::{ManagedBy, ServerSettings};
use super::tree::Origin;

/// The `shared_license` of servers that Enterprise Manager manages, when they say no other (domain.md 3.11).
pub const MANAGERS_LICENSE: &str = "enterprise_manager";
/// The source that names tenants.
const MANAGER: &str = "enterprise_manager";

/// The servers as they are sampled, and the Enterprise Managers beside them.
pub struct Managed {
    pub servers: Vec<ServerSettings>,
    pub managers: Vec<ServerSettings>,
}

/// Finds for each server who names its tenants; an Enterprise Manager that does is not sampled itself.
pub fn arrange(section: &mut Section<'_>, found: Vec<(ServerSettings, Origin)>) -> Managed {
    let all: Vec<ServerSettings> = found.iter().map(|(server, _)| server.clone()).collect();
    let is_manager = |server: &ServerSettings| server.source_row().name == MANAGER;
    let names = |server: &ServerSettings, manager: &str| {
        server.source.tenants_from.as_ref().is_some_and(|from| from.manager == manager)
    };
    let mut managed = Managed { servers: Vec::new(), managers: Vec::new() };
    let several = all.iter().filter(|server| is_manager(server)).count() > 1;
    for (mut server, origin) in found {
        if let Some(from) = &server.source.tenants_from {
            let manager = from.manager.clone();
            match all.iter().find(|other| other.name == manager) {
                Some(other) if is_manager(other) => {
                    let others = all.iter().filter(|other| other.name != server.name && names(other, &manager));
                    let others = others.flat_map(ServerSettings::known_as).collect();
                    server.source.tenants_from = Some(TenantsFrom { manager, known_as: server.known_as(), others });
                }
                Some(other) => {
                    let source = other.source_row().name;
                    let why = format!("`tenants_from` of server {} is a server of source \"{source}\"", server.name);
                    section.refuse(origin, why, "name a [[server]] of source \"enterprise_manager\"");
                    continue;
                }
                None => {
                    let why = format!("`tenants_from` of server {} is \"{manager}\", and there is none", server.name);
                    section.refuse(origin, why, "add a [[server]] of that name with source = \"enterprise_manager\"");
                    continue;
                }
            }
        }
        if server.managed_by == Some(ManagedBy::EnterpriseManager) && server.shared_license.is_none() {
            if several {
                let why = format!("server {} is managed by one of several Enterprise Managers", server.name);
                section.refuse(origin, why, "add shared_license = \"…\": the same word for the servers of one of them");
                continue;
            }
            server.shared_license = Some(MANAGERS_LICENSE.to_owned());
        }
        refuse_parted(section, &managed.servers, &server, origin);
        if is_manager(&server) && all.iter().any(|other| names(other, &server.name)) {
            managed.managers.push(server);
        } else {
            managed.servers.push(server);
        }
    }
    managed
}

/// One key is kept in one way, and Enterprise Manager's switch has one position.
fn refuse_parted(section: &mut Section<'_>, before: &[ServerSettings], server: &ServerSettings, origin: Origin) {
    let shares =
        |other: &&ServerSettings| other.shared_license.is_some() && other.shared_license == server.shared_license;
    let mut refuse = |key: &str, other: &ServerSettings| {
        let why = format!("{} and {} share one license and differ in `{key}`", other.name, server.name);
        section.refuse(origin.clone(), why, &format!("write the same `{key}` for both"));
    };
    if let Some(other) = before.iter().filter(shares).find(|other| other.license != server.license) {
        refuse("license", other);
    }
    let Some(switch) = server.em_auto_update else { return };
    if let Some(other) = before.iter().filter(shares).find(|other| other.em_auto_update == Some(!switch)) {
        refuse("em_auto_update", other);
    }
}
