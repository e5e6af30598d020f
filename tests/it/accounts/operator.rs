//! Contracts, tokens and approvals, in process and over the control socket's paths.

use tidegauge::domain::Points;
use tidegauge::doors::Clock as _;
use tidegauge::license_server::{Contract, ContractState, Obeyed, Order, Refused, SignedOrder};
use tidegauge::protocol::{EnrolmentToken, Kind, Telemetry};
use tidegauge::seal::keys::SigningKey;

use super::{Counting, Office, UNIT, at, contract, license, month, telemetry};

#[test]
fn the_control_socket_takes_orders_and_shows_what_came_of_them() {
    let office = Office::with_october(104, 50);
    let give = |order| office.control("/v1/operator/orders", Some(&SignedOrder { by: "olga".to_owned(), order }));
    let (status, obeyed) =
        give(Order::AddContract { contract: Contract { id: "C-200".to_owned(), ..contract() }, url: None });
    let obeyed: Obeyed = serde_json::from_value(obeyed).unwrap();
    let token = EnrolmentToken::parse(&obeyed.token.unwrap()).unwrap();
    assert_eq!((status, token.contract_id.as_str()), (200, "C-200"));
    office.enrol(&token, &SigningKey::from_secret(&[7; 32])).unwrap();

    let approve = Order::ApproveReport {
        unit: UNIT.to_owned(),
        revision: Some(1),
        month: month("2026-10"),
        why: "seen".to_owned(),
    };
    let other = Order::ApproveReport {
        unit: UNIT.to_owned(),
        month: month("2026-10"),
        revision: Some(2),
        why: "seen".to_owned(),
    };
    let (status, error) = give(other);
    let why = "the newest report of 2026-10 from unit unit-1 is revision 1: look at it first";
    assert_eq!((status, &error["error"]), (409, &why.into()));
    assert_eq!(give(approve), (200, serde_json::json!({ "token": null })));
    let (_, reports) = office.control("/v1/operator/reports", None);
    assert_eq!((&reports[0]["gate"]["verdict"], &reports[0]["approved"]["by"]), (&"open".into(), &"olga".into()));
    let (_, report) = office.control("/v1/operator/reports/unit-1/2026-10", None);
    assert_eq!((&report["revision"], &report["submission"]["total_points"]), (&1.into(), &"50".into()));
    let (_, contracts) = office.control("/v1/operator/contracts", None);
    assert_eq!(contracts.as_array().unwrap().len(), 2);
    assert!(office.ask(None, license("2026-11-05")).key.is_some());
    let (_, installations) = office.control("/v1/operator/installations", None);
    assert_eq!((&installations[0]["unit"], &installations[0]["key_serial"]), (&UNIT.into(), &1.into()));

    let (status, error) =
        give(Order::SetContractState { contract_id: "C-9".to_owned(), state: ContractState::Terminated });
    let why = "no contract C-9; `license-server contract list` shows them";
    assert_eq!((status, &error["error"]), (404, &why.into()));
    assert_eq!(office.control("/v1/operator/reports/unit-1/2026-09", None).0, 404);
}

#[test]
fn units_of_one_contract_are_summed_as_an_upper_bound() {
    let office = Office::with_october(104, 99);
    let mut other = super::submission("2026-10", 1, 30);
    other.unit = "unit-2".to_owned();
    other.id = tidegauge::domain::report::report_id("unit-2", month("2026-10"), 1);
    other.daily = vec![super::daily("2026-10-05", 40)];
    office.send(Kind::Report, &other).unwrap();
    let (_, sums) = office.control("/v1/operator/sums/2026-10", None);
    let expected = serde_json::json!([{ "contract_id": "C-100", "month": "2026-10", "units": 2,
        "highest_at_most": "144", "reported": "129", "missing": 0 }]);
    assert_eq!(sums, expected);
}

#[test]
fn a_contract_is_not_ended_by_a_day_that_has_gone_by() {
    let mut office = Office::enrolled();
    let at = office.clock.now();
    let (today, yesterday) = (at.date_naive(), at.date_naive().pred_opt());
    let dates =
        |ends_on| Order::SetContractDates { contract_id: "C-100".to_owned(), ends_on, support_expires_on: yesterday };
    let seq = office.server.journal_seq();
    let refused = office.server.obey(dates(yesterday), "olga", at, &mut Counting(91)).unwrap_err();
    assert!(
        refused.to_string().starts_with(&format!("--ends-on {} lies before today ({today} GMT)", yesterday.unwrap()))
    );
    assert!(refused.to_string().contains("contract state"), "{refused}");
    assert_eq!(office.server.journal_seq(), seq, "nothing was changed");
    office.order(dates(Some(today)));
    office.order(dates(None));
    let contract = office.server.contracts().unwrap().into_iter().find(|contract| contract.id == "C-100").unwrap();
    assert_eq!((contract.ends_on, contract.support_expires_on), (Some(today), yesterday));
}

#[test]
fn orders_about_what_is_not_there_are_refused_and_change_nothing() {
    let office = Office::enrolled();
    let seq = office.server.journal_seq();
    let refused = |order| office.server.obey(order, "olga", at("2026-10-02T00:00:00Z"), &mut Counting(90)).unwrap_err();
    let (unit, why) = (UNIT.to_owned(), "why".to_owned());
    assert!(matches!(refused(Order::AddContract { contract: contract(), url: None }), Refused::ContractExists(_)));
    assert!(matches!(refused(Order::IssueToken { contract_id: "C-9".to_owned(), url: None }), Refused::NoContract(_)));
    assert!(matches!(refused(Order::RevokeKey { unit: unit.clone(), why: why.clone() }), Refused::NoUnit(_)));
    let of = month("2026-10");
    assert!(matches!(
        refused(Order::ApproveReport { unit: unit.clone(), revision: None, month: of, why }),
        Refused::NoReport { .. }
    ));
    assert_eq!(office.server.journal_seq(), seq);
    let office = Office::with_october(104, 50);
    let order = Order::ApproveReport { unit, revision: None, month: of, why: " ".to_owned() };
    let refused = office.server.obey(order, "olga", at("2026-11-03T00:00:00Z"), &mut Counting(90)).unwrap_err();
    assert_eq!(refused.to_string(), "a reason is needed");
}

#[test]
fn a_unit_whose_name_begins_with_another_units_and_a_stroke_leaves_that_ones_report_alone() {
    let office = Office::with_october(104, 99);
    let mut beneath = telemetry("2026-W43", "2026-10-20", 40);
    beneath.unit = format!("{UNIT}/2026-10");
    beneath.id = Telemetry::id_of(&beneath.unit, beneath.week);
    office.send(Kind::Telemetry, &beneath).unwrap();
    let shown = office.server.report(UNIT, month("2026-10")).unwrap();
    assert_eq!(shown.row.gate.highest_watermark, Some(Points::whole(104)));
}
