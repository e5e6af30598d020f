//! From what a console told to one sample a server. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::Product;
use super::license::LicenseFacts;
use super::names::{Shown, names};
use super::usage::{Counts, Organization, ServerUsage};
use crate::domain::Points;
use crate::domain::license::License;
use crate::domain::sample::{Sample, Stale};
use crate::domain::workloads::Workloads;
use crate::sources::Brief;

/// The status of a server whose numbers are fresh.
const HEALTHY: &str = "Healthy";
/// Most notes kept on one sample, and on one read.
const NOTES_MAX: usize = 20;

/// Everything a console told, by uid.
#[derive(Debug, Default)]
pub struct Console {
    /// Names of companies.
    pub companies: BTreeMap<String, String>,
    pub servers: BTreeMap<String, Server>,
    pub sites: BTreeMap<String, Site>,
    pub server_licenses: BTreeMap<String, LicenseFacts>,
    pub site_licenses: BTreeMap<String, LicenseFacts>,
    /// Usage by organization.
    pub usage: BTreeMap<String, Organization>,
}

/// A backup server or the one behind a Cloud Connect site.
#[derive(Clone, Debug, Default)]
pub struct Server {
    pub name: String,
    /// In lower case.
    pub installation_id: Option<String>,
    /// `None`: the console does not tell, or lists it as a site only.
    pub status: Option<String>,
}

/// A Cloud Connect site.
#[derive(Clone, Debug)]
pub struct Site {
    pub name: String,
    /// The backup server it runs on; the site's own uid when the console does not say.
    pub server_uid: Option<String>,
}

/// One server's part of the usage.
#[derive(Default)]
struct Part {
    counts: Counts,
    notes: Vec<String>,
}

impl Console {
    /// One sample a server, and what belongs to none: usage of other products' keys.
    pub fn samples(mut self, brief: &Brief) -> (Vec<Sample>, Vec<String>) {
        self.list_sites_as_servers();
        let (mut parts, notes) = self.parts();
        let shown: Vec<Shown> = self
            .servers
            .iter()
            .map(|(uid, server)| Shown { uid, name: &server.name, installation_id: server.installation_id.as_deref() })
            .collect();
        let names = names(&brief.server, &shown, &brief.known);
        let samples = self.servers.iter().map(|(uid, server)| {
            let part = parts.remove(uid).unwrap_or_default();
            self.sample(brief, uid, names[uid].clone(), server, part)
        });
        (samples.collect(), notes)
    }

    fn list_sites_as_servers(&mut self) {
        for (site_uid, site) in &self.sites {
            let uid = site.server_uid.as_ref().unwrap_or(site_uid);
            let of_site = || Server { name: site.name.clone(), ..Server::default() };
            self.servers.entry(uid.clone()).or_insert_with(of_site);
        }
    }

    /// The server that a uid of the usage means: a backup server's own or its site's.
    fn server_uid<'a>(&'a self, uid: &'a str) -> &'a str {
        let site = self.sites.get(uid).filter(|_| !self.servers.contains_key(uid));
        site.and_then(|site| site.server_uid.as_deref()).unwrap_or(uid)
    }

    /// Usage by server. A server that is used and not listed is made one: no machine is lost.
    fn parts(&mut self) -> (BTreeMap<String, Part>, Vec<String>) {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let mut left_out: BTreeMap<String, (u64, Points)> = BTreeMap::new();
        let mut unlisted: Vec<String> = Vec::new();
        for (organization, usage) in &self.usage {
            let tenant = if usage.is_provider { None } else { Some(self.tenant(organization)) };
            for at_server in &usage.servers {
                let uid = self.server_uid(&at_server.server_uid);
                if !self.counts_there(at_server, uid) {
                    let (count, points) = at_server.size();
                    let sum = left_out.entry(product_name(at_server)).or_default();
                    *sum = (sum.0 + count, sum.1 + points);
                    continue;
                }
                if !self.servers.contains_key(uid) {
                    unlisted.push(uid.to_owned());
                }
                let part = parts.entry(uid.to_owned()).or_default();
                at_server.lines.iter().for_each(|line| part.counts.add(tenant.as_deref(), line));
                part.notes.extend(at_server.notes.iter().cloned());
            }
        }
        for uid in unlisted {
            let name = format!("server-{}", uid.chars().take(8).collect::<String>());
            self.servers.entry(uid).or_insert(Server { name, ..Server::default() });
        }
        let note = |(product, (count, points)): (&String, &(u64, Points))| {
            format!("left out, because no backup key counts it: {product}, {count} machines, {points} points")
        };
        (parts, left_out.iter().map(note).take(NOTES_MAX).collect())
    }

