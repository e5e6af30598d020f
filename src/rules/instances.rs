//! Instances of Subscription and Perpetual keys: the policy's table and its rounding (domain.md 7.1).

use std::collections::BTreeMap;

use crate::domain::Points;
use crate::domain::license::License;
use crate::domain::sample::{GroupTotal, Summary};
use crate::domain::workload::WorkloadType;

/// Where the table is from.
pub const POLICY: &str = "licensing policy v18, 1.1.1 (October 2025)";

/// How many objects of a type one instance covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    pub kind: &'static str,
    /// Objects covered by one instance; a part of so many needs a whole one (recommended reading of domain.md 7.1).
    pub objects: u64,
}

/// The policy's rows for what is counted one by one. Unstructured data is measured: [`super::unstructured`].
pub const POLICY_TABLE: [PolicyRow; 6] = [
    PolicyRow { kind: "VM", objects: 1 },
    PolicyRow { kind: "CloudVM", objects: 1 },
    PolicyRow { kind: "Server", objects: 1 },
    PolicyRow { kind: "Application", objects: 1 },
    PolicyRow { kind: "Workstation", objects: 3 },
    PolicyRow { kind: "EntraIDUser", objects: 10 },
];

/// The policy's row for a type; `None` for what it measures or does not know.
pub fn row_of(kind: &WorkloadType) -> Option<PolicyRow> {
    POLICY_TABLE.iter().find(|row| row.kind == kind.as_str()).copied()
}

impl PolicyRow {
    /// Instances of so many objects together, rounded up.
    pub fn instances(self, objects: u64) -> u64 {
        objects.div_ceil(self.objects)
    }
}

/// Whether a capacity section pays for this type: then it consumes no instances (domain.md 7.2).
pub fn is_paid_by_capacity(kind: &WorkloadType, license: &License) -> bool {
    *kind == WorkloadType::FileShare && license.sections.capacity.is_some()
}

/// Hands out the instances that objects take together, rounded once over all of them: each taker gets what its objects
/// raise the total by, so that the sum is the policy's, however many takers there are (domain.md 7.1).
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    seen: BTreeMap<WorkloadType, u64>,
}

impl Sharing {
    /// Instances for so many more objects of a type.
    pub fn take(&mut self, kind: &WorkloadType, objects: u64) -> Points {
        let Some(row) = row_of(kind).filter(|_| objects > 0) else { return Points::ZERO };
        let seen = self.seen.entry(kind.clone()).or_default();
        let before = row.instances(*seen);
        *seen += objects;
        Points::whole(1) * (row.instances(*seen) - before)
    }
}

/// Everything under one key, with what its objects take together in the points of their groups.
pub fn rounded(unrounded: Summary) -> Summary {
    rounded_with(unrounded, &mut Sharing::default())
}

/// The same where other takers share: each gets what it raises the total of all by.
pub fn rounded_with(unrounded: Summary, sharing: &mut Sharing) -> Summary {
    let mut summary = Summary::default();
    for ((tenant, kind), total) in unrounded.groups {
        let points = total.points + sharing.take(&kind, total.sharing);
        summary.add((tenant, kind), GroupTotal { points, sharing: 0, ..total });
    }
    summary
}
