//! Long answers in pages: how many rows one has, and numbers as a URL writes them.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Rows of a page without a limit.
const ROWS_DEFAULT: u16 = 50;
/// Most rows of a page.
pub const ROWS_MAX: u16 = 500;

/// How many rows a page has, 1 to [`ROWS_MAX`].
pub(super) fn rows(limit: Option<u16>) -> usize {
    usize::from(limit.unwrap_or(ROWS_DEFAULT).clamp(1, ROWS_MAX))
}

/// Reads a number, or its text: parameters of a URL are texts. An empty one says nothing.
pub(super) fn number<'de, D, T>(written: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: Display>,
{
    match Option::<Written<T>>::deserialize(written)? {
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Text(text)) if !text.is_empty() => text.parse().map(Some).map_err(D::Error::custom),
        Some(Written::Text(_)) | None => Ok(None),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written<T> {
    Number(T),
    Text(String),
}
