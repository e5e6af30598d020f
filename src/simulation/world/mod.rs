//! A provider's world: backup servers, License Update Server and mailbox around the real agent, on virtual time.
//!
//! It has no scheduler: it goes from one planned instant to the next. It can pull the agent's plug between any two steps
//! of a duty, and asks the oracle after every one.

mod build;
mod ending;
mod mishaps;
mod ordering;
mod power;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::agent::{Agent, Hour, Query, Refused, Work, carry_out};
use crate::config::Settings;
use crate::domain::Instant;
use crate::domain::calendar::minute_text;
use crate::domain::people::Person;
use crate::doors::{Clock, Files};
use crate::license_server::LicenseServer;
use crate::rules::schedule::{Duty, Planned};
use crate::store::Place;

use super::clock::SimulatedClock;
use super::disk::SimulatedDisk;
use super::enterprise_manager::EnterpriseManager;
use super::estate::Estate;
use super::oracle::{Given, Memory, Oracle};
use super::receiver::Receiver;
use super::vbr::Vbr;
use super::vspc::Vspc;
use super::wire::SimulatedWire;

pub use build::{LICENSE_SERVER_FOLDER, ServerPlan, SourceKind, WorldPlan, playground_license_server};
pub use ordering::OrderKill;

/// Between which steps of a duty the plug is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillPoint {
    /// It is due; nothing was done.
    BeforeBegin,
    /// What must stand is recorded; nothing has left.
    AfterBegin,
    /// The far side has it; nothing is recorded.
    AfterAct,
    /// All is recorded.
    AfterFinish,
}

/// All four.
pub const KILL_POINTS: [KillPoint; 4] =
    [KillPoint::BeforeBegin, KillPoint::AfterBegin, KillPoint::AfterAct, KillPoint::AfterFinish];

/// One simulated backup server.
pub struct SimulatedServer {
    pub estate: Arc<Mutex<Estate>>,
    pub vbr: Arc<Vbr>,
    pub source: SourceKind,
}

/// The world.
pub struct World {
    pub clock: SimulatedClock,
    pub wire: SimulatedWire,
    pub servers: BTreeMap<String, SimulatedServer>,
    pub managers: BTreeMap<String, Arc<EnterpriseManager>>,
    /// Consoles by their name in the settings.
    pub consoles: BTreeMap<String, Arc<Vspc>>,
    /// Endpoints and usage sinks by their peers' names.
    pub receivers: BTreeMap<String, Receiver>,
    pub license_server: Option<Arc<LicenseServer>>,
    license_server_disk: Option<SimulatedDisk>,
    pub settings: Settings,
    /// The agent's disk, when it is a simulated one.
    pub disk: Option<SimulatedDisk>,
    pub oracle: Oracle,
    pub seed: u64,
    files: Arc<dyn Files>,
    place: Place,
    agent: Option<Agent>,
    openings: u64,
    /// How far the agent's clock is ahead of the world's.
    clock_ahead: TimeDelta,
    story: Vec<String>,
    kills: BTreeSet<(&'static str, KillPoint)>,
    kills_done: u64,
    /// Where the plug is pulled in a person's order, when it is.
    order_kills: ordering::OrderKills,
    /// When each server's script last left a file.
    snapshots: BTreeMap<String, Instant>,
    duties_done: u64,
    /// How long it takes somebody to make room on the disk, or power to come back.
    repair_takes: TimeDelta,
    /// What the oracle knew when the newest backup was made.
    backed_up: Option<Memory>,
    runtime: Runtime,
}

/// Duties done in one `run_until`; beyond it the agent runs in circles.
const DUTIES_MAX: u64 = 2_000_000;

impl World {
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn hour(&self) -> Hour {
        Hour::at(self.now() + self.clock_ahead)
    }

    /// The agent's clock jumps, forward or back, while it runs; its steady clock notices.
    pub fn clock_jumps(&mut self, by: TimeDelta) {
        self.clock_ahead += by;
        let hour = self.hour();
        let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
        let noticed = agent.clock_jumped(by, hour);
        self.survive(noticed);
        self.collect_story();
    }

    /// The machine comes up then with its clock so far ahead of the world's; zero: right.
    pub fn off_until_with_clock_ahead(&mut self, at: Instant, by: TimeDelta) {
        self.pull_the_plug("switched off");
        self.clock.set(at);
        self.clock_ahead = by;
        self.open();
    }

    /// Ends the play: the settings and the outside, which follows a real clock from here on.
    pub fn into_live(mut self, clock: Arc<dyn Clock>) -> (Settings, SimulatedWire) {
        self.agent = None;
        self.clock.follow(clock);
        (self.settings.clone(), self.wire.clone())
    }

    /// The running agent.
    pub fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("the agent runs between a world's calls")
    }

    /// Does every duty that falls due until then, in the order of their hours.
    pub fn run_until(&mut self, until: Instant) {
        self.run_with(until, &mut |_| {});
    }

