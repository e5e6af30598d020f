//! A document as a file: pure, byte for byte reproducible.

pub mod charts;
mod csv;
pub mod delimited;
mod html;
pub mod ics;
mod json;
pub mod line_chart;
pub mod open_metrics;
mod pdf;
pub mod schemas;
pub mod typefaces;
mod xlsx;

use std::borrow::Cow;

use crate::document::{Document, Part};
use typefaces::Typefaces;

pub use pdf::{Lacking, lacking};

/// One kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The end of a file's name, without the dot.
    pub extension: &'static str,
    pub media_type: &'static str,
    /// The parts of a document that it shows; it needs no others.
    pub shows: &'static [Part],
    /// Writes the document; the same document and typefaces give the same bytes, always. Formats that draw nothing
    /// need no typefaces; what stands in the document as it is in the file is borrowed.
    pub write: for<'d> fn(&'d Document, &Typefaces) -> Cow<'d, [u8]>,
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Every format there is, one row and one file each.
pub const FORMATS: [Format; 5] = [
    Format { extension: "json", media_type: "application/json", shows: &[Part::Record], write: json::write },
    Format { extension: "csv", media_type: "text/csv; charset=utf-8", shows: &[Part::Lines], write: csv::write },
    Format { extension: "xlsx", media_type: XLSX, shows: &[Part::Lines, Part::Sections], write: xlsx::write },
    Format { extension: "html", media_type: "text/html; charset=utf-8", shows: &[Part::Sections], write: html::write },
    Format { extension: "pdf", media_type: "application/pdf", shows: &[Part::Sections], write: pdf::write },
];

/// The format of this file name extension.
pub fn by_extension(extension: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.extension == extension)
}
