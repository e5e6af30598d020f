//! Machines and servers that may be the same: named, with the adjustment prepared; a person decides (domain.md 8, P3, P4, P8).
//!
//! Nothing here changes a number. A machine that several servers show, one that came back under another id, and servers
//! that show one installation id.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::domain::installation::{ServerName, UnitId};
use crate::domain::report::message_id;
use crate::domain::sample::{Counted, Sample};
use crate::domain::workload::{Class, Workload};
use crate::domain::{Instant, Points};

use super::duplicates::Same;

/// A machine's old id may have been backed up for so long after its new one appeared, and still be thought of as the same.
const OVERLAP_MAX: TimeDelta = TimeDelta::days(1);
/// Findings that are shown.
pub const FINDINGS_MAX: usize = 1_000;

/// A server's sample with what its workloads count as.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    pub unit: &'a UnitId,
    /// Machines of several servers of the unit count once: such duplicates are in order.
    pub counts_once: bool,
    pub sample: &'a Sample,
    /// In the order of the sample's workloads.
    pub counted: &'a [Counted],
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Servers show one installation id: one is a clone of another, or was restored from its backup.
    ClonedInstallation,
    /// One machine, by its id, counts on several servers.
    Duplicate,
    /// A machine came back under another id: reinstalled or migrated.
    Reappeared,
}

/// One machine of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub server: ServerName,
    pub id: String,
    pub name: String,
    pub tenant: Option<String>,
    /// What it counts.
    pub points: Points,
    pub first_processed_at: Option<Instant>,
    pub last_restore_point_at: Option<Instant>,
}

/// One finding, and the adjustment that a person may accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// UUIDv5 of what it is about: the same finding has the same id every time.
    pub id: String,
    /// The unit whose report the adjustment is for.
    pub unit: UnitId,
    pub finding: FindingKind,
    /// What was found, in one sentence.
    pub text: String,
    pub servers: Vec<ServerName>,
    pub machines: Vec<Machine>,
    /// `server/id` of each machine that would be taken out of the unit's report; empty: nothing counts twice.
    pub remove: Vec<String>,
    /// Points that this takes out.
    pub points: Points,
    /// The reason, prepared.
    pub reason: String,
}

/// Everything found in the newest samples of all servers.
pub fn findings(servers: &[Looked<'_>]) -> Vec<Finding> {
    let mut found = clones(servers);
    found.extend(duplicates(servers));
    found.extend(reappeared(servers));
    found.sort_by(|a, b| (a.finding, &a.unit, &a.text).cmp(&(b.finding, &b.unit, &b.text)));
    found.truncate(FINDINGS_MAX);
    found
}

/// Servers with one installation id.
fn clones(servers: &[Looked<'_>]) -> Vec<Finding> {
    let mut by_id: BTreeMap<String, Vec<&Looked<'_>>> = BTreeMap::new();
    for looked in servers {
        if let Some(id) = looked.sample.license.installation_id.as_deref().filter(|id| !id.is_empty()) {
            by_id.entry(id.to_ascii_lowercase()).or_default().push(looked);
        }
    }
    let cloned = by_id.into_iter().filter(|(_, servers)| servers.len() > 1);
    let finding = |(id, servers): (String, Vec<&Looked<'_>>)| {
        let mut names: Vec<ServerName> = servers.iter().map(|looked| looked.sample.server.clone()).collect();
        names.sort();
        Finding {
            id: finding_id("clone", &[&id]),
            unit: servers[0].unit.clone(),
            finding: FindingKind::ClonedInstallation,
            text: format!(
                "{} show one installation id, {id}: a cloned server; give one of them a new id, or its usage is left out \
                 or mixed up where reports are collected by that id",
                names.join(" and ")
            ),
            servers: names,
            machines: Vec::new(),
            remove: Vec::new(),
            points: Points::ZERO,
            reason: String::new(),
        }
    };
    cloned.map(finding).collect()
}

/// A place in the list of samples: which sample, which of its workloads.
type Place = (usize, usize);

fn workload<'a>(servers: &[Looked<'a>], (of, at): Place) -> (&'a Workload, &'a Counted) {
    (&servers[of].sample.workloads[at], &servers[of].counted[at])
}

