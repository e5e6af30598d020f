//! Environment variables and flags laid over the settings file.

use std::path::Path;

use super::tree::{Node, Origin, Table, Value};

/// What the variables begin with.
pub const PREFIX: &str = "TIDEGAUGE_";
/// Variables of the command line and of the tests, not of the settings.
const NOT_SETTINGS: [&str; 7] =
    ["CONFIG", "HOSTILE_CASES", "LOG", "SEEDS", "SIGKILL_SECONDS", "STORE_DAYS", "WORLD_DAYS"];
/// Deepest nesting: `SERVER__VBR01__TLS__CA_FILE`.
const DEPTH_MAX: usize = 4;

/// Lays `TIDEGAUGE_MAIL__HOST=…` over `[mail] host`, and `TIDEGAUGE_SERVER__VBR01__URL=…` over the server of that name.
pub fn environment(table: &mut Table, variables: impl IntoIterator<Item = (String, String)>) {
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| !NOT_SETTINGS.contains(path)) else { continue };
        let keys: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
        if keys.len() <= DEPTH_MAX {
            let node = Node::text(&value, Origin::Environment(name.clone()));
            put(table, &keys, node);
        }
    }
}

/// Lays a path given by a flag over a key.
pub fn flag(table: &mut Table, key: &str, flag: &'static str, path: Option<&Path>) {
    if let Some(path) = path {
        table.insert(key.to_owned(), Node::text(&path.to_string_lossy(), Origin::Flag(flag)));
    }
}

fn put(table: &mut Table, keys: &[String], node: Node) {
    match keys {
        [] => {}
        [key] => {
            table.insert(key.clone(), node);
        }
        [key, rest @ ..] => {
            let origin = node.origin.clone();
            let inner = table.entry(key.clone()).or_insert_with(|| Node { value: Value::Table(Table::new()), origin });
            put_inside(inner, rest, node);
        }
    }
}

fn put_inside(inner: &mut Node, keys: &[String], node: Node) {
    match &mut inner.value {
        Value::Table(table) => put(table, keys, node),
        Value::List(items) => {
            let named = items.iter_mut().find(|item| spelled(item) == keys[0]);
            match named {
                Some(Node { value: Value::Table(table), .. }) => put(table, &keys[1..], node),
                _ => items.push(stranger(&keys[0], node)),
            }
        }
        // A value where a table is wanted: what is below takes its place, and the reader judges it.
        Value::Text(_) | Value::Number(_) | Value::Flag(_) => {
            let mut table = Table::new();
            let origin = node.origin.clone();
            put(&mut table, keys, node);
            *inner = Node { value: Value::Table(table), origin };
        }
    }
}

/// A variable names a server that is not in the file: kept as text, so that the reader refuses it by name.
fn stranger(name: &str, node: Node) -> Node {
    Node::text(name, node.origin)
}

/// A server's name as a variable spells it: `vbr-01.example` is `vbr_01_example`.
fn spelled(item: &Node) -> String {
    let Value::Table(table) = &item.value else { return String::new() };
    let Some(Node { value: Value::Text(name), .. }) = table.get("name") else { return String::new() };
    let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}
