//! What the report page asks: its head, its workloads, its history, and what an act would change.

use super::*;
use tidegauge::agent::asked::ReportAsked;
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::domain::workload::WorkloadType;

const NOW: &str = "2026-11-02T09:00:00Z";

fn of_tenant(id: &str, tenant: &str) -> Value {
    with(vm(id), json!({"tenant": tenant}))
}

/// September and October of one server; in October B left and A grew.
fn two_months() -> World {
    let september = of_vbr01("2026-09-30T23:58:00Z", &[vm("a"), of_tenant("a1", "A"), of_tenant("b1", "B")]);
    let new = with(of_tenant("a3", "A"), json!({"first_processed_at": "2026-10-20T00:00:00Z"}));
    let october = of_vbr01("2026-10-31T23:58:00Z", &[vm("a"), of_tenant("a1", "A"), of_tenant("a2", "A"), new]);
    let mut world = imported(NOW, &[september, october]);
    generate(&mut world, "2026-09");
    generate(&mut world, "2026-10");
    world
}

fn head(world: &World) -> Value {
    world.ask(&Query::ReportHead(ReportAsked::default())).expect("a report")
}

fn remove(named: &[&str], reason: &str) -> AdjustmentOrder {
    let workloads = named.iter().map(|&named| named.to_owned()).collect();
    AdjustmentOrder::Remove { workloads, reason: reason.to_owned() }
}

fn adjust(world: &mut World, named: &[&str], reason: &str) {
    let order = Order::Adjust { target: Target::default(), adjustments: vec![remove(named, reason)] };
    world.order(order, "mia").expect("an open report");
}

#[test]
fn the_head_is_the_report_without_its_workloads_and_with_its_sums() {
    let world = two_months();
    let (head, whole) = (head(&world), world.ask(&Query::Report { unit: None, server: None, month: None }).unwrap());
    for (field, value) in whole.as_object().expect("a report") {
        if !["schema", "workloads"].contains(&field.as_str()) {
            assert_eq!(head[field], *value, "{field}");
        }
    }
    assert_eq!(
        head["workloads"],
        json!({"all": 4, "protected": 3, "new": 1, "rental": 0, "removed": 0,
                                        "counted_on_several_servers": 0})
    );
    let sums = |by: &str| -> Vec<Value> {
        let totals = head["totals"][by].as_array().expect("totals").iter();
        totals
            .map(|one| json!([one["key"], one["count"], one["new_count"], one["points"], one["difference"]]))
            .collect()
    };
    let by_tenant = [json!([null, 1, 0, "11", "0"]), json!(["A", 2, 1, "22", "11"]), json!(["B", 0, 0, "0", "-11"])];
    assert_eq!(sums("by_tenant"), by_tenant);
    assert_eq!(sums("by_type"), [json!(["VM", 3, 1, "33", "0"])]);
    assert_eq!(sums("by_server"), [json!(["vbr01", 3, 1, "33", "0"])]);
    assert_eq!(head["revisions"].as_array().map(Vec::len), Some(1));
    assert_eq!(head["files"]["written"], true);
}

#[test]
fn the_window_has_the_fields_words_and_the_days_left() {
    let mut world = two_months();
    let shown = head(&world);
    let text = json!([
        "Monthly usage report has been generated.",
        "Number of managed points for the previous month: 33.",
        "Please review and submit the report within the next 8 days."
    ]);
    assert_eq!(shown["notification"]["text"], text);
    assert_eq!(shown["notification"]["banner"], "Warning: Please submit a monthly usage report (8 days left)");
    assert_eq!(shown["notification"]["acts"], json!(["review", "download", "postpone"]), "nothing is sent from here");
    assert_eq!((&shown["due"], &shown["due_on"]), (&json!("manual"), &json!("2026-11-10")));
    let acts = &shown["acts"];
    assert_eq!((&acts["adjust"], &acts["reset"], &acts["send"]), (&json!(true), &json!(false), &json!(false)));
    assert!(acts["send_why_not"].as_str().is_some_and(|why| why.contains("[license_server]")), "{acts}");
    assert_eq!(acts["postpone_until"], "2026-11-11T00:00:00Z");
    world.off_until(at("2026-11-11T00:00:00Z"));
    let late = head(&world);
    assert_eq!((&late["acts"]["postpone_until"], &late["days_left"]), (&Value::Null, &json!(-1)));
    assert_eq!(late["notification"]["banner"], "Warning: Please submit a monthly usage report (1 day overdue)");
}

