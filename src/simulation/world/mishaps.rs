//! What befalls a machine as a whole: an old backup put back, another machine, a second start; and an old backup of the
//! License Update Server.

use std::path::Path;
use std::sync::Arc;

use super::{LICENSE_SERVER_FOLDER, SimulatedDisk, World};
use crate::agent::{Agent, Care, Doors, Place, Refused, Trouble, restore};
use crate::doors::Files;
use crate::license_server::{LicenseServer, Policy};

/// Where the newest backup stands.
const BACKUP: &str = "/backup";

impl World {
    /// Copies the journal as `store backup` does, in place of the backup before.
    ///
    /// # Errors
    /// The agent's refusal; there is no backup then.
    ///
    /// # Panics
    /// The world has no simulated disk.
    pub fn back_up(&mut self) -> Result<(), Refused> {
        self.backed_up = None;
        let done = self
            .files
            .remove_folder(Path::new(BACKUP))
            .map_err(|error| Refused::new(73, error.to_string()))
            .and_then(|()| self.agent().care(&Care::Backup { to: BACKUP.into() }));
        if done.is_ok() {
            self.backed_up = Some(self.oracle.remember());
            self.tell("the journal is backed up");
        }
        self.survive_refusals();
        done.map(|_| ())
    }

    /// Stops the agent and puts the newest backup in the place of its journal. Whether there is one.
    ///
    /// # Panics
    /// A backup that was made cannot be put back onto a healthy disk.
    pub fn put_backup_back(&mut self) -> bool {
        let Some(memory) = self.backed_up.clone() else { return false };
        self.pull_the_plug("stopped, to put its backup back");
        self.disk.as_ref().expect("backups are of simulated disks").heal();
        self.files.remove_folder(&self.place.journal()).expect("a healthy disk");
        self.lose_state();
        let state_dir = self.settings.state_dir.clone();
        restore(&self.files, Path::new(BACKUP), &state_dir).expect("what was backed up can be put back");
        self.open();
        let agent = self.agent.as_ref().expect("it was just opened");
        self.oracle.put_back_to(memory, agent, self.license_server.as_deref());
        true
    }

    /// What the License Update Server has on file now; `None`: there is none.
    pub fn back_up_far_side(&self) -> Option<SimulatedDisk> {
        self.license_server_disk.as_ref().map(SimulatedDisk::duplicate)
    }

    /// Puts that backup in the License Update Server's place: it knows nothing of what it took since.
    ///
    /// # Panics
    /// The backup is of no License Update Server.
    pub fn put_far_side_back(&mut self, backup: SimulatedDisk) {
        let files: Arc<dyn Files> = Arc::new(backup.clone());
        let server = LicenseServer::open(files, Path::new(LICENSE_SERVER_FOLDER), Policy::default());
        self.connect_license_server(Arc::new(server.expect("what was backed up opens")));
        self.license_server_disk = Some(backup);
        self.oracle.far_side_put_back(self.now());
        self.tell("the License Update Server was put back to a backup");
    }

    /// Stops the agent, carries its folders to another machine and starts it there; the old one is gone.
    pub fn move_to_another_machine(&mut self) {
        let Some(old) = self.disk.clone() else { return };
        self.pull_the_plug("stopped, to move to another machine");
        old.heal();
        let disk = old.duplicate();
        old.make_read_only();
        self.files = Arc::new(disk.clone());
        self.disk = Some(disk);
        self.lose_state();
        self.open();
    }

    /// The agent's clock is so far ahead of the world's from here on; zero: right.
    pub fn set_clock_ahead(&mut self, by: chrono::TimeDelta) {
        if by != self.clock_ahead {
            self.clock_jumps(by - self.clock_ahead);
        }
    }

    /// Writing into the Reports folder succeeds again; other faults of the disk stay.
    pub fn mend_reports_folder(&self) {
        self.disk.iter().for_each(SimulatedDisk::mend_folders);
    }

    /// Disk and clock are right, no plug is pulled any more, and the agent runs.
    pub fn heal(&mut self) {
        self.kills.clear();
        self.spare_orders();
        self.disk.iter().for_each(SimulatedDisk::mend_folders);
        self.survive_refusals();
        self.disk.iter().for_each(SimulatedDisk::heal);
        self.set_clock_ahead(chrono::TimeDelta::zero());
    }

    /// After a person's order: an agent whose disk failed under it is opened again.
    pub fn survive_order(&mut self) {
        self.survive_refusals();
    }

    /// A line of the story from outside the agent.
    pub fn note(&mut self, what: &str) {
        self.tell(what);
    }

    /// Starts the program once more on the same folder; the oracle objects unless it is refused and nothing is written.
    pub fn start_twice(&mut self) {
        let Some(disk) = self.disk.clone() else { return };
        let written = disk.operations();
        let place = Place::Folder(self.settings.state_dir.clone());
        for place in [place, self.place.clone()] {
            let chance = Box::new(super::super::chance::SeededChance::new(self.seed));
            let doors = Doors { files: Arc::clone(&self.files) as Arc<dyn Files>, chance };
            let second = Agent::open(self.settings.clone(), place, doors, self.hour());
            let is_refused = second.is_err_and(|trouble| is_in_use(&trouble));
            if !is_refused || disk.operations() != written {
                self.oracle.object("a second start on the same folder was let in".to_owned());
            }
        }
        self.tell("started a second time, refused");
    }
}

fn is_in_use(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Store(crate::store::StoreError::InUse { .. }))
}
