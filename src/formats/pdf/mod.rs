//! A document as PDF: A4, embedded typeface, page numbers; the same document gives the same bytes.

mod chart;
mod flow;
mod font;
mod look;
mod page;
mod table;

use std::collections::BTreeSet;

use chrono::DateTime;
use printpdf::{OffsetDateTime, PdfDocument, PdfFont, PdfSaveOptions};

use crate::document::{Block, Cell, Document, Table};
use crate::formats::typefaces::Typefaces;
use flow::Flow;
use font::{Fonts, composed};

/// What stands before the two file ids in a trailer as it is written; each is [`ID_LENGTH`] letters.
const ID_START: &[u8] = b"/ID[(";
const ID_LENGTH: usize = 32;
const PDF_X_CLAIM: &[u8] = b"/GTS_PDFXVersion()";

/// Draws the document.
pub(super) fn write(document: &Document, _: &Typefaces) -> Vec<u8> {
    let fonts = Fonts::for_characters(characters(document));
    let mut flow = Flow::new(&fonts, document);
    for section in &document.sections {
        flow.section(section);
    }
    let pages = flow.into_pages();
    let mut pdf = PdfDocument::new(&document.title);
    for face in [fonts.regular, fonts.bold] {
        pdf.resources.fonts.map.insert(face.id, PdfFont::new(face.parsed));
    }
    let made = generated_at(document);
    let info = &mut pdf.metadata.info;
    (info.creation_date, info.modification_date, info.metadata_date) = (made, made, made);
    info.subject = document.subtitle.clone();
    info.creator = "Tidegauge".to_owned();
    info.producer = "Tidegauge".to_owned();
    info.identifier = document.digest.clone();
    pdf.pages = pages.into_iter().map(page::Page::into_pdf).collect();
    // What could be warned of, missing fonts and text outside of a section, does not depend on the document.
    let bytes = pdf.save(&PdfSaveOptions::default(), &mut Vec::new());
    without_false_claim(with_own_id(bytes, &document.digest))
}

fn generated_at(document: &Document) -> OffsetDateTime {
    let seconds = DateTime::parse_from_rfc3339(&document.generated_at).map_or(0, |at| at.timestamp());
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or_else(|_| OffsetDateTime::epoch())
}

/// Puts the digest in place of the file id that printpdf counts on from one file to the next.
///
/// The trailer stands behind the cross-reference table, and the length stays: no offset moves.
fn with_own_id(mut bytes: Vec<u8>, digest: &str) -> Vec<u8> {
    let hex = digest.rsplit(':').next().unwrap_or_default().bytes().filter(u8::is_ascii_hexdigit);
    let id = hex.chain(std::iter::repeat(b'0')).take(2 * ID_LENGTH).collect::<Vec<_>>();
    let found = bytes.windows(ID_START.len()).rposition(|window| window == ID_START);
    let first = found.expect("printpdf =0.12.8 writes the ids as two literal strings") + ID_START.len();
    let second = first + ID_LENGTH + b")(".len();
    bytes[first..first + ID_LENGTH].copy_from_slice(&id[..ID_LENGTH]);
    bytes[second..second + ID_LENGTH].copy_from_slice(&id[ID_LENGTH..]);
    bytes
}

/// Blanks out the empty PDF/X version that printpdf writes: the file is no PDF/X, and readers take the key for one.
fn without_false_claim(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(at) = bytes.windows(PDF_X_CLAIM.len()).rposition(|window| window == PDF_X_CLAIM) {
        bytes[at..at + PDF_X_CLAIM.len()].fill(b' ');
    }
    bytes
}

/// Every character that is drawn, in NFC.
fn characters(document: &Document) -> BTreeSet<char> {
    let mut used = BTreeSet::new();
    let mut take = |text: &str| {
        if !text.is_ascii() {
            used.extend(composed(text).chars());
        }
    };
    take(&document.title);
    take(&document.subtitle);
    for section in &document.sections {
        take(&section.heading);
        for block in &section.blocks {
            each_text(block, &mut take);
        }
    }
    used
}

fn each_text(block: &Block, take: &mut impl FnMut(&str)) {
    match block {
        Block::Paragraph(text) | Block::Warning(text) => take(text),
        Block::Figures(figures) => {
            for figure in figures {
                [&figure.name, &figure.value, &figure.remark].into_iter().for_each(|text| take(text));
            }
        }
        Block::Facts(facts) => facts.iter().flat_map(|(name, value)| [name, value]).for_each(|text| take(text)),
        Block::Chart(chart) => {
            [&chart.title, &chart.mark_name, &chart.reported_name].into_iter().for_each(|text| take(text));
            chart.points.iter().for_each(|point| take(&point.label));
        }
        Block::Table(table) => each_cell(table, take),
    }
}

fn each_cell(table: &Table, take: &mut impl FnMut(&str)) {
    table.columns.iter().for_each(|column| take(column.heading));
    for cell in table.rows.iter().chain(&table.totals).flatten() {
        match cell {
            Cell::Text(text) | Cell::Number(text) => take(text),
            Cell::Empty => {}
        }
    }
}
