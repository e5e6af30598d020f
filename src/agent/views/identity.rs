//! Machines and servers that may be the same, as of a month's end or now.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::config::ServerSettings;
use crate::domain::installation::{Unit, is_same_host, shown_name};
use crate::domain::license::License;
use crate::domain::report::UsageReport;
use crate::domain::sample::Counted;
use crate::domain::{Instant, Month};
use crate::rules::counting::{self, AsOf};
use crate::rules::identity::{self, Finding, FindingKind, Looked};
use crate::store::ClassifiedSample;
use crate::store::fact::{Absence, key};

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
            let of_unit = found.into_iter().filter(|finding| finding.unit == unit.id);
            shown.extend(of_unit.map(|finding| proposal(&finding, month, report.as_ref())));
        }
        Ok(json!({"schema": "tidegauge.proposals/1", "proposals": shown}))
    }

    /// What was found in all servers' samples, of a month's end or the newest.
    pub(in crate::agent) fn findings(&self, month: Option<Month>, now: Instant) -> Result<Vec<Finding>, Trouble> {
        let until = month.map_or(now, |month| month.ends_at().min(now));
        let mut looked: Vec<(Unit, ClassifiedSample, Vec<Counted>)> = Vec::new();
        for unit in self.units()? {
            for server in &unit.servers {
                let why = self.member(server)?.and_then(|member| member.absent).map(|absent| absent.why);
                if matches!(why, Some(Absence::SampledDirectly { .. })) {
                    continue;
                }
                let Some(found) = self.store.newest_sample(server, until)? else { continue };
                // A server that has long been silent says nothing of where its machines are.
                if found.sample.taken_at + self.policy().basis_max_age < until {
                    continue;
                }
                let as_of = month.map_or(AsOf::sample(found.sample.taken_at), AsOf::month_end);
                let counted = counting::classify(&found.sample, &found.ledger, as_of, &found.rating);
                looked.push((unit.clone(), found, counted));
            }
        }
        let looked: Vec<Looked<'_>> = looked
            .iter()
            .map(|(unit, found, counted)| Looked {
                unit: &unit.id,
                counts_once: unit.counts_once_at(until),
                sample: &found.sample,
                counted,
            })
            .collect();
        Ok(identity::findings(&looked))
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
        Ok(warnings)
    }

    /// Servers of one name, of which an installation id does not tell whether they are one.
    fn maybe_one_server(&self) -> Result<Vec<String>, Trouble> {
        let seen: Vec<(String, License)> = self.store.rows(&key::license_seen(""))?;
        let (mut named, mut direct) = (Vec::new(), Vec::new());
        for (row, license) in &seen {
            let server = row.strip_prefix(&key::license_seen("")).unwrap_or_default();
            let has_id = license.installation_id.is_some();
            match self.member(server)? {
                Some(member) if member.absent.is_none() => named.push((server, has_id)),
                Some(_) => {}
                None => direct.push((server, has_id)),
            }
        }
        let mut warnings = Vec::new();
        for (server, has_id) in direct {
            let known_as = self.settings.servers.iter().find(|settings| settings.name == server);
            let known_as = known_as.map_or_else(|| vec![server.to_owned()], ServerSettings::known_as);
            for (other, other_has_id) in &named {
                let is_alike = known_as.iter().any(|known| is_same_host(known, shown_name(other)));
                if is_alike && !(has_id && *other_has_id) {
                    warnings.push(format!("{server} and {other} may be one server; state installation_id or drop one"));
                }
            }
        }
        Ok(warnings)
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
