//! Reads typed fields of a JSON object and remembers the way to a wrong one.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate};
use serde_json::{Map, Value};

use crate::domain::{Instant, Points};

/// Longest text that is a name or an id, in bytes.
pub const TEXT_MAX: usize = 4096;
/// The most machines a single count may state.
const COUNT_MAX: u64 = 10_000_000;
/// Years an instant may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// One step from an object to a value inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Name(&'static str),
    Index(usize),
}

/// A value that cannot be true: the way to it, outermost first, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub way: Vec<Turn>,
    pub why: String,
}

impl Wrong {
    pub fn at(turn: Turn, why: impl Into<String>) -> Wrong {
        Wrong { way: vec![turn], why: why.into() }
    }

    /// The same, seen from one object further out.
    pub fn under(mut self, turn: Turn) -> Wrong {
        self.way.insert(0, turn);
        self
    }
}

/// `workloads[3].points`.
pub struct Way<'a>(pub &'a [Turn]);

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, turn) in self.0.iter().enumerate() {
            match turn {
                Turn::Name(name) if position == 0 => f.write_str(name)?,
                Turn::Name(name) => write!(f, ".{name}")?,
                Turn::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Reads one kind of value, or says why it is none.
pub type Read<'a, T> = fn(&'a Value) -> Result<T, String>;

/// The field when it is there and not null.
pub fn optional<'a, T>(
    object: &'a Map<String, Value>,
    name: &'static str,
    read: Read<'a, T>,
) -> Result<Option<T>, Wrong> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).map_err(|why| Wrong::at(Turn::Name(name), why)),
    }
}

/// The field, which must be there.
pub fn required<'a, T>(object: &'a Map<String, Value>, name: &'static str, read: Read<'a, T>) -> Result<T, Wrong> {
    optional(object, name, read)?.ok_or_else(|| Wrong::at(Turn::Name(name), "is missing"))
}

pub fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("is {}, not an object", named(value)))
}

pub fn array(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("is {}, not a list", named(value)))
}

pub fn text(value: &Value) -> Result<String, String> {
    match value.as_str() {
        Some(text) if text.len() > TEXT_MAX => Err(format!("is longer than {TEXT_MAX} bytes")),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("is {}, not a text", named(value))),
    }
}

/// A text that says something.
pub fn name(value: &Value) -> Result<String, String> {
    let name = text(value)?;
    if name.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(name) }
}

pub fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("is {}, not true or false", named(value)))
}

/// A decimal, zero or more, as JSON number or string.
pub fn points(value: &Value) -> Result<Points, String> {
    let stated = match value {
        Value::String(text) => Points::stated(text),
        Value::Number(number) => Points::stated(&number.to_string()),
        other => return Err(format!("is {}, not a decimal number", named(other))),
    };
    stated.map_err(|why| why.to_string())
}

/// A count of machines, as JSON number or string.
pub fn count(value: &Value) -> Result<u32, String> {
    let points = points(value)?.amount();
    let whole = if points.is_integer() { u64::try_from(points).ok() } else { None };
    match whole {
        Some(count) if count <= COUNT_MAX => Ok(u32::try_from(count).expect("COUNT_MAX fits in 32 bits")),
        Some(count) => Err(format!("{count} is more machines than any provider has (limit {COUNT_MAX})")),
        None => Err(format!("{points} is not a whole number")),
    }
}

/// RFC 3339, any offset.
pub fn instant(value: &Value) -> Result<Instant, String> {
    let text = text(value)?;
    let at = DateTime::parse_from_rfc3339(text.trim())
        .map_err(|_| format!("'{}' is not an instant; write it as 2026-10-31T23:00:00Z", shortened(&text)))?
        .to_utc();
    if YEARS.contains(&at.year()) { Ok(at) } else { Err(format!("the year {} cannot be", at.year())) }
}

/// A civil date; an instant stands for its own day.
pub fn date(value: &Value) -> Result<NaiveDate, String> {
    let text = text(value)?;
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .or_else(|_| DateTime::parse_from_rfc3339(text.trim()).map(|at| at.date_naive()))
        .map_err(|_| format!("'{}' is not a date; write it as 2027-01-31", shortened(&text)))?;
    if YEARS.contains(&date.year()) { Ok(date) } else { Err(format!("the year {} cannot be", date.year())) }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Foreign words for a refusal: their beginning, on one line.
pub fn shortened(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(40).collect()
}
