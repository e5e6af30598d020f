//! Servers that a source names: which they are, which left, which are sampled directly and not counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ask::Setback;
use crate::config::ServerSettings;
use crate::domain::Instant;
use crate::domain::calendar::minute_text;
use crate::domain::installation::{ServerName, entry_of, named_at, shown_name};
use crate::domain::license::License;
use crate::domain::sample::{Sample, Stale};
use crate::domain::workloads::Workloads;
use crate::rules::kept_out::{self, Direct};
use crate::rules::schedule::expected_samples;
use crate::sources::{Collected, KnownServer, Names};
use crate::store::Taken;
use crate::store::fact::{Absence, Absent, Entry, Fact, Member, Members, StaleSpan, key};

use super::{Agent, Hour, Trouble};

impl Agent {
    /// Whether this entry of the settings names servers of its own.
    pub(super) fn names_its_servers(&self, entry: &str) -> bool {
        let settings = self.settings.servers.iter().find(|server| server.name == entry);
        settings.is_some_and(|server| server.source_row().names == Names::ItsServers)
    }

    /// The servers that a source of the settings named, and what it said beside them.
    pub(super) fn members(&self, entry: &str) -> Result<Members, Trouble> {
        let prefix = key::member(entry, "");
        let rows: Vec<(String, Member)> = self.store.rows(&prefix)?;
        let named = |(row, member): (String, Member)| Some((row.strip_prefix(&prefix)?.to_owned(), member));
        let notes: Option<Vec<String>> = self.store.row(&key::source_notes(entry))?;
        Ok(Members { members: rows.into_iter().filter_map(named).collect(), notes: notes.unwrap_or_default() })
    }

    /// Servers that the entry's own sample counts together, as its source calls them: of an Enterprise Manager by itself.
    pub(super) fn sums_of(&self, entry: &str) -> Result<Vec<String>, Trouble> {
        if self.names_its_servers(entry) {
            return Ok(Vec::new());
        }
        let members = self.members(entry)?.members.into_iter().filter(|(_, member)| member.absent.is_none());
        Ok(members.map(|(server, _)| shown_name(&server).to_owned()).collect())
    }

    /// The fact that the servers that the entry's sample counts together are others than before.
    pub(super) fn sums_seen(&self, entry: &str, sums: &[String], hour: Hour) -> Result<Option<Fact>, Trouble> {
        let before = self.members(entry)?;
        let mut members = Members { members: BTreeMap::new(), notes: before.notes };
        for server in sums.iter().map(|name| named_at(name, entry)) {
            let first_seen_at = before.members.get(&server).map_or(hour.now, |known| known.first_seen_at);
            members.members.insert(server, Member { installation_id: None, first_seen_at, absent: None });
        }
        for (server, known) in &before.members {
            let left = || Absent { since: hour.now, why: Absence::Left, told: None };
            let absent = Some(known.absent.clone().unwrap_or_else(left));
            members.members.entry(server.clone()).or_insert_with(|| Member { absent, ..known.clone() });
        }
        members.members.retain(|server, member| before.members.get(server) != Some(member));
        Ok((!members.members.is_empty()).then(|| Fact::MembersSeen { source: entry.to_owned(), members }))
    }

    /// What to call a source's servers: the names they had before.
    pub(super) fn servers_known_by(&self, entry: &str) -> Result<Vec<KnownServer>, Trouble> {
        let known = self.members(entry)?.members.into_iter();
        Ok(known.map(|(server, member)| KnownServer { server, installation_id: member.installation_id }).collect())
    }

    /// When the server was last seen: its newest sample, or the newest whole read of a source that names servers.
    pub(super) fn last_seen_at(&self, server: &str, now: Instant) -> Result<Option<Instant>, Trouble> {
        if self.names_its_servers(server) {
            return Ok(self.store.row(&key::source_read(server))?);
        }
        Ok(self.store.newest_sample_at(server, now)?)
    }

