//! Months of simulated time through the real agent, told line by line.

use tidegauge::domain::Instant;
use tidegauge::simulation::world::{World, WorldPlan};

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

#[test]
fn an_unreviewed_report_is_sent_on_the_eleventh() {
    let mut world = World::new(WorldPlan::small(1, at("2026-01-20T09:30:00Z"), 40));
    world.run_until(at("2026-02-12T00:00:00Z"));
    for line in world.story() {
        println!("{line}");
    }
    assert_eq!(world.objections(), [""; 0]);
}
