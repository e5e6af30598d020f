//! Tables: widths from their content, numbers to the right, headings repeated on every page.

use super::flow::Flow;
use super::font::Face;
use super::look::{ACCENT, INK, LEADING, MARGIN, MEASURE, MUTED, RULE, SMALL, TABLE, TINT};
use crate::document::{Align, Cell, Column, Table};

/// Room on both sides of a cell's text.
const PADDING: f32 = 5.0;
/// Most lines of a cell; a longer text ends in an ellipsis and stands whole in the JSON file.
const LINES_MAX: usize = 3;
/// No column is narrower, however many there are.
const WIDTH_MIN: f32 = 24.0;
const HEAD_HEIGHT: f32 = 17.0;

/// A cell ready to be drawn.
struct Drawn {
    lines: Vec<String>,
    align: Align,
}

/// Draws the table from here on, over as many pages as it takes.
pub fn draw(flow: &mut Flow, table: &Table, heading: &str) {
    let widths = widths(flow, table);
    head(flow, table, &widths);
    for (n, row) in table.rows.iter().enumerate() {
        let cells = cells(flow, table, row, &widths, &flow.fonts.regular);
        let height = height(&cells);
        // The last row stays with its totals.
        let tail = if n + 1 == table.rows.len() { table.totals.len() as f32 * height } else { 0.0 };
        if !flow.fits(height + tail) {
            flow.next_page();
            continued(flow, heading);
            head(flow, table, &widths);
        }
        draw_row(flow, &cells, &widths, height, Weight::Row);
    }
    for total in &table.totals {
        let cells = cells(flow, table, total, &widths, &flow.fonts.bold);
        draw_row(flow, &cells, &widths, height(&cells), Weight::Total);
    }
    flow.y += 5.0;
}

#[derive(Clone, Copy)]
enum Weight {
    Row,
    Total,
}

fn continued(flow: &mut Flow, heading: &str) {
    if heading.is_empty() {
        return;
    }
    let style = flow.regular(SMALL + 0.4, MUTED);
    let text = format!("{}, continued", flow.fonts.drawable(heading));
    let y = flow.y;
    flow.page().text(MARGIN, y, style, &style.face.shortened(&text, style.size, MEASURE));
    flow.y += 6.0;
}

fn head(flow: &mut Flow, table: &Table, widths: &[f32]) {
    let style = flow.bold(SMALL, MUTED);
    let (top, mut x) = (flow.y, MARGIN);
    let page = flow.page();
    page.rectangle(MARGIN, top, MEASURE, HEAD_HEIGHT, TINT);
    page.rectangle(MARGIN, top + HEAD_HEIGHT - 0.8, MEASURE, 0.8, ACCENT);
    for (column, width) in table.columns.iter().zip(widths) {
        let text = style.face.shortened(column.heading, style.size, width - 2.0 * PADDING);
        match column.align {
            Align::Left => page.text(x + PADDING, top + 11.0, style, &text),
            Align::Right => page.text_to(x + width - PADDING, top + 11.0, style, &text),
        }
        x += width;
    }
    flow.y = top + HEAD_HEIGHT;
}

fn cells(flow: &Flow, table: &Table, row: &[Cell], widths: &[f32], face: &Face) -> Vec<Drawn> {
    let drawn = |((cell, column), width): ((&Cell, &Column), &f32)| {
        let room = width - 2.0 * PADDING;
        let lines = match cell {
            Cell::Text(text) => {
                let text = flow.fonts.drawable(text);
                // Most cells are one line, and measuring is all they need.
                if face.width(&text, TABLE) <= room + 0.01 { vec![text.into_owned()] } else { cut(face, &text, room) }
            }
            Cell::Number(number) => vec![flow.fonts.drawable(number).into_owned()],
            Cell::Empty => Vec::new(),
        };
        Drawn { lines, align: column.align }
    };
    row.iter().zip(&table.columns).zip(widths).map(drawn).collect()
}

fn cut(face: &Face, text: &str, room: f32) -> Vec<String> {
    let mut lines = face.wrapped(text, TABLE, room);
    if lines.len() > LINES_MAX {
        let rest = lines.split_off(LINES_MAX - 1).join(" ");
        lines.push(face.shortened(&rest, TABLE, room));
    }
    lines
}

fn height(cells: &[Drawn]) -> f32 {
    let lines = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or_default().max(1);
    lines as f32 * TABLE * LEADING + 3.8
}

