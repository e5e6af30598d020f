//! Every far side of the settings: the way there, an answer, its clock.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};

use super::Check;
use crate::agent::{Refused, clocks_apart};
use crate::ask::{Answer, Ask, Failure, FolderAsk, HttpAnswer, HttpAsk};
use crate::cli::access::runtime;
use crate::cli::patience::Patience;
use crate::cli::session::Session;
use crate::config::Settings;
use crate::domain::Instant;
use crate::doors::Wire;
use crate::doors::look::{Seen, Way};
use crate::doors::peer::{HookPeer, PeerSettings, WEBHOOK};

/// Longest wait for an answer.
const SECONDS_MAX: u32 = 10;
/// Files that a folder's listing may name.
const ENTRIES_MAX: usize = 100_000;
/// A certificate that ends sooner is worth knowing.
const ENDS_SOON: TimeDelta = TimeDelta::days(30);

const FIND_IT: &str = "correct the host in the settings, or this machine's name servers";
const REACH_IT: &str = "look whether it runs, and whether a firewall lets this machine through to its port";
const TRUST_IT: &str = "compare the fingerprint with the one on the server, then write tls = { fingerprint_sha256 = \"...\" } or \
                        tls = { ca_file = \"...\" }";
const RENEW_IT: &str = "renew the certificate on the server; a fingerprint in the settings changes with it";
const SET_CLOCKS: &str = "set both clocks by NTP; while they are apart no sample of this server is believed";
const READ_FOLDER: &str = "let the service's user read and write the folder: taken files are put away in it";

/// All at once.
pub fn checks(session: &Session<'_>, settings: &Settings) -> Result<Vec<Check>, Refused> {
    let _patience = Patience::with("asking every server");
    let carrier = (session.doors.wire)(settings);
    let now = session.hour().now;
    runtime()?.block_on(async {
        let mut asked = Vec::new();
        for (peer, reach) in settings.peers() {
            asked.push(tokio::spawn(visit(Arc::clone(&carrier), peer, reach, now)));
        }
        let mut checks = Vec::new();
        for one in asked {
            checks.extend(one.await.map_err(|error| Refused::new(1, format!("a check broke off: {error}")))?);
        }
        Ok(checks)
    })
}

async fn visit(wire: Arc<dyn Wire>, peer: String, reach: PeerSettings, now: Instant) -> Vec<Check> {
    let way = wire.look_at(&peer).await;
    let is_lost = way.iter().any(|seen| seen.found.is_err());
    let mut checks: Vec<Check> = way.into_iter().map(|seen| on_the_way(&peer, seen, now)).collect();
    if !is_lost {
        checks.extend(knock(wire.as_ref(), &peer, &reach, now).await);
    }
    checks
}

fn on_the_way(peer: &str, seen: Seen, now: Instant) -> Check {
    let name = format!("{} of {peer}", seen.what.as_str());
    match seen.found {
        Ok(found) if seen.ends_at.is_some_and(|ends_at| ends_at - now < ENDS_SOON) => {
            Check::warning(name, found, RENEW_IT)
        }
        Ok(found) => Check::well(name, found),
        Err(failure) => {
            let what_to_do = if seen.what == Way::Address { FIND_IT } else { mended_by(&failure) };
            Check::failed(name, Refused::new(69, failure.to_string()), what_to_do)
        }
    }
}

async fn knock(wire: &dyn Wire, peer: &str, reach: &PeerSettings, now: Instant) -> Vec<Check> {
    let ask = match reach {
        PeerSettings::Http(_) => Ask::Http(HttpAsk { seconds_max: SECONDS_MAX, ..HttpAsk::get(peer, "/") }),
        PeerSettings::Folder(_) => Ask::Folder(FolderAsk::List { peer: peer.to_owned(), entries_max: ENTRIES_MAX }),
        PeerSettings::Hook(hook) => return vec![Check::well(peer, not_asked(peer, hook))],
        PeerSettings::Mail(mail) => {
            let found = format!("{}:{} gets no letter here; `tidegauge mail test` sends one", mail.host, mail.port);
            return vec![Check::well(peer, found)];
        }
    };
    let failed =
        |failure: &Failure, what_to_do| vec![Check::failed(peer, Refused::new(69, failure.to_string()), what_to_do)];
    match wire.carry(ask).await {
        Answer::Http(answer) => {
            let answers = Check::well(peer, format!("answers (status {})", answer.status));
            [answers].into_iter().chain(clock(peer, &answer, now)).collect()
        }
        Answer::Folder(_) => vec![Check::well(peer, "can be read")],
        Answer::Failed(failure) if matches!(reach, PeerSettings::Folder(_)) => failed(&failure, READ_FOLDER),
        Answer::Failed(failure) => failed(&failure, mended_by(&failure)),
        Answer::Mail(answer) => answer.end.err().map_or(Vec::new(), |failure| failed(&failure, REACH_IT)),
    }
}

fn not_asked(peer: &str, hook: &HookPeer) -> String {
    let how = if peer.starts_with(WEBHOOK) { "; `tidegauge webhook test` sends a message" } else { "" };
    format!("{} is not asked here{how}", hook.server.base_url)
}

/// The clock that an answer's `Date` tells (RFC 9110, section 6.6.1); nothing without one.
fn clock(peer: &str, answer: &HttpAnswer, now: Instant) -> Option<Check> {
    let theirs = DateTime::parse_from_rfc2822(answer.header("date")?).ok()?.to_utc();
    let name = format!("clock of {peer}");
    Some(match clocks_apart(theirs, now) {
        Some(why) => Check::warning(name, why, SET_CLOCKS),
        None => Check::well(name, "agrees with this machine's"),
    })
}

fn mended_by(failure: &Failure) -> &'static str {
    match failure {
        Failure::Untrusted { .. } => TRUST_IT,
        Failure::Unreachable { .. }
        | Failure::TimedOut { .. }
        | Failure::TooLarge { .. }
        | Failure::Broken { .. }
        | Failure::NotLetIn { .. }
        | Failure::RefusedForGood { .. }
        | Failure::RefusedForNow { .. }
        | Failure::File { .. }
        | Failure::Settings { .. } => REACH_IT,
    }
}
