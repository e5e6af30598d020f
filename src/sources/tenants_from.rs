//! `tenants_from`: a second source that names tenants, beside the server that counts (design.md section 9).
//!
//! The backup server's own list is the total, whatever the second source says: it only splits that total, so nothing
//! is added twice. Cloud Connect workloads become counts, with or without tenants, so that an hour without the second
//! source changes no class and no number.

use std::collections::{BTreeMap, BTreeSet};

use super::enterprise_manager::{Managed, ManagerTalk};
use super::{Brief, Collected, Talk};
use crate::ask::{Answer, Conversation, Step};
use crate::domain::Points;
use crate::domain::installation::{ServerName, is_same_host};
use crate::domain::tenant::TenantCount;
use crate::domain::workload::{Workload, WorkloadType};

/// Who names the tenants of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantsFrom {
    /// The Enterprise Manager's name in the settings; also the peer of its asks.
    pub manager: ServerName,
    /// What it may call this server: the server's name here, and the host of its address.
    pub known_as: Vec<String>,
    /// The same of the other servers whose tenants it names.
    pub others: Vec<String>,
}

/// The types that tenants have on a Cloud Connect server.
pub const CLOUD_CONNECT: [WorkloadType; 4] = [
    WorkloadType::CloudConnectVm,
    WorkloadType::CloudConnectReplica,
    WorkloadType::CloudConnectWorkstation,
    WorkloadType::CloudConnectServer,
];

/// A server's own conversation, then the one that names its tenants.
pub struct NamingTenants {
    from: TenantsFrom,
    doing: Doing,
}

enum Doing {
    Counting(Talk),
    Naming(Box<ManagerTalk>, Collected),
    Over,
}

impl NamingTenants {
    /// `counting` is the conversation that `brief` opened, its Cloud Connect workloads counted ([`counted`]).
    pub fn new(counting: Talk, brief: &Brief) -> NamingTenants {
        let from = brief.settings.tenants_from.clone().unwrap_or_default();
        NamingTenants { from, doing: Doing::Counting(counting) }
    }
}

impl Conversation for NamingTenants {
    type Done = Collected;

    fn next(&mut self, heard: Option<Answer>) -> Step<Collected> {
        match std::mem::replace(&mut self.doing, Doing::Over) {
            Doing::Over => Step::Done(Collected::default()),
            Doing::Counting(mut talk) => match talk.next(heard) {
                Step::Ask(ask) => {
                    self.doing = Doing::Counting(talk);
                    Step::Ask(ask)
                }
                Step::Setback(setback) => Step::Setback(setback),
                Step::Done(collected) => {
                    self.doing = Doing::Naming(Box::new(ManagerTalk::new(self.from.manager.clone())), collected);
                    self.next(None)
                }
            },
            Doing::Naming(mut talk, mut collected) => {
                let named = match talk.next(heard) {
                    Step::Ask(ask) => {
                        self.doing = Doing::Naming(talk, collected);
                        return Step::Ask(ask);
                    }
                    Step::Setback(setback) => Err(setback.why().to_owned()),
                    Step::Done(managed) => of_this_server(&managed, &self.from),
                };
                for sample in &mut collected.samples {
                    match &named {
                        Ok((named, notes)) => {
                            let mut split = split(std::mem::take(&mut sample.counts), named, &self.from.manager);
                            sample.counts = split.counts;
                            sample.discrepancies.extend_from_slice(notes);
                            sample.discrepancies.append(&mut split.notes);
                        }
                        Err(why) => sample.discrepancies.push(format!("tenants are not named: {why}")),
                    }
                }
                Step::Done(collected)
            }
        }
    }
}

/// The tenants that belong to this server, and what else the Enterprise Manager told.
fn of_this_server(managed: &Managed, from: &TenantsFrom) -> Result<(Vec<TenantCount>, Vec<String>), String> {
    let is_of = |name: &str, known: &[String]| known.iter().any(|known| is_same_host(known, name));
    let named: Vec<&String> = managed.servers.keys().filter(|name| is_of(name, &from.known_as)).collect();
    let only = || managed.servers.keys().next().filter(|_| managed.servers.len() == 1 && from.others.is_empty());
    let mine: BTreeSet<&String> =
        if named.is_empty() { only().into_iter().collect() } else { named.into_iter().collect() };
    let mut notes = managed.notes.clone();
    let strangers = managed
        .servers
        .iter()
        .filter(|(name, counts)| !mine.contains(name) && !is_of(name, &from.others) && !counts.is_empty());
    let strangers: Vec<String> = strangers.map(|(name, counts)| machines_of(name, counts)).collect();
    let manager = &from.manager;
    if mine.is_empty() && !managed.servers.is_empty() {
        let known = from.known_as.join(" or ");
        return Err(format!(
            "{manager} knows no tenants of {known}, only of {}; call the server here as Enterprise Manager does",
            strangers.join(", ")
        ));
    }
    if !strangers.is_empty() {
        notes.push(format!("{manager} knows tenants of a server that is not sampled here: {}", strangers.join(", ")));
    }
    Ok((mine.into_iter().flat_map(|name| managed.servers[name].clone()).collect(), notes))
}

fn machines_of(server: &str, counts: &[TenantCount]) -> String {
    let used: u64 = counts.iter().map(|count| u64::from(count.used)).sum();
    let server = if server.is_empty() { "a server it does not name" } else { server };
    format!("{server} ({used} machines)")
}

