//! Servers that report under another license than in the month that is looked at.

use super::*;

/// Two units of one server each in October, both reports generated; `days_after` the month each server has its samples.
fn two_units() -> World {
    let of = |server: &str, license: &str, at: &str, count: usize| {
        let machines: Vec<Value> = (0..count).map(|n| vm(&format!("{server}-{n}"))).collect();
        snapshot(server, license, at, &machines)
    };
    let october = "2026-10-31T23:58:00Z";
    let mut world =
        imported("2026-11-02T09:00:00Z", &[of("vbr01", "license-1", october, 2), of("vbr02", "license-2", october, 3)]);
    for server in ["vbr01", "vbr02"] {
        world.order(Order::Generate { target: of_server(server) }, "licensing").expect("October has ended");
    }
    world
}

fn of_server(server: &str) -> Target {
    Target { server: Some(server.to_owned()), ..of_month("2026-10") }
}

/// vbr01 takes the key of vbr02 in November.
fn move_the_first(world: &mut World) {
    let machines = [vm("vbr01-0"), vm("vbr01-1")];
    import(world, &[snapshot("vbr01", "license-2", "2026-11-02T08:00:00Z", &machines)]).expect("it is good");
}

fn mark(world: &mut World, target: Target) {
    let (portal, document) = ("Pulse".to_owned(), "U-1".to_owned());
    world.order(Order::MarkExternal { target, portal, document }, "clerk").expect("it can be entered");
}

/// The servers of a report's lines with its total.
fn lines(report: &Value) -> (Vec<String>, &str) {
    let lines = report["lines"].as_array().expect("lines").iter();
    let servers = lines.map(|line| line["server"].as_str().expect("a server").to_owned());
    (servers.collect(), report["total_points"].as_str().expect("points"))
}

#[test]
fn a_correction_stands_on_the_servers_that_were_of_the_unit_in_that_month() {
    let mut world = two_units();
    let first = world.ask(&Query::Report { unit: None, server: Some("vbr01".to_owned()), month: None }).expect("one");
    let unit = first["unit"].as_str().expect("an id").to_owned();
    let of_first = || Target { unit: Some(unit.clone()), ..of_month("2026-10") };
    mark(&mut world, of_server("vbr01"));
    mark(&mut world, of_server("vbr02"));
    move_the_first(&mut world);
    let correct = |target| Order::Correct { target, reason: "another look".to_owned() };
    let second = world.order(correct(of_server("vbr02")), "licensing").expect("it is final");
    assert_eq!(lines(&second), (vec!["vbr02".to_owned()], "33"), "vbr01 was reported under its own license");
    let first = world.order(correct(of_first()), "licensing").expect("it is final");
    assert_eq!(lines(&first), (vec!["vbr01".to_owned()], "22"), "and is still that month's of the unit it left");
}

#[test]
fn a_late_sample_of_a_server_that_left_changes_the_report_of_the_unit_it_was_of() {
    let mut world = two_units();
    let first = world.ask(&Query::Report { unit: None, server: Some("vbr01".to_owned()), month: None }).expect("one");
    let unit = first["unit"].as_str().expect("an id").to_owned();
    move_the_first(&mut world);
    let three = [vm("vbr01-0"), vm("vbr01-1"), vm("vbr01-2")];
    import(&mut world, &[snapshot("vbr01", "license-1", "2026-10-31T23:59:00Z", &three)]).expect("it is good");
    let report = |unit: Option<String>, server: Option<&str>| {
        let query = Query::Report { unit, server: server.map(str::to_owned), month: Some("2026-10".parse().unwrap()) };
        world.ask(&query).expect("it stands")
    };
    assert_eq!(lines(&report(Some(unit), None)), (vec!["vbr01".to_owned()], "33"));
    assert_eq!(lines(&report(None, Some("vbr02"))), (vec!["vbr02".to_owned()], "33"));
}
