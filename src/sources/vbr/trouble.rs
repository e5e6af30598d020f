//! Words for what went wrong with a VBR server: what, why, what to do.

use crate::ask::{HttpAnswer, Setback};

use super::answers::refusal;

pub use crate::sources::trouble::{failed, unreadable};

/// An answer came and it is a refusal.
pub fn refused(server: &str, path: &str, answer: &HttpAnswer) -> Setback {
    let said = refusal(answer);
    match answer.status {
        401 => Setback::AskAPerson {
            why: format!("{server} {path}: the fresh login is not accepted ({said}); check the account on the server"),
        },
        403 => Setback::AskAPerson {
            why: format!("{server} {path}: not allowed ({said}); give the account the role Backup Administrator"),
        },
        404 => Setback::TryAgain {
            why: format!(
                "{server} {path}: not known there ({said}); VBR 12.3.1 or later is needed, and its REST port as url"
            ),
        },
        _ => Setback::TryAgain { why: format!("{server} {path}: {said}") },
    }
}