#[test]
fn what_was_entered_in_a_portal_is_only_corrected_and_may_still_be_postponed() {
    let mut world = two_months();
    adjust(&mut world, &["a"], "a test machine");
    let acts = |world: &World| {
        let acts = head(world)["acts"].clone();
        json!([acts["adjust"], acts["reset"], acts["correct"], acts["postpone_until"].is_string()])
    };
    assert_eq!(acts(&world), json!([true, true, false, true]));
    let (portal, document) = ("Pulse".to_owned(), "4711".to_owned());
    world.order(Order::MarkExternal { target: Target::default(), portal, document }, "mia").expect("it can be marked");
    assert_eq!(acts(&world), json!([false, false, true, true]));
    let order = Order::Correct { target: Target::default(), reason: "a server was missing".to_owned() };
    world.order(order, "mia").expect("what the head offers is done");
    assert_eq!(acts(&world), json!([true, false, false, true]));
}

#[test]
fn the_head_tells_the_gate_as_the_report_stands() {
    let mut world = two_months();
    let shortfall = |world: &World| {
        let gate = Query::Gate { unit: None, server: None, month: "2026-10".parse().ok() };
        let (judged, shown) = (world.ask(&gate).expect("a month"), head(world)["gate"].clone());
        assert_eq!((&shown["verdict"], &shown["shortfall"]), (&judged["verdict"], &judged["shortfall"]));
        shown["shortfall"].clone()
    };
    let before = shortfall(&world);
    adjust(&mut world, &["a", "a1"], "test machines");
    assert_ne!(shortfall(&world), before, "it is judged when it is asked for");
}

#[test]
fn a_page_of_workloads_is_read_from_a_form_and_the_report_is_decoded_once() {
    let mut world = two_months();
    let asked = json!({"what": "workloads", "month": "2026-10", "tenant": "A", "search": "", "counted": "true",
                       "sort": "name", "descending": "true", "after": "1", "limit": "1", "revision": "1", "type": "VM"});
    let query: Query = serde_json::from_value(asked).expect("text stands for numbers and switches");
    let read_before = world.agent().reports_held().1;
    let page = world.ask(&query).expect("a report");
    assert_eq!((&page["all"], &page["matches"], &page["points"]), (&json!(4), &json!(2), &json!("22")));
    assert_eq!((&page["workloads"][0]["id"], &page["next"]), (&json!("a1"), &Value::Null));
    for _ in 0..5 {
        world.ask(&query).unwrap();
        head(&world);
    }
    assert_eq!(world.agent().reports_held(), (1, read_before + 1));
    adjust(&mut world, &["a1"], "test machine");
    assert_eq!(world.ask(&query).unwrap()["matches"], 1, "what is held never outlives a change");
    let next = world.now() + chrono::TimeDelta::minutes(11);
    world.run_until(next);
    // The alarm that follows lets go.
    world.run_until(next);
    assert_eq!(world.agent().reports_held().0, 0, "nobody asked for it in ten minutes");
    let wrong = json!({"what": "workloads", "limit": "many"});
    assert!(serde_json::from_value::<Query>(wrong).is_err());
}

#[test]
fn what_if_tells_each_order_its_points_and_money_and_their_sum_is_the_difference() {
    let mut plan = plan_of(NOW);
    plan.settings.price_book = Some("prices.toml".into());
    let mut world = World::new(plan);
    let book = "currency = \"EUR\"\nrounding = \"line\"\n[[price]]\nvalid_from = 2026-01-01\nper_point = \"1\"\n\
                [price.tiers]\nvolume = \"tenant\"\nmode = \"graduated\"\nbands = [{ above = \"50\", per_point = \"0.5\" }]\n";
    let disk = world.disk.clone().expect("a world has a disk");
    tidegauge::doors::Files::write(&disk, std::path::Path::new("prices.toml"), book.as_bytes()).unwrap();
    let mut cloud = of_vbr01("2026-10-31T23:58:00Z", &[vm("a"), vm("b")]);
    cloud["counts"] =
        json!([{"tenant": "A", "type": "CloudConnectVM", "weight": "5", "used": 20, "new": 0, "rental": 0}]);
    import(&mut world, &[cloud]).unwrap();
    generate(&mut world, "2026-10");
    let lower = AdjustmentOrder::Lower {
        tenant: Some("A".to_owned()),
        kind: WorkloadType::CloudConnectVm,
        weight: None,
        to: 8,
        reason: "moved".to_owned(),
    };
    let adjustments = vec![remove(&["a"], "test machine"), lower];
    let query = Query::WhatIf { target: Target::default(), adjustments: adjustments.clone() };
    let effect = world.ask(&query).expect("an open report");
    assert_eq!(
        (&effect["total_before"], &effect["total_after"], &effect["points"]),
        (&json!("122"), &json!("51"), &json!("-71"))
    );
    let steps = effect["steps"].as_array().expect("steps");
    let in_short: Vec<_> = steps.iter().map(|step| (&step["points"], &step["money"])).collect();
    assert_eq!(in_short, [(&json!("-11"), &json!("-11.00")), (&json!("-60"), &json!("-35.00"))], "50 points cost half");
    assert_eq!(effect["money"], "-46.00");
    let lowered = &steps[1]["adjustments"][0];
    assert_eq!((&lowered["points_before"], &lowered["points_after"]), (&json!("100"), &json!("40")));
    assert_eq!((&effect["gate_after"]["verdict"], &effect["gate_after"]["shortfall"]), (&json!("held"), &json!("71")));

    world.order(Order::Adjust { target: Target::default(), adjustments }, "mia").expect("as it was tried");
    let back = world.ask(&Query::WhatIfReset(Target::default())).expect("an open report");
    assert_eq!((&back["points"], &back["money"]), (&json!("71"), &json!("46.00")));
    assert_eq!(back["taken_back"].as_array().map(Vec::len), Some(2));
    assert_eq!(head(&world)["total_points"], "51", "nothing was kept");
}

