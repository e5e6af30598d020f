//! A REST server's reply as JSON, and what it says in a refusal.

use chrono::DateTime;
use serde::Deserialize;

use crate::ask::HttpAnswer;
use crate::domain::Instant;

/// Longest foreign words that are passed on, in characters.
const WORDS_MAX: usize = 160;

/// Reads the body as JSON, or says what it is instead; `port` is where the url should lead.
pub fn read<'a, T: Deserialize<'a>>(answer: &'a HttpAnswer, port: &str) -> Result<T, String> {
    let body = answer.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&answer.body);
    let body = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    match body.bytes().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err("the answer is empty".to_owned()),
        Some(b'<') => Err(format!("the answer is HTML, not JSON; check that the url leads to {port}")),
        Some(_) => serde_json::from_str(body).map_err(|why| {
            if why.is_eof() {
                format!("half an answer: it ends after {} bytes", body.len())
            } else {
                format!("not the JSON that was expected: {}", one_line(&why.to_string()))
            }
        }),
    }
}

/// A status, and the server's words with it.
pub fn said(status: u16, words: Option<&str>) -> String {
    words.map(one_line).map_or_else(|| format!("HTTP {status}"), |words| format!("HTTP {status}, \"{words}\""))
}

/// Foreign words without line breaks, shortened.
pub fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(WORDS_MAX).collect::<String>().trim().to_owned()
}

/// The answer's own hour.
pub fn date_of(answer: &HttpAnswer) -> Option<Instant> {
    answer.header("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok()).map(|at| at.to_utc())
}