    /// The same, telling each line of the story as it happens.
    pub fn run_with(&mut self, until: Instant, tell: &mut dyn FnMut(&str)) {
        for _ in 0..DUTIES_MAX {
            if self.oracle.has_heard_enough() {
                return;
            }
            let planned = self.agent().next(self.hour().now);
            match self.survive(planned) {
                None => {}
                Some(Some(planned)) if planned.at - self.clock_ahead <= self.now() => self.perform(&planned),
                // What is due is asked again at that hour: a plan made earlier may have been overtaken by it.
                Some(Some(planned)) if planned.at - self.clock_ahead <= until => {
                    self.clock.set(planned.at - self.clock_ahead);
                }
                Some(_) => {
                    self.clock.set(self.now().max(until));
                    return;
                }
            }
            let first_untold = self.story.len();
            self.collect_story();
            self.story[first_untold..].iter().for_each(|line| tell(line));
        }
        self.oracle.object(format!("more than {DUTIES_MAX} duties until {}", minute_text(until)));
    }

    /// The machine is off until then: nothing is done, nobody notices.
    pub fn off_until(&mut self, at: Instant) {
        self.pull_the_plug("switched off");
        self.clock.set(at);
        self.open();
    }

    /// The machine is off for a moment and loses its state, which is made again from the journal.
    pub fn off_without_state(&mut self) {
        self.pull_the_plug("switched off");
        self.lose_state();
        self.open();
    }

    /// Pulls the plug once at this point of the next duty of this kind (`Duty::kind`).
    pub fn kill_once(&mut self, kind: &'static str, point: KillPoint) {
        self.kills.insert((kind, point));
    }

    /// Kills that were ordered and did not happen.
    pub fn kills_left(&self) -> usize {
        self.kills.len()
    }

    /// Asks the agent as a person would.
    ///
    /// # Errors
    /// The agent's refusal.
    pub fn ask(&self, query: &Query) -> Result<Value, Refused> {
        self.agent().answer(query, self.hour())
    }

    /// Asks the agent as one of its users.
    ///
    /// # Errors
    /// As [`World::ask`]; 77 when the person's role does not suffice.
    pub fn ask_as(&self, query: &Query, person: &Person) -> Result<Value, Refused> {
        self.agent().answer_for(query, person, self.hour())
    }

    /// Everything that happened so far, a line each.
    pub fn story(&self) -> &[String] {
        &self.story
    }

    /// What the oracle objects to.
    pub fn objections(&self) -> &[String] {
        self.oracle.objections()
    }

    /// Lets the oracle ask whether anything owed was left undone; faults are healed by then.
    pub fn object_to_what_is_left(&mut self) {
        let agent = self.agent.as_ref().expect("the agent runs between a world's calls");
        self.oracle.check_all_done(agent, Given::Enough, self.clock.now());
        self.object_to_what_is_wrong();
    }

    /// The same two days after faults were healed, without telemetry, which takes longer.
    pub fn object_to_what_is_left_but_telemetry(&mut self) {
        let agent = self.agent.as_ref().expect("the agent runs between a world's calls");
        self.oracle.check_all_done(agent, Given::TwoDays, self.clock.now());
    }

    /// Duties that were begun, and kills that happened.
    pub fn counts(&self) -> (u64, u64) {
        (self.duties_done, self.kills_done)
    }

    fn perform(&mut self, planned: &Planned) {
        let (duty, hour) = (&planned.duty, self.hour());
        self.duties_done += 1;
        self.oracle.about_to(planned, hour.now);
        if self.killed(duty, KillPoint::BeforeBegin) {
            return;
        }
        self.refresh_snapshot(duty);
        let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
        let begun = agent.begin(duty, hour);
        let Some(mut work) = self.survive(begun) else { return };
        if self.killed(duty, KillPoint::AfterBegin) {
            return;
        }
        while let Work::Talk(talk) = work {
            let outcome = self.runtime.block_on(carry_out(talk, &self.wire));
            if self.killed(duty, KillPoint::AfterAct) {
                return;
            }
            let agent = self.agent.as_mut().expect("the agent runs between a world's calls");
            let finished = agent.finish(duty, outcome, hour);
            let Some(next) = self.survive(finished) else { return };
            work = next;
        }
        if !self.killed(duty, KillPoint::AfterFinish) {
            self.check();
        }
    }

    /// A script beside a snapshot-folder server leaves a file just before each sample.
    fn refresh_snapshot(&mut self, duty: &Duty) {
        let Duty::Collect { server } = duty else { return };
        let Some(simulated) = self.servers.get(server).filter(|one| one.source == SourceKind::SnapshotFolder) else {
            return;
        };
        let now = self.now();
        // The script runs once at an instant, even if the agent looks again by a clock that is ahead.
        if self.snapshots.insert(server.clone(), now) == Some(now) {
            return;
        }
        let mut estate = simulated.estate.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        estate.advance(now);
        let json = crate::sources::snapshot_file::to_json(&estate.snapshot(now));
        let name = format!("{}.json", now.format("%Y%m%dT%H%M%SZ"));
        self.wire.put_file(server, &name, json.to_string().into_bytes());
    }

    fn collect_story(&mut self) {
        if let Some(agent) = &mut self.agent {
            self.story.extend(agent.take_story().into_iter().map(|line| line.text));
        }
    }

    fn check(&mut self) {
        let agent = self.agent.as_ref().expect("the agent runs between a world's calls");
        self.oracle.check(agent, &self.servers, self.license_server.as_deref(), self.clock.now());
    }
}
