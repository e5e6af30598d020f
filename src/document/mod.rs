//! What is shown, as data: sections, tables, drawings. `formats` draws it; rules and billing return it.

use serde_json::Value;

/// A document that every format can draw; the same document gives the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub title: String,
    pub subtitle: String,
    /// BCP 47, such as `en`.
    pub language: String,
    /// `sha256:…` of the canonical record; also makes the PDF's `/ID`.
    pub digest: String,
    /// RFC 3339; the date in a file's own metadata.
    pub generated_at: String,
    /// The canonical record, as the JSON format writes it.
    pub record: Value,
    pub sections: Vec<Section>,
}

/// One heading and what stands under it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub enum Block {
    Paragraph(String),
    /// A line that must not be overlooked.
    Warning(String),
    /// Name and value pairs.
    Facts(Vec<(String, String)>),
    Table(Table),
}

/// A table; in CSV its columns are addressed by `name`.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Stable name, such as `workloads`.
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// Each row has one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// A last row, drawn as a total.
    pub total: Option<Vec<Cell>>,
}

#[derive(Clone, Debug)]
pub struct Column {
    /// Stable name, such as `reported_count`: the contract of CSV and XLSX.
    pub name: &'static str,
    /// What people read.
    pub heading: &'static str,
    pub align: Align,
    /// Share of the width relative to the other columns.
    pub width: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Foreign or own text; formats guard it.
    Text(String),
    /// A plain decimal, written as it is.
    Number(String),
    Empty,
}
