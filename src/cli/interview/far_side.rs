//! An address, knocked at: does something answer, and is its certificate believed?

use std::path::Path;
use std::sync::Arc;

use super::asking::{again, line, say, until, yes};
use super::draft::{Draft, address, entry, quoted};
use crate::agent::Refused;
use crate::ask::{Answer, Ask, Failure, HttpAsk};
use crate::cli::access::runtime;
use crate::cli::patience::Patience;
use crate::cli::session::{Session, absolute};
use crate::config::Settings;
use crate::doors::Wire;
use crate::doors::peer::{LICENSE_SERVER, SecretPlace};
use crate::ports::wire;

/// Longest wait for an answer to a knock.
const SECONDS_MAX: u32 = 10;

/// An address as it goes into the file.
#[derive(Clone)]
pub struct FarSide {
    pub url: String,
    /// The `tls` line, when the system's authorities do not do.
    tls: String,
    /// Something answered there, and its certificate is believed.
    pub answers: bool,
}

impl FarSide {
    /// Its lines in the file.
    pub fn entries(&self) -> String {
        format!("{}{}", entry("url", &self.url), self.tls)
    }

    /// The settings of it alone, under the name of the one far side that wants no login.
    fn settings(&self) -> Result<Settings, String> {
        Draft::new().with(&format!("[license_server]\n{}", self.entries()))
    }
}

/// Asks for an address until one can be used; `None` for an empty line where that is an answer.
pub fn ask(session: &mut Session<'_>, question: &str, port: Option<u16>) -> Result<Option<FarSide>, Refused> {
    again(session, |session| {
        let typed = line(session, question, "")?;
        if typed.is_empty() {
            return Ok(port.is_none().then_some(None));
        }
        let mut far = FarSide { url: address(&typed, port), tls: String::new(), answers: false };
        if let Err(why) = far.settings() {
            say(session, &format!("  {why}"));
            return Ok(None);
        }
        Ok(is_taken(session, &mut far)?.then_some(Some(far)))
    })
}

/// Knocks until a certificate is believed, or the person wants another address or this one as it is.
fn is_taken(session: &mut Session<'_>, far: &mut FarSide) -> Result<bool, Refused> {
    let address = far.url.clone();
    again(session, |session| match knock(session, far)? {
        Ok(status) => {
            say(session, &format!("  {address} answers (status {status})"));
            far.answers = true;
            Ok(Some(true))
        }
        Err(Failure::Untrusted { why, seen_sha256: Some(seen) }) if far.tls.is_empty() => {
            say(session, &format!("  {why}"));
            match trusted(session, &seen)? {
                Some(tls) => far.tls = tls,
                None => return Ok(Some(false)),
            }
            Ok(None)
        }
        Err(failure) => {
            say(session, &format!("  {failure}"));
            far.tls.clear();
            yes(session, "Keep this address although it could not be tested?").map(Some)
        }
    })
}

/// Shows the certificate, and asks what is believed; `None`: not this one.
fn trusted(session: &mut Session<'_>, seen: &str) -> Result<Option<String>, Refused> {
    let pairs: Vec<&str> = (0..seen.len()).step_by(2).filter_map(|at| seen.get(at..at + 2)).collect();
    let shown = pairs.join(":").to_uppercase();
    let told = format!(
        "  The certificate that it showed has the SHA-256 fingerprint\n    {shown}\n  Compare it with the one on the \
         server itself (openssl x509 -noout -fingerprint -sha256 -in FILE)."
    );
    say(session, &told);
    let question = "The same? y: believe this certificate alone; a PEM file: believe its authority; empty: neither";
    let typed = line(session, question, "")?;
    Ok(match typed.to_lowercase().as_str() {
        "y" | "yes" => Some(format!("tls = {{ fingerprint_sha256 = {} }}\n", quoted(seen))),
        "" | "n" | "no" => None,
        _ => {
            let file = absolute(Path::new(&typed)).display().to_string();
            Some(format!("tls = {{ ca_file = {} }}\n", quoted(&file)))
        }
    })
}

fn knock(session: &Session<'_>, far: &FarSide) -> Result<Result<u16, Failure>, Refused> {
    let settings = far.settings().map_err(|why| Refused::new(78, why))?;
    let _patience = Patience::with("asking the server");
    let wire: Arc<dyn Wire> = (session.doors.wire)(&settings);
    let ask = HttpAsk { seconds_max: SECONDS_MAX, ..HttpAsk::get(LICENSE_SERVER, "/") };
    Ok(match runtime()?.block_on(wire.carry(Ask::Http(ask))) {
        Answer::Http(answer) => Ok(answer.status),
        Answer::Failed(failure) => Err(failure),
        Answer::Mail(_) | Answer::Folder(_) => return Err(Refused::new(1, "an answer of another kind")),
    })
}

/// Asks for the file of a secret until it can be read, and by nobody else. What stands in it is not shown.
pub fn secret_file(session: &mut Session<'_>, what: &str, default: &str) -> Result<SecretPlace, Refused> {
    let question = format!("File with the {what}");
    until(session, &question, default, |typed| {
        let place = SecretPlace::File(absolute(Path::new(typed)));
        wire::readable(&place).map(|()| place).map_err(|failure| {
            format!("{failure}; in another terminal: (umask 077; cat > {typed}), the {what}, Enter, Ctrl-D")
        })
    })
}
