//! What workloads weigh and where that comes from: the server, a points table, the policy; and what unknown types mean.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::Points;
use crate::domain::license::{License, Measure};
use crate::domain::sample::Sample;
use crate::domain::tenant::TenantCount;
use crate::domain::workload::{Class, Workload, WorkloadType};

use super::instances::{self, POLICY, PolicyRow, Sharing};
use super::points_table::{self, PointsRow};

/// What the settings add to the tables of the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Rows of own tables: they win over those of the program.
    pub rows: Vec<PointsRow>,
    /// Platforms or types that nobody knows here, and the type they stand for.
    pub mapping: BTreeMap<String, WorkloadType>,
}

/// Where a weight comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WeightFrom {
    /// Stated by the server.
    Server,
    /// A row of a points table.
    Table { table: String, source: String, valid_from: NaiveDate },
    /// The licensing policy, for keys that count instances.
    Policy,
    /// The key's capacity section pays for it.
    Capacity,
    /// Nobody names one; it counts nothing.
    Nothing,
}

impl fmt::Display for WeightFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightFrom::Server => f.write_str("server"),
            WeightFrom::Table { table, source, valid_from } => {
                write!(f, "table {table}, in force from {valid_from}: {source}")
            }
            WeightFrom::Policy => f.write_str(POLICY),
            WeightFrom::Capacity => f.write_str("the capacity license"),
            WeightFrom::Nothing => f.write_str("nothing"),
        }
    }
}

/// A weight and where it comes from; zero when nobody names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    pub weight: Points,
    pub from: WeightFrom,
}

impl Weighed {
    /// Whether anybody names a weight.
    pub fn is_known(&self) -> bool {
        self.from != WeightFrom::Nothing
    }
}

/// A weight, or the row of a policy under which several objects share one.
enum Answer {
    Weight(Weighed),
    Shared(PolicyRow),
}

impl Rating {
    /// Own rows first, then those of the program; a provisional row is never in force.
    pub fn row_for(&self, kind: &WorkloadType, license: &License, on: NaiveDate) -> Option<&PointsRow> {
        let own = self.rows.iter().filter(|row| !row.provisional);
        let of_program = points_table::built_in().iter().filter(|row| !row.provisional);
        points_table::row_among(own, kind, license, on)
            .or_else(|| points_table::row_among(of_program, kind, license, on))
    }

    /// The provisional row that would answer.
    pub fn provisional_row_for(&self, kind: &WorkloadType, license: &License, on: NaiveDate) -> Option<&PointsRow> {
        let rows = self.rows.iter().chain(points_table::built_in()).filter(|row| row.provisional);
        points_table::row_among(rows, kind, license, on)
    }

    fn answer(&self, stated: Option<Points>, kind: &WorkloadType, sample: &Sample) -> Answer {
        let license = &sample.license;
        let known = |weight, from| Answer::Weight(Weighed { weight, from });
        if license.kind.measure() == Measure::Instances {
            if instances::is_paid_by_capacity(kind, license) {
                return known(Points::ZERO, WeightFrom::Capacity);
            }
            return match (stated, instances::row_of(kind)) {
                (Some(stated), _) => known(stated, WeightFrom::Server),
                (None, Some(row)) => Answer::Shared(row),
                (None, None) => known(Points::ZERO, WeightFrom::Nothing),
            };
        }
        if let Some(stated) = stated {
            return known(stated, WeightFrom::Server);
        }
        match self.row_for(kind, license, sample.taken_at.date_naive()) {
            Some(row) => {
                let (table, source) = (row.table.clone(), row.source.clone());
                known(row.points, WeightFrom::Table { table, source, valid_from: row.valid_from })
            }
            None => known(Points::ZERO, WeightFrom::Nothing),
        }
    }

    /// The weight of one workload by itself; one that shares an instance with others weighs nothing alone.
    pub fn weight_of(&self, workload: &Workload, sample: &Sample) -> Weighed {
        alone(self.answer(workload.points, &workload.kind, sample))
    }

