//! Looking at the way to a peer: its name, a proxy, its certificates, a mail server's greeting. Nothing is asked of it.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::ask::Failure;
use crate::doors::look::{Seen, Way};
use crate::doors::peer::{HttpPeer, PeerSettings, Reach, is_loopback};

use super::mail_reach::{first_reached, in_turn};
use super::trust::{self, Seen as SeenCertificate};
use super::{mail, validity};

/// Longest wait for a name, a connection, a handshake, a greeting.
const STEP_SECONDS_MAX: u32 = 10;

/// What is seen on the way there, in order; it ends with what went wrong.
pub async fn look_at(peer: &PeerSettings) -> Vec<Seen> {
    match peer {
        PeerSettings::Http(peer) => at_server(peer, Reach::Anywhere).await,
        PeerSettings::Hook(hook) => at_server(&hook.server, hook.reach).await,
        PeerSettings::Mail(peer) => {
            let greeted = mail::greet(peer, STEP_SECONDS_MAX).await;
            let steps: Vec<String> = greeted.steps.into_iter().map(|step| step.found).collect();
            vec![seen(Way::Greeting, greeted.end.map(|_| steps.join("; ")))]
        }
        PeerSettings::Folder(_) => Vec::new(),
    }
}

async fn at_server(peer: &HttpPeer, reach: Reach) -> Vec<Seen> {
    let Ok(url) = Url::parse(&peer.base_url) else { return Vec::new() };
    let host = url.host_str().unwrap_or_default().to_owned();
    // As the client of asks decides it.
    let is_proxied = reach == Reach::Anywhere && !is_loopback(&host);
    if let Some(proxy) = proxy_of(&url).filter(|_| is_proxied) {
        return vec![seen(Way::Proxy, Ok(format!("asks go through {proxy}, which looks up {host} itself")))];
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let limit = Duration::from_secs(u64::from(STEP_SECONDS_MAX));
    let unknown = |why: String| Failure::Unreachable { why: format!("{host}: {why}") };
    let looked_up = tokio::time::timeout(limit, tokio::net::lookup_host((bare.as_str(), port))).await;
    let addresses = match looked_up {
        Ok(Ok(found)) => in_turn(found),
        Ok(Err(error)) => return vec![seen(Way::Address, Err(unknown(error.to_string())))],
        Err(_) => return vec![seen(Way::Address, Err(Failure::TimedOut { after_seconds: STEP_SECONDS_MAX }))],
    };
    if addresses.is_empty() {
        return vec![seen(Way::Address, Err(unknown("no such name".to_owned())))];
    }
    let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let mut way = vec![seen(Way::Address, Ok(format!("{host} is {}", shown.join(", "))))];
    if url.scheme() == "https"
        && let Ok(Ok(stream)) = tokio::time::timeout(limit, first_reached(&addresses, limit)).await
    {
        way.extend(certificates(peer, &bare, stream, limit).await);
    }
    way
}

/// The certificates that are shown and believed. Where they are not, whoever asks is told why.
async fn certificates(peer: &HttpPeer, host: &str, stream: tokio::net::TcpStream, limit: Duration) -> Option<Seen> {
    let config = trust::client_config(&peer.trust, SeenCertificate::default()).ok()?;
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let connector = TlsConnector::from(Arc::new(config));
    let connection = tokio::time::timeout(limit, connector.connect(name, stream)).await.ok()?.ok()?;
    let shown = connection.get_ref().1.peer_certificates()?;
    let ends_at = shown.iter().filter_map(|certificate| validity::ends_at(certificate)).min()?;
    let found = format!("{} shown and believed, valid until {}", shown.len(), ends_at.format("%Y-%m-%d %H:%M GMT"));
    Some(Seen { what: Way::Certificate, found: Ok(found), ends_at: Some(ends_at) })
}

/// The proxy that the environment or the system names for this address, without its login.
fn proxy_of(url: &Url) -> Option<String> {
    let target = url.as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&target)?;
    let (scheme, authority) = (proxy.uri().scheme_str()?.to_owned(), proxy.uri().authority()?.clone());
    Some(format!("{scheme}://{}", authority.as_str().rsplit('@').next().unwrap_or_default()))
}

fn seen(what: Way, found: Result<String, Failure>) -> Seen {
    Seen { what, found, ends_at: None }
}
