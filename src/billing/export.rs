//! What a month's document is exported as: one row of [`EXPORTS`] each.

use std::collections::BTreeMap;

use super::invoice::{Invoice, Standing};
use super::{lines_file, statement};
use crate::document::Document;
use crate::domain::calendar::rfc3339;

/// One way to hand a document on.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    pub name: &'static str,
    pub shape: Shape,
    /// Endings of file names that `formats` writes.
    pub extensions: &'static [&'static str],
    /// What is written; the same document gives the same sheets.
    pub sheets: fn(&Invoice, &Names) -> Vec<Sheet>,
}

/// What PATH is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A file of one of the endings.
    OneFile,
    /// A folder; each sheet with every ending.
    Folder,
}

/// Names of workloads by their ids.
pub type Names = BTreeMap<String, String>;

/// One document to write, and its file's name without the ending.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub stem: String,
    pub document: Document,
}

/// Every export there is.
pub const EXPORTS: [Export; 2] = [
    Export { name: "lines", shape: Shape::OneFile, extensions: &["csv", "json"], sheets: lines_file::sheets },
    Export { name: "statements", shape: Shape::Folder, extensions: &["pdf", "csv"], sheets: statement::sheets },
];

/// The export of this name.
pub fn by_name(name: &str) -> Option<&'static Export> {
    EXPORTS.iter().find(|export| export.name == name)
}

/// What names of files begin with: month, document, and whether it is a draft.
pub(super) fn stem_of(invoice: &Invoice) -> String {
    match invoice.standing {
        Standing::Draft { .. } => format!("{}-{}-draft", invoice.month, invoice.sequence),
        Standing::Issued { .. } => format!("{}-{}", invoice.month, invoice.sequence),
    }
}

/// When the document was made: its files are the same whenever they are written.
pub(super) fn made_at(invoice: &Invoice) -> String {
    let newest = invoice.reports.iter().map(|report| report.generated_at).max();
    rfc3339(match invoice.standing {
        Standing::Draft { .. } => newest.unwrap_or(invoice.month.ends_at()),
        Standing::Issued { at, .. } => at,
    })
}
