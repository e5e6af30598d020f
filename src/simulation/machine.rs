//! One machine of a simulated estate: when it is backed up, and whether a server shows it.

use chrono::DateTime;

use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Points};

pub(super) const DAY_SECONDS: i64 = 86_400;
/// A server lists a workload this long after its last restore point (domain.md 7.3).
const LISTED_SECONDS: i64 = 31 * DAY_SECONDS;

/// A kind of machine: its spelling at the server, its weight, and how many of a hundred on its kind of server are such.
pub(super) struct Make {
    pub(super) kind: WorkloadType,
    pub(super) platform: &'static str,
    pub(super) restore_platform: &'static str,
    pub(super) prefix: &'static str,
    pub(super) weight: i64,
    percent: u32,
}

/// Positions in [`MAKES`] of what a backup server of its own protects.
const OWN: std::ops::Range<usize> = 0..4;
/// Positions of what tenants send to a Cloud Connect server.
const TENANTS: std::ops::Range<usize> = 4..8;

pub(super) static MAKES: [Make; 8] = [
    Make {
        kind: WorkloadType::Vm,
        platform: "VMware",
        restore_platform: "VMware",
        prefix: "vm",
        weight: 11,
        percent: 70,
    },
    Make {
        kind: WorkloadType::Server,
        platform: "LinuxServer",
        restore_platform: "LinuxPhysical",
        prefix: "srv",
        weight: 11,
        percent: 12,
    },
    Make {
        kind: WorkloadType::Workstation,
        platform: "WindowsWorkstation",
        restore_platform: "WindowsPhysical",
        prefix: "ws",
        weight: 4,
        percent: 14,
    },
    Make {
        kind: WorkloadType::FileShare,
        platform: "UnstructuredData",
        restore_platform: "UnstructuredData",
        prefix: "filer:/share",
        weight: 10,
        percent: 4,
    },
    Make {
        kind: WorkloadType::CloudConnectVm,
        platform: "CloudBackup",
        restore_platform: "VMware",
        prefix: "cloud-vm",
        weight: 5,
        percent: 60,
    },
    Make {
        kind: WorkloadType::CloudConnectReplica,
        platform: "CloudReplica",
        restore_platform: "VMware",
        prefix: "replica",
        weight: 10,
        percent: 15,
    },
    Make {
        kind: WorkloadType::CloudConnectWorkstation,
        platform: "CloudBackupWorkstation",
        restore_platform: "WindowsPhysical",
        prefix: "cloud-ws",
        weight: 3,
        percent: 15,
    },
    Make {
        kind: WorkloadType::CloudConnectServer,
        platform: "CloudBackupServer",
        restore_platform: "LinuxPhysical",
        prefix: "cloud-srv",
        weight: 7,
        percent: 10,
    },
];

/// One machine or share.
#[derive(Clone, Debug)]
pub struct Machine {
    pub id: String,
    pub name: String,
    pub host: String,
    pub job: String,
    pub tenant: String,
    pub is_rental: bool,
    pub(super) restore_name: String,
    pub(super) make: usize,
    /// Daily backups from the first instant on; before the last, when it has stopped. Seconds since 1970.
    pub(super) spans: Vec<(i64, Option<i64>)>,
    pub(super) revoked_at: Option<i64>,
}

impl Machine {
    pub fn kind(&self) -> &WorkloadType {
        &MAKES[self.make].kind
    }

    /// `platformType` of a license workload.
    pub fn platform(&self) -> &'static str {
        MAKES[self.make].platform
    }

    /// `platformName` of a restore point.
    pub fn restore_platform(&self) -> &'static str {
        MAKES[self.make].restore_platform
    }

    /// Restore points of agents carry the job's name too.
    pub fn restore_name(&self) -> &str {
        &self.restore_name
    }

    /// Paid for by its tenant's own rental license; a replica counts all the same (domain.md 1, "Rental machine").
    pub fn is_free(&self) -> bool {
        self.is_rental && *self.kind() != WorkloadType::CloudConnectReplica
    }

    pub fn weight(&self) -> Points {
        Points::whole(self.whole_weight())
    }

    pub(super) fn whole_weight(&self) -> i64 {
        MAKES[self.make].weight
    }

    /// When it was first backed up.
    pub fn first_at(&self) -> Instant {
        instant(self.first_second())
    }

    pub(super) fn first_second(&self) -> i64 {
        self.spans.first().map_or(i64::MAX, |span| span.0)
    }

    pub(super) fn last_run(&self, now: i64) -> Option<i64> {
        let last_of = |(from, until): &(i64, Option<i64>)| {
            let end = until.map_or(now, |until| now.min(until - 1));
            (end >= *from).then(|| from + (end - from) / DAY_SECONDS * DAY_SECONDS)
        };
        self.spans.iter().rev().find_map(last_of)
    }

    /// Whether a server lists it: a restore point within 31 days, and not revoked.
    pub(super) fn is_listed(&self, now: i64) -> bool {
        let is_revoked = self.revoked_at.is_some_and(|at| at <= now);
        !is_revoked && self.last_run(now).is_some_and(|last| last > now - LISTED_SECONDS)
    }

    pub(super) fn is_running(&self, now: i64) -> bool {
        let runs = |(from, until): &(i64, Option<i64>)| *from <= now && until.is_none_or(|until| now < until);
        self.revoked_at.is_none_or(|at| at > now) && self.spans.iter().any(runs)
    }

    pub(super) fn stop(&mut self, at: i64) {
        if let Some((_, until)) = self.spans.last_mut() {
            *until = Some(until.map_or(at, |until| until.min(at)));
        }
    }
}

/// The make at this percentage, 0 to 99, of a server with its own machines.
pub(super) fn make_drawn(percent: u32) -> usize {
    make_at(OWN, percent)
}

/// The same of a Cloud Connect server.
pub(super) fn tenants_make_drawn(percent: u32) -> usize {
    make_at(TENANTS, percent)
}

fn make_at(among: std::ops::Range<usize>, percent: u32) -> usize {
    let ends = MAKES[among.clone()].iter().scan(0, |end, make| {
        *end += make.percent;
        Some(*end)
    });
    among.start + ends.take_while(|end| *end <= percent).count().min(among.len() - 1)
}

pub(super) fn instant(seconds: i64) -> Instant {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}
