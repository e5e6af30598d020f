//! Cadence, retry window, switch and acceptable keys.

use chrono::{Days, NaiveDate, TimeDelta};
use tidegauge::domain::calendar::midnight;
use tidegauge::domain::license::LicenseType;
use tidegauge::domain::license_key::{KeyFile, SCHEMA};
use tidegauge::domain::{Instant, Points};
use tidegauge::rules::license_results::Pause;
use tidegauge::rules::renewal::{
    DecidedBy, Difference, LastCheck, PackageChange, Phase, Renewal, Switch, SwitchFacts, acceptable, acceptable_first,
    asks_while_held, changes, effective_switch, next_step, phase, retry_at, window,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Anchor, N, last day of the window, last day of grace: domain.md 4.5, row by row.
pub const WINDOWS: [(&str, u32, &str, &str); 14] = [
    ("2026-01-01", 31, "2026-02-01", "2026-03-02"),
    ("2026-01-15", 31, "2026-02-15", "2026-03-16"),
    ("2026-01-29", 31, "2026-03-01", "2026-03-30"),
    ("2026-01-30", 31, "2026-03-02", "2026-03-31"),
    ("2026-01-31", 31, "2026-03-03", "2026-04-01"),
    ("2028-01-31", 31, "2028-03-02", "2028-03-31"),
    ("2026-02-15", 28, "2026-03-15", "2026-04-16"),
    ("2026-02-28", 28, "2026-03-28", "2026-04-29"),
    ("2028-02-29", 29, "2028-03-29", "2028-04-29"),
    ("2026-03-31", 31, "2026-05-01", "2026-05-30"),
    ("2026-04-10", 30, "2026-05-10", "2026-06-09"),
    ("2026-04-30", 30, "2026-05-30", "2026-06-29"),
    ("2026-05-31", 31, "2026-07-01", "2026-07-30"),
    ("2026-12-31", 31, "2027-01-31", "2027-03-01"),
];

#[test]
fn the_window_is_as_long_as_the_anchors_month() {
    for (anchor, days, ends_on, grace_ends_on) in WINDOWS {
        let window = window(Some(day(anchor)), None).unwrap();
        assert_eq!((window.anchor, window.days), (day(anchor), days));
        assert_eq!((window.ends_on, window.grace_ends_on), (day(ends_on), Some(day(grace_ends_on))), "{anchor}");
    }
}

#[test]
fn auto_update_goes_off_at_the_start_of_the_day_after_the_window() {
    for (anchor, _, ends_on, _) in WINDOWS {
        let window = window(Some(day(anchor)), None);
        let off_at = midnight(day(ends_on) + Days::new(1));
        let just_before = off_at - TimeDelta::minutes(61);
        let failed = |at, pause: Pause| Some(LastCheck { at, retry_at: Some(at + pause.span()) });
        let enabled_at = midnight(day(anchor)) - TimeDelta::days(90);
        let hourly = next_step(window.as_ref(), enabled_at, failed(just_before, Pause::Hour));
        assert_eq!(hourly, Renewal::Check { at: off_at - TimeDelta::minutes(1) });
        let daily = next_step(window.as_ref(), enabled_at, failed(just_before, Pause::Day));
        assert_eq!(daily, Renewal::SwitchOff { at: off_at }, "{anchor}");
        assert_eq!(phase(window.as_ref(), off_at), Phase::Over);
        assert_ne!(phase(window.as_ref(), off_at - TimeDelta::seconds(1)), Phase::Over);
    }
}

#[test]
fn the_earlier_of_license_and_support_expiration_is_the_anchor() {
    let mixed = window(Some(day("2026-03-31")), Some(day("2026-02-20"))).unwrap();
    assert_eq!((mixed.anchor, mixed.days, mixed.ends_on), (day("2026-02-20"), 28, day("2026-03-20")));
    assert_eq!(mixed.grace_ends_on, Some(day("2026-05-30")), "grace counts from the license, not from support");
    let perpetual = window(None, Some(day("2026-02-20"))).unwrap();
    assert_eq!((perpetual.anchor, perpetual.grace_ends_on), (day("2026-02-20"), None));
    assert_eq!(window(None, None), None);
    let json = serde_json::to_value(mixed).unwrap();
    let expected = r#"{"anchor":"2026-02-20","days":28,"ends_on":"2026-03-20","grace_ends_on":"2026-05-30"}"#;
    assert_eq!(json, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}

#[test]
fn absurd_dates_of_a_foreign_key_do_no_harm() {
    for anchor in [NaiveDate::MAX, NaiveDate::MIN] {
        let window = window(Some(anchor), None);
        let last = LastCheck { at: at("2026-03-28T10:00:00Z"), retry_at: None };
        next_step(window.as_ref(), at("2026-01-01T00:00:00Z"), Some(last));
        phase(window.as_ref(), at("2026-01-01T00:00:00Z"));
        asks_while_held(window.as_ref(), at("2026-01-01T00:00:00Z"));
    }
}

#[test]
fn checks_are_weekly_then_daily_from_seven_days_before() {
    let window = window(Some(day("2026-03-31")), None);
    let enabled_at = at("2026-01-01T00:00:00Z");
    let after = |last: &str| next_step(window.as_ref(), enabled_at, Some(LastCheck { at: at(last), retry_at: None }));
    let check = |when: &str| Renewal::Check { at: at(when) };
    assert_eq!(next_step(window.as_ref(), enabled_at, None), check("2026-01-01T00:00:00Z"));
    assert_eq!(after("2026-02-01T10:00:00Z"), check("2026-02-08T10:00:00Z"));
    assert_eq!(after("2026-03-20T10:00:00Z"), check("2026-03-24T00:00:00Z"), "pulled forward to A − 7 d");
    assert_eq!(after("2026-03-23T10:00:00Z"), check("2026-03-24T10:00:00Z"), "never sooner than 24 h");
    assert_eq!(after("2026-03-28T10:00:00Z"), check("2026-03-29T10:00:00Z"));
    assert_eq!(after("2026-04-10T10:00:00Z"), check("2026-04-11T10:00:00Z"), "daily in the window, too");
    assert_eq!(phase(window.as_ref(), at("2026-03-23T23:59:59Z")), Phase::Weekly);
    assert_eq!(phase(window.as_ref(), at("2026-03-24T00:00:00Z")), Phase::Daily);
    assert_eq!(phase(window.as_ref(), at("2026-03-31T23:59:59Z")), Phase::Daily);
    assert_eq!(phase(window.as_ref(), at("2026-04-01T00:00:00Z")), Phase::Retrying { day: 1, of: 31 });
    assert_eq!(phase(window.as_ref(), at("2026-05-01T23:59:59Z")), Phase::Retrying { day: 31, of: 31 });
}

#[test]
fn a_key_without_dates_is_asked_weekly_and_never_switched_off() {
    let last = LastCheck { at: at("2026-03-28T10:00:00Z"), retry_at: None };
    let step = next_step(None, at("2026-01-01T00:00:00Z"), Some(last));
    assert_eq!(step, Renewal::Check { at: at("2026-04-04T10:00:00Z") });
    assert_eq!(phase(None, at("2036-01-01T00:00:00Z")), Phase::Undated);
    assert!(!asks_while_held(None, at("2036-01-01T00:00:00Z")));
}

#[test]
fn a_failed_check_is_retried_after_its_pause_before_and_after_expiration() {
    let window = window(Some(day("2026-03-31")), None);
    for last in ["2026-01-05T10:00:00Z", "2026-03-30T10:00:00Z", "2026-04-15T10:00:00Z"] {
        let after = |pause: Pause| {
            let last = LastCheck { at: at(last), retry_at: Some(at(last) + pause.span()) };
            next_step(window.as_ref(), at("2026-01-01T00:00:00Z"), Some(last))
        };
        assert_eq!(after(Pause::Hour), Renewal::Check { at: at(last) + TimeDelta::minutes(60) });
        assert_eq!(after(Pause::Day), Renewal::Check { at: at(last) + TimeDelta::hours(24) });
    }
}

#[test]
fn a_held_gate_no_longer_keeps_the_agent_from_asking_on_the_last_day_but_one() {
    let window = window(Some(day("2026-03-31")), None);
    assert!(!asks_while_held(window.as_ref(), at("2026-03-29T23:59:59Z")));
    assert!(asks_while_held(window.as_ref(), at("2026-03-30T00:00:00Z")));
}

#[test]
fn switching_on_again_asks_at_once() {
    let last = LastCheck { at: at("2026-02-01T10:00:00Z"), retry_at: Some(at("2026-02-02T10:00:00Z")) };
    let step = next_step(None, at("2026-03-01T08:00:00Z"), Some(last));
    assert_eq!(step, Renewal::Check { at: at("2026-03-01T08:00:00Z") });
}

#[test]
fn enterprise_manager_wins_then_the_newest_order_then_the_server() {
    let facts = |enterprise_manager, ordered, server| SwitchFacts { enterprise_manager, ordered, server };
    let (on, off) = (Some(Switch::On), Some(Switch::Off));
    assert_eq!(effective_switch(facts(off, on, on)), (Switch::Off, DecidedBy::EnterpriseManager));
    assert_eq!(effective_switch(facts(on, off, off)), (Switch::On, DecidedBy::EnterpriseManager));
    assert_eq!(effective_switch(facts(None, off, on)), (Switch::Off, DecidedBy::OrderHere));
    assert_eq!(effective_switch(facts(None, None, on)), (Switch::On, DecidedBy::Server));
    assert_eq!(effective_switch(SwitchFacts::default()), (Switch::Off, DecidedBy::Default));
}

pub fn key() -> KeyFile {
    KeyFile {
        schema: SCHEMA.to_owned(),
        license_id: "lic-1".to_owned(),
        serial: 4,
        contract_id: "C-100".to_owned(),
        installation_ids: vec!["inst-1".to_owned()],
        licensed_to: "Example Provider".to_owned(),
        support_id: "01234567".to_owned(),
        kind: LicenseType::Rental,
        product: "VBR".to_owned(),
        edition: "EnterprisePlus".to_owned(),
        package: Some("Suite".to_owned()),
        cloud_connect: false,
        points: Points::whole(2000),
        issued_at: at("2026-03-01T00:00:00Z"),
        expires_on: day("2026-03-31"),
        support_expires_on: None,
    }
}

#[test]
fn dates_and_points_of_a_key_may_differ_and_nothing_else() {
    let check = |change: fn(&mut KeyFile)| {
        let mut new = KeyFile { serial: 5, ..key() };
        change(&mut new);
        acceptable(&key(), &new, PackageChange::Refused)
    };
    assert_eq!(check(|new| new.expires_on = day("2026-04-30")), Ok(()));
    assert_eq!(check(|new| new.support_expires_on = Some(day("2027-01-01"))), Ok(()));
    assert_eq!(check(|new| new.points = Points::whole(1500)), Ok(()));
    assert_eq!(check(|new| new.serial = 4), Err(Difference::Serial { old: 4, new: 4 }));
    let refused: [fn(&mut KeyFile); 9] = [
        |new| new.license_id = "other".to_owned(),
        |new| new.contract_id = "other".to_owned(),
        |new| new.installation_ids.push("inst-2".to_owned()),
        |new| new.licensed_to = "other".to_owned(),
        |new| new.support_id = "other".to_owned(),
        |new| new.kind = LicenseType::Subscription,
        |new| new.product = "other".to_owned(),
        |new| new.edition = "Standard".to_owned(),
        |new| new.cloud_connect = true,
    ];
    for change in refused {
        assert!(matches!(check(change), Err(Difference::Field { .. })));
    }
    assert!(matches!(check(|new| new.expires_on = day("2026-02-28")), Err(Difference::ExpiresEarlier { .. })));
    let repackaged = KeyFile { serial: 5, package: None, ..key() };
    assert!(matches!(acceptable(&key(), &repackaged, PackageChange::Refused), Err(Difference::Package { .. })));
    assert_eq!(acceptable(&key(), &repackaged, PackageChange::Allowed), Ok(()));
}

#[test]
fn what_changed_with_a_key_is_named() {
    let new = KeyFile { serial: 5, expires_on: day("2026-04-30"), points: Points::whole(2500), ..key() };
    let told: Vec<String> =
        changes(&key(), &new).iter().map(|one| format!("{} {} -> {}", one.field, one.before, one.after)).collect();
    assert_eq!(told, ["expiration 2026-03-31 -> 2026-04-30", "points 2000 -> 2500"]);
}

#[test]
fn the_first_key_of_a_unit_is_of_its_contract_and_names_one_of_its_servers() {
    let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(acceptable_first(&key(), "C-100", &own(&["inst-1", "inst-2"])), Ok(()));
    assert_eq!(acceptable_first(&key(), "C-100", &[]), Ok(()), "a server that shows no id");
    let others = acceptable_first(&key(), "C-200", &own(&["inst-1"]));
    assert!(matches!(others, Err(Difference::OtherUnit { field: "contract", .. })));
    let elsewhere = acceptable_first(&key(), "C-100", &own(&["inst-9"]));
    assert!(matches!(elsewhere, Err(Difference::OtherUnit { field: "installation", .. })));
}

#[test]
fn a_retry_is_only_ever_put_off_by_five_minutes_at_most_and_not_for_all_alike() {
    let failed_at = at("2026-03-28T10:00:00Z");
    for pause in [Pause::Hour, Pause::Day] {
        let late = |unit: &str| retry_at(unit, failed_at, pause) - failed_at - pause.span();
        let seen: std::collections::BTreeSet<TimeDelta> = (0..60).map(|unit| late(&format!("unit {unit}"))).collect();
        let whole_minutes: Vec<TimeDelta> = (0..=5).map(TimeDelta::minutes).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), whole_minutes);
    }
}
