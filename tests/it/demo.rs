//! The year that `demo` plays.

use tidegauge::config::Settings;
use tidegauge::domain::Instant;
use tidegauge::simulation::provider;
use tidegauge::simulation::world::World;

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

#[test]
fn thirteen_months_of_a_provider_end_without_an_objection() {
    let begins_at = at("2025-10-22T00:00:00Z");
    let mut world = World::new(provider::plan(7, begins_at, Settings::default()));
    provider::play(&mut world, at("2026-11-22T03:00:00Z"), &mut |_| {});
    for line in world.story() {
        println!("{line}");
    }
    assert_eq!(world.objections(), [""; 0]);
}
