//! The machines of Cloud Connect tenants, as a person adjusts them.

use super::tables::{column, type_name};
use super::{number, text};
use crate::document::Align::{Left, Right};
use crate::document::{Block, Rows, Section, Table};
use crate::domain::report::UsageReport;
use crate::rules::adjust_grid::adjust_grid;

/// Tenant, type, count and note, with what is not counted beside it; absent where no tenant is named.
pub(super) fn grid(report: &UsageReport) -> Option<Section> {
    let grid = adjust_grid(report);
    grid.iter().find(|row| row.tenant.is_some())?;
    let columns = vec![
        column("tenant", "Tenant", Left, 28),
        column("type", "Type", Left, 26),
        column("count", "Count", Right, 10),
        column("new_count", "New", Right, 8),
        column("rental_count", "Rental", Right, 10),
        column("note", "Note", Left, 30),
    ];
    let rows = grid.iter().map(|row| {
        vec![
            text(row.tenant.as_deref().unwrap_or("(no tenant)")),
            text(type_name(&row.kind)),
            number(row.count),
            number(row.new_count),
            number(row.rental_count),
            text(row.note.as_deref().unwrap_or_default()),
        ]
    });
    let table = Table { name: "cloud_connect", columns, rows: rows.collect(), totals: Rows::default() };
    Some(Section { heading: "Machines of tenants".to_owned(), blocks: vec![Block::Table(table)] })
}
