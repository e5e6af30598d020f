//! Servers of the settings: which were sampled here, and which of them the settings no longer name.

use crate::agent::Trouble;
use crate::domain::installation::{ServerName, Unit, entry_of};
use crate::domain::license::License;
use crate::domain::sample::Sample;
use crate::domain::{Instant, Month};
use crate::rules::kept_out;
use crate::rules::schedule::expected_samples;
use crate::store::fact::{Absence, Absent, Entry, Fact, Member, Members, key};

use super::{Agent, Hour};

impl Agent {
    /// The facts that the sample's server is sampled here, when that is new or new again.
    pub(super) fn entry_seen(&self, sample: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let entry = entry_of(&sample.server).to_owned();
        let known: Option<Entry> = self.store.row(&key::entry(&entry))?;
        let mut facts = Vec::new();
        let is_sampled = known.as_ref().is_some_and(|known| known.absent.is_none());
        if !is_sampled {
            let since = known.as_ref().map_or(sample.taken_at, |known| known.since);
            facts.push(Fact::EntrySeen { entry: entry.clone(), seen: Entry { since, absent: None } });
        }
        if let Some(Absent { since, told: Some(loss), .. }) = known.and_then(|known| known.absent) {
            let missed = expected_samples(since, hour.now, &self.policy());
            facts.extend(self.end_of_loss(&entry, missed, loss, hour)?);
        }
        let is_counted = is_sampled
            && (entry == sample.server || self.member(&sample.server)?.is_some_and(|member| member.absent.is_none()));
        if !is_counted {
            facts.extend(self.taken_over(sample, hour)?);
        }
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
            // It went by another name by then, and still does.
            if let Some(absent @ Absent { why: Absence::SampledDirectly { .. }, .. }) = known.absent {
                let absent = Some(Absent { since: hour.now, ..absent });
                facts.push(Fact::EntrySeen { entry: entry.to_owned(), seen: Entry { since, absent } });
                continue;
            }
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
    /// `None` too when a person imported a sample of it since, unless it goes by another name.
    pub(super) fn dropped(&self, server: &str) -> Result<Option<Absent>, Trouble> {
        if self.settings.server(server).is_some() {
            return Ok(None);
        }
        let entry: Option<Entry> = self.store.row(&key::entry(entry_of(server)))?;
        let Some(absent) = entry.and_then(|entry| entry.absent) else { return Ok(None) };
        if absent.why != Absence::Left {
            return Ok(Some(absent));
        }
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

    /// A server that the settings, or a source of theirs, know otherwise now: what stood for it before ends as the new one
    /// begins, so that no sum and no report holds it twice.
    fn taken_over(&self, sample: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let mut facts = Vec::new();
        let Some((old, absent)) = self.known_before_as(sample)? else { return Ok(facts) };
        // A file may be older than the removal.
        let since = sample.taken_at.max(absent.since);
        let newest = self.store.newest_sample_at(&old, since)?;
        let stands = newest.is_some_and(|newest| since - self.policy().basis_max_age < newest);
        let (left_in, now_in) = (Month::of(absent.since), Month::of(since));
        // Of the month before its last numbers are all there is, and after that month it counts no more by itself.
        if stands || left_in == now_in {
            facts.extend(self.last_sample(&old, sample, since, hour)?);
        } else if left_in.next() != now_in {
            return Ok(facts);
        }
        let why = Absence::SampledDirectly { as_server: sample.server.clone() };
        facts.extend(self.absence(&old, Some(Absent { since, why, told: absent.told }))?);
        Ok(facts)
    }

    /// Which server that left is the one of this sample under another name. Servers that were cloned share an installation
    /// id: it is the one that is called alike, else the only one, else the one that left last; never one that was sampled
    /// beside it.
    fn known_before_as(&self, sample: &Sample) -> Result<Option<(ServerName, Absent)>, Trouble> {
        let Some(id) = sample.license.installation_id.as_deref() else { return Ok(None) };
        let prefix = key::license_seen("");
        let seen: Vec<(String, License)> = self.store.rows(&prefix)?;
        let mut left: Vec<(ServerName, Absent)> = Vec::new();
        for (row, license) in seen {
            let old = row.strip_prefix(&prefix).unwrap_or_default();
            let is_same = license.installation_id.is_some_and(|shown| shown.eq_ignore_ascii_case(id));
            if !is_same || old == sample.server || self.were_sampled_together(old, &sample.server)? {
                continue;
            }
            let absent = self.absent(old)?.filter(|absent| absent.why == Absence::Left);
            left.extend(absent.map(|absent| (old.to_owned(), absent)));
        }
        let names: Vec<&str> = left.iter().map(|(old, _)| old.as_str()).collect();
        let called = kept_out::kept_out(&names, &[self.direct(&sample.server)]).into_keys().next().map(str::to_owned);
        left.sort_by_key(|(_, absent)| absent.since);
        let newest = left.last().map(|(_, absent)| absent.since);
        let is_last = left.iter().filter(|(_, absent)| Some(absent.since) == newest).count() == 1;
        match called {
            Some(called) => Ok(left.into_iter().find(|(old, _)| *old == called)),
            None => Ok(left.pop().filter(|_| is_last)),
        }
    }

    /// Whether the second server has a sample from within the life of the first.
    fn were_sampled_together(&self, first: &str, second: &str) -> Result<bool, Trouble> {
        let Some(begun) = self.watched_since(first)? else { return Ok(false) };
        // The second may be an earlier name: its samples from before it went by another one are of the same server.
        let entry: Option<Entry> = self.store.row(&key::entry(second))?;
        let absent = entry.and_then(|entry| entry.absent).or(self.member(second)?.and_then(|member| member.absent));
        let renamed = absent.filter(|absent| matches!(absent.why, Absence::SampledDirectly { .. }));
        let begun = renamed.map_or(begun, |absent| begun.max(absent.since));
        let Some(last) = self.store.newest_sample_at(first, Instant::MAX_UTC)? else { return Ok(false) };
        Ok(self.store.newest_sample_at(second, last)?.is_some_and(|within| begun < within))
    }

    /// Whether the server took over from another one of the unit after the month, in which that one stands for it.
    pub(super) fn took_over_after(&self, unit: &Unit, server: &str, month: Month) -> Result<bool, Trouble> {
        let newest_of = |server: &str| self.store.newest_sample_at(server, month.ends_at());
        let own = newest_of(server)?;
        for other in unit.servers.iter().filter(|other| *other != server) {
            let is_after = |absent: &Absent| {
                let now_called = matches!(&absent.why, Absence::SampledDirectly { as_server } if as_server == server);
                now_called && month.ends_at() < absent.since
            };
            // One that went back to an earlier name has samples of the month too, and older ones.
            if self.absent(other)?.as_ref().is_some_and(is_after) {
                let theirs = newest_of(other)?;
                if theirs.is_some() && own <= theirs {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The fact that a server of the settings, or of one of their sources, is absent.
    fn absence(&self, server: &str, absent: Option<Absent>) -> Result<Option<Fact>, Trouble> {
        let entry = entry_of(server);
        if entry == server {
            let known: Option<Entry> = self.store.row(&key::entry(entry))?;
            let seen = known.map(|known| Entry { absent, ..known });
            return Ok(seen.map(|seen| Fact::EntrySeen { entry: entry.to_owned(), seen }));
        }
        let Members { mut members, notes } = self.members(entry)?;
        let member = members.remove(server).map(|member| Member { absent, ..member });
        let members = member.into_iter().map(|member| (server.to_owned(), member)).collect();
        Ok(Some(Fact::MembersSeen { source: entry.to_owned(), members: Members { members, notes } }))
    }
}
