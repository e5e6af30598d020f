//! Unstructured data: measured by source, the largest size of 30 days, rounded down to 500 GB (domain.md 7.2).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::domain::Instant;
use crate::domain::sample::Sample;
use crate::domain::workload::{Class, Unstructured, Workload, WorkloadType};

/// Unstructured data covered by one instance, or by one unit of a points table, in GB.
pub const CHUNK_GB: u64 = 500;
/// Unstructured data covered by one chunk of a capacity key, in TB.
pub const CHUNK_TB: u64 = 1;
/// The largest size of so long counts.
pub const SIZE_COUNTS_FOR: TimeDelta = TimeDelta::days(30);

/// Whole chunks of a size, rounded down; nothing for a negative size.
pub fn chunks(size: Decimal, chunk: u64) -> u64 {
    u64::try_from((size / Decimal::from(chunk)).floor()).unwrap_or(0)
}

/// What is measured: unstructured data with a size and without a weight that the server states.
pub fn measured(workload: &Workload) -> Option<&Unstructured> {
    let is_measured = workload.kind == WorkloadType::FileShare && workload.points.is_none();
    workload.unstructured.as_ref().filter(|_| is_measured)
}

/// Chunks of each measured workload of a sample, by its position; `classes` are in the sample's order. The parts of one
/// source that count are summed first, and each gets what it raises the source's chunks by.
pub fn chunks_by_position(sample: &Sample, classes: &[Class]) -> BTreeMap<usize, u64> {
    let mut sizes: BTreeMap<&str, Decimal> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (at, (workload, class)) in sample.workloads.iter().zip(classes).enumerate() {
        let Some(Unstructured { size_gb, source }) = measured(workload) else { continue };
        let counts = matches!(class, Class::Billable | Class::New);
        let size = sizes.entry(source.as_deref().unwrap_or(&workload.id)).or_default();
        let before = chunks(*size, CHUNK_GB);
        *size += if counts { *size_gb } else { Decimal::ZERO };
        found.insert(at, chunks(*size, CHUNK_GB) - before);
    }
    found
}

/// Sizes that the samples of one server stated in the last 30 days, by workload.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    stated: BTreeMap<Instant, Vec<(String, Decimal)>>,
}

impl Sizes {
    /// Whether none was stated.
    pub fn is_empty(&self) -> bool {
        self.stated.is_empty()
    }

    /// What a sample states.
    pub fn of(sample: &Sample) -> Vec<(String, Decimal)> {
        let sized = |workload: &Arc<Workload>| Some((workload.id.clone(), workload.unstructured.as_ref()?.size_gb));
        let blocks = sample.workloads.blocks().iter().filter(|block| block.is_any_sized());
        blocks.flat_map(|block| block.workloads()).filter_map(sized).collect()
    }

    /// Takes note of what was stated at an instant, and lets go of what no longer counts then.
    pub fn take_note(&mut self, at: Instant, stated: Vec<(String, Decimal)>) {
        self.stated.retain(|stated_at, _| at - SIZE_COUNTS_FOR < *stated_at);
        if !stated.is_empty() {
            self.stated.insert(at, stated);
        }
    }

    /// The sample with the sizes that count at its instant.
    pub fn counted<'a>(&self, mut sample: Cow<'a, Sample>) -> Cow<'a, Sample> {
        let (at, mut largest) = (sample.taken_at, BTreeMap::new());
        for (stated_at, sizes) in &self.stated {
            if at - SIZE_COUNTS_FOR < *stated_at && *stated_at <= at {
                for (id, size) in sizes {
                    let known: &mut Decimal = largest.entry(id.as_str()).or_default();
                    *known = (*known).max(*size);
                }
            }
        }
        let larger = |workload: &Workload| {
            let stated = workload.unstructured.as_ref()?;
            let size_gb = largest.get(workload.id.as_str()).copied().filter(|largest| stated.size_gb < *largest)?;
            let unstructured = Some(Unstructured { size_gb, ..stated.clone() });
            Some(Workload { unstructured, ..workload.clone() })
        };
        if !largest.is_empty() {
            let workloads = sample.workloads.with(|_, workload| larger(workload));
            if !workloads.is_one_with(&sample.workloads) {
                sample.to_mut().workloads = workloads;
            }
        }
        sample
    }
}
