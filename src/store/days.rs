//! The mark of one unit's day from the summaries of its servers. Pure.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};

use super::StoreError;
use crate::domain::calendar::midnight;
use crate::domain::installation::ServerName;
use crate::domain::sample::{Group, GroupTotal, Summary};
use crate::domain::watermark::{DayMark, HighWatermark};
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Points};
use crate::rules::duplicates::Surplus;
use crate::rules::instances::Sharing;

/// One sample of a server in short.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub at: Instant,
    /// `None`: the server was of another unit then, and adds nothing to this one.
    pub summary: Option<Arc<Summary>>,
}

/// What is to be taken off by group.
pub(super) type Surpluses = BTreeMap<Group, Surplus>;

/// What machines of several servers count too much at an instant, given each server and the instant of its sample.
pub(super) type SurplusAt<'a> = &'a mut dyn FnMut(Instant, &[(usize, Instant)]) -> Result<Surpluses, StoreError>;

/// What a server adds to the sums, and since when.
struct Added {
    at: Instant,
    /// `None` while its next sample is worked out of it.
    summary: Option<Arc<Summary>>,
}

/// Points by group, summed over servers as each one's newest sample stands.
#[derive(Default)]
struct Standing {
    points: Points,
    groups: BTreeMap<Group, Points>,
    /// The same by type.
    by_type: BTreeMap<WorkloadType, Points>,
    /// Objects by group that take instances together, which are in no points yet; none of them is zero.
    sharing: BTreeMap<Group, i64>,
    /// What each server adds, and when it no longer does.
    servers: BTreeMap<usize, Added>,
    /// Groups whose points changed since somebody looked.
    touched: Vec<Group>,
}

impl Standing {
    fn set(&mut self, server: usize, seen: &Seen) {
        let before = self.servers.get(&server).and_then(|added| added.summary.clone());
        match (before, &seen.summary) {
            (Some(before), Some(summary)) if Arc::ptr_eq(&before, summary) => {}
            (Some(before), Some(summary)) => {
                let stays = |group: &Group, total: &GroupTotal| summary.groups.get(group) == Some(total);
                for (group, total) in before.groups.iter().filter(|(group, total)| !stays(group, total)) {
                    self.shift(group, total, summary.groups.get(group).unwrap_or(&GroupTotal::default()));
                }
                let is_known = |group: &Group| before.groups.contains_key(group);
                for (group, total) in summary.groups.iter().filter(|(group, _)| !is_known(group)) {
                    self.shift(group, &GroupTotal::default(), total);
                }
            }
            (None, Some(summary)) => {
                for (group, total) in &summary.groups {
                    self.shift(group, &GroupTotal::default(), total);
                }
            }
            (_, None) => return self.remove(server),
        }
        self.servers.insert(server, Added { at: seen.at, summary: seen.summary.clone() });
    }

    fn shift(&mut self, group: &Group, before: &GroupTotal, after: &GroupTotal) {
        self.points = self.points - before.points + after.points;
        match self.groups.get_mut(group) {
            Some(points) => *points = *points - before.points + after.points,
            None => drop(self.groups.insert(group.clone(), after.points - before.points)),
        }
        match self.by_type.get_mut(&group.1) {
            Some(points) => *points = *points - before.points + after.points,
            None => drop(self.by_type.insert(group.1.clone(), after.points - before.points)),
        }
        share(&mut self.sharing, group, objects(after) - objects(before));
        self.touched.push(group.clone());
    }

    fn remove(&mut self, server: usize) {
        let Some(Added { summary: Some(summary), .. }) = self.servers.remove(&server) else { return };
        for (group, total) in &summary.groups {
            self.shift(group, total, &GroupTotal::default());
        }
    }

    /// Lets go of servers whose newest sample is too old to speak for them.
    fn expire(&mut self, now: Instant, basis_max_age: TimeDelta) {
        let old = |(server, added): (&usize, &Added)| (now - added.at > basis_max_age).then_some(*server);
        for server in self.servers.iter().filter_map(old).collect::<Vec<_>>() {
            self.remove(server);
        }
    }

    /// Points by group, some of them zero, and their sum, less a surplus; what is shared is rounded over all servers.
    fn less(&self, surplus: &Surpluses) -> (Cow<'_, BTreeMap<Group, Points>>, Points) {
        if surplus.is_empty() && self.sharing.is_empty() {
            return (Cow::Borrowed(&self.groups), self.points);
        }
        let (mut groups, mut sum, mut shared) = (self.groups.clone(), self.points, self.sharing.clone());
        for (group, surplus) in surplus {
            let of_group = groups.entry(group.clone()).or_default();
            *of_group = *of_group - surplus.points;
            sum = sum - surplus.points;
            share(&mut shared, group, -surplus.sharing);
        }
        let mut sharing = Sharing::default();
        for (group, objects) in shared {
            let points = sharing.take(&group.1, u64::try_from(objects).unwrap_or(0));
            *groups.entry(group).or_default() += points;
            sum += points;
        }
        (Cow::Owned(groups), sum)
    }
}

