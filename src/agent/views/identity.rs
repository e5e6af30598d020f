//! Machines and servers that may be the same, as of a month's end or now.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::config::ServerSettings;
use crate::domain::installation::{Unit, is_same_host, shown_name};
use crate::domain::license::License;
use crate::domain::report::UsageReport;
use crate::domain::{Instant, Month};
use crate::rules::counting::{self, AsOf};
use crate::rules::identity::{self, Finding, FindingKind, Looked};
use crate::store::ClassifiedSample;
use crate::store::fact::{Absence, Member, key};

use super::looks::Among;

impl Agent {
    /// `report proposals --json`: what was found in the samples behind the month's report, else in the newest ones.
    pub(in crate::agent) fn proposals(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        let mut shown = Vec::new();
        for unit in self.units_named(unit, server)? {
            let report = match month {
                Some(month) => self.newest_report(&unit.id, month)?,
                None => self.newest_open_report(&unit)?,
            };
            let month = report.as_ref().map(|report| report.month).or(month);
            let found = self.findings(month, hour.now)?;
            let of_unit = found.iter().filter(|finding| finding.unit == unit.id);
            shown.extend(of_unit.map(|finding| proposal(finding, month, report.as_ref())));
        }
        Ok(json!({"schema": "tidegauge.proposals/1", "proposals": shown}))
    }

    /// What was found in all servers' samples, of a month's end or the newest.
    pub(in crate::agent) fn findings(&self, month: Option<Month>, now: Instant) -> Result<Arc<[Finding]>, Trouble> {
        let until = month.map_or(now, |month| month.ends_at().min(now));
        let among = self.looked_for_among(until)?;
        if let Some(found) = self.found_before(month, &among) {
            return Ok(found);
        }
        let mut samples: Vec<(&Among, ClassifiedSample)> = Vec::new();
        for one in &among {
            let Some(mut found) = self.store.newest_sample(&one.server, until)? else { continue };
            if let Some(as_of) = month.map(AsOf::month_end) {
                found.counted = counting::classify(&found.sample, &found.ledger, as_of, &found.rating).into();
            }
            samples.push((one, found));
        }
        let looked = samples.iter().map(|(Among { unit, counts_once, .. }, found)| Looked {
            unit,
            counts_once: *counts_once,
            sample: &found.sample,
            counted: &found.counted,
        });
        let found: Arc<[Finding]> = identity::findings(&looked.collect::<Vec<_>>()).into();
        self.remember_found(month, among, &found);
        Ok(found)
    }

    /// Samples that say where machines are: not those of servers that are sampled directly or have long been silent.
    fn looked_for_among(&self, until: Instant) -> Result<Vec<Among>, Trouble> {
        let mut among = Vec::new();
        for unit in self.units()? {
            for server in &unit.servers {
                let why = self.absent(server)?.map(|absent| absent.why);
                if matches!(why, Some(Absence::SampledDirectly { .. })) {
                    continue;
                }
                let edition = self.store.newest_edition(server, until)?;
                let fresh = edition.filter(|edition| until <= edition.at + self.policy().basis_max_age);
                among.extend(fresh.map(|edition| Among {
                    unit: unit.id.clone(),
                    counts_once: unit.counts_once_at(until),
                    server: server.clone(),
                    edition,
                }));
            }
        }
        Ok(among)
    }

    fn newest_open_report(&self, unit: &Unit) -> Result<Option<UsageReport>, Trouble> {
        match self.open_heads(unit)?.last() {
            Some(head) => self.newest_report(&unit.id, head.month),
            None => Ok(None),
        }
    }

    /// One line for each kind of finding.
    pub(super) fn identity_warnings(&self, now: Instant) -> Result<Vec<String>, Trouble> {
        let found = self.findings(None, now)?;
        let of = |kind: FindingKind| found.iter().filter(move |finding| finding.finding == kind);
        let mut warnings: Vec<String> = of(FindingKind::ClonedInstallation).map(|clone| clone.text.clone()).collect();
        let duplicates = of(FindingKind::Duplicate).count();
        if duplicates > 0 {
            warnings.push(format!("machines counted on several servers: {duplicates}; see `report proposals`"));
        }
        let back = of(FindingKind::Reappeared).count();
        if back > 0 {
            warnings.push(format!("machines that came back under another id: {back}; see `report proposals`"));
        }
        warnings.extend(self.maybe_one_server()?);
        warnings.extend(self.clones_of_direct(now)?);
        Ok(warnings)
    }

