//! Usage as it is known: points, new points and rental machines by type, tenant, server or workload.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::agent::Trouble;
use crate::agent::access::By;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::calendar::rfc3339;
use crate::domain::installation::{Unit, answers_to};
use crate::domain::sample::{Counted, GroupTotal, Sample};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};
use crate::rules::counting::{self, AsOf};
use crate::rules::duplicates;
use crate::rules::instances::Sharing;
use crate::rules::rating::Weighed;
use crate::store::ClassifiedSample;

use super::rates::{counted_in, sections, unknown_types};

/// A group's key and, for workloads, its name.
pub(super) type Key = (String, Option<String>);

impl Agent {
    /// `usage --json`: per unit; of a month: classified at its end, or now while it runs.
    pub(in crate::agent) fn usage(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        month: Option<Month>,
        by: By,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| self.usage_of(unit, server, month, by, hour))
    }

    /// The answer about the named unit, or about each when none is named.
    pub(in crate::agent) fn of_each_unit(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        one: impl Fn(&Unit) -> Result<Value, Trouble>,
    ) -> Result<Value, Refused> {
        let units = self.units_named(unit, server)?;
        one_or_all(units.iter().map(one).collect::<Result<Vec<Value>, Trouble>>()?)
    }

    fn usage_of(
        &self,
        unit: &Unit,
        server: Option<&str>,
        month: Option<Month>,
        by: By,
        hour: Hour,
    ) -> Result<Value, Trouble> {
        let until = month.map_or(hour.now, |month| hour.now.min(month.ends_at()));
        let closed = month.filter(|month| month.ends_at() <= hour.now);
        let mut samples = self.samples_standing(unit, server, until)?;
        let discrepancies: Vec<String> = samples.iter().flat_map(discrepancies_of).collect();
        for found in samples.iter_mut().filter(|_| closed.is_some()) {
            let as_of = closed.map_or(AsOf::sample(found.sample.taken_at), AsOf::month_end);
            found.counted = counting::classify(&found.sample, &found.ledger, as_of, &found.rating).into();
        }
        if server.is_none() && unit.counts_once_at(until) {
            count_once(&mut samples, closed);
        }
        let groups = grouped(&samples, by);
        let mut total = GroupTotal::default();
        groups.values().for_each(|group| total.add(group.total));
        let as_of = samples.iter().map(|found| found.sample.taken_at).max();
        Ok(json!({
            "schema": "tidegauge.usage/1",
            "unit": unit.id,
            "counted_in": counted_in(&samples),
            "as_of": closed.map_or(as_of, |month| Some(month.ends_at())).map(rfc3339),
            "points": total.points,
            "new_points": total.new_points,
            "rental_count": total.rental_count,
            "groups": groups.iter().map(group).collect::<Vec<Value>>(),
            "discrepancies": discrepancies,
            "unknown_types": samples.iter().flat_map(unknown_types).collect::<Vec<Value>>(),
            "sections": sections(&samples),
            "servers": samples.iter().map(|found| found.sample.server.clone()).collect::<Vec<String>>(),
        }))
    }

    /// Each server's newest sample not after the instant; those too old beside the newest are left out.
    pub(in crate::agent) fn samples_standing(
        &self,
        unit: &Unit,
        server: Option<&str>,
        until: Instant,
    ) -> Result<Vec<ClassifiedSample>, Trouble> {
        let mut samples = Vec::new();
        for name in unit.servers.iter().filter(|name| server.is_none_or(|server| answers_to(name, server))) {
            samples.extend(self.store.newest_sample(name, until)?);
        }
        let newest = samples.iter().map(|found| found.sample.taken_at).max();
        let oldest = newest.map_or(until, |newest| newest - self.policy().basis_max_age);
        samples.retain(|found| oldest <= found.sample.taken_at);
        Ok(samples)
    }
}

/// Where the server's numbers and ours differ.
pub(in crate::agent) fn discrepancies_of(found: &ClassifiedSample) -> Vec<String> {
    let ours = counting::cross_check(&found.sample, &found.summary(), &found.rating);
    found
        .sample
        .discrepancies
        .iter()
        .cloned()
        .chain(found.sample.stale.iter().map(|stale| stale.why.clone()))
        .chain(ours)
        .map(|what| format!("{}: {what}", found.sample.server))
        .collect()
}

/// Counts machines that several servers show once.
pub(in crate::agent) fn count_once(samples: &mut [ClassifiedSample], closed: Option<Month>) {
    let mut counted: Vec<Vec<Counted>> = samples.iter().map(|found| found.counted.to_vec()).collect();
    let shown: Vec<&Sample> = samples.iter().map(|found| &*found.sample).collect();
    let as_of = |sample: &Sample| closed.map_or(AsOf::sample(sample.taken_at), AsOf::month_end);
    duplicates::count_once(&shown, &as_of, &mut counted);
    for (found, counted) in samples.iter_mut().zip(counted) {
        found.counted = counted.into();
    }
}

