//! Evidence archives, and font files.

use std::sync::Arc;

use tidegauge::agent::verify_evidence;
use tidegauge::document::{Document, Section};
use tidegauge::evidence::archive::{Files, pack};
use tidegauge::formats::typefaces::Typefaces;
use tidegauge::formats::{by_extension, lacking};

use super::{manner, says};

/// An archive as it stands on a disk; behind the line `files` the files of one: each behind a record separator, its
/// name on the first line. A name that no archive has is written all the same.
pub fn evidence(bytes: &[u8]) {
    let (first, rest) = manner(bytes);
    if !says(first, "files") {
        verify_evidence(bytes, None);
        return;
    }
    let files: Files = rest
        .split(|byte| *byte == 0x1E)
        .filter(|record| !record.is_empty())
        .map(manner)
        .map(|(name, content)| (name.to_owned(), content.to_vec()))
        .collect();
    if let Ok(archive) = pack(&files) {
        let verdict = verify_evidence(&archive, Some("sha256:00"));
        assert!(verdict.is_object(), "a verdict is an object");
    }
}

/// A font file of the settings, drawn with.
pub fn font(bytes: &[u8]) {
    let typefaces = Typefaces { files: vec![Arc::from(bytes)] };
    let paragraph = tidegauge::document::Block::Paragraph("Größe 漢字 ไทย עברית عربى 12,5".to_owned());
    let document = Document {
        title: "漢字".to_owned(),
        sections: vec![Section { heading: "ไทย".to_owned(), blocks: vec![paragraph] }],
        ..Document::default()
    };
    lacking(&document, &typefaces);
    let pdf = by_extension("pdf").expect("a row of FORMATS");
    assert!((pdf.write)(&document, &typefaces).starts_with(b"%PDF"), "what is written is a PDF");
}
