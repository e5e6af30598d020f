//! Worlds in bad weather drawn from a seed: first nothing wrong may happen, then everything owed gets done.
//!
//! `TIDEGAUGE_SEEDS` says how many worlds are played (200 unless set); `scripts/test --all` plays thousands.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tidegauge::domain::installation::entry_of;
use tidegauge::protocol::PEER;
use tidegauge::simulation::trial::{Played, Trial, kind_of};
use tidegauge::simulation::weather::{Event, Fault, OF_MANAGER, OF_VBR, OF_VSPC};
use tidegauge::simulation::wire::{PASSWORD, USERNAME};
use tidegauge::simulation::world::{SourceKind, World};

use super::*;

/// Days of bad weather in each world.
const DAYS: i64 = 30;
/// Worlds over all the tests here.
const SEEDS: u64 = 200;
/// Tests that share the seeds, so that they run beside each other.
const SHARES: u64 = 6;

fn trial(seed: u64) -> Trial {
    Trial { seed, days: DAYS, workloads: None }
}

fn seeds() -> u64 {
    std::env::var("TIDEGAUGE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// Plays every seed of a share; the first that fails is shown with the fewest events that make it fail.
fn play_share(share: u64) {
    for seed in (0..seeds()).filter(|seed| seed % SHARES == share) {
        let played = trial(seed).play();
        if !played.objections.is_empty() {
            panic!("seed {seed}:\n{}", shown(&played.shrunk(&trial(seed)).expect("it failed").played));
        }
    }
}

fn shown(played: &Played) -> String {
    let events = played.weather.iter().map(ToString::to_string);
    played.objections.iter().cloned().chain(events).chain(played.story.iter().cloned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn seeded_worlds_in_bad_weather_do_nothing_wrong_and_end_with_nothing_owed() {
    play_share(0);
}

#[test]
fn more_seeded_worlds_do_nothing_wrong_and_end_with_nothing_owed() {
    play_share(1);
}

#[test]
fn another_share_of_seeded_worlds_does_nothing_wrong_and_ends_with_nothing_owed() {
    play_share(2);
}

#[test]
fn a_fourth_share_of_seeded_worlds_does_nothing_wrong_and_ends_with_nothing_owed() {
    play_share(3);
}

#[test]
fn a_fifth_share_of_seeded_worlds_does_nothing_wrong_and_ends_with_nothing_owed() {
    play_share(4);
}

#[test]
fn a_sixth_share_of_seeded_worlds_does_nothing_wrong_and_ends_with_nothing_owed() {
    play_share(5);
}

/// Seeds in whose forty days of weather the License Update Server's clock was ahead while weeks came in.
const ITS_CLOCK_WAS_AHEAD: [u64; 2] = [41, 109];

#[test]
fn weeks_are_in_order_whatever_the_license_update_servers_clock_said_of_them() {
    for seed in ITS_CLOCK_WAS_AHEAD {
        let played = Trial { days: 40, ..trial(seed) }.play();
        assert_eq!(played.objections, [""; 0], "seed {seed}: {}", shown(&played));
    }
}

#[test]
fn a_seed_is_drawn_into_the_same_world_and_weather_each_time() {
    let (first, again) = (trial(7).drawn(), trial(7).drawn());
    assert_eq!(first.1, again.1);
    assert_eq!(format!("{:?}", first.0), format!("{:?}", again.0));
    assert!(first.1.len() > 12, "{} events in {DAYS} days", first.1.len());
}

/// What was done, and every figure that was sent, in three weeks in a time zone whose clocks are put forward or back.
fn told_in(zone: &str) -> Vec<String> {
    let mut plan = calm_vbr(3, "2026-03-20T09:30:00Z", 8);
    plan.settings.time_zone = zone.parse().expect("a zone of the IANA list");
    let mut world = World::new(plan);
    world.run_until(at("2026-04-12"));
    assert_silent(&world);
    let mut told = world.story().to_vec();
    // Digests rest on the journal, which names the zone among the settings.
    let report = |one: &Submission| format!("{} {} {:?} {:?}", one.month, one.total_points, one.lines, one.daily);
    told.extend(submissions(&world).iter().map(report));
    told.extend(telemetry(&world).iter().map(|one| format!("{} {:?} {:?}", one.week, one.points, one.daily)));
    assert!(told.len() > 30, "{} lines", told.len());
    told
}

#[test]
fn daylight_saving_changes_nothing_that_is_recorded_or_sent() {
    let utc = told_in("UTC");
    for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"] {
        let told = told_in(zone);
        assert_eq!(told.len(), utc.len(), "{zone}");
        told.iter().zip(&utc).for_each(|(there, here)| assert_eq!(there, here, "{zone}"));
    }
}

/// A month and a half of good weather, with something done to the world behind the agent's back.
fn meddled(meddle: &mut dyn FnMut(&mut World)) -> Played {
    let trial = Trial { seed: 1, days: 25, workloads: None };
    let plan = calm_vbr(1, "2026-01-20T09:30:00Z", 8);
    trial.play_with(plan, Vec::new(), meddle)
}

#[test]
fn good_weather_leaves_nothing_to_object_to() {
    let played = meddled(&mut |_| {});
    assert_eq!(played.objections, [""; 0], "{}", shown(&played));
    assert!(played.duties > 100 && played.simulated_days >= 34, "{played:?}");
}

#[test]
fn a_machine_that_nobody_counted_is_objected_to() {
    let played = meddled(&mut |world| {
        let mut estate = world.servers["vbr01"].estate.lock().expect("nobody else has it");
        let machines = estate.plan.machines;
        let begins_at = estate.plan.begins_at;
        // What the server shows and what is true are two estates from here on.
        let other = tidegauge::simulation::estate::EstatePlan::new(2, "vbr01", begins_at, machines + 3);
        let is = std::mem::replace(&mut *estate, tidegauge::simulation::estate::Estate::new(other));
        drop(estate);
        let shown = std::sync::Arc::new(std::sync::Mutex::new(is));
        let clock = std::sync::Arc::new(world.clock.clone());
        let vbr = tidegauge::simulation::vbr::Vbr::new(shown, clock, USERNAME, PASSWORD);
        world.wire.connect("vbr01", vbr.router());
    });
    assert!(played.objections.iter().any(|objection| objection.contains("true are")), "{:?}", played.objections);
}

#[test]
fn a_flipped_bit_in_the_journal_is_objected_to() {
    let played = meddled(&mut |world| {
        let disk = world.disk.as_ref().expect("a simulated disk");
        let segment = disk.files().into_iter().map(|(path, _)| path).find(|path| path.starts_with("/state/journal"));
        disk.flip(&segment.expect("a segment"), 8 * 400);
    });
    assert!(!played.objections.is_empty());
}

#[test]
fn a_file_left_half_written_is_objected_to() {
    let played = meddled(&mut |world| {
        use tidegauge::doors::Files;
        world.disk.as_ref().expect("a simulated disk").write("/reports/2026-01.tmp".as_ref(), b"half").expect("room");
    });
    assert!(played.objections.iter().any(|objection| objection.contains("left behind")), "{:?}", played.objections);
}

#[test]
fn shrinking_finds_the_one_guilty_event() {
    let weather = trial(7).drawn().1;
    let guilty = weather[weather.len() / 2].clone();
    let mut played_with = |left: Vec<Event>| {
        let mut played = meddled_nothing(left);
        let is_there = played.weather.contains(&guilty);
        played.objections = is_there.then(|| "2026-02-01 00:00  the mark is 11".to_owned()).into_iter().collect();
        played
    };
    let failed = played_with(weather.clone());
    let shrunk = failed.shrunk_by(&mut played_with).expect("it failed");
    assert_eq!(shrunk.played.weather, [guilty]);
    assert!(shrunk.replays < 80, "{} replays", shrunk.replays);
}

/// A trial that was not played.
fn meddled_nothing(weather: Vec<Event>) -> Played {
    Played {
        seed: 7,
        objections: Vec::new(),
        weather,
        story: Vec::new(),
        duties: 0,
        kills: 0,
        orders_killed: 0,
        simulated_days: 0,
        counts: std::collections::BTreeMap::new(),
    }
}

#[test]
fn objections_of_the_same_kind_differ_in_hours_and_numbers_alone() {
    let mark = "2026-02-01 00:00  the mark of 2026-01-31 is 11, 12 stood";
    assert_eq!(kind_of(mark), kind_of("2026-03-01 04:00  the mark of 2026-02-28 is 7, 9 stood"));
    assert_ne!(kind_of(mark), kind_of("2026-02-01 00:00  the far side lost messages"));
}

#[test]
fn every_kind_of_event_is_drawn_within_a_few_hundred_seeds() {
    let mut kinds = BTreeSet::new();
    (0..200).for_each(|seed| kinds.extend(trial(seed).drawn().1.iter().map(|event| event.fault.kind())));
    assert_eq!(kinds.len(), 26, "{kinds:?}");
    assert!(kinds.contains(Fault::PutBack.kind()));
}

#[test]
fn every_fault_of_every_source_is_drawn_by_some_seed() {
    let (mut of_vbr, mut of_vspc, mut of_manager) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut clocks, mut sinks, mut short_memories) = (BTreeSet::new(), 0, 0);
    for (plan, weather) in (0..2000).map(|seed| trial(seed).drawn()) {
        sinks += plan.settings.usage_sinks.len();
        short_memories += usize::from(plan.settings.keep.raw == TimeDelta::days(62));
        for event in weather {
            match event.fault {
                Fault::Vbr { how, .. } => drop(of_vbr.insert(how)),
                Fault::Vspc { how, .. } => drop(of_vspc.insert(how)),
                Fault::EnterpriseManager { how, .. } => drop(of_manager.insert(how)),
                Fault::ClockOf { peer, .. } => drop(clocks.insert(peer)),
                _ => {}
            }
        }
    }
    assert_eq!(of_vbr, OF_VBR.into());
    assert_eq!(of_vspc, OF_VSPC.into());
    assert_eq!(of_manager, OF_MANAGER.into());
    assert!(clocks.contains(PEER) && clocks.contains("vbr01"), "{clocks:?}");
    assert!((300..700).contains(&sinks) && (300..700).contains(&short_memories), "{sinks}, {short_memories}");
}

/// A drawn world with a server of this kind, and this alone over it from its fifth day on, for three.
fn alone(kind: fn(SourceKind) -> bool, fault: &dyn Fn(&str) -> Fault) -> Played {
    let drawn = (0..100).map(|seed| Trial { seed, days: 25, workloads: Some(9) }).find_map(|trial| {
        let plan = trial.drawn().0;
        let server = plan.servers.iter().find(|server| kind(server.source))?.name.clone();
        Some((trial, plan, server))
    });
    let (trial, plan, server) = drawn.expect("each kind is in some world");
    let at = plan.begins_at + TimeDelta::days(5);
    trial.play_in(plan, vec![Event { at, fault: fault(&server), minutes: 3 * 24 * 60 }])
}

fn lived_through(kind: fn(SourceKind) -> bool, fault: &dyn Fn(&str) -> Fault) {
    let played = alone(kind, fault);
    assert_eq!(played.objections, [""; 0], "{}", shown(&played));
}

#[test]
fn each_fault_of_a_backup_server_alone_is_lived_through() {
    for how in OF_VBR {
        lived_through(|kind| kind == SourceKind::Vbr, &|server| Fault::Vbr { server: server.to_owned(), how });
    }
}

#[test]
fn each_fault_of_a_console_alone_is_lived_through() {
    for how in OF_VSPC {
        let of = |server: &str| Fault::Vspc { console: entry_of(server).to_owned(), how };
        lived_through(|kind| matches!(kind, SourceKind::Vspc(_)), &of);
    }
}

#[test]
fn each_fault_of_an_enterprise_manager_alone_is_lived_through() {
    for how in OF_MANAGER {
        let of = |server: &str| Fault::EnterpriseManager { manager: server.to_owned(), how };
        lived_through(|kind| kind == SourceKind::EnterpriseManager, &of);
    }
}

#[test]
fn a_wrong_clock_of_a_backup_server_is_lived_through() {
    for ahead_minutes in [-60 * 24 * 20, -30, 6, 60 * 24 * 20] {
        let of = |server: &str| Fault::ClockOf { peer: server.to_owned(), ahead_minutes };
        lived_through(|kind| kind == SourceKind::Vbr, &of);
    }
}
