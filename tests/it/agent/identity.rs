//! Machines that several servers show: counted once where it is agreed, named with a proposal where not.

use proptest::prelude::*;
use tidegauge::domain::{Month, Points};

use super::*;

const NOW: &str = "2026-11-01T00:30:00Z";

/// An agent whose settings count a machine of several servers once.
fn counting_once(now: &str) -> World {
    let settings = Settings { count_duplicates_once: true, ..Settings::default() };
    World::new(WorldPlan { settings, ..plan_of(now) })
}

fn of_weight(id: &str, weight: &str, tenant: &str, backed_up_at: &str) -> Value {
    with(vm(id), json!({"points": weight, "tenant": tenant, "last_restore_point_at": backed_up_at}))
}

/// Both servers of one license, at the last hour of October.
fn two_servers(of_one: &[Value], of_two: &[Value]) -> [Value; 2] {
    [
        snapshot("vbr01", "license-1", "2026-10-31T23:10:00Z", of_one),
        snapshot("vbr02", "license-1", "2026-10-31T23:20:00Z", of_two),
    ]
}

fn proposals(world: &World) -> Vec<Value> {
    let answer = world.ask(&Query::Proposals { unit: None, server: None, month: None }).expect("proposals");
    answer["proposals"].as_array().expect("a list").clone()
}

#[test]
fn a_machine_of_two_servers_counts_once_with_the_higher_weight_and_the_tenant_of_its_newest_backup() {
    let shared = [
        of_weight("shared", "13", "Old tenant", "2026-10-20T01:00:00Z"),
        of_weight("shared", "11", "New tenant", "2026-10-30T01:00:00Z"),
    ];
    let samples = two_servers(&[vm("own"), shared[0].clone()], &[shared[1].clone()]);
    let mut world = counting_once(NOW);
    import(&mut world, &samples).expect("good samples");
    let report = generate(&mut world, "2026-10");
    assert_eq!(report["total_points"], "24");
    let line = |tenant: &str| {
        let lines = report["lines"].as_array().unwrap();
        lines.iter().find(|line| line["tenant"] == tenant).map(|line| line["points"].clone())
    };
    assert_eq!((line("New tenant"), line("Old tenant")), (Some(json!("13")), None));
    let notes: Vec<&Value> = report["workloads"].as_array().unwrap().iter().map(|one| &one["note"]).collect();
    assert_eq!(notes, [&Value::Null, &json!("counted once, on vbr02"), &Value::Null]);
    let by_tenant = usage(&world, By::Tenant);
    assert_eq!(by_tenant["points"], "24");
    let month = watermark(&world, None, Some("2026-10"));
    assert_eq!((&month["points"], &month["at"]), (&json!("24"), &json!("2026-10-31T23:10:00Z")), "it stood before");
    let gate = world.ask(&Query::Gate { unit: None, server: None, month: "2026-10".parse().ok() }).unwrap();
    assert_eq!((&gate["verdict"], &gate["shortfall"]), (&json!("open"), &json!("0")));
    assert_eq!(proposals(&world), Vec::<Value>::new(), "what counts once needs nobody");
}

#[test]
fn a_machine_and_its_replica_under_one_id_count_each() {
    let replica = with(vm("shared"), json!({"points": "4", "type": "CloudConnectReplica"}));
    let samples = two_servers(&[vm("shared")], &[replica]);
    let mut once = counting_once(NOW);
    import(&mut once, &samples).expect("good samples");
    assert_eq!(generate(&mut once, "2026-10")["total_points"], "15");
    assert_eq!(watermark(&once, None, Some("2026-10"))["points"], "15");
    let mut each = importing(NOW);
    import(&mut each, &samples).expect("good samples");
    generate(&mut each, "2026-10");
    assert_eq!(proposals(&each), Vec::<Value>::new(), "a replica is no duplicate");
}

#[test]
fn one_key_that_sources_spell_in_capitals_or_not_is_one_unit() {
    let spelt = |server: &str, license: &str, taken_at: &str| snapshot(server, license, taken_at, &[vm(server)]);
    let mut world = importing(NOW);
    let samples = [
        spelt("vbr01", "AB-1", "2026-10-30T10:00:00Z"),
        spelt("vbr02", "ab-1", "2026-10-30T10:10:00Z"),
        spelt("vbr01", "AB-1", "2026-10-30T11:00:00Z"),
    ];
    import(&mut world, &samples).expect("good samples");
    let units = world.agent().store().units().expect("units");
    let shown: Vec<(&[String], Option<&str>)> =
        units.iter().map(|unit| (unit.servers.as_slice(), unit.license_id.as_deref())).collect();
    assert_eq!(shown, [(&["vbr01".to_owned(), "vbr02".to_owned()][..], Some("AB-1"))]);
}

