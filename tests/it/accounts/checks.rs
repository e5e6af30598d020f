//! Which license check gets a key, message by message.

use tidegauge::domain::gate::Verdict;
use tidegauge::domain::license::{License, LicenseType};
use tidegauge::domain::watermark::Daily;
use tidegauge::domain::{Instant, Points};
use tidegauge::license_server::{Contract, ContractState, Order, Term};
use tidegauge::protocol::{self, Kind, LicenseAnswer};
use tidegauge::rules::license_results::{
    CONTRACT_EXPIRED, CONTRACT_TERMINATED, GENERAL_ERROR, KEY_INVALID, KEY_REVOKED, LICENSE_RESULTS, MERGED_SUPPORT_ID,
    RECEIVED, TYPE_NOT_SUPPORTED, UP_TO_DATE,
};
use tidegauge::rules::renewal::{PackageChange, acceptable};

use super::{Office, UNIT, at, contract, license, month, submission};

/// Ends within seven days of 2 November: a renewal is due.
const DUE: &str = "2026-11-05";

/// The answer to a check of a unit whose reports are in order, under this contract.
fn under(contract: Contract, license: License) -> LicenseAnswer {
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract, url: None }).unwrap();
    let agent = office.agent.clone();
    office.enrol(&token, &agent).unwrap();
    office.now("2026-11-02T06:00:00Z");
    office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap();
    office.ask(None, license)
}

#[test]
fn every_message_of_the_table_that_a_server_can_say_is_said_when_it_should_be() {
    let stated = |state| under(Contract { state, ..contract() }, license(DUE));
    let ended = Contract { ends_on: Some("2026-11-01".parse().unwrap()), ..contract() };
    let evaluation = Contract { kind: LicenseType::Evaluation, ..contract() };
    let merged = License { support_id: Some("01234567, 07654321".to_owned()), ..license(DUE) };
    let revoked = {
        let mut office = Office::with_october(104, 99);
        office.order(Order::RevokeKey { unit: UNIT.to_owned(), why: "sold".to_owned() });
        office.ask(None, license(DUE))
    };
    let said = [
        (under(contract(), license(DUE)), RECEIVED),
        (under(contract(), license("2026-11-30")), UP_TO_DATE),
        (stated(ContractState::Terminated), CONTRACT_TERMINATED),
        (stated(ContractState::Expired), CONTRACT_EXPIRED),
        (under(ended, license(DUE)), CONTRACT_EXPIRED),
        (stated(ContractState::Suspended), GENERAL_ERROR),
        (revoked, KEY_REVOKED),
        (under(evaluation, license(DUE)), TYPE_NOT_SUPPORTED),
        (under(contract(), merged), MERGED_SUPPORT_ID),
        (Office::with_october(104, 99).ask(Some(7), license(DUE)), KEY_INVALID),
        (Office::with_october(104, 50).ask(None, license(DUE)), GENERAL_ERROR),
    ];
    for (answer, message) in &said {
        assert_eq!((answer.message.as_str(), answer.key.is_some()), (*message, *message == RECEIVED), "{answer:?}");
    }
    for row in &LICENSE_RESULTS {
        let of_the_agents_own_log = row.message.contains("installed") || row.message.contains("auto-updated");
        assert!(of_the_agents_own_log || said.iter().any(|(_, message)| *message == row.message), "{}", row.message);
    }
}

