//! Worlds with faults drawn from a seed: first nothing wrong may happen, then everything owed gets done.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tidegauge::domain::adjustment::AdjustmentOrder;
use tidegauge::protocol::PEER;
use tidegauge::simulation::world::KILL_POINTS;

use super::*;

const KINDS: [&str; 9] = ["collect", "generate", "write", "tell", "draw", "telemetry", "remind", "submit", "license"];
/// Days of faults, and days after them in which all must be done.
const FAULTY_DAYS: i64 = 90;

/// Three months of faults, then nine days of health: a week for the drawn telemetry and two days.
fn play(seed: u64) -> World {
    let mut rng = StdRng::seed_from_u64(seed);
    let machines = rng.random_range(4..12);
    let begins = ["2026-01-20T09:30:00Z", "2026-02-26T23:10:00Z", "2025-11-30T00:00:00Z"][rng.random_range(0..3)];
    let plan = if rng.random_range(0..2) == 0 { calm_vbr } else { calm };
    let mut world = World::new(plan(seed, begins, machines));
    let ends = world.now() + TimeDelta::days(FAULTY_DAYS);
    while world.now() < ends {
        let until = world.now() + TimeDelta::minutes(rng.random_range(30..4 * 24 * 60));
        world.run_until(until.min(ends));
        disturb(&mut world, &mut rng);
    }
    if let Some(disk) = &world.disk {
        disk.heal();
    }
    let healthy = world.now() + TimeDelta::days(3);
    world.run_until(healthy + TimeDelta::days(9));
    world.object_to_what_is_left();
    world
}

fn disturb(world: &mut World, rng: &mut StdRng) {
    let now = world.now();
    let span = now..now + TimeDelta::minutes(rng.random_range(5..3 * 24 * 60));
    match rng.random_range(0..9) {
        0 => world.wire.cut_off("vbr01", span),
        1 => world.wire.cut_off(PEER, span),
        2 => world.wire.cut_off("mail", span),
        3 => world.wire.lose_next_answer([PEER, "vbr01"][rng.random_range(0..2)]),
        4 => world.off_until(span.end),
        5 => world.disk.as_ref().expect("a simulated disk").fill_after(rng.random_range(0..40)),
        6 => world.kill_once(KINDS[rng.random_range(0..KINDS.len())], KILL_POINTS[rng.random_range(0..4)]),
        7 => world.kill_once(KINDS[rng.random_range(0..KINDS.len())], KILL_POINTS[rng.random_range(0..4)]),
        _ => order(world, rng),
    }
}

/// A person does something; refusals are part of life.
fn order(world: &mut World, rng: &mut StdRng) {
    let target = Target::default();
    let Ok(shown) = world.ask(&Query::Report { unit: None, server: None, month: None }) else { return };
    let report: UsageReport = serde_json::from_value(shown).expect("a report is shown whole");
    let counted: Vec<_> = report.workloads.iter().filter(|workload| workload.counted).collect();
    let order = match rng.random_range(0..5) {
        0 => Order::Send { target },
        1 => Order::Reset { target },
        2 => Order::Postpone { target, until: None },
        3 => Order::MarkExternal { target, portal: "Pulse".to_owned(), document: "U-1".to_owned() },
        _ if counted.is_empty() => return,
        _ => {
            let workloads = vec![counted[rng.random_range(0..counted.len())].id.clone()];
            Order::Adjust {
                target,
                adjustments: vec![AdjustmentOrder::Remove { workloads, reason: "drawn".to_owned() }],
            }
        }
    };
    let _ = world.order(order, "mia");
}

fn play_all(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        println!("seed {seed}");
        assert_silent(&play(seed));
    }
}

#[test]
fn ten_seeded_worlds_with_faults_do_nothing_wrong_and_end_with_nothing_owed() {
    play_all(0..10);
}

#[test]
fn ten_more_seeded_worlds_do_nothing_wrong_and_end_with_nothing_owed() {
    play_all(10..20);
}

#[test]
fn and_another_ten_seeded_worlds_do_nothing_wrong_and_end_with_nothing_owed() {
    play_all(20..30);
}
