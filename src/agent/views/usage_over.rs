//! Usage of any period: the series from aggregates, what stood at its end, and the days ahead.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::agent::access::By;
use crate::agent::asked::UsageOverAsked;
use crate::agent::{Agent, Hour, Refused, Trouble};
use crate::domain::Instant;
use crate::domain::calendar::midnight;
use crate::domain::installation::{Unit, answers_to};
use crate::domain::sample::{Counted, Group, GroupTotal, Summary};
use crate::domain::workload::{Workload, WorkloadType};
use crate::rules::instances::{self, Sharing};
use crate::rules::usage_series::{self, Day};

use super::refuse_unreckoned;
use super::usage::{Key, count_once, grouped, tenant_name};

/// Longest period.
const DAYS_MAX: i64 = 400;
/// The period when none is said.
const DAYS: u64 = 31;
/// Most days of servers that are read sample by sample in short.
const SERVER_DAYS_MAX: i64 = 4_000;
/// Most groups of a series or of what stood at its end.
const GROUPS_MAX: usize = 100;

/// A period, and which of it are days that have begun.
struct Period {
    first: NaiveDate,
    /// The last day that has begun.
    last: NaiveDate,
    until: NaiveDate,
}

impl Agent {
    /// `tidegauge.usage-over/1`, per unit.
    pub(in crate::agent) fn usage_over(&self, asked: &UsageOverAsked, hour: Hour) -> Result<Value, Refused> {
        let period = period(asked, hour.now.date_naive())?;
        let (unit, server) = (asked.unit.as_deref(), asked.server.as_deref());
        if server.is_some() || asked.by == By::Server {
            let named = |name: &&String| server.is_none_or(|server| answers_to(name, server));
            let units = self.units_named(unit, server)?;
            let servers = units.iter().flat_map(|unit| &unit.servers).filter(named).count();
            let days = (period.last - period.first).num_days() + 1;
            if i64::try_from(servers).unwrap_or(i64::MAX).saturating_mul(days) > SERVER_DAYS_MAX {
                let why =
                    format!("{servers} servers over {days} days are too much at once; name a server or fewer days");
                return Err(Refused::new(2, why));
            }
        }
        self.of_each_unit(unit, server, |unit| self.usage_over_of(unit, asked, &period, hour))
    }

    fn usage_over_of(
        &self,
        unit: &Unit,
        asked: &UsageOverAsked,
        period: &Period,
        hour: Hour,
    ) -> Result<Value, Trouble> {
        let server = asked.server.as_deref();
        let days = if period.first <= period.last { self.days_over(unit, asked, period)? } else { Vec::new() };
        let series = usage_series::series(&days, (period.first, period.last), asked.step, GROUPS_MAX);
        let end = hour.now.min(midnight(period.last + Days::new(1)));
        let servers = servers_of(unit, server);
        let is_exact = asked.by == By::Server || (server.is_some() && servers.len() == 1);
        let is_ahead = hour.now.date_naive() < period.until;
        Ok(json!({
            "schema": "tidegauge.usage-over/1",
            "unit": unit.id,
            "servers": servers,
            "counted_in": self.unit_license(unit)?.map(|license| license.kind.measure()).unwrap_or_default(),
            "from": period.first,
            "until": period.until,
            "by": asked.by,
            "step": asked.step,
            "highest": series.highest(),
            "steps": series.steps,
            "groups": series.groups,
            "groups_left_out": series.groups_left_out,
            // A tenant of several types reaches at most this: each type has its own hour.
            "groups_are_sums_of_maxima": !is_exact,
            "at_end": self.stood_at(unit, asked, end)?,
            "forecast": is_ahead.then(|| self.forecast_days(unit, server, period.until, hour.now)).transpose()?,
        }))
    }