#[test]
fn a_held_gate_says_why_and_opens_when_the_operator_approves() {
    let mut office = Office::with_october(104, 59);
    let answer = office.ask(None, license(DUE));
    assert_eq!(answer.message, GENERAL_ERROR);
    let why = "the report of 2026-10 is 45 points below the highest watermark of 104, tolerated are 20.8";
    assert_eq!(answer.detail.as_deref(), Some(why));
    assert_eq!(answer.gate.unwrap().verdict, Verdict::Held);
    assert_eq!(office.server.reports().unwrap()[0].gate.verdict, Verdict::Held);

    let of = month("2026-10");
    let asked = Order::AskForCorrection {
        unit: UNIT.to_owned(),
        revision: None,
        month: of,
        why: "where are the VMs?".to_owned(),
    };
    office.order(asked);
    office.now("2026-11-02T07:00:00Z");
    let detail = office.ask(None, license(DUE)).detail.unwrap();
    assert!(detail.ends_with("; a correction is asked for: where are the VMs?"), "{detail}");

    office.order(Order::ApproveReport {
        unit: UNIT.to_owned(),
        revision: None,
        month: of,
        why: "vCenter migrated".to_owned(),
    });
    office.now("2026-11-02T08:00:00Z");
    let answer = office.ask(None, license(DUE));
    assert_eq!(answer.message, RECEIVED);
    assert_eq!(answer.gate.unwrap().justification.as_deref(), Some("approved by olga: vCenter migrated"));
}

#[test]
fn a_corrected_revision_is_judged_and_needs_its_own_approval() {
    let mut office = Office::with_october(104, 59);
    office.order(Order::ApproveReport {
        unit: UNIT.to_owned(),
        revision: None,
        month: month("2026-10"),
        why: "seen".to_owned(),
    });
    office.send(Kind::Report, &submission("2026-10", 2, 60)).unwrap();
    assert_eq!(office.ask(None, license(DUE)).message, GENERAL_ERROR);
    office.send(Kind::Report, &submission("2026-10", 3, 90)).unwrap();
    office.now("2026-11-02T07:00:00Z");
    assert_eq!(office.ask(None, license(DUE)).message, RECEIVED);
}

#[test]
fn the_senders_justification_is_shown_and_does_not_open_the_servers_gate() {
    let office = Office::enrolled();
    office.now("2026-11-02T06:00:00Z");
    let mut report = submission("2026-10", 1, 10);
    report.justification = Some("we moved".to_owned());
    report.daily = vec![super::daily("2026-10-20", 104)];
    office.send(Kind::Report, &report).unwrap();
    assert_eq!(office.ask(None, license(DUE)).message, GENERAL_ERROR);
    assert_eq!(office.server.reports().unwrap()[0].justification.as_deref(), Some("we moved"));
}

#[test]
fn a_missing_report_refuses_only_after_its_deadline_and_only_when_it_is_owed() {
    let office = Office::with_october(104, 99);
    let due = |day: &str| license(day);
    office.now("2026-12-10T23:59:00Z");
    assert_eq!(office.ask(None, due("2026-12-12")).message, RECEIVED, "November is not judged before the 11th");

    let office = Office::with_october(104, 99);
    office.now("2026-12-11T00:00:00Z");
    let answer = office.ask(None, due("2026-12-12"));
    assert_eq!(
        (answer.message.as_str(), answer.detail.as_deref()),
        (GENERAL_ERROR, Some("the report of 2026-11 is missing"))
    );

    let office = Office::enrolled();
    office.now("2026-12-11T00:00:00Z");
    let answer = office.ask(None, due("2026-12-12"));
    assert_eq!(answer.message, RECEIVED, "a unit that was never seen owes nothing");
    assert_eq!(answer.gate.unwrap().verdict, Verdict::Undetermined);
}

#[test]
fn renewals_follow_each_other_by_month_and_each_may_replace_the_one_before() {
    let office = Office::with_october(104, 99);
    let first = office.ask(None, license(DUE)).key.unwrap();
    let first = protocol::read_key(&first, &office.server.verifying_key()).unwrap();
    assert_eq!((first.serial, first.expires_on), (1, "2026-12-31".parse().unwrap()));
    office.now("2026-11-03T00:00:00Z");
    assert_eq!(office.ask(Some(1), first.license()).message, UP_TO_DATE);

    office.now("2026-12-03T00:00:00Z");
    office.send(Kind::Report, &submission("2026-11", 1, 99)).unwrap();
    office.now("2026-12-25T00:00:00Z");
    let second = office.ask(Some(1), first.license()).key.unwrap();
    let second = protocol::read_key(&second, &office.server.verifying_key()).unwrap();
    assert_eq!((second.serial, second.expires_on), (2, "2027-01-31".parse().unwrap()));
    assert_eq!(acceptable(&first, &second, PackageChange::Refused), Ok(()));
}