fn objects(total: &GroupTotal) -> i64 {
    i64::try_from(total.sharing).unwrap_or(i64::MAX)
}

/// Adds objects to a group.
fn share(sharing: &mut BTreeMap<Group, i64>, group: &Group, objects: i64) {
    if objects != 0 {
        let known = sharing.entry(group.clone()).or_default();
        *known += objects;
        if *known == 0 {
            sharing.remove(group);
        }
    }
}

fn by_type(groups: &BTreeMap<Group, Points>) -> BTreeMap<WorkloadType, Points> {
    let mut by_type: BTreeMap<WorkloadType, Points> = BTreeMap::new();
    for ((_, kind), points) in groups.iter().filter(|(_, points)| !points.is_zero()) {
        *by_type.entry(kind.clone()).or_default() += *points;
    }
    by_type
}

/// Makes the maxima those of what stands now; none of them is below zero, and a group of nothing has none.
fn begin_maxima(maxima: &mut BTreeMap<Group, Points>, groups: &BTreeMap<Group, Points>) {
    let mut standing = groups.iter().filter(|(_, points)| !points.is_zero()).peekable();
    let (mut missing, mut gone) = (Vec::new(), Vec::new());
    for (group, maximum) in &mut *maxima {
        loop {
            let order = standing.peek().map_or(Ordering::Greater, |(next, _)| (*next).cmp(group));
            match (order, standing.peek()) {
                (Ordering::Less, _) => missing.extend(standing.next()),
                (Ordering::Equal, Some((_, points))) => {
                    *maximum = points.at_least_zero();
                    standing.next();
                    break;
                }
                (Ordering::Equal | Ordering::Greater, _) => {
                    gone.push(group.clone());
                    break;
                }
            }
        }
    }
    let missing: Vec<(&Group, &Points)> = missing.into_iter().chain(standing).collect();
    for group in gone {
        maxima.remove(&group);
    }
    maxima.extend(missing.into_iter().map(|(group, points)| (group.clone(), points.at_least_zero())));
}

/// A day's mark as far as its samples have come.
pub(super) struct Running {
    pub day: NaiveDate,
    servers: Vec<ServerName>,
    basis_max_age: TimeDelta,
    standing: Standing,
    found: Option<DayMark>,
    maxima: BTreeMap<Group, Points>,
    /// The newest instant that was taken.
    pub at: Option<Instant>,
    /// Whether a group's maximum was raised since [`Running::is_raised`] was asked.
    is_raised: bool,
}

impl Running {
    /// Before any sample; the servers are those that are or were of the unit.
    pub fn new(day: NaiveDate, servers: Vec<ServerName>, basis_max_age: TimeDelta) -> Running {
        Running {
            day,
            servers,
            basis_max_age,
            standing: Standing::default(),
            found: None,
            maxima: BTreeMap::new(),
            at: None,
            is_raised: false,
        }
    }

    /// The server's place among the servers.
    pub fn place_of(&self, server: &str) -> Option<usize> {
        self.servers.iter().position(|name| name == server)
    }

    /// Lets go of a server's sums, whose next sample is worked out of them in place; [`Running::shift`] gives them back.
    pub fn release(&mut self, place: usize) {
        if let Some(added) = self.standing.servers.get_mut(&place) {
            added.summary = None;
        }
    }

    /// Ends the day, and begins a later one with what stands. The maxima are the day's until it is counted.
    pub fn turn_to(&mut self, day: NaiveDate) {
        (self.day, self.found, self.is_raised) = (day, None, false);
    }

    /// Whether sums were let go of and not given back.
    pub fn is_broken(&self) -> bool {
        self.standing.servers.values().any(|added| added.summary.is_none())
    }

    /// Whether the sums of a server would expire at this instant while they are let go of: nobody could take them off.
    pub fn would_lose_sums(&self, at: Instant) -> bool {
        let is_old = |added: &Added| added.summary.is_none() && at - added.at > self.basis_max_age;
        self.standing.servers.values().any(is_old)
    }

    /// Sets a server's sums, which differ from those let go of in these groups, each with its total before.
    pub fn shift(&mut self, place: usize, at: Instant, summary: &Arc<Summary>, groups: &[(Group, GroupTotal)]) {
        for (group, before) in groups {
            self.standing.shift(group, before, summary.groups.get(group).unwrap_or(&GroupTotal::default()));
        }
        self.standing.servers.insert(place, Added { at, summary: Some(Arc::clone(summary)) });
    }

