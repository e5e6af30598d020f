//! The document's lines as CSV by RFC 4180; header names are the contract, their order is not.
//!
//! It begins with a byte order mark, without which Excel reads UTF-8 as the system's code page. A reader that takes the mark
//! for a part of the first name loses the first column, which holds no figure.

use std::borrow::Cow;

use csv::{ByteRecord, QuoteStyle, Terminator, WriterBuilder};

use crate::document::{Cell, Document};
use crate::formats::typefaces::Typefaces;

/// First signs that make a spreadsheet run a text as a formula, full-width forms included (OWASP, CSV injection).
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Many rows, of which only those at its end are written field by field.
const BUFFER_BYTES: usize = 65_536;

pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes the lines. The JSON file beside it keeps each text as it came.
pub(super) fn write<'d>(document: &'d Document, _: &Typefaces) -> Cow<'d, [u8]> {
    let begun = BYTE_ORDER_MARK.to_vec();
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .buffer_capacity(BUFFER_BYTES)
        .from_writer(begun);
    let table = &document.lines;
    let to_memory = "records of equal length are written to memory";
    writer.write_record(table.columns.iter().map(|column| column.name)).expect(to_memory);
    // A whole record goes through the buffer at once.
    let mut record = ByteRecord::new();
    for row in table.rows.iter() {
        record.clear();
        row.iter().for_each(|cell| record.push_field(shown(cell).as_bytes()));
        writer.write_byte_record(&record).expect(to_memory);
    }
    Cow::Owned(writer.into_inner().expect("memory has no flush that fails"))
}

fn shown(cell: Cell<&str>) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) => guarded(text),
        Cell::Number(plain) | Cell::Date(plain) => Cow::Borrowed(plain),
        Cell::Empty => Cow::Borrowed(""),
    }
}

/// A leading apostrophe before a text that a spreadsheet would run; leading signs that nobody sees hide nothing.
///
/// Apostrophes that such a text has itself count as leading signs too: `'=1` becomes `''=1`, so a reader that takes one
/// apostrophe away has the text as it came.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Cow::Borrowed(text);
    }
    let unseen = |sign: char| sign == '\'' || is_unseen(sign) && !FORMULA_STARTS.contains(&sign);
    match text.trim_start_matches(unseen).starts_with(FORMULA_STARTS) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// Blanks, control characters, and what is written and not shown: programs drop some of them before they look.
fn is_unseen(sign: char) -> bool {
    let is_format = matches!(
        sign,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    is_format || sign.is_whitespace() || sign.is_control()
}
