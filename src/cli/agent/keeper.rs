//! Keeps an owner at the store: opens the agent, and opens it again after trouble, a bounded number of times.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::owner::{Note, Owner};
use crate::agent::{Agent, FirstSignIn, Hour, Place, Refused, Trouble};
use crate::api::Errand;
use crate::cli::doors::Doors;
use crate::cli::stopping::{Stop, told};
use crate::config::Settings;

/// Trouble in a row that is put up with; then the process ends, and the system starts it again.
const TROUBLES_MAX: u32 = 7;
/// The pause after the first trouble; it doubles with each.
const PAUSE: Duration = Duration::from_secs(1);
/// An agent that ran so long has recovered.
const RECOVERED: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// What an owner is made of, again and again.
pub struct Keeper {
    pub settings: Settings,
    pub doors: Doors,
    pub notes: mpsc::UnboundedSender<Note>,
    pub runtime: Handle,
    pub stop: Stop,
}

impl Keeper {
    /// Owns the store until the stop. Whether the first opening worked goes to `opened`.
    pub fn keep(
        mut self,
        mut errands: mpsc::Receiver<Errand>,
        mut heard: mpsc::UnboundedReceiver<Note>,
        opened: oneshot::Sender<Result<Option<FirstSignIn>, Refused>>,
    ) -> Result<(), Refused> {
        let first = |mut agent: Agent| {
            let first = agent.first_sign_in(Hour::at(self.doors.clock.now()))?;
            Ok((agent, first))
        };
        let (mut agent, first) = match self.open().and_then(first) {
            Ok(opened) => opened,
            Err(trouble) => {
                let refused = Refused::from(trouble);
                let _ = opened.send(Err(refused.clone()));
                return Err(refused);
            }
        };
        let _ = opened.send(Ok(first));
        let (mut flights, mut troubles) = (0, 0);
        loop {
            let since = self.doors.clock.now();
            let mut owner = Owner::new(agent, &self, flights);
            let trouble = match owner.work(&mut errands, &mut heard) {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            flights = owner.flights_ever();
            self.settings = owner.settings().clone();
            drop(owner);
            if RECOVERED <= self.doors.clock.now() - since {
                troubles = 0;
            }
            agent = self.reopen(trouble, &mut troubles)?;
        }
    }

    /// Waits and opens again; the last trouble when it came too often, or when it is time to stop.
    fn reopen(&self, trouble: Trouble, troubles: &mut u32) -> Result<Agent, Refused> {
        let mut trouble = trouble;
        loop {
            error!(event = "store.trouble", error = %trouble, in_a_row = *troubles + 1, "the store is opened again");
            if *troubles >= TROUBLES_MAX || *self.stop.borrow() {
                return Err(trouble.into());
            }
            let pause = PAUSE * 2_u32.pow(*troubles);
            *troubles += 1;
            self.runtime.block_on(async {
                tokio::select! {
                    () = told(self.stop.clone()) => {}
                    () = tokio::time::sleep(pause) => {}
                }
            });
            match self.open() {
                Ok(agent) => return Ok(agent),
                Err(again) => trouble = again,
            }
        }
    }

    fn open(&self) -> Result<Agent, Trouble> {
        let place = Place::Folder(self.settings.state_dir.clone());
        let doors = crate::agent::Doors { files: Arc::clone(&self.doors.files), chance: (self.doors.chance)() };
        let hour = Hour::at(self.doors.clock.now());
        let (agent, opening) = Agent::open(self.settings.clone(), place, doors, hour)?;
        for what in opening.repairs() {
            warn!(event = "store.repaired", "{what}");
        }
        Ok(agent)
    }
}
