//! Joins restore points to license workloads: no key does, so platform and name must, when they are unique.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::may_join;
use crate::domain::Instant;
use crate::domain::workload::Workload;

/// Agents' restore points are named `<machine> <job>`; a job's name has at most this many words.
const JOB_WORDS_MAX: usize = 12;

/// The restore points found of each workload.
#[derive(Default)]
pub struct Join {
    /// Positions of workloads by name.
    by_name: BTreeMap<String, Vec<usize>>,
    platforms: Vec<Option<String>>,
    found: Vec<Found>,
    /// Names that fit more than one workload.
    ambiguous: BTreeSet<String>,
}

/// Oldest and newest restore point of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub oldest: Option<Instant>,
    pub newest: Option<Instant>,
}

impl Join {
    pub fn new(workloads: &[Workload]) -> Join {
        let mut join = Join { found: vec![Found::default(); workloads.len()], ..Join::default() };
        for (position, workload) in workloads.iter().enumerate() {
            join.by_name.entry(workload.name.clone()).or_default().push(position);
            join.platforms.push(workload.platform.clone());
        }
        join
    }

    /// Keeps a restore point with the workload it belongs to; returns that workload's position.
    pub fn add(&mut self, name: &str, platform: &str, created_at: Instant) -> Option<usize> {
        let position = self.workload_of(name, platform)?;
        let found = &mut self.found[position];
        found.oldest = Some(found.oldest.map_or(created_at, |oldest| oldest.min(created_at)));
        found.newest = Some(found.newest.map_or(created_at, |newest| newest.max(created_at)));
        Some(position)
    }

    pub fn found(&self, position: usize) -> Found {
        self.found.get(position).copied().unwrap_or_default()
    }

    /// How many names fit several workloads, which stay undated.
    pub fn ambiguous(&self) -> usize {
        self.ambiguous.len()
    }

    fn workload_of(&mut self, name: &str, platform: &str) -> Option<usize> {
        let mut shorter = Some(name);
        for _ in 0..JOB_WORDS_MAX {
            let candidate = shorter?;
            if let Some(positions) = self.by_name.get(candidate) {
                let mut fitting = positions.iter().filter(|at| may_join(self.platforms[**at].as_deref(), platform));
                return match (fitting.next(), fitting.next()) {
                    (Some(position), None) => Some(*position),
                    (Some(_), Some(_)) => {
                        self.ambiguous.insert(candidate.to_owned());
                        None
                    }
                    (None, _) => None,
                };
            }
            shorter = candidate.rsplit_once(' ').map(|(machine, _)| machine);
        }
        None
    }
}
