//! Words for an answer that did not come, or cannot be read: what, why, what to do. Every REST source says them alike.

use crate::ask::{Answer, Failure, Setback};

/// No usable answer came.
pub fn failed(server: &str, path: &str, answer: &Answer) -> Setback {
    let failure = match answer {
        Answer::Failed(failure) => failure,
        Answer::Http(_) | Answer::Mail(_) | Answer::Folder(_) => {
            return Setback::TryAgain { why: format!("{server} {path}: an answer of the wrong kind came") };
        }
    };
    match failure {
        Failure::Untrusted { seen_sha256: Some(seen), .. } => Setback::AskAPerson {
            why: format!(
                "{server} {path}: {failure}; compare it with the server's certificate and set tls.fingerprint_sha256 = \
                 \"{seen}\" or tls.ca_file"
            ),
        },
        Failure::Untrusted { seen_sha256: None, .. } => Setback::AskAPerson {
            why: format!("{server} {path}: {failure}; set tls.ca_file or tls.fingerprint_sha256"),
        },
        Failure::Settings { .. } => {
            Setback::AskAPerson { why: format!("{server}: {failure}; correct the settings of this server") }
        }
        Failure::Unreachable { .. } | Failure::TimedOut { .. } | Failure::Broken { .. } => Setback::TryAgain {
            why: format!("{server} {path}: {failure}; check that the server runs and its REST port is open"),
        },
        Failure::TooLarge { .. }
        | Failure::NotLetIn { .. }
        | Failure::RefusedForGood { .. }
        | Failure::RefusedForNow { .. }
        | Failure::File { .. } => Setback::TryAgain { why: format!("{server} {path}: {failure}") },
    }
}

/// An answer came that cannot be read.
pub fn unreadable(server: &str, path: &str, why: &str) -> Setback {
    Setback::TryAgain { why: format!("{server} {path}: {why}") }
}
