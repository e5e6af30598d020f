//! Where a report's numbers come from: each server's coverage and policy, the weights, the types nobody knows.

use super::{minute, number, text};
use crate::document::Align::{Left, Right};
use crate::document::{Block, Rows, Section, Table};
use crate::domain::report::{CountedBy, ServerCoverage, UsageReport};

use super::tables::column;

/// A row a server; absent in reports of earlier versions.
pub(super) fn coverage(report: &UsageReport) -> Option<Section> {
    report.provenance.servers.first()?;
    let columns = vec![
        column("server", "Server", Left, 22),
        column("complete", "Samples", Right, 11),
        column("expected", "Expected", Right, 11),
        column("month_end", "At the month's end", Left, 20),
        column("counted_by", "Counted by", Left, 16),
        column("sample_at", "Sample of (GMT)", Left, 20),
    ];
    let row = |server: &ServerCoverage| {
        vec![
            text(&server.server),
            number(server.complete),
            number(server.expected),
            text(&server.month_end),
            text(counted_by(server.counted_by)),
            minute(server.sample_at),
        ]
    };
    let rows = report.provenance.servers.iter().map(row).collect();
    let table = Table { name: "coverage", columns, rows, totals: Rows::default() };
    Some(Section { heading: "Coverage by server".to_owned(), blocks: vec![Block::Table(table)] })
}

fn counted_by(by: CountedBy) -> &'static str {
    match by {
        CountedBy::Fresh => "a fresh sample",
        CountedBy::Carried => "an old sample",
        CountedBy::Excluded => "not counted",
        CountedBy::Nothing => "no sample",
    }
}

/// Each weight and who names it; absent in reports of earlier versions.
pub(super) fn weights(report: &UsageReport) -> Option<Section> {
    report.provenance.weights.first()?;
    let columns = vec![
        column("type", "Type", Left, 26),
        column("weight", "Multiplier", Right, 12),
        column("weight_from", "Named by", Left, 62),
    ];
    let rows = report.provenance.weights.iter();
    let rows = rows.map(|note| vec![text(note.kind.as_str()), number(note.weight), text(&note.from)]).collect();
    let table = Table { name: "weights", columns, rows, totals: Rows::default() };
    Some(Section { heading: "Where multipliers come from".to_owned(), blocks: vec![Block::Table(table)] })
}

/// Types that nobody knows here.
pub(super) fn provisional(report: &UsageReport) -> Vec<String> {
    let line = |unknown: &crate::domain::report::ProvisionalType| {
        format!(
            "Provisional: {} of type {} on {}, a type that is not known here, are counted with what the server says; map \
             it in the settings.",
            unknown.count, unknown.kind, unknown.server
        )
    };
    report.provenance.provisional.iter().map(line).collect()
}