#[test]
fn the_history_names_who_did_what_when_and_why_in_order() {
    let mut world = two_months();
    adjust(&mut world, &["a1"], "test machine");
    let later = world.now() + chrono::TimeDelta::hours(1);
    world.run_until(later);
    world.order(Order::Postpone { target: Target::default(), until: None }, "mia").unwrap();
    world.run_until(later + chrono::TimeDelta::hours(1));
    world.order(Order::Reset { target: Target::default() }, "noah").unwrap();
    world.run_until(later + chrono::TimeDelta::hours(2));
    adjust(&mut world, &["a2"], "moved away");
    let (portal, document) = ("Pulse".to_owned(), "4711".to_owned());
    world.order(Order::MarkExternal { target: Target::default(), portal, document }, "mia").unwrap();
    let history = world.ask(&Query::ReportHistory(Target::default())).expect("a report");
    let events = history["events"].as_array().expect("events");
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            let detail = &event["detail"];
            let more =
                [&detail["event"], &detail["reason"], &detail["until"], &detail["news"]["by"], &detail["portal"]];
            let words = [&event["what"], &event["by"]].into_iter().chain(more).filter_map(Value::as_str);
            words.collect::<Vec<&str>>().join(" ")
        })
        .collect();
    let expected = [
        "generated duty",
        "news report.generated",
        "news report.adjusted user:mia",
        "postponed user:mia 2026-11-03T00:00:00Z",
        "news report.adjusted user:noah",
        "adjusted user:mia moved away",
        "entered_elsewhere user:mia Pulse",
        "news report.adjusted user:mia",
    ];
    assert_eq!(told, expected, "{history:#}");
}

#[test]
fn what_stands_around_every_page_is_known_without_reading_a_report() {
    let world = two_months();
    let (_, read) = world.agent().reports_held();
    let waiting = world.ask(&Query::Waiting {}).expect("always an answer");
    let unit = json!({"unit": "installation-vbr01", "servers": ["vbr01"], "months": ["2026-10", "2026-09"]});
    assert_eq!(waiting["units"], json!([unit]));
    let open: Vec<_> = waiting["open_reports"].as_array().expect("reports").iter().collect();
    assert_eq!(open.iter().map(|report| &report["month"]).collect::<Vec<_>>(), ["2026-09", "2026-10"]);
    assert_eq!(open[1]["notification"], head(&world)["notification"]);
    world.ask(&Query::Months { unit: None, server: None }).expect("an answer");
    assert_eq!(world.agent().reports_held().1, read + 1, "only the head's own question read one");
}

#[test]
fn what_would_be_taken_out_is_named_and_agents_of_cloud_connect_cannot_be() {
    let agent = with(of_tenant("w1", "A"), json!({"type": "CloudConnectWorkstation"}));
    let sample = of_vbr01("2026-10-31T23:58:00Z", &[with(vm("a"), json!({"name": "mail01"})), agent]);
    let mut world = imported(NOW, &[sample]);
    generate(&mut world, "2026-10");
    let adjustments = vec![remove(&["vbr01/a"], "a test machine")];
    let effect = world.ask(&Query::WhatIf { target: Target::default(), adjustments }).expect("an open report");
    assert_eq!(effect["steps"][0]["adjustments"][0]["name"], "mail01");
    assert_eq!(effect["second_person"], Value::Null, "the machine's owner is nobody's second person");
    let table = world.ask(&Query::Workloads(Box::default())).expect("a report");
    let rows = table["workloads"].as_array().expect("rows").iter();
    let can: Vec<_> = rows.map(|row| (row["type"].clone(), row["can_be_removed"].clone())).collect();
    assert_eq!(can, [(json!("VM"), json!(true)), (json!("CloudConnectWorkstation"), json!(false))]);
}
