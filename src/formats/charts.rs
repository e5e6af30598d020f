//! Charts of high watermarks as inline SVG, and the scale every chart shares.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    AreaSeries, BLACK, Cartesian2d, ChartBuilder, ChartContext, Circle, Color, DrawingArea, DrawingAreaErrorKind,
    DrawingBackend, IntoDrawingArea, IntoFont, LineSeries, PathElement, RGBColor, Rectangle, SVGBackend,
    SeriesLabelPosition, WHITE,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::document::Chart;

const WIDTH: u32 = 760;
const HEIGHT: u32 = 260;
/// Most labels below a chart; between them some are left out.
const LABELS_MAX: usize = 16;
pub(super) const MARK: RGBColor = RGBColor(22, 102, 126);
const BARS: RGBColor = RGBColor(168, 203, 214);
const LEVEL: RGBColor = RGBColor(200, 120, 50);
const GRID: RGBColor = RGBColor(219, 227, 231);
const TEXT: RGBColor = RGBColor(98, 113, 125);

/// Draws high watermarks as a filled line against reported amounts as bars or one level.
///
/// The SVG has a title and a description for those who hear the page, scales with its frame, and is the same for the
/// same chart.
pub fn watermark_chart(chart: &Chart) -> String {
    picture(&chart.title, &described(chart), |area| draw(area, chart))
}

pub(super) type Fault<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
pub(super) type Drawn<'a> = Result<(), Fault<'a>>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What is drawn, as an SVG with a title and a description for those who hear the page; it scales with its frame.
pub(super) fn picture(title: &str, description: &str, draw: impl for<'a> FnOnce(&Area<'a>) -> Drawn<'a>) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        draw(&area).expect("a chart is drawn to memory");
        area.present().expect("a chart is drawn to memory");
    }
    let inside = svg.split_once('>').map_or("", |(_, rest)| rest);
    let (title, description) = (escaped(title), escaped(description));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" class=\"chart\">\n\
         <title>{title}</title>\n<desc>{description}</desc>{inside}"
    )
}

/// The grid of a chart that reaches to this amount, with a label for each place.
pub(super) fn plot<'a, 'b>(area: &'a Area<'b>, labels: &[&str], highest: Decimal) -> Result<Plot<'a, 'b>, Fault<'b>> {
    let (step, count) = steps(highest);
    let top = length(step) * f64::from(count);
    let across = -0.5..(labels.len().max(1) as f64 - 0.5);
    let mut builder = ChartBuilder::on(area);
    builder.margin(8).x_label_area_size(26).y_label_area_size(52);
    let mut context = builder.build_cartesian_2d(across, 0.0..top)?;
    context
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(("sans-serif", 12).into_font().color(&TEXT))
        .x_labels(labels.len().clamp(2, LABELS_MAX))
        .y_labels(count as usize + 1)
        .x_label_formatter(&|at: &f64| label_at(labels, *at))
        .y_label_formatter(&|amount: &f64| format!("{amount}"))
        .draw()?;
    Ok(context)
}

