//! `bench messages`: founds a License Update Server, enrols agents, and writes messages that they signed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Datelike, TimeDelta};
use clap::Args;
use serde_json::json;

use super::print_line;
use crate::agent::Refused;
use crate::cli::license_server::DatabaseAt;
use crate::cli::session::Session;
use crate::domain::calendar::midnight;
use crate::domain::license::LicenseType;
use crate::domain::report::{Line, Reason, ReportedWorkload, report_id};
use crate::domain::watermark::{Coverage, Daily};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, IsoWeek, Month, Points};
use crate::license_server::{Contract, ContractState, LicenseServer, Order, Policy, Term, new_signing_key};
use crate::ports::meter::Meter;
use crate::protocol::{Enrol, Kind, Message, Submission, Telemetry, signed};
use crate::seal::keys::SigningKey;
use secrecy::ExposeSecret;

const CONTRACT: &str = "C-BENCH";
/// Days of a week with a mark.
const DAYS: i64 = 7;

/// Options of `bench messages`.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Agents, each of one reporting unit
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    agents: u32,
    /// Weeks of each agent, or months with --report-rows
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=300))]
    weeks: u32,
    /// Reports with so many workload rows, in place of telemetry
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=40_000))]
    report_rows: Option<u32>,
    #[command(flatten)]
    database: DatabaseAt,
    /// Written to: the path they are posted to and a line feed; of each message its length (4 bytes, little-endian) and its
    /// body
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(session: &mut Session<'_>, asked: &Asked) -> Result<(), Refused> {
    let meter = Meter::begin();
    let now = session.doors.clock.now();
    let folder = session.global.state.clone();
    let folder =
        folder.ok_or_else(|| Refused::new(2, "--state names the server's directory, which is to be founded"))?;
    let keys = enrolled(session, &folder, asked, now)?;
    let failed = |error: std::io::Error| Refused::new(73, format!("cannot write {}: {error}", asked.out.display()));
    let kind = if asked.report_rows.is_some() { Kind::Report } else { Kind::Telemetry };
    let mut out = format!("{}\n", kind.path()).into_bytes();
    let mut bytes = 0;
    let (mut week, mut month) = (first_week()?, first_month()?);
    let mut file = session.doors.files.append_to(&asked.out).map_err(failed)?;
    for _ in 0..asked.weeks {
        for (unit, key) in &keys {
            let body = match asked.report_rows {
                None => signed(&telemetry(unit, week), key),
                Some(rows) => signed(&submission(unit, month, rows), key),
            };
            bytes += body.len();
            out.write_all(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes()).map_err(failed)?;
            out.write_all(body.as_bytes()).map_err(failed)?;
        }
        file.append(&out).map_err(failed)?;
        out.clear();
        (week, month) = (week.next(), month.next());
    }
    file.sync().map_err(failed)?;
    let messages = keys.len() * asked.weeks as usize;
    print_line(session, &meter, json!({"bench": "messages", "messages": messages, "bytes": bytes}))
}

/// Founds the server and enrols the agents: their units and keys.
fn enrolled(
    session: &Session<'_>,
    folder: &Path,
    asked: &Asked,
    now: Instant,
) -> Result<Vec<(String, SigningKey)>, Refused> {
    let refused = |error: &dyn std::fmt::Display| Refused::new(73, error.to_string());
    let mut chance = (session.doors.chance)();
    let files = &session.doors.files;
    new_signing_key(&**files, folder, &mut *chance).map_err(|error| refused(&error))?;
    let server = match asked.database.open(session)? {
        Some(database) => LicenseServer::open_on_database(&**files, folder, database),
        None => LicenseServer::open(Arc::clone(files), folder, Policy::default()),
    };
    let server = server.map_err(|error| refused(&error))?;
    let mut keys = Vec::new();
    for number in 0..asked.agents {
        let order = match number {
            0 => Order::AddContract { contract: contract(), url: None },
            _ => Order::IssueToken { contract_id: CONTRACT.to_owned(), url: None },
        };
        let token = server.obey(order, "bench", now, &mut *chance).map_err(|error| refused(&error))?;
        let token = token.ok_or_else(|| refused(&"no token was made"))?;
        let mut secret = [0; 32];
        chance.fill(&mut secret);
        let key = SigningKey::from_secret(&secret);
        let request = Enrol {
            schema: Enrol::SCHEMA.to_owned(),
            contract_id: CONTRACT.to_owned(),
            secret: token.secret.expose_secret().to_owned(),
            agent_id: format!("agent-{number}"),
            key: key.verifying(),
        };
        let reply = server.take(Kind::Enrol, signed(&request, &key).as_bytes(), now);
        if reply.status != 200 {
            return Err(refused(&format!("agent {number} was not enrolled: status {}", reply.status)));
        }
        keys.push((format!("unit-{number:05}"), key));
    }
    Ok(keys)
}

