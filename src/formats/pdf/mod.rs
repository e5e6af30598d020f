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

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::document::Document;
use crate::formats::typefaces::Typefaces;
use flow::Flow;
use setting::Setting;

pub use lacking::{Lacking, lacking};

/// Draws the document.
pub(super) fn write<'d>(document: &'d Document, typefaces: &Typefaces) -> Cow<'d, [u8]> {
    Cow::Owned(with_sound(typefaces, |typefaces| drawn(document, typefaces)))
}

fn drawn(document: &Document, typefaces: &Typefaces) -> Vec<u8> {
    let setting = Setting::new(typefaces);
    let mut flow = Flow::new(&setting, document);
    for section in &document.sections {
        flow.section(section);
    }
    let (pages, marks) = flow.into_pages();
    file::joined(document, &setting, pages, &marks)
}

/// Does it with the font files that it can be done with. They come from outside, and the crate that reads them panics on
/// some that are damaged: such a one is as if it were not there.
fn with_sound<T>(typefaces: &Typefaces, draw: impl Fn(&Typefaces) -> T) -> T {
    // Nothing that a panic left half done is used again: each try makes everything anew.
    let tried = |files: Vec<Arc<[u8]>>| catch_unwind(AssertUnwindSafe(|| draw(&Typefaces { files }))).ok();
    if typefaces.files.is_empty() {
        return draw(typefaces);
    }
    let with_each_sound = || {
        let is_sound = |file: &&Arc<[u8]>| tried(vec![Arc::clone(file)]).is_some();
        tried(typefaces.files.iter().filter(is_sound).cloned().collect())
    };
    tried(typefaces.files.clone()).or_else(with_each_sound).unwrap_or_else(|| draw(&Typefaces::default()))
}
