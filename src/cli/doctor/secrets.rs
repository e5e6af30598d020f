//! Every secret that the settings name: is it there, and does nobody else read it?

use super::Check;
use crate::agent::Refused;
use crate::config::Settings;
use crate::doors::peer::{PeerSettings, SecretPlace};
use crate::ports::wire;

const CLOSE_IT: &str =
    "write it into a file that only the service's user reads (chmod 600), or hand it over with LoadCredential=";
const ASK_THE_SERVICE: &str = "run `tidegauge doctor` as the service's user, or look at the service's log";

/// What only the service has is not judged.
pub fn checks(settings: &Settings) -> Vec<Check> {
    settings.peers().into_iter().filter_map(|(peer, reach)| check(&peer, &reach)).collect()
}

fn check(peer: &str, reach: &PeerSettings) -> Option<Check> {
    let places = reach.secrets();
    if places.is_empty() {
        return None;
    }
    let name = format!("secret of {peer}");
    let unread = places.iter().filter_map(|place| Some((place, wire::readable(place).err()?)));
    let (away, bad): (Vec<_>, Vec<_>) = unread.partition(|(place, _)| is_the_services(place));
    Some(match (bad.first(), away.first()) {
        (Some((_, failure)), _) => Check::failed(name, Refused::new(78, failure.to_string()), CLOSE_IT),
        (None, Some((_, failure))) => {
            let found = format!("not judged here, the service's own may be another: {failure}");
            Check::warning(name, found, ASK_THE_SERVICE)
        }
        (None, None) => Check::well(name, format!("{} can be read, and by nobody else", places.len())),
    })
}

/// Whether a service has its own of it: a variable of its environment, or a credential that systemd shows nobody else.
fn is_the_services(place: &SecretPlace) -> bool {
    match place {
        SecretPlace::Env(_) => true,
        SecretPlace::File(path) => {
            path.starts_with("/run") && path.components().any(|part| part.as_os_str() == "credentials")
        }
    }
}
