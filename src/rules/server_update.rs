//! What a backup server's own license update came to: its words and its license, as one of the five results.
//!
//! The words of domain.md 4.4 are found inside what the server says: it puts its product's name before them and spells
//! some of them otherwise (api.md 2.5). Words that nobody knows are judged by what the server calls them and by its dates.

use super::license_results::{
    self, CONTRACT_TERMINATED, Consequence, KEY_INVALID, KEY_REVOKED, LICENSE_RESULTS, LicenseOutcome, LicenseResult,
    ResultRow, Telling, UP_TO_DATE,
};
use crate::domain::license::License;

/// How the servers spell [`UP_TO_DATE`] (api.md 2.5, the documentation's example).
const SERVER_UP_TO_DATE: &str = "License key is up-to-date";

/// What a server answered to an update of its license.
#[derive(Clone, Copy, Debug)]
pub struct ServerAnswer<'a> {
    /// Word for word.
    pub words: &'a str,
    /// Whether the server calls it a success.
    pub is_successful: bool,
    /// The server's license just before.
    pub before: &'a License,
    /// And just after; `None`: it could not be read.
    pub after: Option<&'a License>,
}

/// The result of the answer.
pub fn read(answer: &ServerAnswer<'_>) -> LicenseResult {
    let message = license_results::kept(&one_line(answer.words));
    let is_later = answer.after.is_some_and(|after| is_later(answer.before, after));
    let result = |outcome, consequence| LicenseResult {
        outcome,
        consequence,
        telling: Telling::Notice,
        message: message.clone(),
        to_do: "",
    };
    match row_of(answer.words) {
        // A key that came and could not be installed is no success.
        Some(row) if row.outcome == LicenseOutcome::Success && !answer.is_successful && !is_later => {
            license_results::invalid(&message)
        }
        Some(row) => LicenseResult {
            outcome: row.outcome,
            consequence: row.consequence,
            telling: row.telling,
            message: message.clone(),
            to_do: row.to_do,
        },
        None if is_later => result(LicenseOutcome::Success, Consequence::Install),
        None if answer.is_successful && answer.after.is_some() => {
            result(LicenseOutcome::NotRequired, Consequence::Keep)
        }
        None => license_results::invalid(&message),
    }
}

/// Whether the words call the key invalid or revoked.
pub fn calls_key_invalid(words: &str) -> bool {
    row_of(words).is_some_and(|row| [KEY_INVALID, KEY_REVOKED].contains(&row.message))
}

/// Whether the license is valid longer than before.
pub fn is_later(before: &License, after: &License) -> bool {
    let later = |before: Option<chrono::NaiveDate>, after: Option<chrono::NaiveDate>| matches!((before, after), (Some(before), Some(after)) if before < after);
    later(before.expires_on, after.expires_on) || later(before.support_expires_on, after.support_expires_on)
}

/// The words in one line, nothing else changed.
pub fn one_line(words: &str) -> String {
    let plain: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The gravest row whose words are in the answer.
fn row_of(words: &str) -> Option<ResultRow> {
    let said = bare(words);
    let says = |text: &str| said.contains(&bare(text));
    let named = |message: &str| LICENSE_RESULTS.iter().find(|row| row.message == message).copied();
    let known = LICENSE_RESULTS.iter().filter(|row| says(row.message)).max_by_key(|row| gravity(row)).copied();
    if let Some(row) = known {
        return Some(row);
    }
    // The vendor documents this result and not its words.
    if says("contract") && says("terminated") {
        return named(CONTRACT_TERMINATED);
    }
    if says(SERVER_UP_TO_DATE) { named(UP_TO_DATE) } else { None }
}

fn gravity(row: &ResultRow) -> u8 {
    match row.consequence {
        Consequence::Keep => 0,
        Consequence::Install => 1,
        Consequence::RetryAfter(_) => 2,
        Consequence::AwaitOrder => 3,
        Consequence::SwitchOff => 4,
    }
}

/// Letters and digits in lower case, a space between words and around them.
fn bare(text: &str) -> String {
    let plain = text.to_lowercase();
    let words = plain.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}
