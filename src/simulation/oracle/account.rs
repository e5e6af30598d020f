//! What servers truly counted at their samples, what units came to by it, and the daily marks that must say so.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use crate::agent::Agent;
use crate::domain::calendar::minute_text;
use crate::domain::installation::{Unit, UnitId, entry_of};
use crate::domain::license::Measure;
use crate::domain::{Instant, Points};
use crate::store::fact::key;

use super::super::world::SimulatedServer;
use super::{Oracle, lock};

/// The account of what was seen.
#[derive(Clone, Default)]
pub(super) struct Account {
    /// Each server's newest sample, and what was true then.
    newest: BTreeMap<String, (Instant, Points)>,
    /// The highest true total seen at a sample, per unit and day, each with when that was known.
    highest: BTreeMap<(UnitId, NaiveDate), BTreeMap<Instant, Points>>,
}

impl Account {
    /// What the unit came to when this server was sampled: its servers' newest samples that were not too old.
    fn total(&self, unit: &Unit, server: &str, (at, points): (Instant, Points), age_max: TimeDelta) -> Points {
        let is_alike = |other: &&String| (entry_of(other) == other.as_str()) == (entry_of(server) == server);
        let others = unit.servers.iter().filter(|other| *other != server).filter(is_alike);
        let standing = others.filter_map(|other| self.newest.get(other));
        // A console samples its servers together; one that it does not name any more has left.
        let age_max = if entry_of(server) == server { age_max } else { TimeDelta::milliseconds(1) };
        let fresh = standing.filter(|(sampled_at, _)| at - age_max < *sampled_at && *sampled_at <= at);
        points + fresh.map(|(_, points)| *points).sum::<Points>()
    }

    /// The highest true total of the unit on the day, as far as it was known by then: files may come days later.
    pub fn stood_on(&self, unit: &str, day: NaiveDate, known_by: Instant) -> Option<Points> {
        let known = self.highest.get(&(unit.to_owned(), day))?;
        known.range(..=known_by).next_back().map(|(_, points)| *points)
    }
}

impl Oracle {
    /// Every sample that came since the last look: its points are the true ones of its instant, and the marks follow.
    pub(super) fn check_samples(&mut self, agent: &Agent, name: &str, server: &SimulatedServer, now: Instant) {
        let Ok(Some(newest)) = agent.store().newest_sample_at(name, now) else { return };
        let before = self.samples_seen.insert(name.to_owned(), newest);
        if before == Some(newest) {
            return;
        }
        let since = before.filter(|before| *before < newest);
        let between = since.map(|before| agent.store().sample_times(name, before..newest).unwrap_or_default());
        for at in between.unwrap_or_default().into_iter().filter(|at| Some(*at) != before).chain([newest]) {
            self.check_sample(agent, name, server, (at, now));
        }
    }

    /// A sample's points are the true ones of its instant, and the day's mark is at least as high.
    fn check_sample(&mut self, agent: &Agent, name: &str, server: &SimulatedServer, (at, now): (Instant, Instant)) {
        let Ok(Some(found)) = agent.store().newest_sample(name, at) else { return };
        // Old numbers are no untruth: they say that they are old.
        if found.sample.stale.is_some() {
            self.account.newest.remove(name);
            return;
        }
        let truth = lock(&server.estate).truth(at);
        let (summary, hour) = (found.summary(), minute_text(now));
        if summary.points != truth.billable_points {
            let (seen, is) = (summary.points, truth.billable_points);
            self.object(format!("{hour}  {name} counts {seen} points at {}, true are {is}", minute_text(at)));
        }
        if summary.new_points != truth.new_points {
            let (seen, is) = (summary.new_points, truth.new_points);
            self.object(format!("{hour}  {name} counts {seen} new points, true are {is}"));
        }
        let measure = lock(&server.estate).license.kind.measure();
        self.check_mark(agent, name, (at, truth.billable_points), (measure, now));
    }

    /// The day's mark of the unit is at least what its servers came to.
    fn check_mark(
        &mut self,
        agent: &Agent,
        server: &str,
        sampled: (Instant, Points),
        (measure, now): (Measure, Instant),
    ) {
        let (at, points) = sampled;
        let store = agent.store();
        let unit =
            store.unit_of(server).ok().flatten().and_then(|id| store.row::<Unit>(&key::unit(&id)).ok().flatten());
        let Some(unit) = unit else {
            return self.object(format!("{}  {server} was sampled and has no unit", minute_text(at)));
        };
        self.first_seen.entry(unit.id.clone()).or_insert(at);
        // Workstations of several servers share instances, and machines of several servers may count once.
        let adds_up = measure == Measure::Points && !unit.counts_once_at(at);
        let age_max = agent.settings().basis_max_age;
        let total = if adds_up { self.account.total(&unit, server, sampled, age_max) } else { points };
        self.account.newest.insert(server.to_owned(), sampled);
        let day = at.date_naive();
        let known = self.account.highest.entry((unit.id.clone(), day)).or_default();
        let highest = known.values().copied().max().unwrap_or_default().max(total);
        known.insert(now, highest);
        let marks = store.days(&unit.id, day, day).unwrap_or_default();
        match marks.first() {
            Some(mark) if highest <= mark.mark.points => {}
            Some(mark) => {
                let seen = mark.mark.points;
                self.object(format!("{}  the mark of {day} is {seen}, {highest} stood", minute_text(at)));
            }
            None => self.object(format!("{}  {day} was sampled and has no mark", minute_text(at))),
        }
    }
}
