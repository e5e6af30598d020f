//! The charts of a document, native ones, each over a sheet with its amounts.

use rust_xlsxwriter::{Chart as Drawn, ChartEmptyCells, ChartLegendPosition, ChartType, Color, Workbook, XlsxError};

use super::SheetNames;
use super::cells::{Looks, put, put_text};
use crate::document::{Align, Cell, Chart, Document};

const MARK: Color = Color::RGB(0x0016_667E);
const REPORTED: Color = Color::RGB(0x00C8_7832);
const WIDTH: u32 = 760;
const HEIGHT: u32 = 300;

/// Writes a sheet for each chart, and gives the charts back for the overview.
pub(super) fn write(
    workbook: &mut Workbook,
    document: &Document,
    names: &mut SheetNames,
    looks: &Looks,
) -> Result<Vec<Drawn>, XlsxError> {
    document.charts().map(|chart| of_one(workbook, chart, names, looks)).collect()
}

fn of_one(workbook: &mut Workbook, chart: &Chart, names: &mut SheetNames, looks: &Looks) -> Result<Drawn, XlsxError> {
    let name = names.take("chart_data");
    let sheet = workbook.add_worksheet();
    sheet.set_name(&name)?.set_freeze_panes(1, 0)?;
    sheet.set_column_width(1, 26)?.set_column_width(2, 26)?.set_column_width(4, 40)?;
    put_text(sheet, (0, 0), "At", looks.head(Align::Left))?;
    put_text(sheet, (0, 1), &chart.mark_name, looks.head(Align::Right))?;
    put_text(sheet, (0, 2), &chart.reported_name, looks.head(Align::Right))?;
    put_text(sheet, (0, 4), &chart.title, &looks.heading)?;
    let mut last = 0;
    for (row, point) in (1..).zip(&chart.points) {
        put_text(sheet, (row, 0), &point.label, &looks.wrapped)?;
        let amounts = [point.mark, point.reported.or(chart.level)];
        for (column, amount) in (1..).zip(amounts) {
            let cell = amount.map_or(Cell::Empty, |amount| Cell::Number(amount.normalize().to_string()));
            put(sheet, (row, column), cell.as_ref(), &looks.fact)?;
        }
        last = row;
    }
    let mut drawn = Drawn::new(ChartType::Line);
    for (column, colour) in [(1, MARK), (2, REPORTED)] {
        let series = drawn.add_series();
        series.set_categories((name.as_str(), 1, 0, last.max(1), 0));
        series.set_values((name.as_str(), 1, column, last.max(1), column));
        // By their cells: a text that begins with an equals sign would be a reference.
        series.set_name((name.as_str(), 0, column));
        series.set_format(
            rust_xlsxwriter::ChartFormat::new().set_line(rust_xlsxwriter::ChartLine::new().set_color(colour)),
        );
    }
    drawn.title().set_name((name.as_str(), 0, 4));
    drawn.legend().set_position(ChartLegendPosition::Bottom);
    drawn.show_empty_cells_as(ChartEmptyCells::Gaps);
    drawn.set_width(WIDTH).set_height(HEIGHT).set_alt_text(&chart.title);
    Ok(drawn)
}
