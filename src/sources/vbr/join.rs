//! Joins restore points to license workloads: no key does, so platform and name must, when they are unique.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::may_join;
use crate::domain::Instant;
use crate::domain::workloads::Workloads;

/// Agents' restore points are named `<machine> <job>`; a job's name has at most this many words.
const JOB_WORDS_MAX: usize = 12;

/// The restore points found of each workload.
#[derive(Default)]
pub struct Join {
    /// Positions of workloads behind the digests of their names, sorted: a sweep looks up millions of names.
    by_name: Vec<(u64, usize)>,
    /// By position.
    found: BTreeMap<usize, Found>,
    /// Names that fit more than one workload.
    ambiguous: BTreeSet<String>,
    /// Positions of the workloads that such names fit.
    undated: BTreeSet<usize>,
}

/// Oldest and newest restore point of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub oldest: Option<Instant>,
    pub newest: Option<Instant>,
}

impl Join {
    pub fn new(workloads: &Workloads) -> Join {
        let digests = workloads.iter().map(|workload| digest(&workload.name));
        let mut by_name: Vec<(u64, usize)> = digests.zip(0..).collect();
        by_name.sort_unstable();
        Join { by_name, found: BTreeMap::new(), ambiguous: BTreeSet::new(), undated: BTreeSet::new() }
    }

    /// Keeps a restore point with the workload it belongs to; returns that workload's position.
    ///
    /// `workloads` are those it was made for.
    pub fn add(&mut self, workloads: &Workloads, name: &str, platform: &str, created_at: Instant) -> Option<usize> {
        let position = self.workload_of(workloads, name, platform)?;
        let found = self.found.entry(position).or_default();
        found.oldest = Some(found.oldest.map_or(created_at, |oldest| oldest.min(created_at)));
        found.newest = Some(found.newest.map_or(created_at, |newest| newest.max(created_at)));
        Some(position)
    }

    pub fn found(&self, position: usize) -> Found {
        self.found.get(&position).copied().unwrap_or_default()
    }

    /// Positions of workloads that restore points were found of.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        self.found.keys().copied()
    }

    /// How many names fit several workloads, which stay undated.
    pub fn ambiguous(&self) -> usize {
        self.ambiguous.len()
    }

    /// Positions of workloads that share a restore point's name: no date that was known of them holds on.
    pub fn undated(&self) -> &BTreeSet<usize> {
        &self.undated
    }

    fn workload_of(&mut self, workloads: &Workloads, name: &str, platform: &str) -> Option<usize> {
        let mut shorter = Some(name);
        for _ in 0..JOB_WORDS_MAX {
            let candidate = shorter?;
            let wanted = digest(candidate);
            let first = self.by_name.partition_point(|(digest, _)| *digest < wanted);
            let alike = self.by_name[first..].iter().take_while(|(digest, _)| *digest == wanted);
            let mut namesakes = alike.map(|(_, at)| *at).filter(|at| workloads[*at].name == candidate).peekable();
            if namesakes.peek().is_some() {
                let mut fitting = namesakes.filter(|at| may_join(workloads[*at].platform.as_deref(), platform));
                return match (fitting.next(), fitting.next()) {
                    (Some(position), None) => Some(position),
                    (Some(first), Some(second)) => {
                        self.undated.extend([first, second].into_iter().chain(fitting));
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

/// FNV-1a; equal names have equal digests, and namesakes are compared in full.
fn digest(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
