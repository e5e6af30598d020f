//! JSON Canonicalization Scheme (RFC 8785): the one spelling of a value, so that a digest over it means something.

use serde_json::{Map, Value};

/// The canonical bytes of the value.
///
/// Integers keep all their digits; other numbers are written as ECMAScript writes them.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write_value(&mut out, value);
    out.into_bytes()
}

/// Depth is bounded by the parser that made the value (serde_json refuses more than 128 levels).
fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&ecmascript(float)),
            Some(_) | None => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(out, fields),
    }
}

fn write_object(out: &mut String, fields: &Map<String, Value>) {
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    out.push('{');
    for (n, (name, value)) in fields.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(plain) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..plain]);
        match rest.as_bytes()[plain] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
        rest = &rest[plain + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// `Number::toString` of ECMAScript (ECMA-262, 6.1.6.1.20) from Rust's shortest digits.
fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("Rust writes {:e} with an e");
    let digits: String = mantissa.chars().filter(|sign| *sign != '.').collect();
    let exponent: i32 = exponent.parse().expect("Rust writes a whole exponent");
    let length = i32::try_from(digits.len()).expect("a double has at most 17 digits");
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let plain = match exponent {
        up if up >= length - 1 && up < 21 => format!("{digits}{}", zeros(up - length + 1)),
        up if (0..21).contains(&up) => {
            let (whole, rest) = digits.split_at(usize::try_from(up + 1).unwrap_or(0));
            format!("{whole}.{rest}")
        }
        down if (-6..0).contains(&down) => format!("0.{}{digits}", zeros(-down - 1)),
        far => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let sign = if far < 0 { '-' } else { '+' };
            format!("{first}{point}{rest}e{sign}{}", far.abs())
        }
    };
    if number < 0.0 { format!("-{plain}") } else { plain }
}
