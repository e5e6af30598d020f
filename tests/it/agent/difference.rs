//! `report explain` over three imported months of one provider: two servers under one key, and what became of each machine.

use super::*;
use tidegauge::domain::adjustment::AdjustmentOrder;

/// A month's last sample of a server, a minute before it ends, every machine backed up that day.
fn month_end(server: &str, of: &str, workloads: &[Value], counts: &Value) -> Value {
    let last: tidegauge::domain::Month = of.parse().expect("a month");
    let mut snapshot = snapshot(server, "license-1", &format!("{}T23:58:00Z", last.last_day()), workloads);
    snapshot["counts"] = counts.clone();
    snapshot
}

fn count(used: u32, new: u32) -> Value {
    json!([{"tenant": "Counted", "type": "CloudConnectVM", "weight": "5", "used": used, "new": new, "rental": 0}])
}

fn explained(world: &World, month: &str) -> Value {
    let query = Query::Explain { unit: None, server: None, month: Some(month.parse().unwrap()) };
    world.ask(&query).expect("a report stands")["difference"].clone()
}

/// `cause tenant server: workloads = points`, one line a row.
fn rows(difference: &Value) -> Vec<String> {
    let word = |row: &Value, field: &str| row[field].as_str().unwrap_or("-").to_owned();
    let line = |row: &Value| {
        let [cause, tenant, server, points] = ["cause", "tenant", "server", "points"].map(|field| word(row, field));
        format!("{cause} {tenant} {server}: {} = {points}", row["workloads"])
    };
    difference["rows"].as_array().expect("a list").iter().map(line).collect()
}

fn provider() -> World {
    let of = |id: &str, tenant: &str| with(vm(id), json!({"tenant": tenant}));
    let fresh = |id: &str, day: &str| with(vm(id), json!({"first_processed_at": day}));
    let none = json!([]);
    let august = [
        month_end(
            "vbr01",
            "2026-08",
            &[of("mover", "A"), vm("rented"), vm("heavy"), vm("test"), vm("left")],
            &count(20, 2),
        ),
        month_end("vbr02", "2026-08", &[of("stays", "B"), fresh("fresh", "2026-08-20T00:00:00Z")], &none),
    ];
    let september = [
        month_end(
            "vbr01",
            "2026-09",
            &[
                with(vm("rented"), json!({"rental": true})),
                with(vm("heavy"), json!({"points": "12.5"})),
                vm("test"),
                with(vm("left"), json!({"last_restore_point_at": "2026-08-20T01:00:00Z"})),
            ],
            &count(23, 0),
        ),
        month_end("vbr02", "2026-09", &[of("stays", "C"), of("mover", "A"), vm("fresh")], &none),
    ];
    let october = [month_end(
        "vbr01",
        "2026-10",
        &[vm("rented"), with(vm("heavy"), json!({"points": "12.5"})), vm("test"), vm("found")],
        &count(21, 0),
    )];
    imported("2026-11-02T09:00:00Z", &[&august[..], &september[..], &october[..]].concat())
}

#[test]
fn three_months_are_explained_machine_by_machine() {
    let mut world = provider();
    generate(&mut world, "2026-08");
    generate(&mut world, "2026-09");
    let order = |name: &str| {
        let reason = "test machine".to_owned();
        let adjustment = AdjustmentOrder::Remove { workloads: vec![name.to_owned()], reason };
        Order::Adjust { target: of_month("2026-09"), adjustments: vec![adjustment] }
    };
    world.order(order("test"), "mia").expect("an open report");
    let september = explained(&world, "2026-09");
    assert_eq!(
        rows(&september),
        [
            "left_free_month - vbr02: 1 = 11",
            "left_free_month Counted vbr01: 2 = 10",
            "moved_here A vbr02: 1 = 11",
            "moved_here C vbr02: 1 = 11",
            "moved_away A vbr01: 1 = -11",
            "moved_away B vbr02: 1 = -11",
            "reweighted - vbr01: 1 = 1.5",
            "aged_out - vbr01: 1 = -11",
            "became_rental - vbr01: 1 = -11",
            "removed - vbr01: 1 = -11",
            "more_counted Counted vbr01: 1 = 5",
        ]
    );
    assert_eq!((&september["points"], &september["total_points"]), (&json!("-5.5"), &json!("160.5")));
    assert_eq!(september["previous"]["total_points"], "166");
    let tenant = |name: &str| {
        let tenants = september["by_tenant"].as_array().expect("a list");
        tenants.iter().find(|tenant| tenant["tenant"] == name).expect("it is there")["points"].clone()
    };
    assert_eq!(["A", "B", "C", "Counted"].map(tenant), ["0", "-11", "11", "15"].map(|points| json!(points)));
    generate(&mut world, "2026-10");
    let october = explained(&world, "2026-10");
    assert_eq!(
        rows(&october),
        [
            "added - vbr01: 1 = 11",
            "no_longer_rental - vbr01: 1 = 11",
            "adjustment_ended - vbr01: 1 = 11",
            "fewer_counted Counted vbr01: 2 = -10",
        ]
    );
}

#[test]
fn a_last_month_that_was_changed_since_is_said_beside_the_kept_difference() {
    let mut world = provider();
    generate(&mut world, "2026-08");
    generate(&mut world, "2026-09");
    assert_eq!(explained(&world, "2026-09")["previous_now"], json!(null));
    let adjustment = AdjustmentOrder::Remove { workloads: vec!["test".to_owned()], reason: "test machine".to_owned() };
    world
        .order(Order::Adjust { target: of_month("2026-08"), adjustments: vec![adjustment] }, "mia")
        .expect("an open report");
    let september = explained(&world, "2026-09");
    assert_eq!(september["previous"]["total_points"], "166");
    assert_eq!(september["previous_now"], json!({"revision": 1, "total_points": "155"}));
}
