//! The OpenAPI 3.1 document of `/api/v1`, made of the types of questions and orders themselves.

mod answers;
mod paths;
mod variants;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

pub use answers::{Answer, Row};
pub use variants::{ORDERS, QUESTIONS, Variant, order, question};

use crate::domain::people::ROLES;

const DESCRIPTION: &str = "What the agent knows and what it can be told, for the console, the command line and programs. \
    Points and money are decimal strings, instants RFC 3339 in UTC. Members may be added to answers within version 1; \
    the meaning of one never changes. A body with an unknown member is refused. Refusals are RFC 9457 problems whose \
    `code` is the exit code of the command line.\n\n\
    **Who**: `Authorization: Bearer tgt_…` with a token of `tidegauge token add`, or the console's session cookie; \
    what a session posts needs its `X-CSRF-Token` too.\n\n\
    **Twice**: an order with an `Idempotency-Key` is obeyed once; the same key and body within 24 hours get the same \
    answer. Keys are kept in memory: after a restart of the agent an order given again is obeyed again, and the order's \
    own rules say what was done already (a sent report is not sent twice).\n\n\
    **Two people**: `If-Match` with the report's `digest` in quotes refuses an order (412) when the report was changed \
    meanwhile.\n\n\
    **Pages**: long lists take `limit` and `cursor` or `after`, and name the next page as `next` and in `Link`.";

/// The document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut schemas: Map<String, Value> = variants::PARTS.clone().into_iter().collect();
    schemas.extend(answers::SHAPES.iter().map(|(name, shape)| (answers::component(name), shape.clone())));
    schemas.extend(answers::report_parts());
    schemas.insert("problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegauge agent",
            "version": "1",
            "summary": "Rental-license points: usage, reports, license and gate.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This agent"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [
            {"name": "questions", "description": "What is known. Nothing changes."},
            {"name": "orders", "description": "What changes something; the journal names who ordered it."},
            {"name": "about", "description": "This document."},
        ],
        "paths": paths::paths(),
        "components": {
            "schemas": schemas,
            "parameters": paths::parameters(),
            "headers": paths::headers(),
            "responses": paths::responses(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": format!(
                    "An API token. Roles, each with what those before it may: {}.",
                    ROLES.map(|role| role.as_str()).join(", "),
                )},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-tidegauge",
                    "description": "The console's session; without TLS on loopback the cookie is called `tidegauge`."},
            },
        },
    })
});

/// The row about a question.
pub fn about_question(name: &str) -> Option<&'static Row> {
    answers::QUESTIONS.iter().find(|row| row.name == name)
}

/// The row about an order.
pub fn about_order(name: &str) -> Option<&'static Row> {
    answers::ORDERS.iter().find(|row| row.name == name)
}

fn problem() -> Value {
    json!({
        "title": "problem",
        "description": "A refusal (RFC 9457): one line that says what, why and what to do.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:tidegauge:exit:[0-9]+$"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "integer", "description": "The exit code that the command line would have."},
        },
    })
}
