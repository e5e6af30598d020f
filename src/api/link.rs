//! Long lists come in pages: the next one as a `Link` header (RFC 8288), made of the request's own parameters.

use std::fmt::Write;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::Value;

use super::openapi::Variant;

/// Parameters that name the page, the first that a question has.
const CURSORS: [&str; 2] = ["cursor", "after"];

/// The address of the page after this answer; `None`: it was the last, or there are no pages.
pub fn next(question: &Variant, parameters: &[(String, String)], answer: &Value) -> Option<HeaderValue> {
    let cursor = CURSORS.into_iter().find(|name| question.members.contains_key(*name))?;
    let next = match &answer["next"] {
        Value::String(next) => next.clone(),
        Value::Number(next) => next.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let kept = parameters.iter().filter(|(name, _)| name != cursor).map(|(name, text)| (name.as_str(), text.as_str()));
    let pairs = kept.chain([(cursor, next.as_str())]);
    let pairs: Vec<String> = pairs.map(|(name, text)| format!("{}={}", encoded(name), encoded(text))).collect();
    HeaderValue::from_str(&format!("</api/v1/{}?{}>; rel=\"next\"", question.name, pairs.join("&"))).ok()
}

/// The answer with the address of the next page.
pub fn linked(mut response: Response, next: Option<HeaderValue>) -> Response {
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    response
}

/// Percent-encoded for a query (RFC 3986).
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
