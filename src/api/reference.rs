//! The document as a part of a page to read; the console shows it at `/api`.

use std::sync::LazyLock;

use askama::Template;
use serde_json::Value;

use super::openapi::DOCUMENT;

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    members: Vec<Member>,
    answer: String,
}

struct Member {
    name: String,
    place: &'static str,
    kind: String,
    required: bool,
    description: String,
}

struct Shape {
    name: String,
    members: Vec<Member>,
}

#[derive(Template)]
#[template(path = "console/api_reference.html")]
struct Reference {
    about: Vec<String>,
    questions: Vec<Operation>,
    orders: Vec<Operation>,
    shapes: Vec<Shape>,
}

static PAGE: LazyLock<Option<String>> = LazyLock::new(|| reference(&DOCUMENT).render().ok());

/// Every question and order with what it takes and answers, as HTML without a frame.
pub fn drawn() -> &'static str {
    PAGE.as_deref().unwrap_or("It cannot be drawn; read /api/v1/openapi.json.")
}

fn reference(document: &Value) -> Reference {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    let of = |tag: &str| -> Vec<Operation> {
        let tagged = operations.clone().filter(|(_, _, operation)| operation["tags"][0] == tag);
        tagged.map(|(path, method, operation)| shown(document, path, method, operation)).collect()
    };
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    Reference {
        about: about.split("\n\n").map(|part| part.replace("**", "").replace('`', "")).collect(),
        questions: of("questions"),
        orders: of("orders"),
        shapes: schemas
            .map(|(name, schema)| Shape { name: name.clone(), members: members(schema, "") })
            .filter(|shape| !shape.members.is_empty())
            .collect(),
    }
}

fn shown(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let text = |field: &str| operation[field].as_str().unwrap_or_default().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| match parameter["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap_or(parameter),
        None => parameter,
    });
    let mut taken: Vec<Member> = members(&operation["requestBody"]["content"]["application/json"]["schema"], "body");
    taken.extend(parameters.map(|parameter| Member {
        name: parameter["name"].as_str().unwrap_or_default().to_owned(),
        place: if parameter["in"] == "header" { "header" } else { "query" },
        kind: kind(&parameter["schema"]),
        required: parameter["required"] == true,
        description: parameter["description"].as_str().unwrap_or_default().to_owned(),
    }));
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text("summary"),
        description: text("description"),
        members: taken,
        answer: kind(&operation["responses"]["200"]["content"]["application/json"]["schema"]),
    }
}

fn members(schema: &Value, place: &'static str) -> Vec<Member> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let is_required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    properties
        .map(|(name, schema)| Member {
            name: name.clone(),
            place,
            kind: kind(schema),
            required: is_required(name),
            description: schema["description"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}

/// A schema in a few words: `text`, `list of Month`, `usage.1 or list of usage.1`.
fn kind(schema: &Value) -> String {
    if let Some(to) = schema["$ref"].as_str() {
        return to.rsplit('/').next().unwrap_or(to).to_owned();
    }
    if let Some(branches) = ["anyOf", "oneOf"].iter().find_map(|of| schema[*of].as_array()) {
        return branches.iter().map(kind).collect::<Vec<String>>().join(" or ");
    }
    if let Some(named) = schema["enum"].as_array() {
        return named.iter().filter_map(Value::as_str).collect::<Vec<&str>>().join(" | ");
    }
    let one = |kind: &Value| match (kind.as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("list of {}", self::kind(&schema["items"])),
        (Some("string"), Some(format)) => format.to_owned(),
        (Some("string"), None) => "text".to_owned(),
        (Some("integer"), _) => "whole number".to_owned(),
        (Some(other), _) => other.to_owned(),
        (None, _) => "any JSON".to_owned(),
    };
    match schema["type"].as_array() {
        Some(kinds) => kinds.iter().map(one).collect::<Vec<String>>().join(" or "),
        None => one(&schema["type"]),
    }
}
