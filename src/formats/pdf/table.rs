//! Tables: widths from their content, numbers to the right, headings repeated on every page.

use super::flow::{Flow, bold, regular};
use super::look::{ACCENT, INK, LEADING, MARGIN, MEASURE, MUTED, RULE, SMALL, TABLE, TINT};
use super::setting::{Line, Plain, Style};
use crate::document::{Align, Cell, Column, Row, Table};

/// Room on both sides of a cell's text.
const PADDING: f32 = 5.0;
/// Most lines of a cell; a longer text ends in an ellipsis and stands whole in the JSON file.
const LINES_MAX: usize = 6;
/// Most of the measure that columns take which do not give way.
const FIRM_SHARE: f32 = 0.8;
/// No column is narrower, unless there are too many for the page.
const WIDTH_MIN: f32 = 24.0;
/// A column whose texts are all at most so wide, in points, is never made narrower than they are.
const SHORT: f32 = 64.0;
/// Most lines of a column's heading.
const HEAD_LINES: usize = 3;

/// A cell ready to be drawn.
struct Drawn<'t> {
    text: Text<'t>,
    align: Align,
}

enum Text<'t> {
    /// One line, as most cells are.
    Plain(Plain<'t>),
    Lines(Vec<Line>),
}

impl Drawn<'_> {
    fn lines(&self) -> usize {
        match &self.text {
            Text::Plain(_) => 1,
            Text::Lines(lines) => lines.len(),
        }
    }
}

/// Draws the table from here on, over as many pages as it takes.
pub fn draw(flow: &mut Flow, table: &Table, heading: &str) {
    let widths = widths(flow, table);
    head(flow, table, &widths);
    for (n, row) in table.rows.iter().enumerate() {
        let cells = cells(flow, table, row, &widths, row_style());
        let height = height(&cells);
        // The last row stays with its totals.
        let tail = if n + 1 == table.rows.len() { table.totals.len() as f32 * height } else { 0.0 };
        if !flow.fits(height + tail) {
            go_on(flow, table, &widths, heading);
        }
        draw_row(flow, &cells, &widths, height, Kind::Row);
    }
    for total in table.totals.iter() {
        let cells = cells(flow, table, total, &widths, total_style());
        let height = height(&cells);
        if !flow.fits(height) {
            go_on(flow, table, &widths, heading);
        }
        draw_row(flow, &cells, &widths, height, Kind::Total);
    }
    flow.y += 5.0;
}

#[derive(Clone, Copy)]
enum Kind {
    Row,
    Total,
}

fn row_style() -> Style {
    regular(TABLE, INK)
}

fn total_style() -> Style {
    bold(TABLE, INK)
}

fn head_style() -> Style {
    bold(SMALL, MUTED)
}

/// The next page, with what the table is and its column headings.
fn go_on(flow: &mut Flow, table: &Table, widths: &[f32], heading: &str) {
    flow.next_page();
    if !heading.is_empty() {
        let style = regular(SMALL + 0.4, MUTED);
        let line = flow.setting.shortened(&format!("{heading}, continued"), style, MEASURE);
        flow.text(MARGIN, flow.y, style, &line);
        flow.y += 6.0;
    }
    head(flow, table, widths);
}

fn head(flow: &mut Flow, table: &Table, widths: &[f32]) {
    let style = head_style();
    let lines = |(column, width): (&Column, &f32)| {
        let lines = flow.setting.cut(column.heading, style, width - 2.0 * PADDING, HEAD_LINES);
        Drawn { text: Text::Lines(lines), align: column.align }
    };
    let cells = table.columns.iter().zip(widths).map(lines).collect::<Vec<_>>();
    let most = cells.iter().map(Drawn::lines).max().unwrap_or_default().max(1);
    let height = 8.6 + most as f32 * SMALL * 1.24;
    // A heading stands with at least one row.
    flow.make_room(height + TABLE * 2.0);
    let top = flow.y;
    flow.rectangle(MARGIN, top, MEASURE, height, TINT);
    flow.rectangle(MARGIN, top + height - 0.8, MEASURE, 0.8, ACCENT);
    draw_cells(flow, &cells, widths, top + 4.2, style, SMALL * 1.24);
    flow.y = top + height;
}

fn cells<'t>(flow: &Flow, table: &Table, row: Row<'t>, widths: &[f32], style: Style) -> Vec<Drawn<'t>> {
    let drawn = |((text, column), width): ((&'t str, &Column), &f32)| {
        let room = width - 2.0 * PADDING;
        let plain = flow.setting.plain(text, style, room).map(Text::Plain);
        let text = plain.unwrap_or_else(|| Text::Lines(flow.setting.cut(text, style, room, LINES_MAX)));
        Drawn { text, align: column.align }
    };
    row.texts().zip(&table.columns).zip(widths).map(drawn).collect()
}

