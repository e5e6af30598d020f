//! A report's sums by type, tenant and server, each beside what changed since last month.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::Points;
use crate::domain::month_difference::DifferenceRow;
use crate::domain::report::{Line, UsageReport};

/// What a group's lines come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// `None`: lines without a tenant, or what the difference cannot say the type or server of.
    pub key: Option<String>,
    /// After adjustments.
    pub count: u64,
    /// As generated.
    pub initial_count: u64,
    pub new_count: u64,
    pub rental_count: u64,
    pub points: Points,
    /// Points more or less than last month; `None`: there is nothing to compare with.
    pub difference: Option<Points>,
}

/// The sums of one report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub by_type: Vec<Total>,
    pub by_tenant: Vec<Total>,
    pub by_server: Vec<Total>,
}

/// The sums, in the order of their keys; a group that was there last month only has a difference alone.
pub fn totals(report: &UsageReport) -> Totals {
    Totals {
        by_type: grouped(report, |line| Some(line.kind.as_str()), |row| row.kind.as_ref().map(|kind| kind.as_str())),
        by_tenant: grouped(report, |line| line.tenant.as_deref(), |row| row.tenant.as_deref()),
        by_server: grouped(report, |line| Some(&line.server), |row| row.server.as_deref()),
    }
}

fn grouped<'a>(
    report: &'a UsageReport,
    of_line: impl Fn(&'a Line) -> Option<&'a str>,
    of_row: impl Fn(&'a DifferenceRow) -> Option<&'a str>,
) -> Vec<Total> {
    let compared = report.difference.as_ref().filter(|difference| difference.previous.is_some());
    let unchanged = compared.map(|_| Points::ZERO);
    let mut totals: BTreeMap<Option<&str>, Total> = BTreeMap::new();
    let empty = |key: Option<&str>| Total { key: key.map(str::to_owned), difference: unchanged, ..Total::default() };
    for line in &report.lines {
        let key = of_line(line);
        let total = totals.entry(key).or_insert_with(|| empty(key));
        total.count += line.reported_count;
        total.initial_count += line.initial_count;
        total.new_count += line.new_count;
        total.rental_count += line.rental_count;
        total.points += line.points;
    }
    for row in compared.iter().flat_map(|difference| &difference.rows) {
        let key = of_row(row);
        let total = totals.entry(key).or_insert_with(|| empty(key));
        total.difference = total.difference.map(|points| points + row.points);
    }
    totals
        .into_values()
        .filter(|total| *total != Total { key: total.key.clone(), difference: unchanged, ..Total::default() })
        .collect()
}
