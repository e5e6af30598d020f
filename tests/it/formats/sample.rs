//! A report to draw: two servers, two tenants, fractions, an adjustment, a gap, foreign letters.

use chrono::{NaiveDate, TimeDelta};
use tidegauge::domain::adjustment::Adjustment;
use tidegauge::domain::gate::Verdict;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::month_difference::{DifferenceCause, DifferenceRow, MonthDifference, Outlook, PreviousReport};
use tidegauge::domain::report::{
    Basis, External, Line, Provenance, Reason, ReportedWorkload, SCHEMA, Stage, Stale, UsageReport,
};
use tidegauge::domain::watermark::{Coverage, Daily};
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{Instant, Month, Points};

pub fn at(text: &str) -> Instant {
    text.parse().expect("a test writes instants right")
}

pub fn points(text: &str) -> Points {
    text.parse().expect("a test writes points right")
}

/// October 2026 of two servers: 128.5 points, one VM removed, two new, one rental machine.
pub fn sample_report() -> UsageReport {
    let workloads = workloads();
    let lines = vec![
        line("vbr01", None, WorkloadType::Vm, "11", [8, 7, 1, 0]),
        line("vbr01", None, WorkloadType::Server, "11", [2, 2, 0, 0]),
        line("vbr01", None, WorkloadType::Workstation, "4", [3, 3, 1, 1]),
        line("vbr02", Some("=Čapek & Söhne"), WorkloadType::CloudConnectVm, "5", [3, 3, 0, 0]),
        line("vbr02", Some("Ωmega Ltd"), WorkloadType::FileShare, "2.5", [1, 1, 0, 0]),
    ];
    let total = lines.iter().map(|line| line.points).sum::<Points>();
    UsageReport {
        schema: SCHEMA.to_owned(),
        id: "2f1c7c9e-6a0b-5f60-9a3e-0d9c3f6f1e11".to_owned(),
        unit: "8c7e9a3b-1f0d-4d8e-b1f9-2b6f6d1c0a55".to_owned(),
        month: Month::new(2026, 10).expect("October"),
        revision: 1,
        license_id: Some("4b7c1f0e-93a2-4a7d-8f65-1d2e3c4b5a69".to_owned()),
        contract_id: Some("01234567".to_owned()),
        installations: vec!["8c7e9a3b-1f0d-4d8e-b1f9-2b6f6d1c0a55".to_owned()],
        stage: Stage::AwaitingReview,
        server_verdict: None,
        external: External::default(),
        generated_at: at("2026-11-01T02:10:00Z"),
        on_demand: false,
        basis: Basis {
            as_of: at("2026-11-01T00:00:00Z"),
            late: true,
            stale: vec![Stale { server: "vbr02".to_owned(), sample_at: at("2026-10-31T20:00:00Z") }],
        },
        license: license(),
        total_points: total,
        total_points_rounded: total.rounded_up(),
        lines,
        workloads,
        adjustments: vec![adjustment()],
        daily: daily(),
        coverage: Coverage { expected: 744, complete: 720 },
        not_collected: vec!["vbr03".to_owned()],
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        provenance: Provenance::default(),
        difference: Some(difference()),
        outlook: Some(outlook()),
        evidence: None,
        pseudonyms_of: None,
        digest: "sha256:9f2c4a7be1d05f6378a4c2e1b09d8f7766554433221100ffeeddccbbaa998877".to_owned(),
    }
}

fn adjustment() -> Adjustment {
    Adjustment {
        at: at("2026-11-02T08:30:00Z"),
        by: "licensing".to_owned(),
        workload: Some("vm-7".to_owned()),
        server: Some("vbr01".to_owned()),
        tenant: None,
        kind: Some(WorkloadType::Vm),
        weight: None,
        approved_by: None,
        note_before: None,
        before: "11".to_owned(),
        after: "0".to_owned(),
        reason: "Test machine, deleted on the customer's request on 30 October".to_owned(),
    }
}

/// The sample with so many more VMs, for speed and paging.
pub fn sample_report_of(vms: usize) -> UsageReport {
    let mut report = sample_report();
    let more = (0..vms).map(|n| {
        let mut vm = workload(&format!("more-{n}"), &format!("app-{n:06}.customer.example.net"), "vbr01");
        vm.last_restore_point_at = Some(at("2026-10-31T01:00:00Z") - TimeDelta::minutes(n as i64 % 4000));
        vm
    });
    report.workloads.extend(more);
    report
}

/// 7.5 points more than in September.
fn difference() -> MonthDifference {
    let row = |cause, tenant: Option<&str>, server: &str, kind, named: &[&str], amount| DifferenceRow {
        cause,
        tenant: tenant.map(str::to_owned),
        server: Some(server.to_owned()),
        kind: Some(kind),
        workloads: named.len() as u64,
        named: named.iter().map(|name| (*name).to_owned()).collect(),
        points: points(amount),
    };
    let shop = Some("=Čapek & Söhne");
    let rows = vec![
        row(DifferenceCause::Added, Some("Ωmega Ltd"), "vbr02", WorkloadType::FileShare, &[r"\\nas01\projects"], "2.5"),
        row(DifferenceCause::LeftFreeMonth, None, "vbr01", WorkloadType::Vm, &["sql05", "sql06"], "22"),
        row(DifferenceCause::LeftFreeMonth, shop, "vbr02", WorkloadType::CloudConnectVm, &["shop3"], "5"),
        row(DifferenceCause::AgedOut, None, "vbr01", WorkloadType::Vm, &["old-dc"], "-11"),
        row(DifferenceCause::Removed, None, "vbr01", WorkloadType::Vm, &["test07"], "-11"),
    ];
    let previous = PreviousReport {
        id: "c8f0a2de-51f3-5d0e-9a44-0e4f7a3f2b10".to_owned(),
        month: Month::new(2026, 9).expect("September"),
        revision: 1,
        total_points: points("121"),
    };
    MonthDifference { previous: Some(previous), rows }
}

