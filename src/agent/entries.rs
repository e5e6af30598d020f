//! Servers of the settings: which were sampled here, and which of them the settings no longer name.

use crate::agent::Trouble;
use crate::domain::installation::{Unit, entry_of};
use crate::domain::license::License;
use crate::domain::sample::Sample;
use crate::domain::{Instant, Month};
use crate::rules::schedule::expected_samples;
use crate::store::fact::{Absence, Absent, Entry, Fact, key};

use super::{Agent, Hour};

impl Agent {
    /// The facts that the sample's server is sampled here, when that is new or new again.
    pub(super) fn entry_seen(&self, sample: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let entry = entry_of(&sample.server).to_owned();
        let known: Option<Entry> = self.store.row(&key::entry(&entry))?;
        if known.as_ref().is_some_and(|known| known.absent.is_none()) {
            return Ok(Vec::new());
        }
        let since = known.as_ref().map_or(sample.taken_at, |known| known.since);
        let mut facts = vec![Fact::EntrySeen { entry: entry.clone(), seen: Entry { since, absent: None } }];
        if let Some(Absent { since, told: Some(loss), .. }) = known.and_then(|known| known.absent) {
            let missed = expected_samples(since, hour.now, &self.policy());
            facts.extend(self.end_of_loss(&entry, missed, loss, hour)?);
        }
        facts.extend(self.renamed(sample, hour)?);
        Ok(facts)
    }

    /// The facts that the settings no longer name servers that were sampled here: people are told, for what is reported
    /// falls with it.
    pub(super) fn entries_dropped(&self, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let prefix = key::entry("");
        let known: Vec<(String, Entry)> = self.store.rows(&prefix)?;
        let mut facts = Vec::new();
        for (row, known) in known {
            let entry = row.strip_prefix(&prefix).unwrap_or_default();
            let is_named = self.settings.servers.iter().any(|server| server.name == entry);
            // A removal noted by a clock that was ahead is of now.
            let is_noted = known.absent.as_ref().is_some_and(|absent| absent.since <= hour.now);
            if is_named || is_noted {
                continue;
            }
            let since = known.since;
            let told = match known.absent.and_then(|absent| absent.told) {
                Some(told) => told,
                None => {
                    let why = "the settings no longer name it: from the next month on it is in no report".to_owned();
                    let (told, news) = self.loss(entry, why, hour)?;
                    facts.extend(news);
                    told
                }
            };
            let absent = Some(Absent { since: hour.now, why: Absence::Left, told: Some(told) });
            facts.push(Fact::EntrySeen { entry: entry.to_owned(), seen: Entry { since, absent } });
        }
        Ok(facts)
    }

    /// Since when, and why, the settings do not name the server, or the source that names it, though it was sampled here;
    /// `None` too when a person imported a sample of it since.
    pub(super) fn dropped(&self, server: &str) -> Result<Option<Absent>, Trouble> {
        if self.settings.server(server).is_some() {
            return Ok(None);
        }
        let entry: Option<Entry> = self.store.row(&key::entry(entry_of(server)))?;
        let Some(absent) = entry.and_then(|entry| entry.absent) else { return Ok(None) };
        let newest = self.store.newest_sample_at(server, Instant::MAX_UTC)?;
        Ok(newest.is_none_or(|newest| newest <= absent.since).then_some(absent))
    }

    /// When the last server of the unit left the settings; `None` while one of them is sampled or imported.
    pub(super) fn all_dropped_at(&self, unit: &Unit) -> Result<Option<Instant>, Trouble> {
        if unit.servers.iter().any(|server| self.settings.server(server).is_some()) {
            return Ok(None);
        }
        let mut last = None;
        for server in &unit.servers {
            let Some(absent) = self.dropped(server)? else { return Ok(None) };
            last = last.max(Some(absent.since));
        }
        Ok(last)
    }

    /// A server that the settings name by another name now: it ends under its old one as the new one begins, so that no
    /// sum holds it twice.
    fn renamed(&self, sample: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let Some(id) = sample.license.installation_id.as_deref().filter(|_| entry_of(&sample.server) == sample.server)
        else {
            return Ok(Vec::new());
        };
        let prefix = key::entry("");
        let entries: Vec<(String, Entry)> = self.store.rows(&prefix)?;
        let mut facts = Vec::new();
        for (row, known) in entries {
            let old = row.strip_prefix(&prefix).unwrap_or_default();
            let Some(absent) = known.absent.filter(|absent| absent.why == Absence::Left && old != sample.server) else {
                continue;
            };
            let seen: Option<License> = self.store.row(&key::license_seen(old))?;
            let shown = seen.and_then(|seen| seen.installation_id);
            let is_same = shown.is_some_and(|shown| shown.eq_ignore_ascii_case(id));
            if !is_same || self.dropped(old)?.is_none() {
                continue;
            }
            facts.extend(self.last_sample(old, sample, hour)?);
            // Of a month that had ended by then, its last numbers under the old name are all there is.
            if Month::of(absent.since) != Month::of(sample.taken_at) {
                continue;
            }
            let why = Absence::SampledDirectly { as_server: sample.server.clone() };
            let absent = Absent { since: sample.taken_at, why, told: absent.told };
            let seen = Entry { since: known.since, absent: Some(absent) };
            facts.push(Fact::EntrySeen { entry: old.to_owned(), seen });
        }
        Ok(facts)
    }
}
