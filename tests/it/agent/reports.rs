//! `report`, `license gate`, `license show` and `status --json`.

use super::*;
use tidegauge::domain::adjustment::AdjustmentOrder;

fn october() -> World {
    let before = of_vbr01("2026-10-15T10:00:00Z", &[vm("a"), vm("b"), vm("c"), vm("stopped")]);
    let end = of_vbr01(
        "2026-10-31T23:58:00Z",
        &[vm("a"), vm("b"), vm("c"), with(vm("new"), json!({"first_processed_at": "2026-10-20T00:00:00Z"}))],
    );
    imported("2026-11-02T09:00:00Z", &[before, end])
}

#[test]
fn a_report_has_every_field_of_the_contract() {
    let mut world = october();
    let report = generate(&mut world, "2026-10");
    has_fields(
        &report,
        &[
            ("schema", "string"),
            ("id", "string"),
            ("unit", "string"),
            ("month", "string"),
            ("revision", "number"),
            ("license_id", "string"),
            ("contract_id", "string"),
            ("installations", "list"),
            ("stage", "string"),
            ("server_verdict", "null"),
            ("external", "object"),
            ("generated_at", "string"),
            ("basis", "object"),
            ("license", "object"),
            ("total_points", "string"),
            ("total_points_rounded", "string"),
            ("lines", "list"),
            ("workloads", "list"),
            ("adjustments", "list"),
            ("daily", "list"),
            ("coverage", "object"),
            ("not_collected", "list"),
            ("digest", "string"),
        ],
    );
    assert_eq!((&report["schema"], &report["stage"]), (&json!("tidegauge.usage-report/1"), &json!("awaiting_review")));
    assert_eq!(report["basis"], json!({"as_of": "2026-11-01T00:00:00Z", "late": true, "stale": []}));
    assert_eq!(report["external"], json!({"portal": null, "document": null, "at": null, "by": null}));
    let line = json!({"server": "vbr01", "tenant": null, "type": "VM", "weight": "11", "initial_count": 3,
                      "reported_count": 3, "new_count": 1, "rental_count": 0, "points": "33"});
    assert_eq!(report["lines"], json!([line]));
    let workload = &report["workloads"][0];
    let fields = [
        ("id", "string"),
        ("name", "string"),
        ("server", "string"),
        ("tenant", "null"),
        ("type", "string"),
        ("weight", "string"),
        ("points", "string"),
        ("job", "null"),
        ("last_restore_point_at", "null"),
        ("counted", "bool"),
        ("reason", "string"),
        ("note", "null"),
    ];
    has_fields(workload, &fields);
    assert_eq!(report["daily"].as_array().unwrap().len(), 31);
    assert!(report["digest"].as_str().unwrap().starts_with("sha256:"));
    let shown = world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap();
    assert_eq!(shown, report);
}

#[test]
fn an_adjusted_report_says_who_when_what_and_why_and_a_reset_takes_it_back() {
    let mut world = october();
    let generated = generate(&mut world, "2026-10");
    let adjustment = AdjustmentOrder::Remove { workloads: vec!["a".to_owned()], reason: "test machine".to_owned() };
    let order = Order::Adjust { target: Target::default(), adjustments: vec![adjustment] };
    let adjusted = world.order(order, "licensing").unwrap();
    assert_eq!((&adjusted["total_points"], &adjusted["workloads"][0]["reason"]), (&json!("22"), &json!("removed")));
    let record = &adjusted["adjustments"][0];
    for (field, value) in
        [("by", "user:licensing"), ("at", "2026-11-02T09:00:00Z"), ("workload", "a"), ("before", "11"), ("after", "0")]
    {
        assert_eq!(record[field], value);
    }
    assert_eq!(
        world.order(Order::Reset { target: Target::default() }, "licensing").unwrap()["digest"],
        generated["digest"]
    );
    assert_eq!(
        world.order(Order::Reset { target: Target::default() }, "licensing").unwrap_err().code,
        3,
        "nothing to reset"
    );
}

#[test]
fn orders_on_a_report_that_is_not_there_or_not_due_are_refused_with_their_codes() {
    let mut world = october();
    let none = Query::Report { unit: None, server: None, month: None };
    assert_eq!(world.ask(&none).unwrap_err().code, 66);
    assert_eq!(
        world.order(Order::Generate { target: of_month("2026-11") }, "licensing").unwrap_err().code,
        2,
        "not ended"
    );
    generate(&mut world, "2026-10");
    assert_eq!(
        world.order(Order::Generate { target: of_month("2026-10") }, "licensing").unwrap_err().code,
        3,
        "stands"
    );
    assert_eq!(
        world.order(Order::Send { target: Target::default() }, "licensing").unwrap_err().code,
        78,
        "nobody to send to"
    );
    let nobody = AdjustmentOrder::Remove { workloads: vec!["nobody".to_owned()], reason: "why".to_owned() };
    let order = Order::Adjust { target: Target::default(), adjustments: vec![nobody] };
    assert_eq!(world.order(order, "licensing").unwrap_err().code, 65);
    let query = Query::Report { unit: None, server: None, month: "2026-09".parse().ok() };
    assert_eq!(world.ask(&query).unwrap_err().code, 66);
}

