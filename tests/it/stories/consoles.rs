//! Servers that a Service Provider Console names: counted, stale, gone, and never counted twice.

use std::sync::PoisonError;

use chrono::TimeDelta;
use tidegauge::config::ServerSettings;
use tidegauge::domain::console_report::WhyLeftOut;
use tidegauge::doors::peer::{HttpPeer, PeerSettings, Trust};
use tidegauge::simulation::estate::EstatePlan;
use tidegauge::simulation::vspc::Role;
use tidegauge::simulation::world::{ServerPlan, SourceKind};

use serde_json::json;

use super::*;

/// A console with two customers' servers under one rental key.
pub(super) fn console(seed: u64, begins: &str) -> World {
    World::new(of_console(seed, begins))
}

pub(super) fn of_console(seed: u64, begins: &str) -> WorldPlan {
    let mut plan = calm_vbr(seed, begins, 0);
    let server = |name: &str, machines| {
        let mut estate = EstatePlan::new(seed, name, plan.begins_at, machines);
        estate.license.license_id = Some("11112222-1111-2222-3333-111122223333".to_owned());
        ServerPlan { name: name.to_owned(), source: SourceKind::Vspc(Role::Client), estate }
    };
    plan.servers = vec![server("vbr01@vspc", 30), server("vbr02@vspc", 20)];
    plan
}

/// Samples a server that the console names directly too, under this address.
pub(super) fn sample_directly(world: &mut World, server: &str, url: &str) {
    let direct = HttpPeer { base_url: url.to_owned(), trust: Trust::System, login: None, api_key: None };
    world.wire.connect("direct", world.servers[server].vbr.router());
    world.settings.servers.push(ServerSettings::new("direct", "vbr", PeerSettings::Http(direct)).expect("a source"));
}

pub(super) fn truth(world: &World, server: &str, of: &str) -> Points {
    world.servers[server]
        .estate
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .truth_of_report(month(of))
        .billable_points
}

fn shown<'a>(status: &'a Value, server: &str) -> &'a Value {
    let servers = status["servers"].as_array().expect("a list");
    servers.iter().find(|shown| shown["name"] == server).unwrap_or_else(|| panic!("{server} is not shown"))
}

