//! Words for what went wrong with a VSPC console: what, why, what to do.

use crate::ask::{HttpAnswer, Setback};
use crate::sources::lenient::Text;

use super::answers::{ErrorRow, Refusal, read, refusal};

pub use crate::sources::trouble::{failed, unreadable};

/// An answer came and it is a refusal.
pub fn refused(server: &str, path: &str, answer: &HttpAnswer) -> Setback {
    let said = refusal(answer);
    match answer.status {
        401 => Setback::AskAPerson {
            why: format!("{server} {path}: not let in ({said}); check the API key or the account in VSPC"),
        },
        403 => Setback::AskAPerson {
            why: format!(
                "{server} {path}: not allowed ({said}); give the key or account the role Portal Administrator; \
                 read-only is enough to read"
            ),
        },
        404 => Setback::TryAgain {
            why: format!("{server} {path}: not known there ({said}); VSPC 8.1 or later is needed, and its port as url"),
        },
        520 => of_errors(server, path, answer, &said),
        _ => Setback::TryAgain { why: format!("{server} {path}: {said}") },
    }
}

/// Every trouble of the console itself comes as HTTP 520; the type of its errors says what to do (api.md 3.1).
fn of_errors(server: &str, path: &str, answer: &HttpAnswer, said: &str) -> Setback {
    let why = format!("{server} {path}: {said}");
    match nature(answer) {
        Nature::Passing | Nature::Unsaid => Setback::TryAgain { why },
        Nature::Lasting(kind) => {
            Setback::AskAPerson { why: format!("{why}; VSPC calls it '{kind}': look into its own log") }
        }
    }
}

/// What the errors of an answer mean for the next try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    /// `transport` or `retryableLogical`: may be better in a moment.
    Passing,
    /// `logical` or `security`: a person is needed.
    Lasting(String),
    /// `unspecified`, of a later version, or none.
    Unsaid,
}

/// The nature of an answer's errors.
pub fn nature(answer: &HttpAnswer) -> Nature {
    let refusal: Refusal = read(answer).unwrap_or_default();
    nature_of(refusal.errors.as_ref().map_or(&[][..], |rows| &rows.0))
}

/// The nature of these errors: one that passes makes them all pass.
pub fn nature_of(errors: &[ErrorRow]) -> Nature {
    let kinds: Vec<&str> = errors.iter().filter_map(|row| row.kind.get()).collect();
    if kinds.iter().any(|kind| matches!(*kind, "transport" | "retryableLogical")) {
        return Nature::Passing;
    }
    let lasting = kinds.into_iter().find(|kind| matches!(*kind, "logical" | "security"));
    lasting.map_or(Nature::Unsaid, |kind| Nature::Lasting(kind.to_owned()))
}

/// A 200 whose envelope has errors in place of data.
pub fn empty_handed(server: &str, path: &str, errors: &[ErrorRow]) -> Setback {
    let said = errors.iter().map(|row| &row.message).find_map(Text::get).unwrap_or("no words");
    let why = format!("{server} {path}: no data, and the error \"{}\"", crate::sources::reply::one_line(said));
    match nature_of(errors) {
        Nature::Passing | Nature::Unsaid => Setback::TryAgain { why },
        Nature::Lasting(_) => Setback::AskAPerson { why },
    }
}
