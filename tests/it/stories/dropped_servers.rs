//! Servers that a person takes out of the settings, puts back, or names anew.

use chrono::TimeDelta;
use tidegauge::config::ServerSettings;

use super::consoles::{console, sample_directly, truth};
use super::units::{truth_of_both, two_servers};
use super::*;

/// Takes the server out of the settings, as a person does who restarts the agent with them.
pub(super) fn take_out(world: &mut World, server: &str) -> ServerSettings {
    let at = world.settings.servers.iter().position(|one| one.name == server).expect("it is in the settings");
    let settings = world.settings.servers.remove(at);
    restart(world);
    settings
}

pub(super) fn put_back(world: &mut World, settings: ServerSettings) {
    world.settings.servers.push(settings);
    restart(world);
}

pub(super) fn restart(world: &mut World) {
    world.off_until(world.now() + TimeDelta::minutes(1));
}

pub(super) fn servers_in(report: &UsageReport) -> Vec<&str> {
    let mut servers: Vec<&str> = report.lines.iter().map(|line| line.server.as_str()).collect();
    servers.dedup();
    servers
}

#[test]
fn a_server_taken_out_of_the_settings_stands_in_that_months_report_and_in_none_after_it() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-20"));
    take_out(&mut world, "vbr02");
    world.run_until(at("2026-04-12"));
    assert_silent(&world);
    let february = report(&world, "2026-02");
    assert_eq!(servers_in(&february), ["vbr01", "vbr02"]);
    assert_eq!(february.basis.stale.iter().map(|stale| stale.server.as_str()).collect::<Vec<_>>(), ["vbr02"]);
    let march = report(&world, "2026-03");
    assert_eq!(servers_in(&march), ["vbr01"]);
    assert!(is_sent(&march) && march.basis.stale.is_empty() && march.not_collected.is_empty());
    assert_eq!(march.provenance.servers.iter().map(|one| one.server.as_str()).collect::<Vec<_>>(), ["vbr01"]);
    let days: Vec<_> = march.daily.iter().filter(|day| (day.expected, day.complete) != (6, 6)).collect();
    assert!(days.is_empty(), "nobody waits for its samples: {days:?}");
    assert_eq!(told(&world, &["notice server."]).lines().count(), 1, "{}", told(&world, &["notice server."]));
    assert!(!told(&world, &["settings no longer name vbr02"]).is_empty());
}

#[test]
fn a_server_that_is_put_back_is_reported_again_and_people_are_told() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-20"));
    let settings = take_out(&mut world, "vbr02");
    world.run_until(at("2026-03-20"));
    assert!(told(&world, &["notice server.recovered"]).is_empty());
    put_back(&mut world, settings);
    world.run_until(at("2026-04-12"));
    assert_silent(&world);
    assert_eq!(told(&world, &["notice server.recovered"]).lines().count(), 1);
    let march = report(&world, "2026-03");
    assert_eq!((march.total_points, march.basis.stale.len()), (truth_of_both(&world, "2026-03"), 0));
    assert!(!is_sent(&march), "nobody looked at the server for weeks, so a person does");
}

#[test]
fn a_unit_whose_last_server_was_taken_out_owes_nothing_further() {
    let mut world = two_servers("vbr02", false);
    world.run_until(at("2026-02-20"));
    let second = report_of(&world, Some("vbr02"), "2026-01").unit;
    take_out(&mut world, "vbr02");
    world.run_until(at("2026-05-12"));
    assert_silent(&world);
    let of_second = |unit: &str| unit == second;
    let weeks: Vec<_> = telemetry(&world).into_iter().filter(|one| of_second(&one.unit)).map(|one| one.week).collect();
    assert_eq!(weeks.last().map(ToString::to_string), Some("2026-W08".to_owned()), "{weeks:?}");
    let reports = world.agent().store().keys(&format!("head/{second}/")).expect("a store");
    assert_eq!(reports.len(), 2, "January and February, and no report of nothing: {reports:?}");
}

#[test]
fn a_server_under_a_new_name_in_the_settings_counts_once() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-20"));
    world.wire.connect("backup-b", world.servers["vbr02"].vbr.router());
    world.settings.servers[1].name = "backup-b".to_owned();
    restart(&mut world);
    world.run_until(at("2026-03-12"));
    let february = report(&world, "2026-02");
    assert_eq!(servers_in(&february), ["backup-b", "vbr01"]);
    assert!(is_sent(&february) && february.basis.stale.is_empty());
    assert_eq!(february.total_points, truth_of_both(&world, "2026-02"));
    let highest = february.daily.iter().filter_map(|day| day.points).max().expect("days have marks");
    assert!(highest <= february.total_points + whole(60), "{highest} of {}", february.total_points);
}

#[test]
fn a_new_name_on_the_far_side_of_a_months_end_leaves_each_month_whole() {
    let mut world = two_servers("vbr02", true);
    world.run_until(at("2026-02-28T23:50:00Z"));
    let mut settings = take_out(&mut world, "vbr02");
    world.wire.connect("backup-b", world.servers["vbr02"].vbr.router());
    world.off_until(at("2026-03-01T00:20:00Z"));
    settings.name = "backup-b".to_owned();
    put_back(&mut world, settings);
    world.run_until(at("2026-04-12"));
    let of = |of: &str| (report(&world, of).total_points, truth_of_both(&world, of));
    let (february, truth) = of("2026-02");
    assert_eq!((february, servers_in(&report(&world, "2026-02"))), (truth, vec!["vbr01", "vbr02"]));
    let march = report(&world, "2026-03");
    assert_eq!((march.total_points, servers_in(&march)), (of("2026-03").1, vec!["backup-b", "vbr01"]));
    assert!(is_sent(&march) && march.basis.stale.is_empty(), "nobody waits for the old name: {:?}", march.coverage);
}

#[test]
fn a_server_that_moves_from_its_console_to_the_settings_or_back_counts_once() {
    let mut world = console(31, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-10"));
    sample_directly(&mut world, "vbr01@vspc", "https://vbr01.example.net:9419");
    let of_console = take_out(&mut world, "vspc");
    world.run_until(at("2026-03-02"));
    let february = report_of(&world, Some("direct"), "2026-02");
    assert_eq!(servers_in(&february), ["direct", "vbr02@vspc"], "the console's other server is carried");
    let direct: Points = february.lines.iter().filter(|line| line.server == "direct").map(|line| line.points).sum();
    assert_eq!(direct, truth(&world, "vbr01@vspc", "2026-02"));

    put_back(&mut world, of_console);
    take_out(&mut world, "direct");
    world.run_until(at("2026-04-02"));
    let march = report_of(&world, Some("vbr01@vspc"), "2026-03");
    assert_eq!(servers_in(&march), ["vbr01@vspc", "vbr02@vspc"]);
    assert_eq!(march.total_points, truth(&world, "vbr01@vspc", "2026-03") + truth(&world, "vbr02@vspc", "2026-03"));
}
