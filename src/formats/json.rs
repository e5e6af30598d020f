//! The record behind a document, as indented JSON.

use crate::document::Document;
use crate::formats::typefaces::Typefaces;

/// Writes the record with a newline at the end; a document without one has nothing to say.
pub(super) fn write(document: &Document, _: &Typefaces) -> Vec<u8> {
    let mut bytes = match document.record.as_str() {
        "" => b"null".to_vec(),
        record => indented(record),
    };
    bytes.push(b'\n');
    bytes
}

/// JSON without blanks, with a line for each member and item.
fn indented(json: &str) -> Vec<u8> {
    let mut shown = Vec::with_capacity(json.len() + json.len() / 2);
    let mut depth = 0;
    let mut rest = json.as_bytes();
    while let [sign, after @ ..] = rest {
        rest = after;
        match (sign, after.first()) {
            (b'"', _) => {
                let end = end_of_text(after);
                shown.push(b'"');
                shown.extend_from_slice(&after[..end]);
                rest = &after[end..];
            }
            (b'{' | b'[', Some(b'}' | b']')) => {
                shown.extend_from_slice(&[*sign, after[0]]);
                rest = &after[1..];
            }
            (b'{' | b'[', _) => {
                depth += 1;
                shown.push(*sign);
                begin_line(&mut shown, depth);
            }
            (b'}' | b']', _) => {
                depth -= 1;
                begin_line(&mut shown, depth);
                shown.push(*sign);
            }
            (b',', _) => {
                shown.push(b',');
                begin_line(&mut shown, depth);
            }
            (b':', _) => shown.extend_from_slice(b": "),
            _ => shown.push(*sign),
        }
    }
    shown
}

/// Where the text ends that begins here, with its quotation mark.
fn end_of_text(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'"', b'\\', &text[from..]) {
        from += at + 1;
        if text[from - 1] == b'"' {
            return from;
        }
        from += 1;
    }
    text.len()
}

fn begin_line(shown: &mut Vec<u8>, depth: usize) {
    const BLANKS: &[u8] = &[b' '; 32];
    shown.push(b'\n');
    let mut wide = 2 * depth;
    while wide > 0 {
        let some = wide.min(BLANKS.len());
        shown.extend_from_slice(&BLANKS[..some]);
        wide -= some;
    }
}