fn draw<'b>(area: &Area<'b>, chart: &Chart) -> Drawn<'b> {
    let amounts = chart.points.iter().flat_map(|point| [point.mark, point.reported]).chain([chart.level]).flatten();
    let labels: Vec<&str> = chart.points.iter().map(|point| point.label.as_str()).collect();
    let mut context = plot(area, &labels, amounts.max().unwrap_or_default())?;
    let reported = chart.points.iter().enumerate().filter_map(|(n, point)| Some((n as f64, length(point.reported?))));
    let bars = reported.map(|(n, tall)| Rectangle::new([(n - 0.32, 0.0), (n + 0.32, tall)], BARS.filled()));
    let bars = bars.collect::<Vec<_>>();
    let key = |colour: RGBColor| move |(x, y)| PathElement::new([(x, y), (x + 14, y)], colour.stroke_width(3));
    // Beside bars a filled area would only hide them.
    let fill = if bars.is_empty() { MARK.mix(0.16) } else { MARK.mix(0.0) };
    if !bars.is_empty() {
        context.draw_series(bars)?.label(&chart.reported_name).legend(key(BARS));
    }
    for (n, run) in runs(chart.points.iter().map(|point| point.mark)).into_iter().enumerate() {
        context.draw_series(run.iter().map(|at| Circle::new(*at, 2, MARK.filled())))?;
        let series = context.draw_series(AreaSeries::new(run, 0.0, fill).border_style(MARK.stroke_width(2)))?;
        if n == 0 {
            series.label(&chart.mark_name).legend(key(MARK));
        }
    }
    if let Some(level) = chart.level.map(length) {
        let ends = [(-0.5, level), (chart.points.len() as f64 - 0.5, level)];
        let series = context.draw_series(LineSeries::new(ends, LEVEL.stroke_width(2)))?;
        series.label(&chart.reported_name).legend(key(LEVEL));
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .label_font(("sans-serif", 12).into_font().color(&BLACK.mix(0.8)))
        .background_style(WHITE.mix(0.8))
        .margin(6)
        .draw()
}

/// The label of this place of the axis, when it is one.
fn label_at(labels: &[&str], at: f64) -> String {
    let near = (at - at.round()).abs() < 0.01 && at > -0.5;
    let label = if near { labels.get(at.round() as usize) } else { None };
    label.map_or_else(String::new, |label| (*label).to_owned())
}

/// The amounts at their places without the gaps: each run of neighbours apart.
pub(super) fn runs(amounts: impl Iterator<Item = Option<Decimal>>) -> Vec<Vec<(f64, f64)>> {
    let numbered = amounts.enumerate().collect::<Vec<_>>();
    let runs = numbered.chunk_by(|left, right| left.1.is_some() == right.1.is_some());
    let placed = |run: &[(usize, Option<Decimal>)]| {
        run.iter().filter_map(|(n, amount)| Some((*n as f64, length((*amount)?)))).collect::<Vec<_>>()
    };
    runs.map(placed).filter(|run| !run.is_empty()).collect()
}

/// The chart in words.
fn described(chart: &Chart) -> String {
    let marks = || chart.points.iter().filter_map(|point| Some((point.mark?, &point.label)));
    // Of equal marks the first one counts, as for the watermark itself.
    let highest = marks().reduce(|best, mark| if mark.0 > best.0 { mark } else { best });
    let mut said = match highest {
        Some((mark, label)) => format!("{}: highest {} at {label}.", chart.mark_name, mark.normalize()),
        None => format!("{}: none.", chart.mark_name),
    };
    let reported = chart.points.iter().rev().find_map(|point| point.reported).or(chart.level);
    if let Some(reported) = reported {
        said += &format!(" {}: {}.", chart.reported_name, reported.normalize());
    }
    match chart.points.iter().filter(|point| point.mark.is_none()).count() {
        0 => {}
        gaps => said += &format!(" {gaps} of {} without a complete sample.", chart.points.len()),
    }
    said
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An amount as a length; drawing needs no exactness.
pub(super) fn length(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or_default()
}

/// The distance of two grid lines and how many steps reach over this amount: 1, 2, 2.5 or 5 times a power of ten.
pub(super) fn steps(highest: Decimal) -> (Decimal, u32) {
    const STEPS_MAX: u32 = 4;
    let mut power = Decimal::new(1, 2);
    // Points are at most some 10^17, so twenty powers of ten reach over every sum.
    for _ in 0..20 {
        for factor in [Decimal::ONE, Decimal::TWO, Decimal::new(25, 1), Decimal::from(5)] {
            let step = factor * power;
            if step * Decimal::from(STEPS_MAX) >= highest {
                let count = (1..=STEPS_MAX).find(|count| step * Decimal::from(*count) >= highest);
                return (step, count.unwrap_or(STEPS_MAX));
            }
        }
        power *= Decimal::TEN;
    }
    (highest, 1)
}
