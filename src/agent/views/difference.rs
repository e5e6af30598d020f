//! Why a report differs from last month's, as people look at it.

use serde_json::{Value, json};

use crate::agent::{Agent, Trouble};
use crate::domain::Points;
use crate::domain::installation::Unit;
use crate::domain::month_difference::{DifferenceRow, MonthDifference, SCHEMA};
use crate::domain::report::UsageReport;
use crate::rules::month_difference::{by_cause, by_tenant, cause_name, sentence};

impl Agent {
    /// `tidegauge.month-difference/1`: as it is kept in the report; a report of an earlier version is compared afresh.
    pub(super) fn difference_shown(&self, unit: &Unit, report: &UsageReport) -> Result<Value, Trouble> {
        let afresh = || self.difference_of(unit, report);
        let difference = report.difference.clone().map_or_else(afresh, Ok)?;
        let stands = self.newest_report(&unit.id, report.month.previous())?;
        let stands = stands.filter(|now| {
            let told = difference.previous.as_ref();
            told.is_none_or(|told| (told.revision, told.total_points) != (now.revision, now.total_points))
        });
        Ok(json!({
            "schema": SCHEMA,
            "unit": unit.id,
            "month": report.month,
            "revision": report.revision,
            "previous": difference.previous,
            "previous_now": stands.map(|now| json!({"revision": now.revision, "total_points": now.total_points})),
            "total_points": report.total_points,
            "points": difference.previous.as_ref().map(|_| difference.points()),
            "in_words": sentence(report.month, &difference),
            "by_cause": by_cause(&difference).iter().map(cause_shown).collect::<Vec<Value>>(),
            "by_tenant": tenants_shown(&difference),
            "rows": difference.rows,
        }))
    }
}

fn cause_shown(row: &DifferenceRow) -> Value {
    json!({
        "cause": row.cause, "in_words": cause_name(row.cause), "workloads": row.workloads, "points": row.points,
    })
}

fn tenants_shown(difference: &MonthDifference) -> Vec<Value> {
    let rows = by_tenant(difference);
    let tenants = rows.chunk_by(|one, other| one.tenant == other.tenant);
    let shown = |rows: &[DifferenceRow]| {
        json!({
            "tenant": rows.first().and_then(|row| row.tenant.as_ref()),
            "points": rows.iter().map(|row| row.points).sum::<Points>(),
            "causes": rows.iter().map(cause_shown).collect::<Vec<Value>>(),
        })
    };
    tenants.map(shown).collect()
}
