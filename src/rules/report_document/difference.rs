//! Why the total differs from last month's, cause by cause and place by place.

use super::tables::{column, type_name, without};
use super::{number, text};
use crate::document::Align::{Left, Right};
use crate::document::{Block, Rows, Section, Table};
use crate::domain::month_difference::{DifferenceRow, MonthDifference};
use crate::domain::report::UsageReport;
use crate::rules::month_difference::{by_cause, cause_name, sentence};

/// The sentence, the causes, and where they were at work; absent in reports of earlier versions.
pub(super) fn difference(report: &UsageReport) -> Option<Section> {
    let difference = report.difference.as_ref()?;
    let mut blocks = vec![Block::Paragraph(sentence(report.month, difference))];
    if !difference.rows.is_empty() {
        blocks.push(Block::Table(causes(difference)));
        blocks.push(Block::Table(places(difference)));
    }
    Some(Section { heading: format!("Difference to {}", report.month.previous().name()), blocks })
}

fn causes(difference: &MonthDifference) -> Table {
    let columns = vec![
        column("cause", "Cause", Left, 60),
        column("workloads", "Workloads", Right, 18),
        column("points", "Points", Right, 22),
    ];
    let row = |row: &DifferenceRow| vec![text(cause_name(row.cause)), number(row.workloads), number(row.points)];
    let rows = by_cause(difference).iter().map(row).collect();
    let total = vec![text("Difference"), text(""), number(difference.points())];
    Table { name: "difference", columns, rows, totals: [total].into_iter().collect() }
}

/// A row for each cause, tenant, server and type; in the tenants' order.
fn places(difference: &MonthDifference) -> Table {
    let columns = vec![
        column("tenant", "Tenant", Left, 18),
        column("server", "Server", Left, 14),
        column("type", "Type", Left, 15),
        column("cause", "Cause", Left, 22),
        column("workloads", "Workloads", Right, 11),
        column("points", "Points", Right, 9),
        column("named", "Among them", Left, 26),
    ];
    let mut rows: Vec<&DifferenceRow> = difference.rows.iter().collect();
    rows.sort_by_key(|row| (&row.tenant, &row.server, &row.kind, row.cause));
    let any_tenant = rows.iter().any(|row| row.tenant.is_some());
    let cells = |row: &&DifferenceRow| {
        vec![
            text(row.tenant.as_deref().unwrap_or("(no tenant)")),
            text(row.server.as_deref().unwrap_or_default()),
            text(row.kind.as_ref().map_or("", type_name)),
            text(cause_name(row.cause)),
            number(row.workloads),
            number(row.points),
            text(row.named.join(", ")),
        ]
    };
    let rows = rows.iter().map(cells).collect();
    let mut table = Table { name: "difference_rows", columns, rows, totals: Rows::default() };
    if !any_tenant {
        without(&mut table, "tenant");
    }
    table
}
