//! The typefaces a document needs beside the built-in one.

use crate::document::Document;
use crate::formats::typefaces::Typefaces;

use super::Agent;

impl Agent {
    /// The typefaces that this document is drawn with.
    pub(super) fn typefaces_for(&self, _document: &Document) -> Typefaces {
        Typefaces::default()
    }
}
