//! The paths of the document: one operation for each question and each order.

use serde_json::{Map, Value, json};

use super::answers::{Answer, component};
use super::variants::{ORDERS, QUESTIONS, Variant, present};
use super::{about_order, about_question};
use crate::agent::{Order, Query};

/// Refusals that any operation may answer, by the name of the response.
const REFUSALS: [(&str, &str, &str); 6] = [
    ("400", "WrongUsage", "A parameter, a header or the body is wrong; the problem says which."),
    ("401", "WhoAreYou", "No token and no session, or one that works no more."),
    ("403", "NotAllowed", "The role does not allow it, or the CSRF token is missing."),
    ("404", "NotFound", "What was named is not known."),
    ("429", "TooManyTries", "Too many failed tokens from this address."),
    ("503", "TryAgain", "The agent is busy, starting or stopping; try again."),
];

/// Every path with its operations.
pub fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for variant in QUESTIONS.iter() {
        let (path, method, operation) = asking(variant);
        paths.insert(path, json!({method: operation}));
    }
    for variant in ORDERS.iter() {
        paths.insert(format!("/api/v1/orders/{}", variant.name), json!({"post": ordering(variant)}));
    }
    paths.insert("/api/v1/openapi.json".to_owned(), json!({"get": about()}));
    paths
}

fn asking(variant: &Variant) -> (String, &'static str, Value) {
    let row = about_question(&variant.name);
    let role = serde_json::from_value::<Query>(variant.example("what")).ok().map(|query| query.needs().as_str());
    let mut operation = operation(variant, row.map(|row| row.summary), role);
    operation["tags"] = json!(["questions"]);
    operation["operationId"] = json!(format!("ask_{}", variant.name));
    operation["responses"] = refusals(&[("409", "Refused"), ("422", "BadInput"), ("default", "Otherwise")]);
    let answer = row.map_or(Answer::Free, |row| row.answer);
    if !variant.is_flat() {
        operation["requestBody"] = body(variant);
        operation["responses"]["200"] = answered(answer, json!({}));
        let more = [("413", "TooLong"), ("415", "NotJson")];
        more.iter().for_each(|(status, name)| operation["responses"][*status] = response(name));
        return (format!("/api/v1/queries/{}", variant.name), "post", operation);
    }
    let own = variant.members.iter().map(|(name, schema)| {
        let described = schema["description"].as_str().or_else(|| present(schema)["description"].as_str());
        let mut parameter = json!({
            "name": name,
            "in": "query",
            "required": variant.required.contains(name),
            "schema": without_null(schema),
        });
        if let Some(described) = described.or_else(|| usual(name)) {
            parameter["description"] = json!(described);
        }
        parameter
    });
    let shared = ["IfNoneMatch", "RequestId"].map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    operation["parameters"] = own.chain(shared).collect();
    operation["responses"]["200"] = answered(answer, json!({"ETag": {"$ref": "#/components/headers/ETag"}}));
    operation["responses"]["304"] = response("Same");
    (format!("/api/v1/{}", variant.name), "get", operation)
}

fn ordering(variant: &Variant) -> Value {
    let row = about_order(&variant.name);
    let example = serde_json::from_value::<Order>(variant.example("order")).ok();
    let mut operation =
        operation(variant, row.map(|row| row.summary), example.as_ref().map(|order| order.needs().as_str()));
    operation["tags"] = json!(["orders"]);
    operation["operationId"] = json!(format!("order_{}", variant.name));
    let is_of_report = example.is_some_and(|order| order.report().is_some());
    let shared = ["IdempotencyKey", "CsrfToken", "RequestId"].iter().chain(is_of_report.then_some(&"IfMatch"));
    operation["parameters"] = shared.map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect();
    operation["requestBody"] = body(variant);
    operation["responses"] = refusals(&[
        ("409", "Refused"),
        ("412", "Changed"),
        ("413", "TooLong"),
        ("415", "NotJson"),
        ("422", "BadInput"),
        ("502", "FarSide"),
        ("507", "CannotWrite"),
        ("default", "Otherwise"),
    ]);
    operation["responses"]["200"] = answered(row.map_or(Answer::Free, |row| row.answer), json!({}));
    operation
}

fn operation(variant: &Variant, summary: Option<&str>, role: Option<&str>) -> Value {
    let plain = variant.name.replace('_', " ");
    let said = variant.description.split(['.', ';', ':']).next().filter(|said| !said.is_empty());
    let mut about = vec![variant.description.clone()];
    about.extend(role.map(|role| format!("Role: {role}.")));
    about.retain(|line| !line.is_empty());
    json!({"summary": summary.or(said).unwrap_or(&plain), "description": about.join("\n\n"), "x-role": role})
}

