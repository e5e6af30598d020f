//! A file of delimited fields as somebody else's program wants it: its signs are data, its text is guarded like every CSV.

use super::Cell;

/// Rows of fields; `formats::delimited` writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimited {
    pub dialect: Dialect,
    /// `None`: the file begins with the first row.
    pub heads: Option<Vec<String>>,
    /// Each row has one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// How fields become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: Delimiter,
    pub decimal: DecimalSign,
    pub encoding: Encoding,
}

impl Dialect {
    /// What programs read without being told: commas, decimal points, UTF-8 without a mark.
    pub const PLAIN: Dialect =
        Dialect { delimiter: Delimiter::Comma, decimal: DecimalSign::Point, encoding: Encoding::Utf8 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Bar,
}

/// Delimiters as settings write them.
pub const DELIMITERS: [(&str, Delimiter); 4] =
    [(",", Delimiter::Comma), (";", Delimiter::Semicolon), ("tab", Delimiter::Tab), ("|", Delimiter::Bar)];

impl Delimiter {
    pub fn sign(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
            Delimiter::Bar => b'|',
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalSign {
    Point,
    Comma,
}

/// Decimal signs as settings write them.
pub const DECIMAL_SIGNS: [(&str, DecimalSign); 2] = [(".", DecimalSign::Point), (",", DecimalSign::Comma)];

impl DecimalSign {
    /// A plain decimal with this sign.
    pub fn written(self, plain: &str) -> String {
        match self {
            DecimalSign::Point => plain.to_owned(),
            DecimalSign::Comma => plain.replace('.', ","),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// With a byte order mark, by which spreadsheets know it.
    Utf8Bom,
    /// Western European: what it lacks cannot be written.
    Windows1252,
}

/// Encodings as settings write them.
pub const ENCODINGS: [(&str, Encoding); 3] =
    [("utf-8", Encoding::Utf8), ("utf-8-bom", Encoding::Utf8Bom), ("windows-1252", Encoding::Windows1252)];
