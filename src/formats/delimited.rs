//! Delimited fields as bytes: signs and encoding as they are wanted, text guarded as in every CSV.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::csv::{BYTE_ORDER_MARK, guarded};
use crate::document::Cell;
use crate::document::delimited::{Delimited, Encoding};

/// Longest part of a text that a refusal shows.
const SHOWN_MAX: usize = 60;

/// A text that the encoding has no signs for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' cannot be written in windows-1252; choose encoding = \"utf-8\" or \"utf-8-bom\" for the profile")]
pub struct NotWritable(pub String);

/// Writes the rows; the same fields give the same bytes.
///
/// # Errors
/// [`NotWritable`] names the first text that the encoding lacks signs for: it is never written as something else.
pub fn write(file: &Delimited) -> Result<Vec<u8>, NotWritable> {
    let mut writer = WriterBuilder::new()
        .delimiter(file.dialect.delimiter.sign())
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(match file.dialect.encoding {
            Encoding::Utf8Bom => BYTE_ORDER_MARK.to_vec(),
            Encoding::Utf8 | Encoding::Windows1252 => Vec::new(),
        });
    let heads = file.heads.iter().map(|heads| heads.iter().map(|head| guarded(head).into_owned()).collect());
    let rows = file.rows.iter().map(|row| row.iter().map(|cell| shown(file, cell)).collect());
    let to_memory = "records of equal length are written to memory";
    for record in heads.chain(rows) {
        let record: Vec<String> = record;
        let fields: Result<Vec<Vec<u8>>, NotWritable> =
            record.into_iter().map(|field| encoded(field, file.dialect.encoding)).collect();
        writer.write_record(fields?).expect(to_memory);
    }
    Ok(writer.into_inner().expect("memory has no flush that fails"))
}

fn shown(file: &Delimited, cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text).into_owned(),
        Cell::Number(plain) => file.dialect.decimal.written(plain),
        Cell::Date(plain) => plain.clone(),
        Cell::Empty => String::new(),
    }
}

fn encoded(field: String, encoding: Encoding) -> Result<Vec<u8>, NotWritable> {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => Ok(field.into_bytes()),
        Encoding::Windows1252 => match encoding_rs::WINDOWS_1252.encode(&field) {
            (bytes, _, false) => Ok(bytes.into_owned()),
            (_, _, true) => Err(NotWritable(field.chars().take(SHOWN_MAX).collect())),
        },
    }
}
