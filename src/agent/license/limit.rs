//! What is used of a license's limit, from the newest samples, and what would not be processed above it.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::agent::views::usage::count_once;
use crate::agent::{Agent, Trouble};
use crate::domain::installation::{Unit, UnitId};
use crate::domain::license::License;
use crate::domain::sample::Summary;
use crate::domain::workload::Class;
use crate::domain::{Instant, Month, Points};
use crate::rules::overage::{self, Claim, Usage};
use crate::rules::renewal::Switch;
use crate::rules::{counting, instances};
use crate::store::ClassifiedSample;

/// Totals of units whose shared machines count once, by the month and each server's newest sample that they stand for.
pub(in crate::agent) type CountedOnce = BTreeMap<(UnitId, Month, Vec<Instant>), Total>;

/// What a unit's newest samples sum up to, and when the newest was taken.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Total {
    used: Points,
    new: Points,
    at: Instant,
}

impl Total {
    /// Of all servers, rounded once.
    fn of(unrounded: Summary, at: Instant) -> Total {
        let Summary { points: used, new_points: new, .. } = instances::rounded(unrounded);
        Total { used, new, at }
    }
}

/// What a unit was seen to use.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Seen {
    pub usage: Usage,
    /// When the newest of its samples was taken.
    pub at: Instant,
    /// Servers of the settings that fell silent: what they use is not in it.
    pub silent: usize,
}

impl Agent {
    /// What the unit uses as of the instant; `None` before its first sample.
    pub(in crate::agent) fn license_usage(&self, unit: &Unit, now: Instant) -> Result<Option<Seen>, Trouble> {
        let Some(Total { used, new, at }) = self.standing_total(unit, now)? else { return Ok(None) };
        // The month's last sample still calls new what was new in it.
        let last_month = self.standing_total(unit, Month::of(now).starts_at() - TimeDelta::seconds(1))?;
        let of_last_month = last_month.filter(|total| Month::of(total.at).next() == Month::of(now));
        let new_last_month = of_last_month.map_or(Points::ZERO, |total| total.new);
        let auto_update = if self.automatic_since(unit)?.is_some() { Switch::On } else { Switch::Off };
        let silent = self.silent_servers(unit, now, at)?;
        Ok(Some(Seen { usage: Usage { used, new, new_last_month, auto_update }, at, silent }))
    }

    /// How many of the unit's servers that are still to be sampled have no sample as fresh as the newest of all.
    fn silent_servers(&self, unit: &Unit, until: Instant, newest: Instant) -> Result<usize, Trouble> {
        let oldest = newest - self.policy().basis_max_age;
        let mut silent = 0;
        for server in unit.servers.iter().filter(|name| self.settings.server(name).is_some()) {
            let is_fresh = self.store.newest_sample_at(server, until)?.is_some_and(|at| oldest <= at);
            silent += usize::from(!is_fresh);
        }
        Ok(silent)
    }

    /// Used and new points summed over each server's newest sample, and the instant of the newest one.
    fn standing_total(&self, unit: &Unit, until: Instant) -> Result<Option<Total>, Trouble> {
        let mut at = Vec::new();
        for server in &unit.servers {
            at.extend(self.store.newest_sample_at(server, until)?.map(|at| (server, at)));
        }
        let Some(newest) = at.iter().map(|(_, at)| *at).max() else { return Ok(None) };
        if unit.servers.len() > 1 && unit.counts_once_at(until) {
            return self.total_counted_once(unit, until, at.iter().map(|(_, at)| *at).collect()).map(Some);
        }
        let mut of_unit = Summary::default();
        at.retain(|(_, at)| newest - self.policy().basis_max_age <= *at);
        for (server, at) in at {
            let summaries = self.store.summaries(server, at..at + TimeDelta::microseconds(1))?;
            for (_, _, summary) in summaries.iter().filter(|(_, of, _)| of.as_ref() == Some(&unit.id)) {
                of_unit.add_all(summary);
            }
        }
        Ok(Some(Total::of(of_unit, newest)))
    }

    /// The same where a machine of several servers counts once: read whole, and so only when a sample has come.
    fn total_counted_once(&self, unit: &Unit, until: Instant, at: Vec<Instant>) -> Result<Total, Trouble> {
        let newest = at.iter().copied().max().unwrap_or(until);
        let of = (unit.id.clone(), Month::of(until), at);
        if let Some(known) = self.counted_once.borrow().get(&of) {
            return Ok(*known);
        }
        let mut of_unit = Summary::default();
        for found in self.samples_counted(unit, until)? {
            of_unit.add_all(&counting::unrounded(&found.sample, &found.counted, &found.rating));
        }
        let total = Total::of(of_unit, newest);
        let mut counted_once = self.counted_once.borrow_mut();
        counted_once.retain(|(unit, month, _), _| (unit, month) != (&of.0, &of.1));
        counted_once.insert(of, total);
        Ok(total)
    }

    /// Each server's newest sample as it counts for the unit.
    fn samples_counted(&self, unit: &Unit, until: Instant) -> Result<Vec<ClassifiedSample>, Trouble> {
        let mut samples = self.samples_standing(unit, None, until)?;
        if unit.counts_once_at(until) {
            count_once(&mut samples, None);
        }
        Ok(samples)
    }

    /// The workloads above the cap, the oldest first: each with its server's name before its id.
    pub(in crate::agent) fn above_the_cap(
        &self,
        unit: &Unit,
        license: &License,
        now: Instant,
    ) -> Result<Vec<Claim>, Trouble> {
        let usage = self.license_usage(unit, now)?;
        let overage = usage.and_then(|seen| seen.usage.overage(license));
        let Some(overage) = overage.filter(|overage| !overage.not_processed.is_zero()) else { return Ok(Vec::new()) };
        let mut claims = Vec::new();
        for found in self.samples_counted(unit, now)? {
            let counted = found.sample.workloads.iter().zip(found.counted.iter());
            claims.extend(counted.filter(|(_, counted)| counted.class == Class::Billable).map(
                |(workload, counted)| Claim {
                    id: format!("{}/{}", found.sample.server, workload.id),
                    first_processed_at: counted.first_processed_at.unwrap_or(found.sample.taken_at),
                    points: counted.weight,
                    shares: counted.shares.then(|| workload.kind.clone()),
                },
            ));
        }
        Ok(overage::not_processed(claims, overage.cap))
    }
}
