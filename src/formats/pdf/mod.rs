//! A document as PDF: A4, embedded typefaces, page numbers; the same document and typefaces give the same bytes.

mod chart;
mod content;
mod face;
mod figures;
mod file;
mod flow;
mod lacking;
mod look;
mod page;
mod setting;
mod signs;
mod table;
mod text;

use crate::document::Document;
use crate::formats::typefaces::Typefaces;
use flow::Flow;
use setting::Setting;

pub use lacking::{Lacking, lacking};

/// Draws the document.
pub(super) fn write(document: &Document, typefaces: &Typefaces) -> Vec<u8> {
    let setting = Setting::new(typefaces);
    let mut flow = Flow::new(&setting, document);
    for section in &document.sections {
        flow.section(section);
    }
    let (pages, marks) = flow.into_pages();
    file::joined(document, &setting, pages, &marks)
}
