//! A chart drawn with rectangles: a bar for each mark, a line for the reported level.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::flow::Flow;
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
    let style = flow.regular(SMALL, MUTED);
    for n in 0..=count {
        let amount = step * Decimal::from(n);
        let y = floor - height_of(amount) * scale;
        flow.page().rectangle(MARGIN + AXIS, y, MEASURE - AXIS, 0.4, RULE);
        flow.page().text_to(MARGIN + AXIS - 6.0, y + 2.3, style, &amount.normalize().to_string());
    }
    let pitch = (MEASURE - AXIS) / chart.points.len().max(1) as f32;
    for (n, point) in chart.points.iter().enumerate() {
        let x = MARGIN + AXIS + n as f32 * pitch;
        match point.mark {
            Some(mark) => {
                let tall = height_of(mark) * scale;
                flow.page().rectangle(x + pitch * 0.14, floor - tall, pitch * 0.72, tall, WATER);
            }
            None => flow.page().rectangle(x + pitch * 0.14, floor - HEIGHT, pitch * 0.72, HEIGHT, TINT),
        }
    }
    labels(flow, chart, pitch, floor);
    if let Some(level) = chart.level {
        flow.page().rectangle(MARGIN + AXIS, floor - height_of(level) * scale - 0.6, MEASURE - AXIS, 1.2, ACCENT);
    }
    flow.y = floor + 24.0;
}

/// Labels below the bars, as many as stand apart.
fn labels(flow: &mut Flow, chart: &Chart, pitch: f32, floor: f32) {
    let style = flow.regular(SMALL, MUTED);
    let fonts = flow.fonts;
    let wide = |label: &str| style.face.width(&fonts.drawable(label), SMALL);
    let widest = chart.points.iter().map(|point| wide(&point.label)).fold(0.0, f32::max);
    let every = ((widest + 4.0) / pitch).ceil().max(1.0) as usize;
    for (n, point) in chart.points.iter().enumerate().step_by(every) {
        let middle = MARGIN + AXIS + (n as f32 + 0.5) * pitch;
        flow.page().text(middle - wide(&point.label) / 2.0, floor + 10.0, style, &fonts.drawable(&point.label));
    }
}

fn legend(flow: &mut Flow, chart: &Chart) {
    let style = flow.regular(SMALL + 0.4, INK);
    let (fonts, y) = (flow.fonts, flow.y + 6.0);
    let mut x = MARGIN + AXIS;
    flow.page().rectangle(x, y - 5.0, 8.0, 5.0, WATER);
    let name = fonts.drawable(&chart.mark_name);
    flow.page().text(x + 12.0, y, style, &name);
    x += 30.0 + style.face.width(&name, style.size);
    if let Some(level) = chart.level {
        let name = format!("{}: {}", fonts.drawable(&chart.reported_name), level.normalize());
        flow.page().rectangle(x, y - 3.0, 10.0, 1.2, ACCENT);
        flow.page().text(x + 14.0, y, style, &name);
        x += 32.0 + style.face.width(&name, style.size);
    }
    if chart.points.iter().any(|point| point.mark.is_none()) {
        flow.page().rectangle(x, y - 5.0, 8.0, 5.0, TINT);
        flow.page().text(x + 12.0, y, style, "No complete sample");
    }
    flow.y += 18.0;
}

/// An amount as a length; drawing needs no exactness.
fn height_of(amount: Decimal) -> f32 {
    amount.to_f32().unwrap_or_default()
}
