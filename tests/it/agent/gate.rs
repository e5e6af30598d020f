//! `license gate`, `report explain` and `report what-if`: the worked example of domain.md 6, and servers that left.

use super::*;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::workload::WorkloadType;

/// Workloads of one tenant and type, alike but for their ids.
fn machines(tenant: &str, kind: &str, count: usize, points: &str, fields: &Value) -> Vec<Value> {
    let one = |n: usize| {
        let workload = json!({"id": format!("{tenant}-{kind}-{n}"), "name": format!("{tenant} {kind} {n}"),
            "type": kind, "tenant": tenant, "points": points, "first_processed_at": "2025-03-02T01:00:00Z"});
        with(workload, fields.clone())
    };
    (1..=count).map(one).collect()
}

/// Everything of the example at one instant: C's three VMs from 20 February on, A's old VM as it was on 20 January.
fn provider(taken_at: &str) -> Value {
    let none = json!({});
    let mut all = machines("A", "CloudConnectVM", 10, "5", &none);
    all.extend(machines("A", "CloudConnectReplica", 2, "10", &none));
    all.extend(machines("A", "CloudConnectServer", 1, "7", &none));
    all.push(json!({"id": "old-vm", "name": "old-vm", "type": "CloudConnectVM", "tenant": "A", "points": "5",
        "first_processed_at": "2025-03-02T01:00:00Z", "last_restore_point_at": "2026-01-20T10:00:00Z"}));
    all.extend(machines("B", "CloudConnectVM", 5, "5", &json!({"rental": true})));
    all.extend(machines("B", "CloudConnectReplica", 1, "10", &none));
    all.extend(machines("C", "CloudConnectWorkstation", 4, "3", &none));
    if "2026-02-20" <= taken_at {
        all.extend(machines("C", "CloudConnectVM", 3, "5", &json!({"first_processed_at": "2026-02-20T08:00:00Z"})));
    }
    let mut snapshot = snapshot("cc01", "vcc-license", taken_at, &all);
    snapshot["license"]["licensed_points"] = json!("200");
    snapshot["license"]["cloud_connect"] = json!(true);
    snapshot
}

/// February of the example, reported on 2 March.
fn february() -> World {
    let instants = ["2026-02-11T12:00:00Z", "2026-02-18T12:00:00Z", "2026-02-20T09:00:00Z", "2026-02-24T12:00:00Z"];
    let samples: Vec<Value> = instants.iter().chain(&["2026-02-28T23:50:00Z"]).map(|at| provider(at)).collect();
    let mut world = imported("2026-03-02T09:00:00Z", &samples);
    generate(&mut world, "2026-02");
    world
}

fn lower_a(to: u64) -> AdjustmentOrder {
    let (tenant, kind) = (Some("A".to_owned()), WorkloadType::CloudConnectVm);
    AdjustmentOrder::Lower { tenant, kind, weight: None, to, reason: "vCenter migration".to_owned() }
}

fn gate(world: &World, month: &str) -> Value {
    world.ask(&Query::Gate { unit: None, server: None, month: Some(month.parse().unwrap()) }).expect("a month")
}

/// Verdict, reported points and shortfall.
fn in_short(gate: &Value) -> (&str, &str, &str) {
    let word = |field: &str| gate[field].as_str().expect("a word");
    (word("verdict"), word("reported"), word("shortfall"))
}

#[test]
fn the_worked_example_of_the_field_goes_through_the_agent_number_by_number() {
    let mut world = february();
    let marks = |day: &str| {
        let month = watermark(&world, None, Some("2026-02"));
        let days = month["daily"].as_array().expect("days").clone();
        days.into_iter().find(|one| one["day"] == day).expect("a day of the month")["points"].clone()
    };
    let by_day = ["2026-02-11", "2026-02-18", "2026-02-24", "2026-02-28"].map(marks);
    assert_eq!(by_day, [json!("104"), json!("104"), json!("99"), json!("99")]);

    let as_generated = gate(&world, "2026-02");
    assert_eq!(as_generated["highest_watermark"], "104");
    assert_eq!(in_short(&as_generated), ("open", "99", "5"));
    let aged = json!([{"cause": "aged_out", "workload": "old-vm", "tenant": "A", "type": "CloudConnectVM",
        "points": "5", "server": "cc01", "at": "2026-02-20T10:00:00Z"}]);
    assert_eq!((&as_generated["causes"], &as_generated["unexplained"]), (&aged, &json!("0")));

    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap();
    let listed = |reason: &str| {
        let all = report["workloads"].as_array().expect("workloads");
        all.iter().filter(|one| one["reason"] == reason).count()
    };
    assert_eq!((listed("new"), listed("rental"), listed("protected")), (3, 5, 18));
    assert!(report["lines"].as_array().unwrap().iter().any(|line| line["tenant"] == "C" && line["new_count"] == 3));

    for (to, after) in [(8, ("open", "89", "15")), (2, ("held", "59", "45"))] {
        let query = Query::WhatIf { target: Target::default(), adjustments: vec![lower_a(to)] };
        let effect = world.ask(&query).expect("an open report");
        assert_eq!(in_short(&effect["gate_after"]), after);
        assert_eq!(in_short(&effect["gate_before"]), ("open", "99", "5"));
    }
    assert_eq!(in_short(&gate(&world, "2026-02")), ("open", "99", "5"), "nothing was kept");

    let lowered = Order::Adjust { target: Target::default(), adjustments: vec![lower_a(2)] };
    world.order(lowered, "licensing").expect("an open report");
    let held = gate(&world, "2026-02");
    assert_eq!(in_short(&held), ("held", "59", "45"));
    let lowered = &held["causes"][0];
    assert_eq!((&lowered["cause"], &lowered["points"]), (&json!("lowered"), &json!("40")));
    assert_eq!((&lowered["by"], &lowered["reason"]), (&json!("user:licensing"), &json!("vCenter migration")));
    assert_eq!(held["unexplained"], "0");
}

#[test]
fn machines_of_a_server_that_took_another_key_within_the_month_are_left_with_their_server() {
    let both = |at: &str| {
        vec![
            snapshot("vbr01", "license-1", at, &[vm("a"), vm("b")]),
            snapshot("vbr02", "license-1", at, &[vm("c"), vm("d"), vm("e")]),
        ]
    };
    let mut samples = both("2026-10-15T10:00:00Z");
    samples.push(snapshot("vbr01", "license-1", "2026-10-31T23:58:00Z", &[vm("a"), vm("b")]));
    samples.push(snapshot("vbr02", "license-2", "2026-10-31T23:58:00Z", &[vm("c"), vm("d"), vm("e")]));
    let mut world = imported("2026-11-02T09:00:00Z", &samples);
    let of_vbr01 = Target { server: Some("vbr01".to_owned()), month: Some("2026-10".parse().unwrap()), unit: None };
    world.order(Order::Generate { target: of_vbr01 }, "licensing").expect("October has ended");
    let query = Query::Gate { unit: None, server: Some("vbr01".to_owned()), month: Some("2026-10".parse().unwrap()) };
    let gate = world.ask(&query).expect("a month");
    assert_eq!(in_short(&gate), ("held", "22", "33"));
    let left = gate["causes"].as_array().unwrap();
    assert!(left.len() == 3 && left.iter().all(|cause| cause["cause"] == "left_server"), "{gate:#}");
    assert_eq!(gate["unexplained"], "0");
}
