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

use super::instances::{self, POLICY, PolicyRow};
use super::points_table::{self, PointsRow};
use super::unstructured::{self, CHUNK_GB, chunks};

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
    /// The same policy: so many objects take one instance together, and none has a weight of its own.
    Shared { objects: u64 },
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
            WeightFrom::Shared { objects } => write!(f, "{POLICY}: {objects} of them take 1 instance"),
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

    /// Whether it takes an instance together with others of its type.
    pub fn shares(&self) -> bool {
        matches!(self.from, WeightFrom::Shared { .. })
    }
}

/// The weight, or `1/3` where three objects take one instance together.
impl fmt::Display for Weighed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            WeightFrom::Shared { objects } => write!(f, "1/{objects}"),
            WeightFrom::Server
            | WeightFrom::Table { .. }
            | WeightFrom::Policy
            | WeightFrom::Capacity
            | WeightFrom::Nothing => self.weight.fmt(f),
        }
    }
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

    fn answer(&self, stated: Option<Points>, kind: &WorkloadType, sample: &Sample) -> Weighed {
        let license = &sample.license;
        let known = |weight, from| Weighed { weight, from };
        if license.kind.measure() == Measure::Instances {
            if instances::is_paid_by_capacity(kind, license) {
                return known(Points::ZERO, WeightFrom::Capacity);
            }
            return match (stated, instances::row_of(kind)) {
                (Some(stated), _) => known(stated, WeightFrom::Server),
                (None, Some(PolicyRow { objects: 1, .. })) => known(Points::whole(1), WeightFrom::Policy),
                (None, Some(PolicyRow { objects, .. })) => known(Points::ZERO, WeightFrom::Shared { objects }),
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

    /// The weight of one workload by itself; zero for one that shares an instance with others.
    pub fn weight_of(&self, workload: &Workload, sample: &Sample) -> Weighed {
        match unstructured::measured(workload) {
            Some(measured) => self.of_chunks(chunks(measured.size_gb, CHUNK_GB), workload, sample),
            None => self.answer(workload.points, &workload.kind, sample),
        }
    }

    /// The weights of a sample's workloads, in its order; `classes` are theirs, since only what counts is measured.
    pub fn weigh(&self, sample: &Sample, classes: &[Class]) -> Vec<Weighed> {
        let by_position = unstructured::chunks_by_position(sample, classes);
        let weighed = |(at, workload)| match by_position.get(&at) {
            Some(chunks) => self.of_chunks(*chunks, workload, sample),
            None => self.weight_of(workload, sample),
        };
        sample.workloads.iter().enumerate().map(weighed).collect()
    }

    /// The weight of so many chunks of unstructured data.
    fn of_chunks(&self, chunks: u64, workload: &Workload, sample: &Sample) -> Weighed {
        let is_free = instances::is_paid_by_capacity(&workload.kind, &sample.license);
        let of_one = match sample.license.kind.measure() {
            Measure::Instances if !is_free => Weighed { weight: Points::whole(1), from: WeightFrom::Policy },
            Measure::Instances | Measure::Points => self.answer(None, &workload.kind, sample),
        };
        Weighed { weight: of_one.weight * chunks, ..of_one }
    }

    /// The weight of one machine of a tenant's count.
    pub fn weigh_count(&self, count: &TenantCount, sample: &Sample) -> Weighed {
        self.answer(count.weight, &count.kind, sample)
    }

    /// The sample with its unknown types replaced by those they are mapped to; the platform wins over the type's name.
    pub fn mapped<'a>(&self, sample: &'a Sample) -> Cow<'a, Sample> {
        let mut sample = Cow::Borrowed(sample);
        if self.mapping.is_empty() {
            return sample;
        }
        let workloads = sample.workloads.with(|_, workload| {
            let kind = self.meaning(&workload.kind, workload.platform.as_deref())?.clone();
            Some(Workload { kind, ..workload.clone() })
        });
        if !workloads.is_one_with(&sample.workloads) {
            sample.to_mut().workloads = workloads;
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

    /// Whether a row comes into force after the one day, up to the other.
    pub fn has_row_from(&self, after: NaiveDate, until: NaiveDate) -> bool {
        let mut rows = self.rows.iter().chain(points_table::built_in()).filter(|row| !row.provisional);
        rows.any(|row| after < row.valid_from && row.valid_from <= until)
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

/// Each type of a sample with how many have the same weight from the same place; machines of counts all together.
pub fn weights_of(sample: &Sample, rating: &Rating) -> Vec<(WorkloadType, u64, Weighed)> {
    let mut found: BTreeMap<(WorkloadType, Points, WeightFrom), u64> = BTreeMap::new();
    let classes = vec![Class::Billable; sample.workloads.len()];
    let named = sample
        .workloads
        .iter()
        .zip(rating.weigh(sample, &classes))
        .map(|(workload, weighed)| (&workload.kind, 1, weighed));
    let counted = sample.counts.iter().map(|count| {
        let machines = u64::from(count.used) + u64::from(count.new) + u64::from(count.rental);
        (&count.kind, machines, rating.weigh_count(count, sample))
    });
    for (kind, count, Weighed { weight, from }) in named.chain(counted) {
        *found.entry((kind.clone(), weight, from)).or_default() += count;
    }
    found.into_iter().map(|((kind, weight, from), count)| (kind, count, Weighed { weight, from })).collect()
}
