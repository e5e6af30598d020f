//! Passwords and API keys, read at the moment they are used and kept nowhere.

use std::fs;
use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use crate::ask::Failure;
use crate::doors::peer::{HttpPeer, Login, SecretPlace};

/// Longest password or key that is read.
const SECRET_BYTES_MAX: u64 = 16_384;

/// Whether a secret can be read, and by nobody else; what it is stays here.
///
/// # Errors
/// [`Failure::Settings`] says what to do about its place.
pub fn readable(place: &SecretPlace) -> Result<(), Failure> {
    secret(place, "secret").map(|_| ())
}

/// Reads the login's password.
pub fn password(login: &Login) -> Result<SecretString, Failure> {
    secret(&login.password, "password")
}

/// Reads the login's access token; a fresh one may have been put there since the last time.
pub fn token(login: &Login) -> Result<SecretString, Failure> {
    secret(&login.password, "token")
}

/// Reads the peer's API key.
pub fn api_key(peer: &HttpPeer) -> Result<SecretString, Failure> {
    let why = || refused("the settings give it no API key: add api_key_file".to_owned());
    secret(peer.api_key.as_ref().ok_or_else(why)?, "API key")
}

/// Reads one secret that webhooks are signed with.
pub fn webhook_secret(place: &SecretPlace) -> Result<SecretString, Failure> {
    secret(place, "webhook secret")
}

/// Reads the whole value of an `Authorization` header.
pub fn authorization(place: &SecretPlace) -> Result<SecretString, Failure> {
    secret(place, "authorization")
}

/// Where a secret stands, for telling people.
pub fn named(place: &SecretPlace) -> String {
    match place {
        SecretPlace::File(path) => format!("the file {}", path.display()),
        SecretPlace::Env(name) => format!("the variable {name}"),
    }
}

/// `what` is for the words of a refusal.
fn secret(place: &SecretPlace, what: &str) -> Result<SecretString, Failure> {
    match place {
        SecretPlace::File(path) => from_file(path, what),
        SecretPlace::Env(name) => match std::env::var(name) {
            Ok(secret) if !secret.is_empty() => Ok(secret.into()),
            Ok(_) | Err(_) => Err(refused(format!("the variable {name} holds no {what}: set it"))),
        },
    }
}

fn from_file(path: &Path, what: &str) -> Result<SecretString, Failure> {
    let unreadable = |error: std::io::Error| refused(format!("{what} file {}: {error}", path.display()));
    let file = fs::File::open(path).map_err(unreadable)?;
    if is_open_to_others(&file.metadata().map_err(unreadable)?) {
        let shown = path.display();
        return Err(refused(format!("{what} file {shown} can be read by everybody: chmod o-rwx {shown}")));
    }
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(refused(format!("{what} file {} is empty: write the {what} into it", path.display())));
    }
    Ok(secret.to_owned().into())
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

fn refused(why: String) -> Failure {
    Failure::Settings { why }
}
