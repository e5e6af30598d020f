//! The table of license update messages: one row a message (domain.md 4.3 and 4.4).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The five results of a license update (domain.md 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseOutcome {
    Success,
    NotRequired,
    NotGenerated,
    InvalidAnswer,
    ContractTerminated,
}

impl LicenseOutcome {
    /// In the order of their numbers.
    pub const ALL: [LicenseOutcome; 5] = [
        LicenseOutcome::Success,
        LicenseOutcome::NotRequired,
        LicenseOutcome::NotGenerated,
        LicenseOutcome::InvalidAnswer,
        LicenseOutcome::ContractTerminated,
    ];

    /// The number of the field, 1 to 5.
    pub fn number(self) -> u8 {
        match self {
            LicenseOutcome::Success => 1,
            LicenseOutcome::NotRequired => 2,
            LicenseOutcome::NotGenerated => 3,
            LicenseOutcome::InvalidAnswer => 4,
            LicenseOutcome::ContractTerminated => 5,
        }
    }

    /// The result of this number.
    pub fn numbered(number: u8) -> Option<LicenseOutcome> {
        LicenseOutcome::ALL.into_iter().find(|outcome| outcome.number() == number)
    }

    /// Its name, as the field lists the results.
    pub fn name(self) -> &'static str {
        match self {
            LicenseOutcome::Success => "success",
            LicenseOutcome::NotRequired => "not required",
            LicenseOutcome::NotGenerated => "failed to generate",
            LicenseOutcome::InvalidAnswer => "invalid answer",
            LicenseOutcome::ContractTerminated => "contract terminated",
        }
    }

    /// Whether the check came to nothing that it was made for.
    pub fn is_failure(self) -> bool {
        match self {
            LicenseOutcome::Success | LicenseOutcome::NotRequired => false,
            LicenseOutcome::NotGenerated | LicenseOutcome::InvalidAnswer | LicenseOutcome::ContractTerminated => true,
        }
    }
}

/// How long to wait after a failed check (domain.md 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// 60 minutes: no connection, or an answer that makes no sense.
    Hour,
    /// 24 hours: the server answered and gave no key.
    Day,
}

impl Pause {
    pub fn span(self) -> TimeDelta {
        match self {
            Pause::Hour => TimeDelta::minutes(60),
            Pause::Day => TimeDelta::hours(24),
        }
    }
}

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "consequence", content = "pause")]
pub enum Consequence {
    /// Verify and install the key that came along.
    Install,
    /// Nothing to do until the next regular check.
    Keep,
    RetryAfter(Pause),
    /// Not asked for again until a person orders it or installs a key.
    AwaitOrder,
    /// Auto update goes off until a person switches it on.
    SwitchOff,
}

impl Consequence {
    /// The pause before the next try, when this was a failure.
    pub fn retry(self) -> Option<Pause> {
        match self {
            Consequence::RetryAfter(pause) => Some(pause),
            Consequence::Install | Consequence::Keep | Consequence::AwaitOrder | Consequence::SwitchOff => None,
        }
    }
}

/// Whether people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    Notice,
    HistoryOnly,
}

/// One message and what it means.
#[derive(Clone, Copy, Debug)]
pub struct ResultRow {
    pub message: &'static str,
    pub outcome: LicenseOutcome,
    pub consequence: Consequence,
    pub telling: Telling,
    /// What a person does about it.
    pub to_do: &'static str,
}

pub const RECEIVED: &str = "New license key has been received";
pub const INSTALLED: &str = "New license key has been installed";
pub const AUTO_UPDATED: &str = "License key has been auto-updated";
pub const TYPE_NOT_SUPPORTED: &str = "License key type is not supported at the moment";
pub const KEY_INVALID: &str = "License key is invalid";
pub const UP_TO_DATE: &str = "Your existing license key is up to date";
pub const CONTRACT_EXPIRED: &str = "Your contract has expired, so the license key cannot be updated automatically. \
     Please contact your Veeam sales representative to renew your contract.";
