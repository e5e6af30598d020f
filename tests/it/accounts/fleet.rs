//! The operator's view of the fleet: what needs care, in which order, in pages, as a file.

use std::collections::BTreeMap;

use tidegauge::domain::report::report_id;
use tidegauge::formats::delimited;
use tidegauge::license_server::{
    Care, Contract, ContractState, Fleet, FleetPage, FleetPick, FleetRow, Order, ReportStanding,
};
use tidegauge::protocol::{Kind, LicenseCheck, Submission, Telemetry};
use tidegauge::seal::keys::SigningKey;

use super::{Office, at, contract, daily, license, license_check, month, submission, telemetry};

/// Every page at that instant, joined.
fn fleet(office: &Office, pick: FleetPick, now: &str) -> Fleet {
    let mut fleet = Fleet::begun(at(now));
    let mut after = String::new();
    loop {
        let page = office.server.fleet(&after, pick, at(now)).unwrap();
        let next = page.next.clone();
        fleet.take(page);
        match next {
            Some(next) => after = next,
            None => return fleet.sorted(),
        }
    }
}

/// The rows as `unit: care`.
fn said(fleet: &Fleet) -> Vec<String> {
    let name = |row: &FleetRow| row.unit.clone().or(row.agent_id.clone()).unwrap_or(row.contract_id.clone());
    fleet.rows.iter().map(|row| format!("{}: {}", name(row), row.care_in_words())).collect()
}

pub fn telemetry_of(unit: &str, week: &str, day: &str, points: i64) -> Telemetry {
    let message = telemetry(week, day, points);
    Telemetry { id: Telemetry::id_of(unit, message.week), unit: unit.to_owned(), ..message }
}

pub fn report_of(unit: &str, points: i64) -> Submission {
    Submission { id: report_id(unit, month("2026-10"), 1), unit: unit.to_owned(), ..submission("2026-10", 1, points) }
}

/// Units of one agent: each with October's telemetry, then what makes it differ.
pub fn of_every_kind() -> Office {
    let office = Office::enrolled();
    office.now("2026-11-02T06:00:00Z");
    for unit in ["conflict", "held", "keyed", "missing", "silent", "thin", "well"] {
        office.send(Kind::Telemetry, &telemetry_of(unit, "2026-W43", "2026-10-20", 104)).unwrap();
        match unit {
            "missing" => {}
            "held" => drop(office.send(Kind::Report, &report_of(unit, 50)).unwrap()),
            "conflict" => {
                let report = Submission { daily: vec![daily("2026-10-20", 100)], ..report_of(unit, 100) };
                office.send(Kind::Report, &report).unwrap();
                office.send(Kind::Report, &Submission { late: true, ..report }).unwrap();
            }
            _ => drop(office.send(Kind::Report, &report_of(unit, 100)).unwrap()),
        }
    }
    office.now("2026-11-09T06:00:00Z");
    for unit in ["conflict", "held", "keyed", "missing", "thin", "well"] {
        let mut week = telemetry_of(unit, "2026-W45", "2026-11-03", 104);
        week.agent_version = (unit != "held").then(|| "0.1.0".to_owned());
        week.coverage.complete = if unit == "thin" { 151 } else { 152 };
        office.send(Kind::Telemetry, &week).unwrap();
    }
    let asked_at = at("2026-11-09T06:00:00Z");
    let check = license_check(asked_at, None, license("2026-11-10"));
    let check = LicenseCheck { id: LicenseCheck::id_of("keyed", asked_at), unit: "keyed".to_owned(), ..check };
    assert!(office.check(&check).unwrap().key.is_some());
    office
}

