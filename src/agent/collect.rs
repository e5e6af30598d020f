//! Taking samples, and what a sample brings about.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use crate::agent::Trouble;
use crate::ask::Setback;
use crate::domain::calendar::{minute_text, rfc3339};
use crate::domain::license::License;
use crate::domain::sample::Sample;
use crate::domain::workload::Workload;
use crate::domain::workload_changes::{Difference, differences};
use crate::domain::{Instant, Month};
use crate::rules::schedule::{Duty, SAMPLE_RETRY};
use crate::sources::snapshot_folder::PutAway;
use crate::sources::{Brief, Collected, SourceRow, Sweep};
use crate::store::Taken;
use crate::store::fact::{Fact, Miss, key};

use super::run::ending;
use super::units::Own;
use super::{Agent, Hour, Outcome, Query, Refused, Work};

/// Restore points are read in full when the last full read is older than this.
const SWEEP_EVERY: TimeDelta = TimeDelta::hours(24);
/// A full read also precedes a report by at most this.
const SWEEP_BEFORE_REPORT: TimeDelta = TimeDelta::minutes(30);

impl Agent {
    pub(super) fn begin_collect(&mut self, server: &str, hour: Hour) -> Result<Work, Trouble> {
        let Some(settings) = self.settings.server(server) else {
            return Ok(Work::Over);
        };
        let source: &SourceRow = settings.source_row();
        let previous = self.store.newest_as_taken(server, hour.now)?;
        let sweep = sweep(previous.as_deref(), hour.now);
        let known = self.servers_known_by(server)?;
        let brief = Brief {
            server: server.to_owned(),
            now: hour.now,
            previous,
            sweep,
            settings: settings.source.clone(),
            known,
            remembered: self.lists.get(server).cloned().unwrap_or_default(),
        };
        Ok(Work::Talk(ending((source.open)(brief), Outcome::Collected)))
    }

    /// Records the samples of one exchange, in the order of their instants, then says how to put files away.
    pub(super) fn finish_collect(&mut self, server: &str, collected: Collected, hour: Hour) -> Result<Work, Trouble> {
        if let Some(why) = self.judge_clock(&collected, hour)? {
            self.miss_sample(server, &Setback::TryAgain { why }, hour)?;
            return Ok(Work::Over);
        }
        if let Some(why) = straddles_months(server, &collected, hour.now) {
            self.miss_sample(server, &Setback::TryAgain { why }, hour)?;
            return Ok(Work::Over);
        }
        let found = collected.samples.len();
        self.lists.insert(server.to_owned(), collected.remembered.clone());
        if self.names_its_servers(server) && found > 0 {
            self.take_members(server, collected, hour)?;
            return Ok(Work::Over);
        }
        let collected = self.without_absurd(collected, hour)?;
        if found > 0 && collected.samples.is_empty() {
            return Ok(Work::Over);
        }
        for rejected in &collected.rejected {
            let why = format!("{}: {}", rejected.file, rejected.why);
            self.miss_sample(server, &Setback::AskAPerson { why }, hour)?;
        }
        let mut conflicts: Vec<String> = Vec::new();
        for sample in collected.samples {
            conflicts.extend(self.take_or_name(sample, hour)?);
        }
        let named = self.sums_seen(server, &collected.sums, hour)?;
        self.record(hour, "duty", named.into_iter().collect())?;
        if !conflicts.is_empty() {
            // The files stay where they are for a person; those that were recorded are repeats in the next round.
            self.miss_conflicts(server, &conflicts, hour)?;
            return Ok(Work::Over);
        }
        if found > 0 && collected.rejected.is_empty() {
            let facts = self.recovered(server, hour)?;
            self.record(hour, "duty", facts)?;
        }
        if found == 0 && collected.rejected.is_empty() {
            let why = if self.names_its_servers(server) {
                format!("{server} names no backup server; check the rights of the key or account")
            } else {
                format!("no snapshot file of {server} was found in its folder")
            };
            self.miss_sample(server, &Setback::TryAgain { why }, hour)?;
        }
        if collected.taken.is_empty() {
            return Ok(Work::Over);
        }
        let put_away = PutAway::new(server.to_owned(), collected.taken);
        self.flights.insert(Duty::Collect { server: server.to_owned() });
        Ok(Work::Talk(ending(Box::new(put_away), |()| Outcome::PutAway)))
    }