pub const GENERAL_ERROR: &str = "General license key generation error has occurred";
/// The vendor documents the result and not its words; these are ours.
pub const CONTRACT_TERMINATED: &str =
    "Your contract has been terminated, so automatic license update has been disabled";
/// Ours: a revoked key is a state in the server's answer.
pub const KEY_REVOKED: &str = "Your license key has been revoked. Please contact the issuer of the key.";
/// Ours: a key with several Support IDs is not renewed automatically (domain.md 4.1).
pub const MERGED_SUPPORT_ID: &str =
    "License keys with merged Support IDs cannot be updated automatically. Please ask support.";

const fn succeeded(message: &'static str) -> ResultRow {
    ResultRow {
        message,
        outcome: LicenseOutcome::Success,
        consequence: Consequence::Install,
        telling: Telling::Notice,
        to_do: "Nothing; `license show` tells the key.",
    }
}

const fn failed(message: &'static str, to_do: &'static str) -> ResultRow {
    ResultRow {
        message,
        outcome: LicenseOutcome::NotGenerated,
        consequence: Consequence::RetryAfter(Pause::Day),
        telling: Telling::Notice,
        to_do,
    }
}

/// What to do about an answer that is not understood, or about none.
pub const INVALID_TO_DO: &str =
    "Mend the connection to the update server; if it answers, show its words to its operator.";

/// Every message that is understood; anything else is an invalid answer.
pub const LICENSE_RESULTS: [ResultRow; 11] = [
    succeeded(RECEIVED),
    succeeded(INSTALLED),
    succeeded(AUTO_UPDATED),
    ResultRow {
        message: UP_TO_DATE,
        outcome: LicenseOutcome::NotRequired,
        consequence: Consequence::Keep,
        telling: Telling::HistoryOnly,
        to_do: "Nothing; more than 7 days are left, or the key lasts to the contract's end.",
    },
    failed(TYPE_NOT_SUPPORTED, "Install the next key by hand, or ask for a Rental, Subscription or Perpetual key."),
    failed(KEY_INVALID, "Contact sales: the server does not know the installed key."),
    failed(CONTRACT_EXPIRED, "Renew the contract; auto update stays on and goes on asking."),
    failed(GENERAL_ERROR, "Wait 24 hours; it is asked again until the retry window is over."),
    ResultRow {
        consequence: Consequence::AwaitOrder,
        ..failed(KEY_REVOKED, "Ask the issuer, then order `license update` or install another key.")
    },
    failed(MERGED_SUPPORT_ID, "Ask support to renew or to split the license."),
    ResultRow {
        message: CONTRACT_TERMINATED,
        outcome: LicenseOutcome::ContractTerminated,
        consequence: Consequence::SwitchOff,
        telling: Telling::Notice,
        to_do: "Make a contract, install its key, then switch auto update on again; until then reporting is manual.",
    },
];

/// Longest foreign message that is kept, in signs.
pub const MESSAGE_CHARS_MAX: usize = 2_000;

/// The foreign text word for word, cut when it is longer than any message.
pub fn kept(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// One license check as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseResult {
    pub outcome: LicenseOutcome,
    pub consequence: Consequence,
    pub telling: Telling,
    /// Word for word, as the far side said it.
    pub message: String,
    /// What a person does about it.
    pub to_do: &'static str,
}

/// What the message means; one that is not in the table is an invalid answer, kept word for word up to [`MESSAGE_CHARS_MAX`].
pub fn read(message: &str) -> LicenseResult {
    let row = LICENSE_RESULTS.iter().find(|row| row.message == message.trim());
    row.map_or_else(
        || invalid(message),
        |row| LicenseResult {
            outcome: row.outcome,
            consequence: row.consequence,
            telling: row.telling,
            message: kept(message),
            to_do: row.to_do,
        },
    )
}

/// The result when there was no answer, or none that makes sense: tried again after an hour.
pub fn invalid(why: &str) -> LicenseResult {
    LicenseResult {
        outcome: LicenseOutcome::InvalidAnswer,
        consequence: Consequence::RetryAfter(Pause::Hour),
        telling: Telling::Notice,
        message: kept(why),
        to_do: INVALID_TO_DO,
    }
}
