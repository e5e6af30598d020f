//! What explains a shortfall: the samples behind the highest mark beside the report, compared once.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::gate::Cause;
use crate::domain::installation::{ServerName, Unit};
use crate::domain::report::UsageReport;
use crate::domain::workload::Class;
use crate::domain::{Instant, Month};
use crate::rules::causes::{self, Peak, PeakCount, PeakWorkload};
use crate::rules::counting::{self, AsOf};
use crate::rules::duplicates;
use crate::store::{ClassifiedSample, Edition, StoreError};

use super::Agent;

/// Reports whose shortfall is remembered with what explains it.
const EXPLAINED_MAX: usize = 8;
/// Causes of all of them together; each is a few hundred bytes.
const CAUSES_MAX: usize = 50_000;

/// A server that stood in the highest mark.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StoodThen {
    server: ServerName,
    then: Edition,
    by_end: Option<Edition>,
    /// It reports under another license at the month's end.
    has_left: bool,
}

/// What stood in a unit's highest mark.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stood {
    at: Instant,
    servers: Vec<StoodThen>,
    /// Machines of several servers counted once then.
    counts_once: bool,
}

/// What explained shortfalls; the newest is last.
#[derive(Default)]
pub(super) struct Explained(Vec<(String, Stood, Vec<Cause>)>);

impl Explained {
    fn find(&self, digest: &str, stood: &Stood) -> Option<Vec<Cause>> {
        let is_same = |(of, known, _): &&(String, Stood, Vec<Cause>)| of == digest && known == stood;
        self.0.iter().find(is_same).map(|(_, _, causes)| causes.clone())
    }

    fn remember(&mut self, digest: &str, stood: Stood, causes: &[Cause]) {
        self.0.retain(|(of, _, _)| of != digest);
        self.0.push((digest.to_owned(), stood, causes.to_vec()));
        let of_all = |known: &[(String, Stood, Vec<Cause>)]| known.iter().map(|(_, _, causes)| causes.len()).sum();
        while EXPLAINED_MAX < self.0.len() || CAUSES_MAX < of_all(&self.0) {
            self.0.remove(0);
        }
    }
}

impl Agent {
    /// What lies between the highest mark, which stood at this instant, and a report.
    pub(super) fn explain(&self, unit: &Unit, report: &UsageReport, at: Instant) -> Result<Vec<Cause>, Trouble> {
        let peak = self.peak(&self.stood(unit, report.month, at)?)?;
        Ok(peak.map(|peak| causes::explain(&peak, report)).unwrap_or_default())
    }

    /// The same of a report that is kept, by its head: read once, as long as the samples behind it are the same.
    pub(super) fn explain_kept(&self, unit: &Unit, head: &UsageReport, at: Instant) -> Result<Vec<Cause>, Trouble> {
        let stood = self.stood(unit, head.month, at)?;
        if let Some(causes) = self.explained.borrow().find(&head.digest, &stood) {
            return Ok(causes);
        }
        let Some(report) = self.report_revision(&head.unit, head.month, head.revision)? else { return Ok(Vec::new()) };
        let causes = self.peak(&stood)?.map(|peak| causes::explain(&peak, &report)).unwrap_or_default();
        self.explained.borrow_mut().remember(&head.digest, stood, &causes);
        Ok(causes)
    }

    /// Every server that was of the unit at the instant at which the highest mark stood.
    fn stood(&self, unit: &Unit, month: Month, at: Instant) -> Result<Stood, Trouble> {
        let mut servers = Vec::new();
        for server in self.store.servers()? {
            let oldest = at - self.policy().basis_max_age;
            let standing = self.store.summaries(&server, oldest..at + TimeDelta::nanoseconds(1))?;
            if standing.last().is_none_or(|(_, of, _)| of.as_ref() != Some(&unit.id)) {
                continue;
            }
            let Some(then) = self.store.newest_edition(&server, at)? else { continue };
            let by_end = self.store.newest_edition(&server, month.ends_at())?;
            let has_left = self.left_by_end(unit, &server, at, month)?;
            servers.push(StoodThen { server, then, by_end, has_left });
        }
        Ok(Stood { at, servers, counts_once: unit.counts_once_at(at) })
    }

