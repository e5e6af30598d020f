//! High watermarks of weeks and months, with the days they are made of and their coverage.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::agent::Trouble;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::calendar::midnight;
use crate::domain::installation::Unit;
use crate::domain::watermark::{Coverage, Daily, DayMark, HighWatermark, Watermark};
use crate::domain::{Instant, IsoWeek, Month};
use crate::rules::schedule::{Policy, expected_samples};

/// When samples of a server are expected, and when its samples were old numbers.
pub(super) struct Watched {
    pub server: String,
    pub since: Instant,
    pub until: Instant,
    pub stale: Vec<Instant>,
}

impl Watched {
    /// Of one day, which begins and has got so far.
    fn coverage(&self, mark: Option<&DayMark>, begins_at: Instant, until: Instant, policy: &Policy) -> Coverage {
        let expected = expected_samples(begins_at.max(self.since), until.min(self.until), policy);
        let taken = mark.and_then(|mark| mark.samples.get(&self.server)).copied().unwrap_or(0);
        let is_stale = |at: &&Instant| begins_at <= **at && **at < until;
        let stale = u32::try_from(self.stale.iter().filter(is_stale).count()).unwrap_or(u32::MAX);
        Coverage { expected, complete: taken.saturating_sub(stale).min(expected) }
    }
}

impl Agent {
    /// `watermark --json`: of the named week or month, else of the running week.
    pub(in crate::agent) fn marks(
        &self,
        unit: Option<&str>,
        server: Option<&str>,
        week: Option<IsoWeek>,
        month: Option<Month>,
        hour: Hour,
    ) -> Result<Value, Refused> {
        self.of_each_unit(unit, server, |unit| {
            let mark = match (week, month) {
                (_, Some(month)) => self.watermark_of_month(unit, month, hour.now)?,
                (week, None) => {
                    self.watermark_of_week(unit, week.unwrap_or_else(|| IsoWeek::of(hour.now)), hour.now)?
                }
            };
            Ok(serde_json::to_value(mark).unwrap_or_default())
        })
    }

    pub(in crate::agent) fn watermark_of_week(
        &self,
        unit: &Unit,
        week: IsoWeek,
        now: Instant,
    ) -> Result<Watermark, Trouble> {
        self.watermark(unit, week.to_string(), week.first_day(), week.next().first_day(), now)
    }

    pub(in crate::agent) fn watermark_of_month(
        &self,
        unit: &Unit,
        month: Month,
        now: Instant,
    ) -> Result<Watermark, Trouble> {
        self.watermark(unit, month.to_string(), month.first_day(), month.next().first_day(), now)
    }

    fn watermark(
        &self,
        unit: &Unit,
        period: String,
        first: NaiveDate,
        end: NaiveDate,
        now: Instant,
    ) -> Result<Watermark, Trouble> {
        // Days that have not begun are left out: `--now` looks back from its own instant.
        let last = (end - Days::new(1)).min(now.date_naive());
        let marks = if first <= last { self.store.days(&unit.id, first, last)? } else { Vec::new() };
        let mut highest: Option<(HighWatermark, &DayMark)> = None;
        for day in &marks {
            let raised = HighWatermark::raised_by(highest.map(|(mark, _)| mark), day.mark.points, day.mark.at);
            if highest.is_none_or(|(mark, _)| mark != raised) {
                highest = Some((raised, day));
            }
        }
        let daily = self.daily(unit, first, end, now)?;
        let mut coverage = Coverage::default();
        for day in &daily {
            coverage.add(Coverage { expected: day.expected, complete: day.complete });
        }
        Ok(Watermark {
            schema: "tidegauge.watermark/1".to_owned(),
            unit: unit.id.clone(),
            period,
            from: midnight(first),
            to: midnight(end),
            points: highest.map(|(mark, _)| mark.points),
            at: highest.map(|(mark, _)| mark.at),
            by_type: highest.map(|(_, day)| day.by_type.clone()).unwrap_or_default(),
            coverage,
            counted_in: self.unit_license(unit)?.map(|license| license.kind.measure()).unwrap_or_default(),
            coverage_by_server: self.coverage_by_server(unit, first, end, now)?,
            daily,
        })
    }