/// What stands in one group: its total, and the part of each weight with where that comes from.
#[derive(Default)]
pub(super) struct Grouped {
    pub total: GroupTotal,
    by_weight: BTreeMap<(Points, String), (Weighed, GroupTotal)>,
}

impl Grouped {
    fn add(&mut self, total: GroupTotal, weighed: &Weighed) {
        self.total.add(total);
        let key = (weighed.weight, weighed.from.to_string());
        self.by_weight.entry(key).or_insert_with(|| (weighed.clone(), GroupTotal::default())).1.add(total);
    }

    /// `11`, or `11-13` when there are several (domain.md 2.2).
    fn weight(&self) -> String {
        let mut weights: Vec<String> = self.by_weight.values().map(|(weighed, _)| weighed.to_string()).collect();
        weights.dedup();
        match weights.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [low, .., high] => format!("{low}-{high}"),
        }
    }

    fn weight_from(&self) -> String {
        let from: BTreeSet<&str> = self.by_weight.keys().map(|(_, from)| from.as_str()).collect();
        from.into_iter().collect::<Vec<&str>>().join("; ")
    }
}

/// What the samples of one unit count, in groups; what objects share is rounded once over all of them.
pub(super) fn grouped(samples: &[ClassifiedSample], by: By) -> BTreeMap<Key, Grouped> {
    let mut parts: Vec<Part<'_>> = samples.iter().flat_map(|found| parts_of(found, by)).collect();
    parts.sort_by(|one, other| one.key.cmp(&other.key));
    let (mut sharing, mut groups): (_, BTreeMap<Key, Grouped>) = (Sharing::default(), BTreeMap::new());
    for Part { key, kind, total, weighed } in parts {
        let points = total.points + sharing.take(kind, total.sharing);
        groups.entry(key).or_default().add(GroupTotal { points, ..total }, &weighed);
    }
    groups
}

/// What one workload or one tenant's count adds to its group.
struct Part<'a> {
    key: Key,
    kind: &'a WorkloadType,
    total: GroupTotal,
    weighed: Weighed,
}

fn parts_of(found: &ClassifiedSample, by: By) -> Vec<Part<'_>> {
    let (sample, mut parts) = (&found.sample, Vec::new());
    for (workload, counted) in sample.workloads.iter().zip(found.counted.iter()) {
        let total = counting::total_of(counted);
        if total != GroupTotal::default() {
            let key = match by {
                By::Tenant => (tenant_name(workload.tenant.as_deref()), None),
                By::Type => (workload.kind.to_string(), None),
                By::Server => (sample.server.clone(), None),
                By::Workload => (workload.id.clone(), Some(workload.name.clone())),
            };
            let weighed = Weighed { weight: counted.weight, ..found.rating.weight_of(workload, sample) };
            parts.push(Part { key, kind: &workload.kind, total, weighed });
        }
    }
    parts.extend(sample.counts.iter().map(|count| {
        let key = match by {
            By::Tenant | By::Workload => (tenant_name(count.tenant.as_deref()), None),
            By::Type => (count.kind.to_string(), None),
            By::Server => (sample.server.clone(), None),
        };
        let total = counting::total_of_count(count, sample, &found.rating);
        Part { key, kind: &count.kind, total, weighed: found.rating.weigh_count(count, sample) }
    }));
    parts
}

pub(super) fn tenant_name(tenant: Option<&str>) -> String {
    tenant.unwrap_or("(none)").to_owned()
}

fn group(((key, name), grouped): (&Key, &Grouped)) -> Value {
    let mut group = total_shown(&grouped.total);
    group["key"] = json!(key);
    group["weight"] = json!(grouped.weight());
    group["weight_from"] = json!(grouped.weight_from());
    if grouped.by_weight.len() > 1 {
        let one = |(weighed, total): &(Weighed, GroupTotal)| {
            let mut part = total_shown(total);
            part["weight"] = json!(weighed.to_string());
            part["weight_from"] = json!(weighed.from.to_string());
            part
        };
        group["by_weight"] = grouped.by_weight.values().map(one).collect();
    }
    if let Some(name) = name {
        group["name"] = json!(name);
    }
    group
}

fn total_shown(total: &GroupTotal) -> Value {
    json!({
        "count": total.count,
        "points": total.points,
        "new_count": total.new_count,
        "new_points": total.new_points,
        "rental_count": total.rental_count,
    })
}

/// One value alone, several as an array; none is a refusal.
pub(in crate::agent) fn one_or_all(mut values: Vec<Value>) -> Result<Value, Refused> {
    match values.len() {
        0 => {
            Err(Refused::new(3, "no sample is kept yet; take one with `sample now` or load some with `sample import`"))
        }
        1 => Ok(values.remove(0)),
        _ => Ok(Value::Array(values)),
    }
}
