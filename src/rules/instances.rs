//! Instances of Subscription and Perpetual keys: the policy's table and its rounding (domain.md 7.1 and 7.2).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

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

/// The policy's rows for what is counted one by one. Unstructured data is measured: [`unstructured`].
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

/// Unstructured data covered by one instance, in GB.
pub const CHUNK_GB: u64 = 500;
/// Unstructured data covered by one chunk of a capacity key, in TB.
pub const CHUNK_TB: u64 = 1;
/// The largest size of so many days counts.
pub const SIZE_DAYS: i64 = 30;

/// One source of unstructured data as jobs see it, in GB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A share, bucket or server, with what each job that backs it up protects of it.
    Share { jobs: Vec<Decimal> },
    /// A root added as one, with the size of each share below it.
    Root { shares: Vec<Decimal> },
}

impl Source {
    /// What counts as one size: the same source in several jobs, and the shares of a root, are summed first.
    pub fn size(&self) -> Decimal {
        match self {
            Source::Share { jobs: parts } | Source::Root { shares: parts } => parts.iter().copied().sum(),
        }
    }
}

/// Instances of unstructured data: each source by itself, rounded down to 500 GB.
pub fn unstructured(sources: &[Source]) -> u64 {
    sources.iter().map(|source| chunks(source.size(), CHUNK_GB)).sum()
}

/// Whole chunks of a size, rounded down; nothing for a negative size.
pub fn chunks(size: Decimal, chunk: u64) -> u64 {
    u64::try_from((size / Decimal::from(chunk)).floor()).unwrap_or(0)
}

/// The size that counts on a day: the largest of the last 30 days. `sizes` are days before it (0: the day) and sizes.
pub fn counted_size(sizes: &[(i64, Decimal)]) -> Decimal {
    let recent = sizes.iter().filter(|(days_ago, _)| (0..SIZE_DAYS).contains(days_ago));
    recent.map(|(_, size)| *size).max().unwrap_or_default()
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
    let (mut sharing, mut summary) = (Sharing::default(), Summary::default());
    for ((tenant, kind), total) in unrounded.groups {
        let points = total.points + sharing.take(&kind, total.sharing);
        summary.add((tenant, kind), GroupTotal { points, sharing: 0, ..total });
    }
    summary
}
