//! Who comes in and how, what each may do, and the first sign-in.

mod doorkeeper; // sessions, failed tries
mod orders; // users, invitations, tokens, roles
mod secrets; // passwords, tokens, codes

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tidegauge::agent::{Agent, Doors, Hour, Obeyed, Order, Place, Query, Refused};
use tidegauge::config::Settings;
use tidegauge::domain::Instant;
use tidegauge::domain::people::{Person, Role};
use tidegauge::ports::files::RealFiles;
use tidegauge::simulation::chance::SeededChance;

fn at(text: &str) -> Instant {
    text.parse().expect("tests write instants as 2026-10-31T23:00:00Z")
}

const NOW: &str = "2026-11-02T09:00:00Z";

/// An agent on a real folder, and the hour.
struct Home {
    folder: TempDir,
    agent: Option<Agent>,
    now: Instant,
}

impl Home {
    fn new() -> Home {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut home = Home { folder, agent: None, now: at(NOW) };
        home.start();
        home
    }

    /// Stops the agent and starts it on the same folder.
    fn start(&mut self) {
        self.agent = None;
        let state_dir = self.folder.path().join("state");
        let settings = Settings { state_dir: state_dir.clone(), ..Settings::default() };
        // Each start draws other numbers.
        let seed = self.now.timestamp().unsigned_abs();
        let doors = Doors { files: Arc::new(RealFiles), chance: Box::new(SeededChance::new(seed)) };
        let opened = Agent::open(settings, Place::Folder(state_dir), doors, Hour::at(self.now));
        self.agent = Some(opened.expect("the folder is ours").0);
    }

    fn agent(&mut self) -> &mut Agent {
        self.agent.as_mut().expect("it was started")
    }

    fn order(&mut self, order: Order, by: &Person) -> Result<Value, Refused> {
        let hour = Hour::at(self.now);
        match self.agent().obey_for(order, by, hour)? {
            Obeyed::Done(value) => Ok(value),
            Obeyed::Carry { .. } => panic!("no order about people asks anybody"),
        }
    }

    fn ask(&mut self, query: &Query) -> Result<Value, Refused> {
        let hour = Hour::at(self.now);
        self.agent().answer(query, hour)
    }
}

fn person(name: &str, role: Role) -> Person {
    Person::ours(name, role)
}

fn owner() -> Person {
    Person::owner("root")
}