    /// Samples expected and complete of each server in `[first, end)`, by its name.
    pub(in crate::agent) fn coverage_by_server(
        &self,
        unit: &Unit,
        first: NaiveDate,
        end: NaiveDate,
        now: Instant,
    ) -> Result<BTreeMap<String, Coverage>, Trouble> {
        let mut found: BTreeMap<String, Coverage> =
            unit.servers.iter().map(|server| (server.clone(), Coverage::default())).collect();
        let marks = self.store.days(&unit.id, first, end - Days::new(1))?;
        let marks: BTreeMap<NaiveDate, DayMark> = marks.into_iter().map(|mark| (mark.day, mark)).collect();
        let watched = unit.servers.iter().map(|server| self.watched(server, first, end));
        let watched = watched.collect::<Result<Vec<Watched>, Trouble>>()?;
        for day in first.iter_days().take_while(|day| *day < end && midnight(*day) <= now) {
            let until = now.min(midnight(day + Days::new(1)));
            for watched in &watched {
                let of_day = watched.coverage(marks.get(&day), midnight(day), until, &self.policy());
                found.entry(watched.server.clone()).or_default().add(of_day);
            }
        }
        Ok(found)
    }

    /// The days of `[first, end)` that have begun, with the worst server's coverage.
    pub(in crate::agent) fn daily(
        &self,
        unit: &Unit,
        first: NaiveDate,
        end: NaiveDate,
        now: Instant,
    ) -> Result<Vec<Daily>, Trouble> {
        let marks: BTreeMap<NaiveDate, DayMark> =
            self.store.days(&unit.id, first, end - Days::new(1))?.into_iter().map(|mark| (mark.day, mark)).collect();
        let watched = unit.servers.iter().map(|server| self.watched(server, first, end));
        let watched = watched.collect::<Result<Vec<Watched>, Trouble>>()?;
        let mut daily = Vec::new();
        for day in first.iter_days().take_while(|day| *day < end && midnight(*day) <= now) {
            let mark = marks.get(&day);
            let until = now.min(midnight(day + Days::new(1)));
            let whole = Coverage { expected: expected_samples(midnight(day), until, &self.policy()), complete: 0 };
            let mut worst = unit.servers.is_empty().then_some(whole);
            for watched in &watched {
                let of_server = watched.coverage(mark, midnight(day), until, &self.policy());
                let missing = |coverage: Coverage| coverage.expected - coverage.complete;
                if worst.is_none_or(|worst| missing(worst) < missing(of_server)) {
                    worst = Some(of_server);
                }
            }
            let Coverage { expected, complete } = worst.unwrap_or_default();
            let (points, at) = (mark.map(|mark| mark.mark.points), mark.map(|mark| mark.mark.at));
            daily.push(Daily { day, points, at, expected, complete });
        }
        Ok(daily)
    }

    /// From when to when samples of a server are expected, and which of them do not count.
    pub(super) fn watched(&self, server: &str, first: NaiveDate, end: NaiveDate) -> Result<Watched, Trouble> {
        let mut stale = Vec::new();
        for span in self.stale_spans(server)? {
            let (from, to) = (span.since.max(midnight(first)), span.until.unwrap_or(midnight(end)).min(midnight(end)));
            if from < to {
                stale.extend(self.store.sample_times(server, from..to)?);
            }
        }
        Ok(Watched {
            server: server.to_owned(),
            since: self.watched_since(server)?.unwrap_or(Instant::MIN_UTC),
            until: self.absent(server)?.map_or(Instant::MAX_UTC, |absent| absent.since),
            stale,
        })
    }
}
