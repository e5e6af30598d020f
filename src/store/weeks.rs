//! Groups' highest points by week, out of the maxima of their days: a year of them is read at once, so groups are numbers
//! here until the end.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::StoreError;
use super::kept::{self, exact};
use super::keys::{self, About};
use super::marks::{KeptMaxima, Maxima, WHOLE_EVERY_DAYS};
use super::packing::columns::Exact;
use super::squeeze::unsqueeze;
use super::state::State;
use crate::domain::sample::Group;
use crate::domain::{IsoWeek, Points};

/// Groups' highest points by week.
pub type GroupWeeks = BTreeMap<IsoWeek, BTreeMap<Group, Points>>;

/// Raises each group's highest points to those of a day.
pub fn raise(highest: &mut Maxima, day: &Maxima) {
    let mut coming = day.iter().peekable();
    let mut missing = Vec::new();
    for (group, points) in &mut *highest {
        while let Some(before) = coming.next_if(|(next, _)| *next < group) {
            missing.push(before);
        }
        if let Some((_, coming)) = coming.next_if(|(next, _)| *next == group) {
            *points = (*points).max(*coming);
        }
    }
    let missing = missing.into_iter().chain(coming);
    highest.extend(missing.map(|(group, points)| (group.clone(), *points)));
}

/// By the number of a group its points; it has none where it does not stand.
type ByNumber = Vec<Option<Points>>;

/// Groups by number, in the order in which they were first named.
#[derive(Default)]
struct Names {
    groups: Vec<(Option<String>, String)>,
    /// Numbers in the order of what they stand for.
    sorted: Vec<usize>,
    /// By number the group that was named after it last time: rows name the same groups in the same order.
    followed_by: Vec<usize>,
    newest: usize,
}

impl Names {
    fn is(&self, number: usize, group: (Option<&str>, &str)) -> bool {
        self.groups.get(number).is_some_and(|(tenant, kind)| (tenant.as_deref(), kind.as_str()) == group)
    }

    fn number(&mut self, group: (Option<&str>, &str)) -> usize {
        let expected = self.followed_by.get(self.newest).copied().filter(|number| self.is(*number, group));
        let number = expected.unwrap_or_else(|| self.searched(group));
        if let Some(next) = self.followed_by.get_mut(self.newest) {
            *next = number;
        }
        self.newest = number;
        number
    }

    fn searched(&mut self, group: (Option<&str>, &str)) -> usize {
        let named = |number: &usize| {
            let (tenant, kind) = &self.groups[*number];
            (tenant.as_deref(), kind.as_str()).cmp(&group)
        };
        match self.sorted.binary_search_by(named) {
            Ok(place) => self.sorted[place],
            Err(place) => {
                let number = self.groups.len();
                self.groups.push((group.0.map(str::to_owned), group.1.to_owned()));
                self.followed_by.push(0);
                self.sorted.insert(place, number);
                number
            }
        }
    }

    /// The groups by number, as they are called outside.
    fn into_groups(self) -> Vec<Group> {
        let kind = |kind: String| kind.parse().expect("every text is a workload type");
        self.groups.into_iter().map(|(tenant, name)| (tenant, kind(name))).collect()
    }
}

/// The maxima of one day after the other.
#[derive(Default)]
struct Following {
    names: Names,
    maxima: ByNumber,
    /// Groups that the newest day's row named.
    named: Vec<usize>,
}

impl Following {
    fn follow(&mut self, row: KeptMaxima<&str>) -> Result<(), StoreError> {
        self.named.clear();
        match row {
            KeptMaxima::Whole(stated) => {
                self.maxima.fill(None);
                stated.into_iter().try_for_each(|(tenant, kind, points)| self.take((tenant, kind), Some(points)))
            }
            KeptMaxima::Since(stated) => {
                stated.into_iter().try_for_each(|(tenant, kind, points)| self.take((tenant, kind), points))
            }
        }
    }

    fn take(&mut self, group: (Option<&str>, &str), points: Option<Exact>) -> Result<(), StoreError> {
        let number = self.names.number(group);
        if self.maxima.len() <= number {
            self.maxima.resize(number + 1, None);
        }
        self.maxima[number] = points.map(exact).transpose()?;
        self.named.push(number);
        Ok(())
    }

    /// Raises a week to the newest day, whose other groups stand as on the day before.
    fn raise(&self, highest: &mut ByNumber) {
        highest.resize(self.maxima.len(), None);
        for number in &self.named {
            highest[*number] = highest[*number].max(self.maxima[*number]);
        }
    }
}

impl State {
    /// Each group's highest points of each week that has days from the first to the last.
    pub(super) fn weeks(&self, unit: &str, first: NaiveDate, last: NaiveDate) -> Result<GroupWeeks, StoreError> {
        let back = Days::new(WHOLE_EVERY_DAYS.unsigned_abs().into());
        let from = first.checked_sub_days(back).unwrap_or(first);
        let behind = last.checked_add_days(Days::new(1)).unwrap_or(last).max(from);
        let range = |day| keys::on_day(About::Maxima, unit, day);
        let mut following = Following::default();
        let mut weeks: Vec<(IsoWeek, ByNumber)> = Vec::new();
        for (key, bytes) in self.kv.scan(&range(from), &range(behind))? {
            let day = keys::day_of(&key).ok_or_else(|| kept::odd("a day's key", "it has no day"))?;
            let row = unsqueeze(&bytes)?;
            let row = postcard::from_bytes(&row).map_err(|error| kept::odd("a day's maxima", &error.to_string()))?;
            following.follow(row)?;
            let week = IsoWeek::of_day(day);
            match weeks.last_mut() {
                _ if day < first => {}
                Some((newest, highest)) if *newest == week => following.raise(highest),
                Some(_) | None => weeks.push((week, following.maxima.clone())),
            }
        }
        let groups = following.names.into_groups();
        let mut sorted: Vec<usize> = (0..groups.len()).collect();
        sorted.sort_unstable_by(|one, other| groups[*one].cmp(&groups[*other]));
        let named = |highest: ByNumber| {
            let stands = |number: &usize| Some((groups[*number].clone(), (*highest.get(*number)?)?));
            sorted.iter().filter_map(stands).collect()
        };
        Ok(weeks.into_iter().map(|(week, highest)| (week, named(highest))).collect())
    }
}
