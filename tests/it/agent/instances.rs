//! Keys that count instances, on several servers: rounded once, and told alike everywhere.

use super::*;
use tidegauge::agent::asked::UsageOverAsked;

const NOW: &str = "2026-10-20T12:00:00Z";

fn subscription(server: &str, taken_at: &str, workloads: &[Value]) -> Value {
    let mut snapshot = snapshot(server, "license-1", taken_at, workloads);
    snapshot["license"]["type"] = json!("Subscription");
    snapshot["license"]["licensed_points"] = json!("100");
    snapshot
}

fn workstations(ids: &[&str], tenant: &str) -> Vec<Value> {
    let of_tenant = |id: &&str| json!({"id": id, "type": "Workstation", "tenant": tenant});
    ids.iter().map(of_tenant).collect()
}

/// Four workstations of two tenants on vbr01, two on vbr02 and 25 users there: two and three instances.
fn one_key_on_two_servers() -> World {
    let own = [workstations(&["a", "b"], "Tenant A"), workstations(&["c", "d"], "Tenant B")].concat();
    let mut second = subscription("vbr02", "2026-10-20T11:05:00Z", &workstations(&["e", "f"], "Tenant B"));
    second["counts"] = json!([{"tenant": "Tenant B", "type": "EntraIDUser", "used": 25}]);
    imported(NOW, &[subscription("vbr01", "2026-10-20T11:00:00Z", &own), second])
}

#[test]
fn one_key_is_rounded_once_and_every_view_says_the_same() {
    let world = one_key_on_two_servers();
    for by in [By::Type, By::Tenant, By::Server, By::Workload] {
        let usage = usage(&world, by);
        let groups = usage["groups"].as_array().unwrap().iter();
        let sum: i64 = groups.map(|group| group["points"].as_str().unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!((&usage["points"], &usage["counted_in"], sum), (&json!("5"), &json!("instances"), 5), "{by:?}");
    }
    let by_type = usage(&world, By::Type)["groups"].clone();
    let said = |at: usize| [&by_type[at]["count"], &by_type[at]["points"], &by_type[at]["weight"]];
    assert_eq!(said(0), [&json!(25), &json!("3"), &json!("1/10")]);
    assert_eq!(said(1), [&json!(6), &json!("2"), &json!("1/3")]);
    assert_eq!(by_type[1]["weight_from"], "licensing policy v18, 1.1.1 (October 2025): 3 of them take 1 instance");
    let week = watermark(&world, None, None);
    assert_eq!((&week["points"], &week["at"]), (&json!("5"), &json!("2026-10-20T11:05:00Z")));
    assert_eq!(week["by_type"], json!({"EntraIDUser": "3", "Workstation": "2"}));
    let trailing = world.ask(&Query::OnDemand { unit: None, server: None }).unwrap();
    assert_eq!(trailing["total_points"], "5");
    let state = world.ask(&Query::License { unit: None, server: None }).unwrap();
    assert!(state.to_string().contains("(5 used + 0 new)"), "{state}");
    let forecast = world.ask(&Query::UsageForecast { unit: None, server: None }).unwrap();
    assert_eq!((&forecast["points"], &forecast["points_on_first"]), (&json!("5"), &json!("5")));
}

#[test]
fn what_stands_at_the_end_of_a_period_is_rounded_once_whatever_it_is_grouped_by() {
    let world = one_key_on_two_servers();
    for by in [By::Type, By::Tenant, By::Server, By::Workload] {
        let asked = UsageOverAsked { by, ..UsageOverAsked::default() };
        let shown = world.ask(&Query::UsageOver(Box::new(asked))).expect("a period");
        assert_eq!(shown["at_end"]["points"], "5", "{by:?}");
    }
}

#[test]
fn a_machine_that_counts_once_shares_its_instance_once() {
    let settings = Settings { count_duplicates_once: true, ..Settings::default() };
    let mut world = World::new(WorldPlan { settings, ..plan_of(NOW) });
    let own = workstations(&["a", "b", "c"], "Tenant A");
    let first = subscription("vbr01", "2026-10-20T11:00:00Z", &own);
    let second = subscription("vbr02", "2026-10-20T11:05:00Z", &own);
    import(&mut world, &[first, second]).unwrap();
    assert_eq!(usage(&world, By::Type)["points"], "1");
    assert_eq!(watermark(&world, None, None)["daily"][1]["points"], "1");
}

#[test]
fn a_share_is_measured_by_the_largest_size_of_thirty_days_wherever_its_samples_come_in() {
    let share = |gb: &str| json!({"id": "filer", "type": "FileShare", "size_gb": gb, "source": "root"});
    let of = |taken_at: &str, gb: &str| subscription("vbr01", taken_at, &[share(gb)]);
    let mut world = imported(NOW, &[of("2026-09-25T11:00:00Z", "1510"), of("2026-10-20T11:00:00Z", "1490")]);
    assert_eq!(usage(&world, By::Type)["points"], "3", "25 days ago it was larger");
    assert_eq!(watermark(&world, None, None)["points"], "3");
    import(&mut world, &[of("2026-10-20T11:30:00Z", "1490"), of("2026-10-10T11:00:00Z", "2010")]).unwrap();
    assert_eq!(usage(&world, By::Type)["points"], "4", "a late sample knows of more");
    assert_eq!(watermark(&world, None, None)["points"], "4");
    assert!(world.agent().store().verify().is_ok(), "the state equals a replay");
    let mut under_capacity = of("2026-10-20T11:45:00Z", "1490");
    under_capacity["license"]["capacity"] = json!({"licensed_tb": 10, "used_tb": "1.5"});
    import(&mut world, &[under_capacity]).unwrap();
    let usage = usage(&world, By::Type);
    assert_eq!((&usage["points"], &usage["groups"][0]["weight_from"]), (&json!("0"), &json!("the capacity license")));
    assert_eq!(usage["sections"]["vbr01"]["capacity"]["used_tb"], "1.5");
}
