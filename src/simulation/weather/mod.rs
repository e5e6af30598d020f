//! Bad weather as data: everything that can go wrong, when it does, and for how long.
//!
//! A seed is drawn into a list of [`Event`]s ([`draw`]); what is left of the list when events are left out is weather
//! too, which is how a failing seed is made small. A fault more is a variant, its row in [`Fault::kind`], where it is
//! drawn, and what it does in `happening`.

mod drawing;
mod happening;
mod people;

use chrono::TimeDelta;

use super::world::{KillPoint, OrderKill};
use super::{enterprise_manager, misbehaviour::Misbehaviour, vbr, vspc};
use crate::domain::Instant;
use crate::domain::calendar::minute_text;

pub use drawing::{OF_MANAGER, OF_VBR, OF_VSPC, Scene, draw};
pub use happening::Sky;
pub use people::{Deed, Windows};

/// One thing that goes wrong, or that a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Instant,
    pub fault: Fault,
    /// How long it lasts; zero: it is over at once.
    pub minutes: i64,
}

/// Everything that can go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A peer is out of reach.
    Away { peer: String },
    /// A peer takes the next request, and its answer is lost.
    LostAnswer { peer: String },
    /// A peer, or what stands before it, answers wrongly.
    Misbehaves { peer: String, how: Misbehaviour },
    /// A peer's clock is wrong.
    ClockOf { peer: String, ahead_minutes: i64 },
    /// A backup server answers wrongly.
    Vbr { server: String, how: vbr::Fault },
    /// A console answers wrongly.
    Vspc { console: String, how: vspc::Fault },
    /// An Enterprise Manager answers wrongly.
    EnterpriseManager { manager: String, how: enterprise_manager::Fault },
    /// The mail server refuses the login.
    LockedOut,
    /// The mail server does not know this recipient.
    NoSuchRecipient { address: String },
    /// An endpoint answers with this status.
    HookSays { peer: String, status: u16 },
    /// The machine is off.
    Off,
    /// The machine is off, and comes up with its clock wrong for a day.
    OffWithWrongClock { ahead_minutes: i64 },
    /// The clock jumps while the agent runs, and is set right at the end.
    ClockJumps { ahead_minutes: i64 },
    /// The plug is pulled at a point of the next duty of a kind.
    Killed { kind: &'static str, point: KillPoint },
    /// The plug is pulled within the next order of a person.
    KilledOrder { kill: OrderKill },
    /// Power goes at a writing operation of the disk; so many unsynced bytes of each file are left.
    PowerGoes { operations: u64, unsynced_bytes: usize },
    /// The disk is full at a writing operation, until somebody makes room.
    DiskFull { operations: u64 },
    /// The disk turns read-only, until somebody mends it.
    ReadOnly,
    /// The Reports folder refuses.
    ReadOnlyReports,
    /// The journal is backed up.
    BackUp,
    /// The newest backup is put in the place of the journal.
    PutBack,
    /// The License Update Server is put back, at the end, to a backup of the beginning.
    FarSidePutBack,
    /// The agent's folders are carried to another machine.
    Moved,
    /// The program is started once more on the same folder.
    StartedTwice,
    /// A server or console is taken out of the settings, and put back at the end; the agent reloads them or is started again.
    TakenOut { entry: String, by: Taking },
    /// Automatic sending is switched off, and on again at the end.
    AutoUpdateOff,
    /// A person does something.
    Person { deed: Deed, unit: u32, windows: Windows },
}

/// How other settings come to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    Reload,
    Restart,
}

impl Fault {
    /// One word, for counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Away { .. } => "away",
            Fault::LostAnswer { .. } => "lost-answer",
            Fault::Misbehaves { .. } => "misbehaves",
            Fault::ClockOf { .. } => "clock-of-peer",
            Fault::Vbr { .. } => "vbr",
            Fault::Vspc { .. } => "vspc",
            Fault::EnterpriseManager { .. } => "enterprise-manager",
            Fault::LockedOut => "locked-out",
            Fault::NoSuchRecipient { .. } => "no-such-recipient",
            Fault::HookSays { .. } => "hook",
            Fault::Off => "off",
            Fault::OffWithWrongClock { .. } => "off-with-wrong-clock",
            Fault::ClockJumps { .. } => "clock-jumps",
            Fault::Killed { .. } => "killed",
            Fault::KilledOrder { .. } => "killed-order",
            Fault::PowerGoes { .. } => "power-goes",
            Fault::DiskFull { .. } => "disk-full",
            Fault::ReadOnly => "read-only",
            Fault::ReadOnlyReports => "read-only-reports",
            Fault::BackUp => "backed-up",
            Fault::PutBack => "put-back",
            Fault::FarSidePutBack => "far-side-put-back",
            Fault::Moved => "moved",
            Fault::StartedTwice => "started-twice",
            Fault::TakenOut { .. } => "taken-out",
            Fault::AutoUpdateOff => "auto-update-off",
            Fault::Person { .. } => "person",
        }
    }
}

impl Event {
    /// When it is over.
    pub fn ends_at(&self) -> Instant {
        self.at + TimeDelta::minutes(self.minutes)
    }
}

/// `2026-02-10 23:58  Away { peer: "vbr01" } for 90 minutes`
impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}  {:?}", minute_text(self.at), self.fault)?;
        if self.minutes == 0 { Ok(()) } else { write!(f, " for {} minutes", self.minutes) }
    }
}
