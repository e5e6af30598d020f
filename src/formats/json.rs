//! The record behind a document, as indented JSON.

use std::borrow::Cow;

use crate::document::Document;
use crate::formats::typefaces::Typefaces;

/// The record as it stands in the document; a document without one has nothing to say.
pub(super) fn write<'d>(document: &'d Document, _: &Typefaces) -> Cow<'d, [u8]> {
    Cow::Borrowed(if document.record.is_empty() { b"null\n" } else { &document.record })
}
