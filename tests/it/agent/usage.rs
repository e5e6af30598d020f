//! `usage --json`.

use super::*;

const NOW: &str = "2026-10-20T12:00:00Z";

fn mixed() -> World {
    let cloud = json!({"type": "CloudConnectVM", "points": "5.5", "tenant": "Tenant A"});
    imported(
        NOW,
        &[of_vbr01(
            "2026-10-20T11:58:00Z",
            &[
                vm("sql01"),
                vm("web01"),
                with(vm("new01"), json!({"first_processed_at": "2026-10-02T01:00:00Z"})),
                with(vm("tenant-vm"), cloud.clone()),
                with(with(vm("rented"), cloud), json!({"rental": true})),
                with(vm("gone"), json!({"last_restore_point_at": "2026-09-01T00:00:00Z"})),
            ],
        )],
    )
}

#[test]
fn usage_has_exactly_the_shape_of_the_contract() {
    let usage = usage(&mixed(), By::Type);
    assert_eq!((&usage["schema"], &usage["as_of"]), (&json!("tidegauge.usage/1"), &json!("2026-10-20T11:58:00Z")));
    assert_eq!(
        (&usage["points"], &usage["new_points"], &usage["rental_count"]),
        (&json!("27.5"), &json!("11"), &json!(1))
    );
    let of = |key, weight, count, points, new_count, new_points, rental_count| {
        json!({"key": key, "count": count, "points": points, "new_count": new_count, "new_points": new_points,
               "rental_count": rental_count, "weight": weight, "weight_from": "server"})
    };
    let groups = json!([of("CloudConnectVM", "5.5", 1, "5.5", 0, "0", 1), of("VM", "11", 2, "22", 1, "11", 0)]);
    assert_eq!(usage["groups"], groups);
    has_fields(&usage, &[("unit", "string")]);
}

fn keys(world: &World, by: By) -> Vec<(String, String)> {
    let usage = usage(world, by);
    let groups = usage["groups"].as_array().unwrap().iter();
    groups
        .map(|group| (group["key"].as_str().unwrap().to_owned(), group["points"].as_str().unwrap().to_owned()))
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, points)| ((*key).to_owned(), (*points).to_owned())).collect()
}

#[test]
fn usage_is_grouped_by_tenant_server_and_workload_and_always_sums_to_the_same() {
    let world = mixed();
    assert_eq!(keys(&world, By::Tenant), pairs(&[("(none)", "22"), ("Tenant A", "5.5")]));
    assert_eq!(keys(&world, By::Server), pairs(&[("vbr01", "27.5")]));
    let by_workload = [("new01", "0"), ("rented", "0"), ("sql01", "11"), ("tenant-vm", "5.5"), ("web01", "11")];
    assert_eq!(keys(&world, By::Workload), pairs(&by_workload));
    assert_eq!(usage(&world, By::Workload)["groups"][2]["name"], "sql01.example.net");
}

#[test]
fn a_closed_month_is_classified_at_its_end_and_the_running_one_now() {
    let born_in_october = with(vm("new01"), json!({"first_processed_at": "2026-10-02T01:00:00Z"}));
    let in_october = of_vbr01("2026-10-31T23:58:00Z", &[vm("sql01"), born_in_october.clone()]);
    let in_november = of_vbr01("2026-11-03T09:00:00Z", &[vm("sql01"), born_in_october]);
    let world = imported("2026-11-03T09:30:00Z", &[in_october, in_november]);
    let of = |month: &str| {
        let month = Some(month.parse().unwrap());
        world.ask(&Query::Usage { unit: None, server: None, month, by: By::Type }).unwrap()
    };
    let october = of("2026-10");
    assert_eq!((&october["points"], &october["new_points"]), (&json!("11"), &json!("11")));
    assert_eq!(october["as_of"], "2026-11-01T00:00:00Z");
    let november = of("2026-11");
    assert_eq!((&november["points"], &november["new_points"]), (&json!("22"), &json!("0")));
    assert_eq!(november["as_of"], "2026-11-03T09:00:00Z");
}