#[test]
fn a_changed_counter_is_issued_with_the_same_dates() {
    let mut office = Office::with_october(104, 99);
    let key = office.ask(None, license(DUE)).key.unwrap();
    let first = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    office.order(Order::SetContractPoints { contract_id: "C-100".to_owned(), points: Points::whole(2500) });
    office.now("2026-11-03T00:00:00Z");
    let key = office.ask(Some(1), first.license()).key.unwrap();
    let second = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    assert_eq!((second.points, second.expires_on), (Points::whole(2500), first.expires_on));
    assert_eq!(acceptable(&first, &second, PackageChange::Refused), Ok(()));
}

#[test]
fn a_key_that_ends_with_its_contract_is_issued_once() {
    for term in [Term::Monthly, Term::WholeContract] {
        let mut office = Office::empty();
        let contract = Contract { term, ends_on: "2026-11-15".parse().ok(), ..contract() };
        let token = office.order(Order::AddContract { contract, url: None }).unwrap();
        let agent = office.agent.clone();
        office.enrol(&token, &agent).unwrap();
        office.now("2026-11-02T06:00:00Z");
        office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap();
        let key = office.ask(None, license(DUE)).key.expect("the first key");
        let first = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
        for day in 8..=14 {
            office.now(&format!("2026-11-{day:02}T06:00:00Z"));
            let answer = office.ask(Some(first.serial), first.license());
            let detail = Some("the key lasts to the contract's end, 2026-11-15");
            assert_eq!((answer.message.as_str(), answer.detail.as_deref(), answer.key), (UP_TO_DATE, detail, None));
        }
        office.now("2026-11-14T07:00:00Z");
        let again = office.ask(None, license(DUE)).key.expect("a key that was lost is given again");
        let again = protocol::read_key(&again, &office.server.verifying_key()).unwrap();
        assert_eq!((again.serial, again.expires_on), (first.serial + 1, first.expires_on));
    }
}

#[test]
fn a_contract_whose_dates_are_set_later_gives_keys_again() {
    let mut office = Office::empty();
    let day = |text: &str| Some(text.parse().unwrap());
    let contract = Contract { ends_on: day("2026-11-15"), support_expires_on: day("2026-11-15"), ..contract() };
    let token = office.order(Order::AddContract { contract, url: None }).unwrap();
    let agent = office.agent.clone();
    office.enrol(&token, &agent).unwrap();
    office.now("2026-11-02T06:00:00Z");
    office.send(Kind::Report, &submission("2026-10", 1, 99)).unwrap();
    let key = office.ask(None, license(DUE)).key.expect("the first key");
    let first = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    office.now("2026-11-16T06:00:00Z");
    assert_eq!(office.ask(Some(1), first.license()).message, CONTRACT_EXPIRED);
    let contract_id = "C-100".to_owned();
    office.order(Order::SetContractDates { contract_id, ends_on: day("2027-11-15"), support_expires_on: None });
    office.now("2026-11-17T06:00:00Z");
    let key = office.ask(Some(1), first.license()).key.expect("the contract was renewed");
    let second = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    let dates = (second.expires_on, second.support_expires_on);
    assert_eq!(dates, ("2026-12-31".parse().unwrap(), day("2026-11-15")), "the date that was not given stays");
    assert_eq!(acceptable(&first, &second, PackageChange::Refused), Ok(()));
}

