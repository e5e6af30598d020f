//! A trial: a world drawn from a seed, in bad weather first, then healed; and what the oracle says of both.
//!
//! While the weather is bad nothing wrong may happen. When it has cleared up everything owed is done within two days,
//! telemetry within [`HEALED_DAYS`], the journal proves itself, and an agent that is opened again says the same.

mod places;
mod shrinking;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;

use super::weather::{Event, Scene, Sky, draw};
use super::world::{World, WorldPlan};
use crate::agent::{Care, ProofAsked};
use crate::domain::Instant;
use crate::domain::calendar::minute_text;

pub use shrinking::{Shrunk, kind_of};

/// Days after the weather has cleared up by which all but telemetry is done.
const SOON_DAYS: i64 = 2;
/// Days after the weather has cleared up by which everything is done: two, and the week over which telemetry's instant is drawn.
pub const HEALED_DAYS: i64 = 9;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub seed: u64,
    /// Days of bad weather.
    pub days: i64,
    /// Workloads over all servers; `None`: drawn, about a dozen.
    pub workloads: Option<u32>,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Played {
    pub seed: u64,
    /// What is wrong, a line each; empty: all is well.
    pub objections: Vec<String>,
    pub weather: Vec<Event>,
    /// The whole story of a world that went wrong.
    pub story: Vec<String>,
    pub duties: u64,
    /// How often the agent went down between act and record.
    pub kills: u64,
    /// How many of them were within a person's order.
    pub orders_killed: u64,
    pub simulated_days: i64,
    /// Events by their kind.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Trial {
    /// The world and its weather.
    pub fn drawn(&self) -> (WorldPlan, Vec<Event>) {
        let plan = places::draw(self.seed, self.workloads);
        let weather = draw(self.seed, &Scene::of(&plan, plan.begins_at + TimeDelta::days(self.days)));
        (plan, weather)
    }

    /// Plays it.
    pub fn play(&self) -> Played {
        let (plan, weather) = self.drawn();
        self.play_in(plan, weather)
    }

    /// Plays this weather over this world, for the trial's days.
    pub fn play_in(&self, plan: WorldPlan, weather: Vec<Event>) -> Played {
        self.play_with(plan, weather, &mut |_| {})
    }

    /// The same, doing something to the world before its healed days: how the oracle itself is tried.
    pub fn play_with(&self, plan: WorldPlan, weather: Vec<Event>, meddle: &mut dyn FnMut(&mut World)) -> Played {
        let begins_at = plan.begins_at;
        let ends_at = begins_at + TimeDelta::days(self.days);
        let made = catch_unwind(AssertUnwindSafe(|| World::new(plan)));
        let mut counts = BTreeMap::new();
        weather.iter().for_each(|event| *counts.entry(event.fault.kind()).or_default() += 1);
        let mut played = Played {
            seed: self.seed,
            objections: Vec::new(),
            weather,
            story: Vec::new(),
            duties: 0,
            kills: 0,
            orders_killed: 0,
            simulated_days: 0,
            counts,
        };
        match made {
            Ok(mut world) => {
                let lived = catch_unwind(AssertUnwindSafe(|| {
                    live(&mut world, &played.weather, ends_at, meddle);
                }));
                played.objections = world.objections().to_vec();
                if let Err(panic) = lived {
                    played.objections.insert(0, panicked(panic.as_ref(), world.now()));
                }
                (played.duties, played.kills) = world.counts();
                played.orders_killed = world.orders_killed();
                played.simulated_days = (world.now() - begins_at).num_days();
                played.story = if played.objections.is_empty() { Vec::new() } else { world.story().to_vec() };
            }
            Err(panic) => played.objections.push(panicked(panic.as_ref(), begins_at)),
        }
        played
    }
}

/// Both phases. The world stops at the first objection: what comes after follows from it.
fn live(world: &mut World, weather: &[Event], ends_at: Instant, meddle: &mut dyn FnMut(&mut World)) {
    let mut sky = Sky::of(weather);
    while let Some(at) = sky.next_at().filter(|at| *at < ends_at) {
        if world.now() < at {
            world.run_until(at);
        }
        if !world.objections().is_empty() {
            return;
        }
        sky.turn(world);
    }
    world.run_until(ends_at.max(world.now()));
    meddle(world);
    sky.clear_up(world);
    if !world.objections().is_empty() {
        return;
    }
    world.run_until(world.now() + TimeDelta::days(SOON_DAYS));
    world.object_to_what_is_left_but_telemetry();
    if !world.objections().is_empty() {
        return;
    }
    world.run_until(world.now() + TimeDelta::days(HEALED_DAYS - SOON_DAYS));
    world.object_to_what_is_left();
    prove(world);
}

/// The journal's chain and its state hold, an agent opened again says the same, and nothing half written is left.
fn prove(world: &mut World) {
    if let Err(refused) = world.agent().care(&Care::Verify {}) {
        world.oracle.object(format!("the store does not verify: {refused}"));
    }
    match world.agent().care(&Care::ProveMarks(ProofAsked::default())) {
        Ok(proof) if proof["holds"] == true => {}
        Ok(proof) => {
            world.oracle.object(format!("marks are not what follows from the journal: {}", proof["differences"]))
        }
        Err(refused) => world.oracle.object(format!("marks cannot be counted from the journal: {refused}")),
    }
    let before = world.agent().store().state_digest();
    world.off_without_state();
    let after = world.agent().store().state_digest();
    match (before, after) {
        (Ok(before), Ok(after)) if before == after => {}
        _ => world.oracle.object("an agent opened again does not say the same".to_owned()),
    }
    let files = world.disk.as_ref().map(|disk| disk.files()).unwrap_or_default();
    for name in files.into_iter().map(|(path, _)| path.display().to_string()).filter(|name| is_temporary(name)) {
        world.oracle.object(format!("left behind: {name}"));
    }
}

fn is_temporary(name: &str) -> bool {
    [".tmp", ".part", ".new", ".partial"].iter().any(|ending| name.ends_with(ending))
}

fn panicked(panic: &(dyn Any + Send), at: Instant) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    format!("{}  panicked: {text}", minute_text(at))
}