fn height(cells: &[Drawn]) -> f32 {
    let lines = cells.iter().map(Drawn::lines).max().unwrap_or_default().max(1);
    lines as f32 * TABLE * LEADING + 3.8
}

fn draw_row(flow: &mut Flow, cells: &[Drawn], widths: &[f32], height: f32, kind: Kind) {
    let top = flow.y;
    let style = match kind {
        Kind::Row => row_style(),
        Kind::Total => {
            flow.rectangle(MARGIN, top, MEASURE, height, TINT);
            total_style()
        }
    };
    draw_cells(flow, cells, widths, top + 1.6, style, TABLE * LEADING);
    flow.rectangle(MARGIN, top + height - 0.4, MEASURE, 0.4, RULE);
    flow.y = top + height;
}

/// Each cell's lines from `top` on, `pitch` apart.
fn draw_cells(flow: &mut Flow, cells: &[Drawn], widths: &[f32], top: f32, style: Style, pitch: f32) {
    let mut x = MARGIN;
    for (cell, width) in cells.iter().zip(widths) {
        let place = |wide: f32| match cell.align {
            Align::Left => x + PADDING,
            Align::Right => x + width - PADDING - wide * style.size,
        };
        match &cell.text {
            Text::Plain(plain) => flow.plain(place(plain.width), top + style.size, style, *plain),
            Text::Lines(lines) => {
                for (n, line) in lines.iter().enumerate() {
                    flow.text(place(line.width), top + style.size + n as f32 * pitch, style, line);
                }
            }
        }
        x += width;
    }
}

/// Each column's width. When all is too wide for the page, the few longest texts of a column do not decide for the rest.
fn widths(flow: &Flow, table: &Table) -> Vec<f32> {
    let texts = table.columns.iter().enumerate().map(|(n, _)| Texts::of(flow, table, n)).collect::<Vec<_>>();
    let wish = |column: &Column, texts: &Texts, needed: f32| Wish {
        needed: needed.max(flow.setting.width(column.heading, head_style())) + 2.0 * PADDING,
        part: f32::from(column.width.max(1)),
        gives_way: column.align == Align::Left && texts.widest > SHORT,
    };
    let columns = || table.columns.iter().zip(&texts);
    let whole = columns().map(|(column, texts)| wish(column, texts, texts.widest)).collect::<Vec<_>>();
    if together(&whole) <= MEASURE {
        return shared(&whole);
    }
    let most = |(column, texts): (&Column, &Texts)| {
        let stands = column.align == Align::Right || texts.widest <= SHORT;
        wish(column, texts, if stands { texts.widest } else { texts.most })
    };
    let mut most = columns().map(most).collect::<Vec<_>>();
    if together(&most) <= MEASURE {
        // What is over goes where long texts still wait for it.
        most.iter_mut().zip(&whole).for_each(|(most, whole)| most.part = whole.needed - most.needed);
    }
    shared(&most)
}

/// How wide the texts of a column are, in points.
struct Texts {
    widest: f32,
    /// Nine in ten are no wider.
    most: f32,
}

impl Texts {
    fn of(flow: &Flow, table: &Table, column: usize) -> Texts {
        let rows = table.rows.iter().map(|row| (row, row_style()));
        let totals = table.totals.iter().map(|row| (row, total_style()));
        let stated = rows.chain(totals).filter_map(|(row, style)| Some((row.get(column)?, style)));
        let stated = stated.filter(|(cell, _)| *cell != Cell::Empty);
        let mut widths = vec![0.0];
        widths.extend(stated.map(|(cell, style)| flow.setting.width(cell.shown(), style)));
        let widest = widths.iter().copied().fold(0.0, f32::max);
        let tenth = (widths.len() - 1) * 9 / 10;
        let (_, most, _) = widths.select_nth_unstable_by(tenth, f32::total_cmp);
        Texts { widest, most: *most }
    }
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
    let firm = wishes.iter().filter(|wish| !wish.gives_way).map(|wish| wish.needed).sum::<f32>();
    let stands = |wish: &Wish| !wish.gives_way && firm <= MEASURE * FIRM_SHARE;
    let mut settled = wishes.iter().map(|wish| stands(wish).then_some(wish.needed)).collect::<Vec<_>>();
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
    let width = |(width, wish): (&Option<f32>, &Wish)| width.unwrap_or((per_part * wish.part).max(WIDTH_MIN));
    let widths = settled.iter().zip(wishes).map(width).collect::<Vec<_>>();
    // Very many columns: narrow, but on the page.
    let fits = (MEASURE / widths.iter().sum::<f32>()).min(1.0);
    widths.into_iter().map(|width| width * fits).collect()
}
