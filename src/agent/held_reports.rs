//! The reports that were looked at last, decoded: a page that shows 50 rows of 100,000 does not read them all again.
//!
//! A workload takes about half a kilobyte here. At most [`HELD_MAX`] reports of together [`WORKLOADS_MAX`] workloads are
//! held, and each only while somebody asks for it.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::agent::Trouble;
use crate::domain::installation::Unit;
use crate::domain::report::{Line, UsageReport};
use crate::domain::{Instant, Month};
use crate::rules::workload_table::WorkloadTable;
use crate::store::fact::key;

use super::orders::Target;
use super::{Agent, Refused};

/// Most reports that are held.
const HELD_MAX: usize = 2;
/// Most workloads of all that is held; the newest report is held whatever its size.
const WORKLOADS_MAX: usize = 250_000;
/// What nobody asked for in so long is let go of.
const HELD_FOR: TimeDelta = TimeDelta::minutes(10);

/// Reports by how they stand; the one asked for last is last.
#[derive(Default)]
pub(super) struct HeldReports {
    held: Vec<Held>,
    /// How many were read from the store since the start.
    read: u64,
}

struct Held {
    /// The report without its tables: it is the same only while this is, which tells every change.
    head: UsageReport,
    table: Arc<WorkloadTable>,
    asked_at: Instant,
}

/// A report that somebody looks at.
pub(in crate::agent) struct Looked {
    pub unit: Unit,
    /// Without its tables.
    pub head: UsageReport,
    pub table: Arc<WorkloadTable>,
}

impl HeldReports {
    fn find(&mut self, head: &UsageReport, now: Instant) -> Option<Arc<WorkloadTable>> {
        let at = self.held.iter().position(|held| held.head == *head)?;
        let mut held = self.held.remove(at);
        held.asked_at = now;
        let table = Arc::clone(&held.table);
        self.held.push(held);
        Some(table)
    }

    fn hold(&mut self, head: UsageReport, table: Arc<WorkloadTable>, now: Instant) {
        self.read += 1;
        self.held.retain(|held| held.head.id != head.id);
        self.held.push(Held { head, table, asked_at: now });
        let workloads = |held: &[Held]| held.iter().map(|held| held.table.report().workloads.len()).sum::<usize>();
        while self.held.len() > HELD_MAX || (self.held.len() > 1 && workloads(&self.held) > WORKLOADS_MAX) {
            self.held.remove(0);
        }
    }

    /// Lets go of what nobody asks for any more; a clock that was turned back lets go too.
    pub fn let_go(&mut self, now: Instant) {
        self.held.retain(|held| (held.asked_at..held.asked_at + HELD_FOR).contains(&now));
    }
}

impl Agent {
    /// How many reports are held decoded, and how many were read from the store for it since the start.
    pub fn reports_held(&self) -> (usize, u64) {
        let held = self.held.borrow();
        (held.held.len(), held.read)
    }

    /// The report without its tables, as it stands.
    pub(super) fn head_of(&self, unit: &str, month: Month, revision: u32) -> Result<Option<UsageReport>, Trouble> {
        let head = self.store.row::<UsageReport>(&key::report("head", unit, month, revision))?;
        head.map(|head| self.as_it_stands(head)).transpose()
    }

    /// The newest revision of a month's report without its tables, as it stands.
    pub(super) fn newest_head(&self, unit: &str, month: Month) -> Result<Option<UsageReport>, Trouble> {
        let keys = self.store.keys(&format!("head/{unit}/{month}/"))?;
        let Some(newest) = keys.last() else { return Ok(None) };
        self.store.row::<UsageReport>(newest)?.map(|head| self.as_it_stands(head)).transpose()
    }

    /// The report with its lines, from its head: what amounts come from.
    pub(super) fn with_lines(&self, head: UsageReport) -> Result<UsageReport, Trouble> {
        let lines: Option<Vec<Line>> = self.store.row(&key::report("lines", &head.unit, head.month, head.revision))?;
        let missing = || Trouble::Odd(format!("the lines of the report of {} are missing; `store verify`", head.month));
        Ok(UsageReport { lines: lines.ok_or_else(missing)?, ..head })
    }

    /// The month's revisions without their tables, oldest first.
    pub(super) fn heads_of(&self, unit: &str, month: Month) -> Result<Vec<UsageReport>, Trouble> {
        let heads = self.store.rows::<UsageReport>(&format!("head/{unit}/{month}/"))?;
        heads.into_iter().map(|(_, head)| self.as_it_stands(head)).collect()
    }

    /// The table of the report with this head, which is read once.
    pub(super) fn table_of(&self, head: &UsageReport, now: Instant) -> Result<Option<Arc<WorkloadTable>>, Trouble> {
        if let Some(table) = self.held.borrow_mut().find(head, now) {
            return Ok(Some(table));
        }
        let Some(report) = self.report_revision(&head.unit, head.month, head.revision)? else { return Ok(None) };
        let table = Arc::new(WorkloadTable::of(report));
        self.held.borrow_mut().hold(head.clone(), Arc::clone(&table), now);
        Ok(Some(table))
    }

    /// The one report that somebody looks at: of the newest month, in its newest revision, unless they are named.
    pub(super) fn looked_at(&self, target: &Target, revision: Option<u32>, now: Instant) -> Result<Looked, Refused> {
        let unit = self.one_unit(target.unit.as_deref(), target.server.as_deref())?;
        let (month, newest) = self.month_looked_at(&unit, target.month)?;
        let revision = revision.unwrap_or(newest);
        let head = self.head_of(&unit.id, month, revision)?;
        let table = head.as_ref().map(|head| self.table_of(head, now)).transpose()?.flatten();
        match (head, table) {
            (Some(head), Some(table)) => Ok(Looked { unit, head, table }),
            _ => Err(Refused::new(66, format!("the report of {month} has no revision {revision}"))),
        }
    }

    /// The month, else the newest with a report, and its newest revision.
    pub(super) fn month_looked_at(&self, unit: &Unit, month: Option<Month>) -> Result<(Month, u32), Refused> {
        let months = self.report_months(&unit.id)?;
        match month {
            Some(month) => {
                let found = months.into_iter().find(|(known, _)| *known == month);
                found.ok_or_else(|| Refused::new(66, format!("there is no report of {month}")))
            }
            None => months
                .last()
                .copied()
                .ok_or_else(|| Refused::new(66, "there is no report yet; it is built at 00:00 GMT on the 1st")),
        }
    }
}
