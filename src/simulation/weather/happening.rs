//! What weather does to a world, and how it clears up.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::people::act;
use super::{Event, Fault, Taking};
use crate::agent::Order;
use crate::agent::orders::Target;
use crate::config::ServerSettings;
use crate::domain::Instant;
use crate::simulation::disk::SimulatedDisk;
use crate::simulation::world::World;
use crate::simulation::{enterprise_manager, vbr, vspc};

/// How long a clock stays wrong after the machine came up with it.
const WRONG_FOR: TimeDelta = TimeDelta::days(1);

/// Weather over a world: what is still to come, and what lasts.
pub struct Sky {
    /// Beginnings and ends by their instants, in the order of the list; `true`: it begins.
    turns: BTreeMap<(Instant, usize, bool), Event>,
    /// Faults of servers that last, by their place in the list.
    lasting: BTreeMap<usize, Fault>,
    /// What was taken out of the settings, by the place in the list.
    taken_out: BTreeMap<usize, ServerSettings>,
    /// Backups of the License Update Server that are put back, by the place in the list.
    far_sides: BTreeMap<usize, SimulatedDisk>,
}

impl Sky {
    pub fn of(events: &[Event]) -> Sky {
        let mut turns = BTreeMap::new();
        for (number, event) in events.iter().enumerate() {
            turns.insert((event.at, number, true), event.clone());
            if event.minutes > 0 && ends_by_itself(&event.fault) == Ending::OnOrder {
                turns.insert((event.ends_at(), number, false), event.clone());
            }
        }
        Sky { turns, lasting: BTreeMap::new(), taken_out: BTreeMap::new(), far_sides: BTreeMap::new() }
    }

    /// When something turns next.
    pub fn next_at(&self) -> Option<Instant> {
        self.turns.keys().next().map(|(at, ..)| *at)
    }

    /// Lets the next turn happen.
    pub fn turn(&mut self, world: &mut World) {
        let Some(((_, number, begins), event)) = self.turns.pop_first() else { return };
        if begins {
            self.begin(world, number, &event);
        } else {
            self.end(world, number, &event.fault);
        }
    }

    /// All is well from here on; people vouch for the clock and switch on what was off.
    pub fn clear_up(&mut self, world: &mut World) {
        self.turns.clear();
        let lasting = std::mem::take(&mut self.lasting);
        for fault in lasting.values() {
            self.set_faults_of(world, fault);
        }
        if !self.taken_out.is_empty() {
            world.settings.servers.extend(std::mem::take(&mut self.taken_out).into_values());
            world.restart();
        }
        world.wire.heal();
        world.receivers.values().for_each(|receiver| receiver.takes());
        world.heal();
        // Whether it was doubted is not asked; vouching for a clock that is believed does nothing.
        let _ = world.order(Order::ConfirmClock, "mia");
        // A backup of a day on which it was off may have been put back; switching on what is on does nothing.
        switch(world, Switch::On);
    }

