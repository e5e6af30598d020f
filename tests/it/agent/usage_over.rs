//! `tidegauge.usage-over/1`: a period by tenant, type and server, what stood at its end, and the days ahead.

use super::*;
use tidegauge::agent::asked::{Step, UsageOverAsked};

fn of(id: &str, tenant: &str, kind: &str) -> Value {
    with(vm(id), json!({"tenant": tenant, "type": kind}))
}

/// Tenant A has a VM in the morning and a server in the evening of 10 October; B joins on the 12th.
fn october() -> World {
    imported(
        "2026-10-12T12:30:00Z",
        &[
            of_vbr01("2026-10-10T08:00:00Z", &[of("a1", "A", "VM"), vm("x")]),
            of_vbr01("2026-10-10T20:00:00Z", &[of("a2", "A", "Server"), vm("x")]),
            of_vbr01("2026-10-12T12:00:00Z", &[of("a2", "A", "Server"), of("b1", "B", "VM"), vm("x")]),
        ],
    )
}

fn asked(by: By) -> UsageOverAsked {
    UsageOverAsked {
        from: "2026-10-10".parse().ok(),
        until: "2026-10-12".parse().ok(),
        by,
        ..UsageOverAsked::default()
    }
}

fn over(world: &World, asked: UsageOverAsked) -> Value {
    world.ask(&Query::UsageOver(Box::new(asked))).expect("a period")
}

fn groups(shown: &Value) -> Vec<Value> {
    let groups = shown["groups"].as_array().expect("groups").iter();
    groups.map(|group| json!([group["key"], group["maxima"]])).collect()
}

#[test]
fn a_period_by_tenant_and_type_comes_from_the_days_aggregates() {
    let world = october();
    let by_tenant = over(&world, asked(By::Tenant));
    let steps = by_tenant["steps"].as_array().expect("steps").iter();
    let marks: Vec<_> = steps.map(|step| step["points"].clone()).collect();
    assert_eq!(marks, [json!("22"), Value::Null, json!("33")], "a day without a sample is not zero");
    let expected =
        [json!(["A", ["22", null, "11"]]), json!(["(none)", ["11", null, "11"]]), json!(["B", ["0", null, "11"]])];
    assert_eq!(groups(&by_tenant), expected, "A's two types had hours of their own");
    assert_eq!(by_tenant["groups_are_sums_of_maxima"], true);
    assert_eq!(by_tenant["highest"], json!({"points": "33", "at": "2026-10-12T12:00:00Z"}));
    let by_type = over(&world, asked(By::Type));
    assert_eq!(groups(&by_type), [json!(["VM", ["22", null, "22"]]), json!(["Server", ["11", null, "11"]])]);
    let narrowed = UsageOverAsked { tenant: Some("A".to_owned()), ..asked(By::Type) };
    assert_eq!(
        groups(&over(&world, narrowed)),
        [json!(["Server", ["11", null, "11"]]), json!(["VM", ["11", null, "0"]])]
    );
    let weekly = UsageOverAsked { step: Step::Week, ..asked(By::Tenant) };
    assert_eq!(over(&world, weekly)["steps"].as_array().map(Vec::len), Some(2), "the 12th is a Monday");
}

#[test]
fn one_servers_period_is_exact_and_servers_stand_beside_each_other() {
    let mut world = october();
    let second = snapshot("vbr02", "license-1", "2026-10-12T12:10:00Z", &[vm("y")]);
    import(&mut world, &[second]).unwrap();
    let by_server = over(&world, asked(By::Server));
    assert_eq!(groups(&by_server), [json!(["vbr01", ["22", null, "33"]]), json!(["vbr02", ["0", null, "11"]])]);
    let of_vbr01 = UsageOverAsked { server: Some("vbr01".to_owned()), ..asked(By::Tenant) };
    let exact = over(&world, of_vbr01);
    assert_eq!(groups(&exact)[0], json!(["(none)", ["11", null, "11"]]));
    assert_eq!(groups(&exact)[1], json!(["A", ["11", null, "11"]]), "the highest hour of A, not the sum of two");
    assert_eq!(exact["groups_are_sums_of_maxima"], false);
    assert_eq!(exact["steps"][2]["points"], "33", "the server's own mark");
}