    /// The source's word on one of its servers; `None` for servers of the settings themselves.
    pub(super) fn member(&self, server: &str) -> Result<Option<Member>, Trouble> {
        let entry = entry_of(server);
        let is_named = entry != server && (self.names_its_servers(entry) || self.dropped(entry)?.is_some());
        if !is_named {
            return Ok(None);
        }
        Ok(self.store.row(&key::member(entry, server))?)
    }

    /// Since when samples of the server are expected: its source names it, or its first own sample was taken.
    pub(super) fn watched_since(&self, server: &str) -> Result<Option<Instant>, Trouble> {
        let entry: Option<Entry> = self.store.row(&key::entry(server))?;
        Ok(self.member(server)?.map(|member| member.first_seen_at).or(entry.map(|entry| entry.since)))
    }

    /// Why the server is not sampled any more: its source or the settings no longer name it, or it goes by another name.
    pub(super) fn absent(&self, server: &str) -> Result<Option<Absent>, Trouble> {
        match self.member(server)?.and_then(|member| member.absent) {
            None => self.dropped(server),
            absent => Ok(absent),
        }
    }

    /// Whether the server belongs to no period that begins then: it left its source or the settings, or is sampled
    /// directly.
    pub(super) fn is_gone_by(&self, server: &str, begins_at: Instant, ends_at: Instant) -> Result<bool, Trouble> {
        Ok(self.absent(server)?.is_some_and(|absent| match absent.why {
            // In the month in which it left its last numbers stand, by the server's month-end policy.
            Absence::Left => absent.since <= begins_at,
            Absence::SampledDirectly { .. } => absent.since <= ends_at,
        }))
    }

    /// Spans in which the source had nothing fresh of the server, in order.
    pub(super) fn stale_spans(&self, server: &str) -> Result<Vec<StaleSpan>, Trouble> {
        let spans: Vec<(String, StaleSpan)> = self.store.rows(&key::stale_spans(server))?;
        Ok(spans.into_iter().map(|(_, span)| span).collect())
    }

    /// The fact that a sample became stale, or fresh again.
    pub(super) fn staleness_seen(&self, sample: &Sample) -> Result<Option<Fact>, Trouble> {
        let open = self.stale_spans(&sample.server)?.pop().filter(|span| span.until.is_none());
        let server = sample.server.clone();
        Ok(match (open, &sample.stale) {
            (None, Some(stale)) => {
                let span = StaleSpan { since: sample.taken_at, until: None, why: stale.why.clone() };
                Some(Fact::StaleSeen { server, span })
            }
            (Some(open), None) if open.since < sample.taken_at => {
                Some(Fact::StaleSeen { server, span: StaleSpan { until: Some(sample.taken_at), ..open } })
            }
            (None, None) | (Some(_), _) => None,
        })
    }