    /// Whether a server of the unit reports under another license at the month's end.
    fn left_by_end(&self, unit: &Unit, server: &str, at: Instant, month: Month) -> Result<bool, Trouble> {
        let until_end = self.store.summaries(server, at..month.ends_at() + TimeDelta::nanoseconds(1))?;
        Ok(until_end.last().is_some_and(|(_, of, _)| of.as_ref() != Some(&unit.id)))
    }

    /// What counted then; `None` when a sample behind it was let go by age: the shortfall stays unexplained.
    fn peak(&self, stood: &Stood) -> Result<Option<Peak>, Trouble> {
        let (mut peak, mut standing_then) = (Peak::default(), Vec::new());
        for StoodThen { server, then: edition, by_end, has_left } in &stood.servers {
            let Some(then) = self.newest_still_kept(server, edition.at)? else { return Ok(None) };
            let by_end = match by_end {
                Some(same) if same == edition => Some(then.clone()),
                Some(later) => match self.newest_still_kept(server, later.at)? {
                    Some(found) => Some(found),
                    None => return Ok(None),
                },
                None => None,
            };
            if *has_left {
                peak.left.insert(server.clone());
            }
            peak.counts.extend(then.sample.counts.iter().map(|count| PeakCount {
                server: server.clone(),
                tenant: count.tenant.clone(),
                kind: count.kind.clone(),
                weight: self.store.rating().weigh_count(count, &then.sample).weight,
                count: counting::total_of_count(count, &then.sample, self.store.rating()).count,
            }));
            standing_then.push((then, by_end));
        }
        if stood.counts_once {
            let mut counted: Vec<_> = standing_then.iter().map(|(then, _)| then.counted.to_vec()).collect();
            let shown: Vec<_> = standing_then.iter().map(|(then, _)| &*then.sample).collect();
            duplicates::count_once(&shown, &|sample| AsOf::sample(sample.taken_at), &mut counted);
            for ((then, _), counted) in standing_then.iter_mut().zip(counted) {
                then.counted = counted.into();
            }
        }
        for (then, by_end) in &standing_then {
            peak.workloads.extend(billable(&then.sample.server, then, by_end.as_ref()));
        }
        Ok(Some(peak))
    }

    /// The server's newest sample not after the instant; `None` also when its workloads were let go by age
    /// (`keep_raw`), as those of a highest mark may be before the judged month changes on the deadline day.
    pub(super) fn newest_still_kept(&self, server: &str, at: Instant) -> Result<Option<ClassifiedSample>, Trouble> {
        match self.store.newest_sample(server, at) {
            Err(StoreError::Thinned { .. }) => Ok(None),
            found => Ok(found?),
        }
    }
}

/// The billable workloads of a server at the peak, with the newest restore point that is known by the month's end.
fn billable(server: &str, then: &ClassifiedSample, by_end: Option<&ClassifiedSample>) -> Vec<PeakWorkload> {
    let later: BTreeMap<&str, Option<Instant>> = by_end
        .iter()
        .flat_map(|found| &found.sample.workloads)
        .map(|workload| (workload.id.as_str(), workload.last_restore_point_at))
        .collect();
    let counted = then.sample.workloads.iter().zip(then.counted.iter());
    counted
        .filter(|(_, counted)| counted.class == Class::Billable)
        .map(|(workload, counted)| PeakWorkload {
            server: server.to_owned(),
            id: workload.id.clone(),
            name: workload.name.clone(),
            tenant: workload.tenant.clone(),
            kind: workload.kind.clone(),
            points: counted.weight,
            last_restore_point_at: later
                .get(workload.id.as_str())
                .copied()
                .flatten()
                .max(workload.last_restore_point_at),
        })
        .collect()
}