    /// Whether the server's sums were let go of, to be given back by [`Running::shift`].
    pub fn stands(&self, place: usize) -> bool {
        self.standing.servers.get(&place).is_some_and(|added| added.summary.is_none())
    }

    pub fn set(&mut self, place: usize, seen: &Seen) {
        self.standing.set(place, seen);
    }

    /// Takes what was seen at an instant, later than all before it. The sums of servers without a new one stand.
    pub fn take(
        &mut self,
        at: Instant,
        at_once: &[(usize, &Seen)],
        surplus_at: SurplusAt<'_>,
    ) -> Result<(), StoreError> {
        for (server, seen) in at_once {
            self.standing.set(*server, seen);
        }
        let of_unit = at_once.iter().filter(|(_, seen)| seen.summary.is_some());
        self.count(at, &of_unit.map(|(server, _)| *server).collect::<Vec<_>>(), surplus_at)
    }

    /// Counts what stands at an instant at which these servers were sampled.
    pub fn count(&mut self, at: Instant, complete: &[usize], surplus_at: SurplusAt<'_>) -> Result<(), StoreError> {
        self.at = Some(at);
        self.standing.expire(at, self.basis_max_age);
        if at < midnight(self.day) || complete.is_empty() {
            return Ok(());
        }
        let stands: Vec<(usize, Instant)> =
            self.standing.servers.iter().map(|(server, added)| (*server, added.at)).collect();
        let touched = std::mem::take(&mut self.standing.touched);
        let (groups, points) = self.standing.less(&surplus_at(at, &stands)?);
        // The first time every group counts; then only those that may have grown.
        let some: Vec<(&Group, &Points)> = match (&self.found, &groups) {
            (None, _) => {
                begin_maxima(&mut self.maxima, &groups);
                self.is_raised = !self.maxima.is_empty();
                Vec::new()
            }
            (Some(_), Cow::Borrowed(groups)) => {
                touched.iter().filter_map(|group| groups.get_key_value(group)).collect()
            }
            (Some(_), Cow::Owned(groups)) => groups.iter().collect(),
        };
        for (group, points) in some.into_iter().filter(|(_, points)| !points.is_zero()) {
            let maximum = self.maxima.get(group).copied();
            if maximum.is_none_or(|maximum| maximum < *points) {
                // A group that never was above zero is not told.
                self.maxima.insert(group.clone(), (*points).max(Points::ZERO));
                self.is_raised = true;
            }
        }
        let mark = HighWatermark::raised_by(self.found.as_ref().map(|found| found.mark), points, at);
        let raised = self.found.as_ref().is_none_or(|found| found.mark != mark);
        let entry = self.found.get_or_insert_with(|| empty(self.day, mark));
        if raised {
            entry.mark = mark;
            entry.by_type = match &groups {
                Cow::Borrowed(_) => {
                    let mut by_type = self.standing.by_type.clone();
                    by_type.retain(|_, points| !points.is_zero());
                    by_type
                }
                Cow::Owned(groups) => by_type(groups),
            };
        }
        for server in complete {
            *entry.samples.entry(self.servers[*server].clone()).or_default() += 1;
        }
        Ok(())
    }

    /// The mark, without the maxima; `None` when no sample of the unit is in the day.
    pub fn mark(&self) -> Option<&DayMark> {
        self.found.as_ref()
    }

    /// Each group's own maximum.
    pub fn maxima(&self) -> &BTreeMap<Group, Points> {
        &self.maxima
    }

    /// Whether a maximum was raised since the last time.
    pub fn is_raised(&mut self) -> bool {
        std::mem::take(&mut self.is_raised)
    }
}

/// The day's mark: the highest sum, at the instants of the unit's samples in the day, over each server's newest sample
/// that is not older than `basis_max_age` (design.md section 4).
///
/// `seen` holds each server's samples in order of time, from `basis_max_age` before the day on.
pub(super) fn run_through(
    running: &mut Running,
    seen: &[Vec<Seen>],
    surplus_at: SurplusAt<'_>,
) -> Result<(), StoreError> {
    let mut events: Vec<(Instant, usize, &Seen)> = Vec::new();
    for (index, seen) in seen.iter().enumerate() {
        events.extend(seen.iter().map(|seen| (seen.at, index, seen)));
    }
    events.sort_by_key(|(at, index, _)| (*at, *index));
    for at_once in events.chunk_by(|(one, ..), (next, ..)| one == next) {
        let seen: Vec<(usize, &Seen)> = at_once.iter().map(|(_, server, seen)| (*server, *seen)).collect();
        running.take(at_once[0].0, &seen, surplus_at)?;
    }
    Ok(())
}

fn empty(day: NaiveDate, mark: HighWatermark) -> DayMark {
    DayMark { day, mark, by_type: BTreeMap::new(), group_maxima: Vec::new(), samples: BTreeMap::new() }
}