#[test]
fn what_needs_care_stands_first_and_the_summary_says_how_many() {
    let office = of_every_kind();
    let seen = fleet(&office, FleetPick::All, "2026-11-17T00:00:00Z");
    let expected = [
        "missing: report missing",
        "held: report held",
        "silent: silent",
        "conflict: conflict",
        "thin: coverage low",
        "keyed: ",
        "well: ",
    ];
    assert_eq!(said(&seen), expected);
    assert_eq!(
        seen.summary.in_words(),
        "contracts: 1, units: 7, installations: 8, agents: 1; 5 need care: report missing 1, report held 1, silent 1, \
         conflict 1, coverage low 1"
    );
    assert_eq!(seen.summary.by_version, BTreeMap::from([("0.1.0".to_owned(), 5)]));
    assert_eq!(seen.summary.version_unknown, 2, "its newest telemetry did not say it");
    let few = fleet(&office, FleetPick::NeedsCare, "2026-11-17T00:00:00Z");
    assert_eq!((said(&few), &few.summary), (expected[..5].iter().map(ToString::to_string).collect(), &seen.summary));

    let row = |unit: &str| seen.rows.iter().find(|row| row.unit.as_deref() == Some(unit)).unwrap();
    assert_eq!(row("held").report, ReportStanding::Held);
    assert_eq!((row("held").version.as_deref(), row("well").version.as_deref()), (None, Some("0.1.0")));
    assert_eq!(row("well").last_contact, Some(at("2026-11-09T06:00:00Z")));
    assert_eq!((row("conflict").conflicting_days, row("conflict").conflicts), (1, 1));
    assert_eq!(row("keyed").key_expires_on, Some("2026-12-31".parse().unwrap()));
}

#[test]
fn a_key_that_is_not_renewed_needs_care_from_a_week_before_its_end() {
    let office = of_every_kind();
    let cares = |now: &str| {
        let seen = fleet(&office, FleetPick::All, now);
        let of_key = [Care::KeyEnding, Care::KeyEnded];
        let row = seen.rows.into_iter().find(|row| row.unit.as_deref() == Some("keyed")).unwrap();
        row.care.into_iter().filter(|care| of_key.contains(care)).collect::<Vec<Care>>()
    };
    assert_eq!(cares("2026-12-23T23:59:59Z"), []);
    assert_eq!(cares("2026-12-24T00:00:00Z"), [Care::KeyEnding]);
    assert_eq!(cares("2026-12-31T23:59:59Z"), [Care::KeyEnding]);
    assert_eq!(cares("2027-01-01T00:00:00Z"), [Care::KeyEnded]);
}

#[test]
fn what_the_operator_ruled_or_ended_needs_no_care_of_his() {
    let mut office = of_every_kind();
    let (of, why) = (month("2026-10"), "seen".to_owned());
    office.order(Order::ApproveReport { unit: "held".to_owned(), revision: None, month: of, why: why.clone() });
    let report = |office: &Office| {
        let seen = fleet(office, FleetPick::All, "2026-11-17T00:00:00Z");
        let row = seen.rows.into_iter().find(|row| row.unit.as_deref() == Some("held")).unwrap();
        (row.report, row.care)
    };
    assert_eq!(report(&office), (ReportStanding::Approved, Vec::new()));
    office.order(Order::AskForCorrection { unit: "held".to_owned(), revision: None, month: of, why });
    assert_eq!(report(&office), (ReportStanding::CorrectionAsked, Vec::new()));
    let ended = Order::SetContractState { contract_id: contract().id, state: ContractState::Terminated };
    office.order(ended);
    let few = fleet(&office, FleetPick::NeedsCare, "2027-11-17T00:00:00Z");
    assert_eq!((few.rows.len(), few.summary.need_care, few.summary.units), (0, 0, 7));
}

#[test]
fn agents_without_a_unit_and_contracts_without_an_agent_are_shown_and_stolen_tokens_stand_first() {
    let mut office = of_every_kind();
    office.order(Order::AddContract { contract: Contract { id: "C-200".to_owned(), ..contract() }, url: None });
    let other = Contract { id: "C-300".to_owned(), ..contract() };
    let token = office.order(Order::AddContract { contract: other, url: None }).unwrap();
    office.now("2026-11-10T00:00:00Z");
    office.enrol(&token, &SigningKey::from_secret(&[7; 32])).unwrap();
    let seen = fleet(&office, FleetPick::All, "2026-11-17T00:00:00Z");
    assert_eq!(said(&seen)[5..], ["C-200: ", "agent-1: ", "keyed: ", "well: "]);
    assert_eq!((seen.summary.contracts, seen.summary.agents, seen.summary.need_care), (3, 2, 5));
    // An agent that enrolled and never spoke is silent after two weeks, too.
    let later = fleet(&office, FleetPick::All, "2026-11-24T00:00:01Z");
    assert!(said(&later).contains(&"agent-1: silent".to_owned()), "{:?}", said(&later));
    office.enrol(&token, &SigningKey::from_secret(&[8; 32])).unwrap_err();
    let seen = fleet(&office, FleetPick::All, "2026-11-17T00:00:00Z");
    assert_eq!(said(&seen)[..2], ["agent-1: token shown twice", "missing: report missing"]);
}

