//! `--read`: each source, read once as a sample does.

use std::sync::Arc;

use super::Check;
use crate::agent::{Refused, TrialRead, trial_read};
use crate::ask::Setback;
use crate::cli::access::{runtime, set_back};
use crate::cli::patience::Patience;
use crate::cli::session::Session;
use crate::config::Settings;
use crate::doors::Wire;
use crate::doors::peer::PeerSettings;

const LOOK_THERE: &str = "mend what it names; the account has to see license usage, on VBR the role Backup Administrator, without \
                          multi-factor login";
const READ_IT: &str = "the sample is taken; the line says what of it is worth a look";

/// Folders are not read: reading puts files away.
pub fn checks(session: &Session<'_>, settings: &Settings) -> Result<Vec<Check>, Refused> {
    let _patience = Patience::with("reading every source");
    let wire: Arc<dyn Wire> = (session.doors.wire)(settings);
    let now = session.hour().now;
    let mut checks = Vec::new();
    let is_asked = |reach: &PeerSettings| matches!(reach, PeerSettings::Http(_));
    for server in settings.servers.iter().chain(&settings.managers).filter(|server| is_asked(&server.reach)) {
        let read = runtime()?.block_on(trial_read(server, wire.as_ref(), now));
        checks.extend(told(&format!("source {}", server.name), read));
    }
    Ok(checks)
}

fn told(name: &str, read: Result<TrialRead, Setback>) -> Vec<Check> {
    match read {
        Ok(read) => {
            let revision = read.revision.map(|revision| Check::well(name, format!("its API speaks {revision}")));
            let servers = read.servers.into_iter().map(|server| Check::well(name, server));
            let notes = read.notes.into_iter().chain(read.clock);
            revision.into_iter().chain(servers).chain(notes.map(|note| Check::warning(name, note, READ_IT))).collect()
        }
        Err(setback) => vec![Check::failed(name, set_back(&setback), LOOK_THERE)],
    }
}
