//! Passwords, read at the moment they are used and kept nowhere.

use std::fs;
use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use crate::ask::Failure;
use crate::doors::peer::{Login, SecretPlace};

/// Longest password that is read.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// Reads the login's password.
pub fn password(login: &Login) -> Result<SecretString, Failure> {
    match &login.password {
        SecretPlace::File(path) => from_file(path),
        SecretPlace::Env(name) => match std::env::var(name) {
            Ok(password) if !password.is_empty() => Ok(password.into()),
            Ok(_) | Err(_) => Err(refused(format!("the variable {name} holds no password: set it"))),
        },
    }
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let unreadable = |error: std::io::Error| refused(format!("password file {}: {error}", path.display()));
    let file = fs::File::open(path).map_err(unreadable)?;
    if is_open_to_others(&file.metadata().map_err(unreadable)?) {
        let shown = path.display();
        return Err(refused(format!("password file {shown} can be read by everybody: chmod o-rwx {shown}")));
    }
    let mut text = String::new();
    file.take(PASSWORD_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(refused(format!("password file {} is empty: write the password into it", path.display())));
    }
    Ok(password.to_owned().into())
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
