//! A chart drawn with rectangles: a bar for each mark, a line for the reported level.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::flow::{Flow, regular};
use super::look::{ACCENT, INK, MARGIN, MEASURE, MUTED, RULE, SMALL, TINT, WATER};
use crate::document::Chart;
use crate::formats::charts::steps;

const HEIGHT: f32 = 104.0;
/// Room for the numbers at the left.
const AXIS: f32 = 38.0;

/// Draws the chart from here on.
pub fn draw(flow: &mut Flow, chart: &Chart) {
    if !flow.fits(HEIGHT + 36.0) {
        flow.next_page();
    }
    legend(flow, chart);
    let marks = chart.points.iter().filter_map(|point| point.mark);
    let (step, count) = steps(marks.chain(chart.level).max().unwrap_or_default());
    let scale = HEIGHT / (height_of(step) * count as f32);
    let floor = flow.y + HEIGHT;
    let style = regular(SMALL, MUTED);
    for n in 0..=count {
        let amount = step * Decimal::from(n);
        let y = floor - height_of(amount) * scale;
        flow.rectangle(MARGIN + AXIS, y, MEASURE - AXIS, 0.4, RULE);
        let text = flow.setting.line(&amount.normalize().to_string(), style.weight);
        flow.text_to(MARGIN + AXIS - 6.0, y + 2.3, style, &text);
    }
    let pitch = (MEASURE - AXIS) / chart.points.len().max(1) as f32;
    for (n, point) in chart.points.iter().enumerate() {
        let x = MARGIN + AXIS + n as f32 * pitch;
        match point.mark {
            Some(mark) => {
                let tall = height_of(mark) * scale;
                flow.rectangle(x + pitch * 0.14, floor - tall, pitch * 0.72, tall, WATER);
            }
            None => flow.rectangle(x + pitch * 0.14, floor - HEIGHT, pitch * 0.72, HEIGHT, TINT),
        }
    }
    labels(flow, chart, pitch, floor);
    if let Some(level) = chart.level {
        flow.rectangle(MARGIN + AXIS, floor - height_of(level) * scale - 0.6, MEASURE - AXIS, 1.2, ACCENT);
    }
    flow.y = floor + 24.0;
}

/// Labels below the bars, as many as stand apart.
fn labels(flow: &mut Flow, chart: &Chart, pitch: f32, floor: f32) {
    let style = regular(SMALL, MUTED);
    let widest = chart.points.iter().map(|point| flow.setting.width(&point.label, style)).fold(0.0, f32::max);
    let every = ((widest + 4.0) / pitch).ceil().max(1.0) as usize;
    for (n, point) in chart.points.iter().enumerate().step_by(every) {
        let middle = MARGIN + AXIS + (n as f32 + 0.5) * pitch;
        let label = flow.setting.line(&point.label, style.weight);
        flow.text(middle - label.width * style.size / 2.0, floor + 10.0, style, &label);
    }
}

fn legend(flow: &mut Flow, chart: &Chart) {
    let style = regular(SMALL + 0.4, INK);
    let y = flow.y + 6.0;
    let mut x = MARGIN + AXIS;
    flow.rectangle(x, y - 5.0, 8.0, 5.0, WATER);
    let name = flow.setting.line(&chart.mark_name, style.weight);
    flow.text(x + 12.0, y, style, &name);
    x += 30.0 + name.width * style.size;
    if let Some(level) = chart.level {
        let name = format!("{}: {}", chart.reported_name, level.normalize());
        let name = flow.setting.line(&name, style.weight);
        flow.rectangle(x, y - 3.0, 10.0, 1.2, ACCENT);
        flow.text(x + 14.0, y, style, &name);
        x += 32.0 + name.width * style.size;
    }
    if chart.points.iter().any(|point| point.mark.is_none()) {
        flow.rectangle(x, y - 5.0, 8.0, 5.0, TINT);
        flow.text(x + 12.0, y, style, &flow.setting.line("No complete sample", style.weight));
    }
    flow.y += 18.0;
}

/// An amount as a length; drawing needs no exactness.
fn height_of(amount: Decimal) -> f32 {
    amount.to_f32().unwrap_or_default()
}