#[test]
fn a_machine_new_on_one_server_and_known_on_the_other_is_not_new() {
    let new = with(vm("shared"), json!({"first_processed_at": "2026-10-12T01:00:00Z"}));
    let samples = two_servers(&[new], &[vm("shared")]);
    let mut world = counting_once(NOW);
    import(&mut world, &samples).expect("good samples");
    let report = generate(&mut world, "2026-10");
    assert_eq!(report["total_points"], "11");
}

#[test]
fn without_the_setting_it_counts_on_each_and_a_person_accepts_the_proposal() {
    let shared = |weight: &str| with(vm("shared"), json!({"points": weight}));
    let mut world = importing(NOW);
    import(&mut world, &two_servers(&[vm("own"), shared("11")], &[shared("13")])).expect("good samples");
    assert_eq!(generate(&mut world, "2026-10")["total_points"], "35");
    let proposed = proposals(&world);
    let [proposal] = proposed.as_slice() else { panic!("one proposal: {proposed:?}") };
    assert_eq!((&proposal["finding"], &proposal["points"]), (&json!("duplicate"), &json!("11")));
    assert_eq!(proposal["adjustment"]["workloads"], json!(["vbr01/shared"]), "the higher weight stays");
    let status = world.ask(&Query::Status {}).unwrap();
    let warned = status["warnings"].as_array().unwrap().iter().filter_map(Value::as_str);
    assert!(warned.clone().any(|warning| warning.contains("counted on several servers: 1")), "{status:#}");
    let adjustment =
        serde_json::from_value(proposal["adjustment"].clone()).expect("an adjustment as `adjust` takes it");
    let adjusted = world
        .order(Order::Adjust { target: of_month("2026-10"), adjustments: vec![adjustment] }, "mia")
        .expect("an open report");
    let Value::Object(_) = adjusted else { panic!("{adjusted}") };
    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap();
    assert_eq!(report["total_points"], "24");
    assert_eq!(report["adjustments"][0]["reason"], "the same machine is counted on vbr02");
    assert_eq!(proposals(&world)[0]["can_be_accepted"], false, "it is taken out already");
}

#[test]
fn a_cloned_server_is_named() {
    let clone = with(snapshot("vbr02", "license-1", "2026-10-31T23:20:00Z", &[vm("b")]), json!({}));
    let mut clone = clone;
    clone["license"]["installation_id"] = json!("installation-vbr01");
    let mut world = importing(NOW);
    import(&mut world, &[snapshot("vbr01", "license-1", "2026-10-31T23:10:00Z", &[vm("a")]), clone])
        .expect("good samples");
    let proposed = proposals(&world);
    assert_eq!((proposed.len(), &proposed[0]["finding"]), (1, &json!("cloned_installation")));
    assert_eq!(proposed[0]["servers"], json!(["vbr01", "vbr02"]));
    let status = world.ask(&Query::Status {}).unwrap();
    assert!(status["warnings"].to_string().contains("one installation id"), "{status:#}");
}

/// A machine of one name, under an older and a younger id.
fn moved(old_backed_up_at: &str, new_first_at: &str, new_name: &str) -> Vec<Value> {
    vec![
        with(vm("old"), json!({"name": "SQL01", "last_restore_point_at": old_backed_up_at})),
        with(
            vm("new"),
            json!({"name": new_name, "first_processed_at": new_first_at,
                               "last_restore_point_at": "2026-10-31T20:00:00Z"}),
        ),
    ]
}

fn reappeared(workloads: &[Value]) -> Vec<Value> {
    let mut world = importing(NOW);
    import(&mut world, &[of_vbr01("2026-10-31T23:10:00Z", workloads)]).expect("good samples");
    generate(&mut world, "2026-10");
    proposals(&world)
}

