//! Other settings while the agent runs: taken by the owner in one step, with the acts in flight going on.

use std::collections::BTreeSet;

use crate::agent::Trouble;
use crate::config::Settings;
use crate::domain::calendar::minute_text;
use crate::rules::schedule::Duty;

use super::{Agent, Hour};

impl Agent {
    /// From now on these settings hold. The state directory is that of [`Agent::open`], whatever they say of it.
    /// Returns the reads in flight that nobody waits for any more: of entries that are gone or are another source now. What
    /// they bring would be read as something else; the servers that remain are due again at once.
    ///
    /// # Errors
    /// [`Trouble`] when the store cannot keep what follows. The settings before hold then, and the agent has to
    /// be opened again.
    pub fn take_settings(&mut self, settings: Settings, hour: Hour) -> Result<BTreeSet<Duty>, Trouble> {
        let vain: BTreeSet<Duty> = self.flights.iter().filter(|duty| self.is_vain(duty, &settings)).cloned().collect();
        let before = std::mem::replace(&mut self.settings, settings);
        if let Err(trouble) = self.obey_settings(hour) {
            self.settings = before;
            return Err(trouble);
        }
        self.settings_refused = None;
        for duty in &vain {
            self.flights.remove(duty);
            self.ordered_by.remove(duty);
        }
        Ok(vain)
    }

    /// Settings were read and are not taken; `status` says so until others are.
    pub fn refuse_settings(&mut self, why: &str, hour: Hour) {
        let why = why.lines().collect::<Vec<_>>().join("; ");
        let at = minute_text(hour.now);
        self.settings_refused = Some(format!(
            "the settings that were read at {at} are refused and those before are in force; correct them and reload: {why}"
        ));
    }

    /// Whether what this read brings is no sample of its entry by those settings.
    fn is_vain(&self, duty: &Duty, settings: &Settings) -> bool {
        let Duty::Collect { server } = duty else { return false };
        let source = |settings: &Settings| settings.server(server).map(|entry| entry.source_row().name);
        source(&self.settings) != source(settings)
    }

    /// What opening does after the settings are known. What is remembered was thought by the settings before.
    fn obey_settings(&mut self, hour: Hour) -> Result<(), Trouble> {
        self.forget_thoughts();
        self.store.set_basis_max_age(self.settings.basis_max_age)?;
        let mut facts: Vec<_> = self.settings_seen()?.into_iter().collect();
        facts.extend(self.settled_for_nobody()?);
        facts.extend(self.unmetered()?);
        facts.extend(self.entries_dropped(hour)?);
        self.record(hour, "settings", facts)?;
        if !self.settings.pseudonyms.is_empty() {
            self.make_pseudonym_key()?;
        }
        self.rate_by_settings(hour)
    }

    fn forget_thoughts(&mut self) {
        // A read under other settings splits its rows otherwise.
        self.lists.clear();
        self.console_reports.clear();
        self.kept = super::kept::KeptRows::default();
        self.counted_once.take();
        self.looks.take();
        self.explained.take();
        self.held.take();
        self.gathered.take();
    }
}
