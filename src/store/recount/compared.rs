//! What the state keeps of days, compared with what was counted again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{DIFFERENCES_MAX, Proved, Recounted};
use crate::domain::calendar::rfc3339;
use crate::domain::installation::{ServerName, UnitId};
use crate::domain::sample::Group;
use crate::domain::watermark::DayMark;
use crate::domain::workload::WorkloadType;
use crate::domain::{IsoWeek, Points};
use crate::store::StoreError;
use crate::store::keys::About;
use crate::store::marks::{FollowedMaxima, Maxima};
use crate::store::state::State;

/// Something that is kept of a day is not what follows from the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkDiffers {
    pub unit: UnitId,
    pub day: NaiveDate,
    pub week: IsoWeek,
    pub what: WhatDiffers,
    /// `None`: nothing is kept.
    pub kept: Option<String>,
    /// `None`: nothing follows from the journal.
    pub recounted: Option<String>,
}

/// What of a day differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhatDiffers {
    /// The day's high watermark.
    Points,
    /// When it stood.
    At,
    /// The points of a type when it stood.
    ByType(WorkloadType),
    /// The highest points of a tenant's workloads of a type.
    Group(Group),
    /// How many samples of a server were complete.
    Samples(ServerName),
}

/// What is kept of one unit.
struct KeptOf {
    /// Days that were not compared yet.
    days: BTreeMap<NaiveDate, DayMark>,
    maxima: FollowedMaxima,
}

/// The comparison as far as it has come.
pub struct Comparing {
    kept: BTreeMap<UnitId, KeptOf>,
    days: u64,
    marks: u64,
    differences: Vec<MarkDiffers>,
    differing: u64,
}

impl Comparing {
    /// Reads what the state keeps.
    pub fn of(state: &State) -> Result<Comparing, StoreError> {
        let mut kept = BTreeMap::new();
        for unit in state.owners(About::Day)? {
            let (days, maxima) = state.all_days(&unit)?;
            kept.insert(unit, KeptOf { days, maxima });
        }
        Ok(Comparing { kept, days: 0, marks: 0, differences: Vec::new(), differing: 0 })
    }

    /// Compares a day; a unit's days come in order.
    pub fn day(&mut self, unit: &UnitId, mark: &DayMark, maxima: &Maxima) -> Result<(), StoreError> {
        self.days += 1;
        self.marks += maxima.len() as u64;
        let (mut found, nothing) = (Found::of(unit, mark.day), Maxima::new());
        match self.kept.get_mut(unit) {
            Some(of) => {
                found.compare_marks(of.days.remove(&mark.day).as_ref(), Some(mark));
                found.compare_maxima(of.maxima.on(mark.day)?.unwrap_or(&nothing), maxima);
            }
            None => {
                found.compare_marks(None, Some(mark));
                found.compare_maxima(&nothing, maxima);
            }
        }
        self.add(found.differences);
        Ok(())
    }

    /// What came of it, when every day was compared.
    pub fn proved(mut self, recounted: Recounted) -> Proved {
        for (unit, of) in std::mem::take(&mut self.kept) {
            for (day, kept) in &of.days {
                let mut found = Found::of(&unit, *day);
                found.compare_marks(Some(kept), None);
                self.add(found.differences);
            }
        }
        let Comparing { days, marks, differences, differing, .. } = self;
        Proved { recounted, days, marks, differences, differing }
    }

    fn add(&mut self, found: Vec<MarkDiffers>) {
        self.differing += found.len() as u64;
        let room = DIFFERENCES_MAX - self.differences.len();
        self.differences.extend(found.into_iter().take(room));
    }
}

/// What differs on one day.
struct Found<'a> {
    unit: &'a UnitId,
    day: NaiveDate,
    differences: Vec<MarkDiffers>,
}

impl<'a> Found<'a> {
    fn of(unit: &'a UnitId, day: NaiveDate) -> Found<'a> {
        Found { unit, day, differences: Vec::new() }
    }

    fn put(&mut self, what: WhatDiffers, kept: Option<String>, recounted: Option<String>) {
        if kept != recounted {
            let (unit, day, week) = (self.unit.clone(), self.day, IsoWeek::of_day(self.day));
            self.differences.push(MarkDiffers { unit, day, week, what, kept, recounted });
        }
    }

    fn compare_marks(&mut self, kept: Option<&DayMark>, recounted: Option<&DayMark>) {
        let points = |mark: Option<&DayMark>| mark.map(|mark| mark.mark.points.to_string());
        self.put(WhatDiffers::Points, points(kept), points(recounted));
        let at = |mark: Option<&DayMark>| mark.map(|mark| rfc3339(mark.mark.at));
        self.put(WhatDiffers::At, at(kept), at(recounted));
        let both = || kept.iter().chain(&recounted);
        for kind in both().flat_map(|mark| mark.by_type.keys()).collect::<BTreeSet<_>>() {
            let of = |mark: Option<&DayMark>| mark?.by_type.get(kind).map(Points::to_string);
            self.put(WhatDiffers::ByType(kind.clone()), of(kept), of(recounted));
        }
        for server in both().flat_map(|mark| mark.samples.keys()).collect::<BTreeSet<_>>() {
            let of = |mark: Option<&DayMark>| mark?.samples.get(server).map(u32::to_string);
            self.put(WhatDiffers::Samples(server.clone()), of(kept), of(recounted));
        }
    }

    fn compare_maxima(&mut self, kept: &Maxima, recounted: &Maxima) {
        if kept == recounted {
            return;
        }
        for group in kept.keys().chain(recounted.keys()).collect::<BTreeSet<&Group>>() {
            let of = |maxima: &Maxima| maxima.get(group).map(Points::to_string);
            self.put(WhatDiffers::Group(group.clone()), of(kept), of(recounted));
        }
    }
}
