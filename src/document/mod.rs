//! What is shown, as data: sections, tables, drawings. `formats` draws it; rules and billing return it.

pub mod agenda;
pub mod delimited;
mod rows;

use rust_decimal::Decimal;

pub use rows::{NewRow, Repeated, Row, Rows};

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
    /// The record as JSON, members in the order of canonical JSON (RFC 8785), a line for each; empty: there is none.
    pub record: Vec<u8>,
    /// The one table that CSV writes: the lines that billing takes. Not drawn.
    pub lines: Table,
    pub sections: Vec<Section>,
}

/// A part of a document, so that nobody makes what no format shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Record,
    Lines,
    Sections,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Record, Part::Lines, Part::Sections];
}

impl Document {
    /// Every chart, in the order they stand.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Chart(chart) => Some(chart),
            Block::Paragraph(_) | Block::Warning(_) | Block::Figures(_) | Block::Facts(_) | Block::Table(_) => None,
        })
    }
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
    /// The few numbers a reader looks for first, drawn large.
    Figures(Vec<Figure>),
    /// Name and value pairs.
    Facts(Vec<(String, String)>),
    Chart(Chart),
    Table(Table),
}

/// A table; in CSV its columns are addressed by `name`.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Stable name, such as `workloads`.
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// Each row has one cell per column.
    pub rows: Rows,
    /// Last rows, drawn as totals.
    pub totals: Rows,
}

/// One large number with its name above and a remark below.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    pub name: String,
    pub value: String,
    pub remark: String,
}

/// High watermarks over time against what was reported.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    pub title: String,
    /// What the marks are, such as `Daily high watermark`.
    pub mark_name: String,
    /// What the level or the bars beside them are, such as `Reported`.
    pub reported_name: String,
    /// In order of time, at equal distances.
    pub points: Vec<ChartPoint>,
    /// One reported amount for the whole chart, drawn as a line.
    pub level: Option<Decimal>,
}

/// One day, week or month of a chart; `None` is a gap, never zero.
#[derive(Clone, Debug, Default)]
pub struct ChartPoint {
    pub label: String,
    pub mark: Option<Decimal>,
    pub reported: Option<Decimal>,
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

/// A cell; a borrowed one has its text from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<T = String> {
    /// Foreign or own text; formats guard it.
    Text(T),
    /// A plain decimal, written as it is.
    Number(T),
    /// A day or a minute of GMT, written as it is: `2026-10-31`, `2026-10-31 Sat` or `2026-10-31 01:00`.
    Date(T),
    Empty,
}

impl<T> Cell<T> {
    /// What kind of cell it is, without its text.
    fn kind(&self) -> Cell<()> {
        self.with(())
    }

    /// A cell of this kind with another text.
    fn with<U>(&self, text: U) -> Cell<U> {
        match self {
            Cell::Text(_) => Cell::Text(text),
            Cell::Number(_) => Cell::Number(text),
            Cell::Date(_) => Cell::Date(text),
            Cell::Empty => Cell::Empty,
        }
    }
}

impl<'a> Cell<&'a str> {
    /// A text; an empty one is no cell's text.
    fn of_text(text: &'a str) -> Cell<&'a str> {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
    }
}

impl<T: AsRef<str>> Cell<T> {
    /// The cell as people read it.
    pub fn shown(&self) -> &str {
        match self {
            Cell::Text(text) | Cell::Number(text) | Cell::Date(text) => text.as_ref(),
            Cell::Empty => "",
        }
    }

    /// The cell with its text borrowed.
    pub fn as_ref(&self) -> Cell<&str> {
        self.with(self.shown())
    }
}