fn outlook() -> Outlook {
    Outlook {
        verdict: Verdict::Open,
        highest_watermark: Some(points("139.5")),
        shortfall: points("11"),
        tolerance: points("27.9"),
        review_until: NaiveDate::from_ymd_opt(2026, 11, 10).expect("a day"),
        sends_itself_at: Some(at("2026-11-11T00:00:00Z")),
    }
}

fn license() -> License {
    License {
        license_id: Some("4b7c1f0e-93a2-4a7d-8f65-1d2e3c4b5a69".to_owned()),
        kind: LicenseType::Rental,
        product: Some("VBR".to_owned()),
        edition: Some("EnterprisePlus".to_owned()),
        licensed_to: Some("Example Provider s.r.o.".to_owned()),
        support_id: Some("01234567".to_owned()),
        installation_id: Some("8c7e9a3b-1f0d-4d8e-b1f9-2b6f6d1c0a55".to_owned()),
        licensed_points: Some(points("2000")),
        expires_on: NaiveDate::from_ymd_opt(2027, 1, 31),
        ..License::default()
    }
}

fn line(server: &str, tenant: Option<&str>, kind: WorkloadType, weight: &str, counts: [u64; 4]) -> Line {
    let [initial_count, reported_count, new_count, rental_count] = counts;
    Line {
        server: server.to_owned(),
        tenant: tenant.map(str::to_owned),
        kind,
        weight: points(weight),
        initial_count,
        reported_count,
        new_count,
        rental_count,
        points: points(weight) * reported_count,
    }
}

fn workload(id: &str, name: &str, server: &str) -> ReportedWorkload {
    ReportedWorkload {
        id: id.to_owned(),
        name: name.to_owned(),
        server: server.to_owned(),
        tenant: None,
        kind: WorkloadType::Vm,
        platform: Some("VMware".to_owned()),
        weight: points("11"),
        points: points("11"),
        job: Some("Daily".to_owned()),
        last_restore_point_at: Some(at("2026-10-31T01:00:00Z")),
        counted: true,
        reason: Reason::Protected,
        note: None,
    }
}

fn left_out(workload: ReportedWorkload, reason: Reason, note: &str) -> ReportedWorkload {
    ReportedWorkload { counted: false, reason, points: Points::ZERO, note: Some(note.to_owned()), ..workload }
}

fn workloads() -> Vec<ReportedWorkload> {
    let mut all = (1..=6).map(|n| workload(&format!("vm-{n}"), &format!("sql0{n}"), "vbr01")).collect::<Vec<_>>();
    all.push(left_out(workload("vm-7", "test07", "vbr01"), Reason::Removed, "Removed by licensing"));
    all.push(ReportedWorkload {
        job: Some("Weekly copy of the accounting systems to the second site".to_owned()),
        note: Some("Undated: the server's list vouches".to_owned()),
        ..workload("vm-8", "Účetnictví – бухгалтерия 財務", "vbr01")
    });
    all.push(left_out(workload("vm-9", "web-new", "vbr01"), Reason::New, "First processed 2026-10-12"));
    let laptop = ReportedWorkload {
        kind: WorkloadType::Workstation,
        platform: None,
        weight: points("4"),
        ..workload("ws-1", "laptop-kim", "vbr01")
    };
    all.push(left_out(laptop.clone(), Reason::New, "First processed 2026-10-29"));
    all.push(left_out(
        ReportedWorkload { id: "ws-2".to_owned(), name: "laptop-rent".to_owned(), ..laptop },
        Reason::Rental,
        "Rental machine",
    ));
    for n in 1..=3 {
        all.push(ReportedWorkload {
            kind: WorkloadType::CloudConnectVm,
            tenant: Some("=Čapek & Söhne".to_owned()),
            weight: points("5"),
            points: points("5"),
            ..workload(&format!("cc-{n}"), &format!("shop{n}"), "vbr02")
        });
    }
    all.push(ReportedWorkload {
        kind: WorkloadType::FileShare,
        platform: None,
        tenant: Some("Ωmega Ltd".to_owned()),
        weight: points("2.5"),
        points: points("2.5"),
        ..workload("fs-1", r"\\nas01\projects", "vbr02")
    });
    all
}

/// Rises to 139.5 on the 20th; the 9th has no complete sample.
fn daily() -> Vec<Daily> {
    let first = Month::new(2026, 10).expect("October").first_day();
    let day = |n: u32| {
        let missed = n == 9;
        let amount = if n < 20 { 100 + i64::from(n) } else { 139 };
        Daily {
            day: first + chrono::Days::new(u64::from(n) - 1),
            points: (!missed).then(|| Points::whole(amount) + points("0.5")),
            at: (!missed).then(|| at("2026-10-01T01:00:00Z") + TimeDelta::days(i64::from(n) - 1)),
            expected: 24,
            complete: if missed { 0 } else { 24 },
        }
    };
    (1..=31).map(day).collect()
}