#[test]
fn what_stood_at_the_end_agrees_with_usage_and_names_workloads_at_an_instant() {
    let world = october();
    for by in [By::Tenant, By::Type, By::Server, By::Workload] {
        let shown = over(&world, asked(by));
        let usage = usage(&world, by);
        assert_eq!(
            (&shown["at_end"]["points"], &shown["at_end"]["as_of"]),
            (&usage["points"], &usage["as_of"]),
            "{by:?}"
        );
        let mut own: Vec<_> = shown["at_end"]["groups"].as_array().expect("groups").iter().collect();
        own.sort_by_key(|group| group["key"].to_string());
        let mut theirs: Vec<_> = usage["groups"].as_array().expect("groups").iter().collect();
        theirs.sort_by_key(|group| group["key"].to_string());
        for (own, theirs) in own.iter().zip(&theirs) {
            for field in ["key", "count", "points", "new_count", "rental_count"] {
                assert_eq!(own[field], theirs[field], "{by:?} {field}");
            }
        }
        assert_eq!(own.len(), theirs.len());
    }
}

#[test]
fn days_ahead_end_where_the_forecast_does() {
    let mut world = october();
    let new = with(vm("new"), json!({"first_processed_at": "2026-10-05T00:00:00Z"}));
    import(&mut world, &[of_vbr01("2026-10-12T12:20:00Z", &[vm("x"), new])]).unwrap();
    let ahead = UsageOverAsked { until: "2026-11-20".parse().ok(), ..asked(By::Type) };
    let shown = over(&world, ahead);
    let days = shown["forecast"]["days"].as_array().expect("days");
    assert_eq!((&days[0]["day"], &days[0]["points"]), (&json!("2026-10-13"), &json!("11")));
    let last = days.last().expect("days");
    assert_eq!((&last["day"], &last["points"]), (&json!("2026-11-01"), &shown["forecast"]["points_on_first"]));
    assert_eq!(last["points"], "22", "the first month is free until then");
    let starting = &shown["forecast"]["starting"];
    assert_eq!((&starting["count"], &starting["points"]), (&json!(1), &json!("11")));
    assert_eq!(starting["first"][0]["workload"], "new");
    assert_eq!(shown["forecast"]["aging_out"]["count"], 0);
    assert_eq!(shown["steps"].as_array().map(Vec::len), Some(3), "measured days end today");
    assert_eq!(over(&world, asked(By::Type))["forecast"], Value::Null);
}

#[test]
fn a_period_that_is_too_long_or_empty_is_refused() {
    let world = october();
    let ends_of_days = [("-262143-01-01", "-262143-01-02"), ("+262142-12-31", "+262142-12-31")];
    for (from, until) in [("2025-01-01", "2026-10-12"), ("2026-10-12", "2026-10-11")].into_iter().chain(ends_of_days) {
        let wrong = UsageOverAsked { from: from.parse().ok(), until: until.parse().ok(), ..UsageOverAsked::default() };
        assert_eq!(world.ask(&Query::UsageOver(Box::new(wrong))).unwrap_err().code, 2, "{from} {until}");
    }
    let first_that_there_is = UsageOverAsked { until: "-262143-01-01".parse().ok(), ..UsageOverAsked::default() };
    assert_eq!(world.ask(&Query::UsageOver(Box::new(first_that_there_is))).unwrap_err().code, 2);
    let year = UsageOverAsked { from: "2025-10-13".parse().ok(), ..asked(By::Tenant) };
    assert_eq!(over(&world, year)["steps"].as_array().map(Vec::len), Some(365));
}
