//! Usage of a period as lines: what all reached together, what each group reached by itself, and the days ahead.

use plotters::prelude::{
    Circle, Color, Cross, DashedLineSeries, EmptyElement, LineSeries, RGBColor, Rectangle, TriangleMarker,
};
use rust_decimal::Decimal;

use super::charts::{Area, Drawn, MARK, Plot, length, picture, plot, runs};

/// Most groups that are told apart: each has a colour and a sign of its own, in this order filled circle, triangle,
/// cross, ring and square.
pub const GROUPS_MAX: usize = 5;
const HUES: [RGBColor; GROUPS_MAX] = [
    RGBColor(178, 80, 0),
    RGBColor(107, 79, 168),
    RGBColor(31, 122, 77),
    RGBColor(176, 58, 122),
    RGBColor(76, 106, 146),
];
/// Signs on a line, about.
const SIGNS: usize = 12;

/// Lines over the same places, at equal distances; `None` is a gap, never zero.
#[derive(Clone, Debug, Default)]
pub struct LineChart {
    pub title: String,
    /// In order of time: of each measured place, then of each one ahead.
    pub labels: Vec<String>,
    /// What all reached together; empty when it is not to be drawn.
    pub total: Vec<Option<Decimal>>,
    /// What is expected, after the last measured place.
    pub ahead: Vec<Decimal>,
    /// Names and amounts; more than [`GROUPS_MAX`] are left out.
    pub groups: Vec<(String, Vec<Option<Decimal>>)>,
}

/// Draws the groups below the total, and what is ahead dashed. The key is the page's to write.
///
/// As [`super::charts::watermark_chart`] it speaks to those who hear the page, and is the same for the same chart.
pub fn line_chart(chart: &LineChart) -> String {
    picture(&chart.title, &described(chart), |area| draw(area, chart))
}

fn draw<'b>(area: &Area<'b>, chart: &LineChart) -> Drawn<'b> {
    let shown = chart.groups.iter().take(GROUPS_MAX).map(|(_, amounts)| amounts);
    let lines = shown.clone().chain([&chart.total]).flatten().copied().flatten();
    let labels: Vec<&str> = chart.labels.iter().map(String::as_str).collect();
    let mut context = plot(area, &labels, lines.chain(chart.ahead.iter().copied()).max().unwrap_or_default())?;
    let every = (labels.len() / SIGNS).max(1);
    for (n, amounts) in shown.enumerate() {
        for run in runs(amounts.iter().copied()) {
            signs(&mut context, n, run.iter().copied().step_by(every))?;
            context.draw_series(LineSeries::new(run, HUES[n].stroke_width(2)))?;
        }
    }
    for run in runs(chart.total.iter().copied()) {
        context.draw_series(run.iter().step_by(every).map(|at| Circle::new(*at, 2, MARK.filled())))?;
        context.draw_series(LineSeries::new(run, MARK.stroke_width(3)))?;
    }
    let first = labels.len().saturating_sub(chart.ahead.len());
    let last = chart.total.last().copied().flatten().map(|amount| (first as f64 - 1.0, length(amount)));
    let ahead = chart.ahead.iter().enumerate().map(|(n, amount)| ((first + n) as f64, length(*amount)));
    let ahead = last.filter(|_| !chart.ahead.is_empty()).into_iter().chain(ahead).collect::<Vec<_>>();
    context.draw_series(DashedLineSeries::new(ahead, 5, 4, MARK.stroke_width(2)))?;
    Ok(())
}

/// Marks the n-th group's line.
fn signs<'b>(context: &mut Plot<'_, 'b>, n: usize, places: impl Iterator<Item = (f64, f64)>) -> Drawn<'b> {
    let (full, line) = (HUES[n].filled(), HUES[n].stroke_width(2));
    let square = |at| EmptyElement::at(at) + Rectangle::new([(-4, -4), (4, 4)], full);
    match n {
        0 => context.draw_series(places.map(|at| Circle::new(at, 4, full)))?,
        1 => context.draw_series(places.map(|at| TriangleMarker::new(at, 5, full)))?,
        2 => context.draw_series(places.map(|at| Cross::new(at, 4, line)))?,
        3 => context.draw_series(places.map(|at| Circle::new(at, 4, line)))?,
        _ => context.draw_series(places.map(square))?,
    };
    Ok(())
}

/// The chart in words.
fn described(chart: &LineChart) -> String {
    let mut said: Vec<String> = Vec::new();
    if !chart.total.is_empty() {
        said.push(highest("All together", &chart.total, &chart.labels));
    }
    let groups = chart.groups.iter().take(GROUPS_MAX);
    said.extend(groups.map(|(name, amounts)| highest(name, amounts, &chart.labels)));
    if let (Some(amount), Some(label)) = (chart.ahead.last(), chart.labels.last()) {
        said.push(format!("Expected at {label}: {}.", amount.normalize()));
    }
    said.join(" ")
}

/// Of equal amounts the first one counts, as for the watermark itself.
fn highest(name: &str, amounts: &[Option<Decimal>], labels: &[String]) -> String {
    let known = amounts.iter().zip(labels).filter_map(|(amount, label)| Some(((*amount)?, label)));
    match known.reduce(|best, next| if next.0 > best.0 { next } else { best }) {
        Some((amount, label)) => format!("{name}: highest {} at {label}.", amount.normalize()),
        None => format!("{name}: none."),
    }
}
