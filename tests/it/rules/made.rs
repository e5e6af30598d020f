//! Workloads, samples and reports to try rules on, and the words in which tests speak of them.

use tidegauge::domain::installation::Unit;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::report::UsageReport;
use tidegauge::domain::sample::{Sample, Summary};
use tidegauge::domain::tenant::TenantCount;
use tidegauge::domain::watermark::Coverage;
use tidegauge::domain::workload::{Class, Workload, WorkloadType};
use tidegauge::domain::{Instant, Month, Points};
use tidegauge::rules::counting::{AsOf, Ledger, classify, summary};
use tidegauge::rules::rating::Rating;
use tidegauge::rules::reporting::{BasisSample, ReportFacts, generate};

pub fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

pub fn month(text: &str) -> Month {
    text.parse().expect("tests write months as 2026-10")
}

pub fn points(text: &str) -> Points {
    text.parse().expect("tests write points as decimals")
}

/// A VM of 11 points, long known, backed up at the given hour.
pub fn vm(id: &str, last_restore_point_at: &str) -> Workload {
    Workload {
        id: id.to_owned(),
        name: format!("{id}.example.net"),
        kind: WorkloadType::Vm,
        platform: Some("VMware".to_owned()),
        tenant: None,
        job: Some("Daily".to_owned()),
        host: None,
        points: Some(Points::whole(11)),
        first_processed_at: Some(at("2025-01-02T01:00:00Z")),
        last_restore_point_at: Some(at(last_restore_point_at)),
        rental: false,
        unstructured: None,
    }
}

/// The same as another type and weight, of a tenant.
pub fn of_tenant(workload: Workload, tenant: &str, kind: WorkloadType, weight: &str) -> Workload {
    Workload { tenant: Some(tenant.to_owned()), kind, points: Some(points(weight)), ..workload }
}

pub fn first(workload: Workload, first_processed_at: &str) -> Workload {
    Workload { first_processed_at: Some(at(first_processed_at)), ..workload }
}

/// No date stated: the ledger answers.
pub fn undated(workload: Workload) -> Workload {
    Workload { first_processed_at: None, ..workload }
}

pub fn rental(workload: Workload) -> Workload {
    Workload { rental: true, ..workload }
}

pub fn count_of(tenant: &str, kind: WorkloadType, weight: &str, [used, new, rental]: [u32; 3]) -> TenantCount {
    TenantCount { tenant: Some(tenant.to_owned()), kind, weight: Some(points(weight)), used, new, rental }
}

/// A rental sample of vbr01.
pub fn sample(taken_at: &str, workloads: Vec<Workload>) -> Sample {
    let license = License {
        license_id: Some("license-1".to_owned()),
        kind: LicenseType::Rental,
        edition: Some("EnterprisePlus".to_owned()),
        support_id: Some("01234567".to_owned()),
        installation_id: Some("installation-1".to_owned()),
        ..License::default()
    };
    Sample {
        server: "vbr01".to_owned(),
        taken_at: at(taken_at),
        license,
        workloads: workloads.into(),
        counts: Vec::new(),
        vouched: false,
        restore_points_swept_at: None,
        discrepancies: Vec::new(),
        stale: None,
    }
}

/// The ledger of these samples, in order.
pub fn ledger(samples: &[&Sample]) -> Ledger {
    let mut ledger = Ledger::default();
    for sample in samples {
        ledger.take_note(sample);
    }
    ledger
}

/// The classes of a sample's workloads by its own instant, knowing this sample and those before it.
pub fn classes(before: &[&Sample], sample: &Sample) -> Vec<Class> {
    let known: Vec<&Sample> = before.iter().copied().chain([sample]).collect();
    let counted = classify(sample, &ledger(&known), AsOf::sample(sample.taken_at), &Rating::default());
    counted.into_iter().map(|counted| counted.class).collect()
}

/// The sample in short, as the first one of its server.
pub fn in_short(sample: &Sample) -> Summary {
    let rating = Rating::default();
    summary(sample, &classify(sample, &ledger(&[sample]), AsOf::sample(sample.taken_at), &rating), &rating)
}

/// The same before rounding, to be added up with other servers of its key.
pub fn unrounded_of(sample: &Sample) -> Summary {
    let rating = Rating::default();
    let counted = classify(sample, &ledger(&[sample]), AsOf::sample(sample.taken_at), &rating);
    tidegauge::rules::counting::unrounded(sample, &counted, &rating)
}

pub fn unit() -> Unit {
    Unit {
        id: "unit-1".to_owned(),
        shared_license: None,
        servers: vec!["vbr01".to_owned()],
        license_id: Some("license-1".to_owned()),
        formed_at: at("2025-01-01T00:00:00Z"),
        since: Some(at("2025-01-01T00:00:00Z")),
        counts_once: Vec::new(),
    }
}

/// What a report of the month is built from: each sample stands for its server, as its first one.
pub fn facts_of(of: &str, samples: Vec<Sample>) -> ReportFacts {
    let basis = |sample: Sample| {
        let known = ledger(&[&sample]);
        BasisSample {
            first_processed_at: sample.workloads.iter().map(|one| known.first_processed_at(one)).collect(),
            sample: sample.into(),
            stale: false,
        }
    };
    ReportFacts {
        unit: unit(),
        month: month(of),
        revision: 1,
        contract_id: None,
        license: None,
        samples: samples.into_iter().map(basis).collect(),
        not_collected: Vec::new(),
        daily: Vec::new(),
        coverage: Coverage::default(),
        generated_at: month(of).ends_at(),
        late: false,
        servers: Vec::new(),
        rating: Rating::default(),
    }
}

pub fn report_of(of: &str, samples: Vec<Sample>) -> UsageReport {
    generate(facts_of(of, samples))
}

/// A report's lines in short: `tenant type weight: reported/initial +new r rental = points`.
pub fn lines(report: &UsageReport) -> Vec<String> {
    let line = |line: &tidegauge::domain::report::Line| {
        let (tenant, kind) = (line.tenant.as_deref().unwrap_or("-"), &line.kind);
        let (reported, initial, new, rental) =
            (line.reported_count, line.initial_count, line.new_count, line.rental_count);
        format!("{tenant} {kind} {}: {reported}/{initial} +{new} r{rental} = {}", line.weight, line.points)
    };
    report.lines.iter().map(line).collect()
}