    /// Records the samples of a source that names its servers, then what it names and that it answered. A sample whose
    /// points no provider has is not taken: its server stays named, and the source's read is a miss for a person.
    pub(super) fn take_members(&mut self, entry: &str, collected: Collected, hour: Hour) -> Result<(), Trouble> {
        let before = self.members(entry)?;
        let out = self.kept_out(&collected.samples, hour.now)?;
        let mut members = Members { members: BTreeMap::new(), notes: collected.notes };
        let mut named: BTreeSet<ServerName> = BTreeSet::new();
        let (mut absurd, mut conflicts): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut facts: Vec<Fact> = Vec::new();
        for sample in collected.samples {
            let (server, installation_id) = (sample.server.clone(), sample.license.installation_id.clone());
            named.insert(server.clone());
            let known = before.members.get(&server);
            let as_server = out.get(&server);
            let since = known.and_then(|known| known.absent.as_ref()).map_or(hour.now, |absent| absent.since);
            let absent = as_server.map(|server| Absent {
                since,
                why: Absence::SampledDirectly { as_server: server.clone() },
                told: None,
            });
            let first_seen_at = known.map_or(sample.taken_at, |known| known.first_seen_at);
            match sample.check_sum() {
                Ok(()) if absent.is_none() => conflicts.extend(self.take_or_name(sample, hour)?),
                Err(why) if absent.is_none() => absurd.push(format!("{server}: {why}")),
                Ok(()) | Err(_) => {}
            }
            if let Some(Absent { since, told: Some(loss), .. }) = known.and_then(|known| known.absent.clone()) {
                let missed = expected_samples(since, hour.now, &self.policy());
                facts.extend(self.end_of_loss(&server, missed, loss, hour)?);
            }
            members.members.insert(server, Member { installation_id, first_seen_at, absent });
        }
        for (server, known) in before.members.iter().filter(|(server, _)| !named.contains(*server)) {
            let absent = match known.absent.clone().filter(|absent| absent.why == Absence::Left) {
                Some(absent) => absent,
                None => {
                    let (told, news) = self.loss(server, format!("{entry} no longer names it"), hour)?;
                    facts.extend(news);
                    Absent { since: hour.now, why: Absence::Left, told: Some(told) }
                }
            };
            members.members.insert(server.clone(), Member { absent: Some(absent), ..known.clone() });
        }
        let source = entry.to_owned();
        members.members.retain(|server, member| before.members.get(server) != Some(member));
        if !members.members.is_empty() || members.notes != before.notes {
            facts.push(Fact::MembersSeen { source: source.clone(), members });
        }
        facts.push(Fact::SourceRead { source, at: hour.now });
        if absurd.is_empty() && conflicts.is_empty() {
            facts.extend(self.recovered(entry, hour)?);
        }
        self.record(hour, "duty", facts)?;
        if absurd.is_empty() {
            return self.miss_conflicts(entry, &conflicts, hour);
        }
        let more =
            if absurd.len() > 1 { format!(" (and of {} more servers)", absurd.len() - 1) } else { String::new() };
        let why = format!("{}{more}; correct what {entry} states of it", absurd[0]);
        self.miss_sample(entry, &Setback::AskAPerson { why }, hour)
    }

    /// Those of a source's servers that are sampled directly, each with the direct server it is.
    fn kept_out(&self, samples: &[Sample], now: Instant) -> Result<BTreeMap<ServerName, ServerName>, Trouble> {
        let direct = self.sampled_directly(now)?;
        let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for sample in samples {
            if let Some(id) = sample.license.installation_id.as_deref() {
                named.entry(id).or_default().push(&sample.server);
            }
        }
        let mut out = BTreeMap::new();
        for (id, named) in named {
            let directs = direct.get(id).map_or(&[][..], Vec::as_slice);
            let of_id = kept_out::kept_out(&named, directs).into_iter();
            out.extend(of_id.map(|(server, direct)| (server.to_owned(), direct)));
        }
        Ok(out)
    }

    /// Installation ids of servers that are sampled without a source between, with those that show them.
    pub(super) fn sampled_directly(&self, now: Instant) -> Result<BTreeMap<String, Vec<Direct>>, Trouble> {
        let seen: Vec<(String, License)> = self.store.rows(&key::license_seen(""))?;
        let mut direct: BTreeMap<String, Vec<Direct>> = BTreeMap::new();
        for (row, license) in seen {
            let server = row.strip_prefix(&key::license_seen("")).unwrap_or_default();
            let is_named = entry_of(server) != server && self.names_its_servers(entry_of(server));
            let Some(id) = license.installation_id.filter(|_| !is_named) else { continue };
            let is_set = self.settings.servers.iter().any(|settings| settings.name == server);
            let last = self.store.newest_sample_at(server, now)?;
            // One that was taken out of the settings still stands in the sums until its newest sample is too old.
            if is_set || last.is_some_and(|last| now - self.policy().basis_max_age <= last) {
                direct.entry(id.to_ascii_lowercase()).or_default().push(self.direct(server));
            }
        }
        Ok(direct)
    }