fn contract() -> Contract {
    Contract {
        id: CONTRACT.to_owned(),
        licensed_to: "Benchmark".to_owned(),
        support_id: "00000000".to_owned(),
        kind: LicenseType::Rental,
        product: "VBR".to_owned(),
        edition: "EnterprisePlus".to_owned(),
        package: None,
        cloud_connect: false,
        points: Points::whole(100_000),
        term: Term::Monthly,
        ends_on: None,
        support_expires_on: None,
        state: ContractState::Active,
    }
}

/// The first of the weeks that are sent; all of them have ended.
fn first_week() -> Result<IsoWeek, Refused> {
    "2019-W01".parse().map_err(|_| Refused::new(1, "2019-W01 is no week"))
}

/// The first of the months that are sent.
fn first_month() -> Result<Month, Refused> {
    "2000-01".parse().map_err(|_| Refused::new(1, "2000-01 is no month"))
}

/// A week of seven marks.
fn telemetry(unit: &str, week: IsoWeek) -> Telemetry {
    let days = (0..DAYS).map(|n| week.first_day() + TimeDelta::days(n));
    let daily: Vec<Daily> = days
        .map(|day| {
            let at = midnight(day) + TimeDelta::hours(2);
            let points = Points::whole(900 + i64::from(day.day()));
            Daily { day, points: Some(points), at: Some(at), expected: 24, complete: 24 }
        })
        .collect();
    let highest = daily.iter().max_by_key(|daily| (daily.points, std::cmp::Reverse(daily.at)));
    let (points, at) = highest.map_or((None, None), |daily| (daily.points, daily.at));
    Telemetry {
        schema: Telemetry::SCHEMA.to_owned(),
        id: Telemetry::id_of(unit, week),
        unit: unit.to_owned(),
        license_id: None,
        contract_id: Some(CONTRACT.to_owned()),
        installations: vec![format!("{unit}-vbr01")],
        week,
        points,
        at,
        daily,
        by_type: [(WorkloadType::Vm, Points::whole(700)), (WorkloadType::Workstation, Points::whole(200))].into(),
        coverage: Coverage { expected: 168, complete: 168 },
        amended_days: Vec::new(),
        counted_in: Default::default(),
        agent_version: None,
        coverage_by_installation: Vec::new(),
    }
}

/// A report with so many workloads of one tenant.
fn submission(unit: &str, month: Month, rows: u32) -> Submission {
    let workload = |n: u32| ReportedWorkload {
        id: format!("6745a759-2205-4cd2-b172-8ec8f7e{n:05}"),
        name: format!("srv-{n:05}.example.net"),
        server: "vbr01".to_owned(),
        tenant: Some("tenant-1".to_owned()),
        kind: WorkloadType::Vm,
        platform: None,
        weight: Points::whole(10),
        points: Points::whole(10),
        job: Some("Daily".to_owned()),
        last_restore_point_at: Some(month.ends_at() - TimeDelta::hours(3)),
        counted: true,
        reason: Reason::Protected,
        note: None,
    };
    let count = u64::from(rows);
    let points = Points::whole(10) * count;
    let line = Line {
        server: "vbr01".to_owned(),
        tenant: Some("tenant-1".to_owned()),
        kind: WorkloadType::Vm,
        weight: Points::whole(10),
        initial_count: count,
        reported_count: count,
        new_count: 0,
        rental_count: 0,
        points,
    };
    Submission {
        schema: Submission::SCHEMA.to_owned(),
        id: report_id(unit, month, 1),
        unit: unit.to_owned(),
        license_id: None,
        contract_id: Some(CONTRACT.to_owned()),
        installations: vec![format!("{unit}-vbr01")],
        month,
        revision: 1,
        generated_at: month.ends_at(),
        late: false,
        total_points: points,
        new_count: 0,
        rental_count: 0,
        lines: vec![line],
        daily: Vec::new(),
        coverage: Coverage { expected: 744, complete: 744 },
        digest: format!("sha256:{unit}"),
        justification: None,
        justified_at: None,
        justified_by: None,
        correction: None,
        causes: Vec::new(),
        workloads: (0..rows).map(workload).collect(),
    }
}
