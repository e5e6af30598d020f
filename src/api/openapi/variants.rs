//! Questions and orders as their types derive them: names, members, what is required, an example.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::agent::{Order, Query, Refused};

/// How deep a body is looked into.
const DEPTH_MAX: u8 = 16;
const COMPONENT: &str = "#/components/schemas/";

/// One question, or one order.
pub struct Variant {
    pub name: String,
    /// What the type says of it; empty: nothing.
    pub description: String,
    pub members: Map<String, Value>,
    pub required: Vec<String>,
}

/// Every question a socket may ask.
pub static QUESTIONS: LazyLock<Vec<Variant>> = LazyLock::new(|| variants::<Query>("what"));
/// Every order.
pub static ORDERS: LazyLock<Vec<Variant>> = LazyLock::new(|| variants::<Order>("order"));
/// The schemas that questions and orders name.
pub static PARTS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let mut named = Vec::new();
    <Query as ToSchema>::schemas(&mut named);
    <Order as ToSchema>::schemas(&mut named);
    named.into_iter().map(|(name, schema)| (name, closed(json!(schema), DEPTH_MAX))).collect()
});

/// The question of this name.
pub fn question(name: &str) -> Option<&'static Variant> {
    QUESTIONS.iter().find(|variant| variant.name == name)
}

/// The order of this name.
pub fn order(name: &str) -> Option<&'static Variant> {
    ORDERS.iter().find(|variant| variant.name == name)
}

