//! `tidegauge.usage-over/1` as the page shows it: figures, a chart with its table, and groups.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{GROUPINGS, STEPS, written};
use crate::agent::access::By;
use crate::agent::asked::{Step, UsageOverAsked};
use crate::console::frame::Visit;
use crate::console::shown::{Amount, When, encoded};
use crate::domain::license::Measure;
use crate::domain::watermark::HighWatermark;
use crate::domain::workload::WorkloadType;
use crate::domain::{Instant, Month, Points};
use crate::formats::line_chart::{GROUPS_MAX, LineChart, line_chart};

/// The answer, as far as it is shown.
#[derive(Deserialize)]
pub struct Over {
    pub from: NaiveDate,
    pub until: NaiveDate,
    servers: Vec<String>,
    counted_in: Measure,
    highest: Option<HighWatermark>,
    steps: Vec<Stretch>,
    groups: Vec<Series>,
    groups_left_out: usize,
    groups_are_sums_of_maxima: bool,
    at_end: AtEnd,
    forecast: Option<Ahead>,
}

#[derive(Deserialize)]
struct Stretch {
    from: NaiveDate,
    until: NaiveDate,
    points: Option<Points>,
}

#[derive(Deserialize)]
struct Series {
    key: String,
    highest: Points,
    maxima: Vec<Option<Points>>,
}

#[derive(Deserialize)]
struct AtEnd {
    as_of: Option<Instant>,
    count: u64,
    points: Points,
    new_points: Points,
    rental_count: u64,
    groups: Vec<Stood>,
    groups_left_out: usize,
}

/// What stood of a group at the end.
#[derive(Clone, Deserialize)]
pub struct Stood {
    key: String,
    name: Option<String>,
    pub count: u64,
    pub points: Points,
    pub new_count: u64,
    pub rental_count: u64,
}

#[derive(Deserialize)]
struct Ahead {
    days: Vec<DayAhead>,
    report_points: Points,
    points_on_first: Points,
    starting: Changes,
    aging_out: Changes,
}

#[derive(Deserialize)]
struct DayAhead {
    day: NaiveDate,
    points: Points,
}

/// Workloads that begin or end to count.
#[derive(Deserialize)]
pub struct Changes {
    pub count: u64,
    pub points: Points,
    first: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    name: Option<String>,
    server: String,
    tenant: Option<String>,
    #[serde(rename = "type")]
    kind: WorkloadType,
    count: u64,
    points: Points,
    at: Instant,
}

/// What the template lays out.
pub struct Period {
    pub servers: String,
    pub measure: &'static str,
    /// Of everything in the unit or server; not known of a part.
    pub highest: Option<(Amount, When)>,
    pub as_of: Option<When>,
    pub count: u64,
    pub points: Amount,
    /// Of workloads that are new this month and not counted yet.
    pub new_points: Option<Amount>,
    pub rental_count: u64,
    /// Inline SVG.
    pub chart: Option<String>,
    /// The groups of chart and table.
    pub drawn: Vec<String>,
    /// Whether chart and table have a line for all together.
    pub has_total: bool,
    /// Whether chart and table go on into the days ahead.
    pub has_ahead: bool,
    pub rows: Vec<Row>,
    pub groups: Vec<GroupRow>,
    pub groups_left_out: usize,
    pub grouped_by: &'static str,
    pub are_sums: bool,
    pub forecast: Option<Forecast>,
}

/// A step of the period, or a day ahead.
pub struct Row {
    pub label: String,
    pub is_ahead: bool,
    pub total: Option<Amount>,
    pub groups: Vec<Option<Amount>>,
}

/// A group with its highest maximum and what stood of it at the end.
pub struct GroupRow {
    pub name: String,
    /// Where it is looked at more closely.
    pub address: Option<String>,
    pub highest: Option<Amount>,
    pub at_end: Option<Stood>,
}

/// Until the next 1st.
pub struct Forecast {
    pub month: Month,
    pub report_points: Amount,
    pub points_on_first: Amount,
    pub starting: Vec<ChangeRow>,
    pub starting_sum: Changes,
    pub aging_out: Vec<ChangeRow>,
    pub aging_out_sum: Changes,
}

pub struct ChangeRow {
    pub what: String,
    pub of: String,
    pub points: Amount,
    pub at: When,
}

impl Changes {
    /// Whether not all are named.
    pub fn has_more(&self) -> bool {
        self.first.iter().map(|change| change.count).sum::<u64>() < self.count
    }
}

impl Period {
    pub fn of(visit: &Visit, asked: &UsageOverAsked, mut over: Over) -> Period {
        let has_total = asked.tenant.is_none() && asked.kind.is_none();
        let days = over.forecast.as_mut().map(|ahead| std::mem::take(&mut ahead.days));
        let days = days.filter(|_| has_total && asked.step == Step::Day).unwrap_or_default();
        let at_end = &over.at_end;
        Period {
            servers: over.servers.join(", "),
            measure: over.counted_in.as_str(),
            highest: over.highest.filter(|_| has_total).map(|mark| (Amount::of(mark.points), visit.when(mark.at))),
            as_of: at_end.as_of.map(|at| visit.when(at)),
            count: at_end.count,
            points: Amount::of(at_end.points),
            new_points: Some(at_end.new_points).filter(|points| !points.is_zero()).map(Amount::of),
            rental_count: at_end.rental_count,
            chart: over.steps.iter().any(|step| step.points.is_some()).then(|| chart(&over, &days, has_total)),
            drawn: over.groups.iter().take(GROUPS_MAX).map(|group| group.key.clone()).collect(),
            has_total,
            has_ahead: !days.is_empty(),
            rows: rows(&over, &days, has_total),
            groups: groups(asked, &over),
            groups_left_out: over.groups_left_out.max(at_end.groups_left_out),
            grouped_by: GROUPINGS.iter().find(|(by, _, _)| *by == asked.by).map_or("", |(_, _, name)| name),
            are_sums: over.groups_are_sums_of_maxima && !over.groups.is_empty(),
            forecast: over.forecast.map(|ahead| forecast(visit, ahead)),
        }
    }

