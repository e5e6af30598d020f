//! Letting go of raw samples and told news by age, in two steps that each may be cut short.

use crate::agent::Trouble;
use crate::rules::retention::{CheckpointFacts, RetentionFacts, raw_before};
use crate::store::Due;
use crate::store::fact::{Checkpoint, Fact, JournalThinned, LettingGo, key};

use super::{Agent, Hour};

impl Agent {
    pub(super) fn retention_facts(&self) -> Result<RetentionFacts, Trouble> {
        let Some(checkpoint) = self.store.row::<Checkpoint>(key::CHECKPOINT)? else {
            return Ok(RetentionFacts { oldest_at: self.store.oldest_sample_at()?, checkpoint: None });
        };
        let thinned: Option<JournalThinned> = self.store.row(key::JOURNAL_THINNED)?;
        let is_journal_thinned = thinned.is_some_and(|thinned| thinned.checkpoint == checkpoint.at);
        let checkpoint = CheckpointFacts { at: checkpoint.at, more: checkpoint.more, is_journal_thinned };
        Ok(RetentionFacts { oldest_at: None, checkpoint: Some(checkpoint) })
    }

    /// Records what is let go, and what stays of it.
    pub(super) fn let_go(&mut self, hour: Hour) -> Result<(), Trouble> {
        let keep = self.policy().keep;
        let mut units = Vec::new();
        for unit in self.units()? {
            units.push(self.unit_state(&unit, hour.now)?);
        }
        let due = Due { raw_before: raw_before(hour.now, keep, &units), news_before: hour.now - keep.mail };
        let checkpoint = self.store.checkpoint(hour.now, due)?;
        self.record(hour, "duty", vec![Fact::LetGo { deed: LettingGo::Checkpoint { checkpoint } }])
    }

    /// Takes what was let go out of the journal.
    pub(super) fn thin_journal(&mut self, hour: Hour) -> Result<(), Trouble> {
        let thinned = self.store.thin_journal()?;
        self.record(hour, "duty", thinned.into_iter().collect())
    }
}
