//! What Enterprise Manager answers, JSON or XML, as one kind of tree (api.md 4).
//!
//! An XML element becomes an object of its attributes and children; a child that stands alone with text only becomes
//! that text; children of one name become a list. An element without `Type` is of the type it is called. Entities are
//! then found by their `Type`, wherever they stand.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use crate::ask::HttpAnswer;
use crate::sources::reply::{one_line, said};

/// Elements inside elements.
const DEPTH_MAX: usize = 32;
/// Elements and attributes of one answer.
const NODES_MAX: usize = 2_000_000;

/// Reads the body by its content type, or says what it is instead.
pub fn read(answer: &HttpAnswer) -> Result<Value, String> {
    let body = answer.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&answer.body);
    let body = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let begins = body.trim_start().get(..9).unwrap_or_default().to_ascii_lowercase();
    if kind.contains("html") || begins.starts_with("<html") || begins.starts_with("<!doctype") {
        return Err("the answer is HTML; check that the url leads to Enterprise Manager's REST port (9398)".to_owned());
    }
    let is_xml = if kind.contains("json") { false } else { kind.contains("xml") || begins.starts_with('<') };
    match body.trim_start().is_empty() {
        true => Err("the answer is empty".to_owned()),
        false if is_xml => xml(body),
        false => serde_json::from_str(body).map_err(|why| match why.is_eof() {
            true => half(body),
            false => format!("not the JSON that was expected: {}", one_line(&why.to_string())),
        }),
    }
}

/// What Enterprise Manager said in a refusal, in one short line.
pub fn refusal(answer: &HttpAnswer) -> String {
    let error = read(answer).unwrap_or_default();
    let words = ["Message", "FirstChanceExceptionMessage"].iter().find_map(|name| error.get(name)?.as_str());
    said(answer.status, words)
}

/// The objects of this `Type`, wherever they stand but in links.
pub fn entities<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Map<String, Value>> {
    let mut found = Vec::new();
    collect(answer, kind, &mut found);
    found
}

fn collect<'a>(value: &'a Value, kind: &str, found: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, kind, found)),
        Value::Object(object) if text(object, "Type") == Some(kind) => found.push(object),
        Value::Object(object) => {
            let inside = object.iter().filter(|(name, _)| *name != "Links").map(|(_, value)| value);
            inside.for_each(|value| collect(value, kind, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The name behind the link of this relation to this kind of thing.
pub fn linked<'a>(entity: &'a Map<String, Value>, relation: &str, kind: &str) -> Option<&'a str> {
    let mut links = Vec::new();
    flatten(entity.get("Links")?, &mut links);
    let fits = |link: &&&Map<String, Value>| text(link, "Rel") == Some(relation) && text(link, "Type") == Some(kind);
    links.iter().find(fits).and_then(|link| text(link, "Name"))
}

/// The links themselves: XML has them as `Link` inside `Links`.
fn flatten<'a>(value: &'a Value, links: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, links)),
        Value::Object(object) => match object.get("Link") {
            Some(inner) => flatten(inner, links),
            None => links.push(object),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A field's text, when it says something.
pub fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The id at the end of `urn:veeam:CloudTenant:…`, or of the address.
pub fn id_of(entity: &Map<String, Value>) -> Option<String> {
    let of_uid = text(entity, "UID").and_then(|uid| uid.rsplit(':').next());
    let of_address = || text(entity, "Href")?.split('?').next()?.rsplit('/').next();
    let id = of_uid.or_else(of_address)?;
    let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    (!id.is_empty() && id.len() <= 64 && id.chars().all(plain)).then(|| id.to_owned())
}

fn half(body: &str) -> String {
    format!("half an answer: it ends after {} bytes", body.len())
}

/// An element that is still open.
struct Open {
    name: String,
    fields: Map<String, Value>,
    text: String,
}

fn xml(body: &str) -> Result<Value, String> {
    let mut reader = Reader::from_str(body);
    let mut open: Vec<Open> = Vec::new();
    for _ in 0..NODES_MAX {
        match reader.read_event().map_err(|why| unreadable(body, &why))? {
            Event::Start(element) if open.len() < DEPTH_MAX => open.push(opened(&element)?),
            Event::Start(_) => return Err(format!("its XML is nested deeper than {DEPTH_MAX}")),
            Event::Empty(element) => {
                let element = opened(&element)?;
                if let Some(root) = closed(element, &mut open) {
                    return Ok(root);
                }
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an XML element ends that never began")?;
                if let Some(root) = closed(element, &mut open) {
                    return Ok(root);
                }
            }
            Event::Text(words) => open.iter_mut().last().into_iter().for_each(|at| at.text += &words.xml10_content()),
            Event::CData(words) => open.iter_mut().last().into_iter().for_each(|at| at.text += &words.xml10_content()),
            Event::GeneralRef(name) => {
                let sign = name.resolve_char_ref().ok().flatten().or_else(|| predefined(&name.xml10_content()));
                let sign = sign.ok_or("its XML uses an entity that XML does not define")?;
                open.iter_mut().last().into_iter().for_each(|at| at.text.push(sign));
            }
            Event::DocType(_) => {
                return Err("its XML defines entities of its own; such an answer is not read".to_owned());
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return Err(half(body)),
        }
    }
    Err(format!("its XML has more than {NODES_MAX} parts"))
}

/// What the syntax lacks is always an end.
fn unreadable(body: &str, why: &quick_xml::Error) -> String {
    match why {
        quick_xml::Error::Syntax(_) => half(body),
        other => format!("not the XML that was expected: {}", one_line(&other.to_string())),
    }
}

fn predefined(name: &str) -> Option<char> {
    quick_xml::escape::resolve_predefined_entity(name).and_then(|text| text.chars().next())
}

fn opened(element: &BytesStart<'_>) -> Result<Open, String> {
    let odd = |why: &dyn std::fmt::Display| format!("not the XML that was expected: {}", one_line(&why.to_string()));
    let mut fields = Map::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|why| odd(&why))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|why| odd(&why))?;
        fields.insert(name_of(attribute.key.local_name()), Value::String(value.into_owned()));
    }
    Ok(Open { name: name_of(element.local_name()), fields, text: String::new() })
}

fn name_of(name: quick_xml::name::LocalName<'_>) -> String {
    name.as_ref().to_owned()
}

/// Hands an element to the one around it; returns it when it is the outermost.
fn closed(element: Open, open: &mut [Open]) -> Option<Value> {
    let Open { name, mut fields, text } = element;
    let is_text = fields.is_empty() && !open.is_empty();
    fields.entry("Type").or_insert(Value::String(name.clone()));
    let value = if is_text { Value::String(text.trim().to_owned()) } else { Value::Object(fields) };
    let Some(around) = open.last_mut() else { return Some(value) };
    match around.fields.get_mut(&name) {
        None => {
            around.fields.insert(name, value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(first) => {
            let first = std::mem::take(first);
            around.fields.insert(name, Value::Array(vec![first, value]));
        }
    }
    None
}