    fn begin(&mut self, world: &mut World, number: usize, event: &Event) {
        let span = world.now()..event.ends_at().max(world.now());
        let lasts = TimeDelta::minutes(event.minutes);
        match &event.fault {
            Fault::Away { peer } => world.wire.cut_off(peer, span),
            Fault::LostAnswer { peer } => world.wire.lose_next_answer(peer),
            Fault::Misbehaves { peer, how } => world.wire.misbehave(peer, span, *how),
            Fault::ClockOf { peer, ahead_minutes } => {
                world.wire.clock_ahead(peer, TimeDelta::minutes(*ahead_minutes));
            }
            Fault::Vbr { .. } | Fault::Vspc { .. } | Fault::EnterpriseManager { .. } => {
                self.lasting.insert(number, event.fault.clone());
                self.set_faults_of(world, &event.fault);
            }
            Fault::LockedOut => world.wire.lock_out(span),
            Fault::NoSuchRecipient { address } => world.wire.refuse_recipient(address),
            Fault::HookSays { peer, status } => {
                if let Some(receiver) = world.receivers.get(peer) {
                    receiver.says(*status, None);
                }
            }
            Fault::Off => world.off_until(span.end),
            Fault::OffWithWrongClock { ahead_minutes } => {
                world.off_until_with_clock_ahead(span.end, TimeDelta::minutes(*ahead_minutes));
                let end = Event { minutes: 0, ..event.clone() };
                self.turns.insert((span.end + WRONG_FOR, number, false), end);
            }
            Fault::ClockJumps { ahead_minutes } => world.set_clock_ahead(TimeDelta::minutes(*ahead_minutes)),
            Fault::Killed { kind, point } => world.kill_once(kind, *point),
            Fault::KilledOrder { kill } => world.kill_order(*kill),
            Fault::PowerGoes { .. } | Fault::DiskFull { .. } | Fault::ReadOnly | Fault::ReadOnlyReports => {
                world.repair_takes(lasts);
                trouble_disk(world, &event.fault);
            }
            Fault::BackUp => {
                // Without it there is none to put back.
                let _ = world.back_up();
            }
            Fault::PutBack => {
                world.put_backup_back();
            }
            Fault::FarSidePutBack => self.far_sides.extend(world.back_up_far_side().map(|backup| (number, backup))),
            Fault::Moved => world.move_to_another_machine(),
            Fault::StartedTwice => world.start_twice(),
            Fault::TakenOut { entry, by } => {
                let place = world.settings.servers.iter().position(|server| server.name == *entry);
                if let Some(place) = place {
                    self.taken_out.insert(number, world.settings.servers.remove(place));
                    settle(world, *by);
                }
            }
            Fault::AutoUpdateOff => switch(world, Switch::Off),
            Fault::Person { deed, unit, windows } => {
                if let Some(words) = act(world, *deed, *unit, *windows) {
                    world.note(&format!("{deed:?} {words}"));
                }
                world.survive_order();
            }
        }
    }

    fn end(&mut self, world: &mut World, number: usize, fault: &Fault) {
        match fault {
            Fault::Vbr { .. } | Fault::Vspc { .. } | Fault::EnterpriseManager { .. } => {
                self.lasting.remove(&number);
                self.set_faults_of(world, fault);
            }
            Fault::ClockOf { peer, .. } => world.wire.clock_ahead(peer, TimeDelta::zero()),
            Fault::NoSuchRecipient { address } => world.wire.know_recipient(address),
            Fault::HookSays { peer, .. } => {
                if let Some(receiver) = world.receivers.get(peer) {
                    receiver.takes();
                }
            }
            Fault::ClockJumps { .. } | Fault::OffWithWrongClock { .. } => {
                world.set_clock_ahead(TimeDelta::zero());
                // Whoever sets it right vouches for it.
                let _ = world.order(Order::ConfirmClock, "mia");
                world.survive_order();
            }
            Fault::ReadOnlyReports => world.mend_reports_folder(),
            Fault::TakenOut { by, .. } => {
                if let Some(settings) = self.taken_out.remove(&number) {
                    world.settings.servers.push(settings);
                    settle(world, *by);
                }
            }
            Fault::FarSidePutBack => {
                if let Some(backup) = self.far_sides.remove(&number) {
                    world.put_far_side_back(backup);
                }
            }
            Fault::AutoUpdateOff => switch(world, Switch::On),
            Fault::Away { .. }
            | Fault::LostAnswer { .. }
            | Fault::Misbehaves { .. }
            | Fault::LockedOut
            | Fault::Off
            | Fault::Killed { .. }
            | Fault::KilledOrder { .. }
            | Fault::PowerGoes { .. }
            | Fault::DiskFull { .. }
            | Fault::ReadOnly
            | Fault::BackUp
            | Fault::PutBack
            | Fault::Moved
            | Fault::StartedTwice
            | Fault::Person { .. } => {}
        }
    }