fn variants<T: ToSchema>(tag: &str) -> Vec<Variant> {
    let schema = json!(T::schema());
    let each = schema["oneOf"].as_array().into_iter().flatten();
    each.filter_map(|variant| {
        let (mut members, mut required) = (Map::new(), Vec::new());
        // A variant that holds a type of its own is that type's members and the tag.
        let all = variant["allOf"].as_array().map_or_else(|| vec![variant], |all| all.iter().map(present).collect());
        for part in all {
            members.extend(
                part["properties"].as_object().into_iter().flatten().map(|(name, of)| (name.clone(), of.clone())),
            );
            required.extend(part["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        }
        let name = members.remove(tag)?["enum"][0].as_str()?.to_owned();
        let required = required.into_iter().filter(|member| *member != tag).map(str::to_owned).collect();
        let description = variant["description"].as_str().unwrap_or_default().to_owned();
        let members = members.into_iter().map(|(member, schema)| (member, closed(schema, DEPTH_MAX))).collect();
        Some(Variant { name, description, members, required })
    })
    .collect()
}

/// Objects take no members but theirs: a misspelt one is refused instead of overlooked.
fn closed(mut schema: Value, depth: u8) -> Value {
    if depth == 0 {
        return schema;
    }
    if schema["properties"].is_object() {
        schema["additionalProperties"] = json!(false);
    }
    match &mut schema {
        Value::Object(members) => {
            // What is not said has no value, which is no value of the type.
            members.retain(|name, member| name != "default" || !member.is_null());
            members.values_mut().for_each(|member| *member = closed(member.take(), depth - 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = closed(item.take(), depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    schema
}

impl Variant {
    /// Whether it fits into the parameters of a URL: no member is an object or a list, and none is a file's text.
    pub fn is_flat(&self) -> bool {
        self.members.iter().all(|(name, schema)| name != "text" && !matches!(kind(schema), Kind::Deep))
    }

    /// The members of a URL's parameters, numbers and truth values as such.
    ///
    /// # Errors
    /// 2 when one is unknown, comes twice or is no number.
    pub fn of_parameters(&self, parameters: &[(String, String)]) -> Result<Map<String, Value>, Refused> {
        let mut members = Map::new();
        for (name, text) in parameters {
            let schema = self.members.get(name).ok_or_else(|| self.unknown(name))?;
            let wrong = |what: &str| Refused::new(2, format!("{name}={text:.80}: that is no {what}"));
            let value = match kind(schema) {
                Kind::Number => json!(text.parse::<i64>().map_err(|_| wrong("whole number"))?),
                Kind::Truth => json!(text.parse::<bool>().map_err(|_| wrong("true or false"))?),
                Kind::Deep | Kind::Text => json!(text),
            };
            if members.insert(name.clone(), value).is_some() {
                return Err(Refused::new(2, format!("{name} comes twice; name it once")));
            }
        }
        Ok(members)
    }

    /// Refuses a body with a member that nobody would read.
    ///
    /// # Errors
    /// 65 with the member's name.
    pub fn refuse_unknown(&self, body: &Map<String, Value>) -> Result<(), Refused> {
        for (name, value) in body {
            let schema = self.members.get(name).ok_or_else(|| Refused { code: 65, ..self.unknown(name) })?;
            if let Some(stranger) = stranger(value, schema, DEPTH_MAX) {
                return Err(Refused::new(
                    65,
                    format!("{name} has no member `{stranger:.80}`; see /api/v1/openapi.json"),
                ));
            }
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> Refused {
        let known: Vec<&str> = self.members.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        Refused::new(2, format!("{} does not know `{name:.80}`; it takes {known}", self.name))
    }

    /// Every required member with an example.
    pub fn example(&self, tag: &str) -> Value {
        let mut example = Map::from_iter([(tag.to_owned(), json!(self.name))]);
        for name in &self.required {
            example.insert(name.clone(), example_of(&self.members[name], DEPTH_MAX));
        }
        Value::Object(example)
    }
}

enum Kind {
    Text,
    Number,
    Truth,
    /// An object or a list.
    Deep,
}

/// What a member's value is, `null` aside.
fn kind(schema: &Value) -> Kind {
    let schema = present(schema);
    let says = |name: &str| {
        let kinds = &schema["type"];
        kinds == name || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
    };
    match () {
        () if says("integer") => Kind::Number,
        () if says("boolean") => Kind::Truth,
        () if says("string") => Kind::Text,
        () => Kind::Deep,
    }
}

/// The schema of a value that is there, references followed.
pub fn present(schema: &Value) -> &Value {
    let branch = schema["oneOf"].as_array().filter(|branches| branches.iter().any(|branch| branch["type"] == "null"));
    let schema = branch.and_then(|all| all.iter().find(|branch| branch["type"] != "null")).unwrap_or(schema);
    let part = schema["$ref"].as_str().and_then(|to| PARTS.get(to.strip_prefix(COMPONENT)?));
    part.unwrap_or(schema)
}

/// A member that no schema of the value knows.
fn stranger(value: &Value, schema: &Value, depth: u8) -> Option<String> {
    let schema = present(schema);
    if depth == 0 {
        return None;
    }
    if let Some(branches) = schema["oneOf"].as_array() {
        let strangers: Vec<Option<String>> = branches.iter().map(|branch| stranger(value, branch, depth - 1)).collect();
        return if strangers.iter().any(Option::is_none) { None } else { strangers.into_iter().flatten().next() };
    }
    match (value, schema["properties"].as_object()) {
        (Value::Object(members), Some(known)) => members.iter().find_map(|(name, value)| match known.get(name) {
            Some(schema) => stranger(value, schema, depth - 1),
            None => Some(name.clone()),
        }),
        (Value::Array(items), _) => items.iter().find_map(|item| stranger(item, &schema["items"], depth - 1)),
        _ => None,
    }
}

fn example_of(schema: &Value, depth: u8) -> Value {
    let schema = present(schema);
    if depth == 0 {
        return Value::Null;
    }
    if let Some(branches) = schema["oneOf"].as_array() {
        return branches.first().map_or(Value::Null, |branch| example_of(branch, depth - 1));
    }
    if let Some(example) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return example.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("object"), _) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), example_of(&schema["properties"][name], depth - 1))).collect()
        }
        (Some("array"), _) => json!([]),
        (Some("integer"), _) => json!(1),
        (Some("boolean"), _) => json!(false),
        (_, Some("date-time")) => json!("2026-11-01T00:00:00Z"),
        (_, Some("date")) => json!("2026-11-01"),
        (_, Some("decimal")) => json!("0"),
        _ => json!("text"),
    }
}
