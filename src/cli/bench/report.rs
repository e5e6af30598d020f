//! `bench report`: what a report of so many rows costs in one format, from the report in memory to its file.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::model::KINDS;
use super::print_line;
use crate::agent::Refused;
use crate::cli::session::Session;
use crate::domain::license::License;
use crate::domain::report::{
    Basis, External, Line, Provenance, Reason, ReportedWorkload, SCHEMA, Stage, UsageReport, report_id,
};
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Month, Points};
use crate::formats::by_extension;
use crate::formats::typefaces::Typefaces;
use crate::ports::meter::Meter;
use crate::rules::report_document::report_document_of;
use crate::rules::reporting;

/// Backup servers of the report.
const SERVERS: u32 = 10;
/// Tenants of a report that has rows of workloads; one of lines has as many as its lines need.
const TENANTS: u32 = 200;
/// Samples of a month of 31 days.
const SAMPLES: u32 = 744;

/// Options of `bench report`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Workloads of the report; for CSV, which shows lines, its lines
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
    /// The format
    #[arg(long, value_enum)]
    format: Format,
    /// The file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Pdf,
    Csv,
    Json,
    Xlsx,
    Html,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Format::Pdf => "pdf",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Xlsx => "xlsx",
            Format::Html => "html",
        }
    }
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let report = match asked.format {
        Format::Csv => report_of(0, asked.rows),
        Format::Pdf | Format::Json | Format::Xlsx | Format::Html => report_of(asked.rows, TENANTS * 4),
    };
    let format = by_extension(asked.format.extension()).expect("every format here has a row in the table");
    let meter = Meter::begin();
    let document = report_document_of(&report, format.shows);
    let file = (format.write)(&document, &Typefaces::default());
    session.write(&asked.out, &file)?;
    let (rows, bytes) = (asked.rows, file.len());
    print_line(session, &meter, json!({"rows": rows, "bytes": bytes, "pages": pages(&file)}))
}

/// Pages of a PDF; 0 of another file.
fn pages(file: &[u8]) -> usize {
    const PAGE: &[u8] = b"/Type/Page/";
    memchr::memmem::find_iter(file, PAGE).count()
}

/// A report of so many workloads and lines: the same each time.
pub fn report_of(workloads: u32, lines: u32) -> UsageReport {
    let month = Month::new(2024, 1).expect("January 2024");
    let unit = "11111111-2222-4333-8444-555555555555".to_owned();
    let ends_at = month.ends_at();
    let mut report = UsageReport {
        schema: SCHEMA.to_owned(),
        id: report_id(&unit, month, 1),
        unit,
        month,
        revision: 1,
        license_id: Some("4b7c1f0e-93a2-4a7d-8f65-1d2e3c4b5a69".to_owned()),
        contract_id: None,
        installations: Vec::new(),
        stage: Stage::AwaitingReview,
        server_verdict: None,
        external: External::default(),
        generated_at: ends_at,
        on_demand: false,
        basis: Basis { as_of: ends_at, late: false, stale: Vec::new() },
        license: License::default(),
        total_points: Points::ZERO,
        total_points_rounded: Points::ZERO,
        lines: (0..lines).map(line).collect(),
        workloads: (0..workloads).map(|n| workload(n, ends_at)).collect(),
        adjustments: Vec::new(),
        daily: Vec::new(),
        coverage: Coverage { expected: SAMPLES, complete: SAMPLES },
        not_collected: Vec::new(),
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        provenance: Provenance::default(),
        difference: None,
        outlook: None,
        evidence: None,
        pseudonyms_of: None,
        digest: String::new(),
    };
    reporting::total(&mut report);
    report
}

fn workload(n: u32, ends_at: Instant) -> ReportedWorkload {
    let weight = Points::whole(i64::from(n % 11 + 1));
    ReportedWorkload {
        id: format!("6745a759-2205-4cd2-b172-{n:012x}"),
        name: format!("app-{:06}.example.net", n.wrapping_mul(7_919) % 1_000_003),
        server: server(n),
        tenant: Some(format!("Tenant {:03} Ltd", n % TENANTS)),
        kind: KINDS[n as usize % KINDS.len()].kind.clone(),
        platform: n.is_multiple_of(4).then(|| "VMware".to_owned()),
        weight,
        points: weight,
        job: Some(format!("Backup job {:03}", n % 300)),
        last_restore_point_at: Some(ends_at - TimeDelta::minutes(i64::from(n % 4_000))),
        counted: true,
        reason: Reason::Protected,
        note: None,
    }
}

/// One line of four of a tenant.
fn line(n: u32) -> Line {
    let weight = Points::whole(i64::from(n % 11 + 1));
    Line {
        server: server(n),
        tenant: Some(format!("Tenant {:06} Ltd", n / 4)),
        kind: KINDS[n as usize % 4].kind.clone(),
        weight,
        initial_count: 50,
        reported_count: 50,
        new_count: 2,
        rental_count: 0,
        points: Points::whole(50 * i64::from(n % 11 + 1)),
    }
}

fn server(n: u32) -> String {
    format!("vbr{:02}", n % SERVERS)
}
