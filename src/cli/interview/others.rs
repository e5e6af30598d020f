//! Time zone, License Update Server and mail.

use std::path::Path;

use serde_json::Value;

use super::asking::{again, line, say, until, yes};
use super::draft::{Draft, beside, entry, quoted, secret_entry};
use super::far_side::{self, secret_file};
use crate::agent::Refused;
use crate::cli::mail::try_out;
use crate::cli::session::Session;
use crate::config::Settings;

/// Where hours are shown beside GMT.
pub fn time_zone(session: &mut Session<'_>, draft: &mut Draft) -> Result<(), Refused> {
    let default = session.doors.variable("TZ").map(str::to_owned).or_else(|| of_this_machine(session));
    let default = default.filter(|zone| draft.with(&entry("time_zone", zone)).is_ok()).unwrap_or("UTC".to_owned());
    let judged = draft.clone();
    let zone = until(session, "Time zone for showing hours; every deadline is GMT", &default, |typed| {
        judged.with(&entry("time_zone", typed)).map(|_| typed.to_owned())
    })?;
    draft.keep(&entry("time_zone", &zone));
    Ok(())
}

/// As Debian writes it.
fn of_this_machine(session: &Session<'_>) -> Option<String> {
    let bytes = session.doors.files.read(Path::new("/etc/timezone")).ok()??;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

/// The License Update Server, if there is one.
pub fn license_server(session: &mut Session<'_>, draft: &mut Draft) -> Result<bool, Refused> {
    let far = far_side::ask(session, "Address of the License Update Server (empty: there is none)", None)?;
    let Some(far) = far else { return Ok(false) };
    draft.keep(&format!("\n[license_server]\n{}", far.entries()));
    Ok(true)
}

/// The mail server, if there is one, and who is told.
pub fn mail(session: &mut Session<'_>, draft: &mut Draft, folder: &Path) -> Result<(), Refused> {
    let host = line(session, "Mail server (empty: nobody is told by mail)", "")?;
    if host.is_empty() {
        return Ok(());
    }
    let (block, settings) = again(session, |session| {
        let block = mail_block(session, &host, folder)?;
        match draft.with(&block) {
            Ok(settings) => Ok(Some((block, settings))),
            Err(why) => {
                say(session, &format!("  {why}"));
                Ok(None)
            }
        }
    })?;
    draft.keep(&block);
    try_it(session, &settings)
}

fn mail_block(session: &mut Session<'_>, host: &str, folder: &Path) -> Result<String, Refused> {
    let port = until(session, "Port", "587", |typed| {
        typed.parse::<u16>().map_err(|_| format!("{typed} is no port: write a number up to 65535"))
    })?;
    let tls = line(session, "Encryption: starttls, implicit, or none (loopback only)", "starttls")?;
    let from = line(session, "Sender", &format!("Tidegauge <tidegauge@{host}>"))?;
    let to = line(session, "Who is told, several with commas between them", "")?;
    let to: Vec<String> = to.split(',').map(|one| quoted(one.trim())).collect();
    let username = line(session, "User name (empty: it asks for none)", "")?;
    let mut login = String::new();
    if !username.is_empty() {
        let place = secret_file(session, "password", &beside(folder, "mail", "password"))?;
        login = format!("{}{}", entry("username", &username), secret_entry("password", &place));
    }
    Ok(format!(
        "\n[mail]\n{}port = {port}\n{}{}to = [{}]\n{login}",
        entry("host", host),
        entry("tls", &tls),
        entry("from", &from),
        to.join(", ")
    ))
}

/// A letter leaves only when the person says so.
fn try_it(session: &mut Session<'_>, settings: &Settings) -> Result<(), Refused> {
    if !yes(session, "Send a letter to see whether it arrives?")? {
        return Ok(());
    }
    for (to, letter) in try_out(session, settings)? {
        let words = letter["words"].as_str().unwrap_or_default();
        let end = if letter["taken"] == Value::Bool(true) { "taken" } else { "not taken" };
        say(session, &format!("  {to}: {end}: {words}"));
    }
    Ok(())
}
