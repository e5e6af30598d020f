//! The document as one HTML file: no script, nothing loaded, for phone, screen and paper, in light and dark.
//!
//! It is well-formed XML too, so that programs can read the tables; each table and column carries its stable name.

use std::borrow::Cow;

use askama::Template;

use super::charts;
use crate::document::{Align, Block, Cell, Document, Table};
use crate::formats::typefaces::Typefaces;

/// Tables of more columns are wider than a phone and scroll in their frame.
const NARROW_COLUMNS_MAX: usize = 4;

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    document: &'a Document,
}

/// Writes the page.
pub(super) fn write<'d>(document: &'d Document, _: &Typefaces) -> Cow<'d, [u8]> {
    let page = Page { document }.render().expect("a page is written to memory");
    Cow::Owned(shown(&page).into_owned().into_bytes())
}

/// Control characters, which HTML does not know, as the sign for what cannot be shown.
fn shown(page: &str) -> Cow<'_, str> {
    let unknown =
        |sign: char| (sign.is_control() && sign != '\n' && sign != '\t') || matches!(sign, '\u{fffe}' | '\u{ffff}');
    if page.contains(unknown) { Cow::Owned(page.replace(unknown, "\u{fffd}")) } else { Cow::Borrowed(page) }
}

impl Page<'_> {
    /// The sections that have a heading, with their place.
    fn headings(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.document.sections.iter().enumerate();
        numbered.map(|(n, section)| (n, section.heading.as_str())).filter(|(_, heading)| !heading.is_empty())
    }

    /// Width of each column in hundredths of the table's.
    fn widths(table: &Table) -> Vec<usize> {
        let all = table.columns.iter().map(|column| usize::from(column.width.max(1))).sum::<usize>();
        table.columns.iter().map(|column| usize::from(column.width.max(1)) * 100 / all.max(1)).collect()
    }

    fn is_wide(table: &Table) -> bool {
        table.columns.len() > NARROW_COLUMNS_MAX
    }

    /// How many rows a table has, in words.
    fn rows_of(table: &Table) -> String {
        match table.rows.len() {
            1 => "1 row".to_owned(),
            more => format!("{more} rows"),
        }
    }
}