    /// Samples whose points no provider has are missed, each with its reason.
    fn without_absurd(&mut self, collected: Collected, hour: Hour) -> Result<Collected, Trouble> {
        let mut samples = Vec::new();
        for sample in collected.samples {
            match sample.check_sum() {
                Ok(()) => samples.push(sample),
                Err(why) => {
                    let why = format!("{}: {why}", sample.server);
                    self.miss_sample(&sample.server, &Setback::AskAPerson { why }, hour)?;
                }
            }
        }
        Ok(Collected { samples, ..collected })
    }

    /// Records one sample that the agent took itself; one that was not taken is named.
    pub(super) fn take_or_name(&mut self, sample: Sample, hour: Hour) -> Result<Option<String>, Trouble> {
        let what = format!("{} at {}", sample.server, rfc3339(sample.taken_at));
        Ok(match self.take_sample(sample, "duty", Own::Yes, hour)? {
            Import::Conflict => Some(what),
            Import::Kept | Import::Known => None,
        })
    }

    /// The server's usage, unless the read that just ended left a miss: an older sample does not stand for a fresh one.
    pub(super) fn sampled(&self, server: &str, hour: Hour) -> Result<Value, Refused> {
        if let Some(miss) = self.store.row::<Miss>(&key::miss(server)).map_err(Trouble::from)? {
            return Err(Refused::new(if miss.needs_person { 65 } else { 75 }, miss.why));
        }
        let query = Query::Usage { unit: None, server: Some(server.to_owned()), month: None, by: Default::default() };
        self.answer(&query, hour)
    }

    /// Records one sample and what it changes: its unit, a recovered server, a report it belongs to.
    pub(super) fn take_sample(&mut self, sample: Sample, by: &str, own: Own, hour: Hour) -> Result<Import, Trouble> {
        let (server, taken_at) = (sample.server.clone(), sample.taken_at);
        let sample = if own == Own::Yes { self.with_known_firsts(self.with_known_edition(sample)?)? } else { sample };
        let mut facts = self.unit_facts_for(&sample, own, hour)?;
        match self.store.take(std::slice::from_ref(&sample))?.pop() {
            Some(Taken::Fresh(fact)) => facts.push(*fact),
            Some(Taken::Repeat) | None => {
                // The agent may have died after keeping the sample and before the report that it changes.
                self.late_for_report(&server, taken_at, hour)?;
                return Ok(Import::Known);
            }
            Some(Taken::Conflict) => return Ok(Import::Conflict),
        }
        facts.extend(self.license_seen(&sample)?);
        facts.extend(self.look_after_late_sample(&server, taken_at, hour.now)?);
        facts.extend(self.staleness_seen(&sample)?);
        if own == Own::Yes {
            facts.extend(self.manager_seen(&server, taken_at)?);
            facts.extend(self.handed_over(&sample, hour)?);
            facts.extend(self.entry_seen(&sample, hour)?);
            facts.extend(self.day_before(&sample, hour)?);
        }
        self.record(hour, by, facts)?;
        self.late_for_report(&server, taken_at, hour)?;
        Ok(Import::Kept)
    }

    /// A license block that lost its type or edition for a while takes neither the month's report nor the weights of new
    /// machines along.
    fn with_known_edition(&self, mut sample: Sample) -> Result<Sample, Trouble> {
        if sample.license.is_in_want()
            && let Some(seen) = self.store.row::<License>(&key::license_seen(&sample.server))?
        {
            sample.discrepancies.extend(sample.license.stand_on(&seen));
        }
        Ok(sample)
    }

    /// A server's list comes with the oldest restore points that are kept, which is no first for a machine that was there
    /// before them: what is protected again after a gap is not new (domain.md 7.3), and the ledger tells since when it is.
    fn with_known_firsts(&self, mut sample: Sample) -> Result<Sample, Trouble> {
        let before = sample.taken_at - TimeDelta::milliseconds(1);
        let Some(previous) = self.store.newest_as_taken(&sample.server, before)?.filter(|_| sample.vouched) else {
            return Ok(sample);
        };
        let mut back: BTreeMap<usize, Arc<Workload>> = BTreeMap::new();
        for difference in differences(&previous.workloads, &sample.workloads) {
            let Difference::Appeared { is } = difference else { continue };
            let Some(kept_since) = is.first_processed_at else { continue };
            let seen = self.store.first_seen(&sample.server, &is.id, before)?;
            let is_known =
                seen.is_some_and(|seen| seen.stated_at.unwrap_or(seen.shown_at).min(seen.shown_at) < kept_since);
            if let Some(position) = sample.workloads.position_of(&is.id).filter(|_| is_known) {
                back.insert(position, Arc::new(Workload { first_processed_at: None, ..Workload::clone(is) }));
            }
        }
        if !back.is_empty() {
            sample.workloads = sample.workloads.replacing(back);
        }
        Ok(sample)
    }

