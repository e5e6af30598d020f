//! One server's usage at one instant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::installation::ServerName;
use super::license::License;
use super::tenant::TenantCount;
use super::workload::{Class, WorkloadType};
use super::workloads::Workloads;
use super::{Instant, Points};

/// The most points that one sample may state in all: what is summed over servers and months stays an exact decimal.
pub const POINTS_MAX: i64 = 1_000_000_000_000_000;

/// A complete sample: everything a source showed of one server, read without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub server: ServerName,
    /// The start of the read.
    pub taken_at: Instant,
    pub license: License,
    /// Sorted by id, each id once.
    pub workloads: Workloads,
    pub counts: Vec<TenantCount>,
    /// True when the source's list itself vouches that its workloads are protected at `taken_at` (VBR REST):
    /// then restore points age workloads only after that instant.
    pub vouched: bool,
    /// When restore points were last read in full, for sources that read them bit by bit.
    pub restore_points_swept_at: Option<Instant>,
    /// Where the server's own numbers and ours differ; kept on the sample and shown, never hidden.
    pub discrepancies: Vec<String>,
    /// The source itself had nothing fresh of the server: the numbers stand and are never taken for fresh ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
}

impl Sample {
    /// Refuses a sample that states more than [`POINTS_MAX`] points in all.
    ///
    /// # Errors
    /// One line with the sum.
    pub fn check_sum(&self) -> Result<(), String> {
        let counted = self.counts.iter().filter_map(|count| Some(count.weight? * u64::from(count.used)));
        let stated = self.workloads.stated() + counted.sum();
        if stated <= Points::whole(POINTS_MAX) {
            return Ok(());
        }
        Err(format!("{} points in all are more than any provider has (limit {POINTS_MAX})", stated.rounded_up()))
    }
}

/// Why a sample's numbers are of an earlier hour, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub why: String,
}

/// What a workload counts as in a classified sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub class: Class,
    /// Points of the workload, its weight when sampled; the server's weight wins, else the points table.
    pub weight: Points,
    /// It has no weight of its own: so many of its type take one instance together.
    pub shares: bool,
    /// First ever, as far as source, restore points, ledger and imports know.
    pub first_processed_at: Option<Instant>,
}

/// Counts and points of one group of workloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTotal {
    pub count: u64,
    pub points: Points,
    pub new_count: u64,
    pub new_points: Points,
    pub rental_count: u64,
    /// Those of `count` that take an instance together with others of their type, and add nothing to `points`: they are
    /// rounded once, over everything under one key.
    pub sharing: u64,
}

/// A tenant (or none) and a type.
pub type Group = (Option<String>, WorkloadType);

/// A classified sample in short: what watermarks are made of. Sums are without what objects take together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Points that count (billable).
    pub points: Points,
    pub new_points: Points,
    pub rental_count: u64,
    pub groups: BTreeMap<Group, GroupTotal>,
}

impl GroupTotal {
    pub fn add(&mut self, other: GroupTotal) {
        self.count += other.count;
        self.points += other.points;
        self.new_count += other.new_count;
        self.new_points += other.new_points;
        self.rental_count += other.rental_count;
        self.sharing += other.sharing;
    }

    /// Takes off what was added before.
    pub fn subtract(&mut self, other: GroupTotal) {
        self.count -= other.count;
        self.points = self.points - other.points;
        self.new_count -= other.new_count;
        self.new_points = self.new_points - other.new_points;
        self.rental_count -= other.rental_count;
        self.sharing -= other.sharing;
    }
}

impl Summary {
    /// Adds one group's total, keeping the sums.
    pub fn add(&mut self, group: Group, total: GroupTotal) {
        self.points += total.points;
        self.new_points += total.new_points;
        self.rental_count += total.rental_count;
        self.groups.entry(group).or_default().add(total);
    }

    /// Sets one group's total, keeping the sums; a group of nothing goes.
    pub fn set(&mut self, group: &Group, total: GroupTotal) {
        let before = self.groups.get(group).copied().unwrap_or_default();
        self.points = self.points - before.points + total.points;
        self.new_points = self.new_points - before.new_points + total.new_points;
        self.rental_count = self.rental_count - before.rental_count + total.rental_count;
        if total == GroupTotal::default() {
            self.groups.remove(group);
        } else if let Some(known) = self.groups.get_mut(group) {
            *known = total;
        } else {
            self.groups.insert(group.clone(), total);
        }
    }

    /// Adds a whole summary, as when the servers of a unit are summed.
    pub fn add_all(&mut self, other: &Summary) {
        for (group, total) in &other.groups {
            self.add(group.clone(), *total);
        }
    }

    /// Billable points by type.
    pub fn by_type(&self) -> BTreeMap<WorkloadType, Points> {
        let mut by_type: BTreeMap<WorkloadType, Points> = BTreeMap::new();
        for ((_, kind), total) in &self.groups {
            *by_type.entry(kind.clone()).or_default() += total.points;
        }
        by_type.retain(|_, points| !points.is_zero());
        by_type
    }
}
