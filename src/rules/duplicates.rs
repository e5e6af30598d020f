//! The same machine on several servers of one unit: counted on each, as the vendor counts, or once where that is agreed.
//!
//! Once means: the higher weight, the tenant of the newest restore point, the earliest first processing (design.md
//! section 4, "Adjusting").

use std::collections::BTreeMap;

use super::counting::{self, AsOf};
use crate::domain::installation::ServerName;
use crate::domain::sample::{Counted, Group, Sample};
use crate::domain::workload::{Class, Workload, WorkloadType};
use crate::domain::{Instant, Points};

/// One server's copy of a machine.
#[derive(Clone, Copy, Debug)]
pub struct Copy<'a> {
    pub sample: &'a Sample,
    pub workload: &'a Workload,
    /// As that server's ledger knows it.
    pub first_processed_at: Option<Instant>,
    pub as_of: AsOf,
    /// What it weighs on its own server.
    pub weight: Points,
    /// Whether it takes an instance together with others there.
    pub shares: bool,
}

impl Copy<'_> {
    /// What it counts as on its own server.
    pub fn counted(&self) -> Counted {
        self.counted_since(self.first_processed_at)
    }

    fn counted_since(&self, first_processed_at: Option<Instant>) -> Counted {
        Counted {
            class: counting::class_of(self.workload, self.sample, first_processed_at, self.as_of),
            weight: self.weight,
            shares: self.shares,
            first_processed_at,
        }
    }

    /// The newest restore point known; a missing date equals the instant of the sample.
    fn backed_up_at(&self) -> Instant {
        self.workload.last_restore_point_at.unwrap_or(self.sample.taken_at)
    }

    fn group(&self) -> Group {
        (self.workload.tenant.clone(), self.workload.kind.clone())
    }
}

/// A machine counted once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The copy it is counted as: the one with the newest restore point, the first of equals.
    pub stands_as: usize,
    pub counted: Counted,
}

/// Counts the copies of one machine once. There is at least one copy.
pub fn once(copies: &[Copy<'_>]) -> Once {
    let mut stands_as = 0;
    for (index, copy) in copies.iter().enumerate() {
        if copies[stands_as].backed_up_at() < copy.backed_up_at() {
            stands_as = index;
        }
    }
    // Where one server does not know, it was there before anybody looked.
    let known: Option<Vec<Instant>> = copies.iter().map(|copy| copy.first_processed_at).collect();
    let first_processed_at = known.and_then(|known| known.into_iter().min());
    let all: Vec<Counted> = copies.iter().map(|copy| copy.counted_since(first_processed_at)).collect();
    Once {
        stands_as,
        counted: Counted {
            class: all.iter().map(|counted| counted.class).max().unwrap_or(Class::Unprotected),
            weight: all.iter().map(|counted| counted.weight).max().unwrap_or(Points::ZERO),
            // A weight that a server states wins over none of its own.
            shares: all.iter().all(|counted| counted.shares),
            first_processed_at,
        },
    }
}

/// What counting on each server gives above counting once; negative where counting once moves it to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surplus {
    pub points: Points,
    /// Objects that share instances.
    pub sharing: i64,
}

impl Surplus {
    pub fn add(&mut self, other: Surplus) {
        self.points += other.points;
        self.sharing += other.sharing;
    }

    fn of(counted: &Counted) -> Surplus {
        let total = counting::total_of(counted);
        Surplus { points: total.points, sharing: i64::from(total.sharing > 0) }
    }
}

/// What counting on each server gives above counting once, by tenant and type.
pub fn surplus(copies: &[Copy<'_>]) -> BTreeMap<Group, Surplus> {
    let mut surplus: BTreeMap<Group, Surplus> = BTreeMap::new();
    for copy in copies {
        surplus.entry(copy.group()).or_default().add(Surplus::of(&copy.counted()));
    }
    let once = once(copies);
    let stands = Surplus::of(&once.counted);
    let group = surplus.entry(copies[once.stands_as].group()).or_default();
    group.add(Surplus { points: Points::ZERO - stands.points, sharing: -stands.sharing });
    surplus.retain(|_, surplus| *surplus != Surplus::default());
    surplus
}

/// What a copy of a machine counts as, where it counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// The machine counts here, so much.
    Here(Counted),
    /// It counts on this server.
    On(ServerName),
}

/// A server's sample that stands at an instant.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    pub sample: &'a Sample,
    /// In the order of the sample's workloads.
    pub first_processed_at: Vec<Option<Instant>>,
    /// In the same order.
    pub counted: &'a [Counted],
    pub as_of: AsOf,
}

/// Where each machine that several samples show counts, by the position of the sample and of the workload in it.
pub fn plan(standing: &[Standing<'_>]) -> BTreeMap<(usize, usize), Duplicate> {
    let samples: Vec<&Sample> = standing.iter().map(|one| one.sample).collect();
    let mut plan = BTreeMap::new();
    for places in shared(&samples).into_values() {
        let copy = |&(of, at): &(usize, usize)| Copy {
            sample: samples[of],
            workload: &samples[of].workloads[at],
            first_processed_at: standing[of].first_processed_at[at],
            as_of: standing[of].as_of,
            weight: standing[of].counted[at].weight,
            shares: standing[of].counted[at].shares,
        };
        let copies: Vec<Copy<'_>> = places.iter().map(copy).collect();
        let once = once(&copies);
        let server = &copies[once.stands_as].sample.server;
        for (index, place) in places.into_iter().enumerate() {
            let here = index == once.stands_as;
            let duplicate = if here { Duplicate::Here(once.counted.clone()) } else { Duplicate::On(server.clone()) };
            plan.insert(place, duplicate);
        }
    }
    plan
}

/// The classes of several servers' samples with each machine counted once: elsewhere it counts nothing.
pub fn count_once(samples: &[&Sample], as_of: &dyn Fn(&Sample) -> AsOf, counted: &mut [Vec<Counted>]) {
    let standing = samples.iter().zip(counted.iter()).map(|(sample, counted)| Standing {
        sample,
        first_processed_at: counted.iter().map(|counted| counted.first_processed_at).collect(),
        counted,
        as_of: as_of(sample),
    });
    let plan = plan(&standing.collect::<Vec<_>>());
    for ((of, at), duplicate) in plan {
        match duplicate {
            Duplicate::Here(once) => counted[of][at] = once,
            Duplicate::On(_) => counted[of][at].class = Class::Unprotected,
        }
    }
}

/// What makes two workloads the same machine: their id, and whether they are its replicas. A machine that is backed up
/// and replicated counts once in each (domain.md 1, "VCC license").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Same<'a> {
    pub id: &'a str,
    pub is_replica: bool,
}

impl<'a> Same<'a> {
    pub fn of(workload: &'a Workload) -> Same<'a> {
        Same { id: &workload.id, is_replica: workload.kind == WorkloadType::CloudConnectReplica }
    }
}

/// Machines that several of these samples show: the positions of each sample and of its workload.
pub fn shared<'a>(samples: &[&'a Sample]) -> BTreeMap<Same<'a>, Vec<(usize, usize)>> {
    let mut places: BTreeMap<Same<'a>, Vec<(usize, usize)>> = BTreeMap::new();
    for (of, sample) in samples.iter().enumerate() {
        for (at, workload) in sample.workloads.iter().enumerate() {
            places.entry(Same::of(workload)).or_default().push((of, at));
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}
