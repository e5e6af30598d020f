//! Samples in short: kept where they differ from the one before, as what differs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::fold::read_row;
use super::kept::{self, KeptGroup, KeptSummary, group_of, kept_group};
use super::keys::{self, About, Moment};
use super::kv::Kv;
use super::state::{State, SummaryAt};
use crate::domain::Instant;
use crate::domain::installation::UnitId;
use crate::domain::sample::{Group, GroupTotal, Summary};

/// Summaries from one that is whole to the next.
const CHANGES_MAX: u32 = 64;

/// The summary of a sample and of those after it, up to the next row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum SummaryRow {
    Whole(Vec<KeptGroup>),
    /// What is another than in the row before; a group without a total is gone.
    Changed {
        before: Moment,
        /// Rows since a whole one.
        changes: u32,
        groups: Vec<KeptGroup>,
        gone: Vec<(Option<String>, String)>,
    },
}

/// Where a server's newest row stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    since: Moment,
    /// Rows since a whole one.
    changes: u32,
}

/// The newest summary of a server, and where it stands.
pub(super) struct Newest {
    pub place: Place,
    pub summary: Arc<Summary>,
}

impl SummaryRow {
    /// The row of a summary that differs from the one before it in these groups, each with its total before.
    fn of(before: Place, groups: &[(Group, GroupTotal)], summary: &Summary) -> SummaryRow {
        if before.changes + 1 >= CHANGES_MAX || summary.groups.len() <= groups.len() * 2 {
            return SummaryRow::Whole(whole(summary));
        }
        let now = |(group, _): &(Group, GroupTotal)| Some(kept_group(group, *summary.groups.get(group)?));
        let is_gone = |(group, _): &&(Group, GroupTotal)| !summary.groups.contains_key(group);
        let name = |((tenant, kind), _): &(Group, GroupTotal)| (tenant.clone(), kind.as_str().to_owned());
        SummaryRow::Changed {
            before: before.since,
            changes: before.changes + 1,
            groups: groups.iter().filter_map(now).collect(),
            gone: groups.iter().filter(is_gone).map(name).collect(),
        }
    }

    fn changes(&self) -> u32 {
        match self {
            SummaryRow::Whole(_) => 0,
            SummaryRow::Changed { changes, .. } => *changes,
        }
    }
}

fn whole(summary: &Summary) -> Vec<KeptGroup> {
    summary.groups.iter().map(|(group, total)| kept_group(group, *total)).collect()
}

/// Puts the summary of the sample at this instant, after those of the samples before it, from which it differs in these
/// groups, each with its total before; nothing where it is the same.
pub(super) fn put(
    kv: &mut Kv,
    server: &str,
    at: Instant,
    place: &mut Option<Place>,
    summary: &Summary,
    groups: &[(Group, GroupTotal)],
) -> Result<(), StoreError> {
    let key = keys::at(About::Summary, server, at);
    if place.is_some() && groups.is_empty() {
        if kv.has(&key)? {
            kv.delete(key);
        }
        return Ok(());
    }
    let row = match *place {
        Some(before) => SummaryRow::of(before, groups, summary),
        None => SummaryRow::Whole(whole(summary)),
    };
    *place = Some(Place { since: Moment::of(at), changes: row.changes() });
    kv.put(key, kept::to_bytes(&row));
    Ok(())
}

/// The summary of the server's sample at this instant, or `None` before the first one.
pub(super) fn newest_as_of(kv: &Kv, server: &str, at: Instant) -> Result<Option<Newest>, StoreError> {
    let (prefix, here) = (keys::prefix(About::Summary, server), keys::at(About::Summary, server, at));
    let Some(key) = kv.last_key(&prefix, &keys::end_of(&here))? else { return Ok(None) };
    let since = keys::instant_of(&key).ok_or_else(|| kept::odd("a summary's key", "it has no instant"))?;
    let mut rows = vec![read(kv, server, since)?];
    while let Some(SummaryRow::Changed { before, .. }) = rows.last() {
        if rows.len() > CHANGES_MAX as usize {
            return Err(kept::odd("a summary", "it is too many steps away from a whole one"));
        }
        rows.push(read(kv, server, kept::instant(*before)?)?);
    }
    let changes = rows[0].changes();
    let mut summary = Summary::default();
    for row in rows.into_iter().rev() {
        apply(&mut summary, row)?;
    }
    Ok(Some(Newest { place: Place { since: Moment::of(since), changes }, summary: Arc::new(summary) }))
}

