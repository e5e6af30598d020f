//! Each misbehaviour of a far side alone: said, tried again, healed; nothing lost, nothing doubled, nothing believed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use tidegauge::protocol::PEER;
use tidegauge::simulation::misbehaviour::{Misbehaviour, OF_HTTP, OF_MAIL, OF_SIGNED};
use tidegauge::simulation::vbr::Fault;

use super::*;

/// From shortly before a month's end to after the eleventh, with the License Update Server like this over it.
fn over_the_eleventh(how: Misbehaviour) -> World {
    let mut world = World::new(calm_vbr(31, "2026-01-27T09:30:00Z", 5));
    world.wire.misbehave(PEER, at("2026-02-10T20:00:00Z")..at("2026-02-12T07:30:00Z"), how);
    world.run_until(at("2026-02-12T07:29:00Z"));
    assert!(!is_sent(&report(&world, "2026-01")), "{how:?}: no receipt that was not signed is believed");
    assert!(told(&world, &["2026-01 r1 submitted"]).is_empty(), "{how:?}");
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("submit"), "{how:?}: {warnings}");
    world.run_until(at("2026-02-23"));
    world.object_to_what_is_left();
    world
}

#[test]
fn whatever_the_license_server_answers_the_report_is_taken_once_when_it_is_well() {
    for how in OF_HTTP.into_iter().chain(OF_SIGNED) {
        let world = over_the_eleventh(how);
        println!("{how:?}");
        assert_silent(&world);
        assert!(is_sent(&report(&world, "2026-01")), "{how:?}");
        assert_eq!(submissions(&world).len(), 1, "{how:?}");
        let setbacks = told(&world, &["setback"]).lines().filter(|line| line.starts_with("2026-02-11")).count();
        assert!((20..=60).contains(&setbacks), "{how:?}: hourly, not more: {setbacks} setbacks on the eleventh");
        let mut failing = BTreeMap::new();
        for line in told(&world, &["notice report.send_failing"]).lines() {
            *failing.entry(line[..10].to_owned()).or_insert(0) += 1;
        }
        assert_eq!(failing.keys().collect::<Vec<_>>(), ["2026-02-11", "2026-02-12"], "{how:?}");
        assert!(failing.values().all(|times| *times == 1), "{how:?}: told once a day: {failing:?}");
        let weeks: Vec<_> = telemetry(&world).iter().map(|one| one.week).collect();
        assert!(weeks.windows(2).all(|pair| pair[0].next() == pair[1]) && weeks.len() >= 2, "{how:?}: {weeks:?}");
    }
}

#[test]
fn whatever_a_backup_server_answers_it_is_told_once_and_sampled_when_it_is_well() {
    for how in OF_HTTP {
        let mut world = World::new(calm_vbr(32, "2026-01-20T09:30:00Z", 5));
        world.wire.misbehave("vbr01", at("2026-01-22")..at("2026-01-24"), how);
        world.run_until(at("2026-01-26"));
        println!("{how:?}");
        world.object_to_what_is_left();
        assert_silent(&world);
        let unit = world.agent().store().units().unwrap().remove(0).id;
        let sampled = |day: &str| {
            let day = day.parse().unwrap();
            !world.agent().store().days(&unit, day, day).unwrap().is_empty()
        };
        assert!(sampled("2026-01-21") && !sampled("2026-01-22") && !sampled("2026-01-23") && sampled("2026-01-24"));
        for (what, times) in [("notice server.unreachable", 1), ("answers again", 1)] {
            let lines = told(&world, &[what]);
            assert_eq!(lines.lines().count(), times, "{how:?}: {lines}");
        }
    }
}

/// Message-IDs with how often their mail came.
fn letters(world: &World) -> BTreeMap<String, usize> {
    let mut letters = BTreeMap::new();
    for mail in world.wire.mails() {
        *letters.entry(header(&mail.message, "Message-ID")).or_insert(0) += 1;
    }
    letters
}

#[test]
fn whatever_a_mail_server_answers_each_letter_comes_and_none_is_another() {
    let play = |how: Option<Misbehaviour>| {
        let mut world = World::new(calm(33, "2026-01-27T09:30:00Z", 5));
        if let Some(how) = how {
            world.wire.misbehave("mail", at("2026-01-31T23:00:00Z")..at("2026-02-03"), how);
        }
        world.run_until(at("2026-02-13"));
        world.object_to_what_is_left();
        assert_silent(&world);
        world
    };
    let ids = |world: &World| letters(world).into_keys().collect::<BTreeSet<_>>();
    let calm_letters = ids(&play(None));
    assert!(calm_letters.len() >= 3, "{calm_letters:?}");
    for how in OF_MAIL {
        let world = play(Some(how));
        assert_eq!(ids(&world), calm_letters, "{how:?}");
        let doubled = letters(&world).values().any(|times| *times > 1);
        assert_eq!(doubled, how == Misbehaviour::LostAnswer, "{how:?}: a letter may come twice only when it was taken");
    }
}

