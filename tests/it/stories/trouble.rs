//! Disks that fill up, folders that refuse, servers that answer nonsense.

use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::simulation::vbr::Fault;

use super::*;

#[test]
fn a_disk_that_fills_up_at_any_write_loses_nothing_that_was_acknowledged() {
    let mut world = World::new(calm(11, "2026-01-28T09:30:00Z", 4));
    let mut acknowledged = 0;
    for operations in 0..75 {
        let disk = world.disk.clone().expect("a simulated disk");
        let until = world.now() + chrono::TimeDelta::hours(12);
        world.run_until(until);
        disk.fill_after(operations % 25);
        if let Ok(open) = world.ask(&Query::Report { unit: None, server: None, month: Some(month("2026-01")) }) {
            let open: UsageReport = serde_json::from_value(open).unwrap();
            let reason = format!("try {operations}");
            let order = Order::Justify { target: target("2026-01"), reason: reason.clone() };
            if world.order(order, "mia").is_ok() && open.stage.is_open() {
                acknowledged += 1;
                disk.heal();
                world.off_until(world.now());
                assert_eq!(report(&world, "2026-01").justification, Some(reason));
            }
        }
    }
    world.disk.clone().expect("a simulated disk").heal();
    world.run_until(at("2026-03-13"));
    world.object_to_what_is_left();
    assert_silent(&world);
    assert!(acknowledged > 3, "{acknowledged} orders were acknowledged");
    let troubles = told(&world, &["trouble"]).lines().count();
    assert!(troubles > 20, "the disk was full {troubles} times");
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn a_read_only_reports_folder_is_a_setback_in_status_and_stops_nothing() {
    let mut world = World::new(calm(11, "2026-01-28T09:30:00Z", 6));
    world.disk.as_ref().unwrap().make_folder_read_only("/reports".as_ref());
    world.run_until(at("2026-02-01T03:00:00Z"));
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("cannot write /reports/2026-01/"), "{warnings}");
    let workloads = vec![report(&world, "2026-01").workloads.iter().find(|one| one.counted).unwrap().id.clone()];
    let adjustment = AdjustmentOrder::Remove { workloads, reason: "a test machine".to_owned() };
    let order = Order::Adjust { target: target("2026-01"), adjustments: vec![adjustment] };
    world.order(order, "mia").expect("the report changes although its files cannot be written");
    world.run_until(at("2026-02-12"));
    assert_eq!(sent(&world).len(), 1);
    world.disk.as_ref().unwrap().heal();
    world.run_until(at("2026-02-13"));
    world.object_to_what_is_left();
    assert_silent(&world);
    assert!(told(&world, &["trouble"]).is_empty());
}

#[test]
fn a_report_that_is_as_it_was_before_has_its_files_written_again_when_a_try_in_between_failed() {
    let mut world = World::new(calm(11, "2026-01-28T09:30:00Z", 6));
    world.run_until(at("2026-02-01T03:00:00Z"));
    let disk = world.disk.clone().unwrap();
    disk.make_folder_read_only("/reports".as_ref());
    let workloads = vec![report(&world, "2026-01").workloads.iter().find(|one| one.counted).unwrap().id.clone()];
    let adjustment = AdjustmentOrder::Remove { workloads, reason: "a test machine".to_owned() };
    let order = Order::Adjust { target: target("2026-01"), adjustments: vec![adjustment] };
    world.order(order, "mia").expect("the report changes although its files cannot be written");
    world.order(Order::Reset { target: target("2026-01") }, "mia").expect("it is as it was");
    assert_eq!(world.agent().store().keys("setback/write").unwrap().len(), 1);
    disk.mend_folders();
    world.run_until(at("2026-02-01T05:00:00Z"));
    assert_eq!(world.agent().store().keys("setback/write").unwrap(), Vec::<String>::new(), "they were written again");
    assert_silent(&world);
}

#[test]
fn a_folders_file_that_says_otherwise_of_a_known_hour_stays_and_is_told_once() {
    let mut world = World::new(calm(11, "2026-01-10T09:30:00Z", 3));
    world.run_until(at("2026-01-12"));
    let server = world.servers.keys().next().expect("a server").clone();
    let file = |taken_at: &str, id: &str| {
        let workload = serde_json::json!({"id": id, "name": id, "type": "VM", "points": "11"});
        let license = serde_json::json!({"license_id": "license-1", "type": "Rental"});
        let snapshot = serde_json::json!({
            "schema": "tidegauge.usage-snapshot/1", "taken_at": taken_at, "server": server,
            "license": license, "workloads": [workload],
        });
        snapshot.to_string().into_bytes()
    };
    world.wire.put_file(&server, "0-one.json", file("2026-01-11T03:17:00Z", "one"));
    world.wire.put_file(&server, "0-other.json", file("2026-01-11T03:17:00Z", "other"));
    world.run_until(at("2026-01-14"));
    let names = world.wire.file_names(&server);
    for name in ["0-one.json", "0-other.json"] {
        assert!(names.iter().any(|kept| kept == name), "{name} stays in the folder: {names:?}");
    }
    let status = status(&world);
    let said = status["servers"][0]["error"].as_str().expect("it needs a person");
    assert!(said.contains(&format!("another sample of {server} at 2026-01-11T03:17:00Z is kept already")), "{said}");
    let mails = subjects(&world).iter().filter(|subject| subject.contains(&server)).count();
    assert_eq!(mails, 1, "told once although later samples of the folder are taken: {:?}", subjects(&world));
    world.object_to_what_is_left();
}

#[test]
fn a_server_that_answers_nonsense_is_told_once_and_recovers() {
    let mut world = World::new(calm_vbr(12, "2026-01-20T09:30:00Z", 6));
    for (day, fault) in
        [(22, Fault::ServerErrors), (24, Fault::Html), (26, Fault::HalfAnswers), (28, Fault::OtherPassword)]
    {
        world.run_until(at(&format!("2026-01-{day}")));
        world.servers["vbr01"].vbr.set_faults(&[fault]);
        world.run_until(at(&format!("2026-01-{}", day + 1)));
        world.servers["vbr01"].vbr.set_faults(&[]);
    }
    world.run_until(at("2026-01-31"));
    world.object_to_what_is_left();
    assert_silent(&world);
    let lost = told(&world, &["server.unreachable"]).lines().count();
    let back = told(&world, &["answers again"]).lines().count();
    assert_eq!((lost, back), (4, 4), "{}", told(&world, &["not sampled"]));
}

#[test]
fn while_the_clock_is_doubted_nobody_generates_corrects_or_sends() {
    let mut world = World::new(calm(13, "2026-01-20T09:30:00Z", 6));
    world.run_until(at("2026-02-02T10:00:00Z"));
    world.clock_jumps(chrono::TimeDelta::hours(5));
    let refused = world.order(Order::Send { target: target("2026-01") }, "mia").expect_err("the clock is doubted");
    assert_eq!(refused.code, 75);
    world.clock_jumps(chrono::TimeDelta::hours(-5));
    world.order(Order::ConfirmClock, "mia").expect("a person vouches for the clock");
    world.order(Order::Send { target: target("2026-01") }, "mia").expect("the clock is believed");
    world.clock_jumps(chrono::TimeDelta::hours(5));
    let correct = Order::Correct { target: target("2026-01"), reason: "a test machine".to_owned() };
    let refused = world.order(correct, "mia").expect_err("the clock is doubted again");
    assert_eq!(refused.code, 75);
    assert_silent(&world);
}