/// Machines whose id counts on several servers. The copy that weighs most stays, of equals the one backed up last.
fn duplicates(servers: &[Looked<'_>]) -> Vec<Finding> {
    // Each id stands once in a sample.
    if servers.len() < 2 {
        return Vec::new();
    }
    let billable = |counted: &Counted| counted.class == Class::Billable;
    let mut places: BTreeMap<Same<'_>, Vec<Place>> = BTreeMap::new();
    for place in alike_in(servers, billable, |_, workload| hash_of(&workload.id)) {
        places.entry(Same::of(workload(servers, place).0)).or_default().push(place);
    }
    let mut found = Vec::new();
    for (same, mut places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
        places.sort_by_key(|&place| {
            let (workload, counted) = workload(servers, place);
            std::cmp::Reverse((counted.weight, workload.last_restore_point_at, std::cmp::Reverse(place)))
        });
        let stays = places[0];
        let mut by_unit: BTreeMap<&UnitId, Vec<Place>> = BTreeMap::new();
        for place in &places[1..] {
            let (there, stands) = (&servers[place.0], &servers[stays.0]);
            if !(there.counts_once && there.unit == stands.unit) {
                by_unit.entry(there.unit).or_default().push(*place);
            }
        }
        for (unit, surplus) in by_unit {
            found.push(duplicate(servers, same, unit, stays, &surplus));
        }
    }
    found
}

fn duplicate(
    servers: &[Looked<'_>],
    Same { id, is_replica }: Same<'_>,
    unit: &UnitId,
    stays: Place,
    surplus: &[Place],
) -> Finding {
    let server_of = |place: &Place| servers[place.0].sample.server.clone();
    let (kept, _) = workload(servers, stays);
    let others: Vec<ServerName> = surplus.iter().map(server_of).collect();
    let stands_on = server_of(&stays);
    let mut machines = vec![machine(servers, stays)];
    machines.extend(surplus.iter().map(|place| machine(servers, *place)));
    Finding {
        id: finding_id(if is_replica { "duplicate replica" } else { "duplicate" }, &[unit, id]),
        unit: unit.clone(),
        finding: FindingKind::Duplicate,
        text: format!("{} counts on {stands_on} and on {}", kept.name, others.join(" and ")),
        servers: [vec![stands_on.clone()], others].concat(),
        remove: surplus.iter().map(|place| format!("{}/{id}", server_of(place))).collect(),
        points: surplus.iter().map(|place| workload(servers, *place).1.weight).sum(),
        machines,
        reason: format!("the same machine is counted on {stands_on}"),
    }
}

/// A name that two ids of a unit have in common: name, type, platform and tenant.
type Likeness<'a> = (&'a UnitId, String, &'a str, Option<&'a str>, Option<&'a str>);

fn likeness<'a>(looked: &Looked<'a>, workload: &'a Workload) -> Likeness<'a> {
    let name = workload.name.trim().to_lowercase();
    (looked.unit, name, workload.kind.as_str(), workload.platform.as_deref(), workload.tenant.as_deref())
}

fn hash_of(about: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    about.hash(&mut hasher);
    hasher.finish()
}

/// Places of workloads whose hash another one shares, in their order: of very many, nearly all are alone.
fn alike_in<'a>(
    servers: &[Looked<'a>],
    stands: impl Fn(&Counted) -> bool,
    hash: impl Fn(&Looked<'a>, &'a Workload) -> u64,
) -> Vec<Place> {
    let mut hashed: Vec<(u64, Place)> = Vec::new();
    for (of, looked) in servers.iter().enumerate() {
        for (at, (workload, counted)) in looked.sample.workloads.iter().zip(looked.counted).enumerate() {
            if stands(counted) {
                hashed.push((hash(looked, workload), (of, at)));
            }
        }
    }
    hashed.sort_unstable();
    let alike = hashed.chunk_by(|(one, _), (next, _)| one == next).filter(|alike| alike.len() > 1);
    let mut places: Vec<Place> = alike.flatten().map(|(_, place)| *place).collect();
    places.sort_unstable();
    places
}

/// Machines that came back under another id, when exactly two ids are alike and the older one fell silent.
fn reappeared(servers: &[Looked<'_>]) -> Vec<Finding> {
    let in_use = |counted: &Counted| matches!(counted.class, Class::Billable | Class::New);
    let mut alike: BTreeMap<Likeness<'_>, Vec<Place>> = BTreeMap::new();
    for place in alike_in(servers, in_use, |looked, workload| hash_of(&likeness(looked, workload))) {
        let (workload, _) = workload(servers, place);
        alike.entry(likeness(&servers[place.0], workload)).or_default().push(place);
    }
    alike.into_values().filter_map(|places| same_machine(servers, &places)).collect()
}

fn same_machine(servers: &[Looked<'_>], places: &[Place]) -> Option<Finding> {
    let ids: BTreeSet<&str> = places.iter().map(|place| workload(servers, *place).0.id.as_str()).collect();
    let &[one, other] = places else { return None };
    if ids.len() != 2 || workload(servers, one).0.name.trim().is_empty() {
        return None;
    }
    let first = |place: Place| workload(servers, place).1.first_processed_at;
    let (old, new) = if first(one) <= first(other) { (one, other) } else { (other, one) };
    let appeared_at = first(new).filter(|appeared| first(old).is_none_or(|first| first < *appeared))?;
    let silent_since = workload(servers, old).0.last_restore_point_at;
    if silent_since.is_some_and(|last| appeared_at + OVERLAP_MAX < last) {
        return None;
    }
    let counts = |place: Place| workload(servers, place).1.class == Class::Billable;
    let twice = counts(old) && counts(new);
    let (gone, stands) = (machine(servers, old), machine(servers, new));
    let day = appeared_at.date_naive();
    let unit = servers[old.0].unit;
    let reason = format!("the same machine as {}/{} since {day}: reinstalled or migrated", stands.server, stands.id);
    let silent = silent_since.map_or_else(
        || "no restore point tells which of them is in use".to_owned(),
        |last| format!("the older id was backed up last on {}", last.date_naive()),
    );
    let text =
        format!("{} stands under two ids since {day}, on {} and {}; {silent}", gone.name, gone.server, stands.server);
    let mut on = vec![gone.server.clone(), stands.server.clone()];
    on.dedup();
    Some(Finding {
        id: finding_id("reappeared", &[unit, &gone.server, &gone.id, &stands.server, &stands.id]),
        unit: unit.clone(),
        finding: FindingKind::Reappeared,
        text,
        servers: on,
        remove: if twice { vec![format!("{}/{}", gone.server, gone.id)] } else { Vec::new() },
        points: if twice { gone.points } else { Points::ZERO },
        machines: vec![gone, stands],
        reason,
    })
}

fn machine(servers: &[Looked<'_>], place: Place) -> Machine {
    let (workload, counted) = workload(servers, place);
    Machine {
        server: servers[place.0].sample.server.clone(),
        id: workload.id.clone(),
        name: workload.name.clone(),
        tenant: workload.tenant.clone(),
        points: if counted.class == Class::Billable { counted.weight } else { Points::ZERO },
        first_processed_at: counted.first_processed_at,
        last_restore_point_at: workload.last_restore_point_at,
    }
}

fn finding_id(kind: &str, about: &[&str]) -> String {
    message_id(about.first().copied().unwrap_or_default(), kind, &about.join("\n"), 0)
}