fn draw_row(flow: &mut Flow, cells: &[Drawn], widths: &[f32], height: f32, weight: Weight) {
    let style = match weight {
        Weight::Row => flow.regular(TABLE, INK),
        Weight::Total => flow.bold(TABLE, INK),
    };
    let (top, mut x) = (flow.y, MARGIN);
    let page = flow.page();
    if let Weight::Total = weight {
        page.rectangle(MARGIN, top, MEASURE, height, TINT);
    }
    for (cell, width) in cells.iter().zip(widths) {
        for (n, line) in cell.lines.iter().enumerate() {
            let y = top + 1.6 + TABLE + n as f32 * TABLE * LEADING;
            match cell.align {
                Align::Left => page.text(x + PADDING, y, style, line),
                Align::Right => page.text_to(x + width - PADDING, y, style, line),
            }
        }
        x += width;
    }
    page.rectangle(MARGIN, top + height - 0.4, MEASURE, 0.4, RULE);
    flow.y = top + height;
}

/// Each column's width. When all is too wide for the page, the few longest texts of a column do not decide for the rest.
fn widths(flow: &Flow, table: &Table) -> Vec<f32> {
    let mut cells = vec![vec![0.0]; table.columns.len()];
    let rows = table.rows.iter().map(|row| (row, &flow.fonts.regular));
    let totals = table.totals.iter().map(|row| (row, &flow.fonts.bold));
    for (row, face) in rows.chain(totals) {
        for (cells, cell) in cells.iter_mut().zip(row) {
            if let Cell::Text(text) | Cell::Number(text) = cell {
                cells.push(face.width(&flow.fonts.drawable(text), TABLE));
            }
        }
    }
    cells.iter_mut().for_each(|widths| widths.sort_by(f32::total_cmp));
    let wish = |(column, widths): (&Column, &Vec<f32>), tenths: usize| Wish {
        needed: widths[(widths.len() - 1) * tenths / 10].max(flow.fonts.bold.width(column.heading, SMALL))
            + 2.0 * PADDING,
        part: f32::from(column.width.max(1)),
        gives_way: column.align == Align::Left,
    };
    let columns = || table.columns.iter().zip(&cells);
    let whole = columns().map(|column| wish(column, 10)).collect::<Vec<_>>();
    if together(&whole) <= MEASURE {
        return shared(&whole);
    }
    let most = |(column, widths): (&Column, &Vec<f32>)| {
        wish((column, widths), if column.align == Align::Left { 9 } else { 10 })
    };
    let mut most = columns().map(most).collect::<Vec<_>>();
    if together(&most) <= MEASURE {
        // What is over goes where long texts still wait for it.
        most.iter_mut().zip(&whole).for_each(|(most, whole)| most.part = whole.needed - most.needed);
    }
    shared(&most)
}

fn together(wishes: &[Wish]) -> f32 {
    wishes.iter().map(|wish| wish.needed).sum()
}

/// What a column needs, its part of what is shared, and whether its text may be broken.
struct Wish {
    needed: f32,
    part: f32,
    gives_way: bool,
}

/// Shares the measure: columns that need less than their part get what they need, the others divide what is left.
fn shared(wishes: &[Wish]) -> Vec<f32> {
    let spare = MEASURE - together(wishes);
    let parts = wishes.iter().map(|wish| wish.part).sum::<f32>();
    if spare >= 0.0 {
        return wishes.iter().map(|wish| wish.needed + spare * wish.part / parts).collect();
    }
    let mut settled = wishes.iter().map(|wish| (!wish.gives_way).then_some(wish.needed)).collect::<Vec<_>>();
    // Each round settles a column or ends; the last one says how wide a part is.
    let mut per_part = 0.0;
    for _ in 0..=wishes.len() {
        let open = || settled.iter().zip(wishes).enumerate().filter(|(_, (width, _))| width.is_none());
        let left = MEASURE - settled.iter().flatten().sum::<f32>();
        per_part = left / open().map(|(_, (_, wish))| wish.part).sum::<f32>();
        match open().find(|(_, (_, wish))| wish.needed <= per_part * wish.part).map(|(n, _)| n) {
            Some(n) => settled[n] = Some(wishes[n].needed),
            None => break,
        }
    }
    settled.iter().zip(wishes).map(|(width, wish)| width.unwrap_or((per_part * wish.part).max(WIDTH_MIN))).collect()
}