    /// Servers of a console that show the installation id of one that is sampled directly, where nothing tells which of
    /// them it is: all count, so one counts twice until a person says which.
    fn clones_of_direct(&self, now: Instant) -> Result<Vec<String>, Trouble> {
        let directs = self.sampled_directly(now)?;
        let mut warnings = Vec::new();
        for entry in self.settings.servers.iter().filter(|entry| self.names_its_servers(&entry.name)) {
            let members = self.members(&entry.name)?.members;
            for (id, directs) in &directs {
                let of_id = || members.iter().filter(|(_, member)| member.installation_id.as_ref() == Some(id));
                let is_found = |server: &String| {
                    let why = |member: &Member| member.absent.as_ref().map(|absent| absent.why.clone());
                    let found = Some(Absence::SampledDirectly { as_server: server.clone() });
                    of_id().any(|(_, member)| why(member) == found)
                };
                let counted = of_id().filter(|(_, member)| member.absent.is_none());
                let counted: Vec<&str> = counted.map(|(server, _)| server.as_str()).collect();
                for direct in directs.iter().filter(|direct| counted.len() > 1 && !is_found(&direct.server)) {
                    warnings.push(format!(
                        "one of {} is {} itself and counts twice: add known_as = [\"its name there\"] to the [[server]] \
                         of {}",
                        counted.join(" and "),
                        direct.server,
                        direct.server
                    ));
                }
            }
        }
        Ok(warnings)
    }

    /// Servers of one name, of which an installation id does not tell whether they are one.
    fn maybe_one_server(&self) -> Result<Vec<String>, Trouble> {
        let seen: Vec<(String, License)> = self.store.rows(&key::license_seen(""))?;
        let (mut named, mut direct) = (Vec::new(), Vec::new());
        for (row, license) in &seen {
            let server = row.strip_prefix(&key::license_seen("")).unwrap_or_default();
            let has_id = license.installation_id.is_some();
            match (self.absent(server)?, self.member(server)?) {
                (Some(_), _) => {}
                (None, Some(_)) => named.push((server, has_id)),
                (None, None) => direct.push((server, has_id)),
            }
        }
        let mut warnings = Vec::new();
        for (server, has_id) in &direct {
            let sums = self.sums_of(server)?;
            if !sums.is_empty() {
                let others = named.iter().chain(&direct).map(|(other, _)| *other).filter(|other| other != server);
                warnings.extend(self.counted_beside(server, &sums, &others.collect::<Vec<&str>>()));
                continue;
            }
            let known_as = self.known_as(server);
            for (other, other_has_id) in &named {
                let is_alike = known_as.iter().any(|known| is_same_host(known, shown_name(other)));
                if is_alike && !(*has_id && *other_has_id) {
                    warnings.push(format!("{server} and {other} may be one server; state installation_id or drop one"));
                }
            }
        }
        Ok(warnings)
    }

    /// Servers whose tenants an Enterprise Manager by itself counts, and another entry too: one line for each.
    fn counted_beside(&self, manager: &str, sums: &[String], others: &[&str]) -> Vec<String> {
        let mut warnings = Vec::new();
        for name in sums {
            let is_alike = |other: &&&str| self.known_as(other).iter().any(|known| is_same_host(known, name));
            let too: Vec<&str> = others.iter().filter(is_alike).copied().collect();
            if !too.is_empty() {
                warnings.push(format!(
                    "{manager} counts the tenants of {name}, and {} counts it too; drop {manager}, or let it only name \
                     tenants by tenants_from",
                    too.join(" and ")
                ));
            }
        }
        warnings
    }

    /// What a second source may call this server.
    fn known_as(&self, server: &str) -> Vec<String> {
        let settings = self.settings.servers.iter().find(|settings| settings.name == server);
        settings.map_or_else(|| vec![shown_name(server).to_owned()], ServerSettings::known_as)
    }
}

/// The finding with what the report still counts of it.
fn proposal(finding: &Finding, month: Option<Month>, report: Option<&UsageReport>) -> Value {
    let counted: BTreeSet<String> = report
        .iter()
        .flat_map(|report| &report.workloads)
        .filter(|workload| workload.counted)
        .map(|workload| format!("{}/{}", workload.server, workload.id))
        .collect();
    let open = report.is_some_and(|report| report.stage.is_open());
    let remove: Vec<&String> = finding.remove.iter().filter(|named| open && counted.contains(*named)).collect();
    let mut shown = serde_json::to_value(finding).unwrap_or_default();
    shown["month"] = json!(month);
    shown["adjustment"] = json!({"act": "remove", "workloads": remove, "reason": finding.reason});
    shown["can_be_accepted"] = json!(!remove.is_empty());
    shown
}
