//! docs/CAPACITY.md against real messages, the source, and arithmetic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::license::LicenseType;
use tidegauge::domain::license_key::{self, KeyFile};
use tidegauge::domain::report::Line;
use tidegauge::domain::watermark::Daily;
use tidegauge::domain::workload::WorkloadType;
use tidegauge::domain::{IsoWeek, Points};
use tidegauge::protocol::{InstallationCoverage, LicenseCheck, Receipted, Submission, Telemetry, issue_key, signed};
use tidegauge::seal::keys::SigningKey;

use crate::accounts::{license, license_check, submission, telemetry};

const UNIT: &str = "5f0c2d1e-7a4b-5c6d-8e9f-0a1b2c3d4e5f";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/CAPACITY.md")).expect("the page is in the repository")
}

fn marked(day: chrono::NaiveDate) -> Daily {
    let at = midnight(day) + TimeDelta::hours(23);
    Daily { day, points: Some(Points::whole(1_234)), at: Some(at), expected: 24, complete: 24 }
}

/// A week of a unit with one backup server and four types of workloads.
fn a_week() -> Telemetry {
    let week: IsoWeek = "2026-W44".parse().expect("a week");
    let daily: Vec<Daily> = week.first_day().iter_days().take(7).map(marked).collect();
    let types = [WorkloadType::Vm, WorkloadType::Server, WorkloadType::Workstation, WorkloadType::CloudVm];
    Telemetry {
        id: Telemetry::id_of(UNIT, week),
        unit: UNIT.to_owned(),
        license_id: Some(UNIT.to_owned()),
        contract_id: Some("C-4711".to_owned()),
        installations: vec![UNIT.to_owned()],
        points: daily[0].points,
        at: daily[0].at,
        daily,
        by_type: types.into_iter().map(|kind| (kind, Points::whole(300))).collect(),
        agent_version: Some("0.1.0".to_owned()),
        coverage_by_installation: vec![InstallationCoverage {
            installation: UNIT.to_owned(),
            expected: 168,
            complete: 168,
            month_end: "carry".to_owned(),
        }],
        ..telemetry("2026-W44", "2026-10-26", 1_234)
    }
}

/// A month of the same unit by its lines: ten tenants of four types.
fn a_month() -> Submission {
    let plain = submission("2026-10", 1, 1_234);
    let lines: Vec<Line> = (0..40)
        .map(|number| Line { tenant: Some(format!("Tenant {:02}", number / 4)), ..plain.lines[0].clone() })
        .collect();
    Submission {
        unit: UNIT.to_owned(),
        daily: plain.month.first_day().iter_days().take(31).map(marked).collect(),
        lines,
        digest: format!("sha256:{}", "0".repeat(64)),
        ..plain
    }
}

/// A check with the installed key, and six weeks and twelve months that have receipts.
fn a_check(key: &SigningKey) -> LicenseCheck {
    let check = license_check(crate::accounts::at("2026-11-24T00:00:00Z"), Some(3), license("2026-11-30"));
    let installed = KeyFile {
        schema: license_key::SCHEMA.to_owned(),
        license_id: UNIT.to_owned(),
        serial: 3,
        contract_id: "C-4711".to_owned(),
        installation_ids: vec![UNIT.to_owned()],
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        kind: LicenseType::Rental,
        product: "VBR".to_owned(),
        edition: "EnterprisePlus".to_owned(),
        package: None,
        cloud_connect: false,
        points: Points::whole(2_000),
        issued_at: check.asked_at,
        expires_on: check.asked_at.date_naive(),
        support_expires_on: None,
    };
    let months = std::iter::successors(Some(crate::accounts::month("2026-10")), |month| Some(month.previous()));
    let weeks = std::iter::successors("2026-W47".parse().ok(), |week: &IsoWeek| Some(week.previous()));
    let reports = months.take(12).map(|month| Receipted::Report { month, revision: 1 });
    let receipted = weeks.take(6).map(|week| Receipted::Telemetry { week }).chain(reports).collect();
    LicenseCheck { key: Some(issue_key(&installed, key)), receipted, ..check }
}

#[test]
fn the_capacity_page_states_the_bytes_of_real_messages_and_the_slots_of_the_source() {
    let key = SigningKey::from_secret(&[1; 32]);
    let check = a_check(&key);
    let stated = BTreeMap::from([
        ("a week's telemetry", signed(&a_week(), &key).len()),
        ("a month's report, 40 lines", signed(&a_month(), &key).len()),
        ("a license check", signed(&check, &key).len()),
    ]);
    let page = page();
    for (what, bytes) in stated {
        let row = format!("| {what} | {} bytes |", grouped(bytes));
        assert!(page.contains(&row), "the page lacks: {row}");
    }
    let slot = fs::read_to_string(root().join("src/agent/slot.rs")).expect("the source");
    assert!(
        slot.contains("const MINUTES_OF_A_WEEK: u64 = 7 * 24 * 60;") && page.contains("7 * 24 * 60 = 10,080 minutes")
    );
}

#[test]
fn every_calculation_of_the_capacity_page_comes_out() {
    let page = page();
    let calculations: Vec<&str> =
        page.split("```").skip(1).step_by(2).flat_map(str::lines).filter(|line| line.contains(" = ")).collect();
    assert!(calculations.len() >= 15, "{} calculations were read", calculations.len());
    for line in calculations {
        let (left, right) = line.split_once(" = ").expect("it has a result");
        let stated = right.split_whitespace().next().expect("a number follows");
        let digits = stated.split_once('.').map_or(0, |(_, digits)| digits.len());
        let found = worked_out(left.rsplit(": ").next().unwrap_or(left));
        assert_eq!(format!("{found:.digits$}"), stated.replace(',', ""), "{line}");
    }
}

/// Numbers with `*`, `/`, `+` and `-` between them, from left to right; words are units.
fn worked_out(text: &str) -> f64 {
    let number = |word: &str| word.replace(',', "").parse::<f64>().ok();
    let (mut value, mut sign) = (None, "");
    for word in text.split_whitespace() {
        match (number(word), value) {
            (Some(first), None) => value = Some(first),
            (Some(next), Some(so_far)) => {
                value = Some(match sign {
                    "*" => so_far * next,
                    "/" => so_far / next,
                    "+" => so_far + next,
                    "-" => so_far - next,
                    other => panic!("\"{text}\": no sign but \"{other}\" before {next}"),
                });
                sign = "";
            }
            (None, _) if ["*", "/", "+", "-"].contains(&word) => sign = word,
            (None, _) => {}
        }
    }
    value.unwrap_or_else(|| panic!("\"{text}\" has no number"))
}

/// `12,345`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev().map(|three| String::from_utf8_lossy(three).into_owned());
    grouped.collect::<Vec<String>>().join(",")
}

#[test]
fn every_file_that_the_capacity_page_names_is_there() {
    for link in page().split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        // Written by a full run of scripts/bench.
        let is_later = link.starts_with("PERFORMANCE.md");
        let file = link.split('#').next().unwrap_or(link);
        assert!(is_later || Path::new(&root().join("docs").join(file)).exists(), "{link}");
    }
}
