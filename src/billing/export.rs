//! What a month's document is exported as: one row of [`EXPORTS`] each.

use std::collections::BTreeMap;

use super::invoice::{Invoice, Standing};
use super::price_book::PriceBook;
use super::{focus, lines_file, statement};
use crate::document::Document;
use crate::document::delimited::Delimited;
use crate::domain::adjustment::Adjustment;
use crate::domain::calendar::rfc3339;
use crate::domain::installation::ServerName;
use crate::domain::report::UsageReport;
use crate::domain::watermark::Coverage;
use crate::domain::{Instant, Points};

/// One way to hand a document on.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    pub name: &'static str,
    pub shape: Shape,
    /// Endings of file names that `formats` writes.
    pub extensions: &'static [&'static str],
    /// What is written; the same document gives the same sheets.
    pub sheets: fn(&Invoice, &Beside) -> Result<Vec<Sheet>, NotExported>,
}

/// Why a document cannot be exported this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotExported {
    #[error(
        "FOCUS names who sells what: add [focus] with provider, publisher and billing_account_id to the price book"
    )]
    NoSeller,
}

/// What PATH is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A file of one of the endings.
    OneFile,
    /// A folder; each sheet with every ending.
    Folder,
}

/// Names of workloads by their server and id: ids are unique only on their server.
pub type Names = BTreeMap<(ServerName, String), String>;

/// What an export may say beyond the document.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    pub names: Names,
    /// By the report's id.
    pub reports: BTreeMap<String, ReportFacts>,
    /// For what the documents do not keep: list prices, and who sells.
    pub book: Option<PriceBook>,
}

/// What a month's report says beside its lines.
#[derive(Clone, Debug)]
pub struct ReportFacts {
    /// The month's high watermark, when one was measured.
    pub watermark: Option<Points>,
    pub coverage: Coverage,
    pub adjustments: Vec<Adjustment>,
}

impl ReportFacts {
    pub fn of(report: &UsageReport) -> ReportFacts {
        ReportFacts {
            watermark: report.daily.iter().filter_map(|day| day.points).max(),
            coverage: report.coverage,
            adjustments: report.adjustments.clone(),
        }
    }
}

/// One file to write, and its name without the ending.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub stem: String,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    /// Written by the format of each ending.
    Drawn(Box<Document>),
    /// Fields as another program wants them; its ending is `csv`.
    Fields(Delimited),
}

/// Every export there is.
pub const EXPORTS: [Export; 3] = [
    Export { name: "lines", shape: Shape::OneFile, extensions: &["csv", "json"], sheets: lines_file::sheets },
    Export { name: "focus", shape: Shape::OneFile, extensions: &["csv"], sheets: focus::sheets },
    Export { name: "statements", shape: Shape::Folder, extensions: &["pdf", "csv"], sheets: statement::sheets },
];

/// The export of this name.
pub fn by_name(name: &str) -> Option<&'static Export> {
    EXPORTS.iter().find(|export| export.name == name)
}

/// What names of files begin with: month, document, and whether it is a draft, a part, or under pseudonyms.
pub(super) fn stem_of(invoice: &Invoice) -> String {
    let draft = match invoice.standing {
        Standing::Draft { .. } => "-draft",
        Standing::Issued { .. } => "",
    };
    let part = if invoice.is_part() { "-part" } else { "" };
    let names = if invoice.pseudonyms_of.is_some() { "-pseudonyms" } else { "" };
    format!("{}-{}{draft}{part}{names}", invoice.month, invoice.sequence)
}

/// When the document was made: its files are the same whenever they are written.
pub(super) fn made_at(invoice: &Invoice) -> String {
    rfc3339(made(invoice))
}

pub(super) fn made(invoice: &Invoice) -> Instant {
    let newest = invoice.reports.iter().map(|report| report.generated_at).max();
    match invoice.standing {
        Standing::Draft { .. } => newest.unwrap_or(invoice.month.ends_at()),
        Standing::Issued { at, .. } => at,
    }
}