#[test]
fn what_is_not_owed_has_no_report_that_would_be_charged() {
    let mut of_key = snapshot("vbr01", "license-1", "2026-10-31T23:00:00Z", &[vm("a")]);
    of_key["license"]["type"] = json!("Subscription");
    let mut world = imported("2026-11-02T09:00:00Z", &[of_key]);
    let refused = world.order(Order::Generate { target: of_month("2026-10") }, "licensing").unwrap_err();
    assert!(refused.code == 3 && refused.why.contains("not reported monthly"), "{}", refused.why);
    let refused = october().order(Order::Generate { target: of_month("2026-09") }, "licensing").unwrap_err();
    assert!(refused.code == 3 && refused.why.contains("no sample of 2026-09"), "{}", refused.why);
}

#[test]
fn a_late_sample_mends_the_open_reports_of_the_months_after_it() {
    let undated = |id: &str| json!({"id": id, "name": id, "type": "VM", "points": "11"});
    let of = |at: &str, ids: &[&str]| of_vbr01(at, &ids.iter().map(|id| undated(id)).collect::<Vec<_>>());
    let mut world = imported(
        "2026-11-02T09:00:00Z",
        &[of("2026-08-31T23:00:00Z", &["a"]), of("2026-10-31T23:00:00Z", &["a", "b"])],
    );
    assert_eq!(generate(&mut world, "2026-10")["total_points"], "11", "b is new in October");
    import(&mut world, &[of("2026-09-15T12:00:00Z", &["a", "b"])]).expect("it is good");
    let report = world.ask(&Query::Report { unit: None, server: None, month: "2026-10".parse().ok() }).unwrap();
    assert_eq!(report["total_points"], "22", "b was there in September");
}

#[test]
fn several_units_without_a_report_are_told_so_and_not_that_there_is_no_sample() {
    let one = snapshot("vbr01", "license-1", "2026-10-31T23:00:00Z", &[vm("a")]);
    let two = snapshot("vbr02", "license-2", "2026-10-31T23:00:00Z", &[vm("b")]);
    let world = imported("2026-11-01T09:00:00Z", &[one, two]);
    let refused = world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap_err();
    assert_eq!((refused.code, refused.why.contains("there is no report yet")), (66, true), "{}", refused.why);
}

#[test]
fn the_gate_names_what_explains_the_shortfall() {
    let mut world = october();
    generate(&mut world, "2026-10");
    let month = "2026-10".parse().ok();
    let gate = world.ask(&Query::Gate { unit: None, server: None, month }).unwrap();
    for (field, value) in [
        ("schema", "tidegauge.gate/1"),
        ("month", "2026-10"),
        ("verdict", "open"),
        ("highest_watermark", "44"),
        ("stood_at", "2026-10-15T10:00:00Z"),
        ("reported", "33"),
        ("shortfall", "11"),
        ("tolerance", "20"),
        ("unexplained", "0"),
    ] {
        assert_eq!(gate[field], value, "{field}");
    }
    assert_eq!((&gate["forecast"], &gate["justification"]), (&json!(true), &Value::Null));
    has_fields(
        &gate["causes"][0],
        &[("cause", "string"), ("workload", "string"), ("tenant", "null"), ("points", "string")],
    );
    assert_eq!(gate["causes"][0]["cause"], "gone");
    let september = "2026-09".parse().ok();
    let gate = world.ask(&Query::Gate { unit: None, server: None, month: september }).unwrap();
    assert_eq!((&gate["verdict"], &gate["highest_watermark"]), (&json!("undetermined"), &Value::Null));
}

#[test]
fn status_has_every_field_of_the_contract() {
    let mut world = october();
    generate(&mut world, "2026-10");
    let status = world.ask(&Query::Status {}).unwrap();
    has_fields(
        &status,
        &[
            ("schema", "string"),
            ("now", "string"),
            ("next", "list"),
            ("servers", "list"),
            ("open_reports", "list"),
            ("licenses", "list"),
            ("outbox", "number"),
            ("warnings", "list"),
        ],
    );
    let server = &status["servers"][0];
    has_fields(
        server,
        &[
            ("name", "string"),
            ("last_sample_at", "string"),
            ("state", "string"),
            ("error", "null"),
            ("discrepancy", "null"),
        ],
    );
    let open = &status["open_reports"][0];
    assert_eq!(
        (&open["month"], &open["days_left"], &open["total_points"]),
        (&json!("2026-10"), &json!(8), &json!("33"))
    );
    has_fields(open, &[("unit", "string")]);
    let license = &status["licenses"][0];
    has_fields(license, &[("schema", "string"), ("unit", "string"), ("license", "object"), ("auto_update", "bool")]);
    assert_eq!((&license["schema"], &license["days_left"]), (&json!("tidegauge.license/1"), &json!(90)));
}

#[test]
fn a_late_sample_of_a_reported_month_builds_the_open_report_again_with_its_adjustments() {
    let mut world = october();
    generate(&mut world, "2026-10");
    let adjustment = AdjustmentOrder::Remove { workloads: vec!["a".to_owned()], reason: "test machine".to_owned() };
    world.order(Order::Adjust { target: Target::default(), adjustments: vec![adjustment] }, "licensing").unwrap();
    import(&mut world, &[of_vbr01("2026-10-31T23:59:00Z", &[vm("a"), vm("b"), vm("c"), vm("d"), vm("e")])]).unwrap();
    let report = world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap();
    assert_eq!((&report["total_points"], &report["revision"]), (&json!("44"), &json!(1)));
    assert_eq!(report["adjustments"].as_array().unwrap().len(), 1);
}
