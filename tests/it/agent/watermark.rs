//! `watermark --json`.

use super::*;
use chrono::TimeDelta;

/// Hourly samples of vbr01 from `first` on; `machines` says how many in which hour.
fn hourly(first: &str, hours: i64, machines: fn(i64) -> usize) -> Vec<Value> {
    let taken_at = |hour: i64| (at(first) + TimeDelta::hours(hour)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let workloads = |hour| (0..machines(hour)).map(|n| vm(&format!("vm{n}"))).collect::<Vec<Value>>();
    (0..hours).map(|hour| of_vbr01(&taken_at(hour), &workloads(hour))).collect()
}

#[test]
fn a_whole_week_has_168_expected_samples_and_seven_days() {
    let world =
        imported("2026-11-02T09:00:00Z", &hourly("2026-10-26T00:07:00Z", 168, |hour| if hour == 30 { 5 } else { 3 }));
    let week = watermark(&world, Some("2026-W44"), None);
    has_fields(
        &week,
        &[("schema", "string"), ("unit", "string"), ("points", "string"), ("at", "string"), ("daily", "list")],
    );
    assert_eq!(week["coverage"], json!({"expected": 168, "complete": 168}));
    assert_eq!((&week["period"], &week["points"]), (&json!("2026-W44"), &json!("55")));
    assert_eq!((&week["from"], &week["to"]), (&json!("2026-10-26T00:00:00Z"), &json!("2026-11-02T00:00:00Z")));
    assert_eq!((&week["at"], &week["by_type"]), (&json!("2026-10-27T06:07:00Z"), &json!({"VM": "55"})));
    let days = week["daily"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    let first =
        json!({"day": "2026-10-26", "points": "33", "at": "2026-10-26T00:07:00Z", "expected": 24, "complete": 24});
    assert_eq!(days[0], first);
    assert_eq!(days[1]["points"], "55");
    let day_after =
        json!({"day": "2026-10-28", "points": "33", "at": "2026-10-28T00:07:00Z", "expected": 24, "complete": 24});
    assert_eq!(days[2], day_after);
}

#[test]
fn the_running_week_expects_only_what_could_have_been_sampled() {
    let world = imported("2026-10-28T06:30:00Z", &hourly("2026-10-27T00:07:00Z", 24, |_| 2));
    let week = watermark(&world, None, None);
    assert_eq!((&week["period"], &week["coverage"]), (&json!("2026-W44"), &json!({"expected": 54, "complete": 24})));
    let days: Vec<&Value> = week["daily"].as_array().unwrap().iter().map(|day| &day["points"]).collect();
    assert_eq!(
        days,
        [&Value::Null, &json!("22"), &Value::Null],
        "no sample is never zero, and later days are not there"
    );
}

#[test]
fn a_month_takes_its_own_days_only_and_a_week_over_its_end_both() {
    let world =
        imported("2026-11-05T00:00:00Z", &hourly("2026-10-31T12:07:00Z", 24, |hour| if hour < 12 { 2 } else { 4 }));
    let (october, november) = (watermark(&world, None, Some("2026-10")), watermark(&world, None, Some("2026-11")));
    assert_eq!((&october["points"], &november["points"]), (&json!("22"), &json!("44")));
    assert_eq!(october["coverage"], json!({"expected": 744, "complete": 12}));
    assert_eq!(october["daily"].as_array().unwrap().len(), 31);
    assert_eq!(watermark(&world, Some("2026-W44"), None)["points"], "44");
}

#[test]
fn a_period_without_any_sample_has_no_watermark_and_not_zero() {
    let world = imported("2026-11-05T00:00:00Z", &hourly("2026-10-31T12:07:00Z", 2, |_| 2));
    let september = watermark(&world, None, Some("2026-09"));
    assert_eq!(
        (&september["points"], &september["at"], &september["by_type"]),
        (&Value::Null, &Value::Null, &json!({}))
    );
    assert_eq!(september["coverage"], json!({"expected": 720, "complete": 0}));
}

#[test]
fn looking_back_sees_no_day_that_had_not_begun() {
    let mut world =
        imported("2026-11-05T00:00:00Z", &hourly("2026-10-30T00:07:00Z", 48, |hour| if hour < 24 { 2 } else { 4 }));
    world.clock.set(at("2026-10-30T23:59:00Z"));
    let october = watermark(&world, None, Some("2026-10"));
    assert_eq!((&october["points"], &october["coverage"]["expected"]), (&json!("22"), &json!(719)));
    let _ = &mut world;
}

#[test]
fn a_unit_of_two_servers_has_the_highest_sum_and_the_worst_coverage() {
    let one = |taken_at: &str, many: usize| {
        snapshot("vbr01", "license-1", taken_at, &(0..many).map(|n| vm(&format!("a{n}"))).collect::<Vec<_>>())
    };
    let two = |taken_at: &str, many: usize| {
        snapshot("vbr02", "license-1", taken_at, &(0..many).map(|n| vm(&format!("b{n}"))).collect::<Vec<_>>())
    };
    let samples = [
        one("2026-10-26T01:00:00Z", 4),
        two("2026-10-26T01:30:00Z", 1),
        one("2026-10-26T02:00:00Z", 1),
        two("2026-10-26T02:30:00Z", 4),
        one("2026-10-26T03:00:00Z", 1),
    ];
    let world = imported("2026-11-02T00:00:00Z", &samples);
    let week = watermark(&world, Some("2026-W44"), None);
    // 4 + 1 stood at 01:30; each server's own highest would make 8.
    assert_eq!((&week["points"], &week["at"]), (&json!("55"), &json!("2026-10-26T01:30:00Z")));
    assert_eq!(week["coverage"], json!({"expected": 168, "complete": 2}));
}
