//! The mark of one unit's day from the summaries of its servers. Pure.

use std::borrow::Cow;
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

/// Points by group, summed over servers as each one's newest sample stands.
#[derive(Default)]
struct Standing {
    points: Points,
    groups: BTreeMap<Group, Points>,
    /// Objects by group that take instances together, which are in no points yet; none of them is zero.
    sharing: BTreeMap<Group, i64>,
    /// What each server adds, and when it no longer does.
    servers: BTreeMap<usize, (Instant, Arc<Summary>)>,
}

impl Standing {
    fn set(&mut self, server: usize, seen: &Seen) {
        self.remove(server);
        if let Some(summary) = &seen.summary {
            self.points += summary.points;
            for (group, total) in &summary.groups {
                *self.groups.entry(group.clone()).or_default() += total.points;
                share(&mut self.sharing, group, objects(total));
            }
            self.servers.insert(server, (seen.at, Arc::clone(summary)));
        }
    }

    fn remove(&mut self, server: usize) {
        let Some((_, summary)) = self.servers.remove(&server) else { return };
        self.points = self.points - summary.points;
        for (group, total) in &summary.groups {
            let points = self.groups.entry(group.clone()).or_default();
            *points = *points - total.points;
            share(&mut self.sharing, group, -objects(total));
        }
    }

    /// Lets go of servers whose newest sample is too old to speak for them.
    fn expire(&mut self, now: Instant, basis_max_age: TimeDelta) {
        let old =
            |(server, (at, _)): (&usize, &(Instant, Arc<Summary>))| (now - *at > basis_max_age).then_some(*server);
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

/// The day's mark: the highest sum, at the instants of the unit's samples in the day, over each server's newest sample
/// that is not older than `basis_max_age` (design.md section 4). `None` when no sample of the unit is in the day.
///
/// `servers` holds each server's samples in order of time, from `basis_max_age` before the day on.
pub(super) fn mark_of_day(
    day: NaiveDate,
    servers: &[(ServerName, Vec<Seen>)],
    basis_max_age: TimeDelta,
    surplus_at: SurplusAt<'_>,
) -> Result<Option<DayMark>, StoreError> {
    let mut events: Vec<(Instant, usize, &Seen)> = Vec::new();
    for (index, (_, seen)) in servers.iter().enumerate() {
        events.extend(seen.iter().map(|seen| (seen.at, index, seen)));
    }
    events.sort_by_key(|(at, index, _)| (*at, *index));
    let mut standing = Standing::default();
    let mut found: Option<DayMark> = None;
    let mut maxima: BTreeMap<Group, Points> = BTreeMap::new();
    for at_once in events.chunk_by(|(one, ..), (next, ..)| one == next) {
        let at = at_once[0].0;
        for (_, server, seen) in at_once {
            standing.set(*server, seen);
        }
        standing.expire(at, basis_max_age);
        let of_unit = at_once.iter().filter(|(_, _, seen)| seen.summary.is_some());
        let complete: Vec<usize> = of_unit.map(|(_, server, _)| *server).collect();
        if at < midnight(day) || complete.is_empty() {
            continue;
        }
        let stands: Vec<(usize, Instant)> = standing.servers.iter().map(|(server, (at, _))| (*server, *at)).collect();
        let (groups, points) = standing.less(&surplus_at(at, &stands)?);
        for (group, points) in groups.iter().filter(|(_, points)| !points.is_zero()) {
            let maximum = maxima.entry(group.clone()).or_default();
            *maximum = (*maximum).max(*points);
        }
        let mark = HighWatermark::raised_by(found.as_ref().map(|found| found.mark), points, at);
        let raised = found.as_ref().is_none_or(|found| found.mark != mark);
        let entry = found.get_or_insert_with(|| empty(day, mark));
        if raised {
            entry.mark = mark;
            entry.by_type = by_type(&groups);
        }
        for server in complete {
            *entry.samples.entry(servers[server].0.clone()).or_default() += 1;
        }
    }
    Ok(found.map(|found| DayMark { group_maxima: maxima.into_iter().collect(), ..found }))
}

fn empty(day: NaiveDate, mark: HighWatermark) -> DayMark {
    DayMark { day, mark, by_type: BTreeMap::new(), group_maxima: Vec::new(), samples: BTreeMap::new() }
}
