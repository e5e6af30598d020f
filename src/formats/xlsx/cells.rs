//! Typed cells: numbers that Excel holds exactly, days and minutes as dates, every text as a text.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use rust_xlsxwriter::{ColNum, Color, ExcelDateTime, Format, FormatAlign, FormatBorder, RowNum, Worksheet, XlsxError};

use crate::document::{Align, Cell};

/// Excel keeps no more digits of a number.
const DIGITS_MAX: u32 = 15;
/// Longest text of a cell, in UTF-16 units.
const TEXT_UNITS_MAX: usize = 32_767;
const SEA: Color = Color::RGB(0x000E_4456);
const MIST: Color = Color::RGB(0x00E4_EFF2);
const LINE: Color = Color::RGB(0x00C4_D0D5);

/// How the cells of one kind of row look.
pub(super) struct Look {
    /// `None`: that of the column.
    text: Option<Format>,
    /// A text in a column of numbers.
    text_right: Format,
    /// By digits after the point.
    numbers: Vec<Format>,
    day: Format,
    weekday: Format,
    minute: Format,
}

/// How everything looks.
pub(super) struct Looks {
    column: Format,
    /// Rows of a table: a text looks as its column does, which is said once and not for every cell.
    pub(super) row: Look,
    /// Facts and amounts that stand in no table.
    pub(super) fact: Look,
    pub(super) total: Look,
    /// Column heads, to the left and to the right.
    head: [Format; 2],
    pub(super) title: Format,
    pub(super) heading: Format,
    pub(super) name: Format,
    pub(super) wrapped: Format,
    pub(super) warning: Format,
}

impl Look {
    fn new(base: &Format, text: Option<Format>) -> Look {
        let places = |places: usize| match places {
            0 => "#,##0".to_owned(),
            more => format!("#,##0.{}", "0".repeat(more)),
        };
        let number = |digits: u32| base.clone().set_num_format(places(digits as usize)).set_align(FormatAlign::Right);
        let date = |spelling: &str| base.clone().set_num_format(spelling).set_align(FormatAlign::Left);
        Look {
            text,
            text_right: base.clone().set_align(FormatAlign::Right),
            numbers: (0..=DIGITS_MAX).map(number).collect(),
            day: date("yyyy-mm-dd"),
            weekday: date("yyyy-mm-dd ddd"),
            minute: date("yyyy-mm-dd hh:mm"),
        }
    }
}

impl Looks {
    pub(super) fn new() -> Looks {
        let plain = Format::new().set_align(FormatAlign::Top);
        let bold = plain.clone().set_bold();
        let head = bold.clone().set_background_color(MIST).set_font_color(SEA).set_text_wrap();
        let head = head.set_border_bottom(FormatBorder::Thin).set_border_bottom_color(LINE);
        let wrapped = plain.clone().set_text_wrap();
        let total = bold.set_border_top(FormatBorder::Thin).set_border_top_color(LINE);
        Looks {
            row: Look::new(&plain, None),
            fact: Look::new(&plain, Some(plain.clone())),
            total: Look::new(&total, Some(total.clone())),
            column: plain,
            head: [head.clone(), head.set_align(FormatAlign::Right)],
            title: Format::new().set_bold().set_font_size(16).set_font_color(SEA),
            heading: Format::new().set_bold().set_font_size(12).set_font_color(SEA),
            name: wrapped.clone().set_font_color(Color::RGB(0x0056_6670)),
            warning: wrapped.clone().set_bold().set_font_color(Color::RGB(0x008A_5200)),
            wrapped,
        }
    }

    /// How texts of a table look, unless they stand in its head or its totals.
    pub(super) fn column(&self) -> &Format {
        &self.column
    }

    pub(super) fn head(&self, align: Align) -> &Format {
        match align {
            Align::Left => &self.head[0],
            Align::Right => &self.head[1],
        }
    }
}

/// Writes one cell; an empty one leaves its place as it is.
pub(super) fn put(
    sheet: &mut Worksheet,
    (row, column): (RowNum, ColNum),
    cell: Cell<&str>,
    look: &Look,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => match &look.text {
            Some(format) => put_text(sheet, (row, column), text, format),
            None => sheet.write_string(row, column, fitting(text)).map(drop),
        },
        Cell::Number(number) => match held(number) {
            Some((value, places)) => {
                sheet.write_number_with_format(row, column, value, &look.numbers[places]).map(drop)
            }
            None => put_text(sheet, (row, column), number, &look.text_right),
        },
        Cell::Date(date) => match moment(date, look) {
            Some((at, format)) => sheet.write_datetime_with_format(row, column, &at, format).map(drop),
            None => put(sheet, (row, column), Cell::Text(date), look),
        },
        Cell::Empty => Ok(()),
    }
}

/// Writes a text as a text, whatever it looks like.
pub(super) fn put_text(
    sheet: &mut Worksheet,
    (row, column): (RowNum, ColNum),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(row, column, fitting(text), format).map(drop)
}

/// A decimal as the number that Excel holds for it, with its digits after the point; `None` when it has more digits than
/// Excel keeps, so that it stays a text with all of them.
fn held(number: &str) -> Option<(f64, usize)> {
    let exact = number.parse::<Decimal>().ok()?;
    let digits = exact.normalize().mantissa().unsigned_abs();
    if digits >= 10_u128.pow(DIGITS_MAX) || exact.scale() > DIGITS_MAX {
        return None;
    }
    Some((number.parse().ok()?, exact.scale() as usize))
}

fn moment<'a>(text: &str, look: &'a Look) -> Option<(ExcelDateTime, &'a Format)> {
    let (day, rest) = text.split_once(' ').unwrap_or((text, ""));
    let [year, month, of_month] = digits(day, b'-')?;
    let day = NaiveDate::from_ymd_opt(year.into(), month.into(), of_month.into())?;
    let at = ExcelDateTime::from_ymd(year, u8::try_from(month).ok()?, u8::try_from(of_month).ok()?).ok()?;
    match digits(rest, b':') {
        Some([hour, minute]) => Some((at.and_hms(hour, u8::try_from(minute).ok()?, 0).ok()?, &look.minute)),
        None if rest.is_empty() => Some((at, &look.day)),
        None => (rest == day.weekday().to_string()).then_some((at, &look.weekday)),
    }
}

/// So many numbers of digits alone with this sign between them; `None` for everything else.
fn digits<const N: usize>(text: &str, between: u8) -> Option<[u16; N]> {
    let mut parts = text.as_bytes().split(|byte| *byte == between);
    let mut read = || {
        let part = parts.next().filter(|part| !part.is_empty() && part.len() <= 4)?;
        part.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0')))
    };
    let mut all = [0; N];
    for number in &mut all {
        *number = read()?;
    }
    parts.next().is_none().then_some(all)
}

/// A day that Excel knows.
pub(super) fn date(year: i32, month: u32, day: u32) -> Option<ExcelDateTime> {
    ExcelDateTime::from_ymd(u16::try_from(year).ok()?, month as u8, day as u8).ok()
}

/// As much of a text as a cell takes; the JSON file has all of it.
pub(super) fn fitting(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_UNITS_MAX {
        return Cow::Borrowed(text);
    }
    let mut units = 1;
    let fits = |sign: &char| {
        units += sign.len_utf16();
        units <= TEXT_UNITS_MAX
    };
    Cow::Owned(text.chars().take_while(fits).chain(['…']).collect())
}
