//! The monthly report out of samples: classified at the month's end with the month as the month (domain.md 3.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::domain::report::{
    Basis, External, Line, Provenance, ProvisionalType, Reason, ReportedWorkload, SCHEMA, ServerCoverage, Stage, Stale,
    UsageReport, WeightNote, report_id,
};
use crate::domain::sample::{Counted, GroupTotal, Sample};
use crate::domain::tenant::TenantCount;
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};
use crate::seal::{canonical, digest};

use super::counting::{self, AsOf};
use super::duplicates::{self, Duplicate, Standing};
use super::instances::Sharing;
use super::rating::{self, Rating};
use super::report_document::AFTER_GENERATION;

/// What notes of workloads begin with, and what stands between the servers that one names.
pub(super) const NOTE_NO_WEIGHT: &str = "no weight is known for type ";
pub(super) const NOTE_PROVISIONAL: &str = "provisional: type ";
pub(super) const NOTE_COUNTED_ONCE: &str = "counted once, on ";
pub(super) const NOTE_ALSO_COUNTED: &str = "also counted on ";
pub(super) const NOTE_REMOVED: &str = "removed: ";
pub(super) const NOTE_BETWEEN: &str = ", ";

/// The sample of one server that a report stands on.
#[derive(Clone, Debug)]
pub struct BasisSample {
    pub sample: Arc<Sample>,
    /// Per workload, in the sample's order: when it was processed first.
    pub first_processed_at: Vec<Option<Instant>>,
    /// Older than `basis_max_age` at the month's end, and carried all the same.
    pub stale: bool,
}

/// What a report is built from.
#[derive(Clone, Debug)]
pub struct ReportFacts {
    pub unit: Unit,
    pub month: Month,
    pub revision: u32,
    pub contract_id: Option<String>,
    /// The key that governs, when it is ours; else the newest sample's block stands.
    pub license: Option<License>,
    pub samples: Vec<BasisSample>,
    pub not_collected: Vec<String>,
    pub daily: Vec<Daily>,
    pub coverage: Coverage,
    pub generated_at: Instant,
    /// Built when the month had long ended, because the agent was off.
    pub late: bool,
    /// How each server was covered, and by which policy it is counted.
    pub servers: Vec<ServerCoverage>,
    /// What answers where a server states no weight.
    pub rating: Rating,
}

impl AsOf {
    /// A carried sample stands as it was: what was backed up after it is not known, so nothing ages out of it, and no
    /// report is zero by absence (design.md section 4, "Report of M").
    pub(super) fn of_basis(self, basis: &BasisSample) -> AsOf {
        if basis.stale { AsOf { at: self.at.min(basis.sample.taken_at), ..self } } else { self }
    }
}

type LineKey = (String, Option<String>, WorkloadType, Points);

/// Builds the report: lines per server, tenant, type and weight; workloads that count, are new or are rental.
pub fn generate(facts: ReportFacts) -> UsageReport {
    let as_of = AsOf::month_end(facts.month);
    generate_as_of(facts, as_of)
}

/// The same at any hour: the on-demand report, which can never be sent.
pub fn generate_as_of(facts: ReportFacts, as_of: AsOf) -> UsageReport {
    let mut groups: BTreeMap<LineKey, GroupTotal> = BTreeMap::new();
    let mut workloads = Vec::new();
    let counted_of = |basis: &BasisSample| {
        counting::classify_with(&basis.sample, &basis.first_processed_at, as_of.of_basis(basis), &facts.rating)
    };
    let counted: Vec<Vec<Counted>> = facts.samples.iter().map(counted_of).collect();
    let once = counted_once(&facts, &counted, as_of);
    for (of, (basis, counted)) in facts.samples.iter().zip(&counted).enumerate() {
        let duplicates = |at: usize| once.get(&(of, at));
        let own = Own { sample: &basis.sample, counted, ends_at: as_of.at, rating: &facts.rating };
        take_workloads(&own, &duplicates, &mut groups, &mut workloads);
        take_counts(&basis.sample, as_of.month, &facts.rating, &mut groups);
    }
    name_duplicates(&mut workloads);
    let mut sharing = Sharing::default();
    let lines = groups.into_iter().map(|group| line(group, &mut sharing)).collect();
    let provenance = provenance(&facts);
    let license = governing(newest_license(&facts.samples), facts.license);
    let mut report = UsageReport {
        schema: SCHEMA.to_owned(),
        id: report_id(&facts.unit.id, facts.month, facts.revision),
        unit: facts.unit.id.clone(),
        month: facts.month,
        revision: facts.revision,
        license_id: license.license_id.clone().or(facts.unit.license_id.clone()),
        contract_id: facts.contract_id.or(license.support_id.clone()),
        installations: installations(&facts.samples),
        stage: Stage::AwaitingReview,
        server_verdict: None,
        external: External::default(),
        generated_at: facts.generated_at,
        on_demand: false,
        basis: Basis { as_of: as_of.at, late: facts.late, stale: stale(&facts.samples) },
        license,
        total_points: Points::ZERO,
        total_points_rounded: Points::ZERO,
        lines,
        workloads,
        adjustments: Vec::new(),
        daily: facts.daily,
        coverage: facts.coverage,
        not_collected: facts.not_collected,
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        provenance,
        difference: None,
        outlook: None,
        evidence: None,
        pseudonyms_of: None,
        digest: String::new(),
    };
    total(&mut report);
    report
}