    pub fn has_rental(&self) -> bool {
        self.rental_count > 0
    }
}

fn chart(over: &Over, days: &[DayAhead], has_total: bool) -> String {
    // Days and weeks by their first day; months are too long for that.
    let are_months = over.steps.iter().any(|step| 7 < (step.until - step.from).num_days());
    let label = |day: &NaiveDate| day.format(if are_months { "%Y-%m" } else { "%-d %b" }).to_string();
    let amounts = |points: &[Option<Points>]| points.iter().map(|points| points.map(Points::amount)).collect();
    let measured = over.steps.iter().map(|step| &step.from);
    line_chart(&LineChart {
        title: format!("Usage from {} to {}", over.from, over.until),
        labels: measured.chain(days.iter().map(|ahead| &ahead.day)).map(label).collect(),
        total: if has_total { over.steps.iter().map(|step| step.points.map(Points::amount)).collect() } else { vec![] },
        ahead: days.iter().map(|ahead| ahead.points.amount()).collect(),
        groups: over.groups.iter().take(GROUPS_MAX).map(|group| (group.key.clone(), amounts(&group.maxima))).collect(),
    })
}

fn rows(over: &Over, days: &[DayAhead], has_total: bool) -> Vec<Row> {
    let drawn = || over.groups.iter().take(GROUPS_MAX);
    let measured = over.steps.iter().enumerate().map(|(n, step)| Row {
        label: if step.from == step.until { step.from.to_string() } else { format!("{} to {}", step.from, step.until) },
        is_ahead: false,
        total: step.points.filter(|_| has_total).map(Amount::of),
        groups: drawn().map(|group| group.maxima.get(n).copied().flatten().map(Amount::of)).collect(),
    });
    let ahead = days.iter().map(|ahead| Row {
        label: ahead.day.to_string(),
        is_ahead: true,
        total: Some(Amount::of(ahead.points)),
        groups: drawn().map(|_| None).collect(),
    });
    measured.chain(ahead).collect()
}

/// The groups of the period in their order, then those that only its end knows.
fn groups(asked: &UsageOverAsked, over: &Over) -> Vec<GroupRow> {
    let mut ends: BTreeMap<&str, &Stood> = over.at_end.groups.iter().map(|stood| (stood.key.as_str(), stood)).collect();
    let row = |key: &str, highest: Option<Points>, stood: Option<&Stood>| GroupRow {
        name: stood.and_then(|stood| stood.name.clone()).unwrap_or_else(|| key.to_owned()),
        address: address(asked, over, key),
        highest: highest.map(Amount::of),
        at_end: stood.cloned(),
    };
    let mut rows: Vec<GroupRow> = Vec::new();
    for group in &over.groups {
        rows.push(row(&group.key, Some(group.highest), ends.remove(group.key.as_str())));
    }
    let by_id = asked.by == By::Workload;
    let only_at_end = over.at_end.groups.iter().filter(|stood| by_id || ends.contains_key(stood.key.as_str()));
    rows.extend(only_at_end.map(|stood| row(&stood.key, None, Some(stood))));
    rows
}

/// The same period of this group alone, by what it is made of.
fn address(asked: &UsageOverAsked, over: &Over, key: &str) -> Option<String> {
    let (field, by) = match asked.by {
        By::Type if asked.tenant.is_none() => ("type", By::Tenant),
        By::Type => ("type", By::Server),
        By::Tenant => ("tenant", By::Type),
        By::Server => ("server", By::Type),
        By::Workload => return None,
    };
    let kind = asked.kind.as_ref().map(ToString::to_string);
    let given = [("unit", &asked.unit), ("server", &asked.server), ("type", &kind), ("tenant", &asked.tenant)];
    let kept = given.into_iter().filter(|(name, _)| *name != field);
    let kept = kept.filter_map(|(name, value)| Some(format!("{name}={}&", encoded(value.as_ref()?))));
    let (by, step) = (written(&GROUPINGS, by), written(&STEPS, asked.step));
    let period = format!("from={}&until={}&by={by}&step={step}", over.from, over.until);
    Some(format!("/usage?{}{field}={}&{period}", kept.collect::<String>(), encoded(key)))
}

fn forecast(visit: &Visit, ahead: Ahead) -> Forecast {
    let changes = |changes: &Changes| {
        let row = |change: &Change| {
            let count = format!("{} {}", change.count, change.kind);
            ChangeRow {
                what: change.name.clone().unwrap_or(count),
                of: change.tenant.clone().unwrap_or_else(|| change.server.clone()),
                points: Amount::of(change.points),
                at: visit.when(change.at),
            }
        };
        changes.first.iter().map(row).collect()
    };
    Forecast {
        month: Month::of(visit.now),
        report_points: Amount::of(ahead.report_points),
        points_on_first: Amount::of(ahead.points_on_first),
        starting: changes(&ahead.starting),
        starting_sum: ahead.starting,
        aging_out: changes(&ahead.aging_out),
        aging_out_sum: ahead.aging_out,
    }
}