    /// The license block of the newest sample, when it differs from the one seen before.
    fn license_seen(&self, sample: &Sample) -> Result<Vec<Fact>, Trouble> {
        let newest = self.store.newest_sample_at(&sample.server, Instant::MAX_UTC)?;
        if newest.is_some_and(|newest| sample.taken_at < newest) {
            return Ok(Vec::new());
        }
        self.license_seen_at(&sample.server, sample.license.clone(), sample.taken_at)
    }

    /// The license block that the server showed just now outside a sample; the ids and the edition that it does not tell
    /// stay.
    pub(super) fn license_now_seen(&self, server: &str, license: License, now: Instant) -> Result<Vec<Fact>, Trouble> {
        let seen: License = self.store.row(&key::license_seen(server))?.unwrap_or_default();
        let ids = (seen.license_id.clone(), seen.installation_id.clone());
        let mut license = License { license_id: ids.0, installation_id: ids.1, ..license };
        license.stand_on(&seen);
        self.license_seen_at(server, license, now)
    }

    fn license_seen_at(&self, server: &str, license: License, at: Instant) -> Result<Vec<Fact>, Trouble> {
        let seen: Option<License> = self.store.row(&key::license_seen(server))?;
        let license = License { used_points: None, new_points: None, ..license };
        if seen.as_ref() == Some(&license) {
            return Ok(Vec::new());
        }
        let server = server.to_owned();
        let (was_on, is_on) = (seen.and_then(|seen| seen.auto_update) == Some(true), license.auto_update == Some(true));
        let mut facts = vec![Fact::LicenseSeen { server: server.clone(), license }];
        if was_on != is_on {
            facts.push(Fact::AutoUpdateSeen { server, since: is_on.then_some(at) });
        }
        Ok(facts)
    }

    /// `sample import`: snapshots with their own instants. Returns how many were taken, and how many known already.
    ///
    /// # Errors
    /// [`Refused`] with 65 for a bad file, 8 for other content at a known instant; samples before it stand.
    pub(super) fn import(&mut self, file: &str, text: &str, hour: Hour, by: &str) -> Result<(u32, u32), Refused> {
        let samples = crate::sources::snapshot_file::parse(file, text.as_bytes(), hour.now)
            .map_err(|refused| Refused::new(65, refused.to_string()))?;
        let (mut taken, mut known) = (0, 0);
        for sample in samples {
            let what = format!("{} at {}", sample.server, rfc3339(sample.taken_at));
            match self.take_sample(sample, &format!("import by {by}"), Own::Imported, hour)? {
                Import::Kept => taken += 1,
                Import::Known => known += 1,
                Import::Conflict => {
                    let why = format!(
                        "{file}: another sample of {what} is kept already; nothing was changed \
                         ({taken} samples before it were taken)"
                    );
                    return Err(Refused::new(8, why));
                }
            }
        }
        Ok((taken, known))
    }
}

/// Why a server's answers are asked for again: they were given partly in one month and partly in the next, of whose counts
/// nothing may stand for the closed one (design.md section 4, "Time"). Files state their own instants.
fn straddles_months(server: &str, collected: &Collected, now: Instant) -> Option<String> {
    let begun =
        collected.samples.iter().map(|sample| sample.taken_at).min().filter(|_| collected.server_time.is_some())?;
    (Month::of(begun) < Month::of(now))
        .then(|| format!("{server} was read from {} on, beyond the month's end; it is read again", minute_text(begun)))
}

fn sweep(previous: Option<&Sample>, now: Instant) -> Sweep {
    let swept_at = previous.and_then(|sample| sample.restore_points_swept_at);
    let before_report = Month::of(now).ends_at() - SWEEP_BEFORE_REPORT <= now;
    match swept_at {
        Some(at) if now < at + SWEEP_EVERY && !(before_report && at + SAMPLE_RETRY < now) => Sweep::Since,
        Some(_) | None => Sweep::Full,
    }
}

/// What became of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Import {
    Kept,
    /// The same sample is kept already.
    Known,
    /// Another sample of that server and instant is kept already.
    Conflict,
}
