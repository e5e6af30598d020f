//! Words for what went wrong with Enterprise Manager: what, why, what to do.

use super::answers::refusal;
use crate::ask::{HttpAnswer, Setback};

pub use crate::sources::trouble::{failed, unreadable};

/// An answer came and it is a refusal.
pub fn refused(manager: &str, path: &str, answer: &HttpAnswer) -> Setback {
    let said = refusal(answer);
    let path = path.split('?').next().unwrap_or_default();
    match answer.status {
        401 => Setback::AskAPerson {
            why: format!("{manager} {path}: the fresh login is not accepted ({said}); check the account there"),
        },
        403 => Setback::AskAPerson {
            why: format!("{manager} {path}: not allowed ({said}); give the account the role Portal Administrator"),
        },
        404 => Setback::TryAgain {
            why: format!(
                "{manager} {path}: not known there ({said}); Enterprise Manager's REST port (9398) is needed as url"
            ),
        },
        _ => Setback::TryAgain { why: format!("{manager} {path}: {said}") },
    }
}