#[test]
fn tenants_that_are_only_counted_are_used_as_the_server_classified_them() {
    let mut counts = of_vbr01("2026-10-20T11:00:00Z", &[]);
    counts["counts"] = json!([
        {"tenant": "Tenant A", "type": "CloudConnectVM", "weight": "5", "used": 20, "new": 2, "rental": 1},
        {"tenant": "Tenant B", "type": "CloudConnectReplica", "weight": "10", "used": 1, "new": 0, "rental": 2},
    ]);
    let world = imported(NOW, &[counts]);
    assert_eq!(keys(&world, By::Tenant), pairs(&[("Tenant A", "100"), ("Tenant B", "30")]));
    assert_eq!(usage(&world, By::Type)["rental_count"], 1);
}

#[test]
fn two_servers_under_one_key_are_one_unit_and_two_keys_are_two() {
    let one = snapshot("vbr01", "license-1", "2026-10-20T11:00:00Z", &[vm("a")]);
    let two = snapshot("vbr02", "license-1", "2026-10-20T11:05:00Z", &[vm("b"), vm("c")]);
    let mut world = imported(NOW, &[one, two]);
    let shared = usage(&world, By::Server);
    assert_eq!((&shared["points"], shared["groups"].as_array().unwrap().len()), (&json!("33"), 2));
    let narrowed = Query::Usage { unit: None, server: Some("vbr02".to_owned()), month: None, by: By::Type };
    assert_eq!(world.ask(&narrowed).unwrap()["points"], "22");

    import(&mut world, &[snapshot("vbr03", "license-2", "2026-10-20T11:10:00Z", &[vm("d")])]).unwrap();
    let all = usage(&world, By::Type);
    let points: Vec<&Value> = all.as_array().expect("several units").iter().map(|unit| &unit["points"]).collect();
    assert_eq!(points.len(), 2);
    assert!(points.contains(&&json!("33")) && points.contains(&&json!("11")));
    assert_eq!(watermark(&world, None, None).as_array().map(Vec::len), Some(2));
}

#[test]
fn a_server_silent_for_longer_than_the_basis_may_be_old_is_left_out() {
    let old = snapshot("vbr01", "license-1", "2026-10-20T08:00:00Z", &[vm("a")]);
    let fresh = snapshot("vbr02", "license-1", "2026-10-20T11:05:00Z", &[vm("b")]);
    let world = imported(NOW, &[old, fresh]);
    assert_eq!(usage(&world, By::Server)["servers"], json!(["vbr02"]));
}

#[test]
fn what_is_not_there_is_refused_with_its_exit_code() {
    let world = mixed();
    let ask = |unit: Option<&str>, server: Option<&str>| {
        let query = Query::Usage {
            unit: unit.map(str::to_owned),
            server: server.map(str::to_owned),
            month: None,
            by: By::Type,
        };
        world.ask(&query).unwrap_err()
    };
    assert_eq!(ask(None, Some("vbr09")).code, 66);
    assert_eq!(ask(Some("nobody"), None).code, 66);
    let nothing = importing(NOW).ask(&Query::Usage { unit: None, server: None, month: None, by: By::Type });
    assert_eq!(nothing.unwrap_err().code, 3);
}

#[test]
fn an_act_for_one_unit_lists_them_when_there_are_several() {
    let one = snapshot("vbr01", "license-1", "2026-10-31T23:00:00Z", &[vm("a")]);
    let two = snapshot("vbr02", "license-2", "2026-10-31T23:00:00Z", &[vm("b")]);
    let mut world = imported("2026-11-01T09:00:00Z", &[one, two]);
    let refused = world.order(Order::Generate { target: of_month("2026-10") }, "licensing").unwrap_err();
    assert_eq!(refused.code, 2);
    assert!(refused.why.contains("(vbr01)") && refused.why.contains("(vbr02)"), "{}", refused.why);
    let named = Target { server: Some("vbr02".to_owned()), ..of_month("2026-10") };
    assert_eq!(world.order(Order::Generate { target: named }, "licensing").unwrap()["total_points"], "11");
}