fn stale(samples: &[BasisSample]) -> Vec<Stale> {
    let stale = samples.iter().map(|basis| (basis.stale, &basis.sample)).filter(|(is_stale, _)| *is_stale);
    stale.map(|(_, sample)| Stale { server: sample.server.clone(), sample_at: sample.taken_at }).collect()
}

/// The license block of the newest sample.
fn newest_license(samples: &[BasisSample]) -> License {
    let newest = samples.iter().max_by_key(|basis| basis.sample.taken_at);
    newest.map(|basis| basis.sample.license.clone()).unwrap_or_default()
}

/// Where each machine that several servers show counts, if the unit counts such once.
fn counted_once(facts: &ReportFacts, counted: &[Vec<Counted>], as_of: AsOf) -> BTreeMap<(usize, usize), Duplicate> {
    if !facts.unit.counts_once_at(as_of.at) {
        return BTreeMap::new();
    }
    let standing = facts.samples.iter().zip(counted).map(|(basis, counted)| Standing {
        sample: &basis.sample,
        first_processed_at: basis.first_processed_at.clone(),
        counted,
        as_of: as_of.of_basis(basis),
    });
    duplicates::plan(&standing.collect::<Vec<_>>())
}

/// Our key's word on what it says; the server's on the rest, such as the installation and its own counters.
fn governing(shown: License, ours: Option<License>) -> License {
    let Some(ours) = ours else { return shown };
    License {
        installation_id: shown.installation_id,
        used_points: shown.used_points,
        new_points: shown.new_points,
        auto_update: shown.auto_update,
        ..ours
    }
}

/// Sets totals and digest after lines or adjustments changed.
pub fn total(report: &mut UsageReport) {
    sum_up(report);
    report.digest = digest_of(report);
}

/// Sets the totals alone, for what is only tried.
pub(super) fn sum_up(report: &mut UsageReport) {
    report.total_points = report.lines.iter().map(|line| line.points).sum();
    report.total_points_rounded = report.total_points.rounded_up();
}

/// `sha256:` over [`record_of`].
pub fn digest_of(report: &UsageReport) -> String {
    format!("sha256:{}", digest::sha256_hex(&record_of(report)))
}

/// The canonical JSON of what was reported: everything but stage, second step, verdict and digest. This is signed.
pub fn record_of(report: &UsageReport) -> Vec<u8> {
    canonical::bytes_without(report, &[&AFTER_GENERATION[..], &["digest"]].concat())
}

/// One server's sample with what its workloads count as by themselves.
struct Own<'a> {
    sample: &'a Sample,
    counted: &'a [Counted],
    /// Of the period, which a carried sample may be older than.
    ends_at: Instant,
    rating: &'a Rating,
}

fn take_workloads<'a>(
    own: &Own<'_>,
    duplicate: &dyn Fn(usize) -> Option<&'a Duplicate>,
    groups: &mut BTreeMap<LineKey, GroupTotal>,
    workloads: &mut Vec<ReportedWorkload>,
) {
    let sample = own.sample;
    for (at, (workload, counted)) in sample.workloads.iter().zip(own.counted).enumerate() {
        // Facts after the month's end belong to the next one.
        let first_known = match duplicate(at) {
            Some(Duplicate::Here(once)) => once.first_processed_at,
            Some(Duplicate::On(_)) | None => counted.first_processed_at,
        };
        if first_known.is_some_and(|first| own.ends_at <= first) {
            continue;
        }
        let counted = match duplicate(at) {
            None => counted,
            Some(Duplicate::Here(once)) => once,
            Some(Duplicate::On(server)) => {
                workloads.extend(counted_elsewhere(own, workload, counted, server));
                continue;
            }
        };
        if let Some(reason) = reason(counted.class) {
            let key = (sample.server.clone(), workload.tenant.clone(), workload.kind.clone(), counted.weight);
            groups.entry(key).or_default().add(counting::total_of(counted));
            workloads.push(reported(own, workload, counted, reason));
        }
    }
}

