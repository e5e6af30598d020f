//! The record behind a document, as indented JSON.

use crate::document::Document;
use crate::formats::typefaces::Typefaces;

/// Writes the record with a newline at the end.
pub(super) fn write(document: &Document, _: &Typefaces) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(&document.record).expect("a JSON value is written to memory");
    bytes.push(b'\n');
    bytes
}
