//! A report's workloads, page by page.

use serde::Serialize;
use serde_json::{Value, json};

use crate::agent::asked::WorkloadsAsked;
use crate::agent::orders::Target;
use crate::agent::{Agent, Hour, Refused};
use crate::domain::report::ReportedWorkload;
use crate::rules::review;
use crate::rules::workload_table::{Direction, Wanted};

/// Rows of a page when nobody says how many, and at most.
const ROWS: u32 = 50;
const ROWS_MAX: u32 = 1000;

/// A workload, and whether a person may take it out while the report is open.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    workload: &'a ReportedWorkload,
    can_be_removed: bool,
}

impl Agent {
    /// `tidegauge.workloads/1`.
    pub(in crate::agent) fn workloads(&self, asked: &WorkloadsAsked, hour: Hour) -> Result<Value, Refused> {
        let target = Target { unit: asked.unit.clone(), server: asked.server.clone(), month: asked.month };
        let looked = self.looked_at(&target, asked.revision, hour.now)?;
        let (after, limit) = (asked.after.unwrap_or(0), asked.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX));
        let page = looked.table.page(&Wanted {
            search: asked.search.as_deref(),
            tenant: asked.tenant.as_deref(),
            kind: asked.kind.as_ref(),
            server: asked.machine_server.as_deref(),
            reason: asked.reason,
            counted: asked.counted,
            sort: asked.sort,
            direction: if asked.descending { Direction::Descending } else { Direction::Ascending },
            after: after as usize,
            limit: limit as usize,
        });
        let report = looked.table.report();
        let row = |workload| Row { workload, can_be_removed: review::is_removable(report, workload) };
        let rows: Vec<Row<'_>> = page.rows.iter().map(|workload| row(*workload)).collect();
        let next = after as usize + page.rows.len();
        Ok(json!({
            "schema": "tidegauge.workloads/1",
            "unit": looked.unit.id,
            "month": looked.head.month,
            "revision": looked.head.revision,
            "digest": looked.head.digest,
            "all": looked.table.report().workloads.len(),
            "matches": page.matches,
            "points": page.points,
            "after": after,
            "next": (next < page.matches).then_some(next),
            "workloads": rows,
        }))
    }
}