/// Takes the Cloud Connect workloads out of a server's list.
pub fn take_cloud_connect(workloads: &mut Vec<Workload>) -> Vec<Workload> {
    let (of_tenants, own) = std::mem::take(workloads).into_iter().partition(|one| CLOUD_CONNECT.contains(&one.kind));
    *workloads = own;
    of_tenants
}

/// Counts Cloud Connect workloads by type and weight, without tenants.
///
/// `new_ids` are those the server states no points for: they consume nothing this month (domain.md 9, Q37). A workload
/// without weight has the one weight of its type, where there is one.
pub fn counted(of_tenants: Vec<Workload>, new_ids: &BTreeSet<String>) -> Vec<TenantCount> {
    let mut weights: BTreeMap<WorkloadType, BTreeSet<Points>> = BTreeMap::new();
    for workload in &of_tenants {
        weights.entry(workload.kind.clone()).or_default().extend(workload.points);
    }
    let mut totals: BTreeMap<(WorkloadType, Option<Points>), (u32, u32)> = BTreeMap::new();
    for workload in of_tenants {
        let stated = &weights[&workload.kind];
        let only = stated.first().copied().filter(|_| stated.len() == 1);
        let (used, new) = totals.entry((workload.kind, workload.points.or(only))).or_default();
        *(if new_ids.contains(&workload.id) { new } else { used }) += 1;
    }
    let count = |((kind, weight), (used, new))| TenantCount { tenant: None, kind, weight, used, new, rental: 0 };
    totals.into_iter().map(count).collect()
}

/// A server's counts with tenants, and what did not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub counts: Vec<TenantCount>,
    pub notes: Vec<String>,
}

/// Splits a server's own counts by tenant; what no tenant has stays without one, and every type's sums stay the same.
pub fn split(own: Vec<TenantCount>, named: &[TenantCount], manager: &str) -> Split {
    let (cloud, mut rest): (Vec<_>, Vec<_>) = own.into_iter().partition(|count| CLOUD_CONNECT.contains(&count.kind));
    let mut notes = Vec::new();
    for kind in CLOUD_CONNECT {
        let own: Vec<TenantCount> = cloud.iter().filter(|count| count.kind == kind).cloned().collect();
        let named = by_tenant(named.iter().filter(|count| count.kind == kind));
        match split_kind(&kind, &own, &named) {
            Ok((split, note)) => {
                rest.extend(split);
                notes.extend(note.map(|note| format!("{manager}: {note}")));
            }
            Err(why) => {
                rest.extend(own);
                notes.push(format!("{manager}: {why}; the server's own count stands, without tenants"));
            }
        }
    }
    Split { counts: rest, notes }
}

/// Namesakes are summed: a line of a report is one tenant.
fn by_tenant<'a>(named: impl Iterator<Item = &'a TenantCount>) -> Vec<TenantCount> {
    let mut tenants: BTreeMap<&Option<String>, TenantCount> = BTreeMap::new();
    for count in named {
        match tenants.get_mut(&count.tenant) {
            None => {
                tenants.insert(&count.tenant, count.clone());
            }
            Some(sum) => {
                sum.used = sum.used.saturating_add(count.used);
                sum.new = sum.new.saturating_add(count.new);
                sum.rental = sum.rental.saturating_add(count.rental);
            }
        }
    }
    tenants.into_values().collect()
}

/// The counts of one type with tenants, and a note when only its new machines did not fit.
type Named = (Vec<TenantCount>, Option<String>);

fn split_kind(kind: &WorkloadType, own: &[TenantCount], named: &[TenantCount]) -> Result<Named, String> {
    if named.is_empty() {
        return Ok((own.to_vec(), None));
    }
    let weights: BTreeSet<Option<Points>> = own.iter().map(|count| count.weight).collect();
    if weights.len() > 1 {
        return Err(format!("names {kind} of tenants, and the server lists them at several weights"));
    }
    let weight = weights.first().copied().flatten();
    let (own_used, named_used) = (sum(own, used), sum(named, used));
    let Some(left_used) = own_used.checked_sub(named_used) else {
        return Err(format!("names {named_used} {kind} of tenants, the server lists {own_used}"));
    };
    let (own_new, named_new) = (sum(own, new), sum(named, new));
    let fits = named_new <= own_new;
    let note = (!fits).then(|| {
        format!("names {named_new} new {kind} of tenants, the server lists {own_new}; new ones stand without tenants")
    });
    let new_of = |count: &TenantCount| if fits { count.new } else { 0 };
    let of_tenants = named.iter().map(|count| TenantCount { weight, new: new_of(count), ..count.clone() });
    let left = TenantCount {
        tenant: None,
        kind: kind.clone(),
        weight,
        used: whole(left_used),
        new: whole(if fits { own_new - named_new } else { own_new }),
        rental: 0,
    };
    let mut split: Vec<TenantCount> = of_tenants.chain([left]).collect();
    split.retain(|count| count.used > 0 || count.new > 0 || count.rental > 0);
    Ok((split, note))
}

fn sum(counts: &[TenantCount], part: fn(&TenantCount) -> u64) -> u64 {
    counts.iter().map(part).sum()
}

/// Replicas of tenants with a rental license count, and so the server lists them (domain.md 9, Q36).
fn used(count: &TenantCount) -> u64 {
    let counts_rental = count.kind == WorkloadType::CloudConnectReplica;
    u64::from(count.used) + if counts_rental { u64::from(count.rental) } else { 0 }
}

fn new(count: &TenantCount) -> u64 {
    u64::from(count.new)
}

/// At most what the server listed itself.
fn whole(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