    /// The days with a sample: by the unit's aggregates, and what servers reached by their samples in short.
    fn days_over(&self, unit: &Unit, asked: &UsageOverAsked, period: &Period) -> Result<Vec<Day>, Trouble> {
        let (server, mut days) = (asked.server.as_deref(), BTreeMap::new());
        if server.is_none() {
            let key = |group: &Group| key_of(asked, None, group);
            let marks = self.store.days(&unit.id, period.first, period.last)?;
            days.extend(marks.iter().map(|mark| (mark.day, usage_series::day_of(mark, &key))));
        }
        if server.is_some() || asked.by == By::Server {
            for name in servers_of(unit, server) {
                let key = |group: &Group| key_of(asked, Some(name), group);
                for own in self.days_of_server(unit, name, period, &key)? {
                    match days.get_mut(&own.day) {
                        Some(day) => add(day, own, server),
                        None => {
                            days.insert(own.day, own);
                        }
                    }
                }
            }
        }
        Ok(days.into_values().collect())
    }

    fn days_of_server(
        &self,
        unit: &Unit,
        server: &str,
        period: &Period,
        key: &dyn Fn(&Group) -> Option<String>,
    ) -> Result<Vec<Day>, Trouble> {
        let span = midnight(period.first)..midnight(period.last + Days::new(1));
        let samples = self.store.summaries(server, span)?.into_iter();
        let of_unit = samples.filter(|(_, of, _)| of.as_ref() == Some(&unit.id)).map(|(at, _, summary)| (at, summary));
        Ok(usage_series::days_of(&of_unit.collect::<Vec<(Instant, Arc<Summary>)>>(), key))
    }

    /// What stood at an instant, the largest groups first: by samples in short where they can say it.
    fn stood_at(&self, unit: &Unit, asked: &UsageOverAsked, end: Instant) -> Result<Value, Trouble> {
        let once = asked.server.is_none() && unit.counts_once_at(end);
        let (as_of, groups) = if asked.by == By::Workload || once {
            self.stood_by_samples(unit, asked, end)?
        } else {
            self.stood_in_short(unit, asked, end)?
        };
        let mut total = GroupTotal::default();
        groups.iter().for_each(|(_, group)| total.add(*group));
        let mut groups: Vec<_> = groups;
        groups.sort_by(|(one_key, one), (key, other)| other.points.cmp(&one.points).then_with(|| one_key.cmp(key)));
        let shown = |((key, name), total): &(Key, GroupTotal)| {
            json!({
                "key": key, "name": name, "count": total.count, "points": total.points, "new_count": total.new_count,
                "new_points": total.new_points, "rental_count": total.rental_count,
            })
        };
        Ok(json!({
            "as_of": as_of,
            "count": total.count,
            "points": total.points,
            "new_points": total.new_points,
            "rental_count": total.rental_count,
            "groups": groups.iter().take(GROUPS_MAX).map(shown).collect::<Vec<Value>>(),
            "groups_left_out": groups.len().saturating_sub(GROUPS_MAX),
        }))
    }

    fn stood_in_short(&self, unit: &Unit, asked: &UsageOverAsked, end: Instant) -> Result<Stood, Trouble> {
        let (mut as_of, mut all, mut groups) = (None, Summary::default(), BTreeMap::new());
        let (oldest, mut sharing) = (end - self.policy().basis_max_age, Sharing::default());
        for name in servers_of(unit, asked.server.as_deref()) {
            let found = self.store.summaries(name, oldest..end + TimeDelta::nanoseconds(1))?.pop();
            let Some((at, _, summary)) = found.filter(|(_, of, _)| of.as_ref() == Some(&unit.id)) else { continue };
            as_of = as_of.max(Some(at));
            if asked.by == By::Server {
                take(&mut groups, instances::rounded_with(Summary::clone(&summary), &mut sharing), asked, Some(name));
            } else {
                all.add_all(&summary);
            }
        }
        take(&mut groups, instances::rounded_with(all, &mut sharing), asked, None);
        Ok((as_of, groups.into_iter().collect()))
    }