#[test]
fn letters_refused_for_good_are_said_in_status_until_one_is_taken() {
    let mut world = World::new(calm(33, "2026-01-27T09:30:00Z", 5));
    world.wire.misbehave("mail", at("2026-01-31T23:00:00Z")..at("2026-02-03"), Misbehaviour::Status(550));
    world.run_until(at("2026-02-02"));
    let warnings = status(&world)["warnings"].to_string();
    assert!(warnings.contains("letters to licensing@example.net were refused"), "{warnings}");
    assert!(letters(&world).is_empty());
    world.run_until(at("2026-02-13"));
    let warnings = status(&world)["warnings"].to_string();
    assert!(!warnings.contains("were refused"), "{warnings}");
    assert!(!letters(&world).is_empty());
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn five_weeks_without_the_license_server_are_caught_up_in_order() {
    let mut world = World::new(calm_vbr(34, "2026-01-06T09:30:00Z", 5));
    world.run_until(at("2026-01-25"));
    let before = telemetry(&world).len();
    world.wire.misbehave(PEER, at("2026-01-25")..at("2026-03-01T12:00:00Z"), Misbehaviour::Status(503));
    world.run_until(at("2026-03-01T11:59:00Z"));
    assert_eq!((submissions(&world).len(), telemetry(&world).len()), (0, before));
    let failing = told(&world, &["notice report.send_failing"]).lines().count();
    assert!((17..=20).contains(&failing), "once a day from the eleventh on: {failing}");
    world.run_until(at("2026-03-02T14:00:00Z"));
    assert_eq!(sent(&world).len(), 1, "the report goes within the hour, {:?}", sent(&world));
    world.run_until(at("2026-03-16"));
    assert_eq!(
        submissions(&world).iter().map(|one| one.month).collect::<Vec<_>>(),
        [month("2026-01"), month("2026-02")]
    );
    let weeks: Vec<_> = telemetry(&world).iter().map(|one| one.week).collect();
    assert!(weeks.windows(2).all(|pair| pair[0].next() == pair[1]), "{weeks:?}");
    let state = world.license_server.as_ref().unwrap().state();
    let unit = state.units.values().next().unwrap();
    assert_eq!(unit.last_week.map(|week| week.to_string()).as_deref(), Some("2026-W10"));
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_receipt_lost_after_acceptance_is_the_same_receipt_when_it_comes() {
    let mut world = World::new(calm_vbr(35, "2026-01-27T09:30:00Z", 5));
    world.wire.misbehave(PEER, at("2026-02-11")..at("2026-02-11T03:30:00Z"), Misbehaviour::LostAnswer);
    world.run_until(at("2026-02-11T03:00:00Z"));
    assert_eq!(submissions(&world).len(), 1, "it was taken");
    assert!(!is_sent(&report(&world, "2026-01")), "and nobody knows here");
    world.run_until(at("2026-02-12"));
    let Stage::Submitted { at: known_at, receipt } = report(&world, "2026-01").stage else { panic!("it is sent") };
    assert_eq!((receipt.received_at, known_at), (at("2026-02-11"), at("2026-02-11T04:00:00Z")));
    let state = world.license_server.as_ref().unwrap().state();
    assert_eq!(state.messages[&receipt.id].receipt, receipt);
    assert_silent(&world);
}

#[test]
fn a_list_that_shifts_while_it_is_paged_never_makes_a_sample() {
    let mut world = World::new(calm_vbr(36, "2026-01-20T09:30:00Z", 11));
    world.servers["vbr01"].vbr.set_rows_max(4);
    world.run_until(at("2026-01-22"));
    world.servers["vbr01"].vbr.set_faults(&[Fault::MovingRows]);
    world.run_until(at("2026-01-23"));
    let missed = told(&world, &["not sampled"]);
    assert!(missed.contains("its rows moved while it was read"), "{missed}");
    let newest = world.agent().store().newest_sample_at("vbr01", world.now()).unwrap().unwrap();
    assert!(newest < at("2026-01-22T04:00:00Z"), "{newest}");
    world.servers["vbr01"].vbr.set_faults(&[]);
    world.run_until(at("2026-01-25"));
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_workload_that_stands_twice_in_the_list_counts_once_and_is_said() {
    let mut world = World::new(calm_vbr(36, "2026-01-20T09:30:00Z", 11));
    world.servers["vbr01"].vbr.set_faults(&[Fault::DoubledRow]);
    world.run_until(at("2026-01-22"));
    assert_silent(&world);
    let said = status(&world)["servers"][0]["discrepancy"].to_string();
    assert!(said.contains("names 1 workloads more than once"), "{said}");
}

#[test]
fn a_server_that_was_installed_anew_counts_on_in_its_unit_once_and_is_said() {
    let mut world = World::new(calm_vbr(37, "2026-01-20T09:30:00Z", 6));
    world.run_until(at("2026-01-23T09:00:00Z"));
    let old = world.servers["vbr01"].estate.lock().unwrap().license.installation_id.clone().unwrap();
    world.servers["vbr01"].vbr.set_faults(&[Fault::Reinstalled]);
    let mut said = BTreeSet::new();
    while world.now() < at("2026-01-26") {
        let next = world.now() + TimeDelta::hours(2);
        world.run_until(next);
        let discrepancy = status(&world)["servers"][0]["discrepancy"].as_str().map(str::to_owned);
        said.extend(discrepancy.filter(|said| said.contains("installed anew")));
    }
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said.iter().all(|said| said.contains(&old)), "{said:?}");
    world.servers["vbr01"].vbr.set_faults(&[]);
    world.run_until(at("2026-02-13"));
    assert_eq!(world.agent().store().units().unwrap().len(), 1);
    assert_eq!(submissions(&world).len(), 1);
    let (total, servers) = (report(&world, "2026-01").total_points, &world.servers);
    let truth = servers["vbr01"].estate.lock().unwrap().truth_of_report(month("2026-01")).billable_points;
    assert_eq!(total, truth);
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_license_block_that_vanishes_costs_no_sample_and_forms_no_unit() {
    let mut world = World::new(calm_vbr(38, "2026-01-20T09:30:00Z", 6));
    world.run_until(at("2026-01-23T09:00:00Z"));
    world.servers["vbr01"].vbr.set_faults(&[Fault::NoLicense]);
    world.run_until(at("2026-01-26"));
    let newest = world.agent().store().newest_sample("vbr01", world.now()).unwrap().unwrap();
    assert_eq!(newest.sample.license.edition.as_deref(), Some("EnterprisePlus"), "new machines are weighed by it");
    let said = newest.sample.discrepancies.join("; ");
    assert!(said.contains("the server names no edition of its license: EnterprisePlus"), "{said}");
    world.servers["vbr01"].vbr.set_faults(&[]);
    world.run_until(at("2026-02-13"));
    assert_eq!(world.agent().store().units().unwrap().len(), 1);
    assert_eq!(submissions(&world).len(), 1);
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_license_server_whose_clock_is_behind_takes_everything_when_it_is_right() {
    let mut world = World::new(calm_vbr(39, "2026-01-20T09:30:00Z", 6));
    world.wire.clock_ahead(PEER, TimeDelta::days(-40));
    world.run_until(at("2026-02-12"));
    assert_eq!((submissions(&world).len(), telemetry(&world).len()), (0, 0));
    assert!(told(&world, &["has not ended by this server's clock"]).lines().count() > 20);
    world.wire.clock_ahead(PEER, TimeDelta::zero());
    world.run_until(at("2026-02-23"));
    assert_eq!(submissions(&world).len(), 1);
    world.object_to_what_is_left();
    assert_silent(&world);
}

#[test]
fn a_backup_server_whose_clock_is_ahead_is_not_believed_until_it_is_right() {
    for minutes in [-90, 6, 24 * 60] {
        let mut world = World::new(calm_vbr(40, "2026-01-20T09:30:00Z", 6));
        world.run_until(at("2026-01-22"));
        world.wire.clock_ahead("vbr01", TimeDelta::minutes(minutes));
        world.run_until(at("2026-01-23"));
        let newest = world.agent().store().newest_sample_at("vbr01", world.now()).unwrap().unwrap();
        assert!(newest < at("2026-01-22T04:00:00Z"), "{minutes}: {newest}");
        assert_eq!(told(&world, &["notice clock.suspect"]).lines().count(), 1, "{minutes}");
        world.wire.clock_ahead("vbr01", TimeDelta::minutes(4));
        world.run_until(at("2026-01-24"));
        assert_eq!(told(&world, &["clock agreed again"]).lines().count(), 1, "{minutes}");
        world.object_to_what_is_left();
        assert_silent(&world);
    }
}

#[test]
fn letters_put_off_by_a_wrong_clock_are_sent_when_it_is_right() {
    let mut world = World::new(calm_vbr(41, "2026-01-27T09:30:00Z", 5));
    world.wire.cut_off("mail", at("2026-02-01")..at("2026-02-05"));
    world.run_until(at("2026-02-03T09:00:00Z"));
    world.off_until_with_clock_ahead(at("2026-02-03T10:00:00Z"), TimeDelta::days(40));
    world.run_until(at("2026-02-03T16:00:00Z"));
    let tries = world.agent().store().rows::<Value>("setback/").unwrap();
    let ahead = |row: &Value| row["next_try_at"].as_str().is_some_and(|next| next.starts_with("2026-03"));
    assert!(tries.iter().any(|(_, row)| ahead(row)), "the wrong clock put letters off by weeks: {tries:?}");
    world.off_until_with_clock_ahead(at("2026-02-03T17:00:00Z"), TimeDelta::zero());
    world.run_until(at("2026-02-06"));
    assert_eq!(status(&world)["untold"], 0, "{}", status(&world)["warnings"]);
    assert_silent(&world);
}

#[test]
fn a_report_sealed_by_a_wrong_clock_is_sent_when_it_is_right() {
    let mut world = World::new(calm(42, "2026-01-27T09:30:00Z", 5));
    world.run_until(at("2026-02-09T09:00:00Z"));
    world.wire.cut_off(PEER, at("2026-02-09T09:00:00Z")..at("2026-02-09T15:00:00Z"));
    world.off_until_with_clock_ahead(at("2026-02-09T10:00:00Z"), TimeDelta::days(3));
    world.run_until(at("2026-02-09T12:00:00Z"));
    let Stage::Sending { sealed_at } = report(&world, "2026-01").stage else { panic!("it was not sealed") };
    assert!(sealed_at > at("2026-02-12"), "{sealed_at}");
    world.off_until_with_clock_ahead(at("2026-02-09T16:00:00Z"), TimeDelta::zero());
    world.run_until(at("2026-02-09T18:00:00Z"));
    assert_eq!(submissions(&world).len(), 1, "{}", status(&world)["warnings"]);
    assert!(is_sent(&report(&world, "2026-01")));
}

#[test]
fn a_week_sealed_by_a_wrong_clock_before_it_was_over_is_sealed_anew() {
    // The clock is ahead so far that the week is over by it; it is right again at once, or after the hour of the seal.
    for (days, right_at) in [(20, "2026-02-03T16:00:00Z"), (8, "2026-02-03T16:00:00Z"), (8, "2026-02-12T16:00:00Z")] {
        let mut world = World::new(calm(44, "2026-02-02T01:30:00Z", 5));
        world.run_until(at("2026-02-03T09:00:00Z"));
        world.wire.cut_off(PEER, at("2026-02-03T09:00:00Z")..at("2026-02-13"));
        let added = &tidegauge::domain::workload::WorkloadType::Vm;
        world.servers["vbr01"].estate.lock().unwrap().add(added, at("2025-06-01"));
        world.off_until_with_clock_ahead(at("2026-02-03T10:00:00Z"), TimeDelta::days(days));
        world.run_until(at("2026-02-08"));
        let sealed = |world: &World| told(world, &["telemetry 2026-W06 sealed"]).lines().count();
        assert_eq!(sealed(&world), 1, "{days}: {}", status(&world)["warnings"]);
        world.off_until_with_clock_ahead(at(right_at).max(world.now()), TimeDelta::zero());
        world.run_until(at("2026-02-20"));
        assert_eq!(sealed(&world), 2, "{days} {right_at}");
        world.object_to_what_is_left();
        assert_silent(&world);
    }
}

#[test]
fn a_license_is_looked_after_again_when_a_clock_that_was_ahead_is_right() {
    let mut world = World::new(calm(43, "2026-01-27T09:30:00Z", 5));
    world.run_until(at("2026-01-29"));
    world.off_until_with_clock_ahead(at("2026-01-29T10:00:00Z"), TimeDelta::days(40));
    world.run_until(at("2026-01-29T12:00:00Z"));
    let last_check = |world: &World| {
        let license = world.ask(&Query::License { unit: None, server: None }).expect("one unit");
        license["last_check"]["at"].as_str().expect("it was looked after").to_owned()
    };
    assert!(last_check(&world).starts_with("2026-03"), "{}", last_check(&world));
    world.off_until_with_clock_ahead(at("2026-01-29T16:00:00Z"), TimeDelta::zero());
    world.run_until(at("2026-01-30"));
    assert!(last_check(&world).starts_with("2026-01-29"), "{}", last_check(&world));
}