/// Since which sample the summary is the same as at this instant, when it is not the sample's own.
pub(super) fn same_since(kv: &Kv, server: &str, at: Instant) -> Result<Option<Moment>, StoreError> {
    let (prefix, here) = (keys::prefix(About::Summary, server), keys::at(About::Summary, server, at));
    let key = kv.last_key(&prefix, &keys::end_of(&here))?;
    let since = key.as_deref().and_then(keys::instant_of).filter(|since| *since < at);
    Ok(since.map(Moment::of))
}

/// What a thinned sample says of its summary.
pub(super) fn resolve(kv: &Kv, server: &str, summary: KeptSummary) -> Result<Summary, StoreError> {
    match summary {
        KeptSummary::Whole(groups) => kept::summary_of(groups),
        KeptSummary::SameAs(since) => match newest_as_of(kv, server, kept::instant(since)?)? {
            Some(Newest { summary, .. }) => Ok(Arc::unwrap_or_clone(summary)),
            None => Err(kept::odd("a summary", "what it repeats is missing")),
        },
    }
}

fn read(kv: &Kv, server: &str, at: Instant) -> Result<SummaryRow, StoreError> {
    let bytes = kv.get(&keys::at(About::Summary, server, at))?;
    kept::from_bytes("a summary", &bytes.ok_or_else(|| kept::odd("a summary", "it is missing"))?)
}

fn apply(summary: &mut Summary, row: SummaryRow) -> Result<(), StoreError> {
    match row {
        SummaryRow::Whole(groups) => *summary = kept::summary_of(groups)?,
        SummaryRow::Changed { groups, gone, .. } => {
            for (tenant, kind) in gone {
                let group = (tenant, kind.parse().expect("every text is a workload type"));
                summary.set(&group, GroupTotal::default());
            }
            for kept in groups {
                let (group, total) = group_of(kept)?;
                summary.set(&group, total);
                // A group of nothing that a tenant's count states.
                summary.groups.entry(group).or_default();
            }
        }
    }
    Ok(())
}

impl State {
    /// The unit of the server's newest sample not after the instant.
    pub fn unit_as_of(&self, server: &str, not_after: Instant) -> Result<Option<UnitId>, StoreError> {
        let Some(at) = self.newest_sample_at(server, not_after)? else { return Ok(None) };
        Ok(read_row(&self.kv, server, Moment::of(at))?.unit.map(|unit| unit.id()))
    }

    /// Instant, unit and summary of each sample with `from <= instant < to`; equal neighbours share one summary.
    pub fn summaries(&self, server: &str, from: Instant, to: Instant) -> Result<Vec<SummaryAt>, StoreError> {
        let range = |about| (keys::at(about, server, from), keys::at(about, server, to));
        let (samples, rows) = (range(About::Sample), range(About::Summary));
        let instants = self.instants(&samples.0, &samples.1)?;
        let Some(first) = instants.first().copied() else { return Ok(Vec::new()) };
        let Some(Newest { mut summary, .. }) = newest_as_of(&self.kv, server, first)? else {
            return Err(kept::odd("a summary", "it is missing"));
        };
        let mut rows = self.kv.scan(&rows.0, &rows.1)?.into_iter().peekable();
        let mut found = Vec::with_capacity(instants.len());
        for at in instants {
            while let Some((key, bytes)) = rows.next_if(|(key, _)| keys::instant_of(key).is_some_and(|row| row <= at)) {
                if keys::instant_of(&key).is_some_and(|row| first < row) {
                    apply(Arc::make_mut(&mut summary), kept::from_bytes("a summary", &bytes)?)?;
                }
            }
            let unit = read_row(&self.kv, server, Moment::of(at))?.unit;
            found.push((at, unit.map(|unit| unit.id()), Arc::clone(&summary)));
        }
        Ok(found)
    }
}