    fn stood_by_samples(&self, unit: &Unit, asked: &UsageOverAsked, end: Instant) -> Result<Stood, Trouble> {
        let server = asked.server.as_deref();
        let mut samples = self.samples_standing(unit, server, end)?;
        if server.is_none() && unit.counts_once_at(end) {
            count_once(&mut samples, None);
        }
        for found in samples.iter_mut().filter(|_| asked.tenant.is_some() || asked.kind.is_some()) {
            let passes = |tenant: &Option<String>, kind: &WorkloadType| is_wanted(asked, tenant.as_deref(), kind);
            let sample = Arc::make_mut(&mut found.sample);
            let pairs = sample.workloads.shared().cloned().zip(found.counted.iter().cloned());
            let kept = pairs.filter(|(workload, _)| passes(&workload.tenant, &workload.kind));
            let (workloads, counted): (Vec<Arc<Workload>>, Vec<Counted>) = kept.unzip();
            sample.workloads = workloads.into_iter().collect();
            sample.counts.retain(|count| passes(&count.tenant, &count.kind));
            found.counted = counted.into();
        }
        let as_of = samples.iter().map(|found| found.sample.taken_at).max();
        let groups = grouped(&samples, asked.by).into_iter().map(|(key, group)| (key, group.total));
        Ok((as_of, groups.collect()))
    }
}

/// The instant of the newest sample, and each group with its total.
type Stood = (Option<Instant>, Vec<(Key, GroupTotal)>);

/// # Errors
/// 2 for a period that is empty, too long or in a year that nobody reckons with.
fn period(asked: &UsageOverAsked, today: NaiveDate) -> Result<Period, Refused> {
    refuse_unreckoned([asked.from, asked.until])?;
    let until = asked.until.unwrap_or(today);
    let last = until.min(today);
    let first = asked.from.unwrap_or_else(|| last - Days::new(DAYS - 1));
    let days = until.signed_duration_since(first).num_days() + 1;
    if days < 1 {
        return Err(Refused::new(2, format!("{until} is before {first}; name the first day with from")));
    }
    if days > DAYS_MAX {
        return Err(Refused::new(
            2,
            format!("{first} to {until} are {days} days; at most {DAYS_MAX} are shown at once"),
        ));
    }
    Ok(Period { first, last, until })
}

fn servers_of<'a>(unit: &'a Unit, server: Option<&str>) -> Vec<&'a String> {
    unit.servers.iter().filter(|name| server.is_none_or(|server| answers_to(name, server))).collect()
}

fn is_wanted(asked: &UsageOverAsked, tenant: Option<&str>, kind: &WorkloadType) -> bool {
    asked.tenant.as_deref().is_none_or(|wanted| wanted == tenant_name(tenant))
        && asked.kind.as_ref().is_none_or(|wanted| wanted == kind)
}

/// What a group is shown under; `None`: it is not shown.
fn key_of(asked: &UsageOverAsked, server: Option<&String>, group: &Group) -> Option<String> {
    let (tenant, kind) = group;
    if !is_wanted(asked, tenant.as_deref(), kind) {
        return None;
    }
    match asked.by {
        By::Tenant => Some(tenant_name(tenant.as_deref())),
        By::Type => Some(kind.to_string()),
        By::Server => server.cloned(),
        // Aggregates name no workloads.
        By::Workload => None,
    }
}

/// One more server's day: its groups beside the others', and its mark when the servers are what was asked for.
fn add(day: &mut Day, own: Day, server: Option<&str>) {
    for (key, points) in own.groups {
        *day.groups.entry(key).or_default() += points;
    }
    if server.is_some() {
        day.mark.points += own.mark.points;
        day.mark.at = day.mark.at.max(own.mark.at);
    }
}

fn take(groups: &mut BTreeMap<Key, GroupTotal>, summary: Summary, asked: &UsageOverAsked, server: Option<&String>) {
    for (group, total) in &summary.groups {
        if let Some(key) = key_of(asked, server, group) {
            groups.entry((key, None)).or_default().add(*total);
        }
    }
}
