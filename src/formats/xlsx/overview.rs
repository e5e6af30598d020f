//! The first sheet: title, digest, figures, warnings, facts and the charts.

use rust_xlsxwriter::{Chart as Drawn, RowNum, Worksheet, XlsxError};

use super::cells::{Looks, put, put_text};
use crate::document::{Block, Cell, Document, Figure, Section};

/// Beside the facts.
const CHART_COLUMN: u16 = 4;
/// Rows that a chart takes, with a distance.
const CHART_ROWS: RowNum = 17;

/// Writes the sheet.
pub(super) fn write(
    sheet: &mut Worksheet,
    document: &Document,
    charts: Vec<Drawn>,
    looks: &Looks,
) -> Result<(), XlsxError> {
    sheet.set_column_width(0, 30)?.set_column_width(1, 44)?.set_column_width(2, 36)?;
    sheet.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0).set_screen_gridlines(false);
    put_text(sheet, (0, 0), &document.title, &looks.title)?;
    put_text(sheet, (1, 0), &document.subtitle, &looks.heading)?;
    let mut row = 3;
    for (name, value) in [("Digest", &document.digest), ("Generated", &document.generated_at)] {
        row = fact(sheet, row, name, Cell::Text(value), looks)?;
    }
    for (at, chart) in (3..).step_by(CHART_ROWS as usize).zip(&charts) {
        sheet.insert_chart(at, CHART_COLUMN, chart)?;
    }
    for section in document.sections.iter().filter(|section| section.blocks.iter().any(is_told)) {
        row = told(sheet, row + 1, section, looks)?;
    }
    Ok(())
}

/// Tables and charts have sheets of their own.
fn is_told(block: &Block) -> bool {
    match block {
        Block::Paragraph(_) | Block::Warning(_) | Block::Figures(_) | Block::Facts(_) => true,
        Block::Chart(_) | Block::Table(_) => false,
    }
}

fn told(sheet: &mut Worksheet, from: RowNum, section: &Section, looks: &Looks) -> Result<RowNum, XlsxError> {
    let mut row = from;
    if !section.heading.is_empty() {
        put_text(sheet, (row, 0), &section.heading, &looks.heading)?;
        row += 1;
    }
    for block in &section.blocks {
        match block {
            Block::Paragraph(text) => row = line(sheet, row, text, &looks.wrapped)?,
            Block::Warning(text) => row = line(sheet, row, text, &looks.warning)?,
            Block::Figures(figures) => {
                for figure in figures {
                    put_text(sheet, (row, 2), &figure.remark, &looks.wrapped)?;
                    row = fact(sheet, row, &figure.name, value(figure), looks)?;
                }
            }
            Block::Facts(facts) => {
                for (name, value) in facts {
                    row = fact(sheet, row, name, Cell::Text(value), looks)?;
                }
            }
            Block::Chart(_) | Block::Table(_) => {}
        }
    }
    Ok(row)
}

fn fact(sheet: &mut Worksheet, row: RowNum, name: &str, value: Cell<&str>, looks: &Looks) -> Result<RowNum, XlsxError> {
    put_text(sheet, (row, 0), name, &looks.name)?;
    put(sheet, (row, 1), value, &looks.fact)?;
    Ok(row + 1)
}

/// A figure that is a number is one here too.
fn value(figure: &Figure) -> Cell<&str> {
    match figure.value.parse::<rust_decimal::Decimal>() {
        Ok(_) => Cell::Number(&figure.value),
        Err(_) => Cell::Text(&figure.value),
    }
}

/// A text over the three columns.
fn line(sheet: &mut Worksheet, row: RowNum, text: &str, format: &rust_xlsxwriter::Format) -> Result<RowNum, XlsxError> {
    const SIGNS_PER_ROW: usize = 110;
    const ROW_HEIGHT: f64 = 15.0;
    sheet.merge_range(row, 0, row, 2, &super::cells::fitting(text), format)?;
    let rows = text.chars().count().div_ceil(SIGNS_PER_ROW).clamp(1, 20);
    sheet.set_row_height(row, ROW_HEIGHT * rows as f64)?;
    Ok(row + 1)
}