#[test]
fn a_machine_that_came_back_under_another_id_is_proposed_as_the_same() {
    let found = reappeared(&moved("2026-10-01T02:00:00Z", "2026-09-30T22:00:00Z", "sql01"));
    assert_eq!((found.len(), &found[0]["finding"]), (1, &json!("reappeared")));
    assert_eq!(found[0]["adjustment"]["workloads"], json!(["vbr01/old"]));
    assert!(found[0]["reason"].as_str().unwrap().contains("the same machine as vbr01/new since 2026-09-30"));
    let not_charged_yet = reappeared(&moved("2026-10-12T02:00:00Z", "2026-10-12T20:00:00Z", "sql01"));
    assert_eq!(not_charged_yet[0]["can_be_accepted"], false, "the younger id is new and costs nothing yet");
}

#[test]
fn machines_that_only_look_alike_are_left_alone() {
    let both_in_use = moved("2026-10-31T21:00:00Z", "2026-09-20T22:00:00Z", "sql01");
    let other_name = moved("2026-10-01T02:00:00Z", "2026-09-30T22:00:00Z", "sql02");
    let mut of_others = moved("2026-10-01T02:00:00Z", "2026-09-30T22:00:00Z", "sql01");
    of_others[1]["tenant"] = json!("Tenant B");
    for workloads in [both_in_use, other_name, of_others] {
        assert_eq!(reappeared(&workloads), Vec::<Value>::new(), "{workloads:?}");
    }
}

#[test]
fn agreeing_to_count_once_leaves_what_was_counted_before() {
    let hour = |server: &str, taken_at: &str| snapshot(server, "license-1", taken_at, &[vm("shared")]);
    let mut world = importing(NOW);
    let before = [hour("vbr01", "2026-10-29T10:00:00Z"), hour("vbr02", "2026-10-29T10:10:00Z")];
    import(&mut world, &before).expect("good samples");
    world.settings.count_duplicates_once = true;
    world.off_until(at("2026-11-01T00:40:00Z"));
    let after = [hour("vbr01", "2026-10-30T10:00:00Z"), hour("vbr02", "2026-10-30T10:10:00Z")];
    import(&mut world, &after).expect("good samples");
    let month = watermark(&world, None, Some("2026-10"));
    let days: Vec<&Value> = month["daily"].as_array().unwrap()[28..30].iter().map(|day| &day["points"]).collect();
    assert_eq!(days, ["22", "11"]);
    assert!(world.agent().store().verify().is_ok(), "the state equals a replay");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the order of import, the day's mark is the highest sum over distinct machines.
    #[test]
    fn a_days_mark_counts_each_machine_once(
        shown in proptest::collection::vec((0..2_usize, proptest::collection::btree_set(0..6_u8, 0..5)), 1..12),
        turn in 0..12_usize,
    ) {
        let taken = |hour: usize| format!("2026-10-20T{hour:02}:00:00Z");
        let mut samples: Vec<Value> = shown.iter().enumerate().map(|(hour, (server, ids))| {
            let machines: Vec<Value> = ids.iter().map(|id| vm(&format!("m{id}"))).collect();
            snapshot(["vbr01", "vbr02"][*server], "license-1", &taken(hour), &machines)
        }).collect();
        let mut expected = 0;
        for hour in 0..shown.len() {
            let newest = |server: usize| (0..=hour).rev().find(|at| shown[*at].0 == server && hour - at <= 2);
            let distinct: std::collections::BTreeSet<u8> =
                [0, 1].into_iter().filter_map(newest).flat_map(|at| shown[at].1.iter().copied()).collect();
            expected = expected.max(distinct.len() as u64 * 11);
        }
        samples.rotate_left(turn % shown.len());
        let mut world = counting_once(NOW);
        import(&mut world, &samples).expect("good samples");
        let month = watermark(&world, None, Some("2026-10"));
        prop_assert_eq!(&month["points"], &json!(expected.to_string()));
        prop_assert!(world.agent().store().verify().is_ok());
    }
}

#[test]
fn points_of_a_months_report_never_exceed_those_counted_on_each_server() {
    let month: Month = "2026-10".parse().unwrap();
    let machines: Vec<Value> = (0..20).map(|n| vm(&format!("m{n}"))).collect();
    let samples = two_servers(&machines[..15], &machines[5..]);
    let total = |mut world: World| -> Points {
        import(&mut world, &samples).expect("good samples");
        generate(&mut world, &month.to_string())["total_points"].as_str().unwrap().parse().unwrap()
    };
    assert_eq!((total(importing(NOW)), total(counting_once(NOW))), (Points::whole(330), Points::whole(220)));
}
