//! The month day by day: its high watermarks against what is reported.

use rust_decimal::Decimal;

use super::tables::column;
use super::{minute, number, text};
use crate::document::Align::{Left, Right};
use crate::document::{Block, Cell, Chart, ChartPoint, Rows, Section, Table};
use crate::domain::Points;
use crate::domain::report::UsageReport;

/// The curve; absent when the report covers no day.
pub(super) fn chart(report: &UsageReport) -> Option<Section> {
    report.daily.first()?;
    let points = report.daily.iter().map(|day| ChartPoint {
        label: day.day.format("%-d").to_string(),
        mark: day.points.map(Points::amount),
        reported: None,
    });
    let chart = Chart {
        title: format!("Daily high watermarks in {}", report.month.name()),
        mark_name: "Daily high watermark".to_owned(),
        reported_name: "Reported".to_owned(),
        points: points.collect(),
        level: Some(report.total_points.amount()).filter(|level: &Decimal| !level.is_zero()),
    };
    Some(Section { heading: "Daily high watermarks".to_owned(), blocks: vec![Block::Chart(chart)] })
}

/// A row a day.
pub(super) fn days(report: &UsageReport) -> Section {
    Section { heading: "Days of the month".to_owned(), blocks: vec![Block::Table(table(report))] }
}

fn table(report: &UsageReport) -> Table {
    let columns = vec![
        column("day", "Day", Left, 24),
        column("points", "Points", Right, 20),
        column("at", "First stood at (GMT)", Left, 32),
        column("complete", "Samples", Right, 12),
        column("expected", "Expected", Right, 12),
    ];
    let rows = report.daily.iter().map(|day| {
        vec![
            Cell::Date(day.day.format("%Y-%m-%d %a").to_string()),
            day.points.map_or_else(|| text("no sample"), number),
            minute(day.at),
            number(day.complete),
            number(day.expected),
        ]
    });
    Table { name: "daily", columns, rows: rows.collect(), totals: Rows::default() }
}