    /// Tells the server that this fault is of which ones last.
    fn set_faults_of(&self, world: &World, of: &Fault) {
        match of {
            Fault::Vbr { server, .. } => {
                let lasting = self.lasting.values().filter_map(|fault| match fault {
                    Fault::Vbr { server: of, how } if of == server => Some(*how),
                    _ => None,
                });
                let lasting: Vec<vbr::Fault> = lasting.collect();
                world.servers.get(server).inspect(|server| server.vbr.set_faults(&lasting));
            }
            Fault::Vspc { console, .. } => {
                let lasting = self.lasting.values().filter_map(|fault| match fault {
                    Fault::Vspc { console: of, how } if of == console => Some(*how),
                    _ => None,
                });
                let lasting: Vec<vspc::Fault> = lasting.collect();
                world.consoles.get(console).inspect(|console| console.set_faults(&lasting));
            }
            Fault::EnterpriseManager { manager, .. } => {
                let lasting = self.lasting.values().filter_map(|fault| match fault {
                    Fault::EnterpriseManager { manager: of, how } if of == manager => Some(*how),
                    _ => None,
                });
                let lasting: Vec<enterprise_manager::Fault> = lasting.collect();
                world.managers.get(manager).inspect(|manager| manager.set_faults(&lasting));
            }
            _ => {}
        }
    }
}

/// Who ends a fault that lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The world goes by its span.
    ByItself,
    OnOrder,
}

fn ends_by_itself(fault: &Fault) -> Ending {
    match fault {
        Fault::Away { .. }
        | Fault::LostAnswer { .. }
        | Fault::Misbehaves { .. }
        | Fault::LockedOut
        | Fault::Off
        | Fault::OffWithWrongClock { .. }
        | Fault::Killed { .. }
        | Fault::KilledOrder { .. }
        | Fault::PowerGoes { .. }
        | Fault::DiskFull { .. }
        | Fault::ReadOnly
        | Fault::BackUp
        | Fault::PutBack
        | Fault::Moved
        | Fault::StartedTwice
        | Fault::Person { .. } => Ending::ByItself,
        Fault::ClockOf { .. }
        | Fault::Vbr { .. }
        | Fault::Vspc { .. }
        | Fault::EnterpriseManager { .. }
        | Fault::NoSuchRecipient { .. }
        | Fault::HookSays { .. }
        | Fault::ClockJumps { .. }
        | Fault::ReadOnlyReports
        | Fault::FarSidePutBack
        | Fault::TakenOut { .. }
        | Fault::AutoUpdateOff => Ending::OnOrder,
    }
}

/// Other settings come to the agent.
fn settle(world: &mut World, by: Taking) {
    match by {
        Taking::Reload => world.reload(),
        Taking::Restart => world.restart(),
    }
}

fn trouble_disk(world: &World, fault: &Fault) {
    let Some(disk) = &world.disk else { return };
    match fault {
        Fault::PowerGoes { operations, unsynced_bytes } => disk.power_goes_after(*operations, *unsynced_bytes),
        Fault::DiskFull { operations } => disk.fill_after(*operations),
        Fault::ReadOnly => disk.make_read_only(),
        Fault::ReadOnlyReports => disk.make_folder_read_only(&world.settings.reports_dir),
        _ => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    On,
    Off,
}

/// Whether reports and telemetry go by themselves, in every unit.
fn switch(world: &mut World, to: Switch) {
    let order = Order::AutoUpdate { target: Target::default(), on: to == Switch::On };
    let done = world.order(order, "admin");
    if done.is_ok() && to == Switch::On && world.hour().now < world.now() {
        world.oracle.consented_by_a_late_clock(world.now());
    }
    world.note(&match done {
        Ok(_) => "auto update switched".to_owned(),
        Err(refused) => format!("auto update is not switched: {refused}"),
    });
    world.survive_order();
}
