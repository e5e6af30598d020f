//! Sending usage to sinks: what is owed follows from what was taken, each span once, in order.

use std::collections::{BTreeMap, VecDeque};

use chrono::{Days, NaiveDate, TimeDelta};

use crate::agent::Trouble;
use crate::ask::{Answer, Ask, Conversation, HookAsk, HttpAnswer, Setback, Step};
use crate::channels::cloud_events::{self, UsageEvent};
use crate::channels::hook_answer::{Heard, PAUSES, heard, is_taken, jitter_minutes_max, words};
use crate::config::{SinkSettings, Span};
use crate::domain::calendar::midnight;
use crate::domain::installation::Unit;
use crate::domain::report::{External, Stage, UsageReport};
use crate::domain::{Instant, Month, Points};
use crate::rules::finality;
use crate::rules::schedule::{Duty, Planned};
use crate::store::fact::{EndpointFact, Fact, SetbackRow, UsagePassedOver, UsageTaken, key};

use super::views::usage::count_once;
use super::{Agent, Hour, Outcome, Work};

/// How long after a day's end its usage is sent: samples of its last hour are there by then.
const DAY_LAG: TimeDelta = TimeDelta::hours(1);
/// Days that are caught up with after an outage, and before a sink came; older ones are passed over.
const DAYS_BACK: u64 = 31;
/// The same for months, counted from their end.
const MONTHS_BACK: TimeDelta = TimeDelta::days(100);
/// So long after a sample the clock is taken for right where something would be given up by it.
const CLOCK_AGREES_FOR: TimeDelta = TimeDelta::days(1);

/// A final revision, and when it became final.
pub(super) type Owed = (u32, Instant);

/// Tenant or none, server, type.
type Subject = (Option<String>, String, String);

impl Agent {
    /// The oldest span that each sink has not taken of each unit, and when it is sent.
    pub(super) fn usage_owed(&self, now: Instant) -> Result<Vec<Planned>, Trouble> {
        let mut owed = Vec::new();
        for sink in &self.settings.usage_sinks {
            for unit in self.units()? {
                if let Some((period, revision)) = self.outlived(sink, &unit, now)? {
                    // By a clock that no sample agrees with nothing is given up, and none is sent past it.
                    if !self.sampled_lately(now)? {
                        continue;
                    }
                    let duty = Duty::SendUsage { sink: sink.peer(), unit: unit.id, period, revision };
                    owed.push(Planned { at: now, duty, why: "it is too old to be sent to the usage sink".to_owned() });
                    continue;
                }
                let next = match sink.span {
                    Span::Day => self.day_owed(sink, &unit, now)?,
                    Span::Month => self.month_owed(sink, &unit, now)?,
                };
                let Some((period, revision, at)) = next else { continue };
                let duty = Duty::SendUsage { sink: sink.peer(), unit: unit.id, period, revision };
                let at = self.retry_at(&duty)?.map_or(at, |retry_at| at.max(retry_at));
                owed.push(Planned { at, duty, why: "a usage sink has not taken it".to_owned() });
            }
        }
        Ok(owed)
    }

