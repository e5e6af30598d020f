//! Usage of a period in steps: the high watermark of each, and what each group reached by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::sample::{Group, Summary};
use crate::domain::watermark::{DayMark, HighWatermark};
use crate::domain::{Instant, Points};

use super::instances;

/// How long a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    #[default]
    Day,
    /// From Monday on.
    Week,
    Month,
}

impl Step {
    /// The first day of the step that the day is in.
    fn begin(self, day: NaiveDate) -> NaiveDate {
        match self {
            Step::Day => day,
            Step::Week => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Step::Month => day - Days::new(u64::from(day.day0())),
        }
    }
}

/// One day: its mark, and each group's own maximum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub day: NaiveDate,
    pub mark: HighWatermark,
    pub groups: BTreeMap<String, Points>,
}

/// One step of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its days within the period.
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// `None`: there was no sample, which is not zero.
    pub points: Option<Points>,
    pub at: Option<Instant>,
}

/// One group's own maxima, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupSeries {
    pub key: String,
    /// Its highest maximum.
    pub highest: Points,
    /// As many as there are steps; `None`: there was no sample.
    pub maxima: Vec<Option<Points>>,
}

/// A period in steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    pub steps: Vec<Stretch>,
    /// The highest first.
    pub groups: Vec<GroupSeries>,
    /// Groups that are not given, because there are too many.
    pub groups_left_out: usize,
}

impl Series {
    /// The highest mark of all steps; of equal ones the first.
    pub fn highest(&self) -> Option<HighWatermark> {
        let marks = self.steps.iter().filter_map(|step| Some(HighWatermark { points: step.points?, at: step.at? }));
        marks.reduce(|best, mark| HighWatermark::raised_by(Some(best), mark.points, mark.at))
    }
}

/// The days from the first to the last, in steps, with at most so many groups.
pub fn series(days: &[Day], (first, last): (NaiveDate, NaiveDate), step: Step, groups_max: usize) -> Series {
    let mut steps: Vec<Stretch> = Vec::new();
    let mut step_of: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    for day in first.iter_days().take_while(|day| *day <= last) {
        match steps.last_mut() {
            Some(stretch) if step.begin(day) <= stretch.from => stretch.until = day,
            Some(_) | None => steps.push(Stretch { from: day, until: day, points: None, at: None }),
        }
        step_of.insert(day, steps.len() - 1);
    }
    let mut maxima: BTreeMap<&str, BTreeMap<usize, Points>> = BTreeMap::new();
    let mut sampled: BTreeSet<usize> = BTreeSet::new();
    for day in days {
        let Some(at) = step_of.get(&day.day) else { continue };
        sampled.insert(*at);
        let stretch = &mut steps[*at];
        let known = stretch.points.zip(stretch.at).map(|(points, at)| HighWatermark { points, at });
        let raised = HighWatermark::raised_by(known, day.mark.points, day.mark.at);
        (stretch.points, stretch.at) = (Some(raised.points), Some(raised.at));
        for (key, points) in &day.groups {
            let reached = maxima.entry(key).or_default().entry(*at).or_insert(*points);
            *reached = (*reached).max(*points);
        }
    }
    let group = |(key, reached): (&str, BTreeMap<usize, Points>)| GroupSeries {
        key: key.to_owned(),
        highest: reached.values().copied().max().unwrap_or_default(),
        maxima: (0..steps.len())
            .map(|at| sampled.contains(&at).then(|| reached.get(&at).copied().unwrap_or_default()))
            .collect(),
    };
    let mut groups: Vec<GroupSeries> = maxima.into_iter().map(group).collect();
    groups.sort_by(|one, other| other.highest.cmp(&one.highest).then_with(|| one.key.cmp(&other.key)));
    let groups_left_out = groups.len().saturating_sub(groups_max);
    groups.truncate(groups_max);
    Series { steps, groups, groups_left_out }
}

/// A day of a unit by its aggregates: a key of several tenants or types reaches at most the sum of their maxima, which may
/// have stood at different hours.
pub fn day_of(mark: &DayMark, key: &dyn Fn(&Group) -> Option<String>) -> Day {
    let mut groups: BTreeMap<String, Points> = BTreeMap::new();
    for (group, points) in &mark.group_maxima {
        if let Some(key) = key(group) {
            *groups.entry(key).or_default() += *points;
        }
    }
    Day { day: mark.day, mark: mark.mark, groups }
}

/// The days of one server by its samples in short, in order of time: each key's maximum is exact.
pub fn days_of(samples: &[(Instant, Arc<Summary>)], key: &dyn Fn(&Group) -> Option<String>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    let mut known: Option<(&Arc<Summary>, Points, BTreeMap<String, Points>)> = None;
    for (at, summary) in samples {
        // Neighbours that are equal share one summary.
        let (_, points, groups) = match known.take() {
            Some(known) if Arc::ptr_eq(known.0, summary) => known,
            Some(_) | None => {
                let (points, groups) = summed(summary, key);
                (summary, points, groups)
            }
        };
        let day = at.date_naive();
        let mark = HighWatermark { points, at: *at };
        match days.last_mut() {
            Some(last) if last.day == day => {
                last.mark = HighWatermark::raised_by(Some(last.mark), points, *at);
                for (key, points) in &groups {
                    let reached = last.groups.entry(key.clone()).or_default();
                    *reached = (*reached).max(*points);
                }
            }
            Some(_) | None => days.push(Day { day, mark, groups: groups.clone() }),
        }
        known = Some((summary, points, groups));
    }
    days
}

/// Points of a summary, all of them and by key; what objects take together is in them.
fn summed(summary: &Summary, key: &dyn Fn(&Group) -> Option<String>) -> (Points, BTreeMap<String, Points>) {
    let rounded = instances::rounded(summary.clone());
    let mut groups: BTreeMap<String, Points> = BTreeMap::new();
    for (group, total) in &rounded.groups {
        if let Some(key) = key(group) {
            *groups.entry(key).or_default() += total.points;
        }
    }
    (rounded.points, groups)
}
