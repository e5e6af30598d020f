//! The few numbers a reader looks for first: cards side by side.

use super::flow::{Flow, bold, regular};
use super::look::{ACCENT, FIGURE, INK, LEADING, MARGIN, MEASURE, MUTED, RULE, SMALL, TINT};
use super::setting::{Line, Style};
use crate::document::Figure;

/// Most cards in a row.
const ROW_MAX: usize = 4;
const GAP: f32 = 10.0;
const PADDING: f32 = 12.0;
/// Most lines of a remark.
const REMARK_LINES: usize = 3;
/// A value that is too wide is set smaller, down to this part of its size.
const SMALLEST: f32 = 0.45;

/// A card ready to be drawn.
struct Card {
    name: (Style, Line),
    value: (Style, Line),
    remark: (Style, Vec<Line>),
}

/// Draws the figures from here on, in rows of equal cards; the first one stands out.
pub fn draw(flow: &mut Flow, figures: &[Figure]) {
    let rows = figures.len().div_ceil(ROW_MAX).max(1);
    let per_row = figures.len().div_ceil(rows).max(1);
    for (row, figures) in figures.chunks(per_row).enumerate() {
        draw_row(flow, figures, per_row, row == 0);
    }
}

fn draw_row(flow: &mut Flow, figures: &[Figure], per_row: usize, leads: bool) {
    let width = (MEASURE + GAP) / per_row as f32 - GAP;
    let room = width - 2.0 * PADDING;
    let colour = |n: usize| if leads && n == 0 { ACCENT } else { INK };
    let cards = figures.iter().enumerate().map(|(n, figure)| card(flow, figure, colour(n), room)).collect::<Vec<_>>();
    let lines = cards.iter().map(|card| card.remark.1.len()).max().unwrap_or_default().max(1);
    let height = 63.0 + lines as f32 * SMALL * LEADING;
    flow.make_room(height + 10.0);
    let top = flow.y;
    for (n, card) in cards.iter().enumerate() {
        let x = MARGIN + n as f32 * (width + GAP);
        flow.rectangle(x, top, width, height, TINT);
        flow.rectangle(x, top, width, 1.6, if leads && n == 0 { ACCENT } else { RULE });
        flow.text(x + PADDING, top + 17.0, card.name.0, &card.name.1);
        flow.text(x + PADDING, top + 43.0, card.value.0, &card.value.1);
        for (n, line) in card.remark.1.iter().enumerate() {
            flow.text(x + PADDING, top + 60.0 + n as f32 * SMALL * LEADING, card.remark.0, line);
        }
    }
    flow.y = top + height + 10.0;
}

fn card(flow: &Flow, figure: &Figure, colour: [u8; 3], room: f32) -> Card {
    let (name, remark) = (bold(SMALL + 0.4, MUTED), regular(SMALL, MUTED));
    let wide = flow.setting.width(&figure.value, bold(1.0, colour)).max(f32::MIN_POSITIVE);
    let value = bold(FIGURE.min(room / wide).max(FIGURE * SMALLEST), colour);
    Card {
        name: (name, flow.setting.shortened(&figure.name, name, room)),
        value: (value, flow.setting.shortened(&figure.value, value, room)),
        remark: (remark, flow.setting.cut(&figure.remark, remark, room, REMARK_LINES)),
    }
}