#[test]
fn the_fleet_comes_in_pages_of_whole_contracts_each_once() {
    let mut office = Office::enrolled();
    for number in 0..203 {
        let contract = Contract { id: format!("C-{}", 1000 + number), ..contract() };
        office.order(Order::AddContract { contract, url: None });
    }
    let (mut after, mut sizes, mut contracts) = (String::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let (status, page) = office.control(&format!("/v1/operator/fleet?pick=all&after={after}"), None);
        assert_eq!(status, 200);
        let page: FleetPage = serde_json::from_value(page).unwrap();
        sizes.push(page.rows.len());
        contracts.extend(page.rows.into_iter().map(|row| row.contract_id));
        let Some(next) = page.next else { break };
        after = next;
    }
    assert_eq!(sizes, [200, 4]);
    assert_eq!(contracts.iter().collect::<std::collections::BTreeSet<_>>().len(), 204);
    assert!(contracts.is_sorted());
    assert_eq!(office.control("/v1/operator/fleet?after=%21", None).0, 400);
    assert_eq!(office.control("/v1/operator/fleet?after=AA", None).0, 400, "a NUL");
}

#[test]
fn week_by_week_the_newest_telemetry_says_version_and_coverage_whatever_comes_late() {
    let office = Office::enrolled();
    office.now("2026-11-09T06:00:00Z");
    let week = |week: &str, day: &str, version: &str| Telemetry {
        agent_version: Some(version.to_owned()),
        ..telemetry(week, day, 10)
    };
    office.send(Kind::Telemetry, &week("2026-W45", "2026-11-03", "0.3.0")).unwrap();
    office.send(Kind::Telemetry, &week("2026-W44", "2026-10-27", "0.2.0")).unwrap();
    let seen = fleet(&office, FleetPick::All, "2026-11-10T00:00:00Z");
    assert_eq!(seen.rows[0].version.as_deref(), Some("0.3.0"));
    assert_eq!(serde_json::to_value(telemetry("2026-W45", "2026-11-03", 1)).unwrap().get("agent_version"), None);
}

#[test]
fn the_file_has_the_promised_columns_and_no_formula() {
    let mut office = of_every_kind();
    let tricky = Contract { id: "C-200".to_owned(), licensed_to: "=1+1, \"Ltd\"".to_owned(), ..contract() };
    office.order(Order::AddContract { contract: tricky, url: None });
    let file = delimited::write(&fleet(&office, FleetPick::All, "2026-11-17T00:00:00Z").fields()).unwrap();
    let file = String::from_utf8(file).unwrap();
    let lines: Vec<&str> = file.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "care,contract_id,licensed_to,contract_state,unit,installations,agent,agent_id,agent_removed,enrolled_at,\
         last_contact,version,last_week,samples_expected,samples_complete,month,report,reported,highest,key_expires_on,\
         revoked,conflicting_days,conflicts"
    );
    assert!(
        lines[1].starts_with("report missing,C-100,Example Provider,active,missing,inst-1,sha256:"),
        "{}",
        lines[1]
    );
    assert!(
        lines[1].ends_with(
            ",agent-1,no,2026-10-01T08:00:00Z,2026-11-09T06:00:00Z,0.1.0,2026-W45,168,152,2026-10,missing,,104,,no,0,0"
        ),
        "{}",
        lines[1]
    );
    assert!(file.contains(",C-200,\"'=1+1, \"\"Ltd\"\"\",active,,,,,no,,,unknown,,,,,not_owed,"), "{file}");
}