#[test]
fn an_agent_that_lost_its_newest_key_is_given_it_again() {
    let office = Office::with_october(104, 99);
    assert_eq!(office.ask(None, license(DUE)).message, RECEIVED);
    office.now("2026-11-03T00:00:00Z");
    let again = office.ask(None, license(DUE)).key.unwrap();
    let again = protocol::read_key(&again, &office.server.verifying_key()).unwrap();
    assert_eq!((again.serial, again.expires_on), (2, "2026-12-31".parse().unwrap()));
}

#[test]
fn a_renewed_key_ends_with_the_month_after_the_current_one_or_with_the_contract() {
    let on = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let next = |contract: &Contract, current: Option<&str>, today: &str| {
        contract.next_expiry(current.map(on), on(today)).to_string()
    };
    let monthly = contract();
    assert_eq!(next(&monthly, Some("2026-10-31"), "2026-10-25"), "2026-11-30");
    assert_eq!(next(&monthly, Some("2026-12-15"), "2026-12-10"), "2027-01-31");
    assert_eq!(next(&monthly, Some("2026-06-30"), "2026-10-10"), "2026-11-30", "long expired: counted from today");
    assert_eq!(next(&monthly, None, "2026-01-31"), "2026-02-28");
    let ending = Contract { ends_on: Some(on("2026-11-15")), ..contract() };
    assert_eq!(next(&ending, Some("2026-10-31"), "2026-10-25"), "2026-11-15");
    let whole = Contract { term: Term::WholeContract, ends_on: Some(on("2028-03-31")), ..contract() };
    assert_eq!(next(&whole, Some("2026-10-31"), "2026-10-25"), "2028-03-31");
}

#[test]
fn a_first_key_never_outlasts_what_the_contract_gives_whatever_the_agent_says_of_its_license() {
    let office = Office::with_october(104, 99);
    let claimed = License { licensed_points: Some(Points::whole(1)), ..license("2099-12-31") };
    let key = office.ask(None, claimed).key.expect("the points differ");
    let key = protocol::read_key(&key, &office.server.verifying_key()).unwrap();
    assert_eq!(key.expires_on, "2026-12-31".parse().unwrap());
}

#[test]
fn subscription_keys_owe_no_report_and_have_no_gate() {
    let kind = LicenseType::Subscription;
    let mut office = Office::empty();
    let token = office.order(Order::AddContract { contract: Contract { kind, ..contract() }, url: None }).unwrap();
    let agent = office.agent.clone();
    office.enrol(&token, &agent).unwrap();
    let now: Instant = at("2026-12-11T00:00:00Z");
    office.now("2026-12-11T00:00:00Z");
    office.send(Kind::Telemetry, &super::telemetry("2026-W43", "2026-10-20", 104)).unwrap();
    let answer = office.check(&super::license_check(now, None, License { kind, ..license("2026-12-12") })).unwrap();
    assert_eq!((answer.message.as_str(), answer.gate), (RECEIVED, None));
}

/// A unit whose first sample was on Friday 2 October: the days of that week in September say that nothing was sampled.
fn seen_since_october() -> Office {
    let office = Office::enrolled();
    office.now("2026-10-06T06:00:00Z");
    let mut week = super::telemetry("2026-W40", "2026-10-02", 104);
    let before = ["2026-09-28", "2026-09-29", "2026-09-30", "2026-10-01"].map(|day| {
        let daily = super::daily(day, 0);
        Daily { points: None, at: None, complete: 0, ..daily }
    });
    week.daily.splice(0..0, before);
    office.send(Kind::Telemetry, &week).unwrap();
    office
}

#[test]
fn a_month_without_a_mark_before_the_first_sample_is_not_owed() {
    let office = seen_since_october();
    office.now("2026-10-12T00:00:00Z");
    assert_eq!(office.ask(None, license("2026-10-13")).message, RECEIVED, "September is not owed");
    let office = seen_since_october();
    office.now("2026-11-11T00:00:00Z");
    let answer = office.ask(None, license("2026-11-12"));
    assert_eq!(answer.detail.as_deref(), Some("the report of 2026-10 is missing"));
}