fn body(variant: &Variant) -> Value {
    let mut schema = json!({"type": "object", "properties": variant.members, "additionalProperties": false});
    if !variant.required.is_empty() {
        schema["required"] = json!(variant.required);
    }
    json!({"required": !variant.required.is_empty(), "content": {"application/json": {"schema": schema}}})
}

fn answered(answer: Answer, headers: Value) -> Value {
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{}", component(name))});
    let schema = match answer {
        Answer::One(name) => to(name),
        Answer::EachUnit(name) => json!({"anyOf": [to(name), {"type": "array", "items": to(name)}]}),
        Answer::List(name) => json!({"type": "array", "items": to(name)}),
        Answer::Free => json!({}),
    };
    json!({"description": "The answer.", "headers": headers, "content": {"application/json": {"schema": schema}}})
}

fn about() -> Value {
    let mut responses = json!({"200": {
        "description": "The document.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }});
    responses["default"] = response("Otherwise");
    responses["404"] = response("NotFound");
    json!({
        "tags": ["about"], "operationId": "openapi", "summary": "This document", "security": [{}],
        "responses": responses,
    })
}

fn refusals(own: &[(&str, &str)]) -> Value {
    let every = REFUSALS.iter().map(|(status, name, _)| (*status, *name));
    let named = every.chain(own.iter().copied()).map(|(status, name)| (status.to_owned(), response(name)));
    Value::Object(named.collect())
}

fn response(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// A parameter that is there is not null.
fn without_null(schema: &Value) -> Value {
    let present = match schema["oneOf"].as_array() {
        Some(branches) if branches.iter().any(|branch| branch["type"] == "null") => {
            branches.iter().find(|branch| branch["type"] != "null").unwrap_or(schema)
        }
        _ => schema,
    };
    let mut present = present.clone();
    if let Some(members) = present.as_object_mut() {
        members.remove("description");
        if let Some(kind) =
            members.get("type").and_then(Value::as_array).and_then(|kinds| kinds.iter().find(|kind| *kind != "null"))
        {
            members["type"] = kind.clone();
        }
    }
    present
}

/// What members mean that many questions have.
fn usual(name: &str) -> Option<&'static str> {
    Some(match name {
        "unit" => "The reporting unit's id; without it and `server`: each unit.",
        "server" => "A server's name, which stands for its unit.",
        "month" => "The month; without it the newest.",
        "limit" => "At most so many.",
        "cursor" | "after" => "The `next` of the page before.",
        _ => return None,
    })
}

/// Headers that many operations take.
pub fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
    let text = |most: usize| json!({"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[!-~]+$"});
    let digest = json!({"type": "string", "pattern": "^(\\*|\"sha256:[0-9a-f]{64}\")$"});
    json!({
        "IdempotencyKey": header("Idempotency-Key", "Names this order: it is obeyed once.", text(255)),
        "IfMatch": header("If-Match", "The report's `digest` in quotes: refused when it was changed meanwhile.", digest),
        "IfNoneMatch": header("If-None-Match", "The `ETag` of an earlier answer: 304 when it is the same.", text(255)),
        "CsrfToken": header("X-CSRF-Token", "Of the console's session; not for tokens.", text(255)),
        "RequestId": header("X-Request-Id", "Is said again in the answer.", text(128)),
    })
}

/// Headers of answers.
pub fn headers() -> Value {
    json!({"ETag": {"description": "Names this answer, for If-None-Match.", "schema": {"type": "string"}}})
}

/// Refusals by their names.
pub fn responses() -> Map<String, Value> {
    let more = [
        ("Refused", "It is not the time for it; the problem says why."),
        ("Changed", "The report was changed since it was looked at."),
        ("TooLong", "The body is longer than 1 MiB (imports: 256 MiB)."),
        ("NotJson", "The body is not said to be JSON."),
        ("BadInput", "The body is not understood, or its Idempotency-Key came with another body."),
        ("FarSide", "A server that had to be asked did not answer well."),
        ("CannotWrite", "The disk does not take it."),
        ("Otherwise", "Refused; the problem says why."),
    ];
    let all = REFUSALS.iter().map(|(_, name, what)| (*name, *what)).chain(more);
    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}});
    let mut responses: Map<String, Value> =
        all.map(|(name, what)| (name.to_owned(), json!({"description": what, "content": problem}))).collect();
    responses.insert("Same".to_owned(), json!({"description": "The answer is the one that If-None-Match names."}));
    responses
}
