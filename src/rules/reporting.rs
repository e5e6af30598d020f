//! The monthly report out of samples: classified at the month's end with the month as the month (domain.md 3.6).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::installation::Unit;
use crate::domain::license::License;
use crate::domain::report::{
    Basis, External, Line, Reason, ReportedWorkload, SCHEMA, Stage, Stale, UsageReport, report_id,
};
use crate::domain::sample::{Counted, GroupTotal, Sample};
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::{Instant, Month, Points};
use crate::seal::{canonical, digest};

use super::counting::{self, AsOf};
use super::duplicates::{self, Duplicate, Standing};
use super::report_document::AFTER_GENERATION;

/// The sample of one server that a report stands on.
#[derive(Clone, Debug)]
pub struct BasisSample {
    pub sample: Sample,
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
    let standing = facts.samples.iter().map(|basis| Standing {
        sample: &basis.sample,
        first_processed_at: basis.first_processed_at.clone(),
        as_of: as_of.of_basis(basis),
    });
    let once = if facts.unit.counts_once_at(as_of.at) {
        duplicates::plan(&standing.collect::<Vec<_>>())
    } else {
        BTreeMap::new()
    };
    for (of, basis) in facts.samples.iter().enumerate() {
        let duplicates = |at: usize| once.get(&(of, at));
        take_workloads(basis, as_of.of_basis(basis), &duplicates, &mut groups, &mut workloads);
        take_counts(&basis.sample, &mut groups);
    }
    name_duplicates(&mut workloads);
    let lines = groups.into_iter().map(line).collect();
    let license = governing(newest_license(&facts.samples), facts.license);
    let stale = facts
        .samples
        .iter()
        .filter(|basis| basis.stale)
        .map(|basis| Stale { server: basis.sample.server.clone(), sample_at: basis.sample.taken_at });
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
        basis: Basis { as_of: as_of.at, late: facts.late, stale: stale.collect() },
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
        digest: String::new(),
    };
    total(&mut report);
    report
}

/// The license block of the newest sample.
fn newest_license(samples: &[BasisSample]) -> License {
    let newest = samples.iter().max_by_key(|basis| basis.sample.taken_at);
    newest.map(|basis| basis.sample.license.clone()).unwrap_or_default()
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
    report.total_points = report.lines.iter().map(|line| line.points).sum();
    report.total_points_rounded = report.total_points.rounded_up();
    report.digest = digest_of(report);
}

/// `sha256:` over the canonical JSON of what was reported: everything but stage, second step, verdict and digest.
pub fn digest_of(report: &UsageReport) -> String {
    let mut record = serde_json::to_value(report).expect("a report is plain data");
    if let Value::Object(fields) = &mut record {
        fields.retain(|field, _| field != "digest" && !AFTER_GENERATION.contains(&field.as_str()));
    }
    format!("sha256:{}", digest::sha256_hex(&canonical::bytes(&record)))
}

fn take_workloads<'a>(
    basis: &BasisSample,
    as_of: AsOf,
    duplicate: &dyn Fn(usize) -> Option<&'a Duplicate>,
    groups: &mut BTreeMap<LineKey, GroupTotal>,
    workloads: &mut Vec<ReportedWorkload>,
) {
    let sample = &basis.sample;
    for (at, (workload, first)) in sample.workloads.iter().zip(&basis.first_processed_at).enumerate() {
        // Facts after the month's end belong to the next one.
        let first_known = match duplicate(at) {
            Some(Duplicate::Here(once)) => once.first_processed_at,
            Some(Duplicate::On(_)) | None => *first,
        };
        if first_known.is_some_and(|first| as_of.at <= first) {
            continue;
        }
        let stated = counting::weight_of(workload, sample);
        let own = || {
            let class = counting::class_of(workload, sample, *first, as_of);
            Counted { class, weight: stated.unwrap_or(Points::ZERO), first_processed_at: *first }
        };
        let counted = match duplicate(at) {
            None => own(),
            Some(Duplicate::Here(once)) => once.clone(),
            Some(Duplicate::On(server)) => {
                workloads.extend(counted_elsewhere(sample, workload, &own(), server));
                continue;
            }
        };
        if let Some(reason) = reason(counted.class) {
            let key = (sample.server.clone(), workload.tenant.clone(), workload.kind.clone(), counted.weight);
            groups.entry(key).or_default().add(counting::total_of(&counted));
            workloads.push(reported(sample, workload, &counted, reason, stated.is_none()));
        }
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

fn reported(
    sample: &Sample,
    workload: &Workload,
    counted: &Counted,
    reason: Reason,
    unweighted: bool,
) -> ReportedWorkload {
    let counts = reason == Reason::Protected;
    ReportedWorkload {
        id: workload.id.clone(),
        name: workload.name.clone(),
        server: sample.server.clone(),
        tenant: workload.tenant.clone(),
        kind: workload.kind.clone(),
        platform: workload.platform.clone(),
        weight: counted.weight,
        points: if counts { counted.weight } else { Points::ZERO },
        job: workload.job.clone(),
        last_restore_point_at: workload.last_restore_point_at,
        counted: counts,
        reason,
        note: unweighted.then(|| format!("no weight is known for type {}", workload.kind)),
    }
}

/// A copy that counts nothing here; shown so that nobody misses it.
fn counted_elsewhere(sample: &Sample, workload: &Workload, own: &Counted, server: &str) -> Option<ReportedWorkload> {
    let shown = reported(sample, workload, own, reason(own.class)?, false);
    let note = Some(format!("counted once, on {server}"));
    Some(ReportedWorkload { points: Points::ZERO, counted: false, note, ..shown })
}

fn take_counts(sample: &Sample, groups: &mut BTreeMap<LineKey, GroupTotal>) {
    for count in &sample.counts {
        let weight = counting::weight_of_count(count, sample).unwrap_or(Points::ZERO);
        let key = (sample.server.clone(), count.tenant.clone(), count.kind.clone(), weight);
        groups.entry(key).or_default().add(counting::total_of_count(count, weight));
    }
}

fn line((key, total): (LineKey, GroupTotal)) -> Line {
    let (server, tenant, kind, weight) = key;
    Line {
        server,
        tenant,
        kind,
        weight,
        initial_count: total.count,
        reported_count: total.count,
        new_count: total.new_count,
        rental_count: total.rental_count,
        points: total.points,
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
            workload.note = Some(format!("also counted on {}", others.join(", ")));
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