#[test]
fn a_consoles_servers_are_reported_by_tenant_and_sent() {
    let mut world = console(3, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-12"));
    assert_silent(&world);
    let both = truth(&world, "vbr01@vspc", "2026-01") + truth(&world, "vbr02@vspc", "2026-01");
    assert_eq!(sent(&world), [format!("2026-01 r1 {both}")]);
    let report = report(&world, "2026-01");
    assert!(report.lines.iter().all(|line| line.tenant.is_some() && line.server.ends_with("@vspc")));
    assert_eq!(report.basis.stale, []);
    let days: Vec<_> = report.daily.iter().filter(|day| at("2026-01-11").date_naive() <= day.day).collect();
    assert!(days.iter().all(|day| (day.expected, day.complete) == (6, 6)), "{days:?}");
    let status = status(&world);
    assert_eq!(shown(&status, "vbr01@vspc")["state"], "fresh");
    let left_out = shown(&status, "vspc")["discrepancy"].as_str().expect("it says what it left out");
    assert!(left_out.contains("VSPC's own agents"), "{left_out}");
}

#[test]
fn an_inaccessible_servers_numbers_stand_in_the_report_as_stale() {
    let mut world = console(4, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-01-29"));
    let ill_since = world.now();
    world.consoles["vspc"].change("vbr02", |server| server.ill = Some((ill_since, "Inaccessible")));
    world.run_until(at("2026-02-01T12:00:00Z"));
    check(
        &world,
        &["report 2026-01", "stale", "fresh again"],
        expect![[r#"
            2026-01-29 01:44  vbr02@vspc is stale: vspc calls the server 'Inaccessible': its numbers are of an earlier hour
            2026-02-01 08:00  report 2026-01 r1 generated late: 465 points
        "#]],
    );
    let shown = shown(&status(&world), "vbr02@vspc").clone();
    assert_eq!(shown["state"], "late");
    assert!(shown["stale_since"].as_str().is_some_and(|since| since.starts_with("2026-01-29")), "{shown}");
    assert!(shown["discrepancy"].as_str().is_some_and(|what| what.contains("Inaccessible")), "{shown}");
    let report = report(&world, "2026-01");
    assert_eq!(report.basis.stale.iter().map(|stale| stale.server.as_str()).collect::<Vec<_>>(), ["vbr02@vspc"]);
    assert!(report.lines.iter().any(|line| line.server == "vbr02@vspc"), "its numbers are not dropped");
    let last = report.daily.last().expect("a month has days");
    assert_eq!((last.expected, last.complete), (6, 0), "they do not pass for fresh ones");
    world.consoles["vspc"].change("vbr02", |server| server.ill = None);
    world.run_until(at("2026-02-01T20:00:00Z"));
    assert!(told(&world, &["fresh again"]).contains("vbr02@vspc is fresh again"));
    assert_silent(&world);
}

#[test]
fn a_console_out_of_reach_is_a_miss_of_all_its_servers() {
    let mut world = console(5, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-01-20"));
    world.wire.cut_off("vspc", at("2026-01-20")..at("2026-01-22"));
    world.run_until(at("2026-01-21"));
    for server in ["vspc", "vbr01@vspc", "vbr02@vspc"] {
        let shown = shown(&status(&world), server).clone();
        assert_eq!(shown["state"], "unreachable", "{server}");
        assert!(shown["error"].as_str().is_some_and(|why| why.contains("connection refused")), "{shown}");
    }
    world.run_until(at("2026-01-23"));
    assert!(told(&world, &["answers again"]).contains("vspc answers again"));
    let report = world.ask(&Query::Watermark { unit: None, server: None, week: None, month: Some(month("2026-01")) });
    let daily = report.expect("a mark")["daily"].clone();
    let missed = daily.as_array().expect("days").iter().find(|day| day["day"] == "2026-01-20").expect("the day");
    assert_eq!((missed["expected"].as_u64(), missed["complete"].as_u64()), (Some(6), Some(0)));
    assert_silent(&world);
}

#[test]
fn a_server_that_the_console_no_longer_names_is_named_and_left_to_its_month() {
    let mut world = console(6, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-10"));
    world.consoles["vspc"].forget("vbr02");
    world.run_until(at("2026-02-12"));
    let status = status(&world);
    assert!(shown(&status, "vbr02@vspc")["left_at"].as_str().is_some());
    assert!(
        shown(&status, "vspc")["discrepancy"]
            .as_str()
            .is_some_and(|what| what.contains("vbr02@vspc is no longer named"))
    );
    assert!(
        subjects(&world).iter().any(|subject| subject.contains("vbr02@vspc")),
        "people are told: {:?}",
        subjects(&world)
    );
    world.run_until(at("2026-04-02"));
    let servers = |of: &str| {
        let mut servers: Vec<String> = report(&world, of).lines.into_iter().map(|line| line.server).collect();
        servers.dedup();
        servers
    };
    assert_eq!(servers("2026-02"), ["vbr01@vspc", "vbr02@vspc"]);
    assert_eq!(report(&world, "2026-02").basis.stale.len(), 1);
    assert_eq!(servers("2026-03"), ["vbr01@vspc"]);
    assert_eq!(report(&world, "2026-03").not_collected, [""; 0]);
    assert_silent(&world);
}

#[test]
fn a_server_that_is_sampled_directly_too_counts_once() {
    let mut world = console(7, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-01-20"));
    sample_directly(&mut world, "vbr01@vspc", "https://direct");
    world.off_until(at("2026-01-20T00:20:00Z"));
    world.run_until(at("2026-02-02"));
    let status = status(&world);
    let kept_out = shown(&status, "vspc")["discrepancy"].as_str().expect("it is said").to_owned();
    assert!(
        kept_out.contains("vbr01@vspc is kept out since 2026-01-20") && kept_out.contains("as direct"),
        "{kept_out}"
    );
    let report = report(&world, "2026-01");
    let both = truth(&world, "vbr01@vspc", "2026-01") + truth(&world, "vbr02@vspc", "2026-01");
    assert_eq!(report.total_points, both);
    let mut servers: Vec<&str> = report.lines.iter().map(|line| line.server.as_str()).collect();
    servers.dedup();
    assert_eq!(servers, ["direct", "vbr02@vspc"]);
    let highest = report.daily.iter().filter_map(|day| day.points).max().expect("a mark");
    assert!(highest < both + whole(60), "{highest} holds the machines twice; they are {both}");
    assert_eq!(world.objections(), [""; 0]);
}

#[test]
fn a_clone_of_a_server_that_is_sampled_directly_counts_on_and_is_named() {
    let mut plan = of_console(7, "2026-01-10T09:30:00Z");
    plan.servers[1].estate.license.installation_id = plan.servers[0].estate.license.installation_id.clone();
    let mut world = World::new(plan);
    world.run_until(at("2026-01-20"));
    sample_directly(&mut world, "vbr01@vspc", "https://VBR01.customer.example");
    world.off_until(at("2026-01-20T00:20:00Z"));
    world.run_until(at("2026-01-20T12:00:00Z"));
    let status = status(&world);
    let said = shown(&status, "vspc")["discrepancy"].as_str().expect("it is said").to_owned();
    assert!(said.contains("vbr01@vspc is kept out since 2026-01-20") && !said.contains("vbr02@vspc"), "{said}");
    let warnings = status["warnings"].to_string();
    assert!(
        warnings.contains("direct and vbr02@vspc show one installation id")
            || warnings.contains("vbr02@vspc and direct show one installation id"),
        "{warnings}"
    );
    world.run_until(at("2026-02-02"));
    let report = report(&world, "2026-01");
    let both = truth(&world, "vbr01@vspc", "2026-01") + truth(&world, "vbr02@vspc", "2026-01");
    assert_eq!(report.total_points, both, "the clone's machines are not lost");
    assert_eq!(world.objections(), [""; 0]);
}

#[test]
fn of_clones_that_are_not_called_as_the_direct_server_the_one_is_named_that_a_person_says() {
    let mut plan = of_console(7, "2026-01-10T09:30:00Z");
    plan.servers[1].estate.license.installation_id = plan.servers[0].estate.license.installation_id.clone();
    let mut world = World::new(plan);
    world.run_until(at("2026-01-20"));
    sample_directly(&mut world, "vbr01@vspc", "https://10.20.30.40");
    world.off_until(at("2026-01-20T00:20:00Z"));
    world.run_until(at("2026-01-20T12:00:00Z"));
    let warned = |world: &World| status(world)["warnings"].to_string();
    let twice = "one of vbr01@vspc and vbr02@vspc is direct itself and counts twice: add known_as = ";
    assert_eq!(warned(&world).matches(twice).count(), 1, "{}", warned(&world));
    let direct = world.settings.servers.last_mut().expect("it was added");
    direct.other_names = vec!["vbr01".to_owned()];
    world.off_until(at("2026-01-20T12:20:00Z"));
    world.run_until(at("2026-02-02"));
    assert!(!warned(&world).contains("counts twice"), "{}", warned(&world));
    let both = truth(&world, "vbr01@vspc", "2026-01") + truth(&world, "vbr02@vspc", "2026-01");
    assert_eq!(report(&world, "2026-01").total_points, both);
    assert_eq!(world.objections(), [""; 0]);
}

#[test]
fn a_server_without_installation_id_that_is_called_as_one_of_a_console_is_named() {
    let mut plan = of_console(7, "2026-01-10T09:30:00Z");
    plan.servers[0].estate.license.installation_id = None;
    let mut world = World::new(plan);
    world.run_until(at("2026-01-20"));
    sample_directly(&mut world, "vbr01@vspc", "https://vbr01.customer.example");
    world.off_until(at("2026-01-20T00:20:00Z"));
    world.run_until(at("2026-01-20T12:00:00Z"));
    let warned = status(&world)["warnings"].to_string();
    let expected = "direct and vbr01@vspc may be one server; state installation_id or drop one";
    assert!(warned.contains(expected), "{warned}");
    assert_eq!(warned.matches("may be one server").count(), 1, "{warned}");
}

#[test]
fn what_the_entry_says_of_its_manager_holds_for_all_servers_of_a_console() {
    for (approves, reminded) in [(true, false), (false, true)] {
        let mut world = console(9, "2026-01-20T09:30:00Z");
        world.settings.servers[0].managed_by = Some(tidegauge::config::ManagedBy::Vspc);
        world.settings.servers[0].vspc_auto_approval = approves;
        world.off_until(at("2026-01-20T10:00:00Z"));
        world.run_until(at("2026-02-12"));
        assert_eq!(!told(&world, &["deadline_near"]).is_empty(), reminded);
        assert_silent(&world);
    }
}

#[test]
fn samples_of_a_console_killed_in_the_middle_are_whole_after_the_next() {
    for point in tidegauge::simulation::world::KILL_POINTS {
        let mut world = console(8, "2026-01-10T09:30:00Z");
        world.run_until(at("2026-01-12"));
        world.kill_once("collect", point);
        world.run_until(at("2026-01-13") + TimeDelta::hours(1));
        assert_eq!(world.kills_left(), 0);
        for server in ["vbr01@vspc", "vbr02@vspc"] {
            let times = world.agent().store().sample_times(server, at("2026-01-12")..at("2026-01-13")).expect("times");
            assert!(6 <= times.len(), "{point:?} {server}: {times:?}");
        }
        assert_silent(&world);
    }
}

fn compared(world: &mut World, of: &str) -> Value {
    let order = Order::CompareReport { target: target(of), with: "vspc".to_owned() };
    world.order(order, "licensing").expect("both reports are there")
}

#[test]
fn a_month_is_laid_beside_the_consoles_own_report_and_nothing_is_recorded() {
    let mut world = console(3, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-02-02"));
    let told = world.story().len();
    let january = compared(&mut world, "2026-01");
    assert_eq!(january["schema"], "tidegauge.report-comparison/1");
    assert_eq!((&january["is_equal"], &january["difference"]), (&json!(true), &json!("0")), "{january:#}");
    assert_eq!(january["ours_points"], json!(report(&world, "2026-01").total_points));
    assert_eq!(january["beside"][0]["what"], "VSPC's own agents");
    world.consoles["vspc"].change("vbr02", |server| server.left_out = Some(WhyLeftOut::NotCollected));
    let without = compared(&mut world, "2026-01");
    assert_eq!(without["is_equal"], false);
    assert_eq!(without["difference"], json!(truth(&world, "vbr02@vspc", "2026-01")));
    for line in without["lines"].as_array().expect("lines").iter().filter(|line| line["is_equal"] == false) {
        let reasons = line["reasons"].as_array().expect("reasons");
        let named = |reason: &Value| reason["reason"] == "left_out_there" && reason["server"] == "vbr02@vspc";
        assert!(reasons.iter().any(named), "{line:#}");
    }
    assert_eq!(world.story().len(), told, "nothing is recorded");
    let of_nothing = Order::CompareReport { target: target("2026-02"), with: "vspc".to_owned() };
    assert_eq!(world.order(of_nothing, "licensing").expect_err("February is not over").code, 66);
    let of_nobody = Order::CompareReport { target: target("2026-01"), with: "vbr09".to_owned() };
    assert_eq!(world.order(of_nobody, "licensing").expect_err("no such console").code, 78);
    assert_silent(&world);
}

#[test]
fn a_console_that_states_absurd_numbers_of_a_server_is_missed_and_the_server_is_not_taken_as_gone() {
    let absurd = Some((1_000_000_000, Points::whole(10_000_000)));
    let mut world = console(11, "2026-01-10T09:30:00Z");
    world.run_until(at("2026-01-20T01:00:00Z"));
    let newest = |world: &World, server: &str| world.agent().store().newest_sample_at(server, world.now()).unwrap();
    let before = newest(&world, "vbr02@vspc");
    let states = |world: &World, server: &str, stated| {
        world.consoles["vspc"].change(server, |server| server.misstated = stated);
    };
    states(&world, "vbr02", absurd);
    world.run_until(at("2026-01-21T01:00:00Z"));
    let reads = world.consoles["vspc"].asked()["/api/v3/licensing/backupServers"];
    let status_now = status(&world);
    let error = shown(&status_now, "vspc")["error"].as_str().expect("a miss of the console");
    assert!(error.starts_with("vbr02@vspc: ") && error.contains("more than any provider has"), "{error}");
    assert_eq!(shown(&status_now, "vbr02@vspc")["left_at"], Value::Null, "it is still named");
    assert_eq!(newest(&world, "vbr02@vspc"), before, "what is absurd is not taken");
    assert!(newest(&world, "vbr01@vspc") > before, "its sister is sampled on");
    states(&world, "vbr01", absurd);
    world.run_until(at("2026-01-22T01:00:00Z"));
    let more = world.consoles["vspc"].asked()["/api/v3/licensing/backupServers"] - reads;
    assert!((6..=30).contains(&more), "at the regular hours, also when all are absurd: {more}");
    for server in ["vbr01", "vbr02"] {
        states(&world, server, None);
    }
    world.run_until(at("2026-01-23T01:00:00Z"));
    assert_eq!(shown(&status(&world), "vspc")["error"], Value::Null);
    assert_eq!(shown(&status(&world), "vbr02@vspc")["state"], "fresh");
    assert_eq!(told(&world, &["answers again"]).lines().count(), 1);
    assert!(!told(&world, &["no longer names"]).contains("vbr"));
    assert_silent(&world);
}

#[test]
fn counts_from_after_a_months_end_do_not_stand_for_it() {
    let mut world = console(3, "2026-01-10T09:30:00Z");
    world.wire.cut_off("vspc", at("2026-01-31T18:30:00Z")..at("2026-02-01T00:20:00Z"));
    world.run_until(at("2026-02-02"));
    let report = report(&world, "2026-01");
    assert_eq!(report.basis.stale.len(), 0, "a sample of 16:30 is fresh enough: {:?}", report.basis);
    let mut world = console(3, "2026-01-10T09:30:00Z");
    world.wire.cut_off("vspc", at("2026-01-31T10:00:00Z")..at("2026-02-01T00:20:00Z"));
    world.run_until(at("2026-02-02"));
    let report = self::report(&world, "2026-01");
    assert_eq!(report.basis.stale.len(), 2, "both are carried: {:?}", report.basis);
    let after = world.agent().store().sample_times("vbr01@vspc", at("2026-02-01")..at("2026-02-01T08:00:00Z")).unwrap();
    assert!(!after.is_empty(), "there was one soon after the month's end");
}
