//! Servers that go by another name at awkward hours: around a month's end, back and forth, as clones.
//! Samples are four hours apart, so that eight hours after a month's end a sample may still stand for that month.

use super::consoles::{console, of_console, sample_directly, truth};
use super::dropped_servers::{put_back, restart, servers_in, take_out};
use super::units::{truth_of_both, two_servers};
use super::*;

const DIRECT: &str = "https://vbr02.example.net:9419";

/// The second server goes by that name from the next start on.
fn rename(world: &mut World, name: &str) {
    world.wire.connect(name, world.servers["vbr02"].vbr.router());
    world.settings.servers.last_mut().expect("two servers").name = name.to_owned();
}

/// Total and servers of the month's report beside what is true of both servers.
fn figures(world: &World, of: &str) -> (Points, Vec<String>, Points) {
    let report = report(world, of);
    (report.total_points, servers_in(&report).into_iter().map(str::to_owned).collect(), truth_of_both(world, of))
}

fn points_of(report: &UsageReport, server: &str) -> Points {
    report.lines.iter().filter(|line| line.server == server).map(|line| line.points).sum()
}

/// Both servers of a console show one installation id, as clones do.
fn cloned(begins: &str) -> World {
    let mut plan = of_console(31, begins);
    plan.servers[1].estate.license.installation_id = plan.servers[0].estate.license.installation_id.clone();
    let mut world = World::new(plan);
    world.run_until(at("2026-02-10"));
    world
}

#[test]
fn a_new_name_after_a_long_outage_over_a_months_end_leaves_the_old_one_its_last_numbers() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-28T12:30:00Z"));
    rename(&mut world, "backup-b");
    world.off_until(at("2026-03-01T00:20:00Z"));
    world.run_until(at("2026-03-02"));
    let (february, servers, truth) = figures(&world, "2026-02");
    assert_eq!(servers, ["vbr01", "vbr02"]);
    assert!(truth - whole(40) <= february && february <= truth, "{february} of {truth}");
}

#[test]
fn a_server_that_goes_back_to_its_earlier_name_soon_after_a_months_end_counts_once_in_both() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-10"));
    rename(&mut world, "backup-b");
    restart(&mut world);
    world.run_until(at("2026-03-01T00:20:00Z"));
    rename(&mut world, "vbr02");
    restart(&mut world);
    world.run_until(at("2026-03-05"));
    rename(&mut world, "backup-b");
    restart(&mut world);
    world.run_until(at("2026-03-08"));
    rename(&mut world, "vbr02");
    restart(&mut world);
    world.run_until(at("2026-04-02"));
    let (february, servers, truth) = figures(&world, "2026-02");
    assert_eq!((february, servers), (truth, vec!["backup-b".to_owned(), "vbr01".to_owned()]));
    let (march, servers, truth) = figures(&world, "2026-03");
    assert_eq!((march, servers), (truth, vec!["vbr01".to_owned(), "vbr02".to_owned()]));
}

#[test]
fn a_server_that_left_in_the_evening_and_comes_under_a_new_name_after_the_months_end_counts_once_in_both() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-28T12:30:00Z"));
    let mut settings = take_out(&mut world, "vbr02");
    world.run_until(at("2026-03-01T02:20:00Z"));
    world.wire.connect("backup-b", world.servers["vbr02"].vbr.router());
    settings.name = "backup-b".to_owned();
    put_back(&mut world, settings);
    world.run_until(at("2026-04-02"));
    let (february, servers, truth) = figures(&world, "2026-02");
    assert_eq!(servers, ["vbr01", "vbr02"]);
    assert!(truth - whole(40) <= february && february <= truth, "{february} of {truth}");
    let (march, servers, truth) = figures(&world, "2026-03");
    assert_eq!((march, servers), (truth, vec!["backup-b".to_owned(), "vbr01".to_owned()]));
}

#[test]
fn of_a_consoles_clones_only_the_one_that_is_sampled_directly_is_taken_over() {
    let mut world = cloned("2026-01-10T09:30:00Z");
    take_out(&mut world, "vspc");
    sample_directly(&mut world, "vbr02@vspc", DIRECT);
    restart(&mut world);
    world.run_until(at("2026-03-02"));
    let february = report_of(&world, Some("direct"), "2026-02");
    assert_eq!(servers_in(&february), ["direct", "vbr01@vspc"], "vbr01 is carried");
    assert_eq!(points_of(&february, "direct"), truth(&world, "vbr02@vspc", "2026-02"));
    assert!(whole(100) < points_of(&february, "vbr01@vspc"));
}

#[test]
fn a_clone_that_left_is_not_taken_over_by_one_that_was_sampled_beside_it() {
    let mut world = two_servers("vbr02", true);
    let first = world.servers["vbr01"].estate.lock().unwrap().license.installation_id.clone();
    world.servers["vbr02"].estate.lock().unwrap().license.installation_id = first;
    world.run_until(at("2026-02-10"));
    take_out(&mut world, "vbr02");
    world.run_until(at("2026-02-20"));
    let settings = take_out(&mut world, "vbr01");
    world.run_until(at("2026-02-21"));
    put_back(&mut world, settings);
    world.run_until(at("2026-03-02"));
    let february = report(&world, "2026-02");
    assert_eq!(servers_in(&february), ["vbr01", "vbr02"], "its last numbers stand in the month in which it left");
}

#[test]
fn a_server_that_its_console_no_longer_names_and_that_is_added_by_itself_counts_once() {
    let mut world = console(31, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-10"));
    world.consoles["vspc"].forget("vbr02");
    world.run_until(at("2026-02-11"));
    sample_directly(&mut world, "vbr02@vspc", DIRECT);
    restart(&mut world);
    world.run_until(at("2026-03-02"));
    let february = report_of(&world, Some("direct"), "2026-02");
    assert_eq!(servers_in(&february), ["direct", "vbr01@vspc"]);
    assert_eq!(points_of(&february, "direct"), truth(&world, "vbr02@vspc", "2026-02"));
}
