//! A report's workloads as a table that is searched, filtered and sorted: a page of it is cheap however long it is.
//!
//! What is sorted and searched is made once for each way of sorting and kept beside the report.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::domain::Points;
use crate::domain::report::{Reason, ReportedWorkload, UsageReport};
use crate::domain::workload::WorkloadType;

/// How workloads without a tenant are asked for.
pub const NO_TENANT: &str = "(none)";

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    #[default]
    Name,
    Points,
    Tenant,
    Type,
    Server,
    LastRestorePoint,
}

/// Every way to sort.
pub const SORTS: [SortBy; 6] =
    [SortBy::Name, SortBy::Points, SortBy::Tenant, SortBy::Type, SortBy::Server, SortBy::LastRestorePoint];

/// Which way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// Which rows are wanted; what is `None` lets all pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// A part of name, id, server, job or tenant, in capitals or not.
    pub search: Option<&'a str>,
    /// A tenant's name; [`NO_TENANT`] for those without.
    pub tenant: Option<&'a str>,
    pub kind: Option<&'a WorkloadType>,
    pub server: Option<&'a str>,
    pub reason: Option<Reason>,
    pub counted: Option<bool>,
    pub sort: SortBy,
    pub direction: Direction,
    /// Rows before the first one that is given.
    pub after: usize,
    /// Most rows that are given.
    pub limit: usize,
}

/// Some rows, and what all that match come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    pub rows: Vec<&'a ReportedWorkload>,
    pub matches: usize,
    /// Points of all that match.
    pub points: Points,
}

/// The table of one report.
#[derive(Debug)]
pub struct WorkloadTable {
    report: UsageReport,
    /// What is searched of each workload, in small letters.
    searched: OnceLock<Vec<Box<str>>>,
    sorted: [OnceLock<Vec<u32>>; SORTS.len()],
    on_several_servers: OnceLock<usize>,
}

impl WorkloadTable {
    pub fn of(report: UsageReport) -> WorkloadTable {
        WorkloadTable {
            report,
            searched: OnceLock::new(),
            sorted: std::array::from_fn(|_| OnceLock::new()),
            on_several_servers: OnceLock::new(),
        }
    }

    pub fn report(&self) -> &UsageReport {
        &self.report
    }

    /// The rows that are wanted.
    pub fn page(&self, wanted: &Wanted<'_>) -> Page<'_> {
        let search = wanted.search.map(str::to_lowercase).filter(|search| !search.is_empty());
        let mut page = Page { rows: Vec::new(), matches: 0, points: Points::ZERO };
        let order = self.order(wanted.sort);
        let in_order: Box<dyn Iterator<Item = &u32>> = match wanted.direction {
            Direction::Ascending => Box::new(order.iter()),
            Direction::Descending => Box::new(order.iter().rev()),
        };
        for at in in_order.map(|at| *at as usize) {
            let workload = &self.report.workloads[at];
            let is_found = search.as_ref().is_none_or(|search| self.searched()[at].contains(search.as_str()));
            if !passes(workload, wanted) || !is_found {
                continue;
            }
            if wanted.after <= page.matches && page.rows.len() < wanted.limit {
                page.rows.push(workload);
            }
            page.matches += 1;
            page.points += workload.points;
        }
        page
    }

    /// How many machines count on more than one server of the unit.
    pub fn counted_on_several_servers(&self) -> usize {
        *self.on_several_servers.get_or_init(|| {
            let mut servers: BTreeMap<&str, usize> = BTreeMap::new();
            for workload in self.report.workloads.iter().filter(|workload| workload.counted) {
                *servers.entry(&workload.id).or_default() += 1;
            }
            servers.values().filter(|servers| **servers > 1).count()
        })
    }

    /// How many ways of sorting are kept.
    pub fn sorts_made(&self) -> usize {
        self.sorted.iter().filter(|sorted| sorted.get().is_some()).count()
    }

    fn searched(&self) -> &[Box<str>] {
        self.searched.get_or_init(|| self.report.workloads.iter().map(searched).collect())
    }

    fn order(&self, by: SortBy) -> &[u32] {
        self.sorted[by as usize].get_or_init(|| {
            let workloads = &self.report.workloads;
            let mut order: Vec<u32> = (0..).zip(workloads).map(|(at, _)| at).collect();
            let names: Vec<String> = workloads.iter().map(|workload| workload.name.to_lowercase()).collect();
            let place = |at: usize| (&names[at], &workloads[at].server, &workloads[at].id);
            order.sort_unstable_by(|one, other| {
                let (one, other) = (*one as usize, *other as usize);
                compare(by, &workloads[one], &workloads[other]).then_with(|| place(one).cmp(&place(other)))
            });
            order
        })
    }
}

/// What tells rows apart before their names do.
fn compare(by: SortBy, one: &ReportedWorkload, other: &ReportedWorkload) -> Ordering {
    match by {
        SortBy::Name => Ordering::Equal,
        SortBy::Points => one.points.cmp(&other.points),
        SortBy::Tenant => one.tenant.cmp(&other.tenant),
        SortBy::Type => one.kind.as_str().cmp(other.kind.as_str()),
        SortBy::Server => one.server.cmp(&other.server),
        SortBy::LastRestorePoint => one.last_restore_point_at.cmp(&other.last_restore_point_at),
    }
}

fn passes(workload: &ReportedWorkload, wanted: &Wanted<'_>) -> bool {
    wanted.tenant.is_none_or(|tenant| workload.tenant.as_deref().unwrap_or(NO_TENANT) == tenant)
        && wanted.kind.is_none_or(|kind| workload.kind == *kind)
        && wanted.server.is_none_or(|server| workload.server == server)
        && wanted.reason.is_none_or(|reason| workload.reason == reason)
        && wanted.counted.is_none_or(|counted| workload.counted == counted)
}

/// Parts are divided, so that nothing is found across two of them.
fn searched(workload: &ReportedWorkload) -> Box<str> {
    let ReportedWorkload { name, id, server, job, tenant, .. } = workload;
    let parts = [Some(name), Some(id), Some(server), job.as_ref(), tenant.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| part.to_lowercase()).collect();
    parts.join("\n").into_boxed_str()
}
