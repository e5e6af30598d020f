//! The first page: at most six figures, one sentence, and what must not be overlooked.

use crate::document::{Block, Figure, Section};
use crate::domain::calendar::minute_text;
use crate::domain::gate::Verdict;
use crate::domain::license::Measure;
use crate::domain::month_difference::Outlook;
use crate::domain::report::UsageReport;
use crate::rules::month_difference::{sentence, signed};

/// Figures stand in rows of so many.
const FIGURES_A_ROW: usize = 3;

pub(super) fn cover(report: &UsageReport, warnings: Vec<String>) -> Section {
    let mut figures = vec![total(report)];
    figures.extend(difference(report));
    figures.extend(report.outlook.as_ref().map(|outlook| renewal(report, outlook)));
    figures.extend(report.outlook.as_ref().map(review));
    figures.push(coverage(report));
    figures.push(mark(report));
    let mut blocks: Vec<Block> = figures.chunks(FIGURES_A_ROW).map(|row| Block::Figures(row.to_vec())).collect();
    if let Some(difference) = &report.difference {
        blocks.push(Block::Paragraph(sentence(report.month, difference)));
    }
    blocks.push(Block::Paragraph(workloads(report)));
    blocks.extend(warnings.into_iter().map(Block::Warning));
    Section { heading: String::new(), blocks }
}

fn figure(name: &str, value: impl ToString, remark: String) -> Figure {
    Figure { name: name.to_owned(), value: value.to_string(), remark }
}

fn total(report: &UsageReport) -> Figure {
    let name = match report.license.kind.measure() {
        Measure::Points => "Points reported",
        Measure::Instances => "Instances in use",
    };
    let remark = if report.total_points == report.total_points_rounded {
        "exact, nothing was rounded".to_owned()
    } else {
        format!("rounded up from {}", report.total_points)
    };
    figure(name, report.total_points_rounded, remark)
}

fn difference(report: &UsageReport) -> Option<Figure> {
    let difference = report.difference.as_ref()?;
    let name = format!("Since {}", report.month.previous().name());
    Some(match &difference.previous {
        Some(previous) => figure(&name, signed(difference.points()), format!("from {}", previous.total_points)),
        None => figure(&name, "unknown", "no report to compare with".to_owned()),
    })
}

fn renewal(report: &UsageReport, outlook: &Outlook) -> Figure {
    let Outlook { shortfall, tolerance, .. } = outlook;
    let remark = if outlook.highest_watermark.is_none() {
        "no complete sample to judge by".to_owned()
    } else if shortfall.is_zero() {
        "not below the high watermark".to_owned()
    } else if tolerance < shortfall && report.justification.is_some() {
        format!("{shortfall} below the mark, justified")
    } else {
        format!("{shortfall} below the mark, {tolerance} tolerated")
    };
    let value = match outlook.verdict {
        Verdict::Open => "open",
        Verdict::Held => "held",
        Verdict::Undetermined => "unknown",
    };
    figure("License renewal", value, remark)
}

fn review(outlook: &Outlook) -> Figure {
    let remark = match outlook.sends_itself_at {
        Some(at) => format!("sent by itself {} GMT", minute_text(at)),
        None => format!("{} GMT; nothing is sent by itself", outlook.review_until),
    };
    figure("Review until", outlook.review_until.format("%-d %b"), remark)
}

/// Samples in percent, rounded down to one decimal, so that only complete coverage is 100 %.
fn coverage(report: &UsageReport) -> Figure {
    let (complete, expected) = (u64::from(report.coverage.complete), u64::from(report.coverage.expected));
    let name = "Coverage";
    match (complete * 1000).checked_div(expected) {
        Some(thousandths) => {
            let (whole, tenth) = (thousandths / 10, thousandths % 10);
            let value = if tenth == 0 { format!("{whole} %") } else { format!("{whole}.{tenth} %") };
            figure(name, value, format!("{complete} of {expected} samples"))
        }
        None => figure(name, "unknown", "no sample was expected".to_owned()),
    }
}

fn mark(report: &UsageReport) -> Figure {
    let highest = report.daily.iter().filter_map(|day| day.points.map(|points| (points, day.at)));
    // The first of several equal marks is the one that stood first.
    let highest = highest.reduce(|best, day| if day.0 > best.0 { day } else { best });
    let name = "High watermark of the month";
    match highest {
        Some((points, at)) => {
            let remark = at.map_or_else(String::new, |at| format!("first stood {} GMT", minute_text(at)));
            figure(name, points, remark)
        }
        None => figure(name, "unknown", "no complete sample".to_owned()),
    }
}

fn workloads(report: &UsageReport) -> String {
    let counted = report.lines.iter().map(|line| line.reported_count).sum::<u64>();
    let fresh = report.lines.iter().map(|line| line.new_count).sum::<u64>();
    let rental = report.lines.iter().map(|line| line.rental_count).sum::<u64>();
    format!("Workloads counted: {counted}. Listed and not charged: {fresh} new, {rental} rental machines.")
}
