//! One server's samples counted in the order of their time: what is known of first processing, the sizes that count, the
//! sums of the newest one.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::counting::{AsOf, Ledger, classify, unrounded};
use super::rating::Rating;
use super::standing::{Carried, Standing};
use super::unstructured::Sizes;
use crate::domain::Instant;
use crate::domain::sample::{Group, GroupTotal, Sample, Summary};

/// What is counted so far. A copy shares it.
#[derive(Clone, Default)]
pub struct Tally {
    ledger: Arc<Ledger>,
    sizes: Sizes,
    /// The sums of the newest sample; `None` before the first.
    summary: Option<Arc<Summary>>,
    /// The newest sample, where its sums can be carried on.
    standing: Option<Standing>,
}

/// What one more sample changed.
pub struct Told {
    /// Workloads whose row in the ledger changed.
    pub learnt: Vec<String>,
    /// Sizes that it states.
    pub sizes: Vec<(String, Decimal)>,
    /// Groups whose totals are others than before it, each with the total before; in order.
    pub groups: Vec<(Group, GroupTotal)>,
}

impl Tally {
    /// Goes on from what was kept of it.
    pub fn of(ledger: Ledger, sizes: Sizes, summary: Arc<Summary>) -> Tally {
        Tally { ledger: Arc::new(ledger), sizes, summary: Some(summary), standing: None }
    }

    /// What is known of first processing.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The sizes that still count.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The sums of the newest sample, unrounded.
    pub fn summary(&self) -> Option<&Arc<Summary>> {
        self.summary.as_ref()
    }

    /// Whether the sums are carried on to this sample by what changed in it: then nobody else need hold them meanwhile.
    pub fn carries_to(&self, taken: &Sample, rating: &Rating) -> bool {
        rating.mapping.is_empty()
            && self.sizes.is_empty()
            && self.standing.as_ref().is_some_and(|standing| standing.carries_to(taken, rating))
    }

    /// Counts a sample that [`Tally::carries_to`].
    pub fn carry(&mut self, taken: &Arc<Sample>, rating: &Rating) -> Told {
        let (Some(standing), Some(summary)) = (self.standing.as_mut(), self.summary.as_mut()) else {
            return self.count(taken, rating);
        };
        let Carried { groups, learnt } = standing.carry(taken, &mut self.ledger, summary, rating);
        Told { learnt, sizes: Vec::new(), groups }
    }

    /// Counts any sample later than all before it, every workload anew.
    pub fn count(&mut self, taken: &Arc<Sample>, rating: &Rating) -> Told {
        let at = taken.taken_at;
        let mapped = rating.mapped(taken);
        let told = || mapped.workloads.iter().map(|workload| (workload.id.as_str(), workload.first_processed_at));
        let learns =
            self.ledger.first_sample_at().is_none() || told().any(|(id, stated)| self.ledger.learns(id, stated));
        let learnt = if learns { Arc::make_mut(&mut self.ledger).take_note(&mapped) } else { Vec::new() };
        let sizes = Sizes::of(&mapped);
        self.sizes.take_note(at, sizes.clone());
        let sample = &*self.sizes.counted(mapped);
        let counted = classify(sample, &self.ledger, AsOf::sample(at), rating);
        self.standing = Standing::of(taken, &counted);
        let groups = self.set(Arc::new(unrounded(sample, &counted, rating)));
        Told { learnt, sizes, groups }
    }

    /// The same for a sample of which only this is left: what it told the ledger, its sizes and its sums.
    pub fn pass<'a>(
        &mut self,
        at: Instant,
        told: impl IntoIterator<Item = (&'a str, Option<Instant>)>,
        sizes: Vec<(String, Decimal)>,
        summary: Arc<Summary>,
    ) -> Told {
        let learnt = Arc::make_mut(&mut self.ledger).take_note_of(at, told);
        self.sizes.take_note(at, sizes.clone());
        self.standing = None;
        Told { learnt, sizes, groups: self.set(summary) }
    }

    /// Sets the sums, unless they are the same; returns the groups that changed.
    fn set(&mut self, summary: Arc<Summary>) -> Vec<(Group, GroupTotal)> {
        let groups = match &self.summary {
            Some(before) if Arc::ptr_eq(before, &summary) => return Vec::new(),
            Some(before) => changed_groups(before, &summary),
            None => changed_groups(&Summary::default(), &summary),
        };
        if self.summary.is_none() || !groups.is_empty() {
            self.summary = Some(summary);
        }
        groups
    }
}

/// What differs between two summaries: groups with the total before, in order.
fn changed_groups(before: &Summary, after: &Summary) -> Vec<(Group, GroupTotal)> {
    let is_other = |(group, total): &(&Group, &GroupTotal)| after.groups.get(*group) != Some(*total);
    let mut changed: Vec<(Group, GroupTotal)> =
        before.groups.iter().filter(is_other).map(|(group, total)| (group.clone(), *total)).collect();
    let appeared = after.groups.keys().filter(|group| !before.groups.contains_key(*group));
    changed.extend(appeared.map(|group| (group.clone(), GroupTotal::default())));
    changed.sort_by(|one, other| one.0.cmp(&other.0));
    changed
}
