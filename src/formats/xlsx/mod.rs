//! A document as an Excel workbook: an overview with its chart, and a sheet for each kind of table.
//!
//! Nothing in it is a formula. The header row holds what people read; each column's stable name is a defined name of the
//! workbook, `TABLE.COLUMN`, over the rows of that column.

mod cells;
mod charts;
mod overview;
mod sheets;

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Timelike};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use crate::document::Document;
use crate::formats::typefaces::Typefaces;
use cells::{Looks, fitting};

/// How hard the sheets are packed: the usual 6 takes a fifth longer in all for a hundredth of the size.
const LEVEL: u8 = 4;
/// Most signs of a text in the document properties.
const PROPERTY_CHARS_MAX: usize = 255;

/// Writes the workbook.
pub(super) fn write<'d>(document: &'d Document, _: &Typefaces) -> Cow<'d, [u8]> {
    let to_memory = "sheets, names and texts are kept within Excel's limits, and memory takes them";
    Cow::Owned(workbook(document).expect(to_memory))
}

fn workbook(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_zip_compression_level(LEVEL);
    let looks = Looks::new();
    let mut names = SheetNames::default();
    workbook.set_properties(&properties(document));
    // The overview stands first, and its charts name sheets that come later.
    let front = names.take("overview");
    workbook.add_worksheet().set_name(&front)?;
    for sheet in sheets::sheets(document) {
        sheet.write(&mut workbook, &mut names, &looks)?;
    }
    let charts = charts::write(&mut workbook, document, &mut names, &looks)?;
    overview::write(workbook.worksheet_from_index(0)?, document, charts, &looks)?;
    workbook.save_to_buffer()
}

fn properties(document: &Document) -> DocProperties {
    let short = |text: &str| text.chars().take(PROPERTY_CHARS_MAX).collect::<String>();
    let properties = DocProperties::new()
        .set_title(short(&document.title))
        .set_subject(short(&document.subtitle))
        .set_author("Tidegauge")
        .set_custom_property("Digest", fitting(&document.digest).as_ref());
    // Without a date of its own the crate would take the hour of the machine.
    properties.set_creation_datetime(&written_at(&document.generated_at))
}

/// The document's hour, or the first one that Excel knows.
fn written_at(generated_at: &str) -> ExcelDateTime {
    let first = ExcelDateTime::from_ymd(1900, 1, 1).expect("Excel's dates begin there");
    let Ok(at) = DateTime::parse_from_rfc3339(generated_at).map(|at| at.to_utc()) else { return first };
    cells::date(at.date_naive().year(), at.month(), at.day())
        .and_then(|day| day.and_hms(at.hour() as u16, at.minute() as u8, f64::from(at.second())).ok())
        .unwrap_or(first)
}

/// The sheets' names that are taken: no two may be the same.
#[derive(Default)]
struct SheetNames(BTreeSet<String>);

impl SheetNames {
    /// `new_workloads` becomes `New workloads`, and `New workloads 2` the second time.
    fn take(&mut self, name: &str) -> String {
        const CHARS_MAX: usize = 24;
        let words = name.chars().take(CHARS_MAX).map(|sign| if sign == '_' { ' ' } else { sign }).collect::<String>();
        let mut letters = words.chars();
        let first = letters.next().map_or_else(|| "Table".to_owned(), |first| first.to_uppercase().collect());
        let base = first + letters.as_str();
        let numbered = |n: usize| if n == 1 { base.clone() } else { format!("{base} {n}") };
        let free = (1..=self.0.len() + 1).map(numbered).find(|name| !self.0.contains(name));
        let free = free.expect("one name more than are taken");
        self.0.insert(free.clone());
        free
    }
}
