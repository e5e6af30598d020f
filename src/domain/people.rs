//! People who use the agent: what each may do, how they sign in, and tokens that act for them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Instant;

/// Longest name of a user or a token.
pub const NAME_SIGNS_MAX: usize = 64;

/// What a person may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees all but people and secrets.
    Viewer,
    /// Adjusts, resets, postpones, marks as entered elsewhere, samples, drafts billing documents.
    Reviewer,
    /// Sends, corrects, justifies, finalizes, renews licenses, issues billing documents, approves others' adjustments.
    Approver,
    /// Keeps people and tokens; enrols, imports, installs licenses, vouches for the clock.
    Administrator,
}

/// Every role, from the least to the most.
pub const ROLES: [Role; 4] = [Role::Viewer, Role::Reviewer, Role::Approver, Role::Administrator];

impl Role {
    /// Its name in settings, JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Reviewer => "reviewer",
            Role::Approver => "approver",
            Role::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let found = ROLES.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| "write viewer, reviewer, approver or administrator".to_owned())
    }
}

/// Whoever asks or orders, and what he may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub role: Role,
    /// By whose word he is here.
    #[serde(default, skip_serializing_if = "Standing::is_ours")]
    pub standing: Standing,
}

/// By whose word somebody is here: a guest's tokens must not outlive what his provider says of him.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A user of ours, or the owner of the machine.
    #[default]
    Ours,
    /// A sign-in provider vouches for him while his session lasts.
    Guest,
    /// A token that a guest made.
    GuestsToken,
}

impl Standing {
    fn is_ours(&self) -> bool {
        *self == Standing::Ours
    }
}

impl Person {
    /// A user of ours, or the owner of the machine.
    pub fn ours(name: &str, role: Role) -> Person {
        Person { name: name.to_owned(), role, standing: Standing::Ours }
    }

    /// Somebody for whom a sign-in provider vouches.
    pub fn guest(name: &str, role: Role) -> Person {
        Person { name: name.to_owned(), role, standing: Standing::Guest }
    }

    /// The owner of the machine, who reaches the control socket and the store.
    pub fn owner(name: &str) -> Person {
        Person::ours(name, Role::Administrator)
    }

    /// How the journal names him.
    pub fn actor(&self) -> String {
        format!("user:{}", self.name)
    }
}

/// What proves that somebody knows a secret, without holding it; never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// A PHC string of a password, or the SHA-256 of a token or a code as hex.
    pub fn new(text: impl Into<String>) -> SecretHash {
        SecretHash(text.into())
    }

    /// The text, for comparing and for keys of rows.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(***)")
    }
}

/// A way in for somebody who has no password yet; it works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// SHA-256 of the code.
    pub hash: SecretHash,
    /// The first instant at which it works no more.
    pub ends_at: Instant,
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// As [`user_name`] leaves it.
    pub name: String,
    pub role: Role,
    /// A disabled user stays in the list, because the journal names him.
    pub active: bool,
    /// argon2id as a PHC string; `None`: not set yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
    /// Raised by each other password and by disabling: sessions that were opened under an earlier one have ended.
    #[serde(default, skip_serializing_if = "is_first")]
    pub lock: u64,
    pub made_at: Instant,
    pub changed_at: Instant,
}

/// A lock that was never changed is not written: rows stay as they were kept before there were locks.
fn is_first(lock: &u64) -> bool {
    *lock == 0
}

impl User {
    /// Who he is when he has signed in.
    pub fn person(&self) -> Person {
        Person::ours(&self.name, self.role)
    }
}

/// What programs show to act for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// SHA-256 of the token as hex: tokens are long and random, so nothing slower is needed.
    pub hash: SecretHash,
    /// What it is for; one token alone has it at a time.
    pub name: String,
    pub role: Role,
    /// Who made it, and for whom it acts.
    pub by: String,
    /// The user with whom it ends; `None`: the owner of the machine or a guest made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whose word its maker stood by.
    #[serde(default, skip_serializing_if = "Standing::is_ours")]
    pub standing: Standing,
    pub made_at: Instant,
    /// The first instant at which it works no more; `None`: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
}

impl Token {
    /// Whether it works at the instant, its user aside.
    pub fn works_at(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A name as it is kept: lower case, 1 to [`NAME_SIGNS_MAX`] letters, digits and `.`, `_`, `-`, `@`, beginning with a
/// letter or a digit.
pub fn user_name(text: &str) -> Option<String> {
    let name = text.trim().to_lowercase();
    let is_good = |sign: char| sign.is_ascii_alphanumeric() || "._-@".contains(sign);
    let begins_well = name.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    (begins_well && name.len() <= NAME_SIGNS_MAX && name.chars().all(is_good)).then_some(name)
}

/// Whether two names mean one person: users' names are lower case, the machine's may not be.
pub fn is_same_person(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
