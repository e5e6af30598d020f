//! The agent goes down and comes up again: pulled plugs, disks that fail, its service manager.

use std::sync::Arc;

use chrono::TimeDelta;

use super::super::chance::SeededChance;
use super::{KillPoint, World};
use crate::agent::{Agent, Doors, Trouble};
use crate::domain::calendar::minute_text;
use crate::rules::schedule::Duty;
use crate::store::Place;

/// Tries to open on a disk with faults, each of which ends with somebody healing it.
const OPENINGS_MAX: u32 = 3;

/// Of so many openings one finds no state.
const OPENINGS_WITH_STATE: u64 = 16;

impl World {
    /// The agent in trouble is opened again, as its service manager would do, once the disk is healed.
    pub(super) fn survive<T>(&mut self, done: Result<T, Trouble>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(trouble) => {
                self.tell(&format!("trouble: {trouble}"));
                if self.disk.as_ref().is_some_and(|disk| !disk.has_refused()) {
                    self.oracle.object(format!("{}  trouble on a healthy disk: {trouble}", minute_text(self.now())));
                }
                self.agent = None;
                self.heal_disk();
                self.open();
                None
            }
        }
    }

    /// A deed that met a failing disk was the last one of that process.
    pub(super) fn survive_refusals(&mut self) {
        if self.disk.as_ref().is_some_and(super::SimulatedDisk::has_refused) {
            self.collect_story();
            self.tell("the disk failed under the agent");
            self.agent = None;
            self.heal_disk();
            self.open();
        }
    }

    /// How long the agent is down when the disk fails under it: until there is room again, or power.
    pub fn repair_takes(&mut self, span: TimeDelta) {
        self.repair_takes = span;
    }

    fn heal_disk(&mut self) {
        if let Some(disk) = &self.disk {
            disk.heal();
        }
        self.clock.set(self.now() + std::mem::take(&mut self.repair_takes));
    }

    /// The agent is stopped and started again.
    pub fn restart(&mut self) {
        self.pull_the_plug("started again");
        self.open();
    }

    /// The running agent is told to read its settings again.
    pub fn reload(&mut self) {
        let (settings, hour) = (self.settings.clone(), self.hour());
        let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
        let taken = agent.take_settings(settings, hour);
        self.survive(taken);
        self.collect_story();
    }

    pub(super) fn killed(&mut self, duty: &Duty, point: KillPoint) -> bool {
        if !self.kills.remove(&(duty.kind(), point)) {
            return false;
        }
        self.kills_done += 1;
        self.pull_the_plug(&format!("killed {point:?} of {}", duty.kind()));
        self.open();
        true
    }

    pub(super) fn pull_the_plug(&mut self, how: &str) {
        self.collect_story();
        self.tell(&format!("agent {how}"));
        self.agent = None;
        if let Some(disk) = &self.disk {
            disk.power_cut();
        }
    }

    /// # Panics
    /// The agent does not open on a disk without faults.
    pub(super) fn open(&mut self) {
        if self.openings % OPENINGS_WITH_STATE == OPENINGS_WITH_STATE - 1 {
            self.lose_state();
        }
        for _ in 0..OPENINGS_MAX {
            self.openings += 1;
            let chance = Box::new(SeededChance::new(self.seed.wrapping_mul(1_000_003).wrapping_add(self.openings)));
            let doors = Doors { files: Arc::clone(&self.files), chance };
            match Agent::open(self.settings.clone(), self.place.clone(), doors, self.hour()) {
                Ok((agent, _)) => {
                    self.agent = Some(agent);
                    self.oracle.reopened();
                    return;
                }
                Err(trouble) if self.disk.as_ref().is_some_and(super::SimulatedDisk::has_refused) => {
                    self.tell(&format!("does not open: {trouble}"));
                    self.heal_disk();
                }
                Err(trouble) => panic!("seed {}: the agent does not open: {trouble}", self.seed),
            }
        }
        panic!("seed {}: the agent does not open in {OPENINGS_MAX} tries on a healed disk", self.seed);
    }

    /// The agent finds no state when it is opened next, and makes it from the journal; it is not running.
    pub(super) fn lose_state(&self) {
        if let Place::Surviving { state, .. } = &self.place {
            state.forget();
        }
    }

    /// Adds a line to the story.
    pub(super) fn tell(&mut self, what: &str) {
        self.story.push(format!("{}  {what}", minute_text(self.now())));
    }
}
