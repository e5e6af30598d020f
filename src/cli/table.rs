//! Plain text: columns that line up, and values as people read them.

use serde_json::Value;

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

/// Rows under a heading; the last column is as wide as it is.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Column::Left(name) | Column::Right(name) => name,
        }
    }
}

impl Table {
    pub fn new(columns: &[Column]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Control characters, which a far side may have sent, are shown as what they are: signs that nobody can read.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let shown = |cell: String| cell.replace(char::is_control, "\u{fffd}");
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    /// The table in lines; `nothing` when there is no row.
    pub fn text(&self, nothing: &str) -> String {
        if self.rows.is_empty() {
            return format!("{nothing}\n");
        }
        let heading: Vec<String> = self.columns.iter().map(|column| column.name().to_owned()).collect();
        let lines = std::iter::once(&heading).chain(&self.rows);
        let width = |at: usize| lines.clone().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| width(at).unwrap_or(0)).collect();
        lines.map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row.iter().zip(&self.columns).zip(widths).map(|((cell, column), width)| match column {
            Column::Left(_) => format!("{cell:<width$}"),
            Column::Right(_) => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<String>>().join("  ");
        format!("{}\n", line.trim_end())
    }
}

/// The field as text: nothing for null and for what is not there.
pub fn word(value: &Value, field: &str) -> String {
    plain(&value[field])
}

/// The field as text, `-` when there is nothing.
pub fn dashed(value: &Value, field: &str) -> String {
    or(word(value, field), "-")
}

/// The text, or the other one when it is empty.
pub fn or(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}

/// An instant to the minute, as `2026-10-31 23:00`; `-` when there is none.
pub fn minute(value: &Value, field: &str) -> String {
    let text = word(value, field);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => or(text, "-"),
    }
}

/// The first signs of an id, which tell it apart.
pub fn short(value: &Value, field: &str) -> String {
    word(value, field).chars().take(8).collect()
}

/// The rows of a list.
pub fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// Texts of a list, one after another.
pub fn joined(value: &Value, field: &str) -> String {
    list(value, field).iter().map(plain).collect::<Vec<String>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        other => other.to_string(),
    }
}