    /// A type of a later version counts where it names a backup server that is listed.
    fn counts_there(&self, usage: &ServerUsage, uid: &str) -> bool {
        match usage.product {
            Product::Backup => true,
            Product::Other(_) => false,
            Product::Unknown => self.servers.contains_key(uid),
        }
    }

    /// A company's name; two companies of one name are told apart by their uid.
    fn tenant(&self, uid: &str) -> String {
        let short = || uid.chars().take(8).collect::<String>();
        match self.companies.get(uid).filter(|name| !name.trim().is_empty()) {
            None => format!("organization {uid}"),
            Some(name) if self.companies.values().filter(|other| *other == name).count() > 1 => {
                format!("{name} ({})", short())
            }
            Some(name) => name.clone(),
        }
    }

    /// The license block of a server: its site's, else its own.
    fn license(&self, uid: &str) -> Option<&LicenseFacts> {
        let site = self.sites.iter().find(|(site_uid, site)| site.server_uid.as_deref().unwrap_or(site_uid) == uid);
        site.and_then(|(site_uid, _)| self.site_licenses.get(site_uid)).or_else(|| self.server_licenses.get(uid))
    }

    /// Why what is told is no usage: that nothing is used is not believed of a healthy server whose rental license says that
    /// something is, nor of a whole console whose licenses say nothing at all.
    pub fn doubt(&self, brief: &Brief) -> Option<String> {
        let rows = self.usage.values().flat_map(|organization| &organization.servers);
        let told = rows.filter(|usage| !usage.lines.is_empty() || !usage.notes.is_empty());
        let told: BTreeSet<&str> = told.map(|usage| self.server_uid(&usage.server_uid)).collect();
        let healthy = self.servers.iter().filter(|(_, server)| server.status.as_deref() == Some(HEALTHY));
        let mut silent = healthy.filter(|(uid, _)| !told.contains(uid.as_str())).filter_map(|(uid, server)| {
            let license = &self.license(uid)?.license;
            let used = license.used_points.filter(|used| license.kind.is_reported_monthly() && !used.is_zero())?;
            Some(format!("it states no usage of {}, whose license says that {used} points are used", server.name))
        });
        if let Some(why) = silent.next() {
            return Some(why);
        }
        let says_used = |(_, facts): (&String, &LicenseFacts)| facts.license.used_points.is_some();
        let licenses = self.server_licenses.iter().chain(&self.site_licenses);
        let is_silent = told.is_empty() && !brief.known.is_empty() && !licenses.into_iter().any(says_used);
        is_silent.then(|| "it states no usage at all, and no license says how much is used".to_owned())
    }

    fn sample(&self, brief: &Brief, uid: &str, name: String, server: &Server, part: Part) -> Sample {
        let block = self.license(uid);
        let facts = block.cloned().unwrap_or_default();
        let mut discrepancies = facts.notes;
        if block.is_none() {
            discrepancies.push(format!("{} shows no license of this server", brief.server));
        }
        discrepancies.extend(part.notes);
        discrepancies.truncate(NOTES_MAX);
        let stale = match server.status.as_deref() {
            Some(HEALTHY) => None,
            Some(status) => Some(format!("calls the server '{status}': its numbers are of an earlier hour")),
            None => Some("does not tell the server's health: its numbers may be of an earlier hour".to_owned()),
        };
        let stale = stale.map(|why| Stale { why: format!("{} {why}", brief.server) });
        Sample {
            server: name,
            taken_at: brief.now,
            license: License { installation_id: server.installation_id.clone(), ..facts.license },
            workloads: Workloads::default(),
            counts: part.counts.into_counts(),
            vouched: stale.is_none(),
            restore_points_swept_at: None,
            discrepancies,
            stale,
        }
    }
}

fn product_name(usage: &ServerUsage) -> String {
    match usage.product {
        Product::Other(name) => name.to_owned(),
        Product::Backup | Product::Unknown => format!("server type '{}'", usage.server_type),
    }
}
