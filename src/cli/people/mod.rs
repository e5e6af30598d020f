//! `user` and `token`: who may sign in, and programs that act for people.

pub mod token;
pub mod user;

use std::path::Path;

use secrecy::SecretString;

use super::session::Session;
use crate::agent::Refused;
use crate::domain::people::SecretHash;
use crate::people::password;

/// Random bytes for a code or a token.
fn drawn<const BYTES: usize>(session: &Session<'_>) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    (session.doors.chance)().fill(&mut bytes);
    bytes
}

/// The hash of the password in a file; its line's end does not count.
fn password_in(session: &Session<'_>, file: &Path, name: &str) -> Result<SecretHash, Refused> {
    let text = SecretString::from(session.read_text(file)?.trim_end_matches(['\r', '\n']));
    password::refuse_weak(&text, name).map_err(|weak| Refused::new(65, weak.to_string()))?;
    Ok(password::hash(&text, drawn(session)))
}
