//! The characters of a document that no typeface has: they are drawn as boxes.

use std::collections::{BTreeMap, BTreeSet};

use super::setting::{Setting, Weight};
use super::with_sound;
use crate::document::{Block, Document, Row, Table};
use crate::formats::typefaces::Typefaces;

/// Each text that is drawn with boxes, and the characters that these stand for.
pub type Lacking = BTreeMap<String, BTreeSet<char>>;

/// What these typefaces and the built-in one together lack of the document.
pub fn lacking(document: &Document, typefaces: &Typefaces) -> Lacking {
    let mut texts = BTreeSet::new();
    let mut take = |text: &str| {
        if !text.is_ascii() {
            texts.insert(text.to_owned());
        }
    };
    take(&document.title);
    take(&document.subtitle);
    for section in &document.sections {
        take(&section.heading);
        section.blocks.iter().for_each(|block| each_text(block, &mut take));
    }
    if texts.is_empty() {
        return Lacking::new();
    }
    with_sound(typefaces, |typefaces| of_texts(&texts, typefaces))
}

/// Each text is set and its glyphs are embedded, as in a document: a font file may break off there alone.
fn of_texts(texts: &BTreeSet<String>, typefaces: &Typefaces) -> Lacking {
    let setting = Setting::new(typefaces);
    let each = texts.iter().map(|text| {
        setting.line(text, Weight::Regular);
        (text.clone(), setting.lacking(text))
    });
    let lacking = each.filter(|(_, lacking)| !lacking.is_empty()).collect();
    if !typefaces.files.is_empty() {
        setting.faces.iter().for_each(|face| drop(face.embedded()));
    }
    lacking
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
    table.rows.iter().chain(table.totals.iter()).flat_map(Row::texts).for_each(take);
}
