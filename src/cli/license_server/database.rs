//! `--database`: the PostgreSQL that License Update Servers share.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::super::session::Session;
use crate::agent::Refused;
use crate::doors::peer::Trust;
use crate::ports::postgres::Database;

/// Longest password file.
const PASSWORD_BYTES_MAX: usize = 4096;

/// Where contracts, agents and reports are kept, when that is no folder.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "PostgreSQL")]
pub struct DatabaseAt {
    /// Keeps everything but the signing key in this PostgreSQL 14 or newer: postgresql://USER@HOST[,HOST…]/NAME; any
    /// number of servers share it, each with the same signing key in its state directory [env: TIDEGAUGE_DATABASE]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// A file with the role's password alone [env: TIDEGAUGE_DATABASE_PASSWORD_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// The authority that signed the database's certificate, PEM; without it the system's [env: TIDEGAUGE_DATABASE_CA]
    #[arg(long, global = true, value_name = "FILE")]
    database_ca: Option<PathBuf>,
}

impl DatabaseAt {
    /// The database, when one is named.
    pub fn open(&self, session: &Session<'_>) -> Result<Option<Database>, Refused> {
        let variable = |name: &str| session.doors.variable(name);
        let Some(url) = self.database.as_deref().or(variable("TIDEGAUGE_DATABASE")) else { return Ok(None) };
        let given = |flag: &Option<PathBuf>, name: &str| flag.clone().or(variable(name).map(PathBuf::from));
        let password = given(&self.database_password_file, "TIDEGAUGE_DATABASE_PASSWORD_FILE");
        let password = password.map(|file| password_in(session, &file)).transpose()?;
        let trust = given(&self.database_ca, "TIDEGAUGE_DATABASE_CA").map_or(Trust::System, Trust::CaFile);
        let database = Database::at(url, password.as_ref(), &trust);
        database.map(Some).map_err(|why| Refused::new(2, why.to_string()))
    }
}

fn password_in(session: &Session<'_>, file: &std::path::Path) -> Result<SecretString, Refused> {
    let refused = |why: &str| Refused::new(78, format!("--database-password-file {}: {why}", file.display()));
    let bytes = session.doors.files.read(file).map_err(|error| refused(&error.to_string()))?;
    let bytes = bytes.ok_or_else(|| refused("there is no such file"))?;
    if bytes.len() > PASSWORD_BYTES_MAX {
        return Err(refused("it is too long for a password"));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused("it is no text"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(refused("it is empty")),
        password => Ok(SecretString::from(password.to_owned())),
    }
}
