//! `sample import`.

use super::*;

const NOW: &str = "2026-10-20T12:00:00Z";

#[test]
fn a_file_taken_again_is_a_repeat_with_nothing_to_do() {
    let samples = [of_vbr01("2026-10-20T10:00:00Z", &[vm("a")]), of_vbr01("2026-10-20T11:00:00Z", &[vm("a")])];
    let mut world = importing(NOW);
    let taken = import(&mut world, &samples).unwrap();
    assert_eq!((&taken["taken"], &taken["known_already"]), (&json!(2), &json!(0)));
    assert_eq!(import(&mut world, &samples).unwrap_err().code, 3);
    let more = [samples[1].clone(), of_vbr01("2026-10-20T11:30:00Z", &[vm("a")])];
    let taken = import(&mut world, &more).unwrap();
    assert_eq!((&taken["taken"], &taken["known_already"]), (&json!(1), &json!(1)));
}

#[test]
fn other_content_at_a_known_instant_is_a_conflict_and_changes_nothing() {
    let mut world = imported(NOW, &[of_vbr01("2026-10-20T10:00:00Z", &[vm("a")])]);
    let refused = import(&mut world, &[of_vbr01("2026-10-20T10:00:00Z", &[vm("a"), vm("b")])]).unwrap_err();
    assert_eq!(refused.code, 8);
    assert!(refused.why.contains("vbr01 at 2026-10-20T10:00:00Z"), "{}", refused.why);
    assert_eq!(usage(&world, By::Type)["points"], "11");
}

#[test]
fn a_bad_file_is_refused_whole_with_line_and_field_named() {
    let mut world = importing(NOW);
    let bad = with(vm("b"), json!({"points": "-1"}));
    let refused =
        import(&mut world, &[of_vbr01("2026-10-20T10:00:00Z", &[vm("a")]), of_vbr01("2026-10-20T11:00:00Z", &[bad])]);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, 65);
    for named in ["samples.jsonl", "line 2", "workloads[0].points", "negative"] {
        assert!(refused.why.contains(named), "{named} in {}", refused.why);
    }
    assert_eq!(
        import(&mut world, &[of_vbr01("2026-10-20T10:00:00Z", &[vm("a")])]).unwrap()["taken"],
        1,
        "none was kept"
    );
    assert_eq!(
        import(&mut world, &[of_vbr01("2026-10-20T12:05:01Z", &[])]).unwrap_err().code,
        65,
        "ahead of the clock"
    );
}

#[test]
fn samples_imported_in_any_order_tell_the_same() {
    let undated = |id: &str| with(vm(id), json!({"first_processed_at": null}));
    let (one, two, three) = (
        of_vbr01("2026-08-10T10:00:00Z", &[undated("a")]),
        of_vbr01("2026-10-19T10:00:00Z", &[undated("a")]),
        of_vbr01("2026-10-20T10:00:00Z", &[undated("a"), undated("b")]),
    );
    let forward = imported(NOW, &[one.clone(), two.clone(), three.clone()]);
    let mut backward = importing(NOW);
    for sample in [three, two, one] {
        import(&mut backward, &[sample]).unwrap();
    }
    let told = usage(&forward, By::Type);
    assert_eq!((&told["points"], &told["new_points"]), (&json!("11"), &json!("11")), "b is new, a is not");
    let months = |world: &World| [watermark(world, None, Some("2026-08")), watermark(world, None, Some("2026-10"))];
    let without_unit = |mut value: Value| {
        value.as_object_mut().unwrap().remove("unit");
        value
    };
    assert_eq!(without_unit(usage(&backward, By::Type)), without_unit(told));
    assert_eq!(months(&backward).map(without_unit), months(&forward).map(without_unit));
}

#[test]
fn imports_create_no_duties() {
    let mut world = imported("2026-10-31T23:30:00Z", &[of_vbr01("2026-10-31T23:00:00Z", &[vm("a")])]);
    world.run_until(at("2026-11-12T00:00:00Z"));
    let list = world.ask(&Query::Reports { unit: None, server: None }).unwrap();
    assert_eq!((list, world.objections()), (json!([]), [""; 0].map(str::to_owned).as_slice()));
}

#[test]
fn since_when_a_servers_own_auto_update_is_on_is_kept() {
    let switched = |taken_at: &str, on: bool| {
        let mut sample = of_vbr01(taken_at, &[vm("a")]);
        sample["license"]["auto_update"] = json!(on);
        sample
    };
    let mut world = imported(NOW, &[switched("2026-10-20T08:00:00Z", false)]);
    let since = |world: &World| -> Option<Instant> { world.agent().store().row("auto_update_seen/vbr01").unwrap() };
    assert_eq!(since(&world), None);
    let on = [switched("2026-10-20T09:00:00Z", true), switched("2026-10-20T10:00:00Z", true)];
    import(&mut world, &on).unwrap();
    assert_eq!(since(&world), Some(at("2026-10-20T09:00:00Z")), "not the newest sample: the first that showed it on");
    import(&mut world, &[switched("2026-10-20T11:00:00Z", false)]).unwrap();
    assert_eq!(since(&world), None);
}

#[test]
fn an_imported_sample_does_not_say_that_the_server_answers_again() {
    let begins_at = at("2026-10-20T09:00:00Z");
    let mut world = World::new(WorldPlan::small(3, begins_at, 5));
    world.wire.cut_off("vbr01", begins_at..at("2026-10-21T00:00:00Z"));
    world.run_until(at("2026-10-20T12:00:00Z"));
    let state = |world: &World| world.ask(&Query::Status {}).unwrap()["servers"][0]["state"].clone();
    assert_eq!(state(&world), "unreachable");
    import(&mut world, &[of_vbr01("2026-10-19T10:00:00Z", &[vm("a")])]).unwrap();
    assert_eq!(state(&world), "unreachable");
}
