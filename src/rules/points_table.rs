//! Points tables: what a workload weighs where the server states nothing. Data with source and date, in TOML.
//!
//! The weight that a server states always wins (domain.md 2.2). A provisional row is listed and never applied: whoever
//! knows better repeats it without the mark in a table of the settings.

use std::fmt;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::Points;
use crate::domain::license::License;
use crate::domain::workload::WorkloadType;

/// The tables that come with the program: a name for texts, and the TOML.
const BUILT_IN: [(&str, &str); 3] = [
    ("cloud_connect.toml", include_str!("points_tables/cloud_connect.toml")),
    ("backup_and_replication.toml", include_str!("points_tables/backup_and_replication.toml")),
    ("other_products.toml", include_str!("points_tables/other_products.toml")),
];

/// A license without a product is that of a backup server.
const PRODUCT_DEFAULT: &str = "VBR";
/// Its types tell it apart; backup servers show its licenses as their own.
const CLOUD_CONNECT: &str = "VCC";
/// Most rows of one table.
const ROWS_MAX: usize = 10_000;

/// One row: points of a type under a product, an edition and a package, and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsRow {
    pub product: String,
    /// `None`: any edition.
    #[serde(default)]
    pub edition: Option<String>,
    /// `None`: any package.
    #[serde(default)]
    pub package: Option<String>,
    #[serde(rename = "type")]
    pub kind: WorkloadType,
    /// What weighs so much, when it is not one machine: `user`, `500 GB`.
    #[serde(default)]
    pub unit: Option<String>,
    /// In quotes in the file, so that it stays exact.
    pub points: Points,
    /// Page and date of the figure.
    pub source: String,
    /// The first day on which the row is in force, GMT.
    pub valid_from: NaiveDate,
    /// Inferred, or from a single sample: shown, not applied.
    #[serde(default)]
    pub provisional: bool,
    /// The name of its table.
    #[serde(default)]
    pub table: String,
}

/// Why a text is no points table: where, what, and what to do, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}:{line}: {why}")]
pub struct NotATable {
    pub table: String,
    pub line: usize,
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    row: Vec<toml::Spanned<PointsRow>>,
}

/// Reads a points table.
///
/// # Errors
/// [`NotATable`] for what is no TOML of this form, a row without a source, a row that stands twice.
pub fn read(table: &str, text: &str) -> Result<Vec<PointsRow>, NotATable> {
    let line_of = |byte: usize| text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() + 1;
    let refuse = |byte: usize, why: String| NotATable { table: table.to_owned(), line: line_of(byte), why };
    let written: Written = toml::from_str(text).map_err(|error| {
        let what = error.message().replace('\n', ", ");
        let how = "a row has product, type, points, source, valid_from";
        refuse(error.span().map_or(0, |span| span.start), format!("{what}; {how}, and may have more"))
    })?;
    if written.row.len() > ROWS_MAX {
        return Err(refuse(0, format!("more than {ROWS_MAX} rows; split the table")));
    }
    let mut rows: Vec<PointsRow> = Vec::with_capacity(written.row.len());
    for spanned in written.row {
        let at = spanned.span().start;
        let row = PointsRow { table: table.to_owned(), ..spanned.into_inner() };
        if row.source.trim().is_empty() {
            return Err(refuse(at, format!("the row of {} has no source; say where the figure is from", row.kind)));
        }
        if row.points.is_negative() {
            return Err(refuse(at, format!("{} points of {}: points are never negative", row.points, row.kind)));
        }
        if let Some(other) = rows.iter().find(|other| other.is_about(&row)) {
            let why = format!("{row} stands twice, with {} and {} points; keep one", other.points, row.points);
            return Err(refuse(at, why));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The rows that come with the program.
pub fn built_in() -> &'static [PointsRow] {
    static ROWS: LazyLock<Vec<PointsRow>> = LazyLock::new(|| {
        let read = |(name, text)| read(name, text).expect("the tables of the program are tested");
        BUILT_IN.into_iter().flat_map(read).collect()
    });
    &ROWS
}

impl PointsRow {
    /// Whether two rows answer the same question from the same day on.
    pub fn is_about(&self, other: &PointsRow) -> bool {
        self.question() == other.question() && self.valid_from == other.valid_from
    }

    /// What the row answers: product, edition, package and type.
    pub fn question(&self) -> (&str, Option<&str>, Option<&str>, &WorkloadType) {
        (&self.product, self.edition.as_deref(), self.package.as_deref(), &self.kind)
    }

    /// Whether the row speaks of this type under this license.
    fn fits(&self, kind: &WorkloadType, license: &License) -> bool {
        let product = license.product.as_deref().unwrap_or(PRODUCT_DEFAULT);
        let is_same = |named: &Option<String>, shown: &Option<String>| {
            named.as_deref().is_none_or(|named| shown.as_deref().is_some_and(|shown| plain(shown) == plain(named)))
        };
        self.kind == *kind
            && (self.product == CLOUD_CONNECT || self.product.eq_ignore_ascii_case(product))
            && is_same(&self.edition, &license.edition)
            && is_same(&self.package, &license.package)
    }

    /// How much the row names: a package says more than an edition.
    fn is_specific(&self) -> (bool, bool) {
        (self.package.is_some(), self.edition.is_some())
    }
}

/// `Enterprise Plus` is `EnterprisePlus`.
fn plain(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_whitespace()).collect::<String>().to_lowercase()
}

impl fmt::Display for PointsRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.product)?;
        for named in [&self.edition, &self.package].into_iter().flatten() {
            write!(f, "{named} ")?;
        }
        write!(f, "{} from {}", self.kind, self.valid_from)
    }
}

/// The row in force for a type under a license on a day: the most specific, of those the newest, of those the last.
pub fn row_among<'a>(
    rows: impl Iterator<Item = &'a PointsRow>,
    kind: &WorkloadType,
    license: &License,
    on: NaiveDate,
) -> Option<&'a PointsRow> {
    rows.filter(|row| row.valid_from <= on && row.fits(kind, license))
        .max_by_key(|row| (row.is_specific(), row.valid_from))
}