    /// Whether the clock is near the newest sample of any server: of a start with a wrong one the first read tells.
    fn sampled_lately(&self, now: Instant) -> Result<bool, Trouble> {
        for server in self.units()?.iter().flat_map(|unit| &unit.servers) {
            let newest = self.store.newest_sample_at(server, Instant::MAX_UTC)?;
            if newest.is_some_and(|newest| now - CLOCK_AGREES_FOR <= newest) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn day_owed(
        &self,
        sink: &SinkSettings,
        unit: &Unit,
        now: Instant,
    ) -> Result<Option<(String, u32, Instant)>, Trouble> {
        let Some(since) = unit.since.filter(|_| !unit.servers.is_empty()) else { return Ok(None) };
        let after = self.day_after_taken(sink, unit)?.unwrap_or(since.date_naive());
        let day = after.max(oldest_day(now));
        if self.left_at(unit, now)?.is_some_and(|left_at| left_at.date_naive() < day) {
            return Ok(None);
        }
        Ok(Some((day.to_string(), 1, midnight(day + Days::new(1)) + DAY_LAG)))
    }

    /// The day after the newest that a sink took, or that was passed over.
    fn day_after_taken(&self, sink: &SinkSettings, unit: &Unit) -> Result<Option<NaiveDate>, Trouble> {
        let through: Option<NaiveDate> = self.store.row(&key::usage_through(&sink.peer(), &unit.id))?;
        Ok(through.map(|through| through + Days::new(1)))
    }

    /// A span that was owed and grew too old to be sent: it was tried, or follows a day that was taken.
    fn outlived(&self, sink: &SinkSettings, unit: &Unit, now: Instant) -> Result<Option<(String, u32)>, Trouble> {
        let begins = key::setback(&format!("usage {} {} ", sink.peer(), unit.id));
        for row in self.store.keys(&begins)? {
            let Some((period, revision)) = row[begins.len()..].split_once(" r") else { continue };
            let Ok(revision) = revision.parse() else { continue };
            if !is_sent_still(sink, period, now) {
                return Ok(Some((period.to_owned(), revision)));
            }
        }
        if sink.span == Span::Month || unit.servers.is_empty() {
            return Ok(None);
        }
        let left_at = self.left_at(unit, now)?.map(|left_at| left_at.date_naive());
        let is_owed = |next: &NaiveDate| *next < oldest_day(now) && left_at.is_none_or(|left_at| *next <= left_at);
        let next = self.day_after_taken(sink, unit)?.filter(is_owed);
        Ok(next.map(|next| (next.to_string(), 1)))
    }

    fn month_owed(
        &self,
        sink: &SinkSettings,
        unit: &Unit,
        now: Instant,
    ) -> Result<Option<(String, u32, Instant)>, Trouble> {
        for (month, newest) in self.report_months(&unit.id)? {
            if is_old(month, now) {
                continue;
            }
            if let Some((revision, at)) = self.revision_owed(sink, unit, month, newest)? {
                return Ok(Some((month.to_string(), revision, at)));
            }
        }
        Ok(None)
    }

    /// The first final revision of a month that a sink has not taken, and when it became final.
    fn revision_owed(
        &self,
        sink: &SinkSettings,
        unit: &Unit,
        month: Month,
        newest: u32,
    ) -> Result<Option<Owed>, Trouble> {
        let of = (sink.peer(), unit.id.clone(), month);
        let read = || Ok((Some(newest), self.revision_owed_by_rows(sink, unit, month, newest)?));
        self.kept.revisions_owed.get(&self.store, of, |of_newest| *of_newest == newest, read)
    }

    fn revision_owed_by_rows(
        &self,
        sink: &SinkSettings,
        unit: &Unit,
        month: Month,
        newest: u32,
    ) -> Result<Option<Owed>, Trouble> {
        for revision in 1..=newest {
            let Some(at) = self.final_at(unit, month, revision)? else { continue };
            let taken = key::usage_taken(&sink.peer(), &unit.id, &month.to_string(), revision);
            if self.store.row::<UsageTaken>(&taken)?.is_none() {
                return Ok(Some((revision, at)));
            }
        }
        Ok(None)
    }

    /// Ends the setbacks of sinks that the settings do not name any more.
    pub(super) fn unmetered(&self) -> Result<Vec<Fact>, Trouble> {
        let named = |about: &str| {
            self.settings.usage_sinks.iter().any(|sink| about.starts_with(&format!("usage {} ", sink.peer())))
        };
        let tried = self.store.keys(&key::setback("usage "))?;
        let about = tried.iter().filter_map(|row| row.strip_prefix("setback/")).filter(|about| !named(about));
        Ok(about.map(|about| Fact::SetbackOver { about: about.to_owned() }).collect())
    }

    /// A sink that still is to take the month's reports, by its name.
    pub(super) fn usage_untaken(
        &self,
        unit: &Unit,
        month: Month,
        newest: u32,
        now: Instant,
    ) -> Result<Option<String>, Trouble> {
        let by_month = self.settings.usage_sinks.iter().filter(|sink| sink.span == Span::Month);
        for sink in by_month.filter(|_| !is_old(month, now)) {
            if self.revision_owed(sink, unit, month, newest)?.is_some() {
                return Ok(Some(sink.name.clone()));
            }
        }
        Ok(None)
    }

    /// When a revision became final, without reading it.
    fn final_at(&self, unit: &Unit, month: Month, revision: u32) -> Result<Option<Instant>, Trouble> {
        let of = |what: &str| key::report(what, &unit.id, month, revision);
        let stage: Option<Stage> = self.store.row(&of("stage"))?;
        let external: Option<External> = self.store.row(&of("external"))?;
        Ok(finality::final_at(&stage.unwrap_or(Stage::AwaitingReview), &external.unwrap_or_default()))
    }

    pub(super) fn begin_usage(&mut self, duty: &Duty, hour: Hour) -> Result<Work, Trouble> {
        let Duty::SendUsage { sink: peer, unit, period, revision } = duty else { return Ok(Work::Over) };
        let sink = self.settings.usage_sinks.iter().find(|sink| sink.peer() == *peer).cloned();
        let (Some(sink), Some(unit)) = (sink, self.unit(unit)?) else { return Ok(Work::Over) };
        if !is_sent_still(&sink, period, hour.now) {
            return self.pass_over(duty, hour).map(|()| Work::Over);
        }
        let events = match (period.parse::<NaiveDate>(), period.parse::<Month>()) {
            (Ok(day), _) => self.usage_of_day(&unit, day)?,
            (Err(_), Ok(month)) => self.usage_of_month(&unit, month, *revision)?,
            (Err(_), Err(_)) => return Ok(Work::Over),
        };
        if events.is_empty() {
            return self.usage_taken(duty, 0, hour).map(|()| Work::Over);
        }
        let asks = cloud_events::asks(peer, &self.identity.agent, &events, sink.mode);
        Ok(Work::Talk(Box::new(Delivery { asks: asks.into(), events: events.len() })))
    }

    pub(super) fn finish_usage(
        &mut self,
        duty: &Duty,
        outcome: Result<Outcome, Setback>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        match outcome {
            Ok(Outcome::UsageSent(events)) => self.usage_taken(duty, events, hour),
            Ok(Outcome::Answered(answer)) => self.usage_not_taken(duty, &words(&answer), Some(&answer), hour),
            Err(setback) => self.usage_not_taken(duty, setback.why(), None, hour),
            Ok(other) => unreachable!("usage does not end in {other:?}"),
        }
    }

    fn usage_taken(&mut self, duty: &Duty, events: usize, hour: Hour) -> Result<(), Trouble> {
        let Duty::SendUsage { sink, unit, period, revision } = duty else { return Ok(()) };
        let taken = UsageTaken { period: period.clone(), revision: *revision, at: hour.now, events };
        let what = EndpointFact::UsageTaken { unit: unit.clone(), taken };
        let mut facts = vec![Fact::Endpoint { to: sink.clone(), what }];
        if self.retry_at(duty)?.is_some() {
            facts.push(Fact::SetbackOver { about: duty.key() });
        }
        self.record(hour, "duty", facts)
    }

    /// Says which spans a sink is not sent any more; of days all that are too old.
    fn pass_over(&mut self, duty: &Duty, hour: Hour) -> Result<(), Trouble> {
        let Duty::SendUsage { sink, unit, period, revision } = duty else { return Ok(()) };
        let mut through = period.clone();
        if let Ok(day) = period.parse::<NaiveDate>() {
            through = day.max(oldest_day(hour.now) - Days::new(1)).to_string();
        }
        let passed = UsagePassedOver { first: period.clone(), through, revision: *revision, at: hour.now };
        let what = EndpointFact::UsagePassedOver { unit: unit.clone(), passed };
        let mut facts = vec![Fact::Endpoint { to: sink.clone(), what }];
        if self.retry_at(duty)?.is_some() {
            facts.push(Fact::SetbackOver { about: duty.key() });
        }
        self.record(hour, "duty", facts)
    }

    /// Usage is tried until it is taken: at last once a day.
    fn usage_not_taken(
        &mut self,
        duty: &Duty,
        words: &str,
        answer: Option<&HttpAnswer>,
        hour: Hour,
    ) -> Result<(), Trouble> {
        let before = self.store.row::<SetbackRow>(&key::setback(&duty.key()))?.map_or(0, |before| before.tries);
        let pause = PAUSES[(before as usize).min(PAUSES.len() - 1)];
        let jitter = self.chance.below(jitter_minutes_max(pause) + 1);
        let pause = pause + TimeDelta::minutes(i64::try_from(jitter).unwrap_or(0));
        let pause = match answer.map(|answer| heard(answer, hour.now)) {
            Some(Heard::Slower { wait }) => pause.max(wait),
            Some(Heard::Taken | Heard::Gone | Heard::NotTaken) | None => pause,
        };
        self.set_back(duty, &Setback::TryAgain { why: words.to_owned() }, pause, hour)
    }

    /// What stands at the end of a day: each server's newest sample of that day.
    fn usage_of_day(&self, unit: &Unit, day: NaiveDate) -> Result<Vec<UsageEvent>, Trouble> {
        let (begins_at, ends_at) = (midnight(day), midnight(day + Days::new(1)));
        let last = ends_at - TimeDelta::seconds(1);
        let mut samples = Vec::new();
        for server in self.store.servers()? {
            // Of the unit that it was of on that day, whichever it is of now.
            if self.store.unit_as_of(&server, last)?.as_ref() == Some(&unit.id) {
                samples.extend(self.store.newest_sample(&server, last)?);
            }
        }
        samples.retain(|found| begins_at <= found.sample.taken_at);
        if unit.counts_once_at(last) {
            count_once(&mut samples, None);
        }
        let mut used: BTreeMap<Subject, (u64, Points)> = BTreeMap::new();
        for found in &samples {
            for ((tenant, kind), total) in &found.summary().groups {
                let subject = (tenant.clone(), found.sample.server.clone(), kind.to_string());
                add(&mut used, subject, total.count, total.points);
            }
        }
        Ok(events(unit, &day.to_string(), ends_at, 1, used, None))
    }

    /// What a final report says; of a correction also what the final revision before it said.
    fn usage_of_month(&self, unit: &Unit, month: Month, revision: u32) -> Result<Vec<UsageEvent>, Trouble> {
        let Some(report) = self.report_revision(&unit.id, month, revision)? else { return Ok(Vec::new()) };
        let mut before = None;
        for earlier in (1..revision).rev() {
            if self.final_at(unit, month, earlier)?.is_some() {
                before = self.report_revision(&unit.id, month, earlier)?.map(|earlier| used_by(&earlier));
                break;
            }
        }
        Ok(events(unit, &month.to_string(), month.ends_at(), revision, used_by(&report), before))
    }
}

/// The oldest day that is still sent.
fn oldest_day(now: Instant) -> NaiveDate {
    now.date_naive() - Days::new(DAYS_BACK)
}

/// A month whose reports are not sent any more.
fn is_old(month: Month, now: Instant) -> bool {
    month.ends_at() + MONTHS_BACK < now
}

/// Whether a sink is sent this span: one of its kind, and not too old.
fn is_sent_still(sink: &SinkSettings, period: &str, now: Instant) -> bool {
    match sink.span {
        Span::Day => period.parse::<NaiveDate>().is_ok_and(|day| oldest_day(now) <= day),
        Span::Month => period.parse::<Month>().is_ok_and(|month| !is_old(month, now)),
    }
}

fn add(used: &mut BTreeMap<Subject, (u64, Points)>, subject: Subject, count: u64, points: Points) {
    let sum = used.entry(subject).or_default();
    sum.0 += count;
    sum.1 += points;
}

fn used_by(report: &UsageReport) -> BTreeMap<Subject, (u64, Points)> {
    let mut used = BTreeMap::new();
    for line in &report.lines {
        let subject = (line.tenant.clone(), line.server.clone(), line.kind.to_string());
        add(&mut used, subject, line.reported_count, line.points);
    }
    used
}

/// One event each; what a correction no longer has is sent as nothing used.
fn events(
    unit: &Unit,
    period: &str,
    ends_at: Instant,
    revision: u32,
    mut used: BTreeMap<Subject, (u64, Points)>,
    before: Option<BTreeMap<Subject, (u64, Points)>>,
) -> Vec<UsageEvent> {
    for subject in before.iter().flat_map(BTreeMap::keys) {
        used.entry(subject.clone()).or_default();
    }
    let event = |(subject, (count, points)): (Subject, (u64, Points))| {
        let known = before.as_ref().map(|before| before.get(&subject).map_or(Points::ZERO, |(_, points)| *points));
        let (tenant, server, kind) = subject;
        let (unit, period) = (unit.id.clone(), period.to_owned());
        UsageEvent { tenant, server, kind, unit, period, ends_at, revision, count, points, before: known }
    };
    used.into_iter().map(event).collect()
}

/// Requests one after the other, until one is not taken.
struct Delivery {
    asks: VecDeque<HookAsk>,
    events: usize,
}

impl Conversation for Delivery {
    type Done = Outcome;

    fn next(&mut self, answered: Option<Answer>) -> Step<Outcome> {
        match answered {
            None => {}
            Some(Answer::Http(answer)) if is_taken(&answer) => {}
            Some(Answer::Http(answer)) => return Step::Done(Outcome::Answered(answer)),
            Some(Answer::Failed(failure)) => return Step::Setback(Setback::TryAgain { why: failure.to_string() }),
            Some(odd @ (Answer::Mail(_) | Answer::Folder(_))) => {
                return Step::Setback(Setback::TryAgain { why: format!("the sink answered oddly: {odd:?}") });
            }
        }
        match self.asks.pop_front() {
            Some(ask) => Step::Ask(Ask::Hook(ask)),
            None => Step::Done(Outcome::UsageSent(self.events)),
        }
    }
}