/// Where the report's weights come from, which types nobody knows, and how each server was covered.
fn provenance(facts: &ReportFacts) -> Provenance {
    let mut weights = BTreeSet::new();
    let mut provisional: BTreeMap<(String, String), u64> = BTreeMap::new();
    for basis in &facts.samples {
        let sample = &basis.sample;
        for (kind, count, weighed) in rating::weights_of(sample, &facts.rating) {
            if !kind.is_known() {
                *provisional.entry((sample.server.clone(), kind.to_string())).or_default() += count;
            }
            weights.insert(WeightNote { kind, weight: weighed.weight, from: weighed.from.to_string() });
        }
    }
    let provisional = provisional.into_iter();
    let provisional = provisional.map(|((server, kind), count)| ProvisionalType { server, kind, count });
    Provenance {
        servers: facts.servers.clone(),
        weights: weights.into_iter().collect(),
        provisional: provisional.collect(),
    }
}

fn reason(class: Class) -> Option<Reason> {
    match class {
        Class::Unprotected => None,
        Class::Rental => Some(Reason::Rental),
        Class::New => Some(Reason::New),
        Class::Billable => Some(Reason::Protected),
    }
}

fn reported(own: &Own<'_>, workload: &Workload, counted: &Counted, reason: Reason) -> ReportedWorkload {
    let is_weighed = own.rating.weight_of(workload, own.sample).is_known();
    let note = match (is_weighed, workload.kind.is_known()) {
        (false, _) => Some(format!("{NOTE_NO_WEIGHT}{}", workload.kind)),
        (true, false) => Some(format!("{NOTE_PROVISIONAL}{} is not known; map it", workload.kind)),
        (true, true) => None,
    };
    let counts = reason == Reason::Protected;
    ReportedWorkload {
        id: workload.id.clone(),
        name: workload.name.clone(),
        server: own.sample.server.clone(),
        tenant: workload.tenant.clone(),
        kind: workload.kind.clone(),
        platform: workload.platform.clone(),
        weight: counted.weight,
        points: if counts { counted.weight } else { Points::ZERO },
        job: workload.job.clone(),
        last_restore_point_at: workload.last_restore_point_at,
        counted: counts,
        reason,
        note,
    }
}

/// A copy that counts nothing here; shown so that nobody misses it.
fn counted_elsewhere(own: &Own<'_>, workload: &Workload, counted: &Counted, server: &str) -> Option<ReportedWorkload> {
    let shown = reported(own, workload, counted, reason(counted.class)?);
    let note = Some(format!("{NOTE_COUNTED_ONCE}{server}"));
    Some(ReportedWorkload { points: Points::ZERO, counted: false, note, ..shown })
}

/// Counts by tenant; what was new in an earlier month than the reported one is used in it.
fn take_counts(sample: &Sample, month: Month, rating: &Rating, groups: &mut BTreeMap<LineKey, GroupTotal>) {
    let is_earlier = Month::of(sample.taken_at) < month;
    for count in &sample.counts {
        let weight = rating.weigh_count(count, sample).weight;
        let key = (sample.server.clone(), count.tenant.clone(), count.kind.clone(), weight);
        let by_now = TenantCount { used: count.used.saturating_add(count.new), new: 0, ..count.clone() };
        let count = if is_earlier { &by_now } else { count };
        groups.entry(key).or_default().add(counting::total_of_count(count, sample, rating));
    }
}

/// What objects share is rounded once, over all lines.
fn line((key, total): (LineKey, GroupTotal), sharing: &mut Sharing) -> Line {
    let (server, tenant, kind, weight) = key;
    let shared = sharing.take(&kind, total.sharing);
    Line {
        server,
        tenant,
        kind,
        weight,
        initial_count: total.count,
        reported_count: total.count,
        new_count: total.new_count,
        rental_count: total.rental_count,
        points: total.points + shared,
    }
}

/// The same machine on two servers is counted on each, as the vendor counts, and named (design.md section 4).
fn name_duplicates(workloads: &mut [ReportedWorkload]) {
    let mut servers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for workload in workloads.iter().filter(|workload| workload.counted) {
        servers.entry(workload.id.clone()).or_default().push(workload.server.clone());
    }
    for workload in workloads.iter_mut().filter(|workload| workload.counted) {
        let others: Vec<&str> =
            servers[&workload.id].iter().filter(|server| **server != workload.server).map(String::as_str).collect();
        if !others.is_empty() {
            workload.note = Some(format!("{NOTE_ALSO_COUNTED}{}", others.join(NOTE_BETWEEN)));
        }
    }
}

fn installations(samples: &[BasisSample]) -> Vec<String> {
    let mut ids: Vec<String> =
        samples.iter().filter_map(|basis| basis.sample.license.installation_id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}