    pub(super) fn direct(&self, server: &str) -> Direct {
        let settings = self.settings.servers.iter().find(|settings| settings.name == server);
        let known_as = settings.map_or_else(|| vec![server.to_owned()], ServerSettings::known_as);
        Direct { server: server.to_owned(), known_as }
    }

    /// A server that begins to be sampled directly: what a source says of the same installation ends at that instant, so
    /// that no sum holds it twice.
    pub(super) fn handed_over(&self, direct: &Sample, hour: Hour) -> Result<Vec<Fact>, Trouble> {
        let Some(id) = direct.license.installation_id.as_ref().map(|id| id.to_ascii_lowercase()) else {
            return Ok(Vec::new());
        };
        let mut facts = Vec::new();
        if entry_of(&direct.server) != direct.server {
            return Ok(facts);
        }
        for entry in self.settings.servers.iter().filter(|server| server.source_row().names == Names::ItsServers) {
            let Members { members, notes } = self.members(&entry.name)?;
            let has_left = |member: &Member| member.absent.as_ref().is_some_and(|absent| absent.why == Absence::Left);
            let same = |member: &Member| !has_left(member) && member.installation_id.as_ref() == Some(&id);
            let named: Vec<&str> = members.iter().filter(|(_, one)| same(one)).map(|(name, _)| name.as_str()).collect();
            let out = kept_out::kept_out(&named, &[self.direct(&direct.server)]);
            let doubles = out.keys().map(|&server| (server.to_owned(), members[server].clone()));
            let doubles: Vec<(ServerName, Member)> = doubles.filter(|(_, member)| member.absent.is_none()).collect();
            if doubles.is_empty() {
                continue;
            }
            let why = Absence::SampledDirectly { as_server: direct.server.clone() };
            let absent = Absent { since: direct.taken_at, why, told: None };
            let mut members = Members { members: BTreeMap::new(), notes };
            for (server, member) in doubles {
                facts.extend(self.last_sample(&server, direct, direct.taken_at, hour)?);
                members.members.insert(server, Member { absent: Some(absent.clone()), ..member });
            }
            facts.push(Fact::MembersSeen { source: entry.name.clone(), members });
        }
        Ok(facts)
    }

    /// An empty sample of a server at the instant at which another one takes over.
    pub(super) fn last_sample(
        &self,
        server: &str,
        direct: &Sample,
        taken_at: Instant,
        hour: Hour,
    ) -> Result<Option<Fact>, Trouble> {
        let Some(newest) = self.store.newest_sample(server, hour.now)?.map(|found| found.sample) else {
            return Ok(None);
        };
        let why = format!("sampled as {} from here on", direct.server);
        let last = Sample {
            taken_at,
            workloads: Workloads::default(),
            counts: Vec::new(),
            discrepancies: Vec::new(),
            stale: Some(Stale { why }),
            ..Arc::unwrap_or_clone(newest)
        };
        Ok(match self.store.take(std::slice::from_ref(&last))?.pop() {
            Some(Taken::Fresh(fact)) => Some(*fact),
            Some(Taken::Repeat | Taken::Conflict) | None => None,
        })
    }

    /// What a source says beside its servers' numbers: who left, who is kept out, what it left out.
    pub(super) fn said_of_members(&self, entry: &str) -> Result<Vec<String>, Trouble> {
        let members = self.members(entry)?;
        let absent = members.members.iter().filter_map(|(server, member)| {
            let absent = member.absent.as_ref()?;
            let since = minute_text(absent.since);
            Some(match &absent.why {
                Absence::Left => format!("{server} is no longer named since {since}"),
                Absence::SampledDirectly { as_server } => {
                    format!("{server} is kept out since {since}: it is sampled directly as {as_server}")
                }
            })
        });
        Ok(absent.chain(members.notes.iter().cloned()).collect())
    }
}
