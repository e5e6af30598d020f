//! Letting go of raw samples and told news by age, in two steps that each may be cut short.

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::rules::retention::{CheckpointFacts, RetentionFacts, raw_before};
use crate::rules::schedule::Duty;
use crate::store::Due;
use crate::store::fact::{Checkpoint, Fact, JournalThinned, LettingGo, key};

use super::{Agent, Hour};

/// Pause before files that could not be removed are tried again.
const PAUSE: TimeDelta = TimeDelta::minutes(10);

impl Agent {
    pub(super) fn retention_facts(&self) -> Result<RetentionFacts, Trouble> {
        self.kept.retention.get(
            &self.store,
            (),
            |()| true,
            || {
                let facts = self.retention_facts_of_rows()?;
                // Until the first checkpoint they depend on samples, which are no rows.
                Ok((facts.checkpoint.map(|_| ()), facts))
            },
        )
    }

    fn retention_facts_of_rows(&self) -> Result<RetentionFacts, Trouble> {
        let thinned: Option<JournalThinned> = self.store.row(key::JOURNAL_THINNED)?;
        let held_since = self.forgotten_and_held(thinned.as_ref())?.into_iter().map(|forgotten| forgotten.at).max();
        let forgotten_at = held_since.map(|at| Ok::<_, Trouble>(self.retry_at(&Duty::ThinJournal)?.unwrap_or(at)));
        let forgotten_at = forgotten_at.transpose()?;
        let Some(checkpoint) = self.store.row::<Checkpoint>(key::CHECKPOINT)? else {
            return Ok(RetentionFacts { oldest_at: self.store.oldest_sample_at()?, checkpoint: None, forgotten_at });
        };
        let is_journal_thinned = thinned.is_some_and(|thinned| thinned.checkpoint == Some(checkpoint.at));
        let checkpoint = CheckpointFacts { at: checkpoint.at, more: checkpoint.more, is_journal_thinned };
        Ok(RetentionFacts { oldest_at: None, checkpoint: Some(checkpoint), forgotten_at })
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

    /// Takes what was let go out of the journal, and forgotten months out of the Reports folder too. A folder that
    /// cannot be changed is a setback, told and tried again; until then the journal is not called thinned.
    pub(super) fn thin_journal(&mut self, hour: Hour) -> Result<(), Trouble> {
        let thinned = self.store.thin_journal()?;
        let before: Option<JournalThinned> = self.store.row(key::JOURNAL_THINNED)?;
        let held = self.forgotten_and_held(before.as_ref())?;
        match self.remove_files(&held) {
            Err(Trouble::File { path, why }) => {
                let why = format!("cannot remove {path} of a forgotten month: {why}; correct its rights");
                return self.set_back(&Duty::ThinJournal, &Setback::AskAPerson { why }, PAUSE, hour);
            }
            removed => removed?,
        }
        let mut facts: Vec<Fact> = thinned.into_iter().collect();
        facts.extend(self.retry_at(&Duty::ThinJournal)?.map(|_| Fact::SetbackOver { about: Duty::ThinJournal.key() }));
        self.record(hour, "duty", facts)
    }
}
