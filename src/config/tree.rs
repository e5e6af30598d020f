//! The settings as written: a tree in which every value knows where it came from.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::refusal::Refusal;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The file's name and the line, counted from 1.
    File(String, usize),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(name, line) => write!(f, "{name}:{line}"),
            Origin::Environment(name) => write!(f, "{name} (environment)"),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Node {
    pub value: Value,
    pub origin: Origin,
}

pub type Table = BTreeMap<String, Node>;

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    /// Whole or decimal, as it was written.
    Number(String),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
}

impl Node {
    pub fn text(text: &str, origin: Origin) -> Node {
        Node { value: Value::Text(text.to_owned()), origin }
    }
}

impl Value {
    /// What it is called in a refusal.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Reads a TOML text.
pub fn parse(name: &str, text: &str) -> Result<Table, Refusal> {
    let lines = Lines { name, text };
    let table = DeTable::parse(text).map_err(|error| Refusal {
        origin: lines.at(error.span().map_or(0, |span| span.start)),
        why: error.message().replace('\n', ", "),
        remedy: "write the settings as TOML; `tidegauge config init` prints a file to begin with".to_owned(),
    })?;
    table_of(table.into_inner(), &lines)
}

struct Lines<'a> {
    name: &'a str,
    text: &'a str,
}

impl Lines<'_> {
    fn at(&self, byte: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(byte);
        Origin::File(self.name.to_owned(), before.filter(|byte| **byte == b'\n').count() + 1)
    }
}

fn table_of(table: DeTable<'_>, lines: &Lines<'_>) -> Result<Table, Refusal> {
    let mut nodes = Table::new();
    for (key, value) in table {
        let origin = lines.at(key.span().start);
        nodes.insert(key.into_inner().into_owned(), node_of(value.into_inner(), origin, lines)?);
    }
    Ok(nodes)
}

fn node_of(value: DeValue<'_>, origin: Origin, lines: &Lines<'_>) -> Result<Node, Refusal> {
    let value = match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                let origin = lines.at(item.span().start);
                list.push(node_of(item.into_inner(), origin, lines)?);
            }
            Value::List(list)
        }
        DeValue::Table(table) => Value::Table(table_of(table, lines)?),
        DeValue::Datetime(_) => {
            let why = "no setting is a date or an hour".to_owned();
            return Err(Refusal { origin, why, remedy: "put the value into quotes".to_owned() });
        }
    };
    Ok(Node { value, origin })
}