    /// The weights of a sample's workloads, in its order; `classes` are theirs. Only those that count share instances.
    pub fn weigh(&self, sample: &Sample, classes: &[Class]) -> Vec<Weighed> {
        let mut sharing: BTreeMap<&WorkloadType, Sharing> = BTreeMap::new();
        let mut weighed = Vec::with_capacity(sample.workloads.len());
        for (workload, class) in sample.workloads.iter().zip(classes) {
            weighed.push(match self.answer(workload.points, &workload.kind, sample) {
                Answer::Weight(weighed) => weighed,
                Answer::Shared(row) => {
                    let counts = *class == Class::Billable;
                    let share = counts.then(|| sharing.entry(&workload.kind).or_default().next(row));
                    Weighed { weight: share.unwrap_or_default(), from: WeightFrom::Policy }
                }
            });
        }
        weighed
    }

    /// The points of so many machines of a tenant's count, and where their weight comes from.
    pub fn points_of(&self, count: &TenantCount, machines: u64, sample: &Sample) -> (Points, WeightFrom) {
        match self.answer(count.weight, &count.kind, sample) {
            Answer::Weight(weighed) => (weighed.weight * machines, weighed.from),
            Answer::Shared(row) => (Points::whole(1) * row.instances(machines), WeightFrom::Policy),
        }
    }

    /// The weight of one machine of a tenant's count.
    pub fn weigh_count(&self, count: &TenantCount, sample: &Sample) -> Weighed {
        alone(self.answer(count.weight, &count.kind, sample))
    }

    /// The sample with its unknown types replaced by those they are mapped to; the platform wins over the type's name.
    pub fn mapped<'a>(&self, sample: &'a Sample) -> Cow<'a, Sample> {
        let mut sample = Cow::Borrowed(sample);
        if self.mapping.is_empty() {
            return sample;
        }
        for at in 0..sample.workloads.len() {
            let workload = &sample.workloads[at];
            if let Some(kind) = self.meaning(&workload.kind, workload.platform.as_deref()) {
                sample.to_mut().workloads[at].kind = kind.clone();
            }
        }
        for at in 0..sample.counts.len() {
            if let Some(kind) = self.meaning(&sample.counts[at].kind, None) {
                sample.to_mut().counts[at].kind = kind.clone();
            }
        }
        sample
    }

    /// What an unknown type is mapped to.
    fn meaning(&self, kind: &WorkloadType, platform: Option<&str>) -> Option<&WorkloadType> {
        let by_platform = || platform.and_then(|platform| self.mapping.get(platform));
        (!kind.is_known()).then(|| by_platform().or_else(|| self.mapping.get(kind.as_str())))?
    }

    /// Whether days on which this type counted may come out otherwise under another rating.
    pub fn may_differ(&self, other: &Rating, kind: &WorkloadType) -> bool {
        let changed = |one: &Rating, two: &Rating| {
            let maps_to = one.mapping.iter().any(|(name, to)| to == kind && two.mapping.get(name) != Some(to));
            let weighs = one.rows.iter().any(|row| row.kind == *kind && !two.rows.contains(row));
            maps_to || weighs
        };
        !kind.is_known() || changed(self, other) || changed(other, self)
    }
}

fn alone(answer: Answer) -> Weighed {
    match answer {
        Answer::Weight(weighed) => weighed,
        Answer::Shared(row) => {
            let weight = if row.objects == 1 { Points::whole(1) } else { Points::ZERO };
            Weighed { weight, from: WeightFrom::Policy }
        }
    }
}

/// Each type of a sample with how many have the same weight from the same place; machines of counts all together.
pub fn weights_of(sample: &Sample, rating: &Rating) -> Vec<(WorkloadType, u64, Weighed)> {
    let mut found: BTreeMap<(WorkloadType, Points, WeightFrom), u64> = BTreeMap::new();
    let classes = vec![Class::Billable; sample.workloads.len()];
    let weighed = rating.weigh(sample, &classes);
    let named = sample.workloads.iter().zip(weighed).map(|(workload, weighed)| (&workload.kind, 1, weighed));
    let counted = sample.counts.iter().map(|count| {
        let machines = u64::from(count.used) + u64::from(count.new) + u64::from(count.rental);
        (&count.kind, machines, rating.weigh_count(count, sample))
    });
    for (kind, count, Weighed { weight, from }) in named.chain(counted) {
        *found.entry((kind.clone(), weight, from)).or_default() += count;
    }
    found.into_iter().map(|((kind, weight, from), count)| (kind, count, Weighed { weight, from })).collect()
}
